"""What is written of users beside rows: deletions, contexts, sessions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sync.moodle.db.writer import Writer
from sync.moodle.users.contexts import fetch_userids_without_context, insert_user_contexts
from sync.moodle.users.deletion import UserToDelete, delete_users
from sync.processors.base.operations import Applied, Operation
from sync.processors.base.totals import DELETED, Totals, total


@dataclass
class DeleteUsers(Operation):
    """Delete users with everything that Moodle deletes along with them; a username is free for the rows that follow."""

    users: Sequence[UserToDelete]

    def __bool__(self) -> bool:
        return bool(self.users)

    def apply(self, writer: Writer, applied: Applied) -> None:
        applied.files += delete_users(writer, self.users, now=applied.now).files

    def totals(self) -> Totals:
        return total("users", DELETED, len(self.users))


@dataclass
class AddUserContexts(Operation):
    """Make the contexts of new users, and of those taken up again that have none.

    Shape: new: temporary ids of inserted users; revived: ids
    """

    new: Sequence[int]
    revived: Sequence[int]

    def __bool__(self) -> bool:
        return bool(self.new or self.revived)

    def apply(self, writer: Writer, applied: Applied) -> None:
        userids = [applied.ids[newid] for newid in self.new]
        if self.revived:
            userids += fetch_userids_without_context(writer, self.revived)
        insert_user_contexts(writer, userids)

    def totals(self) -> Totals:
        return Totals()


@dataclass
class EndSessions(Operation):
    """Log users out everywhere, and revoke what lets programs in. Shape: sessions, tokens: ids of the users who lose them"""

    sessions: set[int]
    tokens: set[int]

    def __bool__(self) -> bool:
        return bool(self.sessions or self.tokens)

    def apply(self, writer: Writer, applied: Applied) -> None:
        if self.sessions:
            writer.delete_where("sessions", "userid", sorted(self.sessions))
        if self.tokens:
            writer.delete_where("external_tokens", "userid", sorted(self.tokens))

    def totals(self) -> Totals:
        return Totals()
