"""What a cohort belongs to: the category that a row names by number, idnumber, path or context, or the whole site."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sync.columns.column import OptionalColumn
from sync.moodle.categories.categories import Category
from sync.processors.base.errors import RowError
from sync.processors.cohorts.cells import CohortCells
from sync.processors.cohorts.plan import CohortsState

# Column -> what it names a category by, in the order in which the columns count.
CATEGORIES: Mapping[OptionalColumn[Any], str] = {
    CohortCells.contextid: "contextid",
    CohortCells.ccatcontext: "id",
    CohortCells.ccatcontextidnumber: "idnumber",
    CohortCells.category_path: "path",
    CohortCells.category: "",
}
CATEGORY_COLUMNS = frozenset(column.name for column in CATEGORIES)
_SEPARATOR = "/"


class CohortCategories:
    """Finds the categories that rows of cohorts name. Moodle takes the site where it finds none; a row is rejected here."""

    def __init__(self, state: CohortsState) -> None:
        self._state = state
        self._by_id = {category.id: category for category in state.categories}
        self._found: dict[str, dict[str, list[Category]]] = {"id": {}, "idnumber": {}, "path": {}, "contextid": {}}
        for category in state.categories:
            self._keep("id", str(category.id), category)
            self._keep("contextid", str(category.contextid), category)
            self._keep("idnumber", state.fold_category(category.idnumber), category)
            self._keep("path", self._path_key(_SEPARATOR.join(self._names(category))), category)

    def contextid(self, row: CohortCells) -> int | None:
        """Return the context of the category that a row names; None where it names none.

        Raises: RowError for an unknown category, several, or columns that name different ones
        """
        filled = {column: str(value) for column in CATEGORIES if (value := column.of(row)) is not None}
        if CohortCells.ccatcontext in filled:
            # The old plugin looks at the idnumber only where there is no number.
            filled.pop(CohortCells.ccatcontextidnumber, None)
        named = {column.name: self._of_column(column, text) for column, text in filled.items()}
        if len(set(named.values())) > 1:
            raise RowError("cohort_categories_differ", next(iter(named)), columns=", ".join(named))
        return next(iter(named.values()), None)

    def _of_column(self, column: OptionalColumn[Any], text: str) -> int:
        system = self._state.memberships.system_contextid
        if (column, text) in {(CohortCells.ccatcontext, "0"), (CohortCells.contextid, str(system))}:
            return system
        identifier = CATEGORIES[column]
        found = list(dict.fromkeys(self._candidates(identifier, text)))
        if not found:
            raise RowError("category_unknown", column.name, category=text, identifier=identifier or "idnumber")
        if len(found) > 1:
            raise RowError("category_ambiguous", column.name, category=text, count=len(found))
        if not found[0].contextid:
            raise RowError("category_without_context", column.name, category=text)
        return found[0].contextid

    def _candidates(self, identifier: str, text: str) -> Iterator[Category]:
        if identifier in ("", "path"):
            yield from self._found["path"].get(self._path_key(text), ())
        if identifier in ("", "idnumber"):
            yield from self._found["idnumber"].get(self._state.fold_category(text), ())
        if identifier in ("", "id", "contextid"):
            yield from self._found[identifier or "id"].get(text, ())

    def _keep(self, identifier: str, key: str, category: Category) -> None:
        if key:
            self._found[identifier].setdefault(key, []).append(category)

    def _path_key(self, path: str) -> str:
        """Return the same key for paths that the server takes for the same, with or without blanks around the slashes."""
        return _SEPARATOR.join(self._state.fold_category_name(name.strip()) for name in path.split(_SEPARATOR))

    def _names(self, category: Category) -> list[str]:
        """Return the names on the way to a category, root first."""
        names, seen = [category.name], {category.id}
        while (parent := self._by_id.get(category.parent)) is not None and parent.id not in seen:
            names.append(parent.name)
            seen.add(parent.id)
            category = parent
        return names[::-1]
