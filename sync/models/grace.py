"""The list of deletions: users and courses that are out of use, and are deleted once their days of grace are over."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class GraceEntry(models.Model):
    """A user or a course on the list, or one that was on it.

    Shape: table: of Moodle; rowid: Moodle's id; name: username or short name when it was listed; label: who or what it is; run
    and line: that put it on the list; day: on which it is deleted, by the clock of the site; before: column -> what stood there
    before the grace; task_run: the run that deletes it or takes it off; closed: 0 while it is on the list, then its own id, so
    that an object is on the list once
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        DELETING = "deleting", _("Being deleted")
        ENDING = "ending", _("Being taken off")
        HELD = "held", _("Not deleted")
        DELETED = "deleted", _("Deleted")
        GONE = "gone", _("Deleted by others")
        ENDED = "ended", _("Taken off")

    site = models.ForeignKey("sync.MoodleSite", verbose_name=_("site"), on_delete=models.CASCADE, related_name="+")
    table = models.CharField(_("table"), max_length=20)
    rowid = models.BigIntegerField(_("Moodle id"))
    name = models.CharField(_("name"), max_length=255)
    label = models.CharField(_("who or what"), max_length=255, blank=True, default="")
    run = models.ForeignKey("sync.SyncRun", verbose_name=_("run"), on_delete=models.RESTRICT, related_name="+")
    line = models.BigIntegerField(_("line"))
    day = models.DateField(_("deleted on"))
    before = models.JSONField(default=dict, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    task_run = models.ForeignKey(
        "sync.SyncRun", verbose_name=_("run that ends it"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="grace_entries",
    )  # fmt: skip
    listed_at = models.DateTimeField(_("listed on"), auto_now_add=True)
    taken_off_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("taken off by"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    closed = models.BigIntegerField(default=0, editable=False)
    closed_at = models.DateTimeField(_("off the list since"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("entry of the list of deletions")
        verbose_name_plural = _("list of deletions")
        ordering = ("day", "pk")
        constraints = (
            models.UniqueConstraint(fields=("site", "table", "rowid", "closed"), name="once_on_the_list_of_deletions"),
        )
        indexes = (models.Index(fields=("site", "closed", "day", "id"), name="deletions_by_day"),)
        permissions = (("end_grace", _("Can take users and courses off the list of deletions")),)

    def __str__(self) -> str:
        return f"{self.table} {self.rowid}: {self.name}"

    @property
    def is_open(self) -> bool:
        """Whether it can be taken off: no run is about to end it."""
        return not self.closed and self.state in (self.State.WAITING, self.State.HELD)
