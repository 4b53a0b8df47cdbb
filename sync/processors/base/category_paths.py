"""Categories that rows name: found by number, idnumber or path of names; a path that leads further may be made."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from sync.columns.cell_texts import is_unseen, may_be_unseen, unseen_shown
from sync.moodle.categories.categories import Category, NewCategory, create_categories
from sync.moodle.db.identifiers import is_id
from sync.moodle.db.writer import Writer
from sync.processors.base.errors import RowError
from sync.processors.base.operations import Applied, Operation
from sync.processors.base.overlay import ChangedRows, is_temporary
from sync.processors.base.totals import CREATED, Totals, total
from sync.values import Note

# Source: Moodle table course_categories, column name
MAX_NAME = 255

# A slash parts names, unless a backslash says that it is in one, as in Moodle's own upload of courses.
_SEPARATOR = re.compile(r"(?<!\\)/")
# A number as spreadsheets show it: +5, -1, 1.0, 2026,00, 1e3, 1 000, 1'000.
_LIKE_A_NUMBER = re.compile(r"[-+\u2212]?(?:\d{1,3}(?:[.,'\u2019\s]\d{3})+|\d+)(?:[.,]\d*)?(?:[eE][-+]?\d+)?")

# What other programs and people put between the names of a path.
_SEPARATOR_OF_OTHERS = re.compile(r"[>»|→\\]|::")

# Its slash parts no names.
_CLOSING_TAG = re.compile(r"(?<!\\)</[A-Za-z][A-Za-z0-9]*\s*>|<[A-Za-z][A-Za-z0-9]*\s*/>")


@dataclass(frozen=True)
class CreateCategories(Operation):
    """Make categories. Expects: those that hold them as `present` has them, and none of their names in these.

    Shape: categories: parents first -> the lines that ask for each; present: those that are there
    """

    categories: Mapping[NewCategory, Collection[int]]
    present: Sequence[Category]

    def __bool__(self) -> bool:
        return bool(self.categories)

    @property
    def lines(self) -> Collection[int]:
        return {*chain(*self.categories.values())}

    def apply(self, writer: Writer, applied: Applied) -> None:
        made = create_categories(writer, [*self.categories], self.present, now=applied.now)
        applied.categories |= made
        applied.ids |= {temporary: category.id for temporary, category in made.items()}

    def totals(self) -> Totals:
        return total("categories", CREATED, len(self.categories))


class CourseCategories:
    """The categories of the site, and those that a chunk makes; one that a row makes is found by the next.

    Shape: rows: of `course_categories`, as they are found and made; one spelled alike goes before one that the server takes for
    the same, and what several are called names none of them; first: the one with the lowest number, 0 = there is none
    """

    def __init__(self, rows: ChangedRows, *, new_visible: bool) -> None:
        self.first = min((key for key in rows if not is_temporary(key)), default=0)
        self._rows = rows
        self._new_visible = new_visible
        # Of names that hold slashes, whatever blanks are beside these: (what holds them, folded name) -> ids.
        self._with_slashes: dict[tuple[int, str], list[int]] = {}
        for key in rows:
            self._enter_slashes(key)

    def default(self) -> Category:
        """Return the category of courses that name none: the one with the lowest number."""
        if not self.first:
            raise RowError("category_none", "category")
        return _sound(self._category(self.first))

    def by_idnumber(self, text: str, column: str = "category") -> Category:
        found = self._rows.find_spelled("idnumber", text)
        if not found:
            raise RowError("category_unknown", column, category=text, identifier="idnumber")
        return _sound(self._only_one(found, text, column))

    def by_id_or_path(self, text: str, line: int) -> Category:
        """Return the category of a number or a path of names, root first. Digits that are both are neither.

        Shape: line: makes what is missing of a path
        """
        if not text.isdigit():
            if _LIKE_A_NUMBER.fullmatch(text):
                return self._named_like_a_number(text)
            return self._by_path(text, line)
        # 007 isn't how a number is written.
        is_numbered = is_id(text) and not text.startswith("0") and int(text) in self._rows
        numbered = self._category(int(text)) if is_numbered else None
        named = self._named(0, text)
        if numbered is not None and named is not None and named.id != numbered.id:
            raise RowError("category_digits_ambiguous", "category", category=text, name=numbered.name)
        found = numbered or named
        if found is None:
            raise RowError("category_digits_unknown", "category", category=text)
        return _sound(found)

    def path_of(self, category: Category) -> str:
        """Return the names that lead to a category, root first."""
        names = {category.id: category.name}
        while category.parent in self._rows and category.parent not in names:
            category = self._category(category.parent)
            names[category.id] = category.name
        return "/".join(reversed(names.values()))

    def made_alike(self, name: str, place: int) -> tuple[Note, ...]:
        """Say that the name of a category which is made may name what is there: by its idnumber, or as a path.

        Shape: place: the category that holds it, 0 = none
        """
        found = [] if place else self._rows.find_spelled("idnumber", name)
        if found:
            return (Note("category_named_like_idnumber", {"category": name, "other": self._category(found[0]).name}),)
        first, *others = (part.strip() for part in _SEPARATOR_OF_OTHERS.split(name))
        if first and others and self._all_named(place, first):
            return (Note("category_named_like_path", {"category": name, "first": first}),)
        return ()

    def made_for(self, wanted: Iterable[tuple[int, Category]]) -> dict[NewCategory, Collection[int]]:
        """Return the categories to be made, parents first; what leads to none that is wanted isn't there for later chunks.

        Shape: wanted: line, category; category to be made -> the lines that want it, or one in it
        """
        needed: dict[int, list[int]] = {}
        for line, category in wanted:
            categoryid = category.id
            while categoryid in self._rows.changed():
                needed.setdefault(categoryid, []).append(line)
                categoryid = self._rows[categoryid]["parent"]
        made = [self._category(key) for key in self._rows.changed()]
        for category in made:
            if category.id not in needed:
                self._rows.remove(category.id, self._rows.lines_of(category.id)[0])
        return {
            NewCategory(category.id, category.parent, category.name, category.visible, int(self._new_visible)): needed[
                category.id
            ]
            for category in made
            if category.id in needed
        }

    def _category(self, categoryid: int) -> Category:
        return Category.of(self._rows[categoryid])

    def _named_like_a_number(self, text: str) -> Category:
        """Return the category that is called so; none is made. Raises: RowError"""
        found = self._named(0, text)
        if found is None:
            raise RowError("category_number_unclear", "category", category=text)
        return _sound(found)

    def reached(self, path: str) -> tuple[Category | None, tuple[str, ...]]:
        """Return the category to which a path of names leads as far as it is there, and the names that are missing."""
        parts = _parts_of(path)
        readings = list(self._readings(parts, 0))
        furthest = max((reached for reached, _category, _joined in readings), default=0)
        if not furthest:
            return None, _names_of(parts, path)
        best = [reading for reading in readings if reading[0] == furthest]
        # Where the path leads as it stands, it means that; else the names that hold a slash.
        plain = [reading for reading in best if not reading[2]] or best
        found = _sound(self._only_one([category.id for _reached, category, _joined in plain], path))
        return found, () if furthest == len(parts) else _names_of(parts[furthest:], path)

    def enter(self, categoryid: int) -> None:
        """Note that a category is called otherwise now, or stands elsewhere."""
        self._enter_slashes(categoryid)

    def _by_path(self, path: str, line: int) -> Category:
        found, missing = self.reached(path)
        if found is not None and not missing:
            return found
        if (numbered := self._by_path_of_numbers(path)) is not None:
            raise RowError(
                "category_path_of_numbers", "category", path=path, name=self.path_of(numbered), number=numbered.id
            )
        return self._make(found, missing, line)

    def _by_path_of_numbers(self, path: str) -> Category | None:
        """Return the category to which a path of numbers leads, as Moodle's tables hold it: /1/20."""
        parts = [part.strip() for part in _parts_of(path)]
        if len(parts) == 1 or not all(is_id(part) and not part.startswith("0") for part in parts):
            return None
        place = 0
        for part in parts:
            row = self._rows.get(int(part))
            if row is None or row["parent"] != place:
                return None
            place = int(part)
        return self._category(place)

    def _readings(
        self, parts: Sequence[str], start: int, place: int = 0, joined: bool = False
    ) -> Iterator[tuple[int, Category, bool]]:
        """Return every category that the path leads to, from a place on.

        Shape: (parts that lead there, category, whether a name took up several parts)
        """
        for end in range(start + 1, len(parts) + 1):
            name = "/".join(parts[start:end])
            found = self._all_named(place, name) if end == start + 1 else self._holding_slashes(place, name)
            is_joined = joined or end > start + 1
            for key in found:
                yield end, self._category(key), is_joined
                yield from self._readings(parts, end, key, is_joined)

    def _named(self, place: int, name: str) -> Category | None:
        """Return the category of a name within another one. Raises: RowError where several are called so"""
        found = self._all_named(place, name)
        return self._only_one(found, name) if found else None

    def _all_named(self, place: int, name: str) -> list[int]:
        """Return the categories of a name within another one: those that are spelled so, else those that are the same."""
        return self._rows.find_spelled("name", _unescaped(name).strip(), parent=place)

    def _holding_slashes(self, place: int, name: str) -> list[int]:
        """Return the categories whose name holds slashes, wherever there are blanks beside them."""
        slashed = self._slashed(_unescaped(name))
        found = (key for key in self._with_slashes.get((place, slashed), ()) if self._is_at(key, place, slashed))
        return [*dict.fromkeys(found)]

    def _is_at(self, categoryid: int, place: int, slashed: str) -> bool:
        """Tell whether a category is still there, and still called so."""
        row = self._rows.get(categoryid)
        return row is not None and row["parent"] == place and self._slashed(row["name"]) == slashed

    def _slashed(self, name: str) -> str:
        folded: str = self._rows.table.folded("name", "/".join(part.strip() for part in name.split("/")))
        return folded

    def _make(self, category: Category | None, names: Sequence[str], line: int) -> Category:
        """Make what is missing of a path, below the category that is there."""
        # What is made visible below something hidden is seen once that is.
        visible = int(self._new_visible and (category is None or bool(category.visible)))
        for name in names:
            new = Category(0, category.id if category else 0, name, "", visible, 0, 0, "")
            category = self._category(self._rows.insert(new._asdict(), line))
            self._enter_slashes(category.id)
        assert category is not None  # noqa: S101
        return category

    def _enter_slashes(self, categoryid: int) -> None:
        row = self._rows[categoryid]
        if "/" in row["name"]:
            self._with_slashes.setdefault((row["parent"], self._slashed(row["name"])), []).append(categoryid)

    def _only_one(self, found: Sequence[int], text: str, column: str = "category") -> Category:
        if len({*found}) > 1:
            raise RowError("category_ambiguous", column, category=text, count=len({*found}))
        return self._category(found[0])


def _sound(category: Category) -> Category:
    if category.is_damaged:
        raise RowError("category_without_context", "category", category=category.name)
    return category


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


def _names_of(parts: Sequence[str], path: str) -> tuple[str, ...]:
    names = tuple(_unescaped(part).strip() for part in parts)
    if _CLOSING_TAG.search(path):
        raise RowError("category_path_markup", "category", path=path)
    for name in names:
        if not name:
            raise RowError("category_path_gap", "category", path=path)
        if may_be_unseen(name) and is_unseen(name):
            raise RowError("cell_unseen", "category", value=unseen_shown(name))
        if len(name) > MAX_NAME:
            raise RowError("category_name_too_long", "category", name=name[:40] + "…", limit=MAX_NAME)
    return names
