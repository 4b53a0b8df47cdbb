"""Passwords planted wherever a file or a setting may hold one: no store but command files, trybacks and archives has them."""

from __future__ import annotations

import gzip
import io
import logging
from collections.abc import Iterator
from itertools import count

import openpyxl
import pytest
from django.apps import apps
from django.core import mail
from pytest_django import Settings

from sync.models import Source, SyncRun, Webhook
from sync.moodle.database import MoodleConnection
from sync.runs import services, sources, webhooks
from sync.runs.connections import sealed
from sync.runs.sealing import seal
from tests.installation import Installation

_numbers = count(1)
MARK = "Hunter"


def secret() -> str:
    """Return a password of its own that any policy of Moodle accepts."""
    return f"{MARK}2#plant{next(_numbers):02d}"


def users(*rows: str, header: str = "username;firstname;lastname;email;password") -> str:
    return "\n".join((header, *rows, ""))


def workbook() -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in (
        ["username", "firstname", "lastname", "email", "password"],
        ["wes", "Wes", "Kay", "wes@x.org", secret()],
        ["wim", "Wim", "Kay", "no address", secret()],
        ["#out", "Out", "Kay", "out@x.org", secret()],
    ):
        book.active.append(row)
    book.save(out)
    return out.getvalue()


FILES: dict[str, tuple[str | bytes, dict[str, object]]] = {
    "taken.csv": (users(f"tia;Tia;Kay;tia@x.org;{secret()}"), {}),
    "rejected.csv": (users(f"rex;Rex;Kay;no address;{secret()}", f";Rex;Kay;rex@x.org;{secret()}"), {}),
    "twice.csv": (users(f"tom;Tom;Kay;tom@x.org;{secret()}", f"tom;Tom;Kay;tom@x.org;{secret()}"), {}),
    "long.csv": (users(f"lia;Lia;Kay;lia@x.org;{secret() + 'x' * 200}"), {}),
    "extra.csv": (users(f"eve;Eve;Kay;eve@x.org;{secret()};{secret()}"), {}),
    "comments.csv": (users(f"#{secret()};a;b;c;d", f"(old;a;b;c;{secret()}"), {}),
    "first.csv": (f"password;username;firstname;lastname;email\n#{secret()};a;b;c;d\n-{secret()};a;b;c;d\n", {}),
    "unknown.csv": (
        users(
            f"una;Una;Kay;una@x.org;{secret()};{secret()}", header="username;firstname;lastname;email;Kennwort;mot de passe"
        ),
        {"invalidnamesnocheck": True},
    ),
    "headerless.csv": (f"ann;Ann;Lee;ann@x.org;{secret()}\n", {}),
    "nearly.csv": (f"email;Ann;Lee;ann@x.org;{secret()}\n", {}),
    "lenient.csv": (f"username;{secret()};firstname;lastname;email\nlen;x;Len;Kay;len@x.org\n", {"invalidnamesnocheck": True}),
    "quote.csv": (users(f'kim;Kim;Kay;kim@x.org;"{secret()}'), {}),
    "bytes.csv": (users("bea;Bea;Kay;bea@x.org;").encode() + secret().encode() + b"\xff\x9d\n", {"encoding": "UTF-8"}),
    "book.xlsx": (workbook(), {}),
}  # fmt: skip


@pytest.fixture
def full(installation: Installation, settings: Settings) -> Installation:
    """Give an installation whose own settings hold secrets, too."""
    site = installation.site
    Source.objects.create(
        site=site, processor="courses", secret=seal(sources.PURPOSE, {"password": secret(), "query": secret()})
    )
    Webhook.objects.create(
        site=site, secret=seal(webhooks.PURPOSE, {"address": f"https://x.org/{secret()}", "key": secret()})
    )
    other = type(site).objects.create(slug="other", name="Other")
    other.connection = sealed(MoodleConnection(f"mysql://moodle:{secret()}@db/moodle", "mdl_", peppers=(secret(),)))
    other.save()
    return installation


def stores(installation: Installation) -> Iterator[tuple[str, str]]:
    """Return the name and the content of everything that isn't a command file, a tryback or an archive."""
    for model in apps.get_models():
        for record in model.objects.values():
            yield f"table {model._meta.db_table}", str({name: _text(value) for name, value in record.items()})
    root = installation.folder / installation.site.slug
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if path.is_file() and not name.startswith(("inbox/", "archives/")) and "tryback" not in name:
            content = path.read_bytes()
            yield f"file {name}", (gzip.decompress(content) if name.endswith(".gz") else content).decode("latin-1")
    for message in mail.outbox:
        yield "mail", f"{message.subject}\n{message.body}"


def _text(value: object) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)


def test_a_secret_is_where_it_has_to_be_and_nowhere_else(full: Installation, caplog: pytest.LogCaptureFixture) -> None:
    assert next(_numbers) > 24
    with caplog.at_level(logging.INFO):
        for name, (content, options) in FILES.items():
            for simulate in (True, False):
                run = full.queue(f"/{name}", content, simulate=simulate, **options)
                services.execute_run(run.pk)
    assert SyncRun.objects.count() == 2 * len(FILES)
    told = [*stores(full), ("log", caplog.text)]
    assert {kind.split()[0] for kind, _content in told} >= {"table", "file", "log"}
    assert any(place.endswith(".gz") and "account_created" in content for place, content in told)
    for place, content in told:
        at = content.find(MARK)
        assert at < 0, f"{place}: {content[max(0, at - 150) : at + 60]}"
