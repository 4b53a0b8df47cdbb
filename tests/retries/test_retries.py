"""Rows that are rejected only because something is missing are tried again by themselves."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone
from pytest_django import Settings

from sync import messages
from sync.commandfiles import storage
from sync.errors import TryRefused
from sync.mending.drafts import Draft
from sync.mending.rows import read_failed_rows
from sync.mending.services import plan_mended
from sync.models import Bundle, CommandFile, FreezeWindow, Retry, RetryRow, RunState, SyncRun
from sync.retries import services as retries
from sync.retries.selectors import retry_facts
from sync.runs import decisions, services
from sync.runs.deciders import authors_of
from sync.runs.lease import waiting_run_ids
from sync.runs.outcome_store import read_rows
from sync.runs.rights import OPERATOR
from sync.runs.undo import undo_run
from tests.installation import Installation
from tests.pictures import data_folder, picture, zip_of
from tests.reader.test_workbook import xlsx
from tests.runs.test_interruptions import Killed

SITES = pytest.mark.sites("sqlite:5.1", "mariadb:4.1", "postgresql:4.5", "real:m520-seeded")
HEADER = "cmd;cid;uid;rolename;enrol\n"
ZOE = "add;C1;zoe;student;manual\n"
TOM = "add;C1;tom;student;manual\n"
ANN = "add;C1;ann;student;manual\n"


def enrol(installation: Installation, *lines: str, path: str = "/e.csv", **more: Any) -> SyncRun:
    options = {"processor": "enrolments", "retryruns": 2, **more}
    return installation.carry_out(path, HEADER + "".join(lines), **options)


def add_user(installation: Installation, *names: str) -> SyncRun:
    text = "username;firstname;lastname\n" + "".join(f"{name};F;L\n" for name in names)
    return installation.carry_out("/u.csv", text, primaryidentity="username")


def tick() -> list[SyncRun]:
    """Do what beat does, and carry out what it has started; return these runs."""
    known = set(SyncRun.objects.values_list("pk", flat=True))
    retries.start_retries()
    new = SyncRun.objects.exclude(pk__in=known).order_by("pk").values_list("pk", flat=True)
    return [services.execute_run(pk) for pk in new]


def codes(run: SyncRun) -> list[str]:
    return [outcome.code for outcome in read_rows(run)]


def waiting() -> list[tuple[int, int]]:
    """Return run and line of every row that waits."""
    rows = RetryRow.objects.filter(retry__state="waiting", is_replaced=False).order_by("retry", "line")
    return list(rows.values_list("retry__run", "line"))


def file_of(run: SyncRun) -> bytes:
    with storage.opened(run.input_key) as file:
        return file.read()


def note_codes(run: SyncRun) -> list[str]:
    return [code for code, _params in run.notes]


def test_nothing_waits_unless_it_is_chosen(installation: Installation) -> None:
    run = enrol(installation, ZOE, retryruns=0)
    assert run.counts == {"rejected": 1}
    add_user(installation, "zoe")
    assert tick() == []
    assert not Retry.objects.exists()


def test_a_dry_run_keeps_nothing(installation: Installation) -> None:
    enrol(installation, ZOE, simulate=True)
    assert not Retry.objects.exists()


def test_a_row_is_tried_again_once_its_user_was_made(installation: Installation) -> None:
    first = enrol(installation, ANN, ZOE, "add;C1;zoe;nonsense;manual\n")
    assert waiting() == [(first.pk, 3), (first.pk, 4)] or waiting() == [(first.pk, 3)]
    assert ["rows_wait", {"count": len(waiting()), "tries": 2}] in first.notes
    assert "for another try" in installation.own_file(first, "report")
    assert tick() == []

    add_user(installation, "zoe")
    (again,) = tick()
    assert (again.origin, again.processor, again.counts.get("created")) == ("retry", "enrolments", 1)
    assert again.retry_of.run == first
    text = file_of(again).decode()
    assert text.startswith(
        "cmd;cid;uid;rolename;enrol;_line;_code;_reason\nadd;C1;zoe;student;manual;3;account_unknown;"
    )
    assert "ann" not in text
    assert again.options == first.options
    assert waiting() == []
    assert tick() == []


def test_a_try_goes_by_the_options_of_its_run_whatever_is_set_since(installation: Installation) -> None:
    first = enrol(installation, "add;C1;ann;student;manual\n", ";C1;zoe;student;manual\n")
    services.save_settings(site=installation.site, processor="enrolments", values={"defaultcmd": "del"})
    add_user(installation, "zoe")

    (again,) = tick()

    assert again.options == first.options
    assert again.counts == {"created": 1}


def test_a_try_of_which_most_rows_still_miss_something_is_not_held(
    installation: Installation, settings: Settings
) -> None:
    settings.TOOLSYNC_GUARD = True
    enrol(installation, *(f"add;C1;new{number};student;manual\n" for number in range(20)))
    add_user(installation, "new3")
    (again,) = tick()
    assert (again.state, again.counts) == (RunState.COMPLETED_WITH_REJECTIONS, {"created": 1, "rejected": 19})
    assert len(waiting()) == 19


def test_a_row_rejected_for_another_reason_never_waits(installation: Installation) -> None:
    enrol(installation, "add;C1;ann;nonsense;manual\n")
    assert not Retry.objects.exists()


def test_rows_are_given_up_after_their_tries_and_are_in_the_tryback(installation: Installation) -> None:
    enrol(installation, ZOE)
    runs = []
    for number in range(3):
        enrol(installation, ANN, path=f"/e{number}.csv")
        runs.append(tick())
    assert [len(started) for started in runs] == [1, 1, 0]
    (second,), (third,) = runs[:2]
    assert ["rows_wait", {"count": 1, "tries": 1}] in second.notes
    assert ["rows_given_up", {"count": 1, "tries": 2}] in third.notes
    assert "given up after 2 tries" in installation.own_file(third, "report")
    assert ZOE.strip() in installation.own_file(third, "tryback")
    add_user(installation, "zoe")
    assert tick() == []


def test_tries_after_something_was_made_don_t_count(installation: Installation) -> None:
    enrol(installation, ZOE, retryruns=1)
    for name in ("u1", "u2", "u3"):
        add_user(installation, name)
        (again,) = tick()
        assert ["rows_wait", {"count": 1, "tries": 1}] in again.notes
    enrol(installation, ANN, path="/e2.csv", retryruns=1)
    (last,) = tick()
    assert "rows_given_up" in note_codes(last)


def test_a_run_that_makes_other_things_brings_no_try(installation: Installation) -> None:
    enrol(installation, ZOE)
    text = "shortname;fullname;category\nNEW;New;A\n"
    assert installation.carry_out("/c.csv", text, processor="courses").counts == {"created": 1}
    text = "username;firstname;lastname\nann;Anne;Smith\n"
    assert installation.carry_out("/u2.csv", text, primaryidentity="username").counts == {"updated": 1}
    assert tick() == []
    assert len(waiting()) == 1


def test_a_row_that_a_later_file_brings_again_waits_once(installation: Installation) -> None:
    first = enrol(installation, ZOE, TOM)
    second = enrol(installation, " add ;C1; ZOE;student;manual\n", path="/e2.csv")
    assert waiting() == [(first.pk, 3), (second.pk, 2)]
    assert RetryRow.objects.get(is_replaced=True).replaced_by == second
    add_user(installation, "zoe", "tom")
    again = [*tick(), *tick()]
    assert [run.counts for run in again] == [{"created": 1}, {"created": 1}]
    assert [b"zoe" in file_of(run).lower() for run in again] == [False, True]
    assert file_of(again[0]).splitlines()[1].startswith(b"add;C1;tom;student;manual;3;account_unknown;")


def test_a_row_that_a_later_file_has_done_is_not_tried_again(installation: Installation) -> None:
    enrol(installation, ZOE)
    add_user(installation, "zoe")
    enrol(installation, ZOE, path="/e2.csv", retryruns=0)
    assert tick() == []
    assert Retry.objects.get().state == "replaced"


@pytest.mark.parametrize(
    "newer", ["del;C1;zoe;;manual\n", "shift;C1;zoe;teacher;manual\n", "disable;c1; ZOE ;;manual\n"]
)
def test_a_newer_row_about_the_same_user_and_course_drops_the_waiting_one(
    installation: Installation, newer: str
) -> None:
    enrol(installation, ZOE, TOM)
    add_user(installation, "zoe")
    second = enrol(installation, newer, path="/e2.csv", retryruns=0)
    assert RetryRow.objects.get(is_replaced=True).subject.startswith("zoe")
    assert ["waiting_rows_replaced", {"count": 1}] in second.notes
    (again,) = tick()
    assert b"zoe" not in file_of(again)


def test_a_newer_row_about_another_course_leaves_the_waiting_one(installation: Installation) -> None:
    first = enrol(installation, ZOE)
    enrol(installation, "del;C2;zoe;;manual\n", path="/e2.csv", retryruns=0)
    assert waiting() == [(first.pk, 2)]


def test_a_newer_row_about_a_member_drops_the_waiting_one(installation: Installation) -> None:
    options = {"processor": "cohorts", "useridentifier": "username", "cohortidentifier": "idnumber"}
    text = "cmd;cidnumber;cname;userid\nadd;Y1;Year;ann\nadd;Y1;Year;zoe\n"
    installation.carry_out("/c.csv", text, retryruns=2, **options)
    assert len(waiting()) == 1
    installation.carry_out("/c2.csv", "cmd;cidnumber;userid\ndel;y1;zoe\n", **options)
    assert waiting() == []


def test_nothing_is_tried_while_a_run_of_the_file_type_is_under_way(installation: Installation) -> None:
    enrol(installation, ZOE)
    add_user(installation, "zoe")
    queued = installation.queue("/e2.csv", HEADER + ANN, processor="enrolments")
    assert tick() == []
    services.execute_run(queued.pk)
    assert [run.counts for run in tick()] == [{"created": 1}]


def test_a_paused_run_that_was_forgotten_keeps_no_rows_waiting(installation: Installation) -> None:
    enrol(installation, ZOE)
    add_user(installation, "zoe")
    paused = installation.queue("/e2.csv", HEADER + ANN, processor="enrolments")
    services.pause_run(paused)
    bundle = Bundle.objects.create(site=installation.site, name="term.zip")
    SyncRun.objects.filter(pk=paused.pk).update(bundle=bundle)
    behind = installation.queue("/e3.csv", HEADER + TOM, processor="enrolments")
    SyncRun.objects.filter(pk=behind.pk).update(bundle=bundle, state=RunState.PENDING)
    assert tick() == []
    SyncRun.objects.filter(pk=paused.pk).update(created_at=timezone.now() - timedelta(hours=25))
    assert [run.counts for run in tick()] == [{"created": 1}]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (("\ufeff" + HEADER + ZOE.replace("zoe", "zoé") + TOM).encode("utf-8"), "e.csv"),
        ((HEADER + ZOE.replace("zoe", "zoé") + TOM).replace("\n", "\r\n").encode("utf-16"), "e.csv"),
        ((HEADER + ZOE.replace("zoe", "zoé") + TOM).encode("latin-1"), "e.csv"),
        ((HEADER + 'add;C1;"zoé";student;"man""ual"\n' + TOM).encode(), "e.csv"),
    ],
)
def test_rows_are_tried_as_they_came_whatever_the_encoding(installation: Installation, text: bytes, name: str) -> None:
    first = installation.carry_out(f"/{name}", text, processor="enrolments", retryruns=2)
    assert len(waiting()) == 2
    installation.carry_out("/e2.csv", HEADER + "add;C1;zoé;student;manual\n", processor="enrolments")
    installation.site.refresh_from_db()
    (again,) = tick()
    assert [outcome.params["value"] for outcome in read_rows(again)] == ["tom"]
    assert (again.dialect["encoding"], again.dialect["separator"]) == (
        first.dialect["encoding"], first.dialect["separator"],
    )  # fmt: skip


def test_lines_of_a_list_are_tried_again(installation: Installation) -> None:
    installation.carry_out("/d.txt", "NEW1\nC2\nNEW2\n", processor="courses_delete", retryruns=1)
    installation.carry_out("/d2.txt", "NEW2\n", processor="courses_delete", retryruns=0)
    text = "shortname;fullname;category\nNEW1;New;A\n"
    installation.carry_out("/c.csv", text, processor="courses")
    (again,) = tick()
    assert again.counts == {"deleted": 1}


def test_pictures_are_tried_again_once_their_people_are_there(
    installation: Installation, settings: Settings, tmp_path: Path
) -> None:
    settings.TOOLSYNC_MOODLE_DATAROOT = str(data_folder(tmp_path / "moodledata"))
    both = zip_of({"new/zoe.png": picture(), "tom.png": picture(), "kim.png": picture()})
    installation.carry_out("/userpictures_a.zip", both, processor="userpictures", retryruns=2)
    installation.carry_out("/userpictures_b.zip", zip_of({"TOM.png": picture()}), processor="userpictures")
    assert len(waiting()) == 2
    add_user(installation, "zoe", "tom")
    (again,) = tick()
    assert sorted((outcome.subject, outcome.code) for outcome in read_rows(again)) == [
        ("kim.png", "picture_owner_unknown"), ("new/zoe.png", "picture_set"),
    ]  # fmt: skip


def test_a_workbook_is_tried_again_as_csv(installation: Installation) -> None:
    book = xlsx([["cmd", "cid", "uid", "rolename", "enrol"], *(line.strip().split(";") for line in (ANN, ZOE, TOM))])
    run = installation.carry_out("/e.xlsx", book, processor="enrolments", retryruns=1)
    assert run.counts == {"created": 1, "rejected": 2}
    add_user(installation, "tom", "zoe")
    (again,) = tick()
    assert (again.counts, again.file_name.endswith(".csv")) == ({"created": 2}, True)


def test_the_rights_of_the_owner_are_asked_again(installation: Installation) -> None:
    person = User.objects.create_user("clerk")
    person.user_permissions.set(Permission.objects.filter(codename="run_enrolments"))
    enrol(installation, ZOE, user=person)
    person.user_permissions.clear()
    add_user(installation, "zoe")
    (again,) = tick()
    assert (again.owner, again.requested_by) == (person, None)
    assert (again.state, again.error_code) == ("errored", "run_owner_without_right")


def test_a_freeze_window_holds_the_try(installation: Installation) -> None:
    enrol(installation, ZOE)
    add_user(installation, "zoe")
    now = timezone.now()
    FreezeWindow.objects.create(site=installation.site, starts_at=now, ends_at=now + timedelta(hours=1), reason="exams")
    retries.start_retries()
    assert SyncRun.objects.filter(origin="retry", state=RunState.QUEUED).count() == 1
    assert waiting_run_ids() == []


def test_rows_that_are_gone_from_the_storage_are_said_to_be(installation: Installation) -> None:
    first = enrol(installation, ZOE)
    storage.delete(Retry.objects.get().storage_key)
    add_user(installation, "zoe")
    assert tick() == []
    first.refresh_from_db()
    assert ["rows_lost", {"count": 1}] in first.notes
    assert Retry.objects.get().state == "lost"


@pytest.mark.parametrize("place", ["sync.runs.finalize.write_report", "sync.runs.execution.release_lease"])
def test_rows_wait_once_though_the_worker_died(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Right after they were kept, or when the file is cleaned up already."""
    run = installation.queue("/e.csv", HEADER + ZOE + TOM, processor="enrolments", retryruns=2, filecleanup=1)

    def die(*_arguments: Any, **_more: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(place, die)
        with pytest.raises(Killed):
            services.execute_run(run.pk)
    SyncRun.objects.filter(pk=run.pk).update(heartbeat_at=None)
    assert len(waiting()) == 2
    ended = services.execute_run(run.pk)
    assert waiting() == [(run.pk, 2), (run.pk, 3)]
    assert note_codes(ended).count("rows_wait") == 1
    add_user(installation, "zoe", "tom")
    assert [again.counts for again in tick()] == [{"created": 2}]


def test_rows_of_a_run_that_was_undone_are_not_tried_again(installation: Installation) -> None:
    run = enrol(installation, ANN, ZOE)
    services.execute_run(undo_run(run).pk)
    add_user(installation, "zoe")
    assert tick() == []
    assert Retry.objects.get().state == "undone"


def frozen_try(installation: Installation) -> tuple[SyncRun, SyncRun]:
    """Return a run with a row that waits, and its try, which is queued until a freeze window ends."""
    run = enrol(installation, ANN, ZOE)
    add_user(installation, "zoe")
    now = timezone.now()
    FreezeWindow.objects.create(site=installation.site, starts_at=now, ends_at=now + timedelta(hours=1), reason="exams")
    retries.start_retries()
    again = Retry.objects.get().retry_run
    assert again is not None
    return run, again


def test_a_try_of_a_run_that_was_undone_does_not_begin(installation: Installation) -> None:
    run, again = frozen_try(installation)
    services.execute_run(undo_run(run).pk)
    FreezeWindow.objects.all().delete()

    ended = services.execute_run(again.pk)

    assert (ended.state, ended.error_code, ended.error_params) == (
        RunState.CANCELLED, "retry_of_undone", {"run": run.pk},
    )  # fmt: skip


def test_a_try_of_a_run_that_was_undone_is_cancelled_and_says_so(installation: Installation) -> None:
    run, again = frozen_try(installation)
    services.execute_run(undo_run(run).pk)

    assert tick() == []

    again.refresh_from_db()
    assert (again.state, again.error_code) == (RunState.CANCELLED, "retry_of_undone")
    facts = retry_facts(run)
    assert facts is not None
    assert (facts.is_undone, facts.is_broken_off) == (True, False)


def test_a_held_try_of_a_run_that_was_undone_is_not_approved(installation: Installation, settings: Settings) -> None:
    first, again = held_try(installation, settings, "NEW1\n")
    undo = installation.queue("/undo.txt", "NEW1\n", processor="courses_delete")
    SyncRun.objects.filter(pk=undo.pk).update(undoes=first, state=RunState.COMPLETED, last_line=2)

    with pytest.raises(TryRefused, match="retry_of_undone"):
        decisions.approve_run(again, OPERATOR)


def test_rows_that_a_try_has_left_don_t_wait_once_the_first_run_was_undone(installation: Installation) -> None:
    run = enrol(installation, ANN, ZOE)
    add_user(installation, "tom")
    (again,) = tick()
    assert waiting() == [(again.pk, 2)]
    services.execute_run(undo_run(run).pk)
    add_user(installation, "zoe")

    assert tick() == []
    assert Retry.objects.get(run=again).state == "undone"


def apply_mended(run: SyncRun, draft: Draft, origin: str = SyncRun.Origin.PERSON) -> SyncRun:
    """Have failed rows of a run mended, checked and applied; their run is asked for."""
    check, _lines = plan_mended(run, None, draft, read_failed_rows(run), origin=origin)
    return decisions.apply_plan(services.execute_run(check.pk), OPERATOR)


def test_rows_that_somebody_has_mended_or_left_out_are_not_tried_as_they_were(installation: Installation) -> None:
    run = enrol(installation, ZOE, TOM)

    applied = apply_mended(run, Draft({2: {2: "ann"}}, {3}))

    assert waiting() == []
    facts = retry_facts(run)
    assert facts is not None
    assert (facts.mended, facts.replaced) == (2, 0)
    applied = services.execute_run(applied.pk)
    assert applied.counts == {"created": 1}
    assert ["waiting_rows_mended", {"count": 2, "run": run.pk}] in applied.notes
    assert "waiting_rows_replaced" not in note_codes(applied)
    add_user(installation, "zoe", "tom")
    assert tick() == []


def test_a_mended_row_that_still_misses_something_waits_as_it_is_now(installation: Installation) -> None:
    run = enrol(installation, ZOE)
    applied = services.execute_run(apply_mended(run, Draft({2: {2: "kim"}}, set())).pk)
    assert [number for number, _line in waiting()] == [applied.pk]
    add_user(installation, "zoe", "kim")
    (again,) = tick()
    assert (again.counts, b"kim" in file_of(again)) == ({"created": 1}, True)


def test_rows_that_a_program_does_not_name_wait_on(installation: Installation) -> None:
    run = enrol(installation, ZOE, TOM)
    apply_mended(run, Draft({2: {2: "ann"}}, {3}), SyncRun.Origin.API)
    assert waiting() == [(run.pk, 3)]


def test_a_try_of_mended_rows_is_taken_back_and_the_others_wait_on(installation: Installation) -> None:
    run = enrol(installation, ZOE, TOM)
    add_user(installation, "zoe", "tom")
    retries.start_retries()
    again = Retry.objects.get().retry_run
    assert again is not None

    applied = apply_mended(run, Draft({2: {2: "ann"}}, {3}), SyncRun.Origin.API)

    again.refresh_from_db()
    assert (again.state, waiting()) == (RunState.CANCELLED, [(run.pk, 3)])
    services.execute_run(applied.pk)
    (last,) = tick()
    assert (last.counts, b"zoe" in file_of(last)) == ({"created": 1}, False)


def test_rows_that_a_try_has_left_are_dropped_once_the_first_ones_are_mended(installation: Installation) -> None:
    run = enrol(installation, ZOE, TOM)
    add_user(installation, "kim")
    (again,) = tick()
    assert len(waiting()) == 2
    apply_mended(run, Draft({2: {2: "ann"}}, {3}), SyncRun.Origin.API)
    assert waiting() == [(again.pk, 3)]


@pytest.mark.parametrize("origin", [SyncRun.Origin.PERSON, SyncRun.Origin.API])
def test_rows_that_were_mended_while_their_run_was_held_are_not_tried_as_they_were(
    installation: Installation, settings: Settings, origin: SyncRun.Origin
) -> None:
    settings.TOOLSYNC_GUARD = True
    add_user(installation, *(f"kim{number}" for number in range(60)))
    lines = [f"{{}};C1;kim{number};student;manual\n" for number in range(60)]
    enrol(installation, *(line.format("add") for line in lines))
    run = enrol(installation, *(line.format("del") for line in lines), ZOE, TOM)
    assert run.state == RunState.HELD

    applied = services.execute_run(apply_mended(run, Draft({62: {2: "ann"}}, {63}), origin).pk)
    decisions.approve_run(run, OPERATOR, typed="120")
    run = services.execute_run(run.pk)

    assert (applied.counts, run.counts["rejected"]) == ({"created": 1}, 2)
    assert waiting() == ([] if origin == SyncRun.Origin.PERSON else [(run.pk, 63)])
    facts = retry_facts(run)
    assert facts is not None
    assert (facts.mended, facts.replaced) == ((2, 0) if origin == SyncRun.Origin.PERSON else (1, 0))
    assert ("rows_wait" in note_codes(run)) is (origin == SyncRun.Origin.API)
    settings.TOOLSYNC_GUARD = False
    add_user(installation, "zoe", "tom")
    assert [again.counts for again in tick()] == ([] if origin == SyncRun.Origin.PERSON else [{"created": 1}])


def test_two_ticks_start_one_try(installation: Installation) -> None:
    enrol(installation, ZOE)
    add_user(installation, "zoe")
    stale = list(Retry.objects.all())
    retries.start_retries()
    for retry in stale:
        retries._start(retry, counts=True)
    assert SyncRun.objects.filter(origin="retry").count() == 1


def held_try(installation: Installation, settings: Settings, *lines: str) -> tuple[SyncRun, SyncRun]:
    """Return a run with rows that wait, and their try, which is held: it deletes a large part of the courses."""
    settings.TOOLSYNC_GUARD = True
    first = installation.carry_out("/d.txt", "".join(lines), processor="courses_delete", retryruns=2)
    text = "shortname;fullname;category\n" + "".join(f"{line.strip()};New;A\n" for line in lines)
    installation.carry_out("/c.csv", text, processor="courses")
    (again,) = tick()
    assert again.state == RunState.HELD
    return first, again


def expire(run: SyncRun) -> None:
    SyncRun.objects.filter(pk=run.pk).update(held_at=timezone.now() - timedelta(days=30))
    assert decisions.expire_runs() == 1


def test_rows_of_a_try_on_which_nobody_decides_wait_again(installation: Installation, settings: Settings) -> None:
    first, again = held_try(installation, settings, "NEW1\n", "NEW2\n")
    expire(again)
    assert (waiting(), Retry.objects.get().tries) == ([(first.pk, 1), (first.pk, 2)], 0)
    assert tick() == []

    settings.TOOLSYNC_GUARD = False
    installation.carry_out("/d2.txt", "NEW2\n", processor="courses_delete")
    (last,) = tick()

    assert (last.counts, file_of(last).splitlines()[0][:4]) == ({"deleted": 1}, b"NEW1")
    assert not storage.exists(Retry.objects.get(run=first).storage_key)


@pytest.mark.parametrize("counts", [False, True])
def test_a_try_that_expires_gives_back_only_what_it_took(
    installation: Installation, settings: Settings, counts: bool
) -> None:
    settings.TOOLSYNC_GUARD = True
    installation.carry_out("/d.txt", "NEW1\nNEW2\n", processor="courses_delete", retryruns=3)
    Retry.objects.update(tries=1)
    text = "shortname;fullname;category\nNEW1;New;A\nNEW2;New;A\n"
    installation.carry_out("/c.csv", text, processor="courses")
    if counts:
        installation.carry_out("/d2.txt", "NEW3\n", processor="courses_delete")
    (again,) = tick()
    assert (again.state, Retry.objects.get().tries) == (RunState.HELD, 1 + int(counts))

    expire(again)

    assert Retry.objects.get().tries == 1


def test_rows_that_a_file_brings_again_while_their_try_is_held_don_t_wait_again(
    installation: Installation, settings: Settings
) -> None:
    first, again = held_try(installation, settings, "NEW1\n", "NEW2\n")
    settings.TOOLSYNC_GUARD = False
    newer = installation.carry_out("/d2.txt", "NEW2\n", processor="courses_delete")
    expire(again)
    assert "waiting_rows_replaced" not in note_codes(newer)
    assert waiting() == [(first.pk, 1)]


def test_rows_of_a_try_that_somebody_declines_are_said_to_be_in_the_tryback(
    installation: Installation, settings: Settings
) -> None:
    first, again = held_try(installation, settings, "NEW1\n")
    decisions.decline_run(again, OPERATOR)
    assert tick() == []
    facts = retry_facts(first)
    assert facts is not None
    assert (facts.is_broken_off, facts.waiting) == (True, 1)
    assert "NEW1" in installation.own_file(first, "tryback")


def test_every_code_of_something_missing_has_a_text() -> None:
    assert messages.texts().missing_tables["account_unknown"] == "user"
    assert messages.texts().missing_tables.keys() <= messages.texts().by_code.keys()


@SITES
def test_retries_on_every_server(installation_everywhere: Installation) -> None:
    installation = installation_everywhere
    first = enrol(installation, ZOE, TOM)
    assert len(waiting()) == 2
    enrol(installation, TOM, path="/e2.csv", retryruns=0)
    add_user(installation, "zoe")
    (again,) = tick()
    assert (again.counts, again.retry_of.run) == ({"created": 1}, first)
    assert waiting() == []


def test_whoever_handed_in_the_rows_is_no_second_person_for_their_retry(installation: Installation) -> None:
    author = User.objects.create_user("eve")
    run = enrol(installation, ZOE, path="/e.csv")
    assert run.command_file is not None
    CommandFile.objects.filter(pk=run.command_file.pk).update(uploaded_by=author)
    add_user(installation, "zoe")

    (again,) = tick()

    assert author in authors_of(again)


def test_whoever_asked_for_a_run_or_mended_its_rows_is_no_second_person_for_its_retries(
    installation: Installation,
) -> None:
    asking, author = User.objects.create_user("bob"), User.objects.create_user("eve")
    first = enrol(installation, ANN, path="/first.csv")
    SyncRun.objects.filter(pk=first.pk).update(requested_by=author)
    run = enrol(installation, ZOE, path="/e.csv")
    SyncRun.objects.filter(pk=run.pk).update(requested_by=asking, owner=None, mends=first)
    add_user(installation, "tom")
    (_again,) = tick()
    add_user(installation, "zoe")

    (again,) = tick()

    assert {asking, author} <= authors_of(again)
