"""What is done after the last row of a file, object by object: about what is absent from it, and what it has left empty.

Each object has an outcome in a line of its own. The plan of a run keeps the object by its id with that outcome, so that what is
carried out is about the very objects that were shown (docs/decisions/0057).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

from sync.processors.base.overlay import is_temporary
from sync.values import OBJECT_CHANGED, Action, Note, Outcome

# A note with the names of more than that is read by nobody.
NAMES_LISTED = 20


class ClosingObject(NamedTuple):
    """A row of Moodle about which something is done after the last row. Shape: rowid: temporary where the file makes it"""

    table: str
    rowid: int

    @property
    def is_part(self) -> bool:
        """Whether it stands for the rest of what was to be done, which ToolSync could not find out."""
        return not self.rowid


def rest_of(code: str) -> ClosingObject:
    """Return what stands for the rest of a part. Shape: code: of its outcome"""
    return ClosingObject(code, 0)


class ClosedObject(NamedTuple):
    """What became of an object, or would."""

    about: ClosingObject
    outcome: Outcome


class Verdict(Enum):
    """Whether something may be done about an object: as planned, not planned, or planned about what was something else then."""

    DO = auto()
    UNPLANNED = auto()
    CHANGED = auto()


class _New(NamedTuple):
    """An object that the file itself makes: it has no id yet when it is planned. Shape: name: as its outcome has it"""

    table: str
    code: str
    name: str


class PlannedObjects:
    """What a plan does after the last row. Memory: some 300 bytes an object

    Shape: ended: what stands for the rest of a part, of which the plan could not find out what to do -> its outcome
    """

    def __init__(self, closed: Iterable[ClosedObject]) -> None:
        self._present: dict[ClosingObject, tuple[str, str]] = {}
        self._new: set[_New] = set()
        self.ended: dict[ClosingObject, Outcome] = {}
        for about, outcome in closed:
            if about.is_part:
                self.ended[about] = outcome
            elif is_temporary(about.rowid):
                self._new.add(_New(about.table, outcome.code, outcome.subject))
            else:
                self._present[about] = outcome.code, outcome.subject

    def verdict(self, about: ClosingObject, code: str, subject: str) -> Verdict:
        """Tell whether an object may become what an outcome of this code says. Shape: subject: what it is called now"""
        planned = self._present.get(about)
        if planned is None:
            return Verdict.DO if _New(about.table, code, subject) in self._new else Verdict.UNPLANNED
        return Verdict.DO if planned == (code, subject) else Verdict.CHANGED

    def names_not_in(self, closed: ClosedObjects) -> list[str]:
        """Return the names of the objects of the plan of which nothing became anything."""
        done = {_New(about.table, outcome.code, outcome.subject) for about, outcome in closed if self._new}
        missing = [name for about, (_code, name) in self._present.items() if about not in closed]
        return missing + sorted(new.name for new in self._new - done)


class ClosedObjects:
    """The objects that a run is done with after its last row."""

    def __init__(self, closed: Iterable[ClosedObject] = ()) -> None:
        self._outcomes = dict(closed)

    def __contains__(self, about: object) -> bool:
        return about in self._outcomes

    def __iter__(self) -> Iterator[ClosedObject]:
        return (ClosedObject(*item) for item in self._outcomes.items())

    def add(self, closed: Iterable[ClosedObject]) -> None:
        self._outcomes.update(closed)

    def deleted(self, table: str) -> set[int]:
        """Return the ids of the rows of a table that are gone, or would be."""
        return {
            about.rowid
            for about, outcome in self._outcomes.items()
            if about.table == table and outcome.action is Action.DELETED
        }


class FileEnd(NamedTuple):
    """The end of a file, where a part of what comes after the last row is decided on.

    Shape: line: of the first outcome that follows, each further one has the next; most: outcomes of one part; doubt: why a file
    that is complete may not be whole, None = nothing speaks against it; planned: what may be done, None = anything; closed: what
    is done
    """

    line: int
    most: int
    doubt: Note | None = None
    planned: PlannedObjects | None = None
    closed: ClosedObjects = ClosedObjects()

    def verdict(self, about: ClosingObject, code: str, subject: str) -> Verdict:
        """Tell whether something is within what was planned."""
        return Verdict.DO if self.planned is None else self.planned.verdict(about, code, subject)


class EmptiedObject(NamedTuple):
    """An object that the file has left empty, and what is to be said of its deletion. Shape: code: of the outcome"""

    about: ClosingObject
    code: str
    name: str


@dataclass
class EmptiedPart:
    """The next objects that are deleted because they are empty.

    Shape: objects: those to be deleted, each with its line; changed: outcomes of those that the plan has shown as something else
    """

    objects: dict[int, EmptiedObject] = field(default_factory=dict)
    changed: list[ClosedObject] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.objects or self.changed)


def next_emptied(found: Iterable[EmptiedObject], end: FileEnd, unplanned: dict[ClosingObject, str]) -> EmptiedPart:
    """Return the next objects to be deleted of all that are empty. Shape: unplanned: filled with those that nobody has planned"""
    part = EmptiedPart()
    for each in found:
        if each.about in end.closed:
            continue
        verdict = end.verdict(each.about, each.code, each.name)
        if verdict is Verdict.UNPLANNED:
            unplanned[each.about] = each.name
            continue
        line = end.line + len(part.objects) + len(part.changed)
        if line == end.line + end.most:
            break
        if verdict is Verdict.DO:
            part.objects[line] = each
        else:
            part.changed.append(changed_object(each.about, line, each.name))
    return part


def changed_object(about: ClosingObject, line: int, subject: str) -> ClosedObject:
    """Return that an object was left, for it isn't what the plan has shown any more."""
    return ClosedObject(about, Outcome(line, Action.REJECTED, OBJECT_CHANGED, {}, subject))


def listed(names: Sequence[str]) -> str:
    """Return names in a row, not too many of them."""
    return ", ".join(names[:NAMES_LISTED]) + (" …" if len(names) > NAMES_LISTED else "")


def notes_of_closed(closed: ClosedObjects, note_codes: Mapping[str, str]) -> list[Note]:
    """Say how many objects were deleted, and which. Shape: note_codes: code of an outcome -> code of the note that tells of it"""
    names: dict[str, list[str]] = {code: [] for code in note_codes}
    for _about, outcome in closed:
        if outcome.code in names:
            names[outcome.code].append(outcome.subject)
    return [
        Note(note_codes[code], {"count": len(found), "names": listed(found)}) for code, found in names.items() if found
    ]
