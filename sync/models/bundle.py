"""Several command files that belong together, and what is known of them before there are runs."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext, gettext_lazy as _


class Bundle(models.Model):
    """Command files that are planned together, judged as a whole and carried out one after the other.

    Its runs are its files, in the order of their ids. The first one stands for all of them until a person has decided: it makes
    the plans of all, and it is the one that waits. While workers read its workbooks, to tell their types, it has no runs.
    Shape: name: of the zip, or of the first of several files; processors: keys of the types of its files, in order, "" = not
    known yet; asks: a person lets it go on, whatever the limits say; totals: what its plans do in all, as of a run; options:
    file type -> what differs from its stored options, kept until there are runs; author_ids: keys of users who had handed its
    files in before, or planned them before: none of them is a second person; language: of who asked for it; token: by which
    a program did, token_name: of it, kept when it is gone; error_code, error_params: of sync.messages, why nothing came of it
    """

    class State(models.TextChoices):
        READING = "reading", _("Workbooks are being read")
        PLANNED = "planned", _("Has its runs")
        REFUSED = "refused", _("Files can't be used")
        CANCELLED = "cancelled", _("Cancelled")

    site = models.ForeignKey(
        "sync.MoodleSite", verbose_name=_("site"), on_delete=models.CASCADE, related_name="bundles"
    )
    name = models.CharField(_("name"), max_length=255)
    processors = models.JSONField(_("file types"), default=list)
    asks = models.BooleanField(_("waits for a person"), default=True)
    totals = models.JSONField(default=dict, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("asked for by"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    created_at = models.DateTimeField(_("asked for on"), auto_now_add=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PLANNED)
    options = models.JSONField(default=dict, blank=True)
    author_ids = models.JSONField(default=list, blank=True)
    language = models.CharField(max_length=10, blank=True, default="")
    token = models.ForeignKey("sync.ApiToken", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    token_name = models.CharField(max_length=100, blank=True, default="")
    error_code = models.CharField(max_length=60, blank=True, default="")
    error_params = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("bundle")
        verbose_name_plural = _("bundles")
        ordering = ("-id",)

    def __str__(self) -> str:
        return gettext("Bundle %(id)s") % {"id": self.pk}

    @property
    def file_types(self) -> list[str]:
        """The types of its files, each once."""
        return list(dict.fromkeys(self.processors))

    @property
    def has_runs(self) -> bool:
        """Whether its files are runs; else workbooks of it are being read, or nothing came of it."""
        return self.state == self.State.PLANNED


class BundleUpload(models.Model):
    """A file of a bundle that has no runs yet.

    Shape: name: kept when the file is gone; processor: key of its type, "" = a worker tells it; code, params: of
    sync.messages, why it can't be used
    """

    bundle = models.ForeignKey("sync.Bundle", on_delete=models.CASCADE, related_name="uploads")
    file = models.ForeignKey(
        "sync.CommandFile", null=True, blank=True, on_delete=models.SET_NULL, related_name="bundle_uploads"
    )
    name = models.CharField(max_length=255)
    processor = models.CharField(max_length=40, blank=True, default="")
    code = models.CharField(max_length=60, blank=True, default="")
    params = models.JSONField(default=dict, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.bundle_id}: {self.name}"
