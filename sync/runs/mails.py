"""Mails to people, sent after their chunk is committed. A mail that can't be sent stops nothing; it is counted."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from smtplib import SMTPException, SMTPServerDisconnected

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends import console, dummy

from sync.processors.plan import Mail

logger = logging.getLogger(__name__)


def reaches_people(connection: object) -> bool:
    """Whether mails go to a server; the others only write them into a folder, onto a screen, or nowhere."""
    return not isinstance(connection, (console.EmailBackend, dummy.EmailBackend))


class Postman:
    """Sends the mails of a run."""

    def deliver(self, mails: Sequence[Mail]) -> int:
        """Send the mails of a chunk over one connection. Returns how many could not be sent."""
        sent = 0
        failed = 0
        try:
            with get_connection() as connection:
                for mail in mails:
                    try:
                        taken = connection.send_messages([EmailMessage(mail.subject, mail.body, to=[mail.to])])
                        if taken and reaches_people(connection):
                            sent += 1
                        else:
                            failed += 1
                    except SMTPServerDisconnected:
                        raise
                    except (SMTPException, ValueError):
                        # This address, not the server: an address that is refused, a subject with a line end.
                        failed += 1
        except (SMTPException, OSError):
            failed = len(mails) - sent
        if failed:
            # Neither addresses nor texts: a mail may hold a new password.
            logger.warning("%s of %s mails could not be sent", failed, len(mails))
        return failed
