"""Where the files of one file type come from when no person hands them in."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Source(models.Model):
    """The source of one file type of one site.

    Shape: location: in the file area paths and wildcards separated by commas, "" = the default name; in an inbox a path or
    wildcard; else an address without anything secret; query: what is asked of a server that gives rows, as
    sync/sources/queries.py checks it; secret: encrypted, see sync/runs/source_settings.py; host_key: fingerprint
    of
    the SFTP server; owner: who saved it, in whose name its files are taken; owner_name: stays when the user is deleted,
    "" = the operator of this installation; notes: of the last look, [[code, params], ...] as sync.messages knows them
    """

    class Kind(models.TextChoices):
        AREA = "area", _("The file area")
        ADDRESS = "address", _("An address on another server")
        INBOX = "inbox", _("An inbox")
        SQL = "sql", _("A database")
        LDAP = "ldap", _("A directory (LDAP)")
        ONEROSTER = "oneroster", _("A OneRoster server")
        TOKEN = "oauth", _("An address behind a token (OAuth 2)")
        SHEET = "sheet", _("A private Google Sheet")
        MOODLE = "moodle", _("Cohorts of another Moodle")

    site = models.ForeignKey(
        "sync.MoodleSite", verbose_name=_("site"), on_delete=models.CASCADE, related_name="sources"
    )
    processor = models.CharField(_("file type"), max_length=40)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.AREA)
    location = models.CharField(_("files"), max_length=1000, blank=True, default="")
    inbox = models.CharField(_("inbox"), max_length=100, blank=True, default="")
    query = models.JSONField(_("what is asked for"), default=dict, blank=True)
    username = models.CharField(_("user name"), max_length=200, blank=True, default="")
    secret = models.BinaryField(blank=True, default=b"", editable=False)
    host_key = models.CharField(_("fingerprint of the server"), max_length=100, blank=True, default="")
    take_all = models.BooleanField(_("take all at once"), default=False)
    leave_same = models.BooleanField(_("leave out the same file"), default=False)
    remove_taken = models.BooleanField(_("delete what was taken"), default=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("owner"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    owner_name = models.CharField(max_length=150, blank=True, default="")
    looked_at = models.DateTimeField(_("looked on"), null=True, blank=True, editable=False)
    notes = models.JSONField(default=list, blank=True, editable=False)

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        constraints = (models.UniqueConstraint(fields=("site", "processor"), name="one_source_per_processor"),)
        permissions = (("manage_sources", _("Can set where files come from")),)

    def __str__(self) -> str:
        return f"{self.processor} ({self.site})"


class FetchAttempt(models.Model):
    """A file that somebody has begun to fetch; gone once that went through, or came to nothing for a reason that is known.

    Shape: place: "drop" for the drop folder, else the file type whose source it is; version: what tells it from another file
    of this name
    """

    site = models.ForeignKey("sync.MoodleSite", on_delete=models.CASCADE, related_name="+")
    place = models.CharField(max_length=40)
    name = models.CharField(max_length=255)
    version = models.CharField(max_length=200, blank=True, default="")
    attempts = models.PositiveIntegerField(default=0)
    tried_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("site", "place", "name"), name="one_fetch_attempt_per_file"),)

    def __str__(self) -> str:
        return f"{self.place}: {self.name}"
