"""What a file may contain, declared: single columns, numbered ones (course1, course2 …) and prefixed ones.

Columns are the attributes of a class of rows (`sync.columns.cells`). Of the class, `EnrolmentCells.cid` is the declaration; of a
row, `row.cid` is the value, in the type that the kind of column and its cells have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, field
from enum import Enum, StrEnum
from typing import Any, Generic, Self, overload

from django.utils.functional import Promise

from sync.columns.clean import OneOfKind, TextKind, Value_co, ValueKind
from sync.columns.options import Option
from sync.errors import DeclarationError
from sync.values import CleanRow

Label = str | Promise


class About(StrEnum):
    """Of what kind is what a column names; the audit is searched by it."""

    USER = "user"
    COURSE = "course"


class Empty(Enum):
    """What an empty cell means."""

    KEEPS = "keeps"
    CLEARS = "clears"


@dataclass(eq=False)
class Column(Generic[Value_co]):
    """One column; use one of the classes below, by what a row is sure to have.

    Shape: name: in the file, where it isn't that of the attribute; required: the header must have it; filled: the cell may
    not be empty; empty: what an empty cell means otherwise (KEEPS: as if the column were absent; CLEARS: the value '');
    stored_in: Moodle table and column, whose real length limits the text, the table alone where the column has the same name;
    refers: whether it names something that is there; default: what rows without the cell have (absent or empty, unless empty
    CLEARS), or the option that says it: the cleaner puts it there; for_new: what a new thing has without the cell, given by the
    gate or the planner and only said here, for an existing one keeps what it has; ignored: accepted in the header, never
    read; decides: its cell tells which thing a row means or what becomes of it, so it is never left out; sample: one cell of the
    sample file, "" leaves the column out; names: whether its values name the thing that a row is about, or will (None = where
    it refers to something); about: the kind of what it names, None = no user and no course; may_be_date: whether cells may be
    dates of the site's own fields: which are, only Moodle knows
    """

    kind: ValueKind[Value_co]
    _: KW_ONLY
    name: str = ""
    required: bool = field(init=False, default=False)
    filled: bool = field(init=False, default=False)
    default: Any = field(init=False, default=None)
    empty: Empty = Empty.KEEPS
    stored_in: str | tuple[str, str] | None = None
    refers: bool = False
    for_new: Label = ""
    aliases: tuple[str, ...] = ()
    ignored: bool = False
    decides: bool = False
    sample: str = ""
    help: Label = ""
    names: bool | None = None
    about: About | None = None
    may_be_date: bool = False

    def __set_name__(self, owner: type[CleanRow], name: str) -> None:
        self.name = self.name or name

    def check(self) -> None:
        """Raises: DeclarationError where the declaration contradicts itself"""
        if self.empty is Empty.CLEARS and not isinstance(self.kind, (TextKind, OneOfKind)):
            raise DeclarationError(f"column {self.name}: an empty cell is no value of its kind")

    @property
    def limited_by(self) -> tuple[str, str] | None:
        """Moodle table and column whose length limits the text."""
        return (self.stored_in, self.name) if isinstance(self.stored_in, str) else self.stored_in

    @property
    def is_key(self) -> bool:
        """Whether something is looked up by what it holds."""
        return self.refers if self.names is None else self.names

    @property
    def may_be_left_out(self) -> bool:
        """Whether a cell that can't be used may be left out, if so chosen: the row then does the same, but for this value."""
        return not (self.filled or self.refers or self.decides or isinstance(self.kind, OneOfKind))

    @property
    def shown_name(self) -> str:
        return self.name

    def canonical(self, name: str) -> str | None:
        """Return the canonical name if a header name means this column, else None."""
        return self.name if name == self.name or name in self.aliases else None


@dataclass(eq=False)
class SingleColumn(Column[Value_co]):
    """A column that is there once: every kind but numbered and prefixed ones."""

    def of(self, row: CleanRow) -> Value_co | None:
        """Return the value of a row, for what goes over several columns; None where it has none."""
        return row.values.get(self.name)


@dataclass(eq=False)
class OptionalColumn(SingleColumn[Value_co]):
    """A column that a file, or a row, may be without: a row has the value, or None. What CLEARS gives '' where it is empty."""

    _: KW_ONLY
    required: bool = False
    filled: bool = False

    def check(self) -> None:
        super().check()
        if self.required and self.filled:
            raise DeclarationError(f"column {self.name}: every row has it, it isn't optional")

    @overload
    def __get__(self, row: None, owner: type[CleanRow]) -> Self: ...
    @overload
    def __get__(self, row: CleanRow, owner: type[CleanRow]) -> Value_co | None: ...
    def __get__(self, row: CleanRow | None, owner: type[CleanRow]) -> Self | Value_co | None:
        return self if row is None else row.values.get(self.name)


@dataclass(eq=False)
class _SureColumn(SingleColumn[Value_co]):
    """A column of which every row has a value."""

    @overload
    def __get__(self, row: None, owner: type[CleanRow]) -> Self: ...
    @overload
    def __get__(self, row: CleanRow, owner: type[CleanRow]) -> Value_co: ...
    def __get__(self, row: CleanRow | None, owner: type[CleanRow]) -> Self | Value_co:
        return self if row is None else row.values[self.name]

    def of(self, row: CleanRow) -> Value_co:
        value: Value_co = row.values[self.name]
        return value


@dataclass(eq=False)
class RequiredColumn(_SureColumn[Value_co]):
    """A column that the header must have, and every row a value."""

    required: bool = field(init=False, default=True)
    filled: bool = field(init=False, default=True)
    empty: Empty = field(init=False, default=Empty.KEEPS)


@dataclass(eq=False)
class DefaultColumn(_SureColumn[Value_co]):
    """A column whose default the rows without the cell have."""

    _: KW_ONLY
    default: Value_co | Option[Any] = field()
    for_new: Label = field(init=False, default="")


@dataclass(eq=False)
class NumberedColumn(Column[Value_co]):
    """A column that comes in sets: course1, course2 … Of a row: number -> value, of the cells that it has, in their order.

    Shape: name: what stands before the number; suffix: what follows it (teacher1_role: name "teacher", suffix "_role"); least,
    most: the bounds of the number
    """

    _: KW_ONLY
    suffix: str = ""
    least: int = 1
    most: int | None = None

    @overload
    def __get__(self, row: None, owner: type[CleanRow]) -> Self: ...
    @overload
    def __get__(self, row: CleanRow, owner: type[CleanRow]) -> dict[int, Value_co]: ...
    def __get__(self, row: CleanRow | None, owner: type[CleanRow]) -> Self | dict[int, Value_co]:
        if row is None:
            return self
        return {number: row.values[self.numbered(number)] for number in self.numbers(row.values)}

    def of(self, row: CleanRow, number: int) -> Value_co | None:
        """Return the value of a row under one of the numbers."""
        return row.values.get(f"{self.name}{number}{self.suffix}")

    def numbers(self, names: Iterable[str]) -> list[int]:
        """Return the numbers that this column has among canonical names, sorted."""
        stem, suffix, begins, ends = self.name, self.suffix, len(self.name), -len(self.suffix) or None
        found = [name[begins:ends] for name in names if name.startswith(stem) and name.endswith(suffix)]
        return sorted(map(int, filter(str.isdecimal, found)))

    def canonical(self, name: str) -> str | None:
        for stem in (self.name, *self.aliases):
            if not name.startswith(stem):
                continue
            found = re.fullmatch(rf"{re.escape(stem)}(0|[1-9][0-9]{{0,5}}){re.escape(self.suffix)}", name)
            if found and int(found[1]) >= self.least and (self.most is None or int(found[1]) <= self.most):
                return self.numbered(int(found[1]))
        return None

    def numbered(self, number: int) -> str:
        """Return the canonical name of one of the set."""
        return f"{self.name}{number}{self.suffix}"

    @property
    def shown_name(self) -> str:
        return f"{self.numbered(self.least)}, {self.numbered(self.least + 1)} …"


@dataclass(eq=False)
class PrefixedColumn(Column[Value_co]):
    """Columns whose name ends in something that the site defines: profile_field_<shortname>. Of a row: whole name -> value.

    Shape: name: what stands before it
    """

    _: KW_ONLY
    may_be_date: bool = True

    @overload
    def __get__(self, row: None, owner: type[CleanRow]) -> Self: ...
    @overload
    def __get__(self, row: CleanRow, owner: type[CleanRow]) -> dict[str, Value_co]: ...
    def __get__(self, row: CleanRow | None, owner: type[CleanRow]) -> Self | dict[str, Value_co]:
        if row is None:
            return self
        return {name: value for name, value in row.values.items() if name.startswith(self.name)}

    def canonical(self, name: str) -> str | None:
        return name if name.startswith(self.name) and len(name) > len(self.name) else None

    @property
    def shown_name(self) -> str:
        return f"{self.name}…"
