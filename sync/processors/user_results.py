"""What the rows of a users file have come to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sync.processors.accounts import Account
from sync.values import Action, Change, Note, Outcome, partial_outcome


class RowResult:
    """What one row has done so far; becomes its outcome when the chunk is through."""

    __slots__ = ("account", "action", "changes", "code", "effects", "line", "notes", "problems", "subject")

    def __init__(self, line: int, subject: str, account: Account | None, action: Action, code: str) -> None:
        self.line = line
        self.subject = subject
        self.account = account
        self.action = action
        self.code = code
        self.changes: list[Change] = []
        self.notes: list[Note] = []
        self.problems: list[Note] = []
        # What it touched; a later row of the same account that touches all of it again supersedes this one.
        self.effects: set[Any] = set()

    def touch(self, effect: Any) -> None:
        """Say that the row has changed something beside the fields of its account."""
        self.effects.add(effect)
        if self.action is Action.UNCHANGED:
            self.action, self.code = Action.UPDATED, "account_updated"

    def withdraw(self, action: Action, code: str) -> None:
        """Say that the row comes to nothing after all."""
        self.action, self.code, self.changes = action, code, []
        self.notes = [note for note in self.notes if note.code != "password_changed"]

    def outcome(self) -> Outcome:
        """Give what is told of the row."""
        done = Outcome(self.line, self.action, self.code, {}, self.subject, tuple(self.changes), tuple(self.notes))
        return partial_outcome(done, self.problems) if self.problems else done


def supersede(results: Sequence[RowResult]) -> None:
    """Mark the rows whose whole effect later rows of the same account overwrite."""
    later: dict[int, set[Any]] = {}
    for result in reversed(results):
        if result.account is None:
            continue
        overwritten = later.setdefault(id(result.account), set())
        only_effects = result.action is Action.UPDATED and result.effects and not result.problems
        if only_effects and result.effects <= overwritten and "username" not in result.effects:
            result.withdraw(Action.SUPERSEDED, "superseded")
        overwritten |= result.effects
