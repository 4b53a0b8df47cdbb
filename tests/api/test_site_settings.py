"""Limits of scopes, freeze windows, the webhook and what was told, by the API: what they take, and from whom."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from sync.encryption import decrypt
from sync.models import AuditRecord, FreezeWindow, Notification, ScopeLimits, Webhook
from sync.notifications.webhooks import PURPOSE
from tests.api.conftest import MakeProgram, Program, problem_of
from tests.source_servers import WebServer
from tests.web.conftest import MakeRun

SCOPES = "file-types/courses/scope-limits"
LIMITS = {"courses.deleted": {"percent": None, "number": 5}}
HOOK = {"address": "https://hooks.example.org/toolsync?s3cret", "key": "k" * 24, "events": ["failure"]}


def moment(hours: float) -> str:
    return (timezone.now() + timedelta(hours=hours)).isoformat()


def window(**more: Any) -> dict[str, Any]:
    return {"starts_at": moment(1), "ends_at": moment(3), "reason": "Exams", **more}


class TestScopes:
    def test_limits_of_a_category_are_set_changed_and_given_up(self, rooted: Program) -> None:
        body = {"kind": "category", "name": "1", "limits": LIMITS}
        answer = rooted.post(SCOPES, body, Idempotency_Key="once")
        assert answer.status_code == 201, answer.content
        told = answer.json()
        assert told["limits"]["courses.deleted"] == {"percent": None, "number": 5}
        assert told["limits"]["categories.deleted"] == {"percent": None, "number": None}
        assert told["found"]["categories"] >= 1
        assert rooted.post(SCOPES, body, Idempotency_Key="once")["Idempotent-Replayed"] == "true"
        problem_of(rooted.post(SCOPES, body), 422, "scope_twice")
        address = answer["Location"]
        tag = rooted.get(address)["ETag"]
        changed = rooted.ask("PUT", address, {"name": "1", "limits": {}}, If_Match=tag)
        assert changed.json()["limits"]["courses.deleted"] == {"percent": None, "number": None}
        problem_of(rooted.ask("PUT", address, {"name": "1", "limits": LIMITS}, If_Match=tag), 412, "changed_meanwhile")
        assert [each["id"] for each in rooted.get(SCOPES).json()] == [told["id"]]
        # Those of all file types are others.
        assert rooted.get("file-types/all/scope-limits").json() == []
        problem_of(rooted.get(f"file-types/all/scope-limits/{told['id']}"), 404, "not_found")
        assert rooted.ask("DELETE", address).status_code == 204
        assert not ScopeLimits.objects.exists()
        assert AuditRecord.objects.filter(kind="settings").count() == 3

    @pytest.mark.parametrize(
        ("change", "status", "code"),
        [
            ({"name": "nowhere"}, 422, "scope_category_unknown"),
            ({"kind": "cohorts", "name": "nobody-", "limits": {}}, 422, "scope_cohorts_unknown"),
            ({"limits": {"users.deleted": {"percent": 1, "number": 1}}}, 422, "limits_unreadable"),
            ({"limits": {"shoes.deleted": {"percent": 1, "number": 1}}}, 422, "limits_unreadable"),
            ({"limits": {"courses.deleted": {"percent": 101, "number": 1}}}, 400, "body_invalid"),
            ({"limits": {"courses.deleted": {"percent": "NaN", "number": 1}}}, 400, "body_invalid"),
            ({"limits": {"courses.deleted": {"percent": 1, "number": 10**30}}}, 400, "body_invalid"),
            ({"limits": {"courses.deleted": 5}}, 400, "body_invalid"),
            ({"limits": []}, 400, "body_invalid"),
            ({"limits": None}, 400, "body_invalid"),
            ({"kind": "courses"}, 400, "body_invalid"),
            ({"kind": ["category"]}, 400, "body_invalid"),
            ({"name": "1\0"}, 400, "body_invalid"),
            ({"name": ""}, 400, "body_invalid"),
            ({"name": "9" * 101}, 400, "body_invalid"),
            ({"name": "9" * 100}, 422, "scope_category_unknown"),
            ({"name": "9223372036854775808"}, 422, "scope_category_unknown"),
            ({"name": "1\x01%_\\"}, 422, "scope_category_unknown"),
            ({"site": "other"}, 400, "body_invalid"),
        ],
        ids=lambda value: ascii(value)[:60],
    )
    def test_what_is_no_scope_is_not_kept(
        self, rooted: Program, change: dict[str, Any], status: int, code: str
    ) -> None:
        problem_of(rooted.post(SCOPES, {"kind": "category", "name": "1", "limits": LIMITS, **change}), status, code)
        assert not ScopeLimits.objects.exists()

    def test_they_are_for_who_may_set_limits(self, program: MakeProgram, root: Program) -> None:
        problem_of(program("operator").get(SCOPES), 404, "not_found")
        problem_of(program("operator").get("file-types/all/scope-limits"), 403, "permission_missing")
        problem_of(program("administrator", "read").post(SCOPES, {}), 403, "scope_missing")
        some = program("manager", file_types=("users",))
        problem_of(some.get("file-types/all/scope-limits"), 403, "permission_missing")
        problem_of(some.get(SCOPES), 404, "not_found")
        assert some.get("file-types/users/scope-limits").json() == []


class TestFreezeWindows:
    def test_one_is_made_and_taken_away(self, root: Program) -> None:
        answer = root.post("freeze-windows", window(), Idempotency_Key="once")
        assert answer.status_code == 201, answer.content
        assert root.post("freeze-windows", window(), Idempotency_Key="twice").status_code == 201
        told = root.get(answer["Location"]).json()
        assert told == answer.json()
        assert [each["reason"] for each in root.get("freeze-windows").json()] == ["Exams", "Exams"]
        assert root.ask("DELETE", answer["Location"]).status_code == 204
        problem_of(root.ask("DELETE", answer["Location"]), 404, "not_found")
        assert AuditRecord.objects.filter(kind="schedule").count() == 3

    @pytest.mark.parametrize(
        ("change", "status", "code"),
        [
            ({"ends_at": moment(1 / 2)}, 422, "freeze_window_empty"),
            ({"ends_at": moment(24 * 200)}, 422, "freeze_window_too_long"),
            ({"starts_at": moment(-3), "ends_at": moment(-1)}, 422, "freeze_window_over"),
            ({"starts_at": moment(24 * 900), "ends_at": moment(24 * 901)}, 422, "freeze_window_too_far"),
            ({"starts_at": "2027-07-01T00:00:00"}, 400, "body_invalid"),
            ({"starts_at": "0001-01-01T00:00:00+14:00"}, 400, "body_invalid"),
            ({"ends_at": "9999-12-31T23:59:59-12:00"}, 400, "body_invalid"),
            ({"starts_at": "tomorrow"}, 400, "body_invalid"),
            ({"starts_at": 5}, 400, "body_invalid"),
            ({"starts_at": None}, 400, "body_invalid"),
            ({"reason": "x" * 201}, 400, "body_invalid"),
            ({"reason": "x\0"}, 400, "body_invalid"),
            ({"more": 1}, 400, "body_invalid"),
        ],
    )
    def test_what_is_no_period_is_not_kept(self, root: Program, change: dict[str, Any], status: int, code: str) -> None:
        answer = root.post("freeze-windows", window(**change))
        problem_of(answer, status, code)
        assert not FreezeWindow.objects.exists()

    def test_they_are_set_by_who_may_change_all_schedules(self, root: Program, program: MakeProgram) -> None:
        address = root.post("freeze-windows", window())["Location"]
        # When nothing starts is for everybody, as on the page of feeds.
        assert len(program("viewer").get("freeze-windows").json()) == 1
        for some in (
            program("operator"),
            program("manager", file_types=("users",)),
            program("administrator", only=("users",)),
        ):
            problem_of(some.post("freeze-windows", window()), 403, "permission_missing")
            problem_of(some.ask("DELETE", address), 403, "permission_missing")
        problem_of(program("administrator", "read").post("freeze-windows", window()), 403, "scope_missing")
        assert FreezeWindow.objects.count() == 1


class TestWebhook:
    @pytest.fixture
    def web(self, settings: Settings) -> Iterator[WebServer]:
        settings.TOOLSYNC_FETCH_HOSTS = ["localhost"]
        server = WebServer()
        yield server
        server.stop()

    def test_a_key_that_is_made_is_shown_once(self, root: Program) -> None:
        problem_of(root.get("webhook"), 404, "not_found")
        sent = {"address": HOOK["address"], "make_key": True, "events": ["held", "failure", "held"]}
        answer = root.ask("PUT", "webhook", sent)
        assert answer.status_code == 200, answer.content
        key = answer.json()["key"]
        assert (answer.json()["host"], answer.json()["events"]) == ("https://hooks.example.org", ["failure", "held"])
        assert decrypt(PURPOSE, Webhook.objects.get().secret) == {"address": HOOK["address"], "key": key}
        for shown in (root.get("webhook"), root.get("audit")):
            assert key not in shown.text
            assert "s3cret" not in shown.text
        # What isn't sent stays as it is kept.
        tag = root.get("webhook")["ETag"]
        assert root.ask("PUT", "webhook", {"events": []}, If_Match=tag).json()["key"] is None
        assert decrypt(PURPOSE, Webhook.objects.get().secret)["key"] == key
        problem_of(root.ask("PUT", "webhook", {"events": []}, If_Match=tag), 412, "changed_meanwhile")
        assert root.ask("DELETE", "webhook").status_code == 204
        problem_of(root.ask("DELETE", "webhook"), 404, "not_found")
        problem_of(root.post("webhook/test"), 404, "not_found")

    @pytest.mark.parametrize(
        ("change", "status", "code"),
        [
            ({"address": ""}, 422, "webhook_address"), ({"address": "ftp://example.org/x"}, 422, "webhook_address"),
            ({"address": "https://ann:pw@example.org/x"}, 422, "webhook_address"),
            ({"address": "https://exa\x01mple.org/"}, 422, "webhook_address"),
            ({"address": "https://example.org/\0"}, 400, "body_invalid"),
            ({"address": "https://" + "x" * 2000}, 400, "body_invalid"),
            ({"address": ["https://example.org"]}, 400, "body_invalid"), ({"address": None}, 400, "body_invalid"),
            ({"key": ""}, 422, "webhook_key_short"), ({"key": "short"}, 422, "webhook_key_short"),
            ({"key": "whsec_%%%%" * 9}, 422, "webhook_key_unreadable"), ({"key": "k" * 501}, 400, "body_invalid"),
            ({"make_key": True}, 400, "body_invalid"), ({"make_key": "perhaps"}, 400, "body_invalid"),
            ({"events": ["digest"]}, 400, "body_invalid"), ({"events": "failure"}, 400, "body_invalid"),
            ({"events": ["failure"] * 50}, 400, "body_invalid"), ({"host": "x"}, 400, "body_invalid"),
        ],
        ids=lambda value: ascii(value)[:60],
    )  # fmt: skip
    def test_what_is_no_webhook_is_not_kept(
        self, root: Program, change: dict[str, Any], status: int, code: str
    ) -> None:
        answer = root.ask("PUT", "webhook", {**HOOK, **change})
        problem_of(answer, status, code)
        assert "k" * 24 not in answer.text
        assert not Webhook.objects.exists()

    def test_it_is_tried_at_once(self, root: Program, web: WebServer) -> None:
        web.put("/hook", b"")
        root.ask("PUT", "webhook", {**HOOK, "address": web.url("/hook")})

        def take(handler: Any) -> None:
            handler.send_response(204)
            handler.end_headers()

        web.answers["/hook"] = take
        assert root.post("webhook/test").json() == {"sent": True}
        assert json.loads(web.bodies[0])["event"] == "test"
        web.status("/hook", 500)
        problem_of(root.post("webhook/test"), 422, "webhook_status")
        root.ask("PUT", "webhook", {**HOOK, "address": web.url("/hook", "127.0.0.1")})
        problem_of(root.post("webhook/test"), 422, "webhook_private")

    def test_it_is_for_who_sets_notifications_of_every_file_type(self, root: Program, program: MakeProgram) -> None:
        root.ask("PUT", "webhook", HOOK)
        for some in (
            program("operator"),
            program("manager", file_types=("users",)),
            program("administrator", only=("users",)),
        ):
            problem_of(some.get("webhook"), 403, "permission_missing")
            problem_of(some.ask("PUT", "webhook", HOOK), 403, "permission_missing")
            problem_of(some.ask("DELETE", "webhook"), 403, "permission_missing")
            problem_of(some.post("webhook/test"), 403, "permission_missing")
        problem_of(program("administrator", "read").ask("PUT", "webhook", HOOK), 403, "scope_missing")
        assert Webhook.objects.count() == 1


def test_what_was_told_is_listed_for_who_may_set_it(root: Program, program: MakeProgram, make_run: MakeRun) -> None:
    run = make_run()
    facts = {"site": run.site, "event": "failure", "channel": "mail"}
    one = Notification.objects.create(
        **facts, processor="users", run=run, recipients=["it@x.org"], attempts=2, error_code="webhook_status",
        error_params={"host": "x.org", "status": 500},
    )  # fmt: skip
    Notification.objects.create(**facts, processor="courses")
    Notification.objects.create(**facts, processor="")
    first = root.get("notifications?limit=2").json()
    assert [each["file_type"] for each in first["results"]] == ["", "courses"]
    (told,) = root.get(first["next"]).json()["results"]
    assert (told["id"], told["run"], told["attempts"], told["error"]["code"]) == (one.pk, run.pk, 2, "webhook_status")
    assert "500" in told["error"]["text"]
    some = program("manager", file_types=("users",))
    assert [each["id"] for each in some.get("notifications").json()["results"]] == [one.pk]
    problem_of(program("operator").get("notifications"), 403, "permission_missing")
    problem_of(root.get("notifications?limit=0"), 400, "query_invalid")
    problem_of(root.get("notifications?cursor=0"), 400, "query_invalid")
    problem_of(root.get("notifications?of=users"), 400, "query_invalid")
