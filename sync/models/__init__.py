"""What ToolSync itself keeps: sites, command files, runs, their files and the administrators' settings."""

from sync.models.api import ChunkedUpload, KeptAnswer
from sync.models.audit import AuditChain, AuditKind, AuditName, AuditRecord
from sync.models.bundle import Bundle, BundleUpload
from sync.models.command_file import ArmedFile, CommandFile
from sync.models.grace import GraceEntry
from sync.models.health import HealthRecord
from sync.models.mapping import SavedMapping
from sync.models.notification import (
    CHOSEN_EVENTS,
    DigestEntry,
    Event,
    MailCount,
    Notification,
    NotificationRule,
    NotifiedFailure,
    Webhook,
)
from sync.models.people import Invitation, MailPreferences, Role, RoleAssignment
from sync.models.reading import WorkbookReading
from sync.models.retry import Retry, RetryRow
from sync.models.run import ChunkIndex, MendDraft, RunChunk, RunFile, RunMail, RunState, SyncRun
from sync.models.schedule import FreezeWindow, Schedule, SequenceRun, SequenceState
from sync.models.site import (
    GuardLimits,
    InsertedRows,
    KeptBlob,
    MoodleSite,
    ProcessorSettings,
    Retention,
    ScopeLimits,
    StickyField,
    WrittenValue,
)
from sync.models.source import FetchAttempt, Source
from sync.models.token import ApiToken, Machine, Scope

__all__ = [
    "CHOSEN_EVENTS",
    "ApiToken",
    "ArmedFile",
    "AuditChain",
    "AuditKind",
    "AuditName",
    "AuditRecord",
    "Bundle",
    "BundleUpload",
    "ChunkIndex",
    "ChunkedUpload",
    "CommandFile",
    "DigestEntry",
    "Event",
    "FetchAttempt",
    "FreezeWindow",
    "GraceEntry",
    "GuardLimits",
    "HealthRecord",
    "InsertedRows",
    "Invitation",
    "KeptAnswer",
    "KeptBlob",
    "Machine",
    "MailCount",
    "MailPreferences",
    "MendDraft",
    "MoodleSite",
    "Notification",
    "NotificationRule",
    "NotifiedFailure",
    "ProcessorSettings",
    "Retention",
    "Retry",
    "RetryRow",
    "Role",
    "RoleAssignment",
    "RunChunk",
    "RunFile",
    "RunMail",
    "RunState",
    "SavedMapping",
    "Schedule",
    "Scope",
    "ScopeLimits",
    "SequenceRun",
    "SequenceState",
    "Source",
    "StickyField",
    "SyncRun",
    "Webhook",
    "WorkbookReading",
    "WrittenValue",
]
