"""Addresses whose passwords an error might quote: whatever goes wrong on the way, nobody reads them.

The errors are those of the real drivers: nobody answers, no such host, a wrong password, a certificate, a login that can't be
sent, an address that was written wrong.
"""

from __future__ import annotations

import io
import logging
import logging.config
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings as project_settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from sync.models import Event, Notification, Source, SyncRun
from sync.moodle.db.database import MoodleConnection
from sync.notifications.mails import MailSender
from sync.notifications.password_mails import send_password_mail
from sync.notifications.services import RuleChoice, notify, save_rule, send_notification
from sync.notifications.webhooks import WebhookChoice, save_webhook
from sync.processors.base.plan import Mail
from sync.runs import services
from sync.runs.connections import sealed
from sync.runs.source_settings import SourceChoice, save_source
from sync.schedules.fetch_files import fetch_files
from tests.installation import Installation
from tests.notification_servers import MailServer
from tests.runs.test_planted_secrets import MARK, secret, stores
from tests.servers import MariaDB, PostgreSQL, free_port
from tests.source_servers import USER, FtpServer, SftpServer, WebServer
from toolsync_site.storages import storage_from_url

FILE = "username;firstname;lastname;email\nann;Ann;Lee;ann@x.org\n"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, as the log of the project has it."""
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    logging.config.dictConfig(project_settings.LOGGING)
    handler.setFormatter(logging.getLogger().handlers[0].formatter)
    logging.getLogger().addHandler(handler)
    yield out
    logging.getLogger().removeHandler(handler)


@pytest.fixture
def outputs(log: io.StringIO, capsys: pytest.CaptureFixture[str]) -> tuple[io.StringIO, pytest.CaptureFixture[str]]:
    return log, capsys


@pytest.fixture
def people(installation: Installation, settings: Settings) -> None:
    """People who are told of everything, and no time to wait for what is away."""
    settings.TOOLSYNC_RETRY_SECONDS = 0
    save_rule(installation.site, "", RuleChoice({event: ["people@example.org"] for event in Event.values}))


@pytest.fixture
def servers(mariadb_server: MariaDB, postgresql_server: PostgreSQL) -> tuple[MariaDB, PostgreSQL]:
    return mariadb_server, postgresql_server


def moodle_addresses(mariadb: MariaDB, postgresql: PostgreSQL) -> Iterator[str]:
    closed = free_port()
    for scheme in ("mysql", "postgresql"):
        yield f"{scheme}://moodle:{secret()}@127.0.0.1:{closed}/moodle"
        yield f"{scheme}://moodle:{secret()}@no-such-host.invalid/moodle"
        yield f"{scheme}://moodle:{secret()}@[::1/moodle"
        yield f"{scheme}://moodle:{secret()}@127.0.0.1:port/moodle"
        # Not written as an address has to be: signs of the password that mean something else there.
        yield f"{scheme}://moodle:x@{secret()}@127.0.0.1/moodle"
        yield f"{scheme}://moodle:x/{secret()}@127.0.0.1:{closed}/moodle"
        yield f"{scheme}://moodle:x@y:{secret()}@127.0.0.1/moodle"
        yield f"{scheme}://moodle:x@y/{secret()}@127.0.0.1/moodle"
        yield f"{scheme}://moodle:x@y?{secret()}@127.0.0.1/moodle"
    yield f"mysql://tests:{secret()}@127.0.0.1:{mariadb.port}/moodle"
    yield f"postgresql://tests:{secret()}@127.0.0.1:{postgresql.port}/moodle"
    yield f"mysql://tests:{secret()}@127.0.0.1:{mariadb.port}/moodle?ssl_ca=/nowhere.pem"
    yield f"postgresql://tests:{secret()}@127.0.0.1:{postgresql.port}/moodle?sslmode=verify-full&sslrootcert=/nowhere.pem"
    yield f"postgresql://127.0.0.1:{postgresql.port}/moodle?user=tests&password={secret()}"
    yield f"postgresql://127.0.0.1:{postgresql.port}/moodle?passwordd={secret()}"
    yield f"mysql://127.0.0.1:{mariadb.port}/moodle?passwd={secret()}&nonsense={secret()}"
    yield f"oracle://moodle:{secret()}@db/moodle"
    yield f"{secret()}"


def quoted() -> str:
    """Return a password as it stands in an address."""
    return quote(secret(), safe="")


def attempt(action: Callable[[], object]) -> None:
    """Do what may fail, as a worker does it: what comes out is logged."""
    try:
        action()
    except Exception:
        logging.getLogger("celery").exception("a task failed")
    except SystemExit:
        return


def assert_untold(installation: Installation, log: io.StringIO, told: list[tuple[str, str]]) -> None:
    for notice in Notification.objects.all():
        attempt(partial(send_notification, notice.pk))
    told += [*stores(installation), ("log", log.getvalue())]
    found = {place: content.casefold().find(MARK.casefold()) for place, content in told}
    assert not {place: content[max(0, at - 150) : at + 60] for place, content in told if (at := found[place]) >= 0}


def shown(user: User, *pages: str) -> list[tuple[str, str]]:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return [(f"page {page}", client.get(page).text) for page in pages]


@pytest.mark.usefixtures("people")
def test_no_error_of_a_moodle_database_quotes_its_address(
    installation: Installation, servers: tuple[MariaDB, PostgreSQL], admin_user: User, settings: Settings,
    outputs: tuple[io.StringIO, pytest.CaptureFixture[str]],
) -> None:  # fmt: skip
    told: list[tuple[str, str]] = []
    log, capsys = outputs
    for number, address in enumerate(moodle_addresses(*servers)):
        installation.site.connection = sealed(MoodleConnection(address))
        installation.site.save()
        settings.TOOLSYNC_MOODLE_URL = address
        run = installation.queue("/in.csv", FILE)
        attempt(partial(services.execute_run, run.pk))
        for command in ("checkmoodle", "check"):
            attempt(partial(call_command, command, **({"deploy": True} if command == "check" else {})))
        told.append((f"command {number}", "".join(capsys.readouterr())))
        told += shown(admin_user, "/", "/moodle/state/", "/courses/", "/categories/empty/", f"/runs/{run.pk}/")
    codes = set(SyncRun.objects.values_list("error_code", flat=True))
    assert codes >= {"moodle_unavailable", "moodle_url_invalid", "moodle_url_unsupported"}
    assert_untold(installation, log, told)


SIGNED = "X-Amz-Signature"


def source_choices(web: WebServer, ftp: FtpServer, sftp: SftpServer) -> Iterator[SourceChoice]:
    address, closed = Source.Kind.ADDRESS, free_port()
    web.status("/denied.csv", 403)
    web.status("/broken.csv", 500)
    web.redirect("/away.csv", f"http://localhost:{closed}/a.csv?{SIGNED}={quoted()}")
    web.redirect("/wrong.csv", f"http://u:{quoted()}@localhost:port/a.csv")
    web.redirect("/clear.csv", f"ftp://u:{quoted()}@localhost/a.csv?{quoted()}")
    for path in ("denied", "broken", "away", "wrong", "clear"):
        yield SourceChoice(address, web.url(f"/{path}.csv?{SIGNED}={quoted()}"), username="u", password=secret())
    for password in (f"{secret()}\n", f"x\r\nX-Other: {secret()}", f"\u20ac{secret()}", f"\0{secret()}"):
        yield SourceChoice(address, web.url("/denied.csv"), password=password)
        yield SourceChoice(address, web.url("/denied.csv"), username="u", password=password)
        yield SourceChoice(address, f"ftp://localhost:{ftp.port}/in.csv", username=USER, password=password)
        yield SourceChoice(address, f"sftp://localhost:{sftp.port}/in.csv", username=USER, password=password)
    for scheme in ("http", "https", "ftp", "ftps", "sftp"):
        yield SourceChoice(address, f"{scheme}://u:{quoted()}@localhost:{closed}/in.csv?{quoted()}")
        yield SourceChoice(address, f"{scheme}://u:{quoted()}@no-such-host.invalid/in.csv?{quoted()}")
        yield SourceChoice(address, f"{scheme}://u:{quoted()}@[::1/in.csv")
        yield SourceChoice(address, f"{scheme}://u:x/{quoted()}@localhost:{closed}/in.csv", password=secret())
        yield SourceChoice(address, f"{scheme}://u:{quoted()}@localhost:{web.port}/in.csv?{quoted()}")
    yield SourceChoice(address, f"sftp://localhost:{sftp.port}/in.csv", private_key=secret(), password=secret())
    yield SourceChoice(address, f"ftp://u:{quoted()}@localhost:{sftp.port}/in.csv")


@pytest.mark.usefixtures("people")
def test_no_error_of_a_source_quotes_its_secrets(
    installation: Installation, admin_user: User, settings: Settings, log: io.StringIO, tmp_path: Path
) -> None:
    settings.TOOLSYNC_FETCH_HOSTS = ["localhost"]
    settings.TOOLSYNC_FETCH_SECONDS = 1
    told: list[tuple[str, str]] = []
    client = Client(raise_request_exception=False)
    client.force_login(admin_user)
    web, ftp, sftp = WebServer(), FtpServer(tmp_path), SftpServer(tmp_path)
    try:
        for number, choice in enumerate(source_choices(web, ftp, sftp)):
            fields = {"kind": choice.kind, "address": choice.location, "username": choice.username, "inbox": ""}
            fields |= {"password": choice.password, "private_key": choice.private_key}
            Source.objects.all().delete()
            attempt(partial(save_source, installation.site, "users", choice))
            attempt(lambda: fetch_files(installation.site, "users"))
            told.append((f"page look {number}", client.post("/sources/users/look/").text))
            # A refused form shows the address as it was typed; no more than that.
            answer = client.post("/sources/users/", {**fields, "address": "nonsense://"})
            told.append((f"page form {number}", answer.text))
            told += shown(admin_user, "/sources/", "/sources/users/", "/notices/")
            told += stores(installation)
    finally:
        for server in (web, ftp, sftp):
            server.stop()
    assert_untold(installation, log, told)


@pytest.mark.usefixtures("people")
def test_no_error_of_a_webhook_quotes_its_address(
    installation: Installation, admin_user: User, settings: Settings, log: io.StringIO
) -> None:
    settings.TOOLSYNC_FETCH_HOSTS = ["localhost"]
    told: list[tuple[str, str]] = []
    client = Client(raise_request_exception=False)
    client.force_login(admin_user)
    closed, hooks = free_port(), WebServer()
    addresses = [
        f"http://localhost:{closed}/{secret()}?{secret()}",
        f"https://localhost:{hooks.port}/{secret()}",
        hooks.url(f"/{secret()}?x={secret()}"),
        f"http://no-such-host.invalid/{secret()}",
        f"http://localhost:port/{secret()}",
        f"http://u:{secret()}@localhost:{closed}/",
        f"http://localhost:{closed}/{secret()}\r\nX-Other: x",
        f"http://localhost:{closed}/a?{secret()} b\u20ac",
        f"nonsense://{secret()}",
    ]
    try:
        for number, address in enumerate(addresses):
            attempt(partial(save_webhook, installation.site, WebhookChoice(address, secret(), list(Event))))
            form = {"address": address, "key": secret(), "events": list(Event.values)}
            told.append((f"page form {number}", client.post("/notices/webhook/", form).text))
            notify(installation.site, "users", Event.OVERDUE)
            for notice in Notification.objects.filter(sent_at=None):
                attempt(partial(send_notification, notice.pk))
            told += shown(admin_user, "/notices/")
    finally:
        hooks.stop()
    assert_untold(installation, log, told)


@pytest.mark.usefixtures("people")
def test_no_error_of_a_storage_quotes_its_address(
    installation: Installation, admin_user: User, settings: Settings, log: io.StringIO, tmp_path: Path
) -> None:
    closed, told = free_port(), list[tuple[str, str]]()
    own, server = settings.STORAGES["files"], SftpServer(tmp_path)
    run = installation.queue("/in.csv", FILE)
    addresses = [
        f"s3://key:{quoted()}@bucket/x?endpoint_url=http://127.0.0.1:{closed}&region_name=us-east-1",
        f"s3://key:{quoted()}@bucket/x?endpoint_url=http://u:{quoted()}@127.0.0.1:{closed}/{SIGNED}&region_name=us-east-1",
        f"s3://key:{quoted()}@bucket/x?endpoint_url=http://u:{quoted()}@127.0.0.1:port&region_name=us-east-1",
        f"sftp://{USER}:{quoted()}@localhost:{closed}/x",
        f"sftp://{USER}:{quoted()}@localhost:{server.port}/x",
        f"sftp://{USER}:{quoted()}@no-such-host.invalid/x?key_filename=/nowhere",
    ]
    try:
        for address in addresses:
            settings.STORAGES = {
                **settings.STORAGES,
                "files": storage_from_url(address),
                "inbox-in": storage_from_url(address),
            }
            attempt(lambda: services.resume_run(run))
            attempt(lambda: services.execute_run(run.pk))
            choice = SourceChoice(Source.Kind.INBOX, "in/*.csv", inbox="in")
            attempt(partial(save_source, installation.site, "users", choice))
            attempt(lambda: fetch_files(installation.site, "users"))
            told += shown(admin_user, "/", f"/runs/{run.pk}/", "/files/", "/sources/users/", "/notices/")
            client = Client(raise_request_exception=False)
            client.force_login(admin_user)
            told.append(("page look", client.post("/sources/users/look/").text))
    finally:
        server.stop()
    settings.STORAGES = {**settings.STORAGES, "files": own}
    assert_untold(installation, log, told)


@pytest.mark.usefixtures("people")
def test_no_error_of_a_mail_server_quotes_its_password(
    installation: Installation, admin_user: User, settings: Settings, log: io.StringIO
) -> None:
    """The login of the mail server is refused, can't be sent, or nobody answers."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    server, told = MailServer(), list[tuple[str, str]]()
    try:
        for port, user, password in (
            (server.port, "toolsync", secret()),
            (server.port, "toolsync", f"\u20ac{secret()}"),
            (server.port, f"\u20ac{secret()}", f"x\r\n{secret()}"),
            (free_port(), "toolsync", secret()),
        ):
            settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port
            settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = user, password
            notify(installation.site, "users", Event.OVERDUE)
            for notice in Notification.objects.filter(sent_at=None):
                attempt(partial(send_notification, notice.pk))
            send_password_mail(admin_user.email, "localhost", "en", is_secure=False)
            MailSender().send_mail_batch([Mail("x@example.org", "Your account", secret())])
            told += shown(admin_user, "/notices/")
    finally:
        server.stop()
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert_untold(installation, log, told)
