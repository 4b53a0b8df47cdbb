"""Notifications: who is told of an event. They are kept with the event itself, and tried until they are taken (retry).

A notification is claimed by a conditional UPDATE that also says when it is tried again: a worker may die while it sends.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import time
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from sync.audit.services import fields_of, record_saved
from sync.errors import CodedError, NotificationError
from sync.models import (
    CHOSEN_EVENTS,
    AuditKind,
    Event,
    MoodleSite,
    Notification,
    NotificationRule,
    RunState,
    Schedule,
    SequenceRun,
    SequenceState,
    SyncRun,
    Webhook,
)
from sync.notifications.compose import IS_TOLD, TAKEN_FOR, send_mail, send_to_webhook
from sync.notifications.digests import keep_entries, keep_entries_again
from sync.notifications.feed_states import forget_untold, is_news, take_recovered_by
from sync.notifications.webhooks import webhook_of
from sync.runs.options import notification_retry_delays, site_zone
from sync.runs.rights import OPERATOR, Responsible
from sync.schedules.timing import AtTime
from sync.task_queue import QueueUnavailable, send_task

NOTIFY_TASK = "sync.notify"
# What is sent again every minute must not pile up.
_EXPIRES = 55.0
# Nobody needs to hear of a cancelled run but the one who cancelled it.
_EVENT_BY_STATE: Mapping[str, Event] = {
    RunState.COMPLETED: Event.SUCCESS,
    RunState.COMPLETED_WITH_REJECTIONS: Event.REJECTIONS,
    RunState.FAILED: Event.FAILURE,
    RunState.ERRORED: Event.FAILURE,
    RunState.HELD: Event.HELD,
    RunState.EXPIRED: Event.FAILURE,
}
# Of what nobody is named for, those hear who hear of failures.
_LIKE_FAILURE = (Event.HELD, Event.RECOVERED, Event.LATE, Event.DEAD)
# What can wait until the digest of the feed.
_FOR_DIGEST = (Event.SUCCESS, Event.REJECTIONS)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class RuleChoice:
    """What an administrator has chosen for a file type; as in the model."""

    recipients: Mapping[str, Collection[str]] = field(default_factory=dict)
    attach_report: bool = False
    language: str = ""
    expected_at: time | None = None
    weekdays_only: bool = False


def rule_of(site: MoodleSite, processor: str) -> NotificationRule:
    """Return the rule of a file type, or of those without one (""); one that nobody has set tells nobody."""
    rule = NotificationRule.objects.filter(site=site, processor=processor).first()
    return rule or NotificationRule(site=site, processor=processor)


def save_rule(site: MoodleSite, processor: str, choice: RuleChoice, *, by: Responsible = OPERATOR) -> NotificationRule:
    """Keep who is told about a file type. Raises: NotificationError."""
    checked_addresses({address for addresses in choice.recipients.values() for address in addresses})
    wanted = {str(event): list(choice.recipients.get(event, ())) for event in CHOSEN_EVENTS}
    rule = NotificationRule(
        processor=processor, expected_at=choice.expected_at if processor else None, weekdays_only=choice.weekdays_only
    )
    timing = deadline_of(rule)
    values = {
        "recipients": {event: addresses for event, addresses in wanted.items() if addresses},
        "attach_report": choice.attach_report,
        "language": choice.language,
        "expected_at": rule.expected_at,
        "weekdays_only": choice.weekdays_only,
        "due_at": timing.next_after(timezone.now()) if timing else None,
    }
    with transaction.atomic():
        before = _audited(rule_of(site, processor))
        saved = NotificationRule.objects.update_or_create(site=site, processor=processor, defaults=values)[0]
        record_saved(site, AuditKind.NOTIFICATION, by, processor, before=before, after=_audited(saved))
    return saved


def checked_addresses(addresses: Collection[str]) -> list[str]:
    """Return mail addresses, each once. Raises: NotificationError"""
    for address in addresses:
        try:
            validate_email(address)
        except ValidationError:
            raise NotificationError("mail_address_wrong", address=address) from None
    return list({address.casefold(): address for address in addresses}.values())


def delete_rule(site: MoodleSite, processor: str, *, by: Responsible = OPERATOR) -> None:
    """Take the rule of a file type away."""
    with transaction.atomic():
        rule = NotificationRule.objects.filter(site=site, processor=processor).first()
        if rule is not None:
            record_saved(site, AuditKind.NOTIFICATION, by, processor, before=_audited(rule), after=None)
            rule.delete()


def _audited(rule: NotificationRule) -> dict[str, Any] | None:
    return fields_of(rule, ("recipients", "attach_report", "language", "expected_at", "weekdays_only"))


def deadline_of(rule: NotificationRule) -> AtTime | None:
    """Return the rule by which a file is expected; None when no time is set."""
    at = rule.expected_at
    if at is None:
        return None
    return AtTime(f"{at.minute} {at.hour} * * {'1-5' if rule.weekdays_only else '*'}", site_zone())


def notify_of_run(run: SyncRun) -> None:
    """Keep what is to be told about a run that is over or waits. Belongs in the transaction that says so."""
    event = _EVENT_BY_STATE.get(run.state)
    if event is None or run.simulate:
        return
    sequence = run.sequence_run
    schedule = sequence.schedule if sequence is not None else None
    if sequence is not None and event == Event.HELD:
        keep_entries(sequence, is_over=False)
    if sequence is not None and schedule is not None and event in _FOR_DIGEST:
        _notify_of_end_after_all(run, sequence, schedule)
    notify(run.site, run.processor, event, run=run, schedule=schedule)


def _notify_of_end_after_all(run: SyncRun, sequence: SequenceRun, schedule: Schedule) -> None:
    """Keep what is to be told where a run comes to its end whose start was over already: somebody has taken it up again."""
    if SequenceRun.objects.filter(pk=sequence.pk, state=SequenceState.RUNNING).exists():
        return
    keep_entries_again(sequence)
    for told in take_recovered_by(run, sequence, schedule):
        notify(run.site, told.processor, Event.RECOVERED, run=run, schedule=schedule, since=told.since)


def notify(
    site: MoodleSite, processor: str, event: Event, *, run: SyncRun | None = None, schedule: Schedule | None = None,
    feed_recipients: Collection[str] = (), notified: Collection[str] = (), **about: Any,
) -> list[str]:  # fmt: skip
    """Keep what is to be told; the workers tell it once it is committed. Return the addresses that get a mail of it.

    Of a feed, people get no mail of what can wait for its digest, and none of a failure that they were told of before.

    Shape: schedule: the feed that it is about; feed_recipients: who is told of the feeds that it is about, where they are
    several; notified: addresses that get a mail of it already; about: fields of the notification. due_at: of an overdue
    file; fault: code and parameters of what kept a file type from beginning; feed, part, since
    Queries: at most five, and one for each way
    """
    rule = NotificationRule.objects.filter(site=site, processor__in=("", processor)).order_by("-processor").first()
    now = timezone.now()
    values = {"site": site, "processor": processor, "event": event, "run": run, "next_try_at": now, **about}
    notifications = []
    has_it = {address.casefold() for address in notified}
    recipients = [
        address for address in _recipients(rule, event, schedule, feed_recipients) if address.casefold() not in has_it
    ]
    if schedule is not None and event == Event.FAILURE and recipients:
        recipients = recipients if is_news(schedule, processor, *_failure_of(run, about)) else []
    if recipients:
        mail = Notification(channel=Notification.Channel.MAIL, recipients=recipients, **values)
        mail.attach_report, mail.language = (rule.attach_report, rule.language) if rule is not None else (False, "")
        notifications.append(mail)
    if _hears(webhook_of(site), event):
        notifications.append(Notification(channel=Notification.Channel.WEBHOOK, **values))
    for notification in notifications:
        notification.save()
        enqueue(notification)
    return recipients


def _alike(event: Event) -> tuple[Event, ...]:
    return (event, Event.FAILURE) if event in _LIKE_FAILURE else (event,)


def _hears(webhook: Webhook | None, event: Event) -> bool:
    return webhook is not None and any(name in webhook.events for name in _alike(event))


def _recipients(
    rule: NotificationRule | None, event: Event, schedule: Schedule | None, of_feeds: Collection[str] = ()
) -> list[str]:
    """Return the addresses that get a mail now, each once."""
    if schedule is not None and event in _FOR_DIGEST:
        return []
    named: list[str] = next(
        (found for name in _alike(event) if rule is not None and (found := rule.recipients.get(name))), []
    )
    of_feed = schedule.recipients if schedule is not None else []
    return list({address.casefold(): address for address in (*of_feed, *of_feeds, *named)}.values())


def _failure_of(run: SyncRun | None, about: Mapping[str, Any]) -> tuple[str, bool]:
    """Return the code of a failure, and whether it is that of a run."""
    return (run.error_code, True) if run is not None else (about["fault"][0], False)


def send_notification(notification_id: int) -> None:
    """Tell, if it is time and nobody else does. What can't be told now is tried again later, and given up in the end."""
    now = timezone.now()
    notification = Notification.objects.filter(pk=notification_id, next_try_at__lte=now).first()
    if notification is None:
        return
    pauses = notification_retry_delays()
    next_try_at = now + pauses[notification.attempts] if notification.attempts < len(pauses) else None
    ours = Notification.objects.filter(pk=notification_id, next_try_at=notification.next_try_at)
    taken_until = max(next_try_at, now + TAKEN_FOR) if next_try_at is not None else None
    if not ours.update(next_try_at=taken_until, attempts=F("attempts") + 1):
        return
    notification.attempts += 1
    # No more once another worker has taken it over.
    kept = Notification.objects.filter(pk=notification_id, attempts=notification.attempts)
    if notification.begun_at is not None:
        # Whoever handed it over died before the answer: nobody gets a digest twice.
        kept.update(
            next_try_at=None,
            error_code="mail_in_doubt",
            error_params={"recipients": ", ".join(notification.recipients)},
        )
        return
    try:
        send_mail(notification) if notification.channel == Notification.Channel.MAIL else send_to_webhook(notification)
    except CodedError as error:
        logger.warning("notification %s: %s", notification_id, error.code)
        is_in_doubt = error.code == "mail_in_doubt"
        again_at = None if is_in_doubt else next_try_at
        is_kept = kept.update(error_code=error.code, error_params=error.params, next_try_at=again_at)
        is_told = notification.channel != Notification.Channel.MAIL or is_in_doubt or error.params.get(IS_TOLD)
        if is_kept and next_try_at is None and not is_told:
            forget_untold(notification)
    else:
        kept.update(sent_at=timezone.now(), next_try_at=None, error_code="", error_params={})


def send_waiting_notifications() -> None:
    """Hand what is to be told by now to the workers: what failed before, and what nobody was told of."""
    due = Notification.objects.filter(next_try_at__lte=timezone.now()).order_by("next_try_at", "pk")
    for notification_id in due.values_list("pk", flat=True):
        _enqueue(notification_id)


def enqueue(notification: Notification) -> None:
    """Hand a notification to the workers once it is committed."""
    transaction.on_commit(partial(_enqueue, notification.pk))


def _enqueue(notification_id: int) -> None:
    try:
        send_task(NOTIFY_TASK, notification_id, expires=_EXPIRES)
    except QueueUnavailable:
        logger.warning("the broker doesn't answer; notification %s waits", notification_id)
