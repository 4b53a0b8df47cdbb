"""One digest for each reader and night, once; what is urgent at once; a state that was told before not again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from sync.guard.limits import Limit
from sync.health.records import Part, fails, note_life, save_finding
from sync.models import (
    DigestEntry,
    Event,
    MoodleSite,
    Notification,
    ProcessorSettings,
    Role,
    RoleAssignment,
    RunState,
    Schedule,
    SequenceRun,
)
from sync.notifications.digests import keep_entries
from sync.notifications.readers import save_preferences
from sync.notifications.services import RuleChoice, notify, save_rule, send_notification, send_waiting_notifications
from sync.overview.digests import make_due_digests
from sync.runs import services
from sync.runs.lease import MAX_ATTEMPTS
from sync.runs.plans import save_limits
from sync.runs.rights import OPERATOR
from sync.schedules.sequences import carry_on_sequence
from sync.schedules.services import RecipientsChoice, ScheduleChoice, save_recipients, save_schedule
from tests.installation import Installation
from tests.notification_servers import MailServer

HEADER = "username;firstname;lastname;email\n"
GOOD, BAD = "bob;Bob;King;bob@x.org\n", "eve;Eve;Fox;no-address\n"
BROKEN = "nothing;that;is;known\n1;2;3;4\n"
COURSES = "shortname;fullname;category\nC9;Nine;New\n"
NIGHT = datetime(2026, 11, 24, 1, 15, tzinfo=UTC)  # 02:15 in Paris


@pytest.fixture
def mail(settings: Settings) -> Iterator[MailServer]:
    server = MailServer()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.TOOLSYNC_ADDRESS = "https://sync.example.org/"
    settings.TIME_ZONE = "Europe/Paris"
    settings.LANGUAGE_CODE = "en"
    yield server
    server.stop()


@pytest.fixture
def clock(mail: MailServer) -> Iterator[Any]:
    with time_machine.travel(NIGHT) as clock:
        yield clock


def feed(installation: Installation, *processors: str, name: str = "", **recipients: Any) -> Schedule:
    choice = ScheduleChoice(processors, name=name, at=time(2, 15), enabled=True, stop_on_failure=False)
    schedule = save_schedule(installation.site, choice)
    save_recipients(schedule, RecipientsChoice(**{"recipients": ["it@x.org"]} | recipients))
    return schedule


def start(schedule: Schedule) -> SequenceRun:
    """Start a feed, and do what the workers do until there is nothing to do."""
    sequence = SequenceRun.objects.create(
        site=schedule.site, schedule=schedule, name=schedule.name, processors=schedule.processors,
        stop_on_failure=schedule.stop_on_failure,
    )  # fmt: skip
    go_on(sequence)
    return sequence


def go_on(sequence: SequenceRun) -> None:
    while True:
        carry_on_sequence(sequence.pk)
        run = sequence.runs.filter(state=RunState.QUEUED).order_by("pk").first()
        if run is None:
            return
        services.execute_run(run.pk)


def send_all() -> None:
    """Do what the workers do each minute."""
    note_life(Part.BEAT)
    note_life(Part.WORKER)
    make_due_digests()
    for notification in Notification.objects.filter(next_try_at__lte=timezone.now()).order_by("pk"):
        send_notification(notification.pk)


def subjects(mail: MailServer) -> list[tuple[str, str]]:
    return [(recipient, message["Subject"].strip().removeprefix("[ToolSync] ")) for recipient, message in mail.received]


def body(mail: MailServer, number: int = -1) -> str:
    part = mail.received[number][1].get_body()
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def test_one_mail_at_seven_for_all_feeds_of_the_night_and_nothing_before(
    installation: Installation, mail: MailServer, clock: Any
) -> None:
    installation.put("/userimport.csv", HEADER + GOOD + BAD)
    installation.put("/uploadcourses.csv", COURSES)
    users, courses = (
        feed(installation, "users", name="Night users"),
        feed(installation, "courses", name="Night courses"),
    )
    save_rule(installation.site, "", RuleChoice({"success": ["it@x.org"], "rejections": ["IT@x.org", "b@x.org"]}))
    first, second = start(users), start(courses)
    send_all()
    assert mail.received == []

    clock.move_to(datetime(2026, 11, 24, 6, 1, tzinfo=UTC))
    send_all()
    send_all()

    assert sorted(subjects(mail)) == [
        ("b@x.org", "1 feed, 2 rows, 1 rejected"),
        ("it@x.org", "2 feeds, 3 rows, 1 rejected"),
    ]
    said = body(mail, [recipient for recipient, _message in mail.received].index("it@x.org"))
    assert "Times are those of Europe/Paris." in said
    assert "- Night users: Completed, 24 Nov 2026, 02:15 to 02:15. 1 created, 1 rejected\n" in said
    assert f"https://sync.example.org/sequences/{first.pk}/\n" in said
    assert f"https://sync.example.org/sequences/{second.pk}/\n" in said
    assert said.index("1 row was rejected or done in part") < said.index("What the feeds have done")
    clock.move_to(datetime(2026, 11, 25, 6, 1, tzinfo=UTC))
    send_all()
    assert len(mail.received) == 2


def test_a_person_reads_it_in_their_language_by_their_clock_with_what_they_may_do_first(
    installation: Installation, mail: MailServer, clock: Any
) -> None:
    ann = User.objects.create_superuser("ann", "Ann@x.org")
    save_preferences(ann, language="fr", zone="Asia/Kathmandu", digest_at=time(8, 30))
    installation.put("/userimport.csv", HEADER + GOOD)
    start(feed(installation, "users", recipients=["ann@x.org"], attach_report=True))
    clock.move_to(datetime(2026, 11, 24, 2, 44, tzinfo=UTC))  # 08:29 in Kathmandu
    send_all()
    assert mail.received == []
    clock.move_to(datetime(2026, 11, 24, 2, 46, tzinfo=UTC))
    send_all()
    [(recipient, subject)] = subjects(mail)
    assert recipient == "ann@x.org"
    assert subject.startswith("1 flux, 1 ligne")
    assert "Asia/Kathmandu" in body(mail)
    assert "07:00" in body(mail)  # 02:15 in Paris
    assert "Rien ne vous attend." in body(mail)
    (report,) = mail.received[0][1].iter_attachments()
    assert "Exécution" in report.get_content()


def test_what_is_held_is_told_at_once_and_stands_first_in_the_digest(
    installation: Installation, mail: MailServer, clock: Any, settings: Settings
) -> None:
    settings.TOOLSYNC_GUARD = True
    delete = feed(installation, "users_delete", name="Leavers")
    ProcessorSettings.objects.create(
        site=installation.site, processor="users_delete", values={"primaryidentity": "username"}
    )
    installation.put("/userdelete.csv", "username\n" + "".join(f"u{number}\n" for number in range(3)))
    installation.carry_out("/u.csv", HEADER + "".join(f"u{n};U;U;u{n}@x.org\n" for n in range(3)))
    Notification.objects.all().delete()
    save_limits(
        installation.site, "users_delete", {"users.deleted": Limit(None, 1)}, is_on=True, needs_second_person=False,
        person=OPERATOR,
    )  # fmt: skip
    sequence = start(delete)
    assert sequence.runs.exclude(simulate=True).get().state == RunState.HELD
    send_all()
    assert [subject for _to, subject in subjects(mail)] == [
        "Users: delete: held, somebody has to approve it (userdelete.csv)"
    ]
    clock.move_to(datetime(2026, 11, 24, 6, 1, tzinfo=UTC))
    send_all()
    assert subjects(mail)[1:] == [("it@x.org", "Held: Users: delete, userdelete.csv · 1 feed, 0 rows, 0 rejected")]
    assert "Leavers: held" in body(mail)


def test_a_failure_is_told_once_until_it_works_again_and_that_is_told_once(
    installation: Installation, mail: MailServer, clock: Any
) -> None:
    users = feed(installation, "users", name="Night", digest_at=time(12))
    for _start in range(3):
        installation.put("/userimport.csv", BROKEN)
        start(users)
        send_all()
        clock.shift(timedelta(minutes=15))
    assert [subject for _to, subject in subjects(mail)] == ["Users: create and update: failed (userimport.csv)"]
    for _start in range(2):
        installation.put("/userimport.csv", HEADER + GOOD)
        start(users)
        send_all()
        clock.shift(timedelta(minutes=15))
    assert [subject for _to, subject in subjects(mail)][1:] == [
        "Users: create and update: works again (userimport.csv)"
    ]
    assert "It works again since 24 Nov 2026, 03:00. It had failed since 24 Nov 2026, 02:15." in body(mail)
    clock.move_to(datetime(2026, 11, 24, 11, 1, tzinfo=UTC))
    send_all()
    assert "Night: Completed, 5 starts, the last one" in body(mail)


def test_a_run_that_is_taken_up_again_after_its_start_is_told_and_so_is_the_next_failure(
    installation: Installation, mail: MailServer, clock: Any
) -> None:
    users = feed(installation, "users", name="Night")
    installation.put("/userimport.csv", HEADER + GOOD)

    def die() -> SequenceRun:
        """Start the feed; the worker dies again and again."""
        sequence = SequenceRun.objects.create(site=users.site, schedule=users, processors=["users"])
        carry_on_sequence(sequence.pk)
        sequence.runs.update(state=RunState.RUNNING, worker="w", attempts=MAX_ATTEMPTS, heartbeat_at=None)
        services.recover_dead_runs()
        go_on(sequence)
        return sequence

    first = die()
    clock.move_to(datetime(2026, 11, 24, 6, 0, tzinfo=UTC))
    send_all()
    run = first.runs.get()
    services.resume_run(run)
    assert services.execute_run(run.pk).counts == {"created": 1}
    send_all()
    clock.shift(timedelta(days=1))
    send_all()
    die()
    send_all()

    failed, works = (
        "Users: create and update: failed (userimport.csv)",
        "Users: create and update: works again (userimport.csv)",
    )
    told = [subject for _to, subject in subjects(mail)]
    assert [told[0], told[2], told[-1]] == [failed, works, failed]
    assert ("1 created" in body(mail, 1), "1 created" in body(mail, 3), len(told)) == (False, True, 5)


def give_up(clock: Any) -> None:
    """Let time pass until no mail is tried any more."""
    for _hour in range(30):
        clock.shift(timedelta(hours=1))
        for notification in Notification.objects.filter(next_try_at__lte=timezone.now()).order_by("pk"):
            send_notification(notification.pk)
    assert not Notification.objects.exclude(next_try_at=None).exists()


def test_a_failure_that_nobody_could_be_told_of_is_told_when_it_comes_again(
    installation: Installation, mail: MailServer, clock: Any
) -> None:
    users = feed(installation, "users", name="Night", digest_at=time(12))
    mail.refused = {"it@x.org"}
    installation.put("/userimport.csv", BROKEN)
    start(users)
    give_up(clock)
    mail.refused = set()
    for _start in range(2):
        installation.put("/userimport.csv", BROKEN)
        start(users)
        send_all()
    failed = "Users: create and update: failed (userimport.csv)"
    assert [subject for _to, subject in subjects(mail)].count(failed) == 1


def test_a_way_to_a_file_that_fails_and_could_not_be_told_is_told_again(
    installation: Installation, mail: MailServer, clock: Any
) -> None:
    users = feed(installation, "users", name="Night", digest_at=time(12))
    about: dict[str, Any] = {"schedule": users, "fault": ["source_unreachable", {}]}
    mail.refused = {"it@x.org"}
    assert notify(installation.site, "users", Event.FAILURE, **about) == ["it@x.org"]
    assert notify(installation.site, "users", Event.FAILURE, **about) == []
    give_up(clock)
    assert notify(installation.site, "users", Event.FAILURE, **about) == ["it@x.org"]


def test_what_a_digest_could_not_tell_is_in_the_next_one_for_a_week(
    installation: Installation, mail: MailServer, clock: Any
) -> None:
    installation.put("/userimport.csv", HEADER + GOOD)
    start(feed(installation, "users", name="Night", digest_at_end=True))
    mail.refused = {"it@x.org"}
    send_all()
    give_up(clock)
    make_due_digests()
    assert Notification.objects.filter(event=Event.DIGEST).count() == 2
    mail.refused = set()
    send_all()
    assert "Night: Completed" in body(mail)
    mail.refused = {"it@x.org"}
    DigestEntry.objects.update(notification=None)
    for _try in range(10):
        make_due_digests()
        give_up(clock)
    make_due_digests()
    assert not DigestEntry.objects.filter(notification=None).exists()
    assert not Notification.objects.exclude(next_try_at=None).exists()


def test_a_digest_comes_at_the_end_of_a_start_where_that_was_chosen(
    installation: Installation, mail: MailServer, clock: Any
) -> None:
    installation.put("/userimport.csv", HEADER + GOOD)
    start(feed(installation, "users", digest_at_end=True))
    send_all()
    assert subjects(mail) == [("it@x.org", "1 feed, 1 row, 0 rejected")]


def test_workers_that_make_digests_at_once_make_one(installation: Installation, mail: MailServer, clock: Any) -> None:
    installation.put("/userimport.csv", HEADER + GOOD)
    start(feed(installation, "users", digest_at_end=True))
    barrier = Barrier(4)

    def work() -> None:
        try:
            barrier.wait()
            make_due_digests()
        finally:
            connection.close()

    threads = [Thread(target=work) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Notification.objects.filter(event=Event.DIGEST).count() == 1
    assert not DigestEntry.objects.filter(notification=None).exists()


def test_a_worker_that_dies_while_it_hands_a_digest_over_is_not_followed_by_a_second_mail(
    installation: Installation, mail: MailServer, clock: Any
) -> None:
    installation.put("/userimport.csv", HEADER + GOOD)
    start(feed(installation, "users", digest_at_end=True))
    make_due_digests()
    # As it stands when the process is killed before the answer.
    Notification.objects.update(begun_at=timezone.now(), attempts=1)
    clock.shift(timedelta(hours=1))
    send_waiting_notifications()
    send_all()
    digest = Notification.objects.get()
    assert (digest.error_code, digest.next_try_at, mail.received) == ("mail_in_doubt", None, [])


def test_a_mail_server_that_is_away_gets_the_digest_later(
    installation: Installation, mail: MailServer, clock: Any
) -> None:
    installation.put("/userimport.csv", HEADER + GOOD)
    start(feed(installation, "users", digest_at_end=True))
    mail.refused = {"it@x.org"}
    send_all()
    assert Notification.objects.get().error_code == "mail_not_sent"
    mail.refused = set()
    clock.shift(timedelta(minutes=2))
    send_all()
    assert [recipient for recipient, _message in mail.received] == ["it@x.org"]


def test_a_digest_leads_to_the_pages_of_its_site_and_tells_viewers_no_addresses_of_servers(
    db: None, mail: MailServer, clock: Any
) -> None:
    school = MoodleSite.objects.create(slug="school", name="School")
    for name, role in (("vic", Role.VIEWER), ("max", Role.MANAGER)):
        person = User.objects.create_user(name, f"{name}@x.org")
        RoleAssignment.objects.create(person=person, site=school, role=role)
    save_finding(Part.STORAGE, fails("health_storage_fails", reason="nfs.inner.example"))
    schedule = save_schedule(school, ScheduleChoice(["users"], at=time(2, 15), enabled=True))
    save_recipients(schedule, RecipientsChoice(["vic@x.org", "max@x.org"], digest_at_end=True))
    sequence = SequenceRun.objects.create(
        site=school, schedule=schedule, processors=["users"], state="completed", finished_at=timezone.now()
    )
    keep_entries(sequence, is_over=True)
    send_all()
    said = {recipient: body(mail, number) for number, (recipient, _message) in enumerate(mail.received)}
    assert said.keys() == {"vic@x.org", "max@x.org"}
    for text in said.values():
        for path in (f"sequences/{sequence.pk}/", "settings/health/#storage", "preferences/"):
            assert f"https://sync.example.org/sites/school/{path}\n" in text
    assert "nfs.inner.example" in said["max@x.org"]
    assert "nfs.inner.example" not in said["vic@x.org"]
    assert "Storage of files: is not at work." in said["vic@x.org"]
