"""Several files as one plan, by the API: made, decided on, planned again, undone; and for whom."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import openpyxl
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from sync.models import ApiToken, Bundle, CommandFile, MoodleSite, Scope, SyncRun
from sync.people.tokens import make_token
from sync.runs.services import execute_run
from tests.api.conftest import MakeProgram, Program, problem_of
from tests.installation import Installation
from tests.web.conftest import MakeFile, read_workbooks

USERS = "username;firstname;lastname;email\nnora;Nora;New;nora@x.org\n"
COHORTS = "cname;cidnumber;userid\nFreshers;FRESH;nora\n"
BY_USERNAME = {"users": {"primaryidentity": "username"}}


def send(program: Program, files: dict[str, bytes], **headers: str) -> Any:
    handed = [SimpleUploadedFile(name, content) for name, content in files.items()]
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    given = {"Authorization": f"Bearer {program.secret}", **named}
    return Client().post(f"{program.base}/bundles", {"file": handed}, headers=given)


def both() -> dict[str, bytes]:
    return {"cohorts.csv": COHORTS.encode(), "userimport.csv": USERS.encode()}


def carried_out(bundle_id: int) -> list[SyncRun]:
    for run in SyncRun.objects.filter(bundle=bundle_id).order_by("pk"):
        execute_run(run.pk)
    return list(SyncRun.objects.filter(bundle=bundle_id).order_by("pk"))


def test_files_are_planned_together_decided_on_and_undone(rooted: Program, installation: Installation) -> None:
    rooted.ask("PUT", "file-types/users/settings", {"options": {"primaryidentity": "username"}})
    answer = send(rooted, both())
    assert answer.status_code == 202, answer.content
    told = answer.json()
    assert [run["file_type"] for run in told["runs"]] == ["users", "cohorts"]
    assert {(run["origin"], run["token"]) for run in told["runs"]} == {("api", "sis")}

    execute_run(told["runs"][0]["id"])
    waiting = rooted.get(answer["Location"]).json()
    assert (waiting["state"], waiting["totals"]["users.created"], waiting["removals"]) == ("unconfirmed", 1, 0)
    assert not installation.moodle.rows("user", username="nora")

    decided = rooted.post(f"bundles/{told['id']}/decide", {"decision": "approve"})
    assert decided.status_code == 202, decided.content
    carried_out(told["id"])
    assert rooted.get(answer["Location"]).json()["is_over"]
    assert installation.moodle.one("cohort", idnumber="FRESH")
    problem_of(rooted.post(f"bundles/{told['id']}/decide", {"decision": "approve"}), 409, "decision_too_late")
    problem_of(rooted.post(f"bundles/{told['id']}/cancel"), 409, "run_state_wrong")

    undo = rooted.post(f"bundles/{told['id']}/undo")
    assert undo.status_code == 202, undo.content
    execute_run(undo.json()["runs"][0]["id"])
    assert rooted.get(undo["Location"]).json()["state"] == "unconfirmed"
    assert [bundle["id"] for bundle in rooted.get("bundles").json()["results"]] == [undo.json()["id"], told["id"]]


def test_files_that_were_handed_in_before_and_a_zip(root: Program, make_file: MakeFile) -> None:
    numbers = []
    for name, content in both().items():
        handed = SimpleUploadedFile(name, content)
        given = {"Authorization": f"Bearer {root.secret}"}
        numbers.append(Client().post(f"{root.base}/files", {"file": handed}, headers=given).json()["id"])
    told = root.post("bundles", {"files": numbers, "options": BY_USERNAME}).json()
    assert [run["file_type"] for run in told["runs"]] == ["users", "cohorts"]
    assert SyncRun.objects.get(pk=told["runs"][0]["id"]).options["primaryidentity"] == "username"

    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in both().items():
            archive.writestr(name, content)
    assert len(send(root, {"term.zip": packed.getvalue()}).json()["runs"]) == 2
    problem_of(root.post("bundles", {"files": [*numbers, 999_999]}), 404, "not_found")
    problem_of(root.post("bundles", {"files": []}), 400, "body_invalid")
    problem_of(root.post("bundles", {"files": numbers, "options": {"users": {"shoesize": 1}}}), 422, "option_unknown")
    problem_of(send(root, {"a.txt": b"?"}), 422, "bundle_unrecognised")


def test_a_bundle_sent_again_is_answered_once(root: Program) -> None:
    first = send(root, both(), Idempotency_Key="one")
    again = send(root, both(), Idempotency_Key="one")
    assert (again.json()["id"], again["Idempotent-Replayed"]) == (first.json()["id"], "true")
    other = send(root, {**both(), "cohorts.csv": b"cname;cidnumber;userid\n"}, Idempotency_Key="one")
    problem_of(other, 422, "idempotency_key_reused")
    assert Bundle.objects.count() == 1


def test_nothing_is_kept_of_a_bundle_that_is_refused(root: Program) -> None:
    problem_of(send(root, {"userimport.csv": USERS.encode(), "b.txt": b"x"}), 422, "bundle_unrecognised")
    assert not CommandFile.objects.exists()
    assert not SyncRun.objects.exists()


def test_a_bundle_is_for_those_who_may_use_all_its_types(program: MakeProgram, root: Program) -> None:
    told = send(root, both()).json()
    half = program("operator", file_types=("users",))
    assert half.get("bundles").json()["results"] == []
    for action, body in (("", None), ("/decide", {"decision": "approve"}), ("/cancel", {}), ("/undo", {})):
        answer = half.get(f"bundles/{told['id']}") if body is None else half.post(f"bundles/{told['id']}{action}", body)
        problem_of(answer, 404, "not_found")
    problem_of(send(half, both()), 422, "bundle_without_right")
    problem_of(program("operator", "read").post("bundles", {"files": [1]}), 403, "scope_missing")
    assert len(program("operator").get("bundles").json()["results"]) == 1


def test_it_is_planned_again_with_other_options_by_who_asked(rooted: Program, installation: Installation) -> None:
    told = send(rooted, both()).json()
    problem_of(rooted.post(f"bundles/{told['id']}/plan-again", {"options": BY_USERNAME}), 409, "decision_too_late")
    execute_run(told["runs"][0]["id"])
    made = rooted.post(f"bundles/{told['id']}/plan-again", {"options": BY_USERNAME})
    assert made.status_code == 202, made.content
    assert made.json()["id"] != told["id"]
    first = SyncRun.objects.get(pk=made.json()["runs"][0]["id"])
    assert (first.options["primaryidentity"], first.origin) == ("username", SyncRun.Origin.API)
    assert rooted.get(f"bundles/{told['id']}").json()["runs"][0]["state"] == "declined"


def test_more_bundles_cost_no_more_queries(root: Program, django_assert_max_num_queries: Any) -> None:
    send(root, both())
    root.get("bundles")
    for _time in range(4):
        send(root, both())
    with django_assert_max_num_queries(9):
        assert len(json.loads(root.get("bundles").content)["results"]) == 5


def workbook(*rows: tuple[str, ...]) -> bytes:
    made, out = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        made.worksheets[0].append(row)
    made.save(out)
    return out.getvalue()


PEOPLE = (("username", "firstname", "lastname", "email"), ("nora", "Nora", "New", "nora@x.org"))


def with_workbook(program: Program, *rows: tuple[str, ...]) -> dict[str, Any]:
    """Hand a workbook in beside a CSV file, and return what is said of the bundle."""
    answer = send(program, {"people.xlsx": workbook(*(rows or PEOPLE)), "cohorts.csv": COHORTS.encode()})
    assert answer.status_code == 202, answer.content
    told: dict[str, Any] = answer.json()
    return told


def test_workbooks_are_read_by_a_worker_and_the_bundle_then_has_its_runs(root: Program) -> None:
    told = with_workbook(root)
    assert (told["state"], told["is_over"], told["runs"], told["removals"]) == ("reading", False, [], 0)
    assert told["files"] == [{"name": "cohorts.csv", "file_type": "cohorts"}, {"name": "people.xlsx", "file_type": ""}]
    for action in ("decide", "undo", "plan-again"):
        body = {"decision": "approve"} if action == "decide" else {"options": BY_USERNAME} if "again" in action else {}
        assert root.post(f"bundles/{told['id']}/{action}", body).status_code == 409
    assert [bundle["id"] for bundle in root.get("bundles").json()["results"]] == [told["id"]]

    assert read_workbooks() == 1

    told = root.get(f"bundles/{told['id']}").json()
    assert (told["state"], told["files"], told["file_types"]) == ("queued", [], ["users", "cohorts"])
    assert {(run["origin"], run["token"]) for run in told["runs"]} == {("api", "test")}


def test_options_that_came_with_workbooks_are_those_of_the_runs(root: Program) -> None:
    numbers = []
    for name, content in {"people.xlsx": workbook(*PEOPLE), "cohorts.csv": COHORTS.encode()}.items():
        given = {"Authorization": f"Bearer {root.secret}"}
        handed = {"file": SimpleUploadedFile(name, content)}
        numbers.append(Client().post(f"{root.base}/files", handed, headers=given).json()["id"])
    CommandFile.objects.update(processor="")
    problem_of(root.post("bundles", {"files": numbers, "options": {"users": {"shoesize": 1}}}), 422, "option_unknown")
    root.post("bundles", {"files": numbers, "options": BY_USERNAME})
    read_workbooks()
    assert SyncRun.objects.get(processor="users").options["primaryidentity"] == "username"


def test_two_files_of_one_name_keep_the_type_that_each_was_handed_in_for(root: Program, make_file: MakeFile) -> None:
    files = [
        make_file("in.csv", content, folder=f"/{key}/") for key, content in zip("ab", both().values(), strict=True)
    ]
    told = root.post("bundles", {"files": [file.pk for file in files], "options": BY_USERNAME}).json()
    assert [run["file_type"] for run in told["runs"]] == ["users", "cohorts"]


def test_what_can_not_be_read_is_said_with_its_reason(root: Program) -> None:
    told = send(root, {"people.xlsx": b"PK\x03\x04 cut", "cohorts.csv": COHORTS.encode()}).json()
    read_workbooks()
    told = root.get(f"bundles/{told['id']}").json()
    assert (told["state"], told["is_over"], told["runs"]) == ("failed", True, [])
    assert [error["code"] for error in told["errors"]] == ["bundle_unreadable", "workbook_broken"]
    assert told["errors"][1]["text"].startswith("people.xlsx: The workbook is damaged")
    assert not CommandFile.objects.exists()


def test_it_is_cancelled_while_it_is_read(root: Program) -> None:
    told = with_workbook(root)
    assert root.post(f"bundles/{told['id']}/cancel").json()["state"] == "cancelled"
    read_workbooks()
    assert not SyncRun.objects.exists()
    problem_of(root.post(f"bundles/{told['id']}/cancel"), 409, "run_state_wrong")


def test_a_token_that_was_revoked_before_the_workbook_was_read_makes_no_plan(root: Program) -> None:
    told = with_workbook(root)
    ApiToken.objects.update(revoked_at=timezone.now())
    read_workbooks()
    assert Bundle.objects.get(pk=told["id"]).error_code == "bundle_of_old_token"
    assert not SyncRun.objects.exists()
    told = with_workbook(reissued(root))
    ApiToken.objects.all().delete()
    read_workbooks()
    assert Bundle.objects.get(pk=told["id"]).error_code == "bundle_of_old_token"
    assert not SyncRun.objects.exists()


def reissued(program: Program) -> Program:
    """Return the same person with a new token."""
    site = MoodleSite.objects.get(slug="main")
    made = make_token(program.person, site, program.person, name="next", scopes=tuple(Scope), file_types=[], days=30)
    return Program(program.person, made.secret, "main")


def test_a_token_for_some_file_types_gets_no_others_by_a_workbook(program: MakeProgram) -> None:
    only = program("administrator", only=("cohorts",))
    told = with_workbook(only)
    read_workbooks()
    bundle = Bundle.objects.get(pk=told["id"])
    assert (bundle.state, bundle.error_code) == ("refused", "bundle_without_right")
    assert not SyncRun.objects.exists()


def test_others_see_no_bundle_whose_types_are_not_known(program: MakeProgram, root: Program) -> None:
    told = with_workbook(root)
    other = program("administrator")
    assert other.get("bundles").json()["results"] == []
    problem_of(other.get(f"bundles/{told['id']}"), 404, "not_found")
    problem_of(other.post(f"bundles/{told['id']}/cancel"), 404, "not_found")
    read_workbooks()
    assert other.get(f"bundles/{told['id']}").status_code == 200
