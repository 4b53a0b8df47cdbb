"""Plans, runs and rows by the API, what became of them, and who may do what with them."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sync.models import CommandFile, GuardLimits, SyncRun
from sync.people.tokens import make_token
from sync.runs.services import execute_run
from tests.api.conftest import EVERYTHING, MakeProgram, Program, problem_of
from tests.installation import Installation
from tests.installation_fixture import installation
from tests.web.conftest import OUTCOMES, MakeFile, MakeRun, keep_run_file

__all__ = ["installation"]

ROW = {"cid": "ALG1", "uid": "ann", "rolename": "student"}


def test_a_plan_is_asked_for_and_followed(root: Program, make_file: MakeFile) -> None:
    answer = root.post("plans", {"file": make_file().pk, "options": {"allowrename": 1}})
    assert answer.status_code == 202
    told = root.get(answer["Location"]).json()
    assert (told["kind"], told["state"], told["file_type"]) == ("plan", "queued", "users")
    assert told["options"]["allowrename"] is True
    assert told["requested_by"] == root.person.username
    assert root.get("plans").json()["results"][0]["id"] == told["id"]
    assert root.get("runs?kind=run").json()["results"] == []


def test_a_newer_file_that_was_carried_out_since_is_said_of_a_plan(root: Program, make_run: MakeRun) -> None:
    plan = make_run(simulate=True, carried_out=True)
    assert root.get(f"runs/{plan.pk}").json()["warnings"] == []
    last = make_run()
    SyncRun.objects.filter(pk=last.pk).update(file_sha256="other")
    (warning,) = root.get(f"runs/{plan.pk}").json()["warnings"]
    assert warning["code"] == "newer_file_done"
    assert f"Run {last.pk} has carried out a newer file" in warning["text"]


def test_outcomes_are_narrowed_and_paged(root: Program, make_run: MakeRun) -> None:
    run = make_run()
    address = f"runs/{run.pk}/outcomes"
    first = root.get(f"{address}?limit=3").json()
    assert [outcome["line"] for outcome in first["results"]] == [2, 3, 4]
    assert first["total"] == len(OUTCOMES)
    assert first["results"][1]["changes"] == [{"field": "department", "old": "Old <b>house</b>", "new": "New house"}]
    last = root.get(first["next"]).json()
    assert [outcome["line"] for outcome in last["results"]] == [5]
    assert last["next"] is None
    rejected = root.get(f"{address}?action=rejected&column=email", Accept_Language="fr").json()["results"]
    assert [outcome["code"] for outcome in rejected] == ["email_taken"]
    assert root.get(f"{address}?q=bob").json()["results"][0]["subject"] == "bob"
    problem_of(root.get(f"{address}?cursor=4"), 400, "query_invalid")
    problem_of(root.get(f"{address}?action=exploded"), 400, "query_invalid")
    reasons = root.get(f"runs/{run.pk}/reasons").json()
    assert {(reason["code"], reason["count"]) for reason in reasons} == {("value_too_long", 1), ("email_taken", 1)}


def test_files_of_runs_are_for_those_who_may_have_them(program: MakeProgram, make_run: MakeRun) -> None:
    run = make_run()
    for kind in ("report", "tryback"):
        keep_run_file(run, kind, path=f"/reports/{kind}.txt" if kind == "report" else "")
    viewer, operator = program("viewer"), program("operator")
    assert viewer.get(f"runs/{run.pk}/files/report").getvalue() == b"kept"
    problem_of(viewer.get(f"runs/{run.pk}/files/tryback"), 404, "not_found")
    problem_of(viewer.get(f"runs/{run.pk}/files/journal"), 404, "not_found")
    assert [file["kind"] for file in viewer.get(f"runs/{run.pk}").json()["files"]] == ["report"]
    assert viewer.get("trybacks").json()["results"] == []
    listed = operator.get("trybacks").json()["results"]
    content = operator.get(listed[0]["content"])
    assert content.getvalue() == b"kept"
    assert operator.get(listed[0]["content"], If_None_Match=content["ETag"]).status_code == 304
    assert len(operator.get("reports").json()["results"]) == 1


@pytest.mark.parametrize("action", ["cancel", "pause", "resume", "undo", "decide"])
def test_runs_of_others_types_are_not_there(action: str, program: MakeProgram, make_run: MakeRun) -> None:
    run = make_run("running")
    body = {"decision": "approve"} if action == "decide" else {}
    for asking in (
        program("operator", file_types=("courses",)),
        program("operator", only=("courses",)),
        program("viewer"),
    ):
        problem_of(asking.post(f"runs/{run.pk}/{action}", body), 404, "not_found")
    assert not SyncRun.objects.get().cancel_requested


def test_a_run_is_paused_taken_up_and_stopped(root: Program, make_run: MakeRun) -> None:
    run = make_run("queued", outcomes=())
    assert root.post(f"runs/{run.pk}/pause").json()["state"] == "paused"
    assert root.post(f"runs/{run.pk}/resume").json()["state"] == "queued"
    assert root.post(f"runs/{run.pk}/cancel").json()["state"] == "cancelled"
    for action in ("pause", "cancel"):
        problem_of(root.post(f"runs/{run.pk}/{action}"), 409, "run_state_wrong")
    problem_of(root.post(f"runs/{run.pk}/cancel", {"more": 1}), 400, "body_invalid")


def test_who_decides_on_held_runs(program: MakeProgram, make_run: MakeRun) -> None:
    plan = make_run(simulate=True, totals={"user_created": 1})
    run = make_run("held", plan=plan, outcomes=(), requested_by=None)
    body = {"decision": "decline", "reason": "not today"}
    problem_of(program("approver", "apply").post(f"runs/{run.pk}/decide", body), 403, "scope_missing")
    problem_of(program("operator").post(f"runs/{run.pk}/decide", body), 403, "decision_refused")
    approver = program("approver", "approve", "read", name="eve")
    told = approver.post(f"runs/{run.pk}/decide", body).json()
    assert (told["state"], told["decision"]["by"], told["decision"]["reason"]) == ("declined", "eve", "not today")
    problem_of(approver.post(f"runs/{run.pk}/decide", body), 409, "decision_too_late")


def test_who_asked_doesnt_approve(program: MakeProgram, make_run: MakeRun) -> None:
    approver = program("approver")
    run = make_run("held", plan=make_run(simulate=True), outcomes=(), requested_by=approver.person)
    GuardLimits.objects.create(site=run.site, processor="", needs_second_person=True)
    problem_of(approver.post(f"runs/{run.pk}/decide", {"decision": "approve"}), 403, "decision_refused")


def test_more_runs_cost_no_more_queries(root: Program, make_run: MakeRun) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert root.get("runs").status_code == 200
        return len(captured)

    make_run()
    root.get("runs")
    few = queries()
    for _run in range(5):
        keep_run_file(make_run(plan=make_run(simulate=True)), "report")
    assert queries() <= few


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"rows": []}, 400, "body_invalid"),
        ({"rows": "x"}, 400, "body_invalid"),
        ({"rows": [1]}, 400, "body_invalid"),
        ({}, 400, "body_invalid"),
        ({"rows": [ROW], "more": 1}, 400, "body_invalid"),
        ({"rows": [ROW], "apply": "perhaps"}, 400, "body_invalid"),
        ({"rows": [ROW], "options": {"nothing": 1}}, 422, "option_unknown"),
        ({"rows": [ROW, {"cid": "ALG1"}]}, 422, "rows_uneven"),
        ({"rows": [{**ROW, "cid": ["ALG1"]}]}, 422, "rows_cell_wrong"),
        ({"rows": [{**ROW, "cid": "a\0"}]}, 422, "rows_cell_wrong"),
        ({"rows": [{**ROW, "shoesize": 43}]}, 422, "header_unknown_column"),
        ({"rows": [{"cid": "ALG1"}]}, 422, "header_missing_column"),
        ({"rows": [{}]}, 422, "header_missing_column"),
        ({"rows": [ROW] * 5001}, 413, "rows_too_many"),
        ({"rows": [{**ROW, "cid": "x" * 2_000_000}]}, 413, "body_too_large"),
    ],
)
def test_bad_rows_leave_nothing_behind(body: Any, status: int, code: str, root: Program) -> None:
    problem_of(root.post("enrolments", body), status, code)
    assert not SyncRun.objects.exists()
    assert not CommandFile.objects.exists()


def test_rows_need_the_scope_for_what_is_done(program: MakeProgram) -> None:
    planning = program("operator", "plan")
    problem_of(planning.post("enrolments", {"rows": [ROW], "apply": True}), 403, "scope_missing")
    problem_of(program("operator", "apply").post("enrolments", {"rows": [ROW]}), 403, "scope_missing")
    problem_of(program("operator", file_types=("users",)).post("enrolments", {"rows": [ROW]}), 404, "not_found")
    assert planning.post("enrolments", {"rows": [ROW]}).status_code == 202


def test_rows_of_a_list_have_no_header(root: Program) -> None:
    problem_of(root.post("courses_delete", {"rows": [{"course": "ALG1"}]}), 422, "rows_column_unknown")
    assert root.post("courses_delete", {"rows": [{"identifier": "# ALG1"}, {"identifier": "X"}]}).status_code == 202
    content = root.get(root.get("files").json()["results"][0]["content"]).getvalue()
    assert content == b'\xef\xbb\xbf"# ALG1"\r\n"X"\r\n'


def test_rows_are_planned_applied_and_undone(installation: Installation) -> None:
    """As a program does it, with a Moodle behind: rows, their plan, the run of it, and back again."""
    person = User.objects.create_superuser("root")
    secret = make_token(person, installation.site, person, name="t", scopes=EVERYTHING, file_types=[], days=30).secret
    root = Program(person, secret, "main")
    row = {
        "username": "neo",
        "firstname": 'Néo; "The\n One"',
        "lastname": 101,
        "email": "neo@example.org",
        "city": None,
    }

    planned = root.post("users", {"rows": [row]})
    execute_run(planned.json()["id"])
    plan = root.get(planned["Location"]).json()
    assert (plan["state"], plan["counts"]) == ("completed", {"created": 1})
    assert not installation.moodle.rows("user", username="neo")

    applied = root.post(f"plans/{plan['id']}/apply")
    problem_of(root.post(f"plans/{plan['id']}/apply"), 409, "plan_applied_before")
    execute_run(applied.json()["id"])
    (user,) = installation.moodle.rows("user", username="neo")
    # A line end is part of no name.
    assert (user["firstname"], user["lastname"]) == ('Néo; "The One"', "101")
    told = root.get(f"{applied['Location']}/outcomes").json()["results"]
    assert [(outcome["action"], outcome["subject"]) for outcome in told] == [("created", "neo")]

    undone = root.post(f"runs/{applied.json()['id']}/undo", {"plan": False})
    run = execute_run(undone.json()["id"])
    if run.waits_for_person:
        assert root.post(f"runs/{run.pk}/decide", {"decision": "approve"}).status_code == 202
        run = execute_run(run.pk)
    assert run.state == "completed"
    assert [found["deleted"] for found in installation.moodle.rows("user", username="neo")] in ([], [1])
