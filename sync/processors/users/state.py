"""What a chunk of a users file is planned from, and the results of its rows."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sync.columns.survey import DateSurvey
from sync.moodle.users.users import ProfileField, SiteRules
from sync.processors.base.grace import GraceList
from sync.processors.base.overlay import FoundRows
from sync.processors.base.sticky import StickyState
from sync.processors.memberships.state import MembershipState
from sync.processors.users.chunk_users import ChunkUser
from sync.processors.users.survey import UsersSurvey
from sync.values import Action, Change, Note, Outcome, partial_outcome

USER_TABLE = "user"


@dataclass(frozen=True)
class UsersState:
    """Everything read for one chunk.

    Shape: dates: how those of the file are read; survey: what was found in all rows of the file; users: key fields and the
    file's fields of every user that a row may mean, with those who may be brought back; verified: (clear, stored) pairs that
    match; profiles: custom fields of these users, and of whoever holds a value that must be unique; grace: who is to be deleted;
    sticky: what rows leave as it is
    Units: now: seconds since epoch
    """

    rules: SiteRules
    dates: DateSurvey
    survey: UsersSurvey
    now: int
    users: FoundRows
    verified: Collection[tuple[str, str]]
    profile_fields: Mapping[str, ProfileField]
    profiles: FoundRows
    preferences: FoundRows
    memberships: MembershipState
    grace: GraceList = field(default_factory=lambda: GraceList(USER_TABLE))
    sticky: StickyState = field(default_factory=StickyState)


class RowResult:
    """What one row has done so far; becomes its outcome when the chunk is through."""

    __slots__ = ("action", "changes", "code", "line", "notes", "problems", "subject", "user")

    def __init__(self, line: int, subject: str, user: ChunkUser | None, action: Action, code: str) -> None:
        self.line = line
        self.subject = subject
        self.user = user
        self.action = action
        self.code = code
        self.changes: list[Change] = []
        self.notes: list[Note] = []
        self.problems: list[Note] = []

    @property
    def creates(self) -> bool:
        """Whether this row makes the user, rather than an earlier one."""
        return self.action is Action.CREATED

    def touch(self) -> None:
        """Say that the row has changed something beside the fields of its user."""
        if self.action is Action.UNCHANGED:
            self.action, self.code = Action.UPDATED, "account_updated"

    def outcome(self) -> Outcome:
        """Return the outcome of the row."""
        done = Outcome(self.line, self.action, self.code, {}, self.subject, tuple(self.changes), tuple(self.notes))
        return partial_outcome(done, self.problems) if self.problems else done
