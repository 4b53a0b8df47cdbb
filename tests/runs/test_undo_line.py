"""One line of a run is undone: all that it did, and nothing else; what can't be told apart is refused."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest

from sync.commandfiles import storage
from sync.errors import UndoRefused
from sync.models import RunState, SyncRun
from sync.moodle.db.journal import read_images, write_images
from sync.runs import decisions, services
from sync.runs.rights import OPERATOR
from sync.runs.undo import can_undo, undo_run
from tests.installation import Installation
from tests.runs.undo_checks import check_same

USERS = (
    "username;firstname;lastname;email;city;course1;role1\n"
    "new1;New;One;new1@x.org;Oslo;C1;student\n"
    "new2;New;Two;new2@x.org;Bergen;C1;student\n"
    "ann;Ann;Changed;ann@x.org;Oslo;;\n"
)
OPTIONS: dict[str, Any] = {"primaryidentity": "username", "courseidentifier": "shortname", "protectemails": 0}


def undo_line(run: SyncRun, line: int, **given: object) -> SyncRun:
    return services.execute_run(undo_run(run, line, **given).pk)  # type: ignore[arg-type]


def refusal(run: SyncRun, line: int) -> str:
    with pytest.raises(UndoRefused) as error:
        undo_run(run, line)
    return error.value.code


def names(installation: Installation) -> set[str]:
    return {row["username"] for row in installation.moodle.rows("user", deleted=0)}


def test_a_new_user_goes_with_everything_that_the_line_made_and_the_others_stay(installation: Installation) -> None:
    moodle = installation.moodle
    before = moodle.snapshot()
    run = installation.carry_out("/in.csv", USERS, **OPTIONS)
    assert run.state == RunState.COMPLETED
    done = moodle.snapshot()

    undo = undo_line(run, 3)
    assert (undo.state, undo.undoes_line, undo.file_name) == (RunState.COMPLETED, 3, f"undo-of-run-{run.pk}-line-3.csv")
    assert names(installation) >= {"new1", "ann"}
    assert "new2" not in names(installation)
    assert moodle.one("user", username="ann")["lastname"] == "Changed"
    assert refusal(run, 3) == "undo_line_done"
    assert can_undo(run), "the rest of it"
    # What was undone is undone again: as after the run.
    services.execute_run(undo_run(undo).pk)
    check_same(done, moodle.snapshot())

    for line in (2, 3, 4):
        assert undo_line(run, line).state == RunState.COMPLETED
    check_same(before, moodle.snapshot())


def test_the_rest_of_a_run_is_undone_after_one_line(installation: Installation) -> None:
    moodle = installation.moodle
    before = moodle.snapshot()
    run = installation.carry_out("/in.csv", USERS, **OPTIONS)
    undo_line(run, 4)
    services.execute_run(undo_run(run).pk)
    check_same(before, moodle.snapshot())
    assert refusal(run, 2) == "undo_done"


def test_an_undo_of_a_line_is_simulated_first_and_applied_as_it_was_shown(installation: Installation) -> None:
    run = installation.carry_out("/in.csv", USERS, **OPTIONS)
    shown = undo_line(run, 2, simulate=True)
    assert "new1" in names(installation)
    applied = services.execute_run(decisions.apply_plan(shown, OPERATOR).pk)
    assert (applied.undoes_line, applied.counts) == (2, shown.counts)
    assert "new1" not in names(installation)
    assert "new2" in names(installation)


@pytest.mark.parametrize(
    ("key", "first", "content"),
    [
        ("users_delete", USERS, "username\nnew1\nnew2\n"),
        ("users_suspend", USERS, "username;suspended\nnew1;1\nnew2;1\n"),
        ("enrolments", USERS, "cmd;rolename;uid;cid\ndel;student;new1;C1\ndel;student;new2;C1\n"),
        ("cohorts", USERS, "cidnumber;cname;userid\nNEWCOHORT;New cohort;new1\nNEWCOHORT;New cohort;new2\n"),
    ],
)
def test_each_line_alone_brings_back_its_own_rows(
    installation: Installation, key: str, first: str, content: str
) -> None:
    moodle = installation.moodle
    installation.carry_out("/first.csv", first, **OPTIONS)
    before = moodle.snapshot()
    run = installation.carry_out("/in.csv", content, processor=key)
    assert run.rows_done == 2, (run.error_code, run.error_params)
    for line in (3, 2):
        assert undo_line(run, line).state == RunState.COMPLETED
    check_same(before, moodle.snapshot())


def test_what_a_later_line_changed_stays(installation: Installation) -> None:
    moodle = installation.moodle
    run = installation.carry_out("/in.csv", USERS, **OPTIONS)
    installation.carry_out("/enrol.csv", "cmd;rolename;uid;cid\nadd;student;new1;C2\n", processor="enrolments")
    undo_line(run, 2)
    assert "new1" in names(installation), "somebody uses it since"
    assert moodle.one("user", username="new2")["deleted"] == 0


def test_courses_that_came_together_are_refused_and_one_alone_is_undone(installation: Installation) -> None:
    moodle = installation.moodle
    two = installation.carry_out("/two.csv", "shortname;fullname;category\nN1;One;1\nN2;Two;1\n", processor="courses")
    assert refusal(two, 2) in ("undo_line_unknown", "undo_line_tied")
    before = moodle.snapshot()
    one = installation.carry_out("/one.csv", "shortname;fullname;category\nN3;Three;1\n", processor="courses")
    assert undo_line(one, 2).state == RunState.COMPLETED
    check_same(before, moodle.snapshot())


def test_lines_that_changed_nothing_or_are_not_there_are_refused(installation: Installation) -> None:
    run = installation.carry_out("/in.csv", USERS + "bad;B;B;no-address;;;\n" + "new3;N;T;new3@x.org;;;\n", **OPTIONS)
    assert run.state == RunState.COMPLETED_WITH_REJECTIONS
    assert [refusal(run, line) for line in (5, 99)] == ["undo_line_of_nothing"] * 2
    simulated = installation.carry_out("/in.csv", USERS, simulate=True, **OPTIONS)
    assert refusal(simulated, 2) == "undo_of_simulation"


def test_a_journal_of_before_lines_were_noted_is_undone_as_a_whole_only(installation: Installation) -> None:
    run = installation.carry_out("/in.csv", USERS, **OPTIONS)
    rewrite(run, lambda images: [image._replace(lines=()) for image in images])
    assert refusal(run, 2) == "undo_line_unknown"
    assert services.execute_run(undo_run(run).pk).state == RunState.COMPLETED


def test_a_row_that_several_lines_changed_together_ties_them(installation: Installation) -> None:
    run = installation.carry_out("/in.csv", USERS, **OPTIONS)
    rewrite(run, lambda images: [image._replace(lines=(2, 3)) if image.lines == (2,) else image for image in images])
    assert refusal(run, 3) == "undo_line_tied"


def rewrite(run: SyncRun, change: Callable[[list[Any]], list[Any]]) -> None:
    """Change the journal of a run."""
    (chunk,) = run.chunks.exclude(journal_key="")
    with storage.opened(chunk.journal_key) as stream:
        images = change(list(read_images(stream)))
    out = io.BytesIO()
    write_images(out, images)
    out.seek(0)
    storage.save(chunk.journal_key, out)
