"""One Moodle that ToolSync feeds."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class MoodleSite(models.Model):
    """One Moodle: its files, settings, runs and schedules hang on this.

    The site `main` is made from the environment and holds no connection of its own. `lease_run` is the run that may write
    to this Moodle now; the run's heartbeat says whether it is still alive.
    """

    slug = models.SlugField(_("short name"), unique=True)
    name = models.CharField(_("name"), max_length=200)
    connection = models.BinaryField(
        _("connection"), blank=True, default=b"", editable=False,
        help_text=_("Encrypted connection settings; empty for the site that the environment describes."),
    )  # fmt: skip
    lease_run = models.OneToOneField(
        "sync.SyncRun", verbose_name=_("run that writes now"), null=True, blank=True, editable=False,
        on_delete=models.SET_NULL, related_name="+",
    )  # fmt: skip
    created_at = models.DateTimeField(_("made on"), auto_now_add=True)

    class Meta:
        verbose_name = _("Moodle site")
        verbose_name_plural = _("Moodle sites")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
