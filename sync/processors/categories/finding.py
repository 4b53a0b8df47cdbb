"""Which category a row means: by idnumber, number or path of names; and where a new one goes."""

from __future__ import annotations

from sync.moodle.categories.categories import Category
from sync.moodle.db.identifiers import is_id
from sync.processors.base.category_paths import CourseCategories
from sync.processors.base.errors import RowError
from sync.processors.base.overlay import ChangedRows
from sync.processors.categories.cells import DELETE, TOP, CategoryRow


class CategoryFinder:
    """Finds categories as they stand now. Shape: identifier: "idnumber", "id" or "path"; keys are ids, perhaps temporary"""

    def __init__(self, categories: ChangedRows, paths: CourseCategories, identifier: str) -> None:
        self.identifier = identifier
        self._categories = categories
        self._paths = paths

    def find(self, row: CategoryRow) -> int | None:
        """Return the category of a row, None where it isn't there.

        What a row renames or moves may be called and stand so already: the file was sent before. A row that deletes means what
        it names and nothing else.
        Raises: RowError
        """
        found = self._lookup(row.category, "category")
        if row.cmd == DELETE:
            return found
        if found is None and self.identifier == "idnumber" and row.idnumber:
            return self._lookup(row.idnumber, "idnumber")
        if found is None and self.identifier == "path" and (row.name or row.parent):
            return self._renamed(row)
        return found

    def named(self, text: str, column: str) -> int:
        """Return the category that a cell names. Raises: RowError"""
        found = self._lookup(text, column)
        if found is None:
            raise RowError("category_unknown", column, category=text, identifier=self.identifier)
        return found

    def parent_of(self, row: CategoryRow, key: int) -> int | None:
        """Return the category that is to hold one that is there; None where the row doesn't say. 0 = the top. Raises: RowError"""
        if row.parent is None:
            return None
        parent = self._parent(row.parent)
        above: int = parent
        while above in self._categories:
            if above == key:
                raise RowError("category_into_itself", "parent", category=self._categories[key]["name"])
            above = self._categories[above]["parent"]
        return parent

    def place_of_new(self, row: CategoryRow) -> tuple[str, int]:
        """Return the name of a new category, and the one that holds it (0 = the top). Raises: RowError"""
        if self.identifier == "id":
            raise RowError("category_unknown", "category", category=row.category, identifier="id")
        name, parent = "", 0
        if self.identifier == "path":
            found, missing = self._reached(row.category, "category")
            name = missing[-1]
            if len(missing) > 1:
                raise RowError(
                    "category_path_unknown", "category", path=row.category, missing=missing[0],
                )  # fmt: skip
            parent = found.id if found is not None else 0
        name = row.name or name
        if not name:
            raise RowError("category_name_missing", "name")
        if row.parent is None:
            return name, parent
        given = self._parent(row.parent)
        if parent and given != parent:
            # It was to be moved from there, and isn't there; or the two columns contradict each other.
            raise RowError("category_place_differs", "parent", path=row.category, parent=row.parent)
        return name, given

    def idnumber_of_new(self, row: CategoryRow) -> str:
        if row.idnumber:
            return row.idnumber
        return self._limited(row.category) if self.identifier == "idnumber" else ""

    def new_idnumber(self, row: CategoryRow) -> str | None:
        """Return the idnumber that a row gives to a category that is there; None where it keeps its own."""
        is_found_by_it = self.identifier == "idnumber"
        return None if is_found_by_it and not row.idnumber else row.idnumber

    def shown(self, key: int) -> str:
        """Return what a report calls a category: the names that lead to it."""
        if key not in self._categories:
            return TOP
        return self._paths.path_of(self._category(key))

    def _parent(self, text: str) -> int:
        is_top = text == TOP or (text == "0" and self.identifier == "id")
        key = 0 if is_top else self.named(text, "parent")
        if key and self._category(key).is_damaged:
            raise RowError("category_without_context", "parent", category=self._category(key).name)
        return key

    def _renamed(self, row: CategoryRow) -> int | None:
        """Return the category that has the name and the place that the row gives."""
        found, missing = self._reached(row.category, "category")
        if len(missing) > 1 and row.parent is None:
            return None
        place = self._parent(row.parent) if row.parent else found.id if found is not None else 0
        name = row.name or missing[-1]
        return self._only_one(self._categories.find_spelled("name", name, parent=place), name, "name")

    def _lookup(self, text: str, column: str) -> int | None:
        if self.identifier == "id":
            if not is_id(text):
                raise RowError("value_not_number", column, value=text)
            return int(text) if int(text) in self._categories else None
        if self.identifier == "idnumber":
            return self._only_one(self._categories.find_spelled("idnumber", text), text, column)
        found, missing = self._reached(text, column)
        return None if found is None or missing else found.id

    def _reached(self, path: str, column: str) -> tuple[Category | None, tuple[str, ...]]:
        """Return what `CourseCategories.reached` does, of what one path leads to alone. Raises: RowError"""
        try:
            found, missing = self._paths.reached(path)
        except RowError as error:
            error.params["column"] = column
            raise
        if found is not None:
            self._refuse_twins(found, path, column)
        return found, missing

    def _refuse_twins(self, category: Category, path: str, column: str) -> None:
        """Raises: RowError where another category has the same path"""
        seen: set[int] = set()
        while category.id not in seen:
            seen.add(category.id)
            self._only_one(self._categories.find_spelled("name", category.name, parent=category.parent), path, column)
            if category.parent in self._categories:
                category = self._category(category.parent)

    def _only_one(self, found: list[int], text: str, column: str) -> int | None:
        if len(found) > 1:
            raise RowError("category_ambiguous", column, category=text, count=len(found))
        return found[0] if found else None

    def _category(self, key: int) -> Category:
        return Category.of(self._categories[key])

    @staticmethod
    def _limited(idnumber: str) -> str:
        """Raises: RowError for more than Moodle's column holds"""
        if len(idnumber) > MAX_IDNUMBER:
            raise RowError("category_idnumber_too_long", "category", limit=MAX_IDNUMBER)
        return idnumber


# Source: Moodle table course_categories, column idnumber
MAX_IDNUMBER = 100
