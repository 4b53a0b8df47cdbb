"""A command file in a site's file area, and which of them schedules take."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
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


class ArmedFile(models.Model):
    """Somebody who may run a file type has said that its schedules take a file.

    Shape: sha256: of the bytes that were meant; other bytes in their place are not armed; armed_by_name: kept when the
    user is deleted, "" = the operator of this installation
    """

    file = models.ForeignKey(
        "sync.CommandFile", verbose_name=_("command file"), on_delete=models.CASCADE, related_name="armings"
    )
    processor = models.CharField(_("file type"), max_length=40)
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    armed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("armed by"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    armed_by_name = models.CharField(max_length=150, blank=True, default="")
    armed_at = models.DateTimeField(_("armed on"), default=timezone.now)

    class Meta:
        verbose_name = _("armed file")
        verbose_name_plural = _("armed files")
        constraints = (models.UniqueConstraint(fields=("file", "processor"), name="one_arming_per_file_and_type"),)

    def __str__(self) -> str:
        return f"{self.processor}: {self.file}"
