"""What the rows of a users file have come to."""

from __future__ import annotations

from sync.processors.users.chunk_users import ChunkUser
from sync.values import Action, Change, Note, Outcome, partial_outcome


class RowResult:
    """What one row has done so far; becomes its outcome when the chunk is through."""

    __slots__ = ("account", "action", "changes", "code", "line", "notes", "problems", "subject")

    def __init__(self, line: int, subject: str, account: ChunkUser | None, action: Action, code: str) -> None:
        self.line = line
        self.subject = subject
        self.account = account
        self.action = action
        self.code = code
        self.changes: list[Change] = []
        self.notes: list[Note] = []
        self.problems: list[Note] = []

    @property
    def creates(self) -> bool:
        """Whether this row makes the account, and not an earlier one."""
        return self.action is Action.CREATED

    def touch(self) -> None:
        """Say that the row has changed something beside the fields of its account."""
        if self.action is Action.UNCHANGED:
            self.action, self.code = Action.UPDATED, "account_updated"

    def outcome(self) -> Outcome:
        """Return what is told of the row."""
        done = Outcome(self.line, self.action, self.code, {}, self.subject, tuple(self.changes), tuple(self.notes))
        return partial_outcome(done, self.problems) if self.problems else done
