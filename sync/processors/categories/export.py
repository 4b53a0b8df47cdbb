"""Categories as a command file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sync.moodle.categories.contents import fetch_described_categories
from sync.processors.base.export import ExportedRow, Exporter, ScopeKind, cell_of
from sync.processors.categories.cells import TOP, CategoriesOptions

Row = Mapping[str, Any]
_ROWS_AT_ONCE = 5000


class CategoriesExporter(Exporter[CategoriesOptions]):
    """Categories, those that hold others before these."""

    scopes = (ScopeKind.CATEGORY,)
    shows_people = False

    def header(self) -> list[str]:
        return ["category", "name", "idnumber", "parent", "visible", "description"]

    def parts(self) -> Iterator[list[ExportedRow]]:
        rows = {row["id"]: row for row in fetch_described_categories(self.moodle)}
        names = {key: self._names(row, rows) for key, row in rows.items()}
        wanted = [key for key in rows if self.scope.category is None or self._is_within(rows[key], rows)]
        wanted.sort(key=lambda key: len(names[key]))
        for start in range(0, len(wanted), _ROWS_AT_ONCE):
            yield [self._row(rows[key], rows, names) for key in wanted[start : start + _ROWS_AT_ONCE]]

    def _row(self, row: Row, rows: Mapping[int, Row], names: Mapping[int, list[str]]) -> ExportedRow:
        parent = rows.get(row["parent"])
        is_hidden_by_parent = parent is not None and not parent["visible"]
        visible = row["visible"] or (row["visibleold"] and is_hidden_by_parent)
        cells = [
            self._named(row, names),
            row["name"],
            row["idnumber"],
            TOP if parent is None else self._named(parent, names),
            str(int(bool(visible))),
            cell_of(row["description"]),
        ]
        return ExportedRow(" / ".join(names[row["id"]]), cells)

    def _named(self, row: Row, names: Mapping[int, list[str]]) -> str:
        identifier = self.options.categoryidentifier
        if identifier == "path":
            return "/".join(name.replace("/", "\\/") for name in names[row["id"]])
        return cell_of(row[identifier])

    def _is_within(self, row: Row, rows: Mapping[int, Row]) -> bool:
        return any(above["id"] == self.scope.category for above in self._upwards(row, rows))

    def _names(self, row: Row, rows: Mapping[int, Row]) -> list[str]:
        return [above["name"] for above in self._upwards(row, rows)][::-1]

    @staticmethod
    def _upwards(row: Row, rows: Mapping[int, Row]) -> list[Row]:
        """Return a category and those that hold it, from the inside."""
        found = {row["id"]: row}
        while (above := rows.get(row["parent"])) is not None and above["id"] not in found:
            found[above["id"]] = row = above
        return [*found.values()]
