"""What a chunk of a file of categories is planned from, and its plan, with the move of what is in categories."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sync.moodle.categories.categories import Category, NewCategory
from sync.moodle.categories.contents import Bank
from sync.moodle.db.writer import Writer
from sync.moodle.site.contexts import move_context_trees
from sync.processors.base.category_paths import CreateCategories
from sync.processors.base.operations import Applied, Operation
from sync.processors.base.overlay import FoundRows, is_temporary
from sync.processors.base.plan import Plan
from sync.processors.base.sticky import StickyState
from sync.processors.base.totals import Totals
from sync.processors.categories.delete import DeleteCategories

CATEGORY_TABLE, COURSE_TABLE = "course_categories", "course"
# As many categories as Moodle counts on. Source: MAX_COURSE_CATEGORIES of course/lib.php
_MOST_CATEGORIES = 10_000
_LARGEST_ORDER = 2**31 - 1


@dataclass(frozen=True)
class CategoriesState:
    """Everything read for one chunk.

    Shape: categories: all, with `contextid` and `path` of their contexts; courses: all, where rows may move or hide some, else
    none; banks: what categories keep themselves, where rows delete some; unknown_tables: of the site, that may name categories;
    system_path: of the site's context; sticky: what rows leave as it is
    Units: now: seconds since epoch
    """

    now: int
    categories: FoundRows
    courses: FoundRows
    courses_per_category: int
    system_path: str
    banks: Mapping[int, Bank] = field(default_factory=dict)
    unknown_tables: Sequence[str] = ()
    sticky: StickyState = field(default_factory=StickyState)


def last_place(state: CategoriesState, line: int) -> int:
    """Return the sort order of a category that comes last where it is, after those of earlier lines, until all are numbered."""
    return min(state.courses_per_category * _MOST_CATEGORIES + line, _LARGEST_ORDER)


class CourseMove(NamedTuple):
    """A course that changes its category. Shape: path: of the context of the course; category: id, of one that stays"""

    path: str
    category: int


@dataclass(frozen=True)
class MoveBranches(Operation):
    """Move the contexts of categories and courses to those that hold them now. The rows are updated by what follows.

    Expects: contexts as `tree` and `courses` have them.
    Shape: tree: every category that stays, by id, with the parent that it has now and the context path of before; moved: ids of
    those with another parent -> lines; leaving: context paths of categories that are deleted; courses: id -> move; course_lines:
    the lines that move courses; system_path: of the site's context
    """

    tree: Mapping[int, Category] = field(default_factory=dict)
    moved: Mapping[int, Collection[int]] = field(default_factory=dict)
    leaving: Sequence[str] = ()
    courses: Mapping[int, CourseMove] = field(default_factory=dict)
    course_lines: Collection[int] = ()
    system_path: str = ""

    def __bool__(self) -> bool:
        return bool(self.moved or self.courses)

    @property
    def lines(self) -> Collection[int]:
        return {line for lines in self.moved.values() for line in lines} | {*self.course_lines}

    def totals(self) -> Totals:
        # The rows are counted where they are written.
        return Totals()

    def apply(self, writer: Writer, applied: Applied) -> None:
        """Mirrors: core_course_category::change_parent_raw(), move_courses(), context::update_moved()"""
        tree = {**self.tree, **{key: made._replace(parent=self.tree[key].parent) for key, made in self._made(applied)}}
        new = self._new_paths(tree)
        paths = {tree[key].path: path for key, path in new.items()}
        for move in self.courses.values():
            above = new.get(move.category, tree[move.category].path)
            paths[move.path] = f"{above}/{move.path.rpartition('/')[2]}"
        # What is deleted stays where it is, and so does what isn't moved out of it.
        move_context_trees(writer, {**paths, **{path: path for path in self.leaving}})
        applied.dirty_contexts.update(path for old, path in paths.items() if path != old)

    def _made(self, applied: Applied) -> Sequence[tuple[int, Category]]:
        return [(key, applied.categories[key]) for key in self.tree if is_temporary(key)]

    def _new_paths(self, tree: Mapping[int, Category]) -> dict[int, str]:
        """Return the paths of the categories that have moved, and of all below them."""
        inner: dict[int, list[int]] = {}
        for key, category in tree.items():
            inner.setdefault(category.parent, []).append(key)
        new: dict[int, str] = {}
        waiting = [key for key in self.moved if not self._is_below_moved(key, tree)]
        while waiting:
            key = waiting.pop()
            parent = tree[key].parent
            above = (new.get(parent) or tree[parent].path) if parent else self.system_path
            new[key] = f"{above}/{tree[key].path.rpartition('/')[2]}"
            waiting += [child for child in inner.get(key, ()) if child not in new]
        return new

    def _is_below_moved(self, key: int, tree: Mapping[int, Category]) -> bool:
        seen = {key}
        while (key := tree[key].parent) in tree and key not in seen:
            if key in self.moved:
                return True
            seen.add(key)
        return False


class CategoriesPlan(Plan):
    """Everything that a chunk of a file of categories does.

    Shape: present: the categories that are there, where others are made; made: to be made, parents first -> lines; deleted: by
    the line that asks for it; changes_order: the order of the site's courses has to be seen to at the end
    """

    def __init__(self, now: int = 0) -> None:
        super().__init__(now)
        self.present: Sequence[Category] = ()
        self.made: dict[NewCategory, Collection[int]] = {}
        self.branches = MoveBranches()
        self.deleted: dict[int, Category] = {}

    def operations(self) -> list[Operation]:
        return [
            CreateCategories(self.made, self.present),
            # Its dirty contexts are flagged with the rows.
            self.branches,
            self.row_writes,
            DeleteCategories(self.deleted),
        ]

    @property
    def changes_order(self) -> bool:
        return bool(self.made or self.branches or self.deleted)
