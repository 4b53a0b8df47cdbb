"""A real worker tells people and programs: a real mail server, and a web server with a certificate of an authority of our own."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme
from celery import Celery as CeleryApp
from django.db import connection

from sync.models import Notification, RunState, SyncRun
from sync.notifications.services import RuleChoice, save_rule
from sync.notifications.webhooks import WebhookChoice, save_webhook
from tests.installation import Installation
from tests.notification_servers import HookServer, MailServer, assert_signed
from tests.runs.test_kill import Celery, celery
from tests.servers import Redis, free_port
from tests.waiting import wait_until

HEADER = "username;firstname;lastname;email\n"
GOOD, BAD = "bob;Bob;King;bob@x.org\n", "eve;Eve;Fox;no-address\n"
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
PATIENCE_SECONDS = 60

pytestmark = pytest.mark.slow


@pytest.fixture
def hooks(authority: trustme.CA) -> Iterator[HookServer]:
    server = HookServer(authority.issue_cert("localhost"))
    yield server
    server.stop()


@pytest.fixture
def mail_port() -> int:
    return free_port()


@pytest.fixture
def processes(
    installation: Installation, redis_server: Redis, mail_port: int, authority_file: Path, tmp_path: Path
) -> Iterator[Celery]:
    """A ToolSync whose .env names the mail server, the broker and the authority."""
    if connection.vendor != "sqlite":
        pytest.skip("the workers of this test are joined to the SQLite database of the tests")
    env_file = tmp_path / ".env"
    env_file.write_text(
        f"CELERY_BROKER_URL={redis_server.url}\nEMAIL_URL=smtp://127.0.0.1:{mail_port}\nSSL_CERT_FILE={authority_file}\n"
        "TOOLSYNC_ADDRESS=https://sync.example.org\nTOOLSYNC_FETCH_HOSTS=localhost\nTOOLSYNC_NOTIFICATION_RETRY_DELAYS=1,2,3,60,60\n"
        "TOOLSYNC_TICK_SECONDS=1\n"
    )
    with celery(installation, installation.moodle, tmp_path / "celery.log") as processes:
        processes._environment["TOOLSYNC_ENV_FILE"] = str(env_file)
        yield processes


def carry_out(installation: Installation, redis_server: Redis, processes: Celery, path: str, content: str) -> SyncRun:
    """Have the worker carry out a file."""
    run = installation.queue(path, content, primaryidentity="username", in_background=False)
    with CeleryApp(broker=redis_server.url) as sender:
        sender.send_task("sync.run", (run.pk,))
    wait_for(lambda: SyncRun.objects.get(pk=run.pk).is_over, processes)
    run.refresh_from_db()
    return run


def wait_for(condition: Callable[[], bool], processes: Celery) -> None:
    wait_until(condition, PATIENCE_SECONDS, lambda: (list(Notification.objects.values()), processes.words()))


def all_are_told() -> bool:
    return not Notification.objects.filter(sent_at=None).exists()


def test_a_worker_tells_of_rejections_and_of_a_failure_by_mail_and_by_a_signed_message(
    installation: Installation, redis_server: Redis, processes: Celery, mail_port: int, hooks: HookServer
) -> None:
    events = ["failure", "rejections"]
    save_rule(installation.site, "users", RuleChoice({event: [f"{event}@x.org"] for event in events}, language="en"))
    save_webhook(installation.site, WebhookChoice(hooks.address, KEY, events))
    mail = MailServer(mail_port)
    try:
        processes.start("worker", "--concurrency=1", "--loglevel=WARNING")
        rejected = carry_out(installation, redis_server, processes, "/in.csv", HEADER + GOOD + BAD)
        failed = carry_out(installation, redis_server, processes, "/empty.csv", "what\nis\n")
        wait_for(all_are_told, processes)
    finally:
        mail.stop()

    assert (rejected.state, failed.state) == (RunState.COMPLETED_WITH_REJECTIONS, RunState.FAILED)
    assert [(recipient, message["Subject"]) for recipient, message in mail.received] == [
        ("rejections@x.org", "[ToolSync] Users: create and update: 1 row was rejected (in.csv)"),
        ("failure@x.org", "[ToolSync] Users: create and update: failed (empty.csv)"),
    ]
    assert f"https://sync.example.org/runs/{rejected.pk}/" in mail.received[0][1].as_string()
    told = [json.loads(body) for _headers, body in hooks.received]
    assert [(one["event"], one["run"]["id"]) for one in told] == [("rejections", rejected.pk), ("failure", failed.pk)]
    assert told[0]["run"]["counts"] == {"created": 1, "rejected": 1}
    for headers, body in hooks.received:
        assert_signed(KEY, headers, body)
    assert set(Notification.objects.values_list("attempts", flat=True)) == {1}


def test_what_a_server_did_not_take_is_delivered_once_it_is_back(
    installation: Installation, redis_server: Redis, processes: Celery, mail_port: int, hooks: HookServer
) -> None:
    save_rule(installation.site, "users", RuleChoice({"rejections": ["a@x.org"]}))
    save_webhook(installation.site, WebhookChoice(hooks.address, KEY, ["rejections"]))
    hooks.status = 503
    processes.start("worker", "--concurrency=1", "--loglevel=WARNING")
    run = carry_out(installation, redis_server, processes, "/in.csv", HEADER + BAD)
    wait_for(lambda: Notification.objects.exclude(error_code="").count() == 2, processes)
    assert run.state == RunState.COMPLETED_WITH_REJECTIONS
    assert set(Notification.objects.values_list("error_code", flat=True)) == {"mail_not_sent", "webhook_status"}

    hooks.status = 200
    mail = MailServer(mail_port)
    try:
        processes.start("beat", "--pidfile=", "--loglevel=WARNING")
        wait_for(all_are_told, processes)
    finally:
        mail.stop()

    assert [recipient for recipient, _message in mail.received] == ["a@x.org"]
    assert len({headers["webhook-id"] for headers, _body in hooks.received}) == 1
    assert not Notification.objects.exclude(error_code="", next_try_at=None).exists()
    assert min(Notification.objects.values_list("attempts", flat=True)) >= 2
