"""Who is told what, by mail and by webhook: once, until it is taken, and nothing secret."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from time import monotonic
from typing import Any

import pytest
import time_machine
import trustme
from celery import current_app
from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend
from django.utils import timezone
from pytest_django import Settings

from sync.encryption import encrypt
from sync.errors import NotificationError
from sync.messages import text_of
from sync.models import (
    Event,
    FreezeWindow,
    Notification,
    ProcessorSettings,
    RunState,
    Schedule,
    SequenceRun,
    SyncRun,
    Webhook,
)
from sync.notifications.services import RuleChoice, notify, save_rule, send_notification
from sync.notifications.webhooks import PURPOSE, WebhookChoice, post, save_webhook
from sync.runs import services
from sync.runs.lease import MAX_ATTEMPTS
from sync.schedules.fetch_files import fetch_files
from sync.schedules.overdue import notify_of_overdue_files
from sync.schedules.sequences import carry_on_sequence
from sync.tasks import follow_notifications
from tests.installation import Installation
from tests.notification_servers import HookServer, MailServer, assert_signed
from tests.servers import free_port

HEADER = "username;firstname;lastname;email;password\n"
GOOD = "bob;Bob;King;bob@x.org;Tr0ub4dor&3\n"
BAD = "eve;Eve;Fox;no-address;Geheim-1\n"
KEY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ALL = {event: [f"{event}@example.org"] for event in Event.values}


@pytest.fixture
def mail(settings: Settings) -> Iterator[MailServer]:
    server = MailServer()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.TOOLSYNC_ADDRESS = "https://sync.example.org/"
    yield server
    server.stop()


@pytest.fixture
def hooks(settings: Settings) -> Iterator[HookServer]:
    settings.TOOLSYNC_FETCH_HOSTS = ["localhost"]
    server = HookServer()
    yield server
    server.stop()


@pytest.fixture
def workers_at_hand() -> Iterator[None]:
    """Have tasks done where they are sent."""
    current_app.conf.task_always_eager = True
    yield
    current_app.conf.task_always_eager = False


def send_unsent_notifications() -> None:
    for notice in Notification.objects.exclude(next_try_at=None).order_by("pk"):
        send_notification(notice.pk)


def texts(mail: MailServer) -> list[tuple[str, str, str]]:
    """Return recipient, subject and text of what came."""
    found = []
    for recipient, message in mail.received:
        body = message.get_body()
        assert body is not None
        found.append((recipient, message["Subject"].strip(), body.get_content().replace("\r\n", "\n")))
    return found


def test_each_event_goes_to_its_own_people_with_counts_links_and_reason(
    installation: Installation, mail: MailServer
) -> None:
    save_rule(installation.site, "users", RuleChoice(ALL, language="en"))
    rejections = installation.carry_out("/in.csv", HEADER + GOOD + BAD, primaryidentity="username")
    installation.carry_out("/good.csv", HEADER + GOOD, primaryidentity="username", simulate=True)
    installation.carry_out("/good.csv", HEADER + GOOD, primaryidentity="username")
    installation.carry_out("/empty.csv", "what\nis\n")
    send_unsent_notifications()
    assert [(recipient, subject) for recipient, subject, _text in texts(mail)] == [
        ("rejections@example.org", "[ToolSync] Users: create and update: 1 row was rejected (in.csv)"),
        ("success@example.org", "[ToolSync] Users: create and update: done (good.csv)"),
        ("failure@example.org", "[ToolSync] Users: create and update: failed (empty.csv)"),
    ]
    told = texts(mail)[0][2]
    assert "Totals: 1 created, 1 rejected." in told
    assert f"https://sync.example.org/runs/{rejections.pk}/\n" in told
    assert f"https://sync.example.org/runs/{rejections.pk}/files/tryback/\n" in told
    assert "no cell of this line is a column name" in texts(mail)[2][2]
    assert not Notification.objects.filter(sent_at=None).exists()


def test_the_report_is_attached_on_request_and_no_password_is_in_it(
    installation: Installation, mail: MailServer
) -> None:
    save_rule(
        installation.site, "", RuleChoice({"rejections": ["a@x.org", "b@x.org"]}, attach_report=True, language="fr")
    )
    installation.carry_out("/in.csv", HEADER + GOOD + BAD, primaryidentity="username")
    send_unsent_notifications()
    assert [recipient for recipient, _message in mail.received] == ["a@x.org", "b@x.org"]
    message = mail.received[0][1]
    assert message["To"] == "a@x.org"
    (report,) = message.iter_attachments()
    assert "value_not_email" in report.get_content()
    assert "rejetée" in texts(mail)[0][1]
    for secret in ("Tr0ub4dor", "Geheim"):
        assert secret not in message.as_string() + report.get_content()


def test_a_rule_of_its_own_takes_a_tool_out_of_the_common_one(installation: Installation) -> None:
    save_rule(installation.site, "", RuleChoice({"success": ["all@x.org"]}))
    save_rule(installation.site, "users", RuleChoice({"failure": ["users@x.org"]}))
    installation.carry_out("/in.csv", HEADER + GOOD, primaryidentity="username")
    assert not Notification.objects.exists()
    installation.carry_out("/courses.csv", "shortname;fullname;category\nC9;Nine;New\n", processor="courses")
    assert Notification.objects.get().recipients == ["all@x.org"]


def test_an_address_that_is_refused_does_not_keep_the_others_and_is_tried_again_alone(
    installation: Installation, mail: MailServer
) -> None:
    save_rule(installation.site, "users", RuleChoice({"success": ["a@x.org", "no@x.org", "b@x.org"]}))
    mail.refused = {"no@x.org"}
    installation.carry_out("/in.csv", HEADER + GOOD, primaryidentity="username")
    send_unsent_notifications()
    notice = Notification.objects.get()
    assert (notice.recipients, notice.error_code, notice.sent_at) == (["no@x.org"], "mail_not_sent", None)
    assert "no such person" in notice.error_params["reason"]
    send_unsent_notifications()
    assert notice.attempts == Notification.objects.get().attempts, "it isn't time yet"
    mail.refused = set()
    with time_machine.travel(timezone.now() + timedelta(minutes=2)):
        send_unsent_notifications()
    assert [recipient for recipient, _message in mail.received] == ["a@x.org", "b@x.org", "no@x.org"]
    notice.refresh_from_db()
    assert (notice.recipients, notice.error_code, notice.next_try_at) == ([], "", None)


def test_a_mail_that_takes_long_is_sent_by_nobody_else_and_who_has_theirs_is_kept_at_once(
    installation: Installation, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = [f"{name}@x.org" for name in "abcdef"]
    save_rule(installation.site, "users", RuleChoice({"success": addresses}))
    installation.carry_out("/in.csv", HEADER + GOOD, primaryidentity="username")
    notice = Notification.objects.get()
    send = EmailBackend.send_messages
    left: list[int] = []
    with time_machine.travel(timezone.now(), tick=False) as clock:

        def slowly(backend: EmailBackend, mails: Sequence[EmailMessage]) -> int:
            """Send mails; it takes two minutes, and another worker looks for what is due."""
            left.append(len(Notification.objects.get().recipients))
            taken = send(backend, mails)
            clock.shift(timedelta(minutes=2))
            send_notification(notice.pk)
            return taken

        monkeypatch.setattr(EmailBackend, "send_messages", slowly)
        send_notification(notice.pk)
    assert [recipient for recipient, _message in mail.received] == addresses
    assert left == [6, 5, 4, 3, 2, 1]


@pytest.mark.parametrize(
    ("answer", "others", "is_told"),
    [
        ("550 no such person", ["a@x.org"], True),
        ("450 come again", ["a@x.org"], False),
        ("550 no such person", [], False),
    ],
)
def test_an_address_that_is_refused_for_good_doesn_t_have_the_others_told_again(
    installation: Installation, mail: MailServer, answer: str, others: list[str], is_told: bool
) -> None:
    schedule = Schedule.objects.create(site=installation.site, processors=["users"], recipients=[*others, "no@x.org"])
    mail.refused, mail.answer = {"no@x.org"}, answer
    about: dict[str, Any] = {"schedule": schedule, "fault": ["source_unreachable", {}]}
    notify(installation.site, "users", Event.FAILURE, **about)
    notice = Notification.objects.get()
    while notice.next_try_at is not None:
        with time_machine.travel(notice.next_try_at, tick=False):
            send_notification(notice.pk)
        notice.refresh_from_db()

    assert [recipient for recipient, _message in mail.received] == others
    assert "no@x.org" in text_of(notice.error_code, notice.error_params)
    assert answer in notice.error_params["reason"]
    again = notify(installation.site, "users", Event.FAILURE, **about)
    assert again == ([] if is_told else [*others, "no@x.org"])


def test_an_address_that_no_mail_can_be_sent_to_keeps_nobody_else_from_theirs(
    installation: Installation, mail: MailServer
) -> None:
    impossible = "a@" + "\u00e4" * 60 + ".org"
    save_rule(installation.site, "", RuleChoice({Event.SUCCESS: ["first@example.org", impossible, "last@example.org"]}))
    installation.carry_out("/in.csv", HEADER + GOOD)
    send_unsent_notifications()
    assert [recipient for recipient, _message in mail.received] == ["first@example.org", "last@example.org"]
    notice = Notification.objects.get()
    assert (notice.recipients, notice.error_code) == ([impossible], "mail_not_sent")


def test_a_mail_server_that_is_away_is_asked_for_a_day_and_the_run_does_not_mind(
    installation: Installation, mail: MailServer, settings: Settings
) -> None:
    settings.EMAIL_PORT = free_port()
    save_rule(installation.site, "users", RuleChoice({"success": ["a@x.org"]}))
    run = installation.carry_out("/in.csv", HEADER + GOOD, primaryidentity="username")
    assert run.state == RunState.COMPLETED
    moments: list[datetime] = []
    notice = Notification.objects.get()
    while notice.next_try_at is not None and len(moments) < 20:
        moments.append(notice.next_try_at)
        with time_machine.travel(notice.next_try_at, tick=False):
            send_notification(notice.pk)
        notice.refresh_from_db()
    assert len(moments) == 7
    assert timedelta(hours=15) < moments[-1] - moments[0] < timedelta(days=1)
    assert notice.error_code == "mail_not_sent"


def test_a_webhook_is_told_with_a_signature_and_again_until_it_answers_well(
    installation: Installation, hooks: HookServer, settings: Settings
) -> None:
    settings.TOOLSYNC_ADDRESS = "https://sync.example.org"
    save_webhook(installation.site, WebhookChoice(hooks.address, KEY, ["rejections"]))
    assert b"geheim" not in bytes(Webhook.objects.get().secret)
    run = installation.carry_out("/in.csv", HEADER + BAD, primaryidentity="username")
    installation.carry_out("/good.csv", HEADER + GOOD, primaryidentity="username")
    for status, code in ((500, "webhook_status"), (302, "webhook_status"), (204, "")):
        hooks.status = status
        notice = Notification.objects.get()
        assert notice.next_try_at is not None
        with time_machine.travel(notice.next_try_at):
            send_notification(notice.pk)
        assert Notification.objects.get().error_code == code
    assert Notification.objects.get().sent_at is not None
    headers, body = hooks.received[-1]
    assert_signed(KEY, headers, body)
    assert {headers["webhook-id"] for headers, _body in hooks.received} == {f"msg_{Notification.objects.get().pk}"}
    told = json.loads(body)
    assert (told["event"], told["tool"], told["run"]["counts"]) == ("rejections", "users", {"rejected": 1})
    assert told["run"]["address"] == f"https://sync.example.org/runs/{run.pk}/"
    assert "Geheim" not in body.decode()


def test_a_webhook_on_a_private_address_is_refused_unless_the_operator_allows_it(
    installation: Installation, hooks: HookServer, settings: Settings
) -> None:
    settings.TOOLSYNC_FETCH_HOSTS = []
    save_webhook(installation.site, WebhookChoice(hooks.address, KEY, ["success"]))
    installation.carry_out("/in.csv", HEADER + GOOD, primaryidentity="username")
    send_unsent_notifications()
    assert (Notification.objects.get().error_code, hooks.received) == ("webhook_private", [])


@pytest.fixture
def secure_hooks(authority: trustme.CA, settings: Settings) -> Iterator[HookServer]:
    settings.TOOLSYNC_FETCH_HOSTS = ["localhost"]
    server = HookServer(authority.issue_cert("localhost"))
    yield server
    server.stop()


def test_a_webhook_whose_certificate_nobody_knows_gets_nothing_and_is_given_up_in_the_end(
    installation: Installation, secure_hooks: HookServer
) -> None:
    save_webhook(installation.site, WebhookChoice(secure_hooks.address, KEY, ["success"]))
    installation.carry_out("/in.csv", HEADER + GOOD, primaryidentity="username")
    notice, tries = Notification.objects.get(), 0
    while notice.next_try_at is not None:
        tries += 1
        with time_machine.travel(notice.next_try_at, tick=False):
            send_notification(notice.pk)
        notice.refresh_from_db()
    assert (tries, notice.error_code, notice.sent_at) == (7, "remote_certificate", None)
    sentence = text_of(notice.error_code, notice.error_params)
    assert "The certificate of localhost can't be trusted (unable to get local issuer certificate)" in sentence
    assert "SSL_CERT_FILE" in sentence
    assert "geheim" not in sentence
    assert secure_hooks.received == []


@pytest.mark.usefixtures("trusted")
def test_a_webhook_with_a_certificate_of_the_operators_own_authority_is_told(
    installation: Installation, secure_hooks: HookServer
) -> None:
    save_webhook(installation.site, WebhookChoice(secure_hooks.address, KEY, ["success"]))
    installation.carry_out("/in.csv", HEADER + GOOD, primaryidentity="username")
    send_unsent_notifications()
    assert Notification.objects.get().sent_at is not None
    assert json.loads(secure_hooks.received[0][1])["event"] == "success"


@pytest.mark.usefixtures("trusted")
def test_a_webhook_with_a_certificate_for_another_name_gets_nothing(
    installation: Installation, authority: trustme.CA, settings: Settings
) -> None:
    settings.TOOLSYNC_FETCH_HOSTS = ["localhost"]
    hooks = HookServer(authority.issue_cert("example.org"))
    try:
        save_webhook(installation.site, WebhookChoice(hooks.address, KEY, ["success"]))
        installation.carry_out("/in.csv", HEADER + GOOD, primaryidentity="username")
        send_unsent_notifications()
    finally:
        hooks.stop()
    assert (Notification.objects.get().error_code, hooks.received) == ("remote_certificate", [])


def test_a_webhook_that_takes_too_long_is_not_waited_for(
    installation: Installation, hooks: HookServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.notifications.webhooks._SECONDS", 0.2)
    hooks.delay = 0.6
    save_webhook(installation.site, WebhookChoice(hooks.address, KEY, ["success"]))
    installation.carry_out("/in.csv", HEADER + GOOD, primaryidentity="username")
    began = monotonic()
    send_unsent_notifications()
    assert monotonic() - began < 0.5
    assert Notification.objects.get().error_code == "webhook_too_slow"


@pytest.mark.parametrize(
    ("address", "key", "code"),
    [
        ("", KEY, "webhook_address"),
        ("ftp://x.org/a.csv", KEY, "webhook_address"),
        ("https://ann:secret@x.org/", KEY, "webhook_address"),
        ("https://x.org/", "short", "webhook_key_short"),
        ("https://x.org/", "whsec_" + "QQ" * 8 + "==", "webhook_key_short"),
        ("https://x.org/", "whsec_" + "not base64" * 5, "webhook_key_unreadable"),
    ],
)
def test_a_webhook_that_cannot_work_is_not_kept(address: str, key: str, code: str, installation: Installation) -> None:
    with pytest.raises(NotificationError) as error:
        save_webhook(installation.site, WebhookChoice(address, key, ["success"]))
    assert error.value.code == code
    assert not Webhook.objects.exists()


def test_a_key_of_before_is_its_own_bytes_and_stays_until_it_is_changed(
    installation: Installation, hooks: HookServer
) -> None:
    old = "0123456789abcdef"
    Webhook.objects.create(
        site=installation.site, host="x.org", events=["success"], secret=encrypt(PURPOSE, {"address": "x", "key": old})
    )
    save_webhook(installation.site, WebhookChoice(hooks.address, "", ["success"]))
    installation.carry_out("/in.csv", HEADER + GOOD, primaryidentity="username")
    send_unsent_notifications()
    headers, body = hooks.received[-1]
    assert_signed("whsec_" + base64.b64encode(old.encode()).decode(), headers, body)


def test_the_signature_is_that_of_the_specifications_example(installation: Installation, hooks: HookServer) -> None:
    # From the specification's own tests.
    secrets = {"address": hooks.address, "key": "whsec_plJ3nmyCDGBKInavdOK15jsl"}
    Webhook.objects.create(site=installation.site, host="x.org", secret=encrypt(PURPOSE, secrets))
    with time_machine.travel(datetime.fromtimestamp(1731705121, UTC), tick=False):
        post(Webhook.objects.get(), b'{"event_type":"ping","data":{"success":true}}', "msg_loFOjxBNrRLzqYUf")
    headers, _body = hooks.received[-1]
    assert headers["webhook-signature"] == "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0="


def test_a_file_that_does_not_come_is_overdue_once_for_each_time(
    installation: Installation, mail: MailServer, hooks: HookServer, settings: Settings
) -> None:
    settings.TIME_ZONE = "Europe/Paris"
    with time_machine.travel(datetime(2026, 11, 20, 9, tzinfo=UTC)) as clock:  # a Friday
        rule = RuleChoice({"overdue": ["late@x.org"]}, language="en", expected_at=time(6), weekdays_only=True)
        save_rule(installation.site, "users", rule)
        installation.carry_out("/in.csv", HEADER + GOOD, primaryidentity="username")
        assert fetch_files(installation.site, "users") == []
        # No file came with it.
        clock.move_to(datetime(2026, 11, 23, 12, 0, tzinfo=UTC))
        retry = installation.carry_out("/in.csv", HEADER + GOOD, primaryidentity="username")
        SyncRun.objects.filter(pk=retry.pk).update(origin=SyncRun.Origin.RETRY)
        clock.move_to(datetime(2026, 11, 20, 9, tzinfo=UTC))
        for moment, overdue in (
            (datetime(2026, 11, 23, 4, 59, tzinfo=UTC), 0),  # Monday, 05:59 in Paris
            (datetime(2026, 11, 23, 5, 1, tzinfo=UTC), 0),  # Friday's file is this one
            (datetime(2026, 11, 24, 5, 1, tzinfo=UTC), 1),
            (datetime(2026, 11, 24, 5, 2, tzinfo=UTC), 1),
            (datetime(2026, 11, 27, 12, 0, tzinfo=UTC), 2),  # nobody looked for three days
        ):
            clock.move_to(moment)
            notify_of_overdue_files()
            assert Notification.objects.filter(event="overdue").count() == overdue, moment
        save_webhook(installation.site, WebhookChoice(hooks.address, KEY, ["overdue"]))
        clock.move_to(datetime(2026, 11, 30, 5, 1, tzinfo=UTC))
        notify_of_overdue_files()
        assert Notification.objects.filter(event="overdue").count() == 4
        now = timezone.now()
        FreezeWindow.objects.create(site=installation.site, starts_at=now, ends_at=now + timedelta(days=9))
        clock.move_to(datetime(2026, 12, 1, 5, 1, tzinfo=UTC))
        notify_of_overdue_files()
        assert Notification.objects.filter(event="overdue").count() == 4
        send_unsent_notifications()
    (overdue_told,) = (json.loads(body) for _headers, body in hooks.received)
    assert (overdue_told["event"], overdue_told["tool"]) == ("overdue", "users")
    assert overdue_told["expected_by"] == "2026-11-30T05:00:00+00:00"
    assert "run" not in overdue_told
    _recipient, subject, text = texts(mail)[0]
    assert subject == "[ToolSync] Users: create and update: the file did not come"
    assert "expected by 24 Nov 2026, 06:00" in text
    assert "Nothing is there for “userimport.csv”." in text


def test_a_run_that_is_given_up_is_a_failure(installation: Installation) -> None:
    save_rule(installation.site, "users", RuleChoice({"failure": ["a@x.org"]}))
    run = installation.queue("/in.csv", HEADER + GOOD)
    SyncRun.objects.filter(pk=run.pk).update(state=RunState.RUNNING, worker="gone", attempts=MAX_ATTEMPTS)
    services.recover_dead_runs()
    assert (Notification.objects.get().run_id, Notification.objects.get().event) == (run.pk, "failure")


def test_a_tool_of_a_sequence_that_cannot_begin_is_a_failure_with_its_reason(
    installation: Installation, mail: MailServer, hooks: HookServer
) -> None:
    save_rule(installation.site, "users", RuleChoice({"failure": ["a@x.org"]}))
    save_webhook(installation.site, WebhookChoice(hooks.address, KEY, ["failure"]))
    installation.put("/userimport.csv", HEADER + GOOD)
    ProcessorSettings.objects.create(site=installation.site, processor="users", values={"primaryidentity": "shoe"})
    sequence = SequenceRun.objects.create(site=installation.site, processors=["users"])
    carry_on_sequence(sequence.pk)

    send_unsent_notifications()

    [(recipient, subject, text)] = texts(mail)
    assert (recipient, subject) == ("a@x.org", "[ToolSync] Users: create and update: failed")
    assert "shoe" in text
    assert json.loads(hooks.received[0][1])["error"]["code"] == "option_not_choice"


def test_the_workers_tell_at_once_and_find_what_was_left(
    installation: Installation, mail: MailServer, workers_at_hand: None
) -> None:
    save_rule(installation.site, "users", RuleChoice({"success": ["a@x.org"]}))
    installation.queue("/in.csv", HEADER + GOOD, primaryidentity="username")
    assert len(mail.received) == 1
    Notification.objects.update(next_try_at=timezone.now(), sent_at=None, recipients=["b@x.org"])
    follow_notifications()
    assert [recipient for recipient, _message in mail.received] == ["a@x.org", "b@x.org"]
