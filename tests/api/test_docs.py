"""Every example of docs/api.md does what it says."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from sync.models import ChunkedUpload, CommandFile, MoodleSite, RunState, SyncRun
from sync.people.tokens import make_token
from sync.runs.services import execute_run
from tests.api.conftest import EVERYTHING
from tests.installation import Installation

DOCS = Path(__file__).resolve().parents[2] / "docs" / "api.md"
EXAMPLE = re.compile(r"```sh\n(curl .*?)```\n\n```(?:json|csv)\n(.*?)```", re.DOTALL)
USERS = b"username;firstname;lastname;email\nneo;Neo;One;n@example.org\n"
NUMBER = re.compile(r"/(uploads|runs|plans)/([0-9]+)")
# What lies in the files of the examples; all others are files of users.
CONTENT = {"cohorts.csv": b"cname;cidnumber;userid\nFreshers;FRESH;neo\n"}
SITE = "http://testserver"


class Call(NamedTuple):
    """What a line of curl asks for. Shape: form: of -F; files are named with @"""

    method: str
    url: str
    headers: dict[str, str]
    body: str | None
    form: dict[str, list[str]]


def read(command: str) -> Call:
    """Read a line of curl. Raises: AssertionError for what this test doesn't know"""
    words = iter(shlex.split(command.replace("\\\n", " "))[1:])
    method, url, body = "", "", None
    headers: dict[str, str] = {}
    form: dict[str, list[str]] = {}
    for word in words:
        if word == "-X":
            method = next(words)
        elif word == "-H":
            name, _colon, value = next(words).partition(": ")
            headers[name] = value
        elif word in ("-d", "--data-binary"):
            body = next(words)
        elif word == "-F":
            name, _is, value = next(words).partition("=")
            form.setdefault(name, []).append(value)
        else:
            assert not word.startswith("-"), word
            url = word
    return Call(method or ("POST" if body or form else "GET"), url, headers, body, form)


def ask(call: Call, secret: str) -> Any:
    url = call.url.replace("$SITE", SITE).removeprefix(SITE)
    headers = {name: value.replace("$TOKEN", secret) for name, value in call.headers.items()}
    kind = headers.pop("Content-Type", "application/octet-stream")
    client = Client()
    if call.form:
        form = {name: [_field(value) for value in values] for name, values in call.form.items()}
        return client.post(url, form, headers=headers)
    body = USERS if call.body and call.body.startswith("@") else (call.body or "").encode()
    return client.generic(call.method, url, body, content_type=kind, headers=headers)


def _field(value: str) -> Any:
    return SimpleUploadedFile(value[1:], CONTENT.get(value[1:], USERS)) if value.startswith("@") else value


def holds(told: Any, promised: Any) -> bool:
    """Whether an answer has what the page shows of it."""
    if isinstance(promised, dict):
        return isinstance(told, dict) and all(name in told and holds(told[name], promised[name]) for name in promised)
    if isinstance(promised, list) and promised and isinstance(promised[0], dict):
        return len(told) == len(promised) and all(map(holds, told, promised))
    return bool(told == promised)


def test_every_example_is_found() -> None:
    text = DOCS.read_text()
    assert len(EXAMPLE.findall(text)) == text.count("```sh") == text.count("```json") + text.count("```csv") > 7


def test_every_example_does_what_it_says(installation: Installation) -> None:
    """In their order: each stands on those before it. Numbers are those of the records, in the order in which they were made."""
    person = User.objects.create_superuser("sis")
    north = MoodleSite.objects.create(slug="north", name="North")
    made = make_token(
        person, installation.site, person, name="docs", scopes=EVERYTHING, file_types=[], days=30, further_sites=[north]
    )
    for command, promised in EXAMPLE.findall(DOCS.read_text()):
        call = numbered(read(command))
        answer = ask(call, made.secret)
        if promised.startswith("{"):
            wanted = json.loads(promised)
            assert answer.status_code < 300 or answer.status_code == wanted.get("status"), (command, answer.content)
            assert holds(answer.json(), wanted), (command, answer.json())
        else:
            assert answer.getvalue().decode("utf-8-sig").startswith(promised.strip()), command
        # The workers.
        for run in SyncRun.objects.filter(state=RunState.QUEUED, bundle=None, site=installation.site).order_by("pk"):
            execute_run(run.pk)


def numbered(call: Call) -> Call:
    """Return a call with the numbers that records have here in place of those of the page."""
    asked = SyncRun.objects.filter(site__slug="main").exclude(origin=SyncRun.Origin.PLAN)
    for noun, records in (("uploads", ChunkedUpload.objects.all()), ("runs", asked), ("plans", asked)):
        ids = list(records.order_by("pk").values_list("pk", flat=True))
        call = call._replace(url=NUMBER.sub(_real(noun, ids), call.url))
    file = CommandFile.objects.order_by("pk").first()
    if call.body:
        # A period that isn't over, whenever the tests run.
        call = call._replace(body=call.body.replace("2027-", f"{timezone.now().year + 1}-"))
    if file is not None and call.body:
        call = call._replace(body=call.body.replace('"file": 1,', f'"file": {file.pk},'))
    return call


def _real(noun: str, ids: list[int]) -> Callable[[re.Match[str]], str]:
    return lambda found: f"/{noun}/{ids[int(found[2]) - 1]}" if found[1] == noun else found[0]
