"""What is written of users beside rows: deletions, contexts, sessions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from sync.moodle.db.writer import LinesOf, Writer
from sync.moodle.users.contexts import fetch_userids_without_context, insert_user_contexts
from sync.moodle.users.deletion import UserToDelete, delete_users
from sync.processors.base.asked_lines import by_users
from sync.processors.base.operations import Applied, Operation, Touched
from sync.processors.base.overlay import is_temporary
from sync.processors.base.totals import DELETED, ChangedIds, Totals, total


@dataclass(frozen=True)
class DeleteUsers(Operation):
    """Delete users with everything that Moodle deletes along with them; a username is free for the rows that follow.

    Expects: the users as `UserToDelete` has them, not deleted.
    Shape: users: by the line that asks for it
    """

    users: Mapping[int, UserToDelete]

    def __bool__(self) -> bool:
        return bool(self.users)

    @property
    def lines(self) -> Collection[int]:
        return self.users.keys()

    def lines_of(self, applied: Applied) -> LinesOf:
        del applied
        return by_users({user.id: [line] for line, user in self.users.items()})

    def apply(self, writer: Writer, applied: Applied) -> None:
        applied.files += delete_users(writer, [*self.users.values()], now=applied.now).files

    def totals(self) -> Totals:
        return total("users", DELETED, len(self.users))

    def changed_ids(self) -> ChangedIds:
        return {f"users.{DELETED}": [user.id for user in self.users.values()]}

    def touched(self) -> Iterator[Touched]:
        return (Touched(line, "user", str(user.id)) for line, user in self.users.items() if not is_temporary(user.id))


@dataclass(frozen=True)
class AddUserContexts(Operation):
    """Make the contexts of new users, and of those taken up again that have none.

    Expects: the users inserted, or there.
    Shape: new: temporary ids of inserted users -> the lines that ask for it; revived: the same of ids
    """

    new: Mapping[int, Collection[int]]
    revived: Mapping[int, Collection[int]]

    def __bool__(self) -> bool:
        return bool(self.new or self.revived)

    @property
    def lines(self) -> Collection[int]:
        return {*chain(*self.new.values(), *self.revived.values())}

    def lines_of(self, applied: Applied) -> LinesOf:
        return by_users({applied.ids[newid]: lines for newid, lines in self.new.items()} | dict(self.revived))

    def apply(self, writer: Writer, applied: Applied) -> None:
        userids = [applied.ids[newid] for newid in self.new]
        if self.revived:
            userids += fetch_userids_without_context(writer, [*self.revived])
        insert_user_contexts(writer, userids)

    def totals(self) -> Totals:
        return Totals()


@dataclass(frozen=True)
class EndSessions(Operation):
    """Log users out everywhere, and revoke what lets programs in.

    Expects: nothing; sessions that have begun since end as well.
    Shape: sessions, tokens: ids of the users who lose them -> the lines that ask for it
    """

    sessions: Mapping[int, Collection[int]]
    tokens: Mapping[int, Collection[int]]

    def __bool__(self) -> bool:
        return bool(self.sessions or self.tokens)

    @property
    def lines(self) -> Collection[int]:
        return {*chain(*self.sessions.values(), *self.tokens.values())}

    def lines_of(self, applied: Applied) -> LinesOf:
        del applied
        return by_users({**self.sessions, **self.tokens})

    def apply(self, writer: Writer, applied: Applied) -> None:
        if self.sessions:
            writer.delete_where("sessions", "userid", sorted(self.sessions))
        if self.tokens:
            writer.delete_where("external_tokens", "userid", sorted(self.tokens))

    def totals(self) -> Totals:
        return Totals()
