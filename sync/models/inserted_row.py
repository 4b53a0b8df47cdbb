"""What ToolSync has put into a Moodle, where it must be told apart from what people have put there."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class InsertedRow(models.Model):
    """A row of a Moodle table that a run inserted. Shape: table: without prefix; rowid: the id in that table"""

    site = models.ForeignKey("sync.MoodleSite", verbose_name=_("site"), on_delete=models.CASCADE, related_name="+")
    table = models.CharField(_("table"), max_length=64)
    rowid = models.BigIntegerField(_("row"))

    class Meta:
        verbose_name = _("inserted row")
        verbose_name_plural = _("inserted rows")
        constraints = (models.UniqueConstraint(fields=("site", "table", "rowid"), name="one_note_per_inserted_row"),)

    def __str__(self) -> str:
        return f"{self.table} {self.rowid}"
