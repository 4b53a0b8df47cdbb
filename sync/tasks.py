"""Celery tasks: what the workers do, by the services."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from sync.commandfiles import readings
from sync.commandfiles.chunked_uploads import sweep_chunked_uploads
from sync.grace import services as grace
from sync.health.alerts import notify_of_dead_parts
from sync.health.checks import check_health
from sync.health.records import Part, note_life
from sync.notifications import digests, password_mails, services as notifications
from sync.overview.digests import make_due_digests
from sync.overview.late_feeds import notify_of_late_feeds
from sync.people import invitations, sessions, tokens
from sync.retries import services as retries
from sync.runs import bundle_uploads, decisions, retention, services
from sync.runs.lease import SEQUENCE_TASK
from sync.runs.options import tick_seconds
from sync.schedules import overdue, sequences, services as scheduling
from sync.task_queue import send_task
from toolsync_site.celery import app  # noqa: F401 (the application that the tasks are of)

# What each tick sends, and what the one at 17 minutes past the hour sends too. Each message is good until the next of its kind.
EACH_TICK = (
    "sync.recover_dead_runs",
    "sync.follow_schedules",
    "sync.follow_grace",
    "sync.follow_retries",
    "sync.follow_notifications",
    "sync.check_health",
)
EACH_HOUR = ("sync.sweep_uploads", "sync.prune")
_HOURLY_MINUTE = 17


@shared_task(name="sync.tick")
def tick() -> None:
    """Send the tasks that look for what is due. Each is a message of its own, so that a failure of one stops no other."""
    note_life(Part.WORKER)
    for name in EACH_TICK:
        send_task(name, expires=services.RECOVERY_EXPIRES)
    now = timezone.now()
    # Ticks may be minutes apart: one of them falls into the first ones after that minute.
    if ((now.minute - _HOURLY_MINUTE) * 60 + now.second) % 3600 < tick_seconds():
        for name in EACH_HOUR:
            send_task(name, expires=3600)


@shared_task(name="sync.run")
def run_task(run_id: int) -> None:
    """Carry out a run: this one, or another one whose turn it is."""
    services.execute_next(run_id)


@shared_task(name=readings.READ_TASK)
def read_workbook(reading_id: int) -> None:
    """Read a workbook for pages and programs, unless somebody else does."""
    bundle_uploads.read_workbook(reading_id)


@shared_task(name="sync.recover_dead_runs")
def recover_dead_runs() -> None:
    """Find the runs and the readings whose worker died, and those on which nobody has decided in time."""
    services.recover_dead_runs()
    decisions.expire_runs()
    readings.follow_readings()
    bundle_uploads.follow_bundles()


@shared_task(name=SEQUENCE_TASK)
def carry_on_sequence(sequence_id: int) -> None:
    """Carry a sequence on, unless somebody else does or its runs have work to do."""
    sequences.carry_on_sequence(sequence_id)


@shared_task(name="sync.follow_schedules")
def follow_schedules() -> None:
    """Start the schedules whose time has come, and carry on the sequences that nobody was told of."""
    scheduling.start_due_schedules()
    sequences.carry_on_sequences()


@shared_task(name="sync.follow_grace")
def follow_grace() -> None:
    """Start the deletion of what was listed long enough, and look after the runs that did so."""
    grace.follow_tasks()
    grace.delete_due()


@shared_task(name="sync.follow_retries")
def follow_retries() -> None:
    """Try rows again that were rejected because something was missing."""
    retries.start_retries()


@shared_task(name=notifications.NOTIFY_TASK)
def tell(notification_id: int) -> None:
    """Send one mail or one message to a webhook, unless somebody else does."""
    notifications.send_notification(notification_id)


@shared_task(name="sync.follow_notifications")
def follow_notifications() -> None:
    """Find the files that are overdue, late feeds and due digests, and what could not be told before."""
    overdue.notify_of_overdue_files()
    notify_of_late_feeds()
    make_due_digests()
    notifications.send_waiting_notifications()


@shared_task(name="sync.check_health")
def look_at_health() -> None:
    """Look at every part that ToolSync needs, keep how it is, and tell people what died or works again."""
    try:
        check_health()
    finally:
        # A check that fails itself keeps nobody from hearing of what died before.
        notify_of_dead_parts()


@shared_task(name="sync.sweep_uploads")
def sweep_uploads() -> None:
    """Delete the uploads that nobody finished."""
    services.sweep_left_uploads()
    sweep_chunked_uploads()
    readings.forget_readings()


@shared_task(name=password_mails.MAIL_TASK)
def send_password_mail(email: str, host: str, language: str, *, is_secure: bool) -> None:
    """Send a link to another password to whoever has this address."""
    password_mails.send_password_mail(email, host, language, is_secure=is_secure)


@shared_task(name=invitations.INVITATION_TASK)
def send_invitation(invitation_id: int) -> None:
    """Mail the link of an invitation, unless that was done already."""
    invitations.send_invitation(invitation_id)


@shared_task(name="sync.prune")
def prune() -> None:
    """Delete what runs left, once it is old enough."""
    password_mails.forget_mail_counts()
    digests.forget_entries()
    invitations.forget_invitations()
    sessions.forget_sessions()
    tokens.forget_tokens()
    tokens.forget_answers()
    retention.prune()
    retention.sweep_drafts()
