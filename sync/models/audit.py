"""The audit: what was changed on a site, by whom, in a chain that shows whether somebody has touched it since."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditKind(models.TextChoices):
    """What an entry of the audit is about."""

    RUN = "run", _("Runs")
    SETTINGS = "settings", _("Settings of file types")
    SOURCE = "source", _("Sources")
    SCHEDULE = "schedule", _("Schedules and freeze windows")
    ARMING = "arming", _("Files that schedules may take")
    NOTIFICATION = "notification", _("Notifications")
    RETENTION = "retention", _("Retention")
    SITE = "site", _("Sites")
    RIGHTS = "rights", _("Rights")
    APPROVAL = "approval", _("Approvals")
    ERASURE = "erasure", _("Erasures")


class AuditChain(models.Model):
    """The end of the chain of one site, and the keys of its audit.

    Shape: secret: encrypted, see sync/audit/keys.py; sequence: number of the last record, 0 = none; hash: of that record; seal:
    proves that both were written by ToolSync; first: number of the first record that was written under these keys, those of the
    records before it were lost
    """

    site = models.OneToOneField("sync.MoodleSite", on_delete=models.PROTECT, related_name="+")
    secret = models.BinaryField(editable=False)
    sequence = models.BigIntegerField(default=0)
    first = models.BigIntegerField(default=1)
    hash = models.CharField(max_length=64, default="", editable=False)
    seal = models.CharField(max_length=64, default="", editable=False)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.site_id}: {self.sequence}"


class AuditRecord(models.Model):
    """One link of the chain: what one chunk of a run changed, or what somebody changed in ToolSync.

    Shape: sequence: 1, 2, 3 … of the site; run_number, processor, file, person, schedule: kept when what they name is deleted;
    person: "" = the operator of this installation; origin: of a run, as in SyncRun; first_line, last_line: of the chunk; entries:
    changes in it; body: the entries (sync/audit/entries.py), b"" where they are in the storage under part_key; digest: of the
    entries; previous, hash: of the record before this one, and of this one; keys: those of the entries about people, encrypted
    under the secret of the chain
    """

    site = models.ForeignKey("sync.MoodleSite", verbose_name=_("site"), on_delete=models.PROTECT, related_name="+")
    sequence = models.BigIntegerField()
    kind = models.CharField(_("kind"), max_length=20, choices=AuditKind)
    at = models.DateTimeField(_("when"))
    run = models.ForeignKey(
        "sync.SyncRun", verbose_name=_("run"), null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    run_number = models.BigIntegerField(null=True, blank=True)
    processor = models.CharField(_("file type"), max_length=40, blank=True, default="")
    file = models.CharField(_("file"), max_length=520, blank=True, default="")
    origin = models.CharField(_("started by"), max_length=10, blank=True, default="")
    person = models.CharField(_("person"), max_length=150, blank=True, default="")
    schedule = models.CharField(_("schedule"), max_length=100, blank=True, default="")
    first_line = models.BigIntegerField(default=0)
    last_line = models.BigIntegerField(default=0)
    entries = models.PositiveIntegerField(default=0)
    part_key = models.CharField(max_length=600, blank=True, default="")
    body = models.BinaryField(default=b"", editable=False)
    digest = models.CharField(max_length=64, editable=False)
    previous = models.CharField(max_length=64, default="", editable=False)
    hash = models.CharField(max_length=64, editable=False)
    keys = models.BinaryField(default=b"", editable=False)

    class Meta:
        default_permissions = ()
        ordering = ("-sequence",)
        constraints = (models.UniqueConstraint(fields=("site", "sequence"), name="one_audit_record_per_sequence"),)
        indexes = (models.Index(fields=("site", "at"), name="audit_record_by_time"),)
        permissions = (
            ("view_audit", _("Can see who changed what (audit)")),
            ("erase_audit", _("Can erase the values of a person in the audit")),
        )

    def __str__(self) -> str:
        return f"{self.site_id}: {self.sequence} {self.kind}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Append the record. Raises: TypeError for one that is there already"""
        if not self._state.adding:
            _refuse()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Raises: TypeError"""
        _refuse()


class AuditName(models.Model):
    """Which records name a user or a course. Shape: name: keyed hash of the kind and the name (sync/audit/keys.py)"""

    pk = models.CompositePrimaryKey("name", "record_id")
    name = models.BigIntegerField()
    # A number, not a foreign key: a chunk has thousands of them, and records are never deleted.
    record_id = models.BigIntegerField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.name}: {self.record_id}"


def _refuse() -> NoReturn:
    raise TypeError("the audit is append-only")
