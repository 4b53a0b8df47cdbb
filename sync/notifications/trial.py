"""A mail and a message to the webhook that only try whether they arrive."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection
from smtplib import SMTPException

from django.core.mail import EmailMessage, get_connection
from django.utils import timezone
from django.utils.translation import gettext as _

from sync.errors import NotificationError
from sync.models import MoodleSite
from sync.notifications.compose import reason_of
from sync.notifications.mails import reaches_people
from sync.notifications.webhooks import post, webhook_of
from sync.runs.options import page_address

# Somebody waits in front of a page.
MOST_MAILS = 20
_SECONDS = 10


def send_test_mail(site: MoodleSite, addresses: Collection[str], subject: str) -> None:
    """Send a mail to each address that says only that it arrives. Shape: subject: what it is about, a feed

    Raises: NotificationError, and then some may have got it
    """
    left = list(addresses)[:MOST_MAILS]
    body = _("This is a test: notifications about “%(subject)s” reach you.") % {"subject": subject}
    title = _("ToolSync, a test: %(subject)s") % {"subject": " ".join(subject.split())}
    try:
        with get_connection(timeout=_SECONDS) as connection:
            if not reaches_people(connection):
                raise NotificationError("mail_without_server", recipients=", ".join(left))
            while left:
                EmailMessage(
                    title, f"{body}\n{page_address('/', site.slug)}\n", to=[left[0]], connection=connection
                ).send()
                left.pop(0)
    except (SMTPException, OSError) as error:
        raise NotificationError("mail_not_sent", recipients=", ".join(left), reason=reason_of(error)[:200]) from error


def send_test_webhook(site: MoodleSite) -> bool:
    """Send a message of the kind `test` to the webhook; False when there is none. Raises: NotificationError"""
    webhook = webhook_of(site)
    if webhook is None:
        return False
    body = {"event": "test", "site": site.slug, "at": timezone.now().isoformat()}
    post(webhook, json.dumps(body).encode(), f"msg_test_{uuid.uuid4().hex}")
    return True
