"""Rejected rows as JSON, and mended rows sent back as a run that is linked to theirs; and the undo of one line."""

from __future__ import annotations

import pytest

from sync.commandfiles import storage
from sync.models import SyncRun
from sync.runs.services import execute_run
from tests.api.conftest import MakeProgram, Program, problem_of
from tests.installation import Installation
from tests.web.conftest import MakeRun

FILE = """username;firstname;lastname;email;password
bob;Bob;King;bob@x.org;Secret-1
eve;Eve;Fox;no;Secret-2
zoe;Zoe;Ray;bad;Secret-3
"""


@pytest.fixture
def run(installation: Installation) -> SyncRun:
    return installation.carry_out("/in.csv", FILE)


def test_rejected_rows_are_read_page_by_page_without_their_passwords(rooted: Program, run: SyncRun) -> None:
    told = rooted.get(f"runs/{run.pk}/rejected?limit=1").json()
    assert told["columns"] == ["username", "firstname", "lastname", "email", "password"]
    (row,) = told["rows"]
    assert (row["line"], row["code"], row["column"]) == (3, "value_not_email", "email")
    assert row["cells"][:4] == ["eve", "Eve", "Fox", "no"]
    assert (told["total"], told["next_line"]) == (2, 4)
    assert b"Secret" not in rooted.get(f"runs/{run.pk}/rejected").content
    last = rooted.get(f"runs/{run.pk}/rejected?from_line=4").json()
    assert ([found["line"] for found in last["rows"]], last["next_line"]) == ([4], None)


def test_the_stars_of_a_password_that_are_sent_back_leave_it_as_it_is(
    rooted: Program, run: SyncRun, installation: Installation
) -> None:
    told = rooted.get(f"runs/{run.pk}/rejected?limit=1").json()
    cells = dict(zip(told["columns"], told["rows"][0]["cells"], strict=True))
    assert "•" in cells["password"]
    sent = rooted.post(f"runs/{run.pk}/mend", {"rows": [{"line": 3, "cells": {**cells, "email": "eve@x.org"}}]})
    plan = SyncRun.objects.get(pk=sent.json()["id"])
    assert plan.command_file is not None
    with storage.opened(plan.input_key) as file:
        text = file.read().decode()
    assert "•" not in text
    assert "Secret" in text


def test_mended_rows_become_a_plan_that_is_linked_and_applied(
    rooted: Program, run: SyncRun, installation: Installation
) -> None:
    sent = rooted.post(f"runs/{run.pk}/mend", {"rows": [{"line": 3, "cells": {"Email": "eve@x.org"}}]})
    assert sent.status_code == 202, sent.content
    plan = sent.json()
    assert (plan["kind"], plan["mends"], plan["origin"]) == ("plan", run.pk, "api")
    execute_run(plan["id"])
    assert rooted.get(sent["Location"]).json()["counts"] == {"created": 1}
    applied = rooted.post(f"plans/{plan['id']}/apply").json()
    execute_run(applied["id"])
    assert SyncRun.objects.get(pk=applied["id"]).mends_id == run.pk
    assert installation.moodle.one("user", username="eve")["email"] == "eve@x.org"
    # The row that wasn't named was left out.
    assert not installation.moodle.rows("user", username="zoe")


@pytest.mark.parametrize(
    ("rows", "status", "code"),
    [
        ([{"line": 2}], 422, "mend_line_unknown"),
        ([{"line": 3}, {"line": 3}], 422, "mend_line_twice"),
        ([{"line": 3, "cells": {"shoesize": "43"}}], 422, "mend_column_unknown"),
        ([{"line": 3, "cells": {"email": "a\0b"}}], 400, "body_invalid"),
        ([{"line": 3, "cells": {"email": ["x"]}}], 400, "body_invalid"),
        ([{"line": 3, "more": 1}], 400, "body_invalid"),
        ([], 400, "body_invalid"),
        ([{"line": 10**30}], 400, "body_invalid"),
    ],
)
def test_what_is_no_mended_row_leaves_nothing_behind(
    rows: list[object], status: int, code: str, rooted: Program, run: SyncRun
) -> None:
    problem_of(rooted.post(f"runs/{run.pk}/mend", {"rows": rows}), status, code)
    assert SyncRun.objects.count() == 1


def test_runs_without_failed_rows_have_none_to_mend(rooted: Program, installation: Installation) -> None:
    run = installation.carry_out("/good.csv", "username;firstname;lastname;email\namy;Amy;Ash;amy@x.org\n")
    problem_of(rooted.get(f"runs/{run.pk}/rejected"), 409, "run_not_mendable")
    problem_of(rooted.post(f"runs/{run.pk}/mend", {"rows": [{"line": 2}]}), 409, "run_not_mendable")


def test_rows_are_for_those_who_may_run_the_file_type(program: MakeProgram, make_run: MakeRun) -> None:
    run = make_run()
    for asking in (program("viewer"), program("operator", file_types=("courses",))):
        problem_of(asking.get(f"runs/{run.pk}/rejected"), 404, "not_found")
        problem_of(asking.post(f"runs/{run.pk}/mend", {"rows": [{"line": 2}]}), 404, "not_found")
    problem_of(program("operator", "read").post(f"runs/{run.pk}/mend", {"rows": [{"line": 2}]}), 403, "scope_missing")


def test_one_line_is_undone(rooted: Program, installation: Installation) -> None:
    run = installation.carry_out(
        "/two.csv", "username;firstname;lastname;email\namy;Amy;Ash;amy@x.org\nben;Ben;Bow;ben@x.org\n"
    )
    problem_of(rooted.post(f"runs/{run.pk}/undo", {"line": 9}), 409, "undo_line_of_nothing")
    problem_of(rooted.post(f"runs/{run.pk}/undo", {"line": 0}), 400, "body_invalid")
    planned = rooted.post(f"runs/{run.pk}/undo", {"line": 2}).json()
    assert (planned["kind"], planned["undoes"], planned["undoes_line"]) == ("plan", run.pk, 2)
    execute_run(planned["id"])
    begun = rooted.post(f"runs/{run.pk}/undo", {"line": 2, "plan": False}).json()
    undo = execute_run(begun["id"])
    if undo.waits_for_person:
        assert rooted.post(f"runs/{undo.pk}/decide", {"decision": "approve"}).status_code == 202
        execute_run(undo.pk)
    assert [user["deleted"] for user in installation.moodle.rows("user", username="amy")] in ([], [1])
    assert installation.moodle.one("user", username="ben")["deleted"] == 0
    problem_of(rooted.post(f"runs/{run.pk}/undo", {"line": 2, "plan": False}), 409, "undo_line_done")
