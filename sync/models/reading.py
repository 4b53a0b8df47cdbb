"""What workers have read of workbooks, so that pages can show it without opening one."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class WorkbookReading(models.Model):
    """The beginning of a sheet of a workbook: asked for by a page, kept by a worker for a day.

    Shape: place: of the sheet among the visible ones that aren't empty; sha256: of the bytes that are meant; code, params: of
    sync.messages, why it can't be read; is_cut: there are more rows than are kept
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("is being read")
        READ = "read", _("read")
        FAILED = "failed", _("can't be read")

    file = models.ForeignKey(
        "sync.CommandFile", verbose_name=_("command file"), on_delete=models.CASCADE, related_name="readings"
    )
    place = models.PositiveSmallIntegerField(default=0)
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    code = models.CharField(max_length=60, blank=True, default="")
    params = models.JSONField(default=dict, blank=True)
    is_cut = models.BooleanField(default=False)
    attempts = models.PositiveSmallIntegerField(default=0)
    asked_at = models.DateTimeField(default=timezone.now, db_index=True)
    begun_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        constraints = (models.UniqueConstraint(fields=("file", "place"), name="one_reading_per_sheet"),)

    def __str__(self) -> str:
        return f"{self.file} [{self.place}]: {self.state}"
