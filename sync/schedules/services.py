"""What can be done with schedules, and which of them are due.

The tick that looks for them may come late, twice or never. A start is therefore taken by a conditional UPDATE of
`next_at`, which also sets the next one in the future: however many starts passed while nobody worked, one is made up for.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from sync.audit.services import fields_of, record_saved
from sync.errors import ScheduleError
from sync.models import AuditKind, FreezeWindow, MoodleSite, Schedule, SequenceRun, SequenceState
from sync.notifications.services import checked_addresses
from sync.people.roles import MANAGE_NOTIFICATIONS
from sync.processors.registry import REGISTRY
from sync.runs.lease import enqueue_sequence
from sync.runs.options import site_zone
from sync.runs.rights import OPERATOR, Responsible, owner_of
from sync.runs.selectors import processors_for
from sync.schedules.sequences import in_order, window_at
from sync.schedules.timing import AtTime, ByTheClock, Every, Timing

# The scheduled tasks of the old plugin (spec generic.md section 10), and everything in one go; all off.
SHIPPED: tuple[tuple[tuple[str, ...], str], ...] = (
    (("users",), "0 */6 * * *"),
    (("userpictures",), "0 */12 * * *"),
    (("courses_delete", "courses", "courses_meta"), "0 */12 * * *"),
    (("cohorts", "cohort_courses"), "15 */12 * * *"),
    (("groups", "groupmembers"), "45 */12 * * *"),
    (("enrolments",), "30 */6 * * *"),
    (
        ("users", "userpictures", "courses", "courses_meta", "cohorts", "groups", "enrolments", "groupmembers"),
        "15 2 * * *",
    ),
)

_AUDITED_FIELDS = (
    "name", "processors", "kind", "every_seconds", "at", "crontab", "enabled", "stop_on_failure", "together", "after_freeze",
    "owner_name",
    "recipients", "attach_report", "digest_at", "digest_at_end",
)  # fmt: skip
_WINDOW_FIELDS = ("starts_at", "ends_at", "reason")
_FREEZE = "freeze"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ScheduleChoice:
    """What an administrator has chosen for a schedule; as in the model."""

    processors: Collection[str] = field(default_factory=tuple)
    name: str = ""
    kind: str = Schedule.Kind.DAILY
    every_seconds: int = 6 * 3600
    at: time | None = None
    crontab: str = ""
    enabled: bool = False
    stop_on_failure: bool = True
    together: bool = False
    after_freeze: bool = True


@dataclass(frozen=True)
class RecipientsChoice:
    """Who is told of a feed, and how; as in the model."""

    recipients: Collection[str] = ()
    attach_report: bool = False
    digest_at: time | None = None
    digest_at_end: bool = False


def timing_of(schedule: Schedule) -> Timing:
    """Return the rule by which a schedule starts. Raises: ScheduleError."""
    if schedule.kind == Schedule.Kind.EVERY:
        return Every(schedule.every_seconds, schedule.anchor_at)
    if schedule.kind == Schedule.Kind.CRONTAB:
        return ByTheClock(schedule.crontab, site_zone())
    if schedule.at is None:
        raise ScheduleError("schedule_without_time")
    days = "1-5" if schedule.kind == Schedule.Kind.WEEKDAYS else "*"
    return AtTime(f"{schedule.at.minute} {schedule.at.hour} * * {days}", site_zone())


def save_schedule(
    site: MoodleSite, choice: ScheduleChoice, schedule: Schedule | None = None, *, owner: Responsible = OPERATOR,
    recipients: RecipientsChoice | None = None,
) -> Schedule:  # fmt: skip
    """Keep a schedule, a new one or a changed one. Whoever saves it is its owner from then on.

    Raises: ScheduleError; NotificationError
    Shape: recipients: who is told of it, None = as before
    """
    schedule = schedule or Schedule(site=site)
    earlier = _audited(schedule)
    schedule.owner, schedule.owner_name = owner
    before = (schedule.kind, schedule.every_seconds)
    for name in ("name", "kind", "every_seconds", "at", "enabled", "stop_on_failure", "together", "after_freeze"):
        setattr(schedule, name, getattr(choice, name))
    schedule.crontab = " ".join(choice.crontab.split())
    schedule.processors = in_order(choice.processors)
    if not schedule.processors:
        raise ScheduleError("schedule_without_tool")
    now = timezone.now()
    if (schedule.kind, schedule.every_seconds) != before:
        schedule.anchor_at = now
    first = timing_of(schedule).next_after(now)
    schedule.next_at = first if schedule.enabled else None
    schedule.held_at = None
    _set_recipients(schedule, recipients)
    with transaction.atomic():
        schedule.save()
        record_saved(site, AuditKind.SCHEDULE, owner, str(schedule), before=earlier, after=_audited(schedule))
    return schedule


def switch_schedule(
    schedule: Schedule, *, on: bool, owner: Responsible = OPERATOR, recipients: RecipientsChoice | None = None
) -> None:
    """Switch a schedule on or off. What passed while it was off is not made up for. It runs in the name of whoever did it.

    Raises: ScheduleError; NotificationError
    Shape: recipients: who is told of it, None = as before
    """
    before = _audited(schedule)
    schedule.enabled = on
    schedule.owner, schedule.owner_name = owner
    schedule.anchor_at = timezone.now()
    schedule.next_at = timing_of(schedule).next_after(timezone.now()) if on else None
    schedule.held_at = None
    _set_recipients(schedule, recipients)
    with transaction.atomic():
        schedule.save()
        record_saved(schedule.site, AuditKind.SCHEDULE, owner, str(schedule), before=before, after=_audited(schedule))


def save_recipients(schedule: Schedule, choice: RecipientsChoice, *, by: Responsible = OPERATOR) -> None:
    """Keep who is told of a feed. Raises: NotificationError"""
    before = _audited(schedule)
    _set_recipients(schedule, choice)
    with transaction.atomic():
        schedule.save(update_fields=["recipients", "attach_report", "digest_at", "digest_at_end"])
        record_saved(schedule.site, AuditKind.SCHEDULE, by, str(schedule), before=before, after=_audited(schedule))


def may_choose_recipients(user: Any, site: MoodleSite, processors: Collection[str]) -> bool:
    """Whether somebody may say who is told of a feed: they may of each of its file types."""
    settable = processors_for(user, MANAGE_NOTIFICATIONS, site=site)
    return {processor.key for processor in settable}.issuperset(processors)


def check_answered(schedule: Schedule | None, recipients: RecipientsChoice | None) -> None:
    """Refuse to switch on a feed of which nobody is told when nobody has said that it is to be so. Raises: ScheduleError

    Shape: schedule: None = a new one; recipients: what was answered, None = nothing
    """
    is_off = schedule is None or not schedule.enabled
    if is_off and recipients is None and not (schedule is not None and schedule.recipients):
        raise ScheduleError("schedule_without_recipients")


def _set_recipients(schedule: Schedule, choice: RecipientsChoice | None) -> None:
    """Raises: NotificationError"""
    if choice is not None:
        schedule.recipients = checked_addresses(choice.recipients)
        schedule.attach_report = choice.attach_report
        schedule.digest_at = choice.digest_at
        schedule.digest_at_end = choice.digest_at_end


def delete_schedule(schedule: Schedule, *, by: Responsible = OPERATOR) -> None:
    """Take a schedule away; what it has run stays."""
    with transaction.atomic():
        record_saved(schedule.site, AuditKind.SCHEDULE, by, str(schedule), before=_audited(schedule), after=None)
        schedule.delete()


def _audited(schedule: Schedule) -> dict[str, Any] | None:
    """Return what the audit compares; None for a schedule that isn't stored."""
    return fields_of(schedule if schedule.pk else None, _AUDITED_FIELDS)


def start_now(schedule: Schedule, user: Any) -> SequenceRun:
    """Start a schedule by hand, also one that is off and in a freeze window. Raises: ScheduleError."""
    with transaction.atomic():
        # Two people press at the same moment: the second waits here and then sees the run of the first.
        locked = Schedule.objects.select_for_update().select_related("site").get(pk=schedule.pk)
        if not locked.site.in_use:
            raise ScheduleError("site_out_of_use", site=locked.site.name)
        if _is_under_way(locked):
            raise ScheduleError("schedule_under_way")
        return _start(locked, user, Responsible.of(user))


def start_if_due(schedule_id: int) -> None:
    """Start a schedule whose time has come, unless a freeze window or its own last start holds it back."""
    now = timezone.now()
    due = Schedule.objects.select_related("site", "owner").filter(pk=schedule_id, enabled=True, next_at__lte=now)
    schedule = due.first()
    if schedule is None:
        return
    window = window_at(schedule.site, now)
    if window is not None:
        _hold(schedule, window)
        return
    if _is_under_way(schedule):
        # It stays due, and starts once when the one before is over.
        return
    following = timing_of(schedule).next_after(now)
    with transaction.atomic():
        # As in `start_now`: somebody may start it by hand in this moment.
        list(Schedule.objects.select_for_update().filter(pk=schedule.pk))
        if not _is_under_way(schedule) and _unchanged(schedule).update(next_at=following, held_at=None):
            _start(schedule, None, owner_of(schedule))


def start_due_schedules() -> None:
    """Start the schedules whose time has come, the earliest first."""
    due = Schedule.objects.filter(enabled=True, next_at__lte=timezone.now(), site__in_use=True)
    for schedule_id in due.order_by("next_at", "pk").values_list("pk", flat=True):
        start_if_due(schedule_id)


def open_windows(site: MoodleSite) -> list[FreezeWindow]:
    """Return the freeze windows of a site that aren't over."""
    return list(FreezeWindow.objects.filter(site=site, ends_at__gt=timezone.now()))


def next_start(schedule: Schedule, windows: Collection[FreezeWindow]) -> datetime | None:
    """Return when a schedule starts next, freeze windows minded; None when it is off. Shape: windows: `open_windows`"""
    moment = schedule.next_at
    while moment is not None and (window := _window_among(windows, max(moment, timezone.now()))) is not None:
        moment = window.ends_at if schedule.after_freeze else _first_from(schedule, window.ends_at)
    return moment


def last_starts(schedules: Collection[Schedule]) -> dict[int, SequenceRun]:
    """Return the last start of each schedule that has had one, by the schedule's id. Queries: one"""
    last = SequenceRun.objects.filter(schedule__in=schedules).values("schedule").annotate(last=Max("pk")).values("last")
    return {start.schedule_id: start for start in SequenceRun.objects.filter(pk__in=last) if start.schedule_id}


def _window_among(windows: Collection[FreezeWindow], moment: datetime) -> FreezeWindow | None:
    """Return the one of some freeze windows that a moment falls into, the one that ends last."""
    found = [window for window in windows if window.starts_at <= moment < window.ends_at]
    return max(found, key=lambda window: window.ends_at, default=None)


def add_freeze_window(
    site: MoodleSite, starts_at: datetime, ends_at: datetime, reason: str, *, by: Responsible = OPERATOR
) -> FreezeWindow:
    """Keep a period during which nothing starts by itself. Raises: ScheduleError."""
    if fault := FreezeWindow.span_fault(starts_at, ends_at):
        code, params = fault
        raise ScheduleError(code, **params)
    with transaction.atomic():
        window = FreezeWindow.objects.create(site=site, starts_at=starts_at, ends_at=ends_at, reason=reason)
        after = fields_of(window, _WINDOW_FIELDS)
        record_saved(site, AuditKind.SCHEDULE, by, reason, before=None, after=after, code=_FREEZE)
    return window


def delete_freeze_window(window: FreezeWindow, *, by: Responsible = OPERATOR) -> None:
    """Let things start by themselves again."""
    with transaction.atomic():
        before = fields_of(window, _WINDOW_FIELDS)
        record_saved(window.site, AuditKind.SCHEDULE, by, window.reason, before=before, after=None, code=_FREEZE)
        window.delete()


def make_shipped_schedules(site: MoodleSite, using: str) -> None:
    """Return a site that has no schedule those that it is shipped with, all off."""
    if Schedule.objects.using(using).filter(site=site).exists():
        return
    for processors, crontab in SHIPPED:
        known = [key for key in processors if key in REGISTRY]
        if known:
            Schedule.objects.using(using).create(
                site=site, processors=known, kind=Schedule.Kind.CRONTAB, crontab=crontab
            )


def _start(schedule: Schedule, user: Any, owner: Responsible) -> SequenceRun:
    sequence = SequenceRun.objects.create(
        site=schedule.site, schedule=schedule, name=schedule.name, processors=in_order(schedule.processors),
        stop_on_failure=schedule.stop_on_failure, together=schedule.together and schedule.is_sequence,
        requested_by=user, owner=owner.user, owner_name=owner.name,
    )  # fmt: skip
    transaction.on_commit(lambda: enqueue_sequence(sequence.pk))
    return sequence


def _hold(schedule: Schedule, window: FreezeWindow) -> None:
    """Note that a freeze window holds a start back; it comes after the window, or not at all, as chosen."""
    logger.info("schedule %s is held until %s: %s", schedule.pk, window.ends_at, window.reason)
    following = schedule.next_at if schedule.after_freeze else _first_from(schedule, window.ends_at)
    _unchanged(schedule).update(next_at=following, held_at=schedule.held_at or schedule.next_at)


def _first_from(schedule: Schedule, moment: datetime) -> datetime:
    return timing_of(schedule).next_after(moment - timedelta(microseconds=1))


def _unchanged(schedule: Schedule) -> Any:
    return Schedule.objects.filter(pk=schedule.pk, enabled=True, next_at=schedule.next_at)


def _is_under_way(schedule: Schedule) -> bool:
    return schedule.sequence_runs.filter(state=SequenceState.RUNNING).exists()
