"""A command file in a site's file area."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class CommandFile(models.Model):
    """A file that an administrator handed in, kept in the storage.

    Shape: folder: "/" or "/users/" (starts and ends with a slash); name: base name with extension; sha256: hex digest of the
    bytes; processor: the key guessed from the header, "" when unknown
    """

    site = models.ForeignKey("sync.MoodleSite", verbose_name=_("site"), on_delete=models.CASCADE, related_name="files")
    folder = models.CharField(_("folder"), max_length=255, default="/")
    name = models.CharField(_("name"), max_length=255)
    size = models.BigIntegerField(_("size in bytes"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    processor = models.CharField(_("file type"), max_length=40, blank=True, default="")
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("uploaded by"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    uploaded_at = models.DateTimeField(_("uploaded on"))

    class Meta:
        verbose_name = _("command file")
        verbose_name_plural = _("command files")
        ordering = ("folder", "name")
        constraints = [models.UniqueConstraint(fields=("site", "folder", "name"), name="one_file_per_path")]
        permissions = [("manage_files", _("Can upload and delete command files"))]

    def __str__(self) -> str:
        return self.path

    @property
    def path(self) -> str:
        """The path in the file area, as people write it: "/users/in.csv"."""
        return f"{self.folder}{self.name}"
