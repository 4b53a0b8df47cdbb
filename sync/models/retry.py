"""Rows that are tried again by themselves, because what they name may be there by then."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Retry(models.Model):
    """The rows of one run that wait for another try.

    Shape: tables: of Moodle, in which something is missing; tries: how many of the rows' tries count so far; most: after so many
    they are given up; storage_key: where the rows are kept, as a tryback; form: how that is written; seen_at: runs that ended
    until then were looked at; retry_run: the run that tries the rows again
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        TRIED = "tried", _("Tried again")
        REPLACED = "replaced", _("Brought again by later files")
        LOST = "lost", _("Lost")
        UNDONE = "undone", _("Run undone")

    run = models.OneToOneField("sync.SyncRun", verbose_name=_("run"), on_delete=models.CASCADE, related_name="retry")
    site = models.ForeignKey("sync.MoodleSite", verbose_name=_("site"), on_delete=models.CASCADE, related_name="+")
    processor = models.CharField(_("file type"), max_length=40)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    tables = models.JSONField(default=list)
    tries = models.PositiveIntegerField(_("tries"), default=0)
    most = models.PositiveIntegerField(_("given up after"))
    storage_key = models.CharField(max_length=600)
    form = models.JSONField(default=list)
    seen_at = models.DateTimeField()
    retry_run = models.OneToOneField(
        "sync.SyncRun", verbose_name=_("run that tries them again"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="retry_of",
    )  # fmt: skip

    class Meta:
        verbose_name = _("rows that wait for another try")
        verbose_name_plural = _("rows that wait for another try")
        indexes = (models.Index(fields=("state", "site", "processor"), name="retries_by_state"),)

    def __str__(self) -> str:
        return f"{self.run_id}: {self.state}"

    @property
    def tries_left(self) -> int:
        return max(0, self.most - self.tries)


class RetryRow(models.Model):
    """One row that waits. Shape: line: in the file of its run; key: digest of what the row is about, "" = unknown; replaced_by:
    the run whose file brought the row again
    """

    retry = models.ForeignKey(Retry, on_delete=models.CASCADE, related_name="rows")
    line = models.BigIntegerField()
    key = models.CharField(max_length=64, blank=True, default="")
    code = models.CharField(max_length=80)
    subject = models.CharField(max_length=255, blank=True, default="")
    replaced_by = models.ForeignKey("sync.SyncRun", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    is_replaced = models.BooleanField(default=False)

    class Meta:
        ordering = ("line",)
        constraints = (models.UniqueConstraint(fields=("retry", "line"), name="one_retry_row_per_line"),)
        indexes = (models.Index(fields=("key",), name="retry_rows_by_key"),)

    def __str__(self) -> str:
        return f"{self.retry_id}: {self.line}"
