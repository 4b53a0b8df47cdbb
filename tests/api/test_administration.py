"""Schedules, sources, the audit and the list of deletions by the API."""

from __future__ import annotations

import io
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management import call_command

from sync.models import AuditRecord, GraceEntry, MoodleSite, Schedule, SequenceRun, Source, SyncRun
from tests.api.conftest import MakeProgram, Program, problem_of
from tests.api.test_limits import MAPPING
from tests.source_servers import SheetServer, key_of_account
from tests.web.conftest import MakeRun

DOCS = Path(__file__).resolve().parents[2] / "docs"
RECIPIENTS = {"recipients": ["it@x.org"], "digest_at": "06:30"}
NIGHTLY = {
    "name": "SIS", "file_types": ["users", "enrolments"], "kind": "daily", "at": "02:15", "enabled": True,
    "notifications": RECIPIENTS,
}  # fmt: skip


def made(program: Program, **more: Any) -> dict[str, Any]:
    answer = program.post("schedules", {**NIGHTLY, **more})
    assert answer.status_code == 201, answer.content
    told: dict[str, Any] = answer.json()
    assert program.get(answer["Location"]).json() == told
    return told


def test_a_schedule_is_made_changed_and_deleted(root: Program) -> None:
    told = made(root)
    assert (told["owner"], told["file_types"]) == (root.person.username, ["users", "enrolments"])
    assert told["next_at"] is not None
    address = f"schedules/{told['id']}"
    tag = root.get(address)["ETag"]
    changed = root.ask("PUT", address, {**NIGHTLY, "kind": "every", "every_seconds": 3600}, If_Match=tag)
    assert changed.json()["kind"] == "every"
    problem_of(root.ask("PUT", address, NIGHTLY, If_Match=tag), 412, "changed_meanwhile")
    assert root.post(f"{address}/switch", {"enabled": False}).json()["next_at"] is None
    started = root.post(f"{address}/start")
    assert started.status_code == 202
    assert root.get(started["Location"]).json()["state"] == "running"
    problem_of(root.post(f"{address}/start"), 422, "schedule_under_way")
    assert root.ask("DELETE", address).status_code == 204
    problem_of(root.get(address), 404, "not_found")


def test_a_switch_that_is_sent_again_does_not_switch_anew(root: Program) -> None:
    schedule = f"schedules/{made(root)['id']}/switch"
    mapping = f"mappings/{root.post('mappings', MAPPING).json()['id']}/switch"
    for address, field in ((schedule, "enabled"), (mapping, "is_used")):
        first = root.post(address, {field: True}, Idempotency_Key=f"{field}-1")
        assert root.post(address, {field: False}).json()[field] is False
        again = root.post(address, {field: True}, Idempotency_Key=f"{field}-1")
        assert (again["Idempotent-Replayed"], again.json()) == ("true", first.json())
        assert root.get(address.removesuffix("/switch")).json()[field] is False


def test_who_does_not_say_that_files_are_planned_together_leaves_it_as_it_is(root: Program) -> None:
    address = f"schedules/{made(root, together=True)['id']}"
    assert root.get(address).json()["together"] is True

    told = root.ask("PUT", address, {**NIGHTLY, "at": "03:15"}).json()

    assert (told["at"], told["together"]) == ("03:15", True)
    assert Schedule.objects.get(pk=told["id"]).together
    assert root.ask("PUT", address, {**NIGHTLY, "together": False}).json()["together"] is False
    assert made(root)["together"] is False


def test_no_schedule_is_switched_on_before_it_was_said_who_is_told(root: Program, program: MakeProgram) -> None:
    silent = {name: value for name, value in NIGHTLY.items() if name != "notifications"}
    problem_of(root.post("schedules", silent), 422, "schedule_without_recipients")
    off = made(root, **{**silent, "notifications": {"recipients": []}, "enabled": False})
    address = f"schedules/{off['id']}"
    assert off["notifications"] == {"recipients": [], "attach_report": False, "digest_at": None, "digest_at_end": False}
    problem_of(root.post(f"{address}/switch", {"enabled": True}), 422, "schedule_without_recipients")
    problem_of(root.ask("PUT", address, silent), 422, "schedule_without_recipients")
    wrong = {"enabled": True, "notifications": {"recipients": ["nonsense"]}}
    problem_of(root.post(f"{address}/switch", wrong), 422, "mail_address_wrong")
    assert not Schedule.objects.get(pk=off["id"]).enabled

    told = root.post(f"{address}/switch", {"enabled": True, "notifications": RECIPIENTS}).json()
    assert told["notifications"] == {
        "recipients": ["it@x.org"],
        "attach_report": False,
        "digest_at": "06:30",
        "digest_at_end": False,
    }
    # Who was named stays so, and need not be named again.
    assert root.post(f"{address}/switch", {"enabled": False}).json()["notifications"] == told["notifications"]
    assert root.post(f"{address}/switch", {"enabled": True}).json()["next_at"] is not None
    assert root.ask("PUT", address, silent).json()["notifications"] == told["notifications"]
    nobody = root.ask("PUT", address, {**silent, "notifications": {"recipients": []}}).json()
    assert nobody["notifications"]["recipients"] == []
    problem_of(program("operator").post(f"{address}/switch", {"enabled": True}), 404, "not_found")


def test_schedules_that_cant_be(root: Program, program: MakeProgram) -> None:
    count = Schedule.objects.count()
    for body, status, code in (
        ({**NIGHTLY, "file_types": []}, 400, "body_invalid"),
        ({**NIGHTLY, "file_types": ["nothing"]}, 400, "body_invalid"),
        ({**NIGHTLY, "every_seconds": 1}, 400, "body_invalid"),
        ({**NIGHTLY, "at": None}, 422, "schedule_without_time"),
        ({**NIGHTLY, "kind": "crontab", "crontab": "every day"}, 422, "crontab_fields"),
        ({**NIGHTLY, "more": 1}, 400, "body_invalid"),
    ):
        problem_of(root.post("schedules", body), status, code)
    manager = program("manager", file_types=("users",))
    problem_of(manager.post("schedules", NIGHTLY), 403, "permission_missing")
    assert Schedule.objects.count() == count


def test_schedules_of_others_are_for_managers_of_all(root: Program, program: MakeProgram) -> None:
    address = f"schedules/{made(root, file_types=['users'])['id']}"
    manager = program("manager", file_types=("users",))
    assert manager.get(address).status_code == 200
    problem_of(manager.ask("PUT", address, {**NIGHTLY, "file_types": ["users"]}), 403, "permission_missing")
    problem_of(manager.ask("DELETE", address), 403, "permission_missing")
    problem_of(program("operator").get(address), 404, "not_found")
    assert not SequenceRun.objects.exists()


def test_a_source_keeps_its_secrets(root: Program, program: MakeProgram) -> None:
    sent = {
        "kind": "address",
        "location": "https://sis.example.org/users.csv?key=s3cret",
        "username": "u",
        "password": "pw0rd",
    }
    answer = root.ask("PUT", "sources/users", sent)
    assert answer.status_code == 200
    assert answer.json()["has_secrets"] is True
    for shown in (answer, root.get("sources/users"), root.get("sources")):
        assert "s3cret" not in shown.text
        assert "pw0rd" not in shown.text
    problem_of(
        root.ask("PUT", "sources/users", {"kind": "inbox", "inbox": "no", "location": "x"}), 422, "inbox_unknown"
    )
    problem_of(program("operator").get("sources"), 403, "permission_missing")
    problem_of(program("operator").get("sources/users"), 404, "not_found")
    assert Source.objects.get(processor="users").username == "u"


def test_the_example_of_a_sheet_is_set_with_its_key(root: Program, site: MoodleSite, tmp_path: Path) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", (DOCS / "sources.md").read_text(), re.DOTALL)
    sent = json.loads(example) | {"private_key": key_of_account()}
    answer = root.ask("PUT", "sources/users", sent)
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert (told["kind"], told["location"], told["query"]) == ("sheet", sent["location"], {})
    assert (told["username"], told["has_secrets"]) == (SheetServer.EMAIL, True)
    for shown in (answer, root.get("sources/users"), root.get("sources"), root.get("audit")):
        assert "PRIVATE" not in shown.text
    problem_of(root.ask("PUT", "sources/users", sent | {"private_key": "{}"}), 422, "service_key_unreadable")
    problem_of(root.ask("PUT", "sources/courses", json.loads(example)), 422, "service_key_unreadable")
    problem_of(root.ask("PUT", "sources/users", sent | {"private_key": "x" * 20_001}), 400, "body_invalid")

    path = tmp_path / "source.json"
    path.write_text(json.dumps(sent))
    out = io.StringIO()
    call_command("sources", "cohorts", put=str(path), stdout=out)
    assert out.getvalue() == f"cohorts\tsheet\t{sent['location']}\n"


def test_the_audit_tells_who_changed_what(root: Program, program: MakeProgram) -> None:
    root.ask("PUT", "file-types/users/settings", {"options": {"allowrename": True}})
    made(root)
    told = root.get("audit?limit=1").json()
    assert told["results"][0]["code"] == "audit_schedule_created"
    assert told["results"][0]["person"] == root.person.username
    (second,) = root.get(told["next"]).json()["results"]
    assert second["changes"] == [{"field": "allowrename", "old": "", "new": "1"}]
    of_kind = root.get("audit?kind=schedule&since=2000-01-01").json()["results"]
    assert {entry["kind"] for entry in of_kind} == {"schedule"}
    problem_of(root.get("audit?cursor=x"), 400, "query_invalid")
    problem_of(root.get("audit?since=yesterday"), 400, "query_invalid")
    problem_of(program("operator").get("audit"), 403, "permission_missing")
    problem_of(program(only=("users",)).get("audit"), 403, "permission_missing")
    assert AuditRecord.objects.exists()


def test_deletions_are_listed_and_taken_off(root: Program, program: MakeProgram, make_run: MakeRun) -> None:
    run = make_run(processor="users_delete")
    entries = [
        GraceEntry.objects.create(
            site=run.site, table=table, rowid=number, name=f"u{number}", run=run, line=2, day=date(2030, 1, number)
        )
        for number, table in enumerate(("user", "user", "course"), start=1)
    ]
    first = root.get("deletions?limit=2").json()
    assert [entry["name"] for entry in first["results"]] == ["u1", "u2"]
    assert [entry["kind"] for entry in root.get(first["next"]).json()["results"]] == ["course"]
    ids = [entry.pk for entry in entries]
    problem_of(root.post("deletions/take-off", {"entries": ids}), 422, "deletions_mixed")
    problem_of(root.post("deletions/take-off", {"entries": [*ids[:1], 99_999]}), 404, "not_found")
    problem_of(root.post("deletions/take-off", {"entries": [2**63]}), 400, "body_invalid")
    problem_of(program("operator").post("deletions/take-off", {"entries": ids[:1]}), 404, "not_found")
    answer = root.post("deletions/take-off", {"entries": ids[:2]})
    assert answer.status_code == 202
    assert SyncRun.objects.get(pk=answer.json()["run"]).origin == "grace_end"
    problem_of(root.post("deletions/take-off", {"entries": ids[:2]}), 409, "grace_entry_taken")
    problem_of(program(file_types=()).get("deletions?limit=0"), 400, "query_invalid")
    for cursor in ("x", "2030-01-01", "2030-02-30,1", "2030-01-01,x"):
        problem_of(root.get(f"deletions?cursor={cursor}"), 400, "query_invalid")
