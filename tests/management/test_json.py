"""Every command that answers something takes --json, with the keys that docs/shell.md names; and what came with it."""

from __future__ import annotations

import io
import json
import re
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands, load_command_class
from django.utils import timezone

from sync.models import (
    CommandFile,
    FreezeWindow,
    HealthRecord,
    Notification,
    ProcessorSettings,
    RunState,
    Schedule,
    ScopeLimits,
    SyncRun,
)  # fmt: skip
from sync.notifications.webhooks import WebhookChoice, save_webhook
from tests.installation import Installation
from tests.management.test_shell import BAD, GOOD, HEADER, call, told

# They answer nothing that a script would read: of the project itself, for people, or a script for a shell.
WITHOUT = {"captureschema", "completion", "demo", "writedocs"}
SHELL = Path(__file__).resolve().parents[2] / "docs" / "shell.md"
ROW = re.compile(r"^\| (`.*?) \| (.*?) \|$", re.MULTILINE)


def documented() -> dict[str, set[str]]:
    """Return the keys that docs/shell.md names. Shape: command, with its option where it has one: keys"""
    text = SHELL.read_text().partition("## JSON")[2].partition("## Completion")[0]
    found: dict[str, set[str]] = {}
    for commands, keys in ROW.findall(text):
        own = set(re.findall(r"`(\w+)`", keys.replace("as of `runsync`", "")))
        own |= found["runsync"] if "as of `runsync`" in keys else set()
        for command in re.findall(r"`([^`]+)`", re.sub(r"\(.*?\)", "", commands)):
            found[command] = own
    return found


def test_every_command_takes_json_and_is_documented() -> None:
    ours = {name for name, app in get_commands().items() if app == "sync"} - WITHOUT
    without = {
        name
        for name in ours
        if "--json" not in load_command_class("sync", name).create_parser("manage.py", name).format_help()
    }
    assert without == set()
    keys = documented()
    assert {command.split()[0] for command in keys} == ours
    text = SHELL.read_text()
    assert [name for name in sorted(ours) if f"`{name}" not in text.partition("## JSON")[0]] == []


def test_keys_are_those_that_the_page_names(installation: Installation, tmp_path: Path) -> None:
    """Of each command that can be asked about this installation."""
    run = installation.carry_out("/in.csv", HEADER + GOOD + BAD)
    schedule = Schedule.objects.filter(site=installation.site).first()
    assert schedule is not None
    call("schedules", "--start", str(schedule.pk))
    now = timezone.now()
    FreezeWindow.objects.create(site=installation.site, starts_at=now, ends_at=now + timedelta(days=1))
    ScopeLimits.objects.create(site=installation.site, kind="category", name="1")
    save_webhook(installation.site, WebhookChoice("https://hooks.example.org/x", "k" * 24, ["failure"]))
    Notification.objects.create(site=installation.site, event="failure", channel="mail")
    start = schedule.sequence_runs.get()
    asked: dict[str, tuple[str, ...]] = {
        "runs": (), "showrun": (str(run.pk),), "decide": (str(run.pk),), "outcomes": (str(run.pk), "--action", "rejected"),
        "outcomes --reasons": (str(run.pk), "--reasons"), "runfiles": (str(run.pk),), "files": (), "filetypes": (),
        "export": ("users", str(tmp_path / "out.csv")), "schedules": (), "schedules --sequence": ("--sequence", str(start.pk)),
        "sources": (), "sites": (), "health": (), "audit": (), "checkmoodle": (), "takeover": (), "verifyaudit": (),
        "eraseaudit": ("bob",), "rotatekeys": (), "runsync": ("users", "area:/in.csv"),
        "undorun": (str(run.pk), "--simulate"), "mend": (str(run.pk),), "limits": ("all",), "stickyfields": ("users",),
        "notificationrules": ("users",),
        "scopelimits": ("all",), "freezewindows": (), "webhook": (), "notifications": (),
    }  # fmt: skip
    keys = documented()
    for command, words in asked.items():
        found = told(command.split()[0], *words)
        one = found[0] if isinstance(found, list) else found
        assert set(one) == keys[command], command
    assert all(line.startswith("GRANT") for line in told("moodlegrants", "--server", "mariadb", "--release", "4.5"))


def test_a_run_is_paused_resumed_and_cancelled(installation: Installation) -> None:
    run = installation.queue("/in.csv", HEADER + GOOD)
    for option, state in (
        ("--pause", RunState.PAUSED),
        ("--resume", RunState.QUEUED),
        ("--cancel", RunState.CANCELLED),
    ):
        assert told("controlrun", str(run.pk), option)["state"] == state
    for option in ("--pause", "--cancel"):
        status, text = call("controlrun", str(run.pk), option)
        assert (status, "not in a state" in text) == (3, True)


def test_files_are_put_there_read_and_deleted(installation: Installation, tmp_path: Path) -> None:
    path = tmp_path / "userimport.csv"
    path.write_text(HEADER + GOOD)
    added = told("files", "--add", str(path), "--folder", "/in/")[0]
    assert (added["path"], added["type"], added["size"]) == ("/in/userimport.csv", "users", len(HEADER + GOOD))
    status, text = call("files", "--add", str(path), "--folder", "/in/")
    assert (status, "/in/userimport.csv" in text) == (2, True)
    assert call("files", "--add", str(path), "--folder", "/in/", "--replace")[0] == 0
    own = told("files", "--add", str(path), "--type", "courses")[0]
    assert own["type"] == "courses"
    assert call("files", "--add", str(path), "--type", "courses", "--replace")[0] == 3
    assert call("files", "--get", str(own["file"]))[1] == HEADER + GOOD
    assert [file["file"] for file in told("files", "--type", "users")] == [added["file"]]
    assert told("files", "--delete", str(own["file"]))[0]["file"] == own["file"]
    assert call("files", "--get", str(own["file"]))[0] == 3
    assert not CommandFile.objects.filter(pk=own["file"]).exists()


def test_files_of_runs_are_written_wherever_they_are_kept(installation: Installation) -> None:
    run = installation.carry_out("/in.csv", HEADER + GOOD + BAD)
    status, text = call("runfiles", str(run.pk), "--get", "tryback")
    assert (status, "eve;Eve;Fox;no" in text) == (0, True)
    assert {file["kind"] for file in told("runfiles", "--kind", "tryback")} == {"tryback"}
    for words in (("--get", "tryback"), ("4711", "--get", "tryback")):
        assert call("runfiles", *words)[0] == 3


def test_options_of_a_file_type_are_set_and_reset(installation: Installation) -> None:
    shown = told("filetypes", "users", "--set", "primaryidentity=username", "--set", "allowrename=1")
    assert (shown["options"]["primaryidentity"], shown["options"]["allowrename"]) == ("username", True)
    assert {column["name"] for column in shown["columns"]} >= {"username", "email"}
    assert told("filetypes", "users", "--reset", "allowrename")["options"]["allowrename"] is False
    assert ProcessorSettings.objects.get(processor="users").values == {"primaryidentity": "username"}
    for words in (("--set", "shoesize=43"), ("--reset", "shoesize"), ("--set", "primaryidentity=shoe")):
        assert call("filetypes", "users", *words)[0] == 3
    assert ProcessorSettings.objects.get(processor="users").values == {"primaryidentity": "username"}


def test_schedules_are_made_changed_and_deleted(installation: Installation, tmp_path: Path) -> None:
    chosen: dict[str, Any] = {"name": "Nightly", "file_types": ["users"], "kind": "daily", "at": "02:15"}
    path = tmp_path / "schedule.json"
    path.write_text(json.dumps({**chosen, "enabled": True, "notifications": {"recipients": ["it@example.org"]}}))
    assert call("schedules", "--make", "--from", str(path))[0] == 0
    made = Schedule.objects.get(name="Nightly")
    assert (made.recipients, made.enabled, made.owner_name) == (["it@example.org"], True, "")
    path.write_text(json.dumps({**chosen, "at": "03:30"}))
    call("schedules", "--change", str(made.pk), "--from", str(path))
    found = next(facts for facts in told("schedules") if facts["name"] == "Nightly")
    assert (found["at"], found["on"]) == ("03:30", False)
    path.write_text(json.dumps({**chosen, "together": True}))
    call("schedules", "--change", str(made.pk), "--from", str(path))
    path.write_text(json.dumps({**chosen, "at": "04:30"}))
    call("schedules", "--change", str(made.pk), "--from", str(path))
    made.refresh_from_db()
    assert (f"{made.at:%H:%M}", made.together) == ("04:30", True)
    for wrong, status in (('{"at": "25:00"}', 3), ("{", 2), ("[1]", 3), (json.dumps({**chosen, "more": 1}), 3)):
        path.write_text(wrong)
        assert call("schedules", "--make", "--from", str(path))[0] == status, wrong
    assert call("schedules", "--delete", str(made.pk))[0] == 0
    assert not Schedule.objects.filter(name="Nightly").exists()
    assert call("schedules", "--sequence", "4711")[0] == 3


def test_a_source_is_set_without_a_secret_in_the_command_line(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = {"kind": "address", "location": "sftp://example.org/in/users.csv", "username": "it", "password": "hidden"}
    standard_input(monkeypatch, json.dumps(chosen))
    status, text = call("sources", "users", "--put", "-", "--json")
    assert (status, json.loads(text)["kind"], "hidden" in text) == (0, "address", False)
    standard_input(monkeypatch, json.dumps({"kind": "inbox", "inbox": "nowhere", "location": "x"}))
    assert call("sources", "users", "--put", "-")[0] == 3
    assert call("sources", "--put", "-")[0] == 3


def test_rows_and_files_come_from_standard_input(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"username": "neo", "firstname": "Thomas", "lastname": "Anderson", "email": "neo@example.org"}
    standard_input(monkeypatch, json.dumps([row]))
    assert told("plan", "users", "-", "--rows")["counts"]["created"] == 1
    standard_input(monkeypatch, HEADER + GOOD)
    assert told("runsync", "users", "-")["counts"]["created"] == 1
    assert installation.moodle.one("user", username="bob")
    for wrong, status in (('[{"shoesize": 43}]', 2), ('[{"username": NaN}]', 2), ("[]", 3), ("7", 3)):
        standard_input(monkeypatch, wrong)
        assert call("plan", "users", "-", "--rows")[0] == status, wrong
    assert SyncRun.objects.count() == 2


def test_limits_sticky_fields_and_notifications_are_set_and_given_up(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for command, sent, key, value in (
        ("limits", {"limits": {"users.deleted": {"percent": None, "number": 5}}}, "is_own", True),
        ("stickyfields", {"rules": {"city": "never"}}, "rules", {"city": "never"}),
        (
            "notificationrules",
            {"recipients": {"failure": ["it@example.org"]}, "expected_at": "06:30"},
            "expected_at",
            "06:30",
        ),
    ):
        standard_input(monkeypatch, json.dumps(sent))
        assert told(command, "users", "--put", "-")[key] == value
        assert told(command, "users")[key] == value
        standard_input(monkeypatch, json.dumps({**sent, "more": 1}))
        assert call(command, "users", "--put", "-")[0] == 3
        status = call(command, "users", "--delete")[0]
        assert status == (3 if command == "stickyfields" else 0)
    assert call("stickyfields", "all")[0] == 3
    assert told("limits", "users")["is_own"] is False
    assert "users.deleted" in call("limits", "all")[1]


def test_scopes_freeze_windows_and_the_webhook_are_set_tried_and_given_up(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = {"limits": {"courses.deleted": {"percent": None, "number": 5}}}
    standard_input(monkeypatch, json.dumps({"kind": "category", "name": "1", **limit}))
    (made,) = told("scopelimits", "all", "--make", "-")
    assert (made["limits"]["courses.deleted"]["number"], set(made["found"])) == (5, {"courses", "categories", "enrolments",
        "roles", "groups", "group_members", "methods"})  # fmt: skip
    standard_input(monkeypatch, json.dumps({"name": "1", "limits": {}}))
    (changed,) = told("scopelimits", "all", "--change", str(made["id"]), "-")
    assert changed["limits"]["courses.deleted"]["number"] is None
    assert call("scopelimits", "all")[1] == f"{made['id']}\tcategory\t1\n"
    standard_input(monkeypatch, json.dumps({"kind": "category", "name": "nowhere", **limit}))
    assert call("scopelimits", "all", "--make", "-")[0] == 3
    for number in ("x", "9" * 40, "0"):
        assert call("scopelimits", "all", "--change", number, "-")[0] == 3
    assert call("scopelimits", "users", "--delete", str(made["id"]))[0] == 3
    assert told("scopelimits", "all", "--delete", str(made["id"])) == []

    starts = timezone.now() + timedelta(days=1)
    window = {"starts_at": starts.isoformat(), "ends_at": (starts + timedelta(hours=2)).isoformat(), "reason": "Exams"}
    standard_input(monkeypatch, json.dumps(window))
    (frozen,) = told("freezewindows", "--make", "-")
    standard_input(monkeypatch, json.dumps({**window, "ends_at": window["starts_at"]}))
    assert call("freezewindows", "--make", "-")[0] == 3
    assert "Exams" in call("freezewindows")[1]
    assert call("freezewindows", "--delete", "9" * 40)[0] == 3
    assert told("freezewindows", "--delete", str(frozen["id"])) == []

    assert call("webhook")[0] == 3
    closed = "https://localhost:1/hook?s3cret"
    standard_input(monkeypatch, json.dumps({"address": closed, "make_key": True, "events": ["held"]}))
    put = told("webhook", "--put", "-")
    assert (put["host"], put["key"][:6]) == ("https://localhost:1", "whsec_")
    assert put["key"] not in call("webhook", "--json")[1]
    assert call("webhook", "--test")[0] == 3
    assert call("webhook", "--delete")[0] == 0
    assert call("webhook")[0] == 3
    assert told("notifications") == []
    assert call("notifications", "--limit", "0")[0] == 3


def test_mappings_are_kept_used_and_dropped(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = {
        "file_type": "users", "name": "Payroll", "header": ["login"],
        "steps": [{"step": "copy", "target": "username", "source": "login"}],
    }  # fmt: skip
    standard_input(monkeypatch, json.dumps(sent))
    (kept,) = told("mappings", "--keep", "-")
    assert set(kept) == documented()["mappings"]
    assert (kept["version"], kept["used"]) == (1, True)
    for option, used in (("--drop", False), ("--use", True)):
        assert told("mappings", option, str(kept["mapping"]))[0]["used"] is used
    assert [mapping["name"] for mapping in told("mappings", "--type", "users")] == ["Payroll"]
    assert call("mappings", "--use", "4711")[0] == 3
    for wrong, status in (({"file_type": "shoes"}, 3), ({"steps": [{"step": "copy", "target": "username"}]}, 2)):
        standard_input(monkeypatch, json.dumps({**sent, **wrong}))
        assert call("mappings", "--keep", "-")[0] == status


def test_failed_rows_are_mended_at_the_shell(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    run = installation.carry_out("/in.csv", HEADER + GOOD + BAD)
    assert told("mend", str(run.pk))["rows"][0]["cells"] == ["eve", "Eve", "Fox", "no"]
    standard_input(monkeypatch, json.dumps({"rows": [{"line": 3, "cells": {"email": "eve@x.org"}}]}))
    plan = told("mend", str(run.pk), "--send", "-")
    assert (plan["state"], plan["counts"]["created"]) == ("completed", 1)
    assert (SyncRun.objects.get(pk=plan["run"]).mends_id, call("apply", str(plan["run"]))[0]) == (run.pk, 0)
    assert installation.moodle.one("user", username="eve")["email"] == "eve@x.org"
    standard_input(monkeypatch, json.dumps({"rows": [{"line": 9}]}))
    assert call("mend", str(run.pk), "--send", "-")[0] == 3
    assert call("mend", str(plan["run"]))[0] == 3


def test_health_says_what_is_dead_by_its_status(installation: Installation) -> None:
    facts = told("health")
    assert facts["level"] in ("ok", "warning", "error")
    HealthRecord.objects.all().delete()
    status, text = call("health", "--site", "main")
    assert (status == 1) == ("error" in {line.split("\t")[0] for line in text.splitlines()})
    assert call("health", "--site", "moon")[0] == 3


def test_the_audit_is_read_and_narrowed(installation: Installation) -> None:
    installation.carry_out("/in.csv", HEADER + GOOD)
    call("filetypes", "users", "--set", "allowrename=1")
    lines = [json.loads(line) for line in call("audit", "--json")[1].splitlines()]
    assert next(line["kind"] for line in lines) == "settings"
    assert {line["subject"] for line in lines} >= {"bob"}
    assert [json.loads(line)["subject"] for line in call("audit", "--user", "bob", "--json")[1].splitlines()] == ["bob"]
    assert len(call("audit", "--most", "1")[1].splitlines()) == 1
    assert call("audit", "--until", "2001-01-01")[1] == ""


def standard_input(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
