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
from django.contrib.auth.models import User
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from sync.encryption import encrypt
from sync.models import CommandFile, Event, Notification, Source, SyncRun
from sync.moodle.db.database import MoodleConnection
from sync.notifications.services import RuleChoice, save_rule, send_notification
from sync.notifications.webhooks import WebhookChoice, save_webhook
from sync.runs import services, source_settings as sources
from sync.runs.connections import sealed
from tests.installation import Installation
from tests.notification_servers import HookServer

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
    "email.csv": (users(f"eva;Eva;Kay;{secret()};eva@x.org"), {}),
    "username.csv": (users(f"{secret()};Uli;Kay;uli@x.org;uli"), {}),
    "country.csv": (
        users(f"cat;Cat;Kay;cat@x.org;{secret()};", header="username;firstname;lastname;email;country;password"), {}),
    "both.csv": (users(f"bot;Bot;Kay;{(both := secret())};{both}", f"b2;{(both := secret())};Kay;b2@x.org;{both}"), {}),
    "within.csv": (users(f"wit;Wit;Kay;mailto {(both := secret())}!;{both}"), {}),
    "lang.csv": (
        users(f"lan;Lan;Kay;lan@x.org;{secret()};{secret()}", header="username;firstname;lastname;email;lang;Contraseña"),
        {"invalidnamesnocheck": True},
    ),
    "left.csv": (
        users(f"lef;Lef;Kay;lef@x.org;{secret()};{secret()}", header="username;firstname;lastname;email;timezone;password"),
        {"skipinvalidcells": True},
    ),
    "reason.csv": (
        users(
            f"rea;Rea;Kay;nowhere;{secret()};{secret()}", header="username;firstname;lastname;email;password;_reason"
        ),
        {},
    ),
    "maiden.csv": (
        users(f"mai;Mai;Kay;nowhere;{secret()};{secret()}", header="username;firstname;lastname;email;password;maiden"),
        {"invalidnamesnocheck": True},
    ),
}  # fmt: skip
PAGES = ("home", "files", "runs", "sources", "feeds", "notification_rules", "courses", "settings")


@pytest.fixture
def hooks(settings: Settings) -> Iterator[HookServer]:
    settings.TOOLSYNC_FETCH_HOSTS = ["localhost"]
    server = HookServer()
    yield server
    server.stop()


@pytest.fixture
def full(installation: Installation, hooks: HookServer) -> Installation:
    """Return an installation whose own settings hold secrets, too."""
    site = installation.site
    Source.objects.create(
        site=site, processor="courses", secret=encrypt(sources.PURPOSE, {"password": secret(), "query": secret()})
    )
    save_webhook(site, WebhookChoice(f"{hooks.address}/{secret()}", secret() * 2, list(Event.values)))
    save_rule(site, "", RuleChoice({event: ["people@example.org"] for event in Event.values}, attach_report=True))
    other = type(site).objects.create(slug="other", name="Other")
    other.connection = sealed(MoodleConnection(f"mysql://moodle:{secret()}@db/moodle", "mdl_", peppers=(secret(),)))
    other.save()
    return installation


def stores(installation: Installation) -> Iterator[tuple[str, str]]:
    """Return the name and the content of everything that isn't a command file, a tryback or an archive."""
    for model in apps.get_models():
        for record in model._default_manager.values():
            yield f"table {model._meta.db_table}", str({name: _text(value) for name, value in record.items()})
    root = installation.folder / installation.site.slug
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        if path.is_file() and not name.startswith(("inbox/", "archives/")) and "tryback" not in name:
            content = path.read_bytes()
            yield f"file {name}", (gzip.decompress(content) if name.endswith(".gz") else content).decode("latin-1")
    for message in mail.outbox:
        yield "mail", f"{message.subject}\n{message.body}\n{message.attachments}"


def pages(admin: User) -> Iterator[tuple[str, str]]:
    """Return what somebody with every permission sees: lists, forms, and of each file and run every page."""
    client = Client()
    client.force_login(admin)
    for name in PAGES:
        yield f"page {name}", client.get(reverse(name)).text
    for key in ("users", "courses"):
        yield f"page source {key}", client.get(reverse("source", args=[key])).text
    for file in CommandFile.objects.all():
        yield (
            f"page preview {file.name}",
            client.get(reverse("tool_preview", args=["users"]), {"command_file": file.pk}).text,
        )
        yield f"page tool {file.name}", client.get(reverse("tool", args=["users"]), {"command_file": file.pk}).text
    for name, (content, _options) in FILES.items():
        upload = SimpleUploadedFile(name, content if isinstance(content, bytes) else content.encode())
        refused = client.post(reverse("tool", args=["users"]), {"upload": upload, "encoding": "no such encoding"})
        assert refused.status_code in (200, 422)
        yield f"page refused form {name}", refused.text
    for run in SyncRun.objects.all():
        for name in ("run", "run_progress", "run_outcomes", "run_report"):
            answer = client.get(reverse(name, args=[run.pk]))
            yield f"page {name} {run.pk}", b"".join(answer).decode("latin-1")


def _text(value: object) -> str:
    return bytes(value).decode("latin-1") if isinstance(value, bytes | memoryview) else str(value)


def tell(installation: Installation) -> None:
    """Send what is owed to people and to the web server that takes webhooks."""
    notices = Notification.objects.filter(site=installation.site)
    for notice in notices:
        send_notification(notice.pk)
    assert {notice.channel for notice in notices} == set(Notification.Channel.values)
    assert not notices.filter(sent_at=None).exists()


def test_a_secret_is_where_it_has_to_be_and_nowhere_else(
    full: Installation, hooks: HookServer, admin_user: User, caplog: pytest.LogCaptureFixture
) -> None:
    assert next(_numbers) > 24
    with caplog.at_level(logging.INFO):
        for name, (content, options) in FILES.items():
            for simulate in (True, False):
                run = full.queue(f"/{name}", content, simulate=simulate, **options)
                services.execute_run(run.pk)
    assert SyncRun.objects.count() == 2 * len(FILES)
    tell(full)
    sent = [("webhook", body.decode()) for _headers, body in hooks.received]
    told = [*stores(full), *pages(admin_user), *sent, ("log", caplog.text)]
    assert {kind.split()[0] for kind, _content in told} == {"table", "file", "log", "page", "mail", "webhook"}
    assert any(place.endswith(".gz") and "account_created" in content for place, content in told)
    # What undoes a run holds rows as Moodle holds them, also where somebody has typed a password as a first name; no page has it.
    told = [(place, content) for place, content in told if "/journal/" not in place]
    found = {place: content.casefold().find(MARK.casefold()) for place, content in told}
    assert not {place: content[max(0, at - 150) : at + 60] for place, content in told if (at := found[place]) >= 0}
