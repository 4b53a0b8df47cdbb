"""Bundles: several files recognised, planned together, decided on as a whole, carried out in order; on every server alike."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from pytest_django import Settings

from sync.commandfiles.bundle_zip import HandedFile
from sync.errors import CommandFileError, PlanRefused, RunNotClaimable, UndoRefused
from sync.models import (
    AuditRecord,
    Bundle,
    CommandFile,
    GuardLimits,
    MoodleSite as OurSite,
    RunChunk,
    RunState,
    SyncRun,
)
from sync.processors.registry import REGISTRY
from sync.runs import decisions, services
from sync.runs.bundles import opened_bundle, queue_bundle
from sync.runs.outcome_store import read_rows
from sync.runs.recorder import Progress
from sync.runs.rights import OPERATOR, Responsible
from sync.runs.undo import undo_run
from sync.runs.undo_bundle import undo_bundle
from tests.installation import Installation
from tests.moodle_sites import MoodleSite
from tests.runs.undo_checks import bring_in_order, check_same

pytestmark = [pytest.mark.django_db, pytest.mark.sites("sqlite:4.5", "mariadb:5.1", "postgresql:5.2")]

NEW_TERM = {
    "enrols.csv": "uid;cid;rolename;enrol;gcmd;g1\n"
    "nora;NEW1;student;manual;gadd;Tuesday\nnils;NEW1;student;manual;gadd;Tuesday\n",
    "cohorts.csv": "cname;cidnumber;userid\nFreshers;FRESH;nora\nFreshers;FRESH;nils\n",
    "userimport.csv": "username;firstname;lastname;email\nnora;Nora;New;nora@x.org\nnils;Nils;New;nils@x.org\n",
    "groups.csv": "courseid;name;idnumber\nNEW1;Tuesday;TUE\n",
    "uploadcourses.csv": "shortname;fullname;category\nNEW1;New one;1\n",
}
ORDER = ["userimport.csv", "uploadcourses.csv", "cohorts.csv", "groups.csv", "enrols.csv"]
SECOND_NAMES = "username;firstname;lastname;email;city\nnora;Nora;Newer;nora@x.org;Lyon\nann;Ann;Older;ann@x.org;Oslo\n"
TABLES = (
    "user",
    "course",
    "cohort",
    "groups",
    "cohort_members",
    "user_enrolments",
    "groups_members",
    "role_assignments",
)


@pytest.fixture(autouse=True)
def guarded(settings: Settings) -> None:
    settings.TOOLSYNC_GUARD = True
    settings.TOOLSYNC_CHUNK_ROWS = 1


@pytest.fixture
def person() -> Callable[..., Any]:
    def make(name: str, *permissions: str) -> User:
        user = User.objects.create_user(name, email=f"{name}@x.org")
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        return User.objects.get(pk=user.pk)

    return make


def zipped(files: Mapping[str, str | bytes]) -> io.BytesIO:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed


def handed(files: Mapping[str, str]) -> list[HandedFile]:
    return [HandedFile(name, io.BytesIO(text.encode())) for name, text in files.items()]


def ask_for(site: OurSite, files: Mapping[str, str], **more: Any) -> Bundle:
    users = {"users": {"primaryidentity": "username"}, "users_delete": {"primaryidentity": "username"}}
    with opened_bundle([HandedFile("term.zip", zipped(files))]) as found:
        return queue_bundle(
            site=site, name="term.zip", files=found, options=users, in_background=False,
            **{"asks": False, "origin": SyncRun.Origin.SHELL, **more},
        )  # fmt: skip


def runs_of(bundle: Bundle) -> list[SyncRun]:
    return list(bundle.runs.order_by("pk").select_related("plan", "bundle", "site"))


def carry_out(bundle: Bundle, **more: Any) -> list[SyncRun]:
    """Carry out the runs of a bundle as workers do, as far as they go."""
    while (run := bundle.runs.filter(state=RunState.QUEUED).order_by("pk").first()) is not None:
        services.execute_run(run.pk, **more)
    return runs_of(bundle)


def told(run: SyncRun) -> list[tuple[int, str, str]]:
    return [(outcome.line, outcome.action, outcome.code) for outcome in read_rows(run)]


def written(moodle: MoodleSite) -> dict[str, int]:
    return {table: len(moodle.rows(table)) for table in TABLES}


def gone(names: list[str]) -> str:
    return "username\n" + "".join(f"{name}\n" for name in names)


def test_the_files_of_a_zip_are_carried_out_in_order_as_they_were_planned(
    installation_everywhere: Installation,
) -> None:
    installation, moodle = installation_everywhere, installation_everywhere.moodle
    before = written(moodle)

    runs = carry_out(ask_for(installation.site, NEW_TERM))

    assert [run.file_name for run in runs] == ORDER
    assert [run.state for run in runs] == [RunState.COMPLETED] * len(ORDER)
    assert [sum(run.counts.values()) for run in runs] == [2, 1, 2, 1, 2]
    for run in runs:
        assert run.plan is not None
        assert told(run) == told(run.plan)
        assert run.totals
    assert moodle.one("user", username="nora")
    course = moodle.one("course", shortname="NEW1")
    group = moodle.one("groups", courseid=course["id"], name="Tuesday")
    assert len(moodle.rows("groups_members", groupid=group["id"])) == 2
    together = written(moodle)

    moodle.restore_template()
    options = {"users": {"primaryidentity": "username"}}
    for name, run in zip(ORDER, runs, strict=True):
        alone = installation.carry_out(
            f"/{name}", NEW_TERM[name], processor=run.processor, **options.get(run.processor, {})
        )
        assert told(alone) == told(run)
    assert written(moodle) == together != before


def test_a_bundle_waits_as_a_whole_and_writes_nothing_when_it_is_declined(
    installation_everywhere: Installation,
) -> None:
    installation, moodle = installation_everywhere, installation_everywhere.moodle
    before = moodle.snapshot()

    first, *others = carry_out(ask_for(installation.site, NEW_TERM, asks=True))

    assert first.state == RunState.UNCONFIRMED
    assert {run.state for run in others} == {RunState.PENDING}
    assert all(run.plan is not None and run.plan.carried_out for run in (first, *others))
    assert first.bundle is not None
    assert first.bundle.totals["users.created"] == 2
    assert first.bundle.totals["enrolments.created"] == 2
    installation.site.refresh_from_db()
    assert installation.site.lease_run is None

    decisions.decline_run(first, OPERATOR, reason="not now")

    assert {run.state for run in runs_of(first.bundle)} == {RunState.DECLINED}
    assert moodle.diff(before, moodle.snapshot()) == {}


def test_an_approved_bundle_is_carried_out(installation: Installation, person: Callable[..., User]) -> None:
    first, *_others = carry_out(ask_for(installation.site, NEW_TERM, asks=True))
    keys = [f"run_{key}" for key in ("users", "courses", "cohorts", "groups")]
    with pytest.raises(PlanRefused, match="decision_refused"):
        decisions.approve_run(first, Responsible.of(person("ann", *keys)))

    decisions.approve_run(first, Responsible.of(person("ada", *keys, "run_enrolments")))
    runs = carry_out(Bundle.objects.get())

    assert {run.state for run in runs} == {RunState.COMPLETED}
    assert {run.decided_by_name for run in runs} == {"ada"}
    assert AuditRecord.objects.filter(kind="approval", person="ada").count() == len(ORDER)


def test_what_files_remove_together_is_held_against_the_limits(installation: Installation, settings: Settings) -> None:
    names = [f"p{n}" for n in range(60)]
    users = "username;firstname;lastname;email\n" + "".join(f"{name};Pat;P;{name}@x.org\n" for name in names * 2)
    crowd = users + "".join(f"q{n};Pat;Q;q{n}@x.org\n" for n in range(600))
    # The crowd is only there to be counted.
    settings.TOOLSYNC_CHUNK_ROWS = 1000
    installation.carry_out("/users.csv", crowd, primaryidentity="username")
    settings.TOOLSYNC_CHUNK_ROWS = 1
    before = installation.moodle.snapshot()
    files = {"userdelete1.csv": gone(names[:30]), "userdelete2.csv": gone(names[30:])}

    first, second = carry_out(ask_for(installation.site, files))

    assert [run.file_name for run in (first, second)] == ["userdelete1.csv", "userdelete2.csv"]
    assert (first.state, second.state) == (RunState.HELD, RunState.PENDING)
    assert [(code, params["count"]) for code, params in first.held_for] == [("guard_count", 60)]
    assert installation.moodle.diff(before, installation.moodle.snapshot()) == {}
    with pytest.raises(PlanRefused, match="decision_number_wrong"):
        decisions.approve_run(first, OPERATOR, typed="30")
    decisions.approve_run(first, OPERATOR, typed="60")
    assert [run.counts for run in carry_out(Bundle.objects.get())] == [{"deleted": 30}] * 2


@pytest.mark.parametrize("same", [True, False])
def test_people_who_go_in_one_file_and_come_in_another_under_other_usernames_are_held(
    installation: Installation, settings: Settings, same: bool
) -> None:
    header = "username;firstname;lastname;email\n"
    there = header + "".join(f"p{n};Pat;Nr {n};p{n}@x.org\n" for n in range(20))
    come = header + "".join(f"q{n};Pat;{'Nr' if same else 'New'} {n};q{n}@x.org\n" for n in range(20))
    settings.TOOLSYNC_CHUNK_ROWS = 1000
    installation.carry_out("/users.csv", there, primaryidentity="username")
    GuardLimits.objects.create(site=installation.site, values={"users.deleted": [None, None]})
    files = {"userdelete.csv": gone([f"p{n}" for n in range(20)]), "userimport.csv": come}

    first, *_others = carry_out(ask_for(installation.site, files))

    assert [code for code, _params in first.held_for] == (["guard_rekeyed"] if same else []), first.held_for
    assert (first.state == RunState.HELD) is same


def test_a_file_that_ends_with_an_error_keeps_the_later_ones_from_beginning(installation: Installation) -> None:
    bundle = ask_for(installation.site, NEW_TERM)
    first, second, *_others = runs_of(bundle)
    services.execute_run(first.pk)
    SyncRun.objects.filter(application=second).update(made_on={})

    runs = carry_out(bundle)

    assert [run.state for run in runs] == [RunState.COMPLETED, RunState.ERRORED, *[RunState.CANCELLED] * 3]
    assert {(run.error_code, run.error_params["name"]) for run in runs[2:]} == {("bundle_stopped", "uploadcourses.csv")}
    assert not runs[2].is_resumable
    with pytest.raises(RunNotClaimable):
        services.resume_run(runs[2])


def test_a_file_that_can_not_be_used_ends_the_bundle_before_the_first_write(installation: Installation) -> None:
    before = installation.moodle.snapshot()
    bundle = ask_for(installation.site, {**NEW_TERM, "groups.csv": "courseid;name;idnumber\nNEW1;Tuesday;TUE\n"})
    broken = bundle.runs.get(processor="groups")
    SyncRun.objects.filter(pk=broken.pk).update(file_sha256="another")

    runs = carry_out(bundle)

    assert {run.file_name: (run.state, run.error_code) for run in runs} == {
        name: (RunState.FAILED, "file_changed") if name == "groups.csv" else (RunState.CANCELLED, "bundle_stopped")
        for name in ORDER
    }
    assert installation.moodle.diff(before, installation.moodle.snapshot()) == {}


class Killed(BaseException):
    """Stands for `kill -9`: nothing of ours catches it."""


@pytest.mark.parametrize("chunks", [1, 4, 7, 9, 11, 15])
def test_a_bundle_whose_worker_is_killed_comes_to_the_same_end(
    installation_everywhere: Installation, chunks: int
) -> None:
    left = chunks

    def die(_progress: Progress) -> None:
        nonlocal left
        left -= 1
        if not left:
            raise Killed

    bundle = ask_for(installation_everywhere.site, NEW_TERM)
    with pytest.raises(Killed):
        carry_out(bundle, progress=die)
    SyncRun.objects.filter(state=RunState.RUNNING).update(heartbeat_at=None)
    dead = bundle.runs.get(state=RunState.RUNNING)
    services.execute_run(dead.pk)
    runs = carry_out(bundle)

    assert {run.state for run in runs} == {RunState.COMPLETED}
    assert [run.counts for run in runs] == [
        {"created": 2},
        {"created": 1},
        {"created": 2},
        {"created": 1},
        {"created": 2},
    ]
    assert len(installation_everywhere.moodle.rows("user", firstname="Nora")) == 1


def test_cancelling_one_file_cancels_the_bundle_and_an_error_is_taken_up_with_the_later_files(
    installation: Installation,
) -> None:
    bundle = ask_for(installation.site, NEW_TERM)
    services.execute_run(runs_of(bundle)[0].pk)
    services.cancel_run(runs_of(bundle)[3])
    states = [run.state for run in runs_of(bundle)]
    assert states == [RunState.COMPLETED, *[RunState.CANCELLED] * 4]

    other = ask_for(
        installation.site, {"cohorts.csv": "cname;cidnumber\nA;A\n", "groups.csv": "courseid;name\nC1;Late\n"}
    )
    first, _second = runs_of(other)
    SyncRun.objects.filter(pk=first.pk).update(worker="", attempts=99, state=RunState.RUNNING)
    services.recover_dead_runs()
    assert [run.state for run in runs_of(other)] == [RunState.ERRORED, RunState.CANCELLED]
    services.resume_run(runs_of(other)[0])
    assert [run.state for run in runs_of(other)] == [RunState.QUEUED, RunState.PENDING]
    assert [run.state for run in carry_out(other)] == [RunState.COMPLETED] * 2


def test_no_file_of_a_cancelled_bundle_is_taken_up_before_those_ahead_of_it(installation: Installation) -> None:
    bundle = ask_for(installation.site, NEW_TERM, asks=True)
    first, second, *_others = carry_out(bundle)
    assert first.state == RunState.UNCONFIRMED
    before = installation.moodle.snapshot()
    services.cancel_run(runs_of(bundle)[0])

    # Nobody has decided on what was planned together.
    for run in runs_of(bundle)[1:]:
        with pytest.raises(RunNotClaimable):
            services.resume_run(run)
    SyncRun.objects.filter(pk=second.pk).update(state=RunState.QUEUED, error_code="")
    second = services.execute_run(second.pk)
    assert (second.state, second.error_code) == (RunState.CANCELLED, "bundle_out_of_turn")
    assert installation.moodle.diff(before, installation.moodle.snapshot()) == {}


def test_a_bundle_that_nobody_decides_on_expires_as_a_whole(installation: Installation) -> None:
    bundle = ask_for(installation.site, NEW_TERM, asks=True)
    first, *_others = carry_out(bundle)
    SyncRun.objects.filter(pk=first.pk).update(held_at="2020-01-01T00:00:00Z")

    assert decisions.expire_runs() == 1

    assert {(run.state, run.error_code) for run in runs_of(bundle)} == {(RunState.EXPIRED, "run_expired")}


def test_a_bundle_is_undone_in_one_act_from_its_last_file_to_the_first(installation_everywhere: Installation) -> None:
    installation, moodle = installation_everywhere, installation_everywhere.moodle
    GuardLimits.objects.create(site=installation.site, is_on=False)
    bring_in_order(moodle)
    before = moodle.snapshot()
    # The last file changes what the first one has made.
    bundle = ask_for(installation.site, {**NEW_TERM, "userimport2.csv": SECOND_NAMES})
    assert {run.state for run in carry_out(bundle)} == {RunState.COMPLETED}
    after = moodle.snapshot()

    undone = undo_bundle(bundle, asks=True, origin=SyncRun.Origin.SHELL, in_background=False)
    first, *others = carry_out(undone)

    assert [run.undoes for run in (first, *others)] == runs_of(bundle)[::-1]
    assert (first.state, {run.state for run in others}) == (RunState.UNCONFIRMED, {RunState.PENDING})
    check_same(after, moodle.snapshot(), "nothing is written before it is confirmed")
    undone.refresh_from_db()
    assert undone.totals["users.deleted"] == 2
    decisions.approve_run(first, OPERATOR, typed=str(decisions.removed_by(undone.totals)))
    runs = carry_out(undone)
    assert [(run.state, run.error_code) for run in runs] == [(RunState.COMPLETED, "")] * len(runs)
    for run in runs:
        assert run.plan is not None
        assert told(run) == told(run.plan)
    check_same(before, moodle.snapshot(), [told(run) for run in runs])
    with pytest.raises(UndoRefused, match="undo_bundle_done"):
        undo_bundle(bundle)

    again = undo_bundle(undone, asks=False, origin=SyncRun.Origin.SHELL, in_background=False)
    assert {run.state for run in carry_out(again)} == {RunState.COMPLETED}
    check_same(after, moodle.snapshot())


def test_what_somebody_uses_since_stays_when_a_bundle_is_undone(installation: Installation) -> None:
    moodle = installation.moodle
    GuardLimits.objects.create(site=installation.site, is_on=False)
    bundle = ask_for(installation.site, NEW_TERM)
    carry_out(bundle)
    nora = moodle.one("user", username="nora")["id"]
    moodle.execute("UPDATE {user} SET lastaccess = 5 WHERE id = :nora", nora=nora)

    runs = carry_out(undo_bundle(bundle, asks=False, origin=SyncRun.Origin.SHELL, in_background=False))

    assert {run.state for run in runs} == {RunState.COMPLETED}
    for run in runs:
        assert run.plan is not None
        assert told(run) == told(run.plan)
    assert [row["username"] for row in moodle.rows("user", lastname="New")] == ["nora"]
    assert moodle.rows("course", shortname="NEW1") == []
    assert moodle.rows("user_enrolments", userid=nora) == []


def test_an_undo_of_a_bundle_leaves_out_what_is_undone_and_waits_for_what_is_at_work(
    installation: Installation,
) -> None:
    GuardLimits.objects.create(site=installation.site, is_on=False)
    bundle = ask_for(installation.site, NEW_TERM)
    with pytest.raises(UndoRefused, match="undo_of_active_run"):
        undo_bundle(bundle)
    carry_out(bundle)
    last = runs_of(bundle)[-1]
    alone = undo_run(last, origin=SyncRun.Origin.SHELL, in_background=False)
    with pytest.raises(UndoRefused, match="undo_at_work"):
        undo_bundle(bundle)
    services.execute_run(alone.pk)

    undone = undo_bundle(bundle, asks=False, origin=SyncRun.Origin.SHELL, in_background=False)
    assert [run.undoes for run in runs_of(undone)] == runs_of(bundle)[-2::-1]
    RunChunk.objects.filter(run=runs_of(bundle)[0]).update(journal_key="")
    runs = carry_out(undone)
    assert [run.state for run in runs] == [RunState.FAILED, *[RunState.CANCELLED] * (len(runs) - 1)]
    assert installation.moodle.one("user", username="nora")


def locked(files: Mapping[str, str]) -> bytes:
    """Return a zip whose entries say that they are encrypted."""
    packed = bytearray(zipped(files).getvalue())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := packed.find(mark, at + 1)) >= 0:
            packed[at + place] |= 1
    return bytes(packed)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"PK\x05\x06" + bytes(18), "bundle_empty"),
        (zipped({"__MACOSX/._a.csv": "x", "folder/": ""}).getvalue(), "bundle_empty"),
        (zipped(NEW_TERM).getvalue()[:-40], "bundle_broken"),
        (locked(NEW_TERM), "bundle_encrypted"),
        (zipped({"in.zip": zipped(NEW_TERM).getvalue()}).getvalue(), "bundle_nested"),
        (zipped({"faces.zip": zipped({"nora.jpg": "x"}).getvalue(), **NEW_TERM}).getvalue(), "bundle_nested"),
        (zipped({"nora.jpg": "x", **NEW_TERM}).getvalue(), "bundle_mixed"),
        (zipped({**NEW_TERM, "letter.csv": "Dear Nora\n"}).getvalue(), "bundle_unrecognised"),
        (zipped({f"cohorts{n}.csv": NEW_TERM["cohorts.csv"] for n in range(51)}).getvalue(), "bundle_too_many"),
        (zipped({f"{n}/": "" for n in range(1100)}).getvalue(), "bundle_directory"),
        (zipped({"cohorts.csv": "cname\n" + "x" * 3_000_000}).getvalue(), "bundle_too_large"),
    ],
)
def test_what_is_no_bundle_is_refused_and_nothing_is_kept(
    installation: Installation, settings: Settings, content: bytes, code: str
) -> None:
    settings.TOOLSYNC_MAX_UPLOAD_MB = 2
    with (
        pytest.raises(CommandFileError, match=code),
        opened_bundle([HandedFile("in.zip", io.BytesIO(content))]) as files,
    ):
        queue_bundle(site=installation.site, name="in.zip", files=files)
    assert not CommandFile.objects.exists()
    assert not Bundle.objects.exists()


def test_at_a_shell_a_workbook_is_read_to_tell_its_type() -> None:
    workbook = zipped({"[Content_Types].xml": "x", "xl/workbook.xml": "x" * 5_000})
    with pytest.raises(CommandFileError, match="bundle_unrecognised"), opened_bundle([HandedFile("a.xlsx", workbook)]):
        pytest.fail("it was opened")


def test_several_files_and_a_zip_of_pictures_are_one_bundle_in_order_of_type_and_name() -> None:
    faces = zipped({"nora.jpg": "x", "_reasons.csv": "x"})
    files = handed({"b_cohorts.csv": NEW_TERM["cohorts.csv"], "a_cohorts.csv": NEW_TERM["cohorts.csv"]})
    with opened_bundle(
        [HandedFile("faces.zip", faces), *files, *handed({"userimport.csv": NEW_TERM["userimport.csv"]})]
    ) as found:
        types = [(file.name, file.processor) for file in found]

    assert types == [
        ("userimport.csv", "users"),
        ("faces.zip", "userpictures"),
        ("a_cohorts.csv", "cohorts"),
        ("b_cohorts.csv", "cohorts"),
    ]


def test_names_in_a_zip_are_data(installation: Installation) -> None:
    files = {"../../etc/cohorts.csv": NEW_TERM["cohorts.csv"], "C:\\evil\\groups.csv": NEW_TERM["groups.csv"]}
    bundle = ask_for(installation.site, files)
    assert [run.file_name for run in runs_of(bundle)] == ["cohorts.csv", "groups.csv"]
    assert all(path.startswith("/uploads/") for path in installation.area())


def test_a_file_type_that_somebody_may_not_run_is_refused_by_name(
    installation: Installation, person: Callable[..., User]
) -> None:
    user = person("ann", *(f"run_{key}" for key in REGISTRY if key != "groups"))
    with pytest.raises(CommandFileError, match=r"bundle_without_right.*groups\.csv"):
        ask_for(installation.site, NEW_TERM, user=user)
    assert not CommandFile.objects.exists()
