"""Mails with a link to another password, and their rate limit for each address and user.

A worker looks for the user and sends the mail: the web server answers alike, and as fast, whether there is one or not.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib.auth.forms import PasswordResetForm
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import override

from sync.models import MailCount
from sync.task_queue import QueueUnavailable, send_task

MAIL_TASK = "sync.send_password_mail"
_ADDRESS_PAUSE, _MAILS_PER_ADDRESS = timedelta(hours=1), 20
_USER_PAUSE, _MAILS_PER_USER = timedelta(minutes=5), 1

logger = logging.getLogger(__name__)


def may_ask(address: str) -> bool:
    """Count that somebody at an address of the network asks for a mail, and return whether they may."""
    return within_limit(f"address {address}", _MAILS_PER_ADDRESS, _ADDRESS_PAUSE)


def ask_for_mail(email: str, host: str, language: str, *, is_secure: bool) -> bool:
    """Have the workers send a link to whoever has this address. Returns whether they were reached.

    Shape: host: what the link begins with; is_secure: by https
    """
    message = {"email": email, "host": host, "language": language, "is_secure": is_secure}
    try:
        send_task(MAIL_TASK, expires=_ADDRESS_PAUSE.total_seconds(), **message)
    except QueueUnavailable:
        logger.warning("the broker doesn't answer; a mail with a link to another password was not sent")
        return False
    return True


def send_password_mail(email: str, host: str, language: str, *, is_secure: bool) -> None:
    """Send a link to whoever has this address, unless they got one a moment ago."""
    form = _OncePerUser({"email": email})
    if not form.is_valid():
        return
    with override(language):
        form.save(
            domain_override=host,
            use_https=is_secure,
            email_template_name="registration/password_mail.txt",
            subject_template_name="registration/password_mail_subject.txt",
        )


class _OncePerUser(PasswordResetForm):
    """However an address is spelled: what counts is the user that the database finds."""

    def get_users(self, email: str) -> Iterator[Any]:
        for user in super().get_users(email):
            if within_limit(f"user {user.pk}", _MAILS_PER_USER, _USER_PAUSE):
                yield user


def within_limit(what: str, most: int, pause: timedelta) -> bool:
    """Count one more, and return whether there were fewer than so many since the counting began.

    Each step is one conditional statement, so that two processes never count as one. Queries: one to four
    """
    key = hashlib.sha256(what.encode()).hexdigest()
    now = timezone.now()
    counts = MailCount.objects.filter(key=key)
    for _try in range(2):
        if counts.filter(since__gt=now - pause, count__lt=most).update(count=F("count") + 1):
            return True
        if counts.filter(since__lte=now - pause).update(since=now, count=1):
            return True
        if counts.exists():
            return False
        try:
            with transaction.atomic():
                MailCount.objects.create(key=key, since=now)
        except IntegrityError:
            # Another process began to count at this moment.
            continue
        return True
    return False


def forget_mail_counts() -> None:
    """Delete the counts that have no meaning any more. Queries: one"""
    MailCount.objects.filter(since__lte=timezone.now() - max(_ADDRESS_PAUSE, _USER_PAUSE)).delete()
