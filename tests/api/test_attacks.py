"""What an attacker sends: numbers of another site, keys of another request, pieces that don't fit, bodies that cost time."""

from __future__ import annotations

import json
import time
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sync.commandfiles import chunked_uploads
from sync.mappings.column_mapping import ColumnMapping
from sync.mappings.steps import Copy
from sync.models import (
    Bundle,
    ChunkedUpload,
    CommandFile,
    FreezeWindow,
    GraceEntry,
    MoodleSite,
    Notification,
    Schedule,
    ScopeLimits,
    SequenceRun,
    SyncRun,
)
from sync.notifications.webhooks import WebhookChoice, save_webhook
from sync.people.tokens import make_token
from sync.runs.mappings import save_mapping
from sync.runs.rights import OPERATOR
from tests.api.conftest import MakeProgram, Program, problem_of
from tests.web.conftest import MakeFile, MakeRun

# What is far from any number that a database has.
NUMBERS = ("0", "9223372036854775808", "9" * 40, "9" * 5000, "-1", "1.0", "٣", "0x1", "1%00", "1;2", "null")


def shortened(value: str) -> str:
    """Return the name of a case."""
    return ascii(value[:20])


@pytest.fixture
def elsewhere(site: MoodleSite, make_file: MakeFile, make_run: MakeRun, root: Program) -> dict[str, int]:
    """Things of another site. Shape: name of the parameter -> number"""
    file, run = make_file(), make_run()
    bundle = Bundle.objects.create(site=site, name="b", processors=["users"])
    SyncRun.objects.filter(pk=make_run("unconfirmed").pk).update(bundle=bundle)
    mapping = save_mapping(site, "users", "Ours", ColumnMapping((Copy("username", "login"),)), ["login"], by=OPERATOR)
    numbers = {
        "file": file.pk, "run": run.pk, "bundle": bundle.pk, "mapping": mapping.pk,
        "schedule": Schedule.objects.create(site=site, processors=["users"], kind="daily").pk,
        "sequence": SequenceRun.objects.create(site=site, processors=["users"]).pk,
        "upload": root.post("uploads", {"name": "big.csv", "size": 3}).json()["id"],
        "scope": ScopeLimits.objects.create(site=site, kind="category", name="1").pk,
        "window": FreezeWindow.objects.create(
            site=site, starts_at=timezone.now(), ends_at=timezone.now() + timedelta(days=1)
        ).pk,
        "entry": GraceEntry.objects.create(
            site=site, table="user", rowid=3, name="u", run=run, line=2, day=date(2030, 1, 1)
        ).pk,
    }  # fmt: skip
    other = MoodleSite.objects.create(slug="other", name="Other")
    for model in (
        Bundle, ChunkedUpload, CommandFile, FreezeWindow, GraceEntry, Schedule, ScopeLimits, SequenceRun, SyncRun
    ):  # fmt: skip
        model._default_manager.update(site=other)
    type(mapping)._default_manager.update(site=other)
    Notification.objects.create(site=other, event="failure", channel="mail", processor="users")
    save_webhook(other, WebhookChoice("https://hooks.example.org/x", "k" * 24, ["failure"]))
    return numbers


def test_nothing_of_another_site_is_reached_by_its_number(root: Program, elsewhere: dict[str, int]) -> None:
    n = elsewhere
    file, upload, run, bundle = (f"{noun}s/{n[noun]}" for noun in ("file", "upload", "run", "bundle"))
    scope, window = f"file-types/all/scope-limits/{n['scope']}", f"freeze-windows/{n['window']}"
    mapping, schedule = f"mappings/{n['mapping']}", f"schedules/{n['schedule']}"
    addresses: list[tuple[str, str, Any]] = [
        ("GET", file, None), ("GET", f"{file}/content", None), ("DELETE", file, None),
        ("POST", "plans", {"file": n["file"]}), ("POST", "runs", {"file": n["file"]}),
        ("POST", "bundles", {"files": [n["file"]]}),
        ("GET", upload, None), ("PATCH", upload, b"abc"), ("DELETE", upload, None),
        ("GET", mapping, None), ("POST", f"{mapping}/switch", {"is_used": False}),
        ("GET", scope, None), ("PUT", scope, {"name": "1", "limits": {}}), ("DELETE", scope, None),
        ("GET", window, None), ("DELETE", window, None), ("POST", "webhook/test", {}), ("DELETE", "webhook", None),
        ("GET", "webhook", None), ("GET", schedule, None), ("DELETE", schedule, None),
        ("POST", f"{schedule}/start", {}), ("POST", f"{schedule}/switch", {"enabled": False}),
        ("GET", f"sequences/{n['sequence']}", None), ("POST", "deletions/take-off", {"entries": [n["entry"]]}),
        *[("GET", run + part, None) for part in ("", "/outcomes", "/reasons", "/rejected", "/files/report")],
        *[("POST", f"{run}/{what}", {}) for what in ("cancel", "pause", "resume", "undo")],
        ("POST", f"{run}/decide", {"decision": "approve"}), ("POST", f"{run}/mend", {"rows": [{"line": 2}]}),
        ("POST", f"plans/{n['run']}/apply", {}),
        ("GET", bundle, None), ("POST", f"{bundle}/decide", {"decision": "approve"}),
        *[("POST", f"{bundle}/{what}", {}) for what in ("cancel", "undo", "plan-again")],
    ]  # fmt: skip
    before = SyncRun.objects.count()
    for method, address, body in addresses:
        headers = {"Upload_Offset": "0"} if method == "PATCH" else {}
        problem_of(root.ask(method, address, body, **headers), 404, "not_found")
    assert root.get("file-types/all/scope-limits").json() == root.get("freeze-windows").json() == []
    for noun in ("notifications", "files", "runs", "plans", "bundles", "mappings", "deletions"):
        assert root.get(noun).json()["results"] == [], noun
    assert (SyncRun.objects.count(), CommandFile.objects.count(), Schedule.objects.filter(pk=n["schedule"]).count()) == (
        before, 1, 1
    )  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS, ids=shortened)
def test_numbers_that_no_record_has_are_not_there(number: str, root: Program) -> None:
    for address in (
        "runs/{}",
        "files/{}/content",
        "bundles/{}",
        "mappings/{}",
        "uploads/{}",
        "freeze-windows/{}",
        "file-types/users/scope-limits/{}",
        "sequences/{}",
        "runs/{}/rejected",
    ):
        problem_of(root.get(address.format(number)), 404, "not_found")
    answer = root.ask("POST", "plans", f'{{"file": {number}}}'.encode(), Content_Type="application/json")
    assert answer.status_code in (400, 404), answer.content
    answer = root.get(f"runs?file={number}")
    assert answer.status_code == 400 or answer.json()["results"] == []


def test_a_key_opens_no_answer_of_another_token(root: Program, program: MakeProgram, make_file: MakeFile) -> None:
    body = {"file": make_file().pk}
    first = root.post("plans", body, Idempotency_Key="k")
    other = program(name="other").post("plans", body, Idempotency_Key="k")
    assert (other.status_code, other.json()["id"] != first.json()["id"]) == (202, True)
    assert "Idempotent-Replayed" not in other
    for address, sent in (("runs", body), ("plans", {**body, "options": {}})):
        problem_of(root.post(address, sent, Idempotency_Key="k"), 422, "idempotency_key_reused")
    second = make_token(
        root.person,
        MoodleSite.objects.get(slug="main"),
        root.person,
        name="2",
        scopes=("read",),
        days=30,
        file_types=[],
    )
    problem_of(
        Program(root.person, second.secret, "main").post("plans", body, Idempotency_Key="k"), 403, "scope_missing"
    )
    for key in ("", " ", "ä", "x" * 256, "a b"):
        problem_of(root.post("plans", body, Idempotency_Key=key), 400, "idempotency_key_wrong")


@pytest.mark.parametrize(
    ("offset", "status", "code"),
    [
        ("-1", 400, "upload_offset_missing"), ("+1", 400, "upload_offset_missing"), ("1e1", 400, "upload_offset_missing"),
        ("", 400, "upload_offset_missing"), ("²", 400, "upload_offset_missing"), ("9" * 19, 400, "upload_offset_missing"),
        ("4", 409, "upload_offset_wrong"), ("2", 409, "upload_offset_wrong"), ("9" * 18, 409, "upload_offset_wrong"),
    ],
)  # fmt: skip
def test_pieces_with_holes_and_overlaps_change_nothing(offset: str, status: int, code: str, root: Program) -> None:
    address = root.post("uploads", {"name": "users.csv", "size": 9, "file_type": "users"})["Location"]
    assert root.ask("PATCH", address, b"abc", Upload_Offset="0").json()["offset"] == 3
    problem_of(root.ask("PATCH", address, b"xyz", Upload_Offset=offset), status, code)
    assert root.get(address).json()["offset"] == 3
    problem_of(root.ask("PATCH", address, b"0123456", Upload_Offset="3"), 422, "upload_too_long")
    for piece, at in ((b"def", "3"), (b"def", "3"), (b"ghi", "6"), (b"ghi", "6"), (b"", "0")):
        told = root.ask("PATCH", address, piece, Upload_Offset=at).json()
    assert root.get(told["file"]["content"]).getvalue() == b"abcdefghi"
    assert CommandFile.objects.count() == 1


def test_a_file_whose_maker_died_is_made_with_its_last_piece_sent_again(root: Program) -> None:
    address = root.post("uploads", {"name": "users.csv", "size": 3, "file_type": "users"})["Location"]
    chunked_uploads.add_piece(ChunkedUpload.objects.get(), 0, b"abc")
    for _time in range(2):
        told = root.ask("PATCH", address, b"abc", Upload_Offset="0").json()
        assert root.get(told["file"]["content"]).getvalue() == b"abc"
    assert CommandFile.objects.count() == 1


def test_an_upload_that_arrived_otherwise_is_gone(root: Program) -> None:
    address = root.post("uploads", {"name": "u.csv", "size": 3, "file_type": "users", "sha256": "0" * 64})["Location"]
    problem_of(root.ask("PATCH", address, b"abc", Upload_Offset="0"), 422, "upload_altered")
    problem_of(root.get(address), 404, "not_found")
    assert not CommandFile.objects.exists()


def test_no_upload_is_cut_into_more_pieces_than_can_be_listed(root: Program) -> None:
    address = root.post("uploads", {"name": "u.csv", "size": 30_000, "file_type": "users"})["Location"]
    ChunkedUpload.objects.update(offset=10_000, parts=["piece"] * 10_000)
    problem_of(root.ask("PATCH", address, b"a", Upload_Offset="10000"), 422, "upload_too_many_pieces")


@pytest.mark.parametrize("tag", ["", '""', "W/*", '"a", "b"', "*x", "\x7f", '"' + "x" * 5000 + '"'])
def test_what_is_no_tag_overwrites_nothing(tag: str, root: Program) -> None:
    body = {"options": {"allowrename": True}}
    problem_of(root.ask("PUT", "file-types/users/settings", body, If_Match=tag), 412, "changed_meanwhile")
    assert root.get("file-types/users/settings", If_None_Match=tag).status_code == 200


def many(count: int) -> str:
    return ", ".join(f'"c{number}": 1' for number in range(count))


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('{"rows": [{' + many(100_000) + ', "c99999": 1}]}', "body_unreadable"),
        ('{"rows": [{' + many(100_000) + "}]}", "header_without_known_column"),
        ('{"rows": [{"' + "x" * 1_000_000 + '": 1}]}', "header_without_known_column"),
        ("{" + many(100_000) + "}", "body_invalid"),
        ('{"rows": ' + "[" * 900_000 + "]" * 900_000 + "}", "body_unreadable"),
        ('{"rows": [' + "1," * 900_000 + "1]}", "rows_too_many"),
        ('{"rows": [{"username": 1e999}]}', "body_unreadable"),
        ('{"rows": [{"username": -0e0, "\\u0000": 1}]}', "header_unknown_column"),
    ],
    ids=[
        "a name twice",
        "many columns",
        "a long name",
        "many fields",
        "deep",
        "many rows",
        "too large a number",
        "NUL",
    ],
)
def test_no_body_costs_more_time_than_it_is_long(body: str, code: str, root: Program) -> None:
    began = time.process_time()
    answer = root.ask("POST", "users", body.encode(), Content_Type="application/json")
    assert answer.json()["code"] == code
    assert len(answer.content) < 20_000
    assert time.process_time() - began < 5
    assert not SyncRun.objects.exists()


@pytest.mark.parametrize("length", ["-5", "abc", "1e3", "9" * 30])
def test_a_length_that_is_none_is_refused(length: str, root: Program) -> None:
    given: dict[str, Any] = {"HTTP_AUTHORIZATION": f"Bearer {root.secret}", "CONTENT_LENGTH": length}
    answer = Client().generic("POST", f"{root.base}/plans", b"{}", content_type="application/json", **given)
    assert answer.status_code in (400, 413), answer.content
    assert json.loads(answer.content)["code"] in ("body_unreadable", "body_too_large", "body_invalid")


@pytest.mark.parametrize(
    "secret",
    ["", "tsk_", "tsk_" + "x" * 100_000, "tsk_\xff", "tsk_a b", "tsk_a, Bearer tsk_b", "Basic YTpi"],
    ids=shortened,
)
def test_what_is_no_token_opens_nothing(secret: str, root: Program) -> None:
    wrong = Program(root.person, secret, "main")
    assert wrong.get("runs").json()["code"] in ("token_missing", "token_unknown", "token_wrong")
    assert wrong.get("runs").status_code == 401


@pytest.mark.parametrize("slug", ["other", "MAIN", "main%2F..", "main%00", "..", "main ", "x" * 300])
def test_no_way_of_writing_a_site_leads_to_another(slug: str, root: Program) -> None:
    MoodleSite.objects.create(slug="other", name="Other")
    answer = root.get(f"/api/v1/sites/{slug}/runs")
    assert (answer.status_code, answer.json()["code"]) in [(403, "token_of_another_site"), (404, "not_found")]
