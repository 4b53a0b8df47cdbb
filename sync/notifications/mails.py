"""Mails to people, sent after their chunk is committed. A mail that can't be sent stops nothing; it is counted.

Each is kept, encrypted, before the commit, marked before it is handed over and again after that. So a process that dies loses
none: what waits is sent by its successor, and of the one that was being handed over people are told that it is in doubt.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from smtplib import SMTPException, SMTPServerDisconnected

from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends import console, dummy

from sync.encryption import Unreadable, decrypt, encrypt
from sync.models import RunMail, SyncRun
from sync.processors.base.plan import Mail
from sync.runs.retry import own_database

State = RunMail.State
# Returns False where the mail is not to be handed over: somebody else does.
Mark = Callable[[int, State], bool]

PURPOSE = "mails of runs"
# What may still have to be sent, and what a person is asked about.
UNSURE_STATES = (State.BEGUN, State.FAILED)

# When a mail that is sent again was taken, and how long it takes at most to hand one over.
_TAKEN_AT, _TAKEN_SECONDS = "taken_at", 300.0

logger = logging.getLogger(__name__)


def reaches_people(connection: object) -> bool:
    """Whether mails go to a server; the others only write them into a folder, onto a screen, or nowhere."""
    return not isinstance(connection, (console.EmailBackend, dummy.EmailBackend))


class MailSender:
    """Sends the mails of a run."""

    def send_mail_batch(self, mails: Sequence[Mail], mark: Mark = lambda _place, _state: True) -> int:
        """Send mails over one connection. Returns how many could not be sent.

        Shape: mark: told of each, by its place, before it is handed over and after that
        """
        done: set[int] = set()
        sent = taken_by_others = 0
        try:
            with get_connection() as connection:
                for place, mail in enumerate(mails):
                    is_ours = mark(place, State.BEGUN)
                    done.add(place)
                    if not is_ours:
                        taken_by_others += 1
                        continue
                    try:
                        taken = connection.send_messages([EmailMessage(mail.subject, mail.body, to=[mail.to])])
                    except SMTPServerDisconnected:
                        raise
                    except ConnectionRefusedError:
                        # Nobody was there to take it: no doubt about this one.
                        mark(place, State.FAILED)
                        raise
                    except (SMTPException, ValueError):
                        # This address, not the server: an address that is refused, a subject with a line end.
                        taken = 0
                    is_sent = bool(taken) and reaches_people(connection)
                    mark(place, State.SENT if is_sent else State.FAILED)
                    sent += is_sent
        except (SMTPException, OSError):
            for place in range(len(mails)):
                if place not in done:
                    mark(place, State.FAILED)
        if failed := len(mails) - sent - taken_by_others:
            # Neither addresses nor texts: a mail may hold a new password.
            logger.warning("%s of %s mails could not be sent", failed, len(mails))
        return failed


def keep_mails(run: SyncRun, part_key: str, mails: Sequence[Mail]) -> None:
    """Keep the mails of a chunk that is about to be committed, in place of those of an earlier attempt. Queries: two"""
    run.mails.filter(part_key=part_key).delete()
    RunMail.objects.bulk_create(
        [
            RunMail(
                run=run,
                part_key=part_key,
                address=mail.to,
                sealed=encrypt(PURPOSE, {"subject": mail.subject, "body": mail.body}),
            )
            for mail in mails
        ],
        batch_size=500,
    )


def send_kept_mails(run: SyncRun, part_key: str) -> None:
    """Send what waits of the mails of a committed chunk. Queries: two for each mail"""
    _send(list(run.mails.filter(part_key=part_key, state=State.WAITING)))


def send_mails_again(run: SyncRun) -> int:
    """Send the mails that didn't go out, or of which that isn't known. Returns how many could not be sent this time either."""
    failed = _send(list(run.mails.filter(state__in=UNSURE_STATES)), _take_again)
    run.mails.filter(state=State.SENT).delete()
    return failed


def unsure_mails(run: SyncRun) -> list[RunMail]:
    """Return the mails of which people are to be told: those in doubt, and those that could not be sent. Queries: one"""
    return list(run.mails.filter(state__in=UNSURE_STATES).defer("sealed"))


def forget_mails(run: SyncRun) -> None:
    """Forget the mails that were sent, and those of chunks that were never committed. Queries: one"""
    run.mails.exclude(state__in=UNSURE_STATES).delete()


def _send(rows: Sequence[RunMail], take: Callable[[RunMail, Mail], bool] | None = None) -> int:
    """Send mails. Returns how many could not be sent. Shape: take: called before each is handed over, False = it isn't"""
    readable: list[RunMail] = []
    mails: list[Mail] = []
    for row in rows:
        try:
            text = decrypt(PURPOSE, row.sealed)
        except Unreadable:
            _mark(row, State.FAILED)
        else:
            if row.state == State.BEGUN and text.get(_TAKEN_AT, 0) > time.time() - _TAKEN_SECONDS:
                # Somebody hands it over now.
                continue
            readable.append(row)
            mails.append(Mail(row.address, text["subject"], text["body"]))
    left = len(rows) - len(readable)
    if not mails:
        return left

    taken: set[int] = set()

    def mark(place: int, state: State) -> bool:
        if take is None or place in taken:
            return _mark(readable[place], state)
        if state is State.BEGUN and take(readable[place], mails[place]):
            taken.add(place)
            return True
        # It stays as others have it.
        return False

    return left + MailSender().send_mail_batch(mails, mark)


def _take_again(row: RunMail, mail: Mail) -> bool:
    """Take a mail that is to be sent again for this process, as several may be asked to at once. Queries: one

    Encrypted anew it is no more what the others have read.
    """
    again = encrypt(PURPOSE, {"subject": mail.subject, "body": mail.body, _TAKEN_AT: time.time()})
    with own_database():
        same = RunMail.objects.filter(pk=row.pk, state=row.state, sealed=bytes(row.sealed))
        return bool(same.update(state=State.BEGUN, sealed=again))


def _mark(row: RunMail, state: State) -> bool:
    # Of what was sent, nothing is kept: neither who it was for nor what it said.
    erased = {"address": "", "sealed": b""} if state is State.SENT else {}
    with own_database():
        RunMail.objects.filter(pk=row.pk).update(state=state, **erased)
    return True
