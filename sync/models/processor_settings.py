"""What an administrator has chosen for one file type of one site."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class ProcessorSettings(models.Model):
    """Stored options of one processor. Shape: values: option name -> JSON value, only those that differ from the default."""

    site = models.ForeignKey(
        "sync.MoodleSite", verbose_name=_("site"), on_delete=models.CASCADE, related_name="settings"
    )
    processor = models.CharField(_("file type"), max_length=40)
    values = models.JSONField(_("options"), default=dict, blank=True)

    class Meta:
        verbose_name = _("settings of a file type")
        verbose_name_plural = _("settings of file types")
        constraints = [models.UniqueConstraint(fields=("site", "processor"), name="one_settings_per_processor")]

    def __str__(self) -> str:
        return f"{self.processor} ({self.site})"
