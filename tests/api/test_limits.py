"""Limits, sticky fields, notification rules and mappings, set by the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from sync.models import AuditRecord, GuardLimits, NotificationRule, SavedMapping, StickyField, SyncRun
from tests.api.conftest import MakeProgram, Program, problem_of
from tests.web.conftest import MakeFile

MAPPING: dict[str, Any] = {
    "file_type": "users", "name": "Ours", "header": ["login", "Nom", "mail", "office"],
    "steps": [
        {"step": "copy", "target": "username", "source": "login"},
        {"step": "part", "target": "lastname", "source": "nom", "separator": " ", "number": 1, "to_end": False},
        {"step": "constant", "target": "auth", "constant": "ldap"},
    ],
    "left_out": ["office"],
}  # fmt: skip


def test_limits_of_a_file_type_and_of_the_site(root: Program) -> None:
    shipped = root.get("file-types/all/limits").json()
    assert (shipped["is_own"], shipped["limits"]["users.deleted"]) == (False, {"percent": 10.0, "number": 50})
    body = {"needs_second_person": True, "limits": {"users.deleted": {"percent": None, "number": 5}}}
    told = root.ask("PUT", "file-types/users/limits", body).json()
    assert (told["is_own"], told["is_on"], told["needs_second_person"]) == (True, True, True)
    assert told["limits"]["users.deleted"] == {"percent": None, "number": 5}
    assert told["limits"]["courses.deleted"] == {"percent": 10.0, "number": 50}
    assert root.get("file-types/courses/limits").json()["is_own"] is False
    assert GuardLimits.objects.get().values == {"users.deleted": [None, 5]}
    assert AuditRecord.objects.filter(kind="settings").exists()
    assert root.ask("DELETE", "file-types/users/limits").status_code == 204
    assert root.get("file-types/users/limits").json()["limits"] == shipped["limits"]


@pytest.mark.parametrize(
    ("limits", "status", "code"),
    [
        ({"shoes.deleted": {"percent": 1, "number": 1}}, 422, "limits_unreadable"),
        ({"users.deleted": {"percent": 101, "number": 1}}, 400, "body_invalid"),
        ({"users.deleted": {"percent": 1}}, 400, "body_invalid"),
        ({"users.deleted": {"percent": 1, "number": -1}}, 400, "body_invalid"),
        ({"users.deleted": {"percent": 1, "number": 10**30}}, 400, "body_invalid"),
        ({"users.deleted": [1, 2]}, 400, "body_invalid"),
        ("none", 400, "body_invalid"),
    ],
)
def test_what_is_no_limit_is_said(limits: Any, status: int, code: str, root: Program) -> None:
    problem_of(root.ask("PUT", "file-types/users/limits", {"limits": limits}), status, code)
    assert not GuardLimits.objects.exists()


def test_sticky_fields(root: Program) -> None:
    rules = {"email": "person", "city": "never"}
    assert root.ask("PUT", "file-types/users/sticky-fields", {"rules": rules}).json() == {"rules": rules}
    assert root.get("file-types/users/sticky-fields").json() == {"rules": rules}
    problem_of(root.ask("PUT", "file-types/users/sticky-fields", {"rules": {"email": "perhaps"}}), 400, "body_invalid")
    answer = root.ask("PUT", "file-types/users/sticky-fields", {"rules": {"username": "never"}})
    assert answer.status_code == 422, answer.content
    assert StickyField.objects.count() == 2
    assert root.ask("PUT", "file-types/users/sticky-fields", {"rules": {}}).json() == {"rules": {}}


def test_notification_rules(root: Program) -> None:
    body = {
        "recipients": {"failure": ["it@example.org"]},
        "expected_at": "06:30",
        "weekdays_only": True,
        "language": "fr",
    }
    told = root.ask("PUT", "file-types/users/notifications", body).json()
    assert (told["is_own"], told["expected_at"], told["recipients"]["failure"]) == (True, "06:30", ["it@example.org"])
    assert told["recipients"]["success"] == []
    assert root.get("file-types/courses/notifications").json()["is_own"] is False
    wrong = {"recipients": {"failure": ["nobody"]}}
    problem_of(root.ask("PUT", "file-types/users/notifications", wrong), 422, "mail_address_wrong")
    wrongs: list[dict[str, Any]] = [
        {"recipients": {"party": []}}, {"language": "xx"}, {"expected_at": "25:00"}, {"recipients": []},
    ]  # fmt: skip
    for bad in wrongs:
        problem_of(root.ask("PUT", "file-types/all/notifications", bad), 400, "body_invalid")
    assert root.ask("DELETE", "file-types/users/notifications").status_code == 204
    assert not NotificationRule.objects.exists()


@pytest.mark.parametrize("noun", ["limits", "sticky-fields", "notifications"])
def test_nobody_overwrites_what_they_have_not_read(noun: str, root: Program) -> None:
    address = f"file-types/users/{noun}"
    tag = root.get(address)["ETag"]
    body: dict[str, Any] = {"rules": {"city": "never"}} if noun == "sticky-fields" else {}
    assert root.ask("PUT", address, body, If_Match=tag).status_code == 200
    problem_of(root.ask("PUT", address, body, If_Match=tag), 412, "changed_meanwhile")


@pytest.mark.parametrize("noun", ["limits", "sticky-fields", "notifications"])
def test_settings_are_for_those_who_may_set_them(noun: str, program: MakeProgram) -> None:
    body: dict[str, Any] = {"rules": {}} if noun == "sticky-fields" else {}
    problem_of(program("operator").ask("PUT", f"file-types/users/{noun}", body), 404, "not_found")
    problem_of(program("operator").get(f"file-types/users/{noun}"), 404, "not_found")
    half = program("administrator", file_types=("courses",))
    problem_of(half.ask("PUT", f"file-types/users/{noun}", body), 404, "not_found")
    if noun != "sticky-fields":
        problem_of(half.get(f"file-types/all/{noun}"), 403, "permission_missing")
    assert half.get("file-types/courses/limits").status_code == 200


def test_mappings_are_kept_in_versions_and_chosen(root: Program, make_file: MakeFile) -> None:
    made = root.post("mappings", MAPPING)
    assert made.status_code == 201, made.content
    told = made.json()
    assert (told["version"], told["is_used"], len(told["steps"]), told["left_out"]) == (1, True, 3, ["office"])
    assert root.post("mappings", MAPPING).json()["id"] == told["id"]
    second = root.post("mappings", {**MAPPING, "left_out": []}).json()
    assert (second["version"], second["id"] != told["id"]) == (2, True)
    assert [found["version"] for found in root.get("mappings?file_type=users&name=Ours").json()["results"]] == [2, 1]
    switched = root.post(f"mappings/{second['id']}/switch", {"is_used": False}).json()
    assert switched["is_used"] is False

    file = make_file().pk
    plan = root.post("plans", {"file": file, "file_type": "users", "mapping": told["id"]}).json()
    kept = SyncRun.objects.get(pk=plan["id"]).mapping or {}
    assert (kept["name"], kept["version"]) == ("Ours", 1)
    without = root.post("plans", {"file": file, "file_type": "users", "mapping": None}).json()
    assert SyncRun.objects.get(pk=without["id"]).mapping == {}
    problem_of(root.post("plans", {"file": file, "file_type": "users", "mapping": 10**6}), 404, "not_found")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"steps": [{"step": "copy", "target": "username"}]}, 422, "mapping_damaged"),
        ({"steps": [{"step": "dance", "target": "username"}]}, 400, "body_invalid"),
        ({"steps": [], "left_out": []}, 422, "mapping_empty"),
        ({"name": "run 7"}, 422, "mapping_name_taken"),
        ({"header": []}, 400, "body_invalid"),
        ({"header": ["a\0"]}, 400, "body_invalid"),
        ({"file_type": "shoes"}, 404, "not_found"),
    ],
)
def test_what_is_no_mapping_is_said(change: dict[str, Any], status: int, code: str, root: Program) -> None:
    problem_of(root.post("mappings", {**MAPPING, **change}), status, code)
    assert not SavedMapping.objects.exists()


def test_the_page_of_a_run_names_the_token(root: Program, make_file: MakeFile) -> None:
    number = root.post("plans", {"file": make_file().pk}).json()["id"]
    run = SyncRun.objects.get(pk=number)
    assert (run.origin, run.token_name) == (SyncRun.Origin.API, "test")
    client = Client()
    client.force_login(root.person)
    assert "API, token test" in client.get(f"/runs/{number}/").content.decode()
    assert root.get("runs?origin=api").json()["results"][0]["token"] == "test"
