"""Several command files that belong together."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext, gettext_lazy as _


class Bundle(models.Model):
    """Command files that are planned together, judged as a whole and carried out one after the other.

    Its runs are its files, in the order of their ids. The first one stands for all of them until a person has decided: it makes
    the plans of all, and it is the one that waits.
    Shape: name: of the zip, or of the first of several files; processors: keys of the types of its files, in order; asks: a
    person lets it go on, whatever the limits say; totals: what its plans do in all, as of a run
    """

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
