"""The category of a row: found by number, idnumber or path of names; a path that leads further is made."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from sync.moodle.categories.categories import Category, NewCategory
from sync.moodle.db.identifiers import is_id
from sync.processors.base.errors import RowError
from sync.processors.courses.operations import AnyCategory

# Source: Moodle table course_categories, column name
MAX_NAME = 255

Names = tuple[str, ...]
Fold = Callable[[str], str]

# A slash parts names, unless a backslash says that it is in one, as in Moodle's own upload of courses.
_SEPARATOR = re.compile(r"(?<!\\)/")
# A number as spreadsheets show it: +5, -1, 1.0, 2026,00, 1e3, 1 000, 1'000.
_LIKE_A_NUMBER = re.compile(r"[-+\u2212]?(?:\d{1,3}(?:[.,'\u2019\s]\d{3})+|\d+)(?:[.,]\d*)?(?:[eE][-+]?\d+)?")


class CourseCategories:
    """The categories of the site, and those that a chunk makes; one that a row makes is found by the next.

    Shape: folds: "name" and "idnumber" -> what makes texts equal that the server takes for the same; one spelled alike goes
    before it
    """

    def __init__(self, present: Iterable[Category], *, new_visible: bool, folds: Mapping[str, Fold]) -> None:
        self.present = list(present)
        self.new: dict[Names, NewCategory] = {}
        self._new_visible = new_visible
        self._folds = folds
        self._by_id = {category.id: category for category in self.present}
        self._by_idnumber: dict[str, list[Category]] = {}
        # What is in a category, by its id, or its names where it is made: folded name -> categories.
        self._inner: dict[int | Names, dict[str, list[AnyCategory]]] = {}
        # The same of names that hold slashes, whatever blanks are beside these.
        self._with_slashes: dict[int | Names, dict[str, list[AnyCategory]]] = {}
        for category in self.present:
            self._enter(category.parent, category.name, category)
            if category.idnumber:
                self._by_idnumber.setdefault(folds["idnumber"](category.idnumber), []).append(category)

    def default(self) -> AnyCategory:
        """Return the category of courses that name none: the one with the lowest number."""
        if not self._by_id:
            raise RowError("category_none", "category")
        return _sound(self._by_id[min(self._by_id)])

    def by_id(self, categoryid: int) -> Category | None:
        return self._by_id.get(categoryid)

    def by_idnumber(self, text: str) -> AnyCategory:
        alike = self._by_idnumber.get(self._folds["idnumber"](text), [])
        exact = [category for category in alike if category.idnumber == text]
        if not alike:
            raise RowError("category_unknown", "category", category=text, identifier="idnumber")
        return _sound(_only_one(exact[:1] or alike, text))

    def by_id_or_path(self, text: str) -> AnyCategory:
        """Return the category of a number or a path of names, root first. Digits that are both are neither."""
        if not text.isdigit():
            if _LIKE_A_NUMBER.fullmatch(text):
                return self._named_like_a_number(text)
            return self._by_path(text)
        # 007 isn't how a number is written.
        numbered = self._by_id.get(int(text)) if is_id(text) and not text.startswith("0") else None
        named = self._named(0, text)
        if numbered is not None and named is not None and named is not numbered:
            raise RowError("category_digits_ambiguous", "category", category=text, name=numbered.name)
        found = numbered or named
        if found is None:
            raise RowError("category_digits_unknown", "category", category=text)
        return _sound(found)

    def _named_like_a_number(self, text: str) -> AnyCategory:
        """Return the category that is called so; none is made. Raises: RowError"""
        found = self._named(0, text)
        if found is None:
            raise RowError("category_number_unclear", "category", category=text)
        return _sound(found)

    def _by_path(self, path: str) -> AnyCategory:
        parts = _parts_of(path)
        readings = list(self._readings(parts, 0))
        furthest = max((reached for reached, _category, _joined in readings), default=0)
        if not furthest:
            return self._make((), None, _names_of(parts, path))
        best = [reading for reading in readings if reading[0] == furthest]
        # Where the path leads as it stands, it means that; else the names that hold a slash.
        plain = [reading for reading in best if not reading[2]] or best
        found = _only_one([category for _reached, category, _joined in plain], path)
        if furthest == len(parts):
            return _sound(found)
        names = found.names if isinstance(found, NewCategory) else ()
        return self._make(names, _sound(found), _names_of(parts[furthest:], path))

    def _readings(
        self, parts: Sequence[str], start: int, place: int | Names = 0, joined: bool = False
    ) -> Iterator[tuple[int, AnyCategory, bool]]:
        """Return every category that the path leads to, from a place on.

        Shape: (parts that lead there, category, whether a name took up several parts)
        """
        for end in range(start + 1, len(parts) + 1):
            name = "/".join(parts[start:end])
            found = self._named(place, name) if end == start + 1 else self._holding_slashes(place, name)
            if found is not None:
                is_joined = joined or end > start + 1
                yield end, found, is_joined
                yield from self._readings(parts, end, _place_of(found), is_joined)

    def _named(self, place: int | Names, name: str) -> AnyCategory | None:
        """Return the category of a name within another one: the first that is spelled so, else the one that is the same."""
        name = _unescaped(name).strip()
        alike = self._inner.get(place, {}).get(self._folds["name"](name), [])
        exact = [category for category in alike if _name_of(category) == name]
        return _only_one(exact[:1] or alike, name) if alike else None

    def _holding_slashes(self, place: int | Names, name: str) -> AnyCategory | None:
        """Return the category whose name holds slashes, wherever there are blanks beside them."""
        found = self._with_slashes.get(place, {}).get(self._slashed(_unescaped(name)))
        return _only_one(found, name) if found else None

    def _slashed(self, name: str) -> str:
        return self._folds["name"]("/".join(part.strip() for part in name.split("/")))

    def _make(self, above: Names, present: AnyCategory | None, names: Names) -> NewCategory:
        """Make what is missing of a path, below the category that is there."""
        # What is made visible below something hidden is seen once that is.
        visible = int(self._new_visible and (present is None or bool(present.visible)))
        parent: int | Names = _place_of(present) if present else 0
        # Names from the root on tell new categories apart.
        part = above or (self._names_to(present) if isinstance(present, Category) else ())
        for name in names:
            part = (*part, name)
            new = self.new[part] = NewCategory(part, parent, visible, int(self._new_visible))
            self._enter(parent, name, new)
            parent = part
        return self.new[part]

    def _names_to(self, category: Category) -> Names:
        names: list[str] = []
        above: Category | None = category
        while above is not None and len(names) < len(self._by_id):
            names.append(above.name)
            above = self._by_id.get(above.parent)
        return tuple(reversed(names))

    def _enter(self, place: int | Names, name: str, category: AnyCategory) -> None:
        self._inner.setdefault(place, {}).setdefault(self._folds["name"](name), []).append(category)
        if "/" in name:
            self._with_slashes.setdefault(place, {}).setdefault(self._slashed(name), []).append(category)


def _sound(category: AnyCategory) -> AnyCategory:
    if isinstance(category, Category) and category.is_damaged:
        raise RowError("category_without_context", "category", category=category.name)
    return category


def _only_one(found: Sequence[AnyCategory], text: str) -> AnyCategory:
    if len({_place_of(category) for category in found}) > 1:
        raise RowError("category_ambiguous", "category", category=text, count=len(found))
    return found[0]


def _place_of(category: AnyCategory) -> int | Names:
    return category.id if isinstance(category, Category) else category.names


def _name_of(category: AnyCategory) -> str:
    return category.name if isinstance(category, Category) else category.names[-1]


def _unescaped(name: str) -> str:
    return name.replace("\\/", "/")


def _parts_of(path: str) -> list[str]:
    """Return what stands between the slashes that part names; one at either end is left out."""
    parts = _SEPARATOR.split(path.strip())
    if len(parts) > 1 and not parts[0].strip():
        parts = parts[1:]
    if len(parts) > 1 and not parts[-1].strip():
        parts = parts[:-1]
    return parts


def _names_of(parts: Sequence[str], path: str) -> Names:
    names = tuple(_unescaped(part).strip() for part in parts)
    for name in names:
        if not name:
            raise RowError("category_path_gap", "category", path=path)
        if len(name) > MAX_NAME:
            raise RowError("category_name_too_long", "category", name=name[:40] + "…", limit=MAX_NAME)
    return names
