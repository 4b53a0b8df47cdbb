"""In whose name runs begin, and that those people's rights are asked again then.

There is no Moodle here: a run that may begin ends because of that.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core import mail
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from sync.commandfiles.intake import receive_file
from sync.models import CommandFile, MoodleSite, Notification, RunState, SequenceRun, Source, SyncRun
from sync.notifications import services as notifications
from sync.notifications.services import RuleChoice, save_rule
from sync.processors.registry import REGISTRY
from sync.runs import services
from sync.runs.rights import OPERATOR, Responsible
from sync.runs.site_files import SiteFiles
from sync.schedules.arming import arm_file
from sync.schedules.sequences import carry_on_sequence
from sync.schedules.services import ScheduleChoice, save_schedule, start_if_due, start_now, switch_schedule

FILE = b"username;firstname;lastname\nann;Ann;Lee\n"
REFUSED = {"owner": "run_owner_without_right", "armer": "file_owner_without_right"}


@pytest.fixture(autouse=True)
def own_folders(settings: Settings, tmp_path: Path) -> None:
    files = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path / "files")}}
    settings.STORAGES = {**settings.STORAGES, "files": files}
    settings.TOOLSYNC_DROP_FOLDER = str(tmp_path / "drop")
    settings.TOOLSYNC_MOODLE_URL = ""
    (tmp_path / "drop").mkdir()


@pytest.fixture
def site(db: None) -> MoodleSite:
    return MoodleSite.objects.get(slug="main")


def person(name: str, *codenames: str) -> User:
    user = User.objects.create_user(name)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames or ("run_users",)))
    return user


@pytest.fixture
def file(site: MoodleSite) -> CommandFile:
    return receive_file(site, io.BytesIO(FILE), "userimport.csv", "/", None, file_types=services.FILE_TYPES)


def started(site: MoodleSite, owner: Responsible, by: User | None = None) -> SequenceRun:
    """Start a schedule, by itself or by hand, up to where it has fetched its files."""
    schedule = save_schedule(site, ScheduleChoice(["users"], kind="every", enabled=True), owner=owner)
    if by is not None:
        sequence = start_now(schedule, by)
    else:
        type(schedule).objects.filter(pk=schedule.pk).update(next_at=schedule.anchor_at)
        start_if_due(schedule.pk)
        sequence = SequenceRun.objects.get(schedule=schedule)
    carry_on_sequence(sequence.pk)
    sequence.refresh_from_db()
    return sequence


def test_a_scheduled_run_carries_who_armed_the_file_and_who_owns_the_schedule(
    site: MoodleSite, file: CommandFile
) -> None:
    owner, armer = person("olga"), person("arne")
    arm_file(file, "users", Responsible.of(armer))
    run = started(site, Responsible.of(owner)).runs.get()
    assert (run.owner, run.owner_name, run.armed_by, run.armed_by_name) == (owner, "olga", armer, "arne")
    assert run.requested_by is None
    client = Client()
    client.force_login(owner)
    text = client.get(reverse("run", args=[run.pk])).text
    assert "olga" in text
    assert "arne" in text


def test_started_by_hand_it_is_in_the_name_of_whoever_did_it(site: MoodleSite, file: CommandFile) -> None:
    owner, hand = person("olga"), person("hans")
    arm_file(file, "users", OPERATOR)
    run = started(site, Responsible.of(owner), by=hand).runs.get()
    assert (run.owner, run.requested_by, run.armed_by_name) == (hand, hand, "")


LOSSES: dict[str, Callable[[User], object]] = {
    "right": lambda user: user.user_permissions.clear(),
    "other right": lambda user: user.user_permissions.set(Permission.objects.filter(codename="run_courses_check")),
    "active": lambda user: User.objects.filter(pk=user.pk).update(is_active=False),
    "inactive superuser": lambda user: User.objects.filter(pk=user.pk).update(is_active=False, is_superuser=True),
    "account": lambda user: user.delete(),
}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("who", REFUSED)
def test_rights_lost_between_queueing_and_start_refuse_the_run_and_people_are_told(
    who: str, loss: str, site: MoodleSite, file: CommandFile
) -> None:
    people = {"owner": person("olga"), "armer": person("arne")}
    save_rule(site, "users", RuleChoice(recipients={"failure": ["boss@example.org"]}))
    arm_file(file, "users", Responsible.of(people["armer"]))
    run = started(site, Responsible.of(people["owner"])).runs.get()
    LOSSES[loss](people[who])

    run = services.execute_run(run.pk)

    assert (run.state, run.error_code) == (RunState.ERRORED, REFUSED[who])
    # Not the file's fault: it stays where it is, and nothing of it was read.
    assert CommandFile.objects.get().path == "/userimport.csv"
    assert run.rows_done == 0
    notifications.send_notification(Notification.objects.get().pk)
    (sent,) = mail.outbox
    name = people[who].get_username()
    assert name in sent.body
    root = Client()
    root.force_login(User.objects.create_superuser("root"))
    assert f"{name}, " in root.get(reverse("run", args=[run.pk])).text


def test_with_their_rights_back_the_run_can_be_taken_up(site: MoodleSite, file: CommandFile) -> None:
    owner = person("olga")
    arm_file(file, "users", OPERATOR)
    run = started(site, Responsible.of(owner)).runs.get()
    owner.user_permissions.clear()
    assert services.execute_run(run.pk).error_code == "run_owner_without_right"
    owner.groups.add(group := Group.objects.create(name="users"))
    group.permissions.add(Permission.objects.get(codename="run_users"))
    services.resume_run(run)
    assert services.execute_run(run.pk).error_code not in REFUSED.values()


def test_a_schedule_of_somebody_without_rights_fetches_nothing(site: MoodleSite, file: CommandFile) -> None:
    arm_file(file, "users", OPERATOR)
    owner = person("olga", "run_courses_check")
    sequence = started(site, Responsible.of(owner))
    assert sequence.faults == [["users", "run_owner_without_right", {"name": "olga", "processor": "users"}]]
    assert not SyncRun.objects.exists()


def test_people_are_told_of_a_file_that_nobody_has_armed_once(site: MoodleSite, file: CommandFile) -> None:
    save_rule(site, "users", RuleChoice(recipients={"failure": ["boss@example.org"]}))
    for _night in range(2):
        assert not started(site, OPERATOR).runs.exists()
    notifications.send_notification(Notification.objects.get().pk)
    (sent,) = mail.outbox
    assert "/userimport.csv is there, but nobody who may run this file type" in sent.body


@pytest.mark.parametrize("loss", LOSSES)
def test_a_run_by_hand_needs_its_persons_right_when_it_starts(loss: str, site: MoodleSite, file: CommandFile) -> None:
    user = person("hans")
    run = services.queue_run(site=site, processor="users", command_file=file, user=user)
    LOSSES[loss](user)
    assert services.execute_run(run.pk).error_code == "run_owner_without_right"


def test_whoever_switches_a_schedule_on_owns_it(site: MoodleSite) -> None:
    schedule = save_schedule(site, ScheduleChoice(["users"], kind="every"))
    switch_schedule(schedule, on=True, owner=Responsible.of(person("olga")))
    schedule.refresh_from_db()
    assert (schedule.owner_name, schedule.enabled) == ("olga", True)


def test_an_address_is_not_even_asked_for_an_owner_without_rights(site: MoodleSite) -> None:
    owner = person("olga", "run_users")
    Source.objects.create(
        site=site,
        processor="users",
        kind="address",
        location="https://127.0.0.1:9/x.csv",
        owner=owner,
        owner_name="olga",
    )
    sequence = started(site, OPERATOR)
    assert sequence.faults == [["users", "source_owner_without_right", {"owner": "olga"}]]


def test_rows_name_only_files_that_everybody_of_the_run_may_have(site: MoodleSite, file: CommandFile) -> None:
    backup = receive_file(site, io.BytesIO(b"x"), "algebra.mbz", "/", None, file_types=services.FILE_TYPES)
    notes = receive_file(site, io.BytesIO(b"a;b\n1;2\n"), "n.csv", "/", None, file_types=services.FILE_TYPES)
    paths = {file.path, backup.path, notes.path}
    teacher, clerk, root = person("tina", "run_courses"), person("olga"), User.objects.create_superuser("root")

    def present(user: User | None, armed_by: Responsible = OPERATOR) -> set[str]:
        run = services.queue_run(site=site, processor="courses", command_file=file, user=user, armed_by=armed_by)
        return SiteFiles(run).present(paths)

    assert present(None) == paths
    assert present(root) == paths
    assert present(teacher) == {backup.path}
    assert present(clerk) == {file.path}
    assert present(root, Responsible.of(teacher)) == {backup.path}
    assert present(root, Responsible(None, "gone")) == set()


def test_every_file_type_has_a_right_of_its_own(db: None) -> None:
    codenames = set(Permission.objects.filter(codename__startswith="run_").values_list("codename", flat=True))
    assert codenames == {f"run_{key}" for key in REGISTRY}
