"""How long what runs leave is kept."""

from __future__ import annotations

from django.core.validators import MaxValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

# A hundred years: what is longer is no date any more.
_NOT_TOO_LONG = (MaxValueValidator(36_500),)


class Retention(models.Model):
    """So many days what the runs of a site left is kept; 0 = for ever. Without a record the operator's setting holds."""

    site = models.OneToOneField("sync.MoodleSite", verbose_name=_("site"), on_delete=models.CASCADE, related_name="+")
    reports = models.PositiveIntegerField(_("Reports"), validators=_NOT_TOO_LONG)
    archives = models.PositiveIntegerField(_("Archives"), validators=_NOT_TOO_LONG)
    trybacks = models.PositiveIntegerField(_("Trybacks"), validators=_NOT_TOO_LONG)
    journals = models.PositiveIntegerField(_("Before-images"), validators=_NOT_TOO_LONG)

    class Meta:
        verbose_name = _("retention")
        verbose_name_plural = _("retentions")
        permissions = (("manage_retention", _("Can set how long the files of runs are kept")),)

    def __str__(self) -> str:
        return str(self.site)
