"""Sticky fields: columns that a file fills once, or not at all, and leaves as they are in what is there already.

    StickyFields   the rules of a file type, frozen with the run
    StickyState    the same for a chunk, with what ToolSync is known to have left in Moodle
    ChunkSticky    over it, what the rows of the chunk leave; a planner asks it before it compares a row with what stands

What ToolSync left is known by digests of the values, not by the values (docs/decisions/0050).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol, TypeVar

from django.utils.functional import cached_property

from sync.columns.clean import TimeKind
from sync.columns.column import Column, PrefixedColumn
from sync.moodle.db.writer import BeforeImage
from sync.processors.base.overlay import ChangedRows, FoundRows, Overlay, Table, is_temporary
from sync.processors.base.plan import Plan
from sync.values import STICKY_KEPT, CleanRow, Note

RowT = TypeVar("RowT", bound=CleanRow)

# Not a table of Moodle: what ToolSync left last, where a rule asks for it.
WRITTEN = Table("toolsync_written", ("table", "rowid", "column"))


class StickyRule(StrEnum):
    """When a cell is written: always, only where nothing stands, only into what is new, never, or unless a person wrote last."""

    ALWAYS = "always"
    EMPTY = "empty"
    CREATION = "creation"
    NEVER = "never"
    PERSON = "person"


class Place(NamedTuple):
    """Where in Moodle values of a column stand."""

    table: str
    column: str


class Value(NamedTuple):
    """A value that stands in Moodle. Shape: rowid: None where there is no row for it"""

    table: str
    rowid: int | None
    column: str
    value: Any

    @property
    def key(self) -> tuple[str, int | None, str]:
        return self.table, self.rowid, self.column


class StickyColumn(NamedTuple):
    """A column that may have a rule, declared beside its processor.

    Shape: places: where its values stand, () = it can't be known who wrote them
    """

    column: Column[Any]
    places: tuple[Place, ...] = ()


def in_table(table: str, *columns: Column[Any]) -> tuple[StickyColumn, ...]:
    """Return columns whose values stand in columns of the same names of one table."""
    return tuple(StickyColumn(column, (Place(table, column.name),)) for column in columns)


class WrittenRecords(Protocol):
    """What ToolSync is known to have left in Moodle."""

    def digests(self, place: Place, rowids: Collection[int]) -> Mapping[int, str]:
        """Return the digests of the values that it left in rows, by their ids."""


class NothingWritten:
    """Nothing is known."""

    def digests(self, place: Place, rowids: Collection[int]) -> Mapping[int, str]:
        return {}


@dataclass(frozen=True)
class StickyFields:
    """The rules of a file type. False when there is none.

    Shape: rules: column, or beginning of the names of a prefixed one -> rule; columns: that may have one; watched: places of
    which is kept what ToolSync leaves there, because a rule of any file type of the site asks for it
    """

    rules: Mapping[str, StickyRule] = field(default_factory=dict)
    columns: tuple[StickyColumn, ...] = ()
    watched: frozenset[Place] = frozenset()
    records: WrittenRecords = field(default_factory=NothingWritten)

    def __bool__(self) -> bool:
        return bool(self.rules)

    def rule_of(self, name: str) -> StickyRule:
        """Return the rule of a column of a file; one of a name alone counts before that of its prefix."""
        if name in self.rules:
            return self.rules[name]
        return next((self.rules[prefix] for prefix in self._prefixes if name.startswith(prefix)), StickyRule.ALWAYS)

    def fetch(self, overlay: Overlay, rowids: Mapping[str, Collection[int]]) -> StickyState:
        """Read what ToolSync left in rows. Shape: rowids: table -> ids, perhaps temporary. Queries: one per place of a rule"""
        places = [place for place in self._own_places if place.table in rowids]
        if not places:
            return StickyState(self)
        found: dict[Any, Mapping[str, Any]] = {}
        for place in places:
            present = [rowid for rowid in rowids[place.table] if not is_temporary(rowid)]
            for rowid, digest in self.records.digests(place, present).items():
                found[place.table, rowid, place.column] = {"id": 0, "digest": digest}
        keys = [(place.table, rowid, place.column) for place in places for rowid in rowids[place.table]]
        return StickyState(self, overlay.over(WRITTEN, found, keys=keys))

    @cached_property
    def asks_who_wrote(self) -> bool:
        """Whether a rule depends on who wrote last."""
        return StickyRule.PERSON in self.rules.values()

    @cached_property
    def dates(self) -> frozenset[str]:
        """The columns in which 0 is no date."""
        return frozenset(sticky.column.name for sticky in self.columns if isinstance(sticky.column.kind, TimeKind))

    @cached_property
    def _prefixes(self) -> list[str]:
        return [
            sticky.column.name
            for sticky in self.columns
            if isinstance(sticky.column, PrefixedColumn) and sticky.column.name in self.rules
        ]

    @cached_property
    def _own_places(self) -> list[Place]:
        return [*places_of(self.columns, self.rules)]


NO_STICKY = StickyFields()


def places_of(columns: Iterable[StickyColumn], rules: Mapping[str, str]) -> dict[Place, None]:
    """Return the places of which must be known who wrote last."""
    asking = [name for name, rule in rules.items() if rule == StickyRule.PERSON]
    return dict.fromkeys(
        place for sticky in columns for place in sticky.places if any(_means(sticky, name) for name in asking)
    )


def _means(sticky: StickyColumn, name: str) -> bool:
    column = sticky.column
    return name == column.name or (isinstance(column, PrefixedColumn) and name.startswith(column.name))


@dataclass(frozen=True)
class StickyState:
    """The rules, and what is known for a chunk of what ToolSync left. Shape: written: (table, rowid, column) -> digest"""

    fields: StickyFields = NO_STICKY
    written: FoundRows = field(default_factory=lambda: FoundRows(WRITTEN))


class ChunkSticky:
    """Tells the planner of one chunk what a row may write. Shape: has_rules: else nothing needs to be asked"""

    __slots__ = ("_fields", "_written", "has_rules")

    def __init__(self, state: StickyState, plan: Plan) -> None:
        self._fields = state.fields
        self.has_rules = bool(state.fields)
        self._written: ChangedRows | None = None
        if self._fields.asks_who_wrote:
            self._written = plan.written = plan.change(state.written)

    def for_new(self, row: RowT, kept: list[str]) -> RowT:
        """Return the row of something new without the cells that are never written; `kept` gets the names of filled ones."""
        if not self.has_rules or StickyRule.NEVER not in self._fields.rules.values():
            return row
        never = [name for name in row.values if self._fields.rule_of(name) is StickyRule.NEVER]
        kept += [name for name in never if row.values[name] != ""]
        return row._replace(values={name: value for name, value in row.values.items() if name not in never})

    def allowed(
        self,
        table: str,
        row: Mapping[str, Any],
        new: dict[str, Any],
        kept: list[str],
        names: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Return those of the new values that may go into a row that is there; `kept` gets the columns of the others.

        Shape: row: with its id; new: column of the table -> value; names: column of the table -> of the file, where they differ
        """
        if not self.has_rules:
            return new
        values = {}
        for column, value in new.items():
            old, name = row.get(column), (names or {}).get(column, column)
            if is_other(old, value) and self.keeps(name, Value(table, row["id"], column, old)):
                kept.append(name)
            else:
                values[column] = value
        return values

    def keeps(self, name: str, present: Value, *, zero_is_none: bool = False) -> bool:
        """Whether another value in a column of the file leaves what stands as it is.

        Shape: zero_is_none: a 0 stands where nothing does, as in dates
        """
        rule = self._fields.rule_of(name)
        if rule is StickyRule.ALWAYS:
            return False
        has_no_zero = zero_is_none or name in self._fields.dates
        is_empty = present.value in (None, "") or (has_no_zero and str(present.value) == "0")
        if rule is StickyRule.EMPTY:
            return not is_empty
        if rule is StickyRule.PERSON and self._written is not None:
            known = self._written.get(present.key)
            # Of what was there before anybody looked, nobody knows who wrote it.
            return not is_empty if known is None else known["digest"] != digest_of(present)
        return True

    def note(
        self, table: str, rowid: int, values: Mapping[str, Any], line: int, names: Mapping[str, str] | None = None
    ) -> None:
        """Note what stands in a row after a line of the file has written it, or has found it so.

        Shape: values, names: as `allowed` takes and returns them
        """
        if self._written is None:
            return
        for column, value in values.items():
            if self._fields.rule_of((names or {}).get(column, column)) is StickyRule.PERSON:
                left = Value(table, rowid, column, value)
                known, digest = self._written.get(left.key), digest_of(left)
                if known is None or known["digest"] != digest:
                    self._written.foresee(left.key, {"id": 0, "digest": digest}, line)


def is_other(old: Any, new: Any) -> bool:
    """Whether a new value is another than what stands; a NULL and an empty text are the same to a file."""
    return bool(old != new and not (old is None and new == ""))


def kept_notes(kept: Collection[str]) -> tuple[Note, ...]:
    """Return what a row says of the columns that it left as they are."""
    return (Note(STICKY_KEPT, {"columns": ", ".join(dict.fromkeys(kept))}),) if kept else ()


def digest_of(left: Value) -> str:
    """Return a short digest of a value. Not secret, but no readable copy of what is about people."""
    value = left.value
    if hasattr(value, "in_overlay"):
        value = value.in_overlay()
    text = f"{left.table}.{left.column}={'' if value is None else value}"
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def digests_in(
    images: Iterable[BeforeImage], watched: Collection[Place], *, undoes: bool = False
) -> Iterator[tuple[tuple[str, int, str], str]]:
    """Return the digests of what writes have left in places: (table, rowid, column) and digest, in the order of the writes.

    What goes, and comes back as it was, says nothing: what is known of it from before holds again. Moodle writes over the
    address of a user who is deleted.
    Shape: undoes: an undo writes, and what it inserts was there
    """
    columns_of: dict[str, list[str]] = {}
    for place in watched:
        columns_of.setdefault(place.table, []).append(place.column)
    for image in images:
        if image.id is None or image.kind == "delete" or (undoes and image.kind == "insert") or _goes_or_comes(image):
            continue
        for column in columns_of.get(image.table, ()):
            if column in image.after:
                left = Value(image.table, image.id, column, image.after[column])
                yield (image.table, image.id, column), digest_of(left)


def _goes_or_comes(image: BeforeImage) -> bool:
    """Tell whether a write deletes a user, or brings one back."""
    return image.table == "user" and image.kind == "update" and "deleted" in image.after
