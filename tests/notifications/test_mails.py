"""Mails go out after the commit; one that can't be sent stops nothing."""

from __future__ import annotations

from smtplib import SMTPRecipientsRefused, SMTPServerDisconnected

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

from sync.notifications.mails import MailSender
from sync.processors.base.plan import Mail

MAILS = [Mail(f"user{n}@x.org", "Your account", f"secret {n}") for n in range(4)]


def fail_for(monkeypatch: pytest.MonkeyPatch, address: str, error: Exception) -> None:
    original = EmailBackend.send_messages

    def send(self: EmailBackend, messages: list[mail.EmailMessage]) -> int:
        if messages[0].to == [address]:
            raise error
        return original(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", send)


def test_every_mail_goes_to_its_own_person() -> None:
    lost = MailSender().send_mail_batch(MAILS)
    assert [(message.to, message.body) for message in mail.outbox] == [([m.to], m.body) for m in MAILS]
    assert lost == 0


def test_an_address_that_is_refused_does_not_stop_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    fail_for(monkeypatch, "user1@x.org", SMTPRecipientsRefused({}))
    lost = MailSender().send_mail_batch(MAILS)
    assert [message.to for message in mail.outbox] == [["user0@x.org"], ["user2@x.org"], ["user3@x.org"]]
    assert lost == 1


@pytest.mark.parametrize("error", [SMTPServerDisconnected(), ConnectionRefusedError()])
def test_a_server_that_is_away_is_asked_once(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    fail_for(monkeypatch, "user1@x.org", error)
    lost = MailSender().send_mail_batch(MAILS)
    assert len(mail.outbox) == 1
    assert lost == 3


def test_lost_mails_are_logged_without_address_and_text(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    fail_for(monkeypatch, "user1@x.org", SMTPRecipientsRefused({"user1@x.org": (550, b"secret 1")}))
    MailSender().send_mail_batch(MAILS)
    assert "1 of 4" in caplog.text
    assert "user1" not in caplog.text
    assert "secret" not in caplog.text
