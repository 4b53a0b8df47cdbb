"""A run: one command file carried out (or simulated) on one Moodle, and what it left."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from sync.values import FAILED_ACTIONS, Action, Note


class RunState(models.TextChoices):
    """Where a run stands. `failed` is the file's fault, `errored` ours or the infrastructure's."""

    PENDING = "pending", _("Waits for the files before it")
    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    UNCONFIRMED = "unconfirmed", _("Waits for confirmation")
    HELD = "held", _("Held")
    COMPLETED = "completed", _("Completed")
    COMPLETED_WITH_REJECTIONS = "completed_with_rejections", _("Completed with rejections")
    FAILED = "failed", _("File can't be used")
    ERRORED = "errored", _("Error")
    CANCELLED = "cancelled", _("Cancelled")
    DECLINED = "declined", _("Declined")
    EXPIRED = "expired", _("Expired")


ACTIVE_STATES = (RunState.PENDING, RunState.QUEUED, RunState.RUNNING)
CLAIMED_STATES = (RunState.RUNNING,)
# The plan is made, nothing is written, and a person decides.
WAITING_STATES = (RunState.UNCONFIRMED, RunState.HELD)
# Of these the rest of the rows can be carried out later.
RESUMABLE_STATES = (RunState.PAUSED, RunState.ERRORED, RunState.CANCELLED)
# Why a file of a bundle wasn't begun: it goes on with the one that stopped, not by itself.
BUNDLE_STOPPED = "bundle_stopped"
COMPLETED_STATES = (RunState.COMPLETED, RunState.COMPLETED_WITH_REJECTIONS)
OVER_STATES = (
    *COMPLETED_STATES,
    RunState.FAILED,
    RunState.ERRORED,
    RunState.CANCELLED,
    RunState.DECLINED,
    RunState.EXPIRED,
)
# What runs need that aren't over stays: their files, and the journals that they undo.
UNFINISHED_STATES = (*ACTIVE_STATES, *WAITING_STATES, RunState.PAUSED)


def new_fence_key() -> str:
    """Return the name under which a run marks its chunks in Moodle; no two runs of any installation share one."""
    return uuid.uuid4().hex


class SyncRun(models.Model):
    """One run of one command file.

    Shape: options: every option that applied, name -> value; counts: action -> rows; partial_counts: what was done of the
    partial rows, action -> rows; file_path: path in the file area when the run was asked for; input_key: storage key of the
    bytes to read; dialect: what the reader found; error_code and error_params: a code of sync.messages; worker: token of the
    process that has claimed it, "" when none; attempts: claims since the last chunk that was committed; carried_out: every
    row has its outcome, only the files are left to be made; rows_expected: how many rows the file has, more or less, 0 =
    unknown; last_line: the last line of the file whose chunk is committed; changed_tables: of Moodle, without prefix;
    skipped: what the reader passed over; language: the one that the report is written in; origin: what started it;
    token_name: of the token by which a program did, kept when it is gone;
    sequence_run: the start of a schedule that it belongs to; bundle: the files that it was planned with; owner: whose rights
    are asked when it begins; armed_by: who has let a schedule take the file. The names stay when a user is deleted; "" = the
    operator of this installation; undoes: the run that this one takes back: its rows are those of the other's journal, and
    `processor` is that of the other; undoes_line: of its file, the only one that is taken back, None = all of them; mends:
    the run of which its file has failed rows, mended on a page; plan: the dry run that is applied, and nothing else; made_on:
    what the plan was made with (ToolSync, Moodle); totals: kind of object and what becomes of it -> how many; scoped_totals:
    the same of scopes with limits, by the key of the scope; sticky: column -> rule of sticky fields that it goes by; kept:
    column -> in how many rows that left something as it was; mapping: what the columns of the file became, as `sync.mappings`
    reads it, {} = they are called as the file type calls them, None = its header will tell when the run begins; held_for: why
    a person has to decide, as notes; decided_by: who did, and what for; decided_token: by which a program of theirs did,
    its name stays when it is gone
    """

    class Origin(models.TextChoices):
        PERSON = "person", _("Person")
        API = "api", _("API")
        SCHEDULE = "schedule", _("Schedule")
        SEQUENCE = "sequence", _("Sequence")
        SHELL = "shell", _("Command line")
        PLAN = "plan", _("Plan of a run")
        GRACE = "grace", _("Days of grace over")
        GRACE_END = "grace_end", _("Taken off the list of deletions")
        RETRY = "retry", _("Another try")

    class Decision(models.TextChoices):
        CONFIRMED = "confirmed", _("Confirmed")
        APPROVED = "approved", _("Approved")
        DECLINED = "declined", _("Declined")

    site = models.ForeignKey("sync.MoodleSite", verbose_name=_("site"), on_delete=models.CASCADE, related_name="runs")
    processor = models.CharField(_("file type"), max_length=40)
    simulate = models.BooleanField(_("simulation"), default=False)
    state = models.CharField(_("state"), max_length=30, choices=RunState, default=RunState.QUEUED)
    options = models.JSONField(_("options"), default=dict)

    command_file = models.ForeignKey(
        "sync.CommandFile", verbose_name=_("command file"), null=True, on_delete=models.SET_NULL, related_name="runs"
    )
    file_path = models.CharField(_("file"), max_length=520)
    file_sha256 = models.CharField(_("SHA-256"), max_length=64, blank=True, default="")
    file_size = models.BigIntegerField(_("size in bytes"), default=0)
    input_key = models.CharField(max_length=600)
    dialect = models.JSONField(default=dict, blank=True)
    skipped = models.JSONField(default=dict, blank=True)
    mapping = models.JSONField(null=True, blank=True, default=None)
    notes = models.JSONField(default=list, blank=True)

    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("asked for by"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("owner"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    owner_name = models.CharField(max_length=150, blank=True, default="")
    armed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("file armed by"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    armed_by_name = models.CharField(max_length=150, blank=True, default="")
    origin = models.CharField(_("started by"), max_length=10, choices=Origin, default=Origin.PERSON)
    token_name = models.CharField(max_length=100, blank=True, default="")
    sequence_run = models.ForeignKey(
        "sync.SequenceRun", verbose_name=_("sequence run"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="runs",
    )  # fmt: skip
    bundle = models.ForeignKey(
        "sync.Bundle", verbose_name=_("bundle"), null=True, blank=True, on_delete=models.SET_NULL, related_name="runs",
    )  # fmt: skip
    undoes = models.ForeignKey(
        "self", verbose_name=_("undoes"), null=True, blank=True, on_delete=models.RESTRICT, related_name="undone_by",
    )  # fmt: skip
    undoes_line = models.BigIntegerField(_("undoes the line"), null=True, blank=True)
    mends = models.ForeignKey(
        "self", verbose_name=_("mends rows of"), null=True, blank=True, on_delete=models.SET_NULL, related_name="mended_by",
    )  # fmt: skip
    language = models.CharField(max_length=20, blank=True, default="")
    created_at = models.DateTimeField(_("asked for on"), auto_now_add=True)
    started_at = models.DateTimeField(_("started on"), null=True, blank=True)
    finished_at = models.DateTimeField(_("ended on"), null=True, blank=True)

    worker = models.CharField(max_length=64, blank=True, default="")
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    fence_key = models.CharField(max_length=32, default=new_fence_key, editable=False)
    cancel_requested = models.BooleanField(default=False)
    pause_requested = models.BooleanField(default=False)
    waiting_since = models.DateTimeField(null=True, blank=True)
    not_before = models.DateTimeField(null=True, blank=True)
    site_group = models.CharField(max_length=32, blank=True, default="", db_index=True)

    carried_out = models.BooleanField(default=False)
    last_line = models.BigIntegerField(default=0)
    bytes_read = models.BigIntegerField(default=0)
    rows_done = models.BigIntegerField(default=0)
    rows_expected = models.BigIntegerField(default=0)
    counts = models.JSONField(default=dict, blank=True)
    partial_counts = models.JSONField(default=dict, blank=True)
    closing_counts = models.JSONField(default=dict, blank=True)
    changed_tables = models.JSONField(default=list, blank=True)
    error_code = models.CharField(max_length=80, blank=True, default="")
    error_params = models.JSONField(default=dict, blank=True)

    plan = models.OneToOneField(
        "self", verbose_name=_("plan"), null=True, blank=True, on_delete=models.SET_NULL, related_name="application"
    )
    made_on = models.JSONField(default=dict, blank=True)
    totals = models.JSONField(default=dict, blank=True)
    scoped_totals = models.JSONField(default=dict, blank=True)
    sticky = models.JSONField(default=dict, blank=True)
    kept = models.JSONField(default=dict, blank=True)
    held_for = models.JSONField(default=list, blank=True)
    held_at = models.DateTimeField(_("held since"), null=True, blank=True)
    decision = models.CharField(_("decision"), max_length=10, choices=Decision, blank=True, default="")
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("decided by"), null=True, blank=True, on_delete=models.SET_NULL,
        related_name="+",
    )  # fmt: skip
    decided_by_name = models.CharField(max_length=150, blank=True, default="")
    decided_token = models.ForeignKey(
        "sync.ApiToken", null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_token_name = models.CharField(max_length=100, blank=True, default="")
    decided_at = models.DateTimeField(_("decided on"), null=True, blank=True)
    decision_reason = models.CharField(_("reason"), max_length=500, blank=True, default="")

    class Meta:
        verbose_name = _("run")
        verbose_name_plural = _("runs")
        ordering = ("-id",)
        permissions = (("approve_runs", _("Can approve runs that are held")),)
        indexes = [
            models.Index(fields=("site", "state", "finished_at"), name="run_by_site_state_and_end"),
            models.Index(fields=("site", "processor", "-id"), name="run_by_site_and_type"),
            models.Index(fields=("state", "heartbeat_at"), name="run_by_state_and_heartbeat"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.processor} {self.file_path}"

    @property
    def state_label(self) -> str:
        """Return the word for the state. Rows of which a part was carried out are no rejections."""
        is_partial = self.state == RunState.COMPLETED_WITH_REJECTIONS and not self.counts.get(Action.REJECTED)
        return str(_("Completed in part")) if is_partial else str(RunState(self.state).label)

    @property
    def is_over(self) -> bool:
        return self.state in OVER_STATES

    @property
    def waits_for_person(self) -> bool:
        """Whether the plan is made and a person has to decide."""
        return self.state in WAITING_STATES

    @property
    def is_paused(self) -> bool:
        return self.state == RunState.PAUSED

    @property
    def is_resumable(self) -> bool:
        return self.state in RESUMABLE_STATES and self.error_code != BUNDLE_STOPPED

    @property
    def rows_left(self) -> int:
        """How many rows are not done, more or less; 0 when all are, or nobody knows."""
        return 0 if self.carried_out else max(0, self.rows_expected - self.rows_done)

    @property
    def planned_totals(self) -> dict[str, int]:
        """What would be done by a run that waits, and by the files of its bundle that wait with it."""
        if self.bundle is not None:
            return self.bundle.totals
        return {} if self.plan is None else self.plan.totals

    @property
    def outcome_count(self) -> int:
        """How many outcomes there are: one for each row, and one for each thing that an option had done after the last row."""
        return sum(self.counts.values())

    @property
    def held_notes(self) -> list[Note]:
        """Why a person has to decide."""
        return [Note(code, params) for code, params in self.held_for]

    @property
    def failed_rows(self) -> int:
        """How many rows of the file are rejected or done in part: those that the tryback has."""
        failed = (self.counts.get(action, 0) - self.closing_counts.get(action, 0) for action in FAILED_ACTIONS)
        return sum(failed)

    @property
    def file_name(self) -> str:
        return self.file_path.rpartition("/")[2]


# Whose command files ToolSync makes: their size says nothing of those that come.
ORIGINS_OF_MADE_FILES = (SyncRun.Origin.GRACE, SyncRun.Origin.GRACE_END, SyncRun.Origin.RETRY)
# Somebody asks for these, on a page or by a program of theirs: what they take away is confirmed.
ORIGINS_OF_PEOPLE = (SyncRun.Origin.PERSON, SyncRun.Origin.API)
# What starts without a person, and is held by a freeze window.
ORIGINS_BY_THEMSELVES = (
    SyncRun.Origin.SCHEDULE, SyncRun.Origin.SEQUENCE, SyncRun.Origin.GRACE, SyncRun.Origin.RETRY,
)  # fmt: skip


class RunChunk(models.Model):
    """One committed chunk: where its outcomes are stored and what they count.

    Shape: counts: action -> rows; codes: outcome code -> rows; after_commit: whether what was owed after its commit is done, ""
    when nothing was; writes: whether it changes anything; is_closing: its lines are
    none of the file, but what comes after; sha256: of the stored outcomes, "" = from before it was kept;
    audit_sequence: number of its record in the audit, None when it has changed nothing
    """

    class AfterCommit(models.TextChoices):
        OWED = "owed", _("Owed")
        SETTLED = "settled", _("Settled")

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="chunks")
    first_line = models.BigIntegerField()
    last_line = models.BigIntegerField()
    counts = models.JSONField(default=dict)
    codes = models.JSONField(default=dict)
    outcomes_key = models.CharField(max_length=600)
    journal_key = models.CharField(max_length=600, blank=True, default="")
    after_commit = models.CharField(max_length=10, choices=AfterCommit, blank=True, default="")
    writes = models.BooleanField(default=True)
    is_closing = models.BooleanField(default=False)
    sha256 = models.CharField(max_length=64, blank=True, default="")
    audit_sequence = models.BigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ("first_line",)
        constraints = [models.UniqueConstraint(fields=("run", "last_line"), name="one_chunk_per_last_line")]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.first_line}-{self.last_line}"


class ChunkIndex(models.Model):
    """What is known of the outcomes of a chunk without opening its part.

    Shape: names: what the rows name; facts: which columns they are about, and why rows failed; both as
    sync/outcomes/outcome_index.py packs them
    """

    chunk = models.OneToOneField(RunChunk, primary_key=True, on_delete=models.CASCADE, related_name="index")
    names = models.BinaryField(default=b"")
    facts = models.BinaryField(default=b"")

    def __str__(self) -> str:
        return str(self.chunk_id)


class RunMail(models.Model):
    """A mail of a run to one person: there before its chunk is committed, gone when the run is over and it was sent.

    Shape: part_key: `outcomes_key` of the chunk that it belongs to; sealed: subject and text, encrypted as of
    sync/notifications/mails.py,
    they may hold a password; state: `begun` means that it was about to be handed over, and that nobody knows whether it was
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        BEGUN = "begun", _("In doubt")
        SENT = "sent", _("Sent")
        FAILED = "failed", _("Not sent")

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="mails")
    part_key = models.CharField(max_length=600)
    address = models.CharField(max_length=254)
    sealed = models.BinaryField(default=b"", editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)

    class Meta:
        ordering = ("pk",)
        indexes = (models.Index(fields=("state",), name="mail_by_state"),)

    def __str__(self) -> str:
        return f"{self.run_id}: {self.state}"


class MendDraft(models.Model):
    """What somebody has changed in the failed rows of a run, until it is sent.

    Shape: sealed: encrypted, as of sync/mending/drafts.py: a changed cell may be a password
    """

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="drafts")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    sealed = models.BinaryField(editable=False)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=("run", "user"), name="one_draft_per_person")]

    def __str__(self) -> str:
        return f"{self.run_id}: {self.user_id}"


class RunFile(models.Model):
    """A file that a run left: report, table of outcomes, tryback or archive.

    Shape: path: where people find it in the file area ("/reports/…"), "" when it is kept with the run only
    """

    class Kind(models.TextChoices):
        REPORT = "report", _("Report")
        OUTCOMES = "outcomes", _("Table of outcomes")
        TRYBACK = "tryback", _("Tryback")
        ARCHIVE = "archive", _("Archive")

    run = models.ForeignKey(SyncRun, on_delete=models.CASCADE, related_name="files")
    kind = models.CharField(max_length=10, choices=Kind)
    name = models.CharField(_("name"), max_length=255)
    path = models.CharField(_("path"), max_length=600, blank=True, default="")
    storage_key = models.CharField(max_length=600)
    size = models.BigIntegerField(_("size in bytes"), default=0)
    created_at = models.DateTimeField(_("made on"), auto_now_add=True)

    class Meta:
        verbose_name = _("file of a run")
        verbose_name_plural = _("files of runs")
        ordering = ("kind",)
        constraints = [models.UniqueConstraint(fields=("run", "kind"), name="one_file_per_kind")]

    def __str__(self) -> str:
        return self.path or self.name
