"""What every address has: problems with codes, in the language of who asks; limits of bodies; ETags; the document."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from sync.api.schema import document
from sync.models import HealthRecord, ProcessorSettings
from tests.api.conftest import MakeProgram, Program, problem_of
from tests.api.test_access import PLACES
from tests.api.test_administration import NIGHTLY

SETTINGS = "file-types/users/settings"


def test_problems_are_said_in_the_language_of_who_asks(root: Program) -> None:
    answer = root.get("nowhere", Accept_Language="fr")
    assert answer["Content-Language"] == "fr"
    in_french = problem_of(answer, 404, "not_found")["detail"]
    assert problem_of(root.get("nowhere"), 404, "not_found")["detail"] != in_french
    problem_of(Client().get("/api/"), 404, "not_found")


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"{", "application/json", 400, "body_unreadable"),
        (b"\xff{}", "application/json", 400, "body_unreadable"),
        (b'{"options": NaN}', "application/json", 400, "body_unreadable"),
        (b'{"options": {}, "options": {}}', "application/json", 400, "body_unreadable"),
        (b'{"options": {"encoding": "\\ud800"}}', "application/json", 400, "body_unreadable"),
        (b"[" * 100_000, "application/json", 400, "body_unreadable"),
        (b'{"options": {"allowrename": ' + b"[" * 500 + b"]" * 500 + b"}}", "application/json", 400, "body_unreadable"),
        (b'{"options": {"allowrename": 1e999}}', "application/json", 400, "body_unreadable"),
        (b'{"options": {"allowrename": -1e999}}', "application/json", 400, "body_unreadable"),
        (b'{"options": {"allowrename": ' + b"9" * 5000 + b"}}", "application/json", 400, "body_unreadable"),
        (b'{"options": {"allowrename": ' + b"9" * 4000 + b"}}", "application/json", 422, "option_not_flag"),
        (b'{"options": {"encoding": "a\\u0000"}}', "application/json", 400, "body_invalid"),
        (b'{"options": {"a\\u0000": 1}}', "application/json", 400, "body_invalid"),
        ('{"options": {}}'.encode("utf-16"), "application/json; charset=utf-16", 400, "body_unreadable"),
        (b'\xef\xbb\xbf{"options": {}}', "application/json", 400, "body_unreadable"),
        (b'{"options": {}}', "", 415, "media_type_wrong"),
        (b'{"options": {}}', "text/plain", 415, "media_type_wrong"),
        (b'{"options": {}}', "multipart/form-data; boundary=x", 415, "media_type_wrong"),
        (b"[]", "application/json", 400, "body_invalid"),
        (b"null", "application/json", 400, "body_invalid"),
        (b"{}", "application/json", 400, "body_invalid"),
        (b'{"options": 5}', "application/json", 400, "body_invalid"),
        (b'{"options": {}, "more": 1}', "application/json", 400, "body_invalid"),
        (b'{"options": {"nothing": 1}}', "application/json", 422, "option_unknown"),
        (b'{"options": {"allowrename": "perhaps"}}', "application/json", 422, "option_not_flag"),
        (b'{"options": {"allowrename": {"a": [1]}}}', "application/json", 422, "option_not_flag"),
        (b"<xml/>", "application/xml", 415, "media_type_wrong"),
        (b" " * 2_000_001, "application/json", 413, "body_too_large"),
    ],
)
def test_a_bad_body_is_refused_and_nothing_is_done(
    body: bytes, kind: str, status: int, code: str, root: Program
) -> None:
    problem_of(root.ask("PUT", SETTINGS, body, Content_Type=kind), status, code)
    assert not ProcessorSettings.objects.exists()


def test_an_unknown_field_is_named(root: Program) -> None:
    problem = problem_of(root.ask("PUT", SETTINGS, {"options": {}, "more": 1}), 400, "body_invalid")
    assert problem["errors"] == [
        {"field": "more", "code": "field_unknown", "detail": "There is no such field here. Known ones: options."}
    ]


def test_methods_and_types_that_arent_taken(root: Program) -> None:
    answer = root.ask("DELETE", "file-types")
    problem_of(answer, 405, "method_wrong")
    assert "GET" in answer["Allow"]
    problem_of(root.ask("OPTIONS", "file-types"), 405, "method_wrong")
    problem_of(root.get("file-types", Accept="text/html"), 406, "not_acceptable")
    assert root.get("file-types", Accept="*/*").status_code == 200


def test_a_fault_of_ours_is_a_problem_too(root: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any) -> None:
        raise RuntimeError("secret words")

    monkeypatch.setattr("sync.api.sites.states_of", fail)
    root._client.raise_request_exception = False
    answer = root.get("health")
    problem_of(answer, 500, "server_error")
    assert "secret words" not in answer.text


def test_what_hasnt_changed_is_not_sent_again(root: Program) -> None:
    first = root.get(SETTINGS)
    assert root.get(SETTINGS, If_None_Match=first["ETag"]).status_code == 304
    changed = root.ask("PUT", SETTINGS, {"options": {"allowrename": True}}, If_Match=first["ETag"])
    assert changed.json()["options"]["allowrename"] is True
    assert root.get(SETTINGS, If_None_Match=first["ETag"]).status_code == 200
    late = root.ask("PUT", SETTINGS, {"options": {}}, If_Match=first["ETag"])
    problem_of(late, 412, "changed_meanwhile")
    assert ProcessorSettings.objects.get().values == {"allowrename": True}


def test_every_change_of_what_can_be_read_heeds_if_match() -> None:
    """Whatever has a GET beside PUT or DELETE."""
    views = {place.view for place in PLACES if place.method in ("put", "delete") and hasattr(place.view, "get")}
    assert len(views) > 8
    for view in views:
        for method in ("put", "delete"):
            if (handler := getattr(view, method, None)) is not None:
                assert "with self.unchanged():" in inspect.getsource(handler), (view, method)


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_whoever_deletes_or_changes_what_has_changed_is_told(root: Program, method: str) -> None:
    made = root.post("schedules", NIGHTLY)
    address = made["Location"]
    tag = root.get(address)["ETag"]
    assert (
        root.ask("PUT", address, {**NIGHTLY, "kind": "every", "every_seconds": 7200}, If_Match=tag).status_code == 200
    )
    problem_of(root.ask(method, address, NIGHTLY, If_Match=tag), 412, "changed_meanwhile")
    now = root.get(address)
    assert now.json()["every_seconds"] == 7200
    assert root.ask(method, address, NIGHTLY, If_Match=f'"other", {now["ETag"]}').status_code in (200, 204)
    # What is gone is as nobody has read it.
    if method == "DELETE":
        problem_of(root.ask(method, address, NIGHTLY, If_Match=tag), 404, "not_found")


def test_a_webhook_that_isn_t_there_is_not_as_somebody_has_read_it(root: Program) -> None:
    hook = {"address": "https://hooks.example.org/x", "key": "k" * 24, "events": ["failure"]}
    problem_of(root.ask("PUT", "webhook", hook, If_Match='"abc"'), 412, "changed_meanwhile")
    assert root.ask("PUT", "webhook", hook, If_Match="*").status_code == 200
    assert root.ask("DELETE", "webhook", If_Match=root.get("webhook")["ETag"]).status_code == 204


def test_file_types_are_described_from_their_declarations(program: MakeProgram) -> None:
    asking = program("viewer", file_types=("enrolments",))
    told = asking.get("file-types/enrolments", Accept_Language="fr").json()
    assert {"rolename", "cid", "uid"} <= {column["name"] for column in told["columns"]}
    options = {option["name"]: option for option in told["options"]}
    assert options["useridentifier"]["type"] == "choice"
    assert options["useridentifier"]["value"] == "username"
    problem_of(asking.ask("PUT", "file-types/enrolments/settings", {"options": {}}), 404, "not_found")


def test_health_says_what_to_do(root: Program) -> None:
    told = root.get("health").json()
    assert told["level"] in ("ok", "warning", "error")
    assert "database" in {part["part"] for part in told["parts"]}


def test_health_names_no_server(root: Program) -> None:
    params = {"server": "smtp.example.org:25", "reason": "Connection refused"}
    now = timezone.now()
    HealthRecord.objects.create(
        part="mail", level="error", code="health_mail_away", params=params, since=now, seen_at=now
    )
    told = root.get("health").json()
    (mail,) = [part for part in told["parts"] if part["part"] == "mail"]
    assert mail["code"] == "health_mail_away"
    assert "smtp.example.org" not in mail["text"]


def test_the_document_is_for_those_who_are_known(root: Program) -> None:
    problem_of(Client().get("/api/v1/openapi.json"), 401, "token_missing")
    assert root.get("/api/v1/openapi.json").json()["openapi"].startswith("3.1")
    browser = Client()
    assert browser.get("/api/v1/docs").status_code == 302
    browser.force_login(root.person)
    assert browser.get("/api/v1/openapi.json").status_code == 200
    page = browser.get("/api/v1/docs")
    assert 'data-document="/api/v1/openapi.json"' in page.text
    policy = page["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy


def test_the_document_speaks_french() -> None:
    assert document("fr") != document("en")


def test_no_password_is_asked_for_by_the_throttle_of_logins(root: Program, settings: Settings) -> None:
    settings.AXES_ENABLED = True
    assert root.get("/api/v1/token").status_code == 200
