"""Mappings of columns that people keep, in versions of which none is ever changed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class SavedMapping(models.Model):
    """One version of a mapping: what the columns of files with one header become.

    Shape: header: the names as the file that it was made for spells them; fingerprint: what files of the same header have in
    common (`sync.mappings.header_keys`); data: steps and columns left out, as `sync.mappings.column_mapping` reads them;
    is_used: whether files of this header are read by it without asking; created_by_name: kept when the user is deleted
    """

    site = models.ForeignKey("sync.MoodleSite", verbose_name=_("site"), on_delete=models.CASCADE, related_name="+")
    processor = models.CharField(_("file type"), max_length=40)
    name = models.CharField(_("name"), max_length=100)
    version = models.PositiveIntegerField(_("version"))
    fingerprint = models.CharField(max_length=64, db_index=True)
    header = models.JSONField(_("header"))
    data = models.JSONField()
    is_used = models.BooleanField(_("used"), default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("made by"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    created_by_name = models.CharField(max_length=150, blank=True, default="")
    created_at = models.DateTimeField(_("made on"), auto_now_add=True)

    class Meta:
        verbose_name = _("mapping of columns")
        verbose_name_plural = _("mappings of columns")
        ordering = ("processor", "name", "-version")
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=("site", "processor", "name", "version"), name="one_mapping_per_version"),
        )

    def __str__(self) -> str:
        return f"{self.name} {self.version}"
