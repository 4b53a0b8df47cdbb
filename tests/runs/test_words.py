"""What people are told: in one language, in the right number, and only when a mail server took it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.utils.translation import override
from pytest_django import Settings

from sync.messages import PluralText, text_of, texts
from sync.models import Notification, SyncRun
from sync.notifications.mails import MailSender
from sync.notifications.services import RuleChoice, save_rule, send_notification
from sync.outcomes.report import count_texts
from sync.processors.base.plan import Mail
from tests.installation import Installation
from tests.notification_servers import MailServer

FILE = "username;firstname;lastname;email\nbob;Bob;King;bob@x.org\neve;Eve;Fox;no-address\n"
NOWHERE = [f"django.core.mail.backends.{name}.EmailBackend" for name in ("filebased", "console", "dummy")]


@pytest.fixture
def server(settings: Settings) -> Iterator[MailServer]:
    server = MailServer()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    yield server
    server.stop()


@pytest.mark.parametrize("backend", NOWHERE)
def test_a_mail_that_no_server_took_was_not_sent(
    installation: Installation, settings: Settings, tmp_path: Path, backend: str
) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = backend, str(tmp_path / "mail")
    save_rule(installation.site, "users", RuleChoice({"rejections": ["a@x.org"]}))
    installation.carry_out("/in.csv", FILE)
    send_notification(Notification.objects.get().pk)
    notice = Notification.objects.get()
    assert (notice.sent_at, notice.error_code, notice.recipients) == (None, "mail_without_server", ["a@x.org"])
    assert notice.next_try_at is not None
    kept = list((tmp_path / "mail").glob("*")) if "filebased" in backend else [None]
    Notification.objects.update(next_try_at=notice.created_at)
    send_notification(notice.pk)
    assert Notification.objects.get().sent_at is None
    assert len(kept) == 1
    if "filebased" in backend:
        assert len(list((tmp_path / "mail").glob("*"))) == 1


@pytest.mark.parametrize("backend", NOWHERE)
def test_mails_to_people_that_no_server_took_are_lost(settings: Settings, tmp_path: Path, backend: str) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = backend, str(tmp_path / "mail")
    assert MailSender().send_mail_batch([Mail("a@x.org", "Hello", "you"), Mail("b@x.org", "Hello", "you")]) == 2


def test_a_server_that_takes_it_makes_it_sent(installation: Installation, server: MailServer) -> None:
    save_rule(installation.site, "users", RuleChoice({"rejections": ["a@x.org"]}))
    installation.carry_out("/in.csv", FILE)
    send_notification(Notification.objects.get().pk)
    assert Notification.objects.get().sent_at is not None
    assert [address for address, _message in server.received] == ["a@x.org"]


@pytest.mark.parametrize("language", ["", "en", "fr"])
def test_a_mail_and_its_report_have_one_language(installation: Installation, language: str) -> None:
    """Whoever asked for the run may read another language than those who are told of it."""
    choice = RuleChoice({"rejections": ["a@x.org"]}, attach_report=True, language=language)
    save_rule(installation.site, "users", choice)
    for asked_in in ("en", "fr"):
        mail.outbox.clear()
        Notification.objects.all().delete()
        with override(asked_in):
            run = installation.carry_out("/in.csv", FILE)
        SyncRun.objects.filter(pk=run.pk).update(language=asked_in)
        send_notification(Notification.objects.get().pk)
        (sent,) = mail.outbox
        ((_name, report, _kind),) = sent.attachments
        is_french = (language or asked_in) == "fr"
        assert ("Fichier\xa0: /in.csv" in sent.body, "Fichier\xa0: /in.csv" in report) == (is_french, is_french)


def test_the_report_of_an_unattended_run_is_in_the_language_of_those_who_are_told(installation: Installation) -> None:
    save_rule(installation.site, "users", RuleChoice({"rejections": ["a@x.org"]}, language="fr"))
    run = installation.carry_out("/in.csv", FILE)
    assert run.language == "fr"
    assert (
        "Fichier\xa0: /in.csv" in installation.own_file(run, "report")
        or "Fichier\xa0: /in.csv" in installation.read(run.files.get(kind="report").path).decode()
    )


@pytest.mark.parametrize("code", sorted(code for code, text in texts().by_code.items() if isinstance(text, PluralText)))
def test_one_is_no_plural(code: str) -> None:
    names = re.findall(r"%\((\w+)\)", str(texts().by_code[code]))
    params: dict[str, Any] = {name: 2 if name == "line" else name.upper() for name in names}
    one, many = text_of(code, {**params, "count": 1}), text_of(code, {**params, "count": 2})
    assert one != many.replace("2", "1", 1)
    assert "1" in one


def test_totals_are_said_in_their_number() -> None:
    assert count_texts({"created": 2, "partial": 2}, {"created": 1, "updated": 1}) == [
        "2 created", "2 partial (1 created, 1 updated)",
    ]  # fmt: skip
