"""Categories that rows of a file of categories delete, and where their content goes."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sync.moodle.categories.categories import Category
from sync.moodle.categories.contents import Bank
from sync.processors.base.errors import RowError
from sync.processors.base.overlay import ChangedRows, is_temporary
from sync.processors.base.processor import SplitChunk
from sync.processors.categories.plan import CategoriesPlan, CategoriesState, CourseMove, last_place
from sync.processors.categories.visibility import Visibility
from sync.values import Action, Note, Outcome


class CategoryRemoval:
    """Takes categories away; a category with something in it only where a row says where that goes.

    Mirrors: core_course_category::delete_move(), delete_full() of an empty one. Leaves out: categories with questions or content
    of their own are rejected, as these would have to be moved or be lost
    """

    def __init__(
        self,
        state: CategoriesState,
        plan: CategoriesPlan,
        categories: ChangedRows,
        courses: ChangedRows,
        visibility: Visibility,
    ) -> None:
        self._state = state
        self._plan = plan
        self._categories = categories
        self._courses = courses
        self._visibility = visibility
        self._moved: dict[int, list[int]] = {}

    def plan(self, line: int, key: int, target: int | None, *, is_made_here: bool) -> Outcome:
        """Delete a category. Shape: target: of its content. Raises: RowError, SplitChunk"""
        category = Category.of(self._categories[key])
        if is_made_here or self._has_moved(key):
            raise SplitChunk(line)
        courses, inner = self._courses.find(category=key), self._categories.find(parent=key)
        self._check(category, target, courses, inner)
        if target is not None:
            self._move_courses(courses, target, line)
            self._move_categories(inner, target, line)
        self._categories.foresee(key, None, line)
        self._plan.deleted[line] = category
        params = {"courses": len(courses), "categories": len(inner)}
        notes: tuple[Note, ...] = ()
        if target is not None and (courses or inner):
            notes = (Note("category_content_moved", {**params, "target": self._categories[target]["name"]}),)
        return Outcome(line, Action.DELETED, "category_deleted", {"name": category.name}, notes=notes)

    def course_moves(self) -> tuple[Mapping[int, CourseMove], Collection[int]]:
        """Return the courses that have moved by now, and the lines that ask for it."""
        moves = {
            courseid: CourseMove(self._courses[courseid]["path"], self._courses[courseid]["category"])
            for courseid in self._moved
            if self._courses[courseid]["path"]
        }
        return moves, {line for lines in self._moved.values() for line in lines}

    def _check(self, category: Category, target: int | None, courses: Collection[int], inner: Collection[int]) -> None:
        """Raises: RowError where a category has to stay"""
        name = category.name
        if category.is_damaged:
            raise RowError("category_without_context", "category", category=name)
        if self._state.unknown_tables:
            raise RowError("moodle_tables_unknown", tables=", ".join(self._state.unknown_tables))
        if target is None and (courses or inner):
            raise RowError(
                "category_holds_content", "contentto", category=name, courses=len(courses), categories=len(inner)
            )
        if target is not None:
            self._check_target(category, target)
        bank = self._state.banks.get(category.id, Bank())
        if any(bank):
            raise RowError("category_holds_bank", "category", category=name, **bank._asdict())
        if all(other == category.id for other in self._categories):
            raise RowError("category_last", "category", category=name)

    def _check_target(self, category: Category, target: int) -> None:
        """Raises: RowError for a target that goes as well, or that holds nothing yet"""
        above, seen = target, set[int]()
        while above in self._categories and above not in seen:
            if above == category.id:
                raise RowError("category_content_inside", "contentto", category=category.name)
            seen.add(above)
            above = self._categories[above]["parent"]
        row = self._categories[target]
        if not is_temporary(target) and not row["path"]:
            raise RowError("category_without_context", "contentto", category=row["name"])

    def _move_courses(self, courses: Collection[int], target: int, line: int) -> None:
        """Mirrors: move_courses(); the courses keep their order"""
        place = self._categories[target]
        first = place["sortorder"] + self._state.courses_per_category - len(courses)
        ordered = sorted(courses, key=lambda courseid: (self._courses[courseid].get("sortorder") or 0, courseid))
        for number, courseid in enumerate(ordered):
            values = {"category": target, "sortorder": first + number, "timemodified": self._state.now}
            if not place["visible"]:
                values["visible"] = 0
            self._courses.update(courseid, values, line)
            self._moved.setdefault(courseid, []).append(line)

    def _move_categories(self, inner: Collection[int], target: int, line: int) -> None:
        for key in inner:
            self._categories.update(key, {"parent": target, "sortorder": last_place(self._state, line)}, line)
            if self._categories[key]["visible"] and not self._visibility.is_seen(target):
                self._visibility.hide(key, line, visibleold=1)

    def _has_moved(self, key: int) -> bool:
        """Tell whether a category, or one above it, is moved by earlier rows of the chunk."""
        seen: set[int] = set()
        while key in self._categories and key not in seen:
            found = self._categories.found(key)
            if found is None or found["parent"] != self._categories[key]["parent"]:
                return found is not None
            seen.add(key)
            key = found["parent"]
        return False
