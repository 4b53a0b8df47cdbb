"""When file types are run without a person, and what came of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy as _

from sync.messages import text_of
from sync.models.run import SyncRun


class Schedule(models.Model):
    """One file type, or several in order of dependency (a sequence), and when they are to run.

    Shape: processors: keys, in the order in which they run; kind says which of every_seconds, at and crontab applies;
    anchor_at: intervals are counted from here; next_at: when it starts next, None when it is off; held_at: the start that a
    freeze window kept back; together: what came for all file types is fetched first, and planned as a bundle; recipients: mail
    addresses that hear of what needs a person at once, and get digests; digest_at: by the clock of the site, None = when each
    of them wants it; digest_at_end: as soon as a start is over; owner: who saved it or switched it on, in whose name it runs;
    owner_name: stays when the user is deleted, "" = the operator
    """

    class Kind(models.TextChoices):
        EVERY = "every", _("Every so many hours or minutes")
        DAILY = "daily", _("Every day at a time")
        WEEKDAYS = "weekdays", _("Monday to Friday at a time")
        CRONTAB = "crontab", _("A crontab")

    site = models.ForeignKey(
        "sync.MoodleSite", verbose_name=_("site"), on_delete=models.CASCADE, related_name="schedules"
    )
    name = models.CharField(_("name"), max_length=100, blank=True, default="")
    processors = models.JSONField(_("file types"), default=list)
    kind = models.CharField(_("when"), max_length=10, choices=Kind, default=Kind.DAILY)
    every_seconds = models.PositiveIntegerField(default=6 * 3600)
    at = models.TimeField(_("at"), null=True, blank=True)
    crontab = models.CharField(_("crontab"), max_length=100, blank=True, default="")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("owner"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    owner_name = models.CharField(max_length=150, blank=True, default="")
    enabled = models.BooleanField(_("on"), default=False)
    stop_on_failure = models.BooleanField(_("stop after a failure"), default=True)
    together = models.BooleanField(_("plan all files together"), default=False)
    after_freeze = models.BooleanField(_("make up for it after a freeze window"), default=True)
    recipients = models.JSONField(_("people told"), default=list, blank=True)
    attach_report = models.BooleanField(_("attach the reports"), default=False)
    digest_at = models.TimeField(_("time of the digest"), null=True, blank=True)
    digest_at_end = models.BooleanField(_("digest as soon as a start is over"), default=False)
    anchor_at = models.DateTimeField(default=timezone.now, editable=False)
    next_at = models.DateTimeField(_("next run"), null=True, blank=True, editable=False)
    held_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("schedule")
        verbose_name_plural = _("schedules")
        ordering = ("id",)
        indexes = (models.Index(fields=("enabled", "next_at"), name="schedule_by_next_start"),)
        permissions = (
            ("manage_schedules", _("Can set when tools run by themselves")),
            ("manage_all_schedules", _("Can freeze the site, and change the schedules of others")),
        )

    def __str__(self) -> str:
        return self.name or ", ".join(self.processors)

    @property
    def is_sequence(self) -> bool:
        return len(self.processors) > 1


class FreezeWindow(models.Model):
    """A period during which nothing starts by itself."""

    # Longer, or further away, than any exam, migration or summer: somebody has mistyped, or wants to stop the site.
    MAX_LENGTH = timedelta(days=100)
    MAX_AHEAD = timedelta(days=730)

    site = models.ForeignKey(
        "sync.MoodleSite", verbose_name=_("site"), on_delete=models.CASCADE, related_name="freeze_windows"
    )
    starts_at = models.DateTimeField(_("from"))
    ends_at = models.DateTimeField(_("until"))
    reason = models.CharField(_("reason"), max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("freeze window")
        verbose_name_plural = _("freeze windows")
        ordering = ("starts_at",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="freeze_window_has_length"
            ),
        )

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d %H:%M} - {self.ends_at:%Y-%m-%d %H:%M}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Keep a window that makes sense, whoever made it. Raises: ValidationError"""
        if self._state.adding:
            self.full_clean()
        super().save(*args, **kwargs)

    @classmethod
    def span_fault(cls, starts_at: datetime, ends_at: datetime) -> tuple[str, dict[str, int]] | None:
        """Return what is wrong with a period, as a code of sync.messages and its parameters; None when it may be."""
        if ends_at <= starts_at:
            return "freeze_window_empty", {}
        if ends_at - starts_at > cls.MAX_LENGTH:
            return "freeze_window_too_long", {"days": cls.MAX_LENGTH.days}
        if ends_at <= timezone.now():
            return "freeze_window_over", {}
        if starts_at - timezone.now() > cls.MAX_AHEAD:
            return "freeze_window_too_far", {"days": cls.MAX_AHEAD.days}
        return None

    def clean(self) -> None:
        """Raises: ValidationError if the period can't be one."""
        if None in (self.starts_at, self.ends_at):
            return
        if fault := self.span_fault(self.starts_at, self.ends_at):
            code, params = fault
            raise ValidationError(text_of(code, params), code=code)


class SequenceState(models.TextChoices):
    """Where a sequence run stands."""

    RUNNING = "running", _("Under way")
    COMPLETED = "completed", _("Completed")
    FAILED = "failed", _("Ended, with a failure")
    STOPPED = "stopped", _("Stopped after a failure")
    CANCELLED = "cancelled", _("Cancelled")


class SequenceRun(models.Model):
    """One start of a schedule: its file types, one after the other, each with what came for it.

    Shape: name, processors, stop_on_failure, together: as the schedule had them; bundle: of its files, where they are planned
    together; requested_by: who started it by hand, else None;
    owner: of the schedule, or who started it by hand;
    position: how many file types have had their turn; claimed_at: the last sign of life of who fetches the files of the next one;
    claimed_by: its token;
    faults: [[processor, code, params], ...] of file types that could not begin
    """

    site = models.ForeignKey("sync.MoodleSite", verbose_name=_("site"), on_delete=models.CASCADE, related_name="+")
    schedule = models.ForeignKey(
        Schedule, verbose_name=_("schedule"), null=True, on_delete=models.SET_NULL, related_name="sequence_runs"
    )
    name = models.CharField(_("name"), max_length=100, blank=True, default="")
    processors = models.JSONField(_("file types"), default=list)
    stop_on_failure = models.BooleanField(_("stop after a failure"), default=True)
    together = models.BooleanField(_("plan all files together"), default=False)
    bundle = models.ForeignKey(
        "sync.Bundle", verbose_name=_("bundle"), null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("asked for by"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("owner"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    owner_name = models.CharField(max_length=150, blank=True, default="")
    state = models.CharField(_("state"), max_length=10, choices=SequenceState, default=SequenceState.RUNNING)
    position = models.PositiveIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True, blank=True)
    claimed_by = models.CharField(max_length=32, blank=True, default="")
    faults = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(_("started on"), auto_now_add=True)
    finished_at = models.DateTimeField(_("ended on"), null=True, blank=True)

    class Meta:
        verbose_name = _("sequence run")
        verbose_name_plural = _("sequence runs")
        ordering = ("-id",)
        indexes = (models.Index(fields=("schedule", "-id"), name="sequence_by_schedule"),)

    def __str__(self) -> str:
        return gettext("Sequence run %(id)s") % {"id": self.pk}

    @property
    def is_over(self) -> bool:
        return self.state != SequenceState.RUNNING

    @property
    def is_sequence(self) -> bool:
        return len(self.processors) > 1

    @property
    def origin(self) -> str:
        """What its runs were started by."""
        return SyncRun.Origin.SEQUENCE if self.is_sequence else SyncRun.Origin.SCHEDULE
