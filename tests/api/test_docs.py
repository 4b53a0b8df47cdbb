"""Every example of docs/api.md does what it says."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from sync.models import ChunkedUpload, CommandFile, MoodleSite, SyncRun
from sync.people.tokens import make_token
from tests.api.conftest import EVERYTHING

DOCS = Path(__file__).resolve().parents[2] / "docs" / "api.md"
EXAMPLE = re.compile(r"```sh\n(curl .*?)```\n\n```json\n(.*?)```", re.DOTALL)
USERS = b"username;firstname;lastname;email\nneo;Neo;One;n@example.org\n"
SITE = "http://testserver"


class Call(NamedTuple):
    """What a line of curl asks for. Shape: form: of -F; files are named with @"""

    method: str
    url: str
    headers: dict[str, str]
    body: str | None
    form: dict[str, str]


def read(command: str) -> Call:
    """Read a line of curl. Raises: AssertionError for what this test doesn't know"""
    words = iter(shlex.split(command.replace("\\\n", " "))[1:])
    method, url, body = "", "", None
    headers: dict[str, str] = {}
    form: dict[str, str] = {}
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
            form[name] = value
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
        form = {n: SimpleUploadedFile(v[1:], USERS) if v.startswith("@") else v for n, v in call.form.items()}
        return client.post(url, form, headers=headers)
    body = USERS if call.body and call.body.startswith("@") else (call.body or "").encode()
    return client.generic(call.method, url, body, content_type=kind, headers=headers)


def holds(told: Any, promised: Any) -> bool:
    """Whether an answer has what the page shows of it."""
    if isinstance(promised, dict):
        return isinstance(told, dict) and all(name in told and holds(told[name], promised[name]) for name in promised)
    if isinstance(promised, list) and promised and isinstance(promised[0], dict):
        return len(told) == len(promised) and all(map(holds, told, promised))
    return bool(told == promised)


def test_every_example_is_found() -> None:
    text = DOCS.read_text()
    assert len(EXAMPLE.findall(text)) == text.count("```sh") == text.count("```json") > 7


@pytest.mark.usefixtures("own_storage")
def test_every_example_does_what_it_says(site: MoodleSite) -> None:
    """In their order: each stands on those before it. Numbers are those of the first file, upload and run."""
    person = User.objects.create_superuser("sis")
    secret = make_token(person, site, person, name="docs", scopes=EVERYTHING, file_types=[], days=30).secret
    numbers: dict[str, Any] = {"uploads": ChunkedUpload, "runs": SyncRun}
    for command, promised in EXAMPLE.findall(DOCS.read_text()):
        call = read(command)
        for noun, model in numbers.items():
            first = model.objects.order_by("pk").first()
            if first is not None:
                call = call._replace(url=call.url.replace(f"/{noun}/1", f"/{noun}/{first.pk}"))
        wanted = json.loads(promised)
        if call.body and '"file": 1' in call.body:
            file = CommandFile.objects.order_by("pk").first()
            assert file is not None
            call = call._replace(body=call.body.replace('"file": 1', f'"file": {file.pk}'))
            wanted["file_id"] = file.pk
        answer = ask(call, secret)
        assert answer.status_code < 300 or answer.status_code == wanted.get("status"), (command, answer.content)
        assert holds(answer.json(), wanted), (command, answer.json())
