"""The columns of a file type, and what its header means by them."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from sync.columns.column import About, Column, NumberedColumn, PrefixedColumn
from sync.columns.options import Option
from sync.errors import DeclarationError
from sync.values import CleanRow

# Columns that a tryback adds; they are ignored when it is sent again.
CODE_COLUMN = "_code"
TRYBACK_COLUMNS = ("_line", CODE_COLUMN, "_reason")
# A tryback has it beside them where its few rows may not show, or may show wrongly, in which order its dates were read.
DATE_ORDER_COLUMN = "_dateorder"
# A tryback has it where the columns of its file were mapped: it says by which mapping.
MAPPING_COLUMN = "_mapping"
# What a tryback may have before the columns that it always adds, and all that it may add.
FURTHER_COLUMNS = (DATE_ORDER_COLUMN, MAPPING_COLUMN)
ADDED_COLUMNS = (*FURTHER_COLUMNS, *TRYBACK_COLUMNS)


class _EmptyCells(dict[str, Any]):
    def __missing__(self, name: str) -> str:
        return ""


class Columns:
    """The columns of a file type.

    Shape: row_type: the class of its rows; one_of: at least one of these must be in the header; exact_width: every row must
    have as many cells as the header;
    headerless: the file is a list, its first line is a row; where there is one column, the whole line is its cell;
    of_pictures: the file is a zip, each picture a row without header; flat_names: what the cells of a file without header are
    that is read so where the option `flatfile` says it, and recognised otherwise; subject: what names a row in messages,
    "{uid} / {cid}" ("" = its first required cell); elsewhere: beginning of the name of a column that Moodle's own tools have
    and this file type hasn't -> code of the text that says how it is done here; contradictions: names that can't stand
    together, because the last one means something else beside the first ones -> code of the text that says so
    """

    def __init__(
        self,
        *columns: Column[Any],
        row_type: type[CleanRow] = CleanRow,
        one_of: tuple[str, ...] = (),
        exact_width: bool = False,
        headerless: bool = False,
        of_pictures: bool = False,
        flat_names: tuple[str, ...] = (),
        subject: str = "",
        elsewhere: Mapping[str, str] | None = None,
        contradictions: Mapping[tuple[str, ...], str] | None = None,
    ) -> None:
        self.row_type = row_type
        self.elsewhere = elsewhere or {}
        self.contradictions = contradictions or {}
        self.flat_names = flat_names
        self._columns = columns
        self._subject = subject
        self.headerless = headerless or of_pictures
        self.of_pictures = of_pictures
        self.one_of = one_of
        self.exact_width = exact_width
        self._by_name = {name: column for column in columns for name in (column.shown_name, *column.aliases)}
        if len(self._by_name) != sum(1 + len(column.aliases) for column in columns):
            raise DeclarationError("a column name or alias is declared twice")
        for column in columns:
            column.check()
        referred = (*one_of, *flat_names, *(name for _text, name, *_rest in string.Formatter().parse(subject) if name))
        if unknown := [name for name in referred if name not in self._by_name]:
            raise DeclarationError(f"there is no column {', '.join(unknown)}")
        self._patterned = [column for column in columns if isinstance(column, (NumberedColumn, PrefixedColumn))]
        self._stems = tuple(stem for column in self._patterned for stem in (column.name, *column.aliases))
        self._defaults = {column.name: column.default for column in columns if column.default is not None}

    def __iter__(self) -> Iterator[Column[Any]]:
        return iter(self._columns)

    def subject_of(self, cells: Mapping[str, Any]) -> str:
        """Return whom or what a row is about, as its cells name it."""
        if self._subject:
            return self._subject.format_map(_EmptyCells(cells))
        required = [column.name for column in self._columns if column.filled][:1]
        return next((str(cells[name]) for name in (*required, *self.one_of) if cells.get(name)), "")

    @property
    def subject_about(self) -> About | None:
        """The kind of the one thing that a row is about; None where it is another, or there are several."""
        if self._subject:
            return None
        required = [column.name for column in self._columns if column.filled][:1]
        return next((self._by_name[name].about for name in (*required, *self.one_of) if name in self._by_name), None)

    def find(self, name: str) -> tuple[Column[Any], str] | None:
        """Return the column that a lower-cased header name means, and its canonical name."""
        column = self._by_name.get(name)
        if column is not None and column not in self._patterned:
            return column, column.name
        if not name.startswith(self._stems):
            return None
        for column in self._patterned:
            canonical = column.canonical(name)
            if canonical is not None:
                return column, canonical
        return None

    def defaults(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return what rows have without a cell, in a run with these options."""
        return {
            name: options[default.name] if isinstance(default, Option) else default
            for name, default in self._defaults.items()
        }

    def knows(self, name: str) -> bool:
        """Whether a lower-cased header name belongs to this file type (tryback columns included)."""
        return name in ADDED_COLUMNS or self.find(name) is not None

    @property
    def list_names(self) -> tuple[str, ...]:
        """The names of the cells where no header gives them, else ()."""
        return tuple(column.name for column in self._columns) if self.headerless else ()

    def list_names_for(self, options: Mapping[str, Any]) -> tuple[str, ...]:
        """Return the same for a run with these options: `flatfile` says that there is no header."""
        return self.flat_names if self.flat_names and options.get("flatfile") else self.list_names

    @cached_property
    def plain_names(self) -> tuple[str, ...]:
        """Names to compare a misspelt one with; numbered columns give their first."""
        return tuple(
            c.numbered(c.least) if isinstance(c, NumberedColumn) else c.name for c in self._columns if not c.ignored
        )
