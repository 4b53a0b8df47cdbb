"""Value types that the packages share.

They are plain tuples: a run makes millions of them, and a tuple is the cheapest immutable thing Python has.
Line numbers are 1-based and physical: the header, comments and blank lines count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple


class Action(StrEnum):
    """What became of one row. Every row gets exactly one."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    UNCHANGED = "unchanged"
    SUPERSEDED = "superseded"
    PARTIAL = "partial"
    REJECTED = "rejected"


# Rows that somebody has to look at: they come back in the tryback.
FAILED_ACTIONS = (Action.PARTIAL, Action.REJECTED)
# Rows that changed something in Moodle.
CHANGED_ACTIONS = (Action.CREATED, Action.UPDATED, Action.DELETED, Action.PARTIAL)


class Header(NamedTuple):
    """The header of a command file.

    Shape: names: lower-cased and trimmed, in file order; spelled: the same names as typed, trimmed; left_out: positions of
    columns that a mapping leaves out
    """

    line: int
    raw: bytes
    names: tuple[str, ...]
    spelled: tuple[str, ...]
    left_out: frozenset[int] = frozenset()


class Note(NamedTuple):
    """Something worth saying about a row beside its outcome (a warning, a part that was left out)."""

    code: str
    params: Mapping[str, Any]


class Row(NamedTuple):
    """One row as the reader gives it.

    Shape: raw: the untouched bytes of the row without its line end; cells: decoded and trimmed, one for each
    cell that is really there (a short row has fewer cells than the header, a long one more); fault: why the row can't be
    read; cell_faults: position -> why a cell can't be read
    """

    line: int
    raw: bytes
    cells: tuple[str, ...]
    fault: Note | None = None
    cell_faults: Mapping[int, Note] = MappingProxyType({})


class CleanRow(NamedTuple):
    """One row after cleaning.

    Shape: values: canonical column name -> cleaned value; a column that is absent (from the file or from this row)
    or whose empty cell means "leave as it is" has no key; notes: cells that were left out
    """

    line: int
    values: dict[str, Any]
    notes: tuple[Note, ...] = ()


class Spelled(str):
    """A text in the form that Moodle stores, which knows how the file spells it. Shape: spelled: as the cell has it"""

    __slots__ = ("spelled",)
    spelled: str

    @classmethod
    def of(cls, stored: str, spelled: str) -> str:
        """Return the stored form; a plain text where the file spells it the same."""
        if stored == spelled:
            return stored
        text = cls(stored)
        text.spelled = spelled
        return text


def spelling_of(text: str) -> str:
    """Return a text as the file spells it."""
    return text.spelled if isinstance(text, Spelled) else text


class Moment(NamedTuple):
    """A moment as a cell gives it.

    Shape: value: seconds since epoch, or a date and time on the site's clock; text: the cell
    """

    value: int | datetime
    text: str


# Code of the note of a row that leaves columns as they are because of a rule; its parameter `columns` names them.
STICKY_KEPT = "sticky_kept"


# Codes of objects after the last row that were left: no row of the file, so they are in no tryback.
ABSENT_KEPT, EMPTIED_KEPT, PLACE_KEPT = "absent_left_refused", "emptied_left_refused", "place_left_refused"
OBJECT_FAILED, OBJECT_CHANGED = "object_internal_error", "object_changed_since_plan"
ABSENT_FAILED, EMPTIED_FAILED = "absent_internal_error", "emptied_internal_error"
CLOSING_REJECTIONS = frozenset(
    {ABSENT_KEPT, EMPTIED_KEPT, PLACE_KEPT, OBJECT_FAILED, OBJECT_CHANGED, ABSENT_FAILED, EMPTIED_FAILED}
)


class Rejection(NamedTuple):
    """Why one row can't be carried out: a code of `sync.messages`, and the column at fault ('' when it is the row).

    Shape: subject: whom or what the row is about
    """

    line: int
    column: str
    code: str
    params: Mapping[str, Any]
    subject: str = ""


class Change(NamedTuple):
    """One field of one row, before and after, as text fit to be shown. Secrets are never put in."""

    field: str
    old: str
    new: str


class Outcome(NamedTuple):
    """What became of one row, and why. Counts, report, tryback and pages are computed from these.

    Shape: subject: what the row is about, as a person would name it ("bob.k"); params: for the text of `code`; done: of a
    partial row, what was done with its main object all the same (created, updated, deleted); `code` says then what was not
    """

    line: int
    action: Action
    code: str
    params: Mapping[str, Any]
    subject: str = ""
    changes: tuple[Change, ...] = ()
    notes: tuple[Note, ...] = ()
    done: Action | None = None


def partial_outcome(done: Outcome, problems: Sequence[Note]) -> Outcome:
    """Return the outcome of a row that came to `done`, apart from parts that could not be carried out.

    Where nothing at all was done the row is rejected. The first problem is the code of the row, the others are notes.
    Shape: problems: at least one
    """
    first, *others = problems
    if done.action is Action.UNCHANGED:
        return done._replace(action=Action.REJECTED, code=first.code, params=first.params, notes=(*others, *done.notes))
    notes = (Note(done.code, done.params), *others, *done.notes)
    return done._replace(
        action=Action.PARTIAL, code=first.code, params=first.params, notes=notes, done=done.action
    )  # fmt: skip
