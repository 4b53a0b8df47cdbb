"""The rows of a file type, each cell an attribute: a class whose attributes are the columns.

    class EnrolmentCells(Cells, subject="{uid} / {cid}"):
        cid = RequiredColumn(text(255), refers=True, help=_("The course."))
        endtime = OptionalColumn(moodle_time(), decides=True)

Of a row, `row.cid` is a text and `row.endtime` a moment or None. `EnrolmentCells.columns` holds all declarations, from which
header check, cleaning, template, sample and documentation follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from sync.columns.column import Column
from sync.columns.file_columns import Columns
from sync.errors import DeclarationError
from sync.values import CleanRow


class Cells(CleanRow):
    """One row. Subclasses declare columns, and name in brackets what `Columns` knows of the whole file.

    Shape: more: columns whose names come from data; their cells are in `values` only
    """

    __slots__ = ()
    columns: ClassVar[Columns] = Columns()

    def __init_subclass__(cls, *, more: tuple[Column[Any], ...] = (), **of_file: Any) -> None:
        """Gather the declarations, those of bases first. Raises: DeclarationError"""
        super().__init_subclass__()
        declared: dict[str, Column[Any]] = {}
        for base in reversed(cls.__mro__):
            declared |= {name: column for name, column in vars(base).items() if isinstance(column, Column)}
        if taken := [name for name in declared if hasattr(Cells, name)]:
            raise DeclarationError(f"{cls.__name__}: every row has {', '.join(taken)}; give the attribute another name")
        cls.columns = Columns(*declared.values(), *more, row_type=cls, **of_file)

    def given(self, *columns: Column[Any]) -> dict[str, Any]:
        """Return those of the cells that the row has: name of the column -> value."""
        return {column.name: self.values[column.name] for column in columns if column.name in self.values}

    def replaced(self, changes: Mapping[Column[Any], Any]) -> Self:
        """Return the row with other cells. Shape: column -> value, None = the row has no such cell"""
        values = self.values | {column.name: value for column, value in changes.items() if value is not None}
        for column, value in changes.items():
            if value is None:
                values.pop(column.name, None)
        return self._replace(values=values)
