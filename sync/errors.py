"""The exceptions of ToolSync. Row problems are values (`sync.values.Rejection`), never exceptions."""

from __future__ import annotations

from typing import Any

from sync.secret_texts import without_secrets


class ToolSyncError(Exception):
    """Root of everything that ToolSync raises on purpose."""


class CodedError(ToolSyncError):
    """An error that a person reads: a stable code of `sync.messages` and its parameters, kept with the run.

    Shape: reason: among the parameters, the words of a driver or a server, which may quote an address with its password
    """

    def __init__(self, code: str, **params: Any) -> None:
        if isinstance(reason := params.get("reason"), str):
            params["reason"] = without_secrets(reason)
        super().__init__(code, params)
        self.code = code
        self.params = params

    def __str__(self) -> str:
        details = ", ".join(f"{name}={value!r}" for name, value in self.params.items())
        return f"{self.code}({details})" if details else self.code


class CommandFileError(CodedError):
    """The file can't be used; the run ends "failed"; nothing was written."""


class BundleStopped(CodedError):
    """Another file of the bundle can't be used; nothing was written of any."""


class WorkbookUnread(CommandFileError):
    """A worker has yet to read the workbook; ask again in a moment."""


class UnknownFileType(CommandFileError):
    """The bytes are not those of a command file (binary, truncated workbook)."""


class UndecodableFile(CommandFileError):
    """A byte doesn't belong to the encoding."""


class HeaderError(CommandFileError):
    """The header is missing, or names columns that can't be there."""


class MappingError(CommandFileError):
    """A mapping of columns is damaged, or doesn't fit the file or its type."""


class EmptyFile(CommandFileError):
    """The file holds nothing."""


class ArchiveRefused(CodedError):
    """A course backup can't be read, or isn't one; nothing was taken from it."""


class SourceError(CodedError):
    """The place that files come from can't be reached, refuses, or is set wrong; nothing was taken."""


class ScheduleError(CodedError):
    """A schedule says what can't be, or can't be started."""


class GraceError(CodedError):
    """What is on the list of deletions can't be dealt with as asked."""


class StorageUnavailable(CodedError):
    """The storage of our own files doesn't do what it is asked; worth trying again later."""


class OutcomesMissing(CodedError):
    """A stored part of a run's outcomes isn't there any more, or is damaged."""


class AuditUnavailable(CodedError):
    """The audit can't be written or read, because its keys can't be decrypted."""


class AuditDamaged(CodedError):
    """A stored part of the audit isn't as ToolSync wrote it."""


class JournalMissing(CodedError):
    """The before-images of a run aren't there any more, or are damaged."""


class TryRefused(CodedError):
    """Rows aren't tried again any more; nothing was written."""


class UndoRefused(CodedError):
    """A run can't be undone; nothing was written."""


class AuditNotLost(ToolSyncError):
    """The keys of the audit can be decrypted, so they are not replaced."""


class MoodleCommandFailed(CodedError):
    """A script of Moodle's own command line could not do its work."""


class NotificationError(CodedError):
    """People or a program can't be told: it is set wrong, or the other side doesn't take it."""


class PlanRefused(CodedError):
    """A stored plan can't be applied (any more), or somebody may not decide on it; nothing was written."""


class MendRefused(CodedError):
    """Failed rows of a run can't be mended so, or not any more; nothing was written."""


class RightMissing(CodedError):
    """Somebody in whose name a run was to begin may not run it any more."""


class PeopleRefused(CodedError):
    """What was asked for a person, a role or an invitation can't be done; nothing was changed."""


class TokenRefused(CodedError):
    """A token lets nobody in."""


class ApiRefused(CodedError):
    """A request to the API can't be taken as it is; nothing was done."""


class SiteRefused(CodedError):
    """A site can't be set up, changed or taken out of use as asked; nothing was changed."""


class SiteUnusable(CodedError):
    """A Moodle was looked at and can't be used. Shape: findings: of sync/moodle/integrity/connection_check.py"""

    def __init__(self, findings: Any) -> None:
        super().__init__("site_unusable")
        self.findings = findings


class OptionError(CodedError):
    """An option has a name or a value that isn't allowed."""


class MoodleError(CodedError):
    """The other database."""


class MoodleUnavailable(MoodleError):
    """The Moodle database doesn't answer; worth trying again later."""


class MoodleNotAllowed(MoodleError):
    """The account of the Moodle database lacks a right; waiting doesn't help."""


class MoodleSchemaError(MoodleError):
    """A table or column is not what we rely on."""


class MoodleRefused(MoodleError):
    """The Moodle database refused the writes of a chunk (a value, a unique index); smaller chunks may pass."""


class RowsFailed(ToolSyncError):
    """A fault of ours that shows with certain rows only; fewer rows may pass. Its cause is the exception itself."""


class RunNotClaimable(ToolSyncError):
    """Somebody else runs it, or it is over."""


class LeaseLost(ToolSyncError):
    """Another worker has taken the run over; this one must stop at once."""


class DeclarationError(ToolSyncError):
    """A processor is declared wrong; raised at start-up."""
