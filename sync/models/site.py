"""One Moodle that ToolSync feeds, what administrators have chosen for it, and the rows that ToolSync has put into it."""

from __future__ import annotations

from django.core.validators import MaxValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# The site of the environment; all others are set up on pages.
MAIN_SITE = "main"


class MoodleSite(models.Model):
    """One Moodle: its files, settings, runs and schedules hang on this.

    The site `main` is made from the environment and holds no connection of its own. `lease_run` is the run that may write
    to this Moodle now; the run's heartbeat says whether it is still alive. Nothing starts on a site that is not in use.

    Shape: identity: SHA-256 of what this Moodle calls itself, "" = not known
    """

    slug = models.SlugField(_("short name"), unique=True)
    name = models.CharField(_("name"), max_length=200)
    connection = models.BinaryField(
        _("connection"), blank=True, default=b"", editable=False,
        help_text=_("Encrypted connection settings; empty for the site that the environment describes."),
    )  # fmt: skip
    lease_run = models.OneToOneField(
        "sync.SyncRun", verbose_name=_("run that writes now"), null=True, blank=True, editable=False,
        on_delete=models.SET_NULL, related_name="+",
    )  # fmt: skip
    in_use = models.BooleanField(_("in use"), default=True, editable=False)
    identity = models.CharField(max_length=64, blank=True, default="", editable=False)
    created_at = models.DateTimeField(_("made on"), auto_now_add=True)

    class Meta:
        verbose_name = _("Moodle site")
        verbose_name_plural = _("Moodle sites")
        ordering = ("name",)
        permissions = (
            ("view_people", _("Can look at people in Moodle")),
            ("manage_sites", _("Can add Moodle sites and change their connections")),
        )

    def __str__(self) -> str:
        return self.name


class ProcessorSettings(models.Model):
    """Stored options of one processor. Shape: values: option name -> JSON value, only those that differ from the default."""

    site = models.ForeignKey(
        "sync.MoodleSite", verbose_name=_("site"), on_delete=models.CASCADE, related_name="settings"
    )
    processor = models.CharField(_("file type"), max_length=40)
    values = models.JSONField(_("options"), default=dict, blank=True)

    class Meta:
        verbose_name = _("settings of a file type")
        verbose_name_plural = _("settings of file types")
        constraints = [models.UniqueConstraint(fields=("site", "processor"), name="one_settings_per_processor")]

    def __str__(self) -> str:
        return f"{self.processor} ({self.site})"


# A hundred years: what is longer is no date any more.
_NOT_TOO_LONG = (MaxValueValidator(36_500),)


class Retention(models.Model):
    """So many days what the runs of a site left is kept; 0 = for ever. Without a record the operator's setting holds.

    Shape: trashes_at_once: files of Moodle that a run takes out of use go to Moodle's trash right after it, not with the journal
    """

    site = models.OneToOneField("sync.MoodleSite", verbose_name=_("site"), on_delete=models.CASCADE, related_name="+")
    reports = models.PositiveIntegerField(_("Reports"), validators=_NOT_TOO_LONG)
    archives = models.PositiveIntegerField(_("Archives"), validators=_NOT_TOO_LONG)
    trybacks = models.PositiveIntegerField(_("Trybacks"), validators=_NOT_TOO_LONG)
    journals = models.PositiveIntegerField(_("Before-images"), validators=_NOT_TOO_LONG)
    trashes_at_once = models.BooleanField(_("Trash unused files at once"), default=False)

    class Meta:
        verbose_name = _("retention")
        verbose_name_plural = _("retentions")
        permissions = (("manage_retention", _("Can set how long the files of runs are kept")),)

    def __str__(self) -> str:
        return str(self.site)


class KeptBlob(models.Model):
    """A file of Moodle's pool that a run took out of use, and that stays as long as the run can be undone.

    Shape: contenthash: as of Moodle's table `files`
    Units: size: bytes
    """

    run = models.ForeignKey("sync.SyncRun", verbose_name=_("run"), on_delete=models.CASCADE, related_name="kept_blobs")
    contenthash = models.CharField(max_length=40, db_index=True)
    size = models.BigIntegerField(_("size in bytes"))

    class Meta:
        verbose_name = _("kept file of Moodle")
        verbose_name_plural = _("kept files of Moodle")
        constraints = (models.UniqueConstraint(fields=("run", "contenthash"), name="one_kept_blob_per_run"),)

    def __str__(self) -> str:
        return self.contenthash


class InsertedRows(models.Model):
    """Rows of a Moodle table that a run inserted: in ids from `first` to `last`, each `step` above the one before.

    Shape: table: without prefix; noted_at: None = before that was kept
    """

    site = models.ForeignKey("sync.MoodleSite", verbose_name=_("site"), on_delete=models.CASCADE, related_name="+")
    table = models.CharField(_("table"), max_length=64)
    first = models.BigIntegerField(_("first row"))
    last = models.BigIntegerField(_("last row"))
    step = models.PositiveIntegerField(default=1)
    noted_at = models.DateTimeField(_("noted on"), null=True, default=timezone.now)

    class Meta:
        verbose_name = _("inserted rows")
        verbose_name_plural = _("inserted rows")
        constraints = (models.UniqueConstraint(fields=("site", "table", "first"), name="one_note_of_inserted_rows"),)

    def __str__(self) -> str:
        return f"{self.table} {self.first}-{self.last}"


class ScopeLimits(models.Model):
    """The limits of one part of a site: a category with all below it, or the cohorts whose idnumbers begin with a text.

    Shape: processor: "" = every file type that has none of its own for this scope; kind, name, values: as in `sync.guard.limits`
    """

    class Kind(models.TextChoices):
        CATEGORY = "category", _("Category")
        COHORTS = "cohorts", _("Cohorts")

    site = models.ForeignKey("sync.MoodleSite", verbose_name=_("site"), on_delete=models.CASCADE, related_name="+")
    processor = models.CharField(_("file type"), max_length=40, blank=True, default="")
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    name = models.CharField(_("name"), max_length=100)
    values = models.JSONField(_("limits"), default=dict, blank=True)

    class Meta:
        verbose_name = _("limits of a scope")
        verbose_name_plural = _("limits of scopes")
        ordering = ("kind", "name")
        constraints = (
            models.UniqueConstraint(fields=("site", "processor", "kind", "name"), name="one_set_of_limits_per_scope"),
        )

    def __str__(self) -> str:
        return f"{self.kind}:{self.name} {self.processor or '*'} ({self.site})"


class GuardLimits(models.Model):
    """The limits of one file type of one site.

    Shape: processor: "" = every file type that has none of its own; values: kind -> [percent, number], each None = no limit;
    kinds that aren't named have the limits of `sync.guard.limits`; needs_second_person: who asked for a run can't approve it
    """

    site = models.ForeignKey("sync.MoodleSite", verbose_name=_("site"), on_delete=models.CASCADE, related_name="+")
    processor = models.CharField(_("file type"), max_length=40, blank=True, default="")
    is_on = models.BooleanField(_("limits are on"), default=True)
    values = models.JSONField(_("limits"), default=dict, blank=True)
    needs_second_person = models.BooleanField(_("a second person approves"), default=False)

    class Meta:
        verbose_name = _("limits")
        verbose_name_plural = _("limits")
        constraints = (models.UniqueConstraint(fields=("site", "processor"), name="one_guard_per_file_type"),)
        permissions = (("manage_limits", _("Can set how much a file may change")),)

    def __str__(self) -> str:
        return f"{self.processor or '*'} ({self.site})"


class StickyField(models.Model):
    """When a file of one type may change one column of what is there already; without a record, always.

    Shape: column: of the file, or the beginning of the names of custom fields; rule: of sync/processors/base/sticky.py
    """

    site = models.ForeignKey("sync.MoodleSite", verbose_name=_("site"), on_delete=models.CASCADE, related_name="+")
    processor = models.CharField(_("file type"), max_length=40)
    column = models.CharField(_("column"), max_length=255)
    rule = models.CharField(_("rule"), max_length=10)

    class Meta:
        verbose_name = _("sticky field")
        verbose_name_plural = _("sticky fields")
        constraints = (models.UniqueConstraint(fields=("site", "processor", "column"), name="one_rule_per_column"),)
        permissions = (("manage_sticky", _("Can set which columns files leave as they are")),)

    def __str__(self) -> str:
        return f"{self.processor} {self.column}: {self.rule}"


class WrittenValue(models.Model):
    """What ToolSync left last in one place of Moodle, of places for which a rule asks that.

    Shape: table: without prefix; rowid: the id in that table; digest: of the value, as sync/processors/base/sticky.py makes it
    """

    site = models.ForeignKey("sync.MoodleSite", verbose_name=_("site"), on_delete=models.CASCADE, related_name="+")
    table = models.CharField(_("table"), max_length=64)
    column = models.CharField(_("column"), max_length=64)
    rowid = models.BigIntegerField(_("row"))
    digest = models.CharField(max_length=16)

    class Meta:
        verbose_name = _("written value")
        verbose_name_plural = _("written values")
        default_permissions = ()
        constraints = (
            models.UniqueConstraint(fields=("site", "table", "column", "rowid"), name="one_digest_per_written_value"),
        )

    def __str__(self) -> str:
        return f"{self.table} {self.rowid}: {self.column}"
