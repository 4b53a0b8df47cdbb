"""What was last found out about the parts that ToolSync needs to be at work."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class HealthRecord(models.Model):
    """The last look at one part, or its last sign of life.

    Shape: part: a key of sync/health/parts.py; subject: slug of the site whose Moodle it is, else ""; code, params: what was
    found, as sync.messages knows it; since: of this level; notified_at: when people were told that it is
    dead, None = they know of nothing bad
    """

    class Level(models.TextChoices):
        OK = "ok", _("fine")
        WARNING = "warning", _("warning")
        ERROR = "error", _("error")

    part = models.CharField(_("part"), max_length=20)
    subject = models.CharField(max_length=50, blank=True, default="")
    level = models.CharField(_("state"), max_length=10, choices=Level, default=Level.OK)
    code = models.CharField(max_length=80, blank=True, default="")
    params = models.JSONField(default=dict, blank=True)
    since = models.DateTimeField(_("since"))
    seen_at = models.DateTimeField(_("last look"))
    notified_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("state of a part")
        verbose_name_plural = _("states of parts")
        constraints = (models.UniqueConstraint(fields=("part", "subject"), name="one_health_record_per_part"),)

    def __str__(self) -> str:
        return f"{self.part} {self.subject}: {self.level}"
