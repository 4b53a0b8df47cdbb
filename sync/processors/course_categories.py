"""The category of a row: found by number, idnumber or path of names; a path that leads further is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sync.moodle.categories import Category, NewCategory
from sync.moodle.identifiers import is_id
from sync.processors.accounts import RowRefused

# Source: Moodle table course_categories, column name
MAX_NAME = 255

Names = tuple[str, ...]


class CourseCategories:
    """The categories of the site, and those that a chunk makes; one that a row makes is found by the next.

    Shape: fold: makes names equal that the server takes for so; one spelled alike goes before it
    """

    def __init__(self, present: Iterable[Category], *, new_visible: bool, fold: Callable[[str], str] = str) -> None:
        self.present = list(present)
        self.new: dict[Names, NewCategory] = {}
        self._new_visible = new_visible
        self._fold = fold
        self._spelled: dict[Names, Names] = {}
        self._by_id = {category.id: category for category in self.present}
        self._by_idnumber = {category.idnumber: category for category in reversed(self.present) if category.idnumber}
        oldest_last = list(reversed(self.present))
        self._by_name = {(category.parent, fold(category.name)): category for category in oldest_last}
        self._by_spelling = {(category.parent, category.name): category for category in oldest_last}

    def default(self) -> Category | NewCategory:
        """Give the category of courses that name none: the one with the lowest number."""
        if not self._by_id:
            raise RowRefused("category_none", "category")
        return _sound(self._by_id[min(self._by_id)])

    def by_id(self, categoryid: int) -> Category | None:
        return self._by_id.get(categoryid)

    def by_idnumber(self, text: str) -> Category:
        category = self._by_idnumber.get(text)
        if category is None:
            raise RowRefused("category_unknown", "category", category=text, identifier="idnumber")
        return _sound(category)

    def by_id_or_path(self, text: str) -> Category | NewCategory:
        """Give the category of a number or a path of names, root first."""
        if text.isascii() and text.isdigit():
            category = self._by_id.get(int(text)) if is_id(text) else None
            if category is None:
                raise RowRefused("category_unknown", "category", category=text, identifier="id")
            return _sound(category)
        return self._by_path(_names_of(text))

    def _by_path(self, names: Names) -> Category | NewCategory:
        present: Category | None = None
        for depth, name in enumerate(names):
            parent = present.id if present else 0
            found = self._by_spelling.get((parent, name)) or self._by_name.get((parent, self._fold(name)))
            if found is None:
                return self._make(names, depth, present)
            present = _sound(found)
        assert present is not None  # noqa: S101 - a path has at least one name
        return present

    def _make(self, names: Names, depth: int, present: Category | None) -> NewCategory:
        """Make what is missing of a path, below the category that is there."""
        # What is made visible below something hidden is seen once that is.
        visible = int(self._new_visible and (present is None or bool(present.visible)))
        parent: int | Names = present.id if present else 0
        part = names[:depth]
        for name in names[depth:]:
            part = self._spelled.setdefault(tuple(map(self._fold, (*part, name))), (*part, name))
            self.new.setdefault(part, NewCategory(part, parent, visible, int(self._new_visible)))
            parent = part
        return self.new[part]


def _sound(category: Category) -> Category:
    if category.is_damaged:
        raise RowRefused("category_without_context", "category", category=category.name)
    return category


def _names_of(path: str) -> Names:
    text = path.replace("\\", "/").strip()
    names = tuple(name.strip() for name in text.removeprefix("/").removesuffix("/").split("/"))
    for name in names:
        if not name:
            raise RowRefused("category_path_gap", "category", path=path)
        if len(name) > MAX_NAME:
            raise RowRefused("category_name_too_long", "category", name=name[:40] + "…", limit=MAX_NAME)
    return names
