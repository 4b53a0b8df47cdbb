"""`categories_delete`: delete categories that hold nothing. The page of empty categories makes its files."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from sync.columns.cells import Cells
from sync.columns.clean import integer, text
from sync.columns.column import OptionalColumn, RequiredColumn
from sync.columns.general_options import GeneralOptions
from sync.columns.words import folded
from sync.moodle.categories.categories import Category, CategoryContents, fetch_categories, fetch_category_contents
from sync.moodle.categories.deletion import delete_empty_categories, unknown_question_types
from sync.moodle.course_content.graph.graph import load_graph
from sync.moodle.course_content.graph.live_tables import fetch_unknown_tables
from sync.moodle.courses.order import Misplaced
from sync.moodle.db.writer import Writer
from sync.processors.base.after_commit import AfterCommit
from sync.processors.base.context import Collected
from sync.processors.base.operations import Applied, FixCourseOrder, Operation, Touched
from sync.processors.base.overlay import is_temporary
from sync.processors.base.plan import Plan
from sync.processors.base.processor import Processor
from sync.processors.base.totals import DELETED, ChangedIds, Totals, total
from sync.values import Action, Outcome


class CategoryState:
    """What the site holds.

    Shape: categories: by id; unknown_plugins: of those that the rows name, by id; unknown_tables: of the site
    """

    def __init__(
        self,
        categories: Sequence[Category],
        contents: CategoryContents,
        unknown_plugins: dict[int, list[str]],
        unknown_tables: Sequence[str] = (),
    ) -> None:
        self.now = int(time.time())
        self.categories = {category.id: category for category in categories}
        self.contents = contents
        self.unknown_plugins = unknown_plugins
        self.unknown_tables = unknown_tables

    def names_of(self, category: Category) -> list[str]:
        """Return the names that lead to a category, root first."""
        names = {category.id: category.name}
        above = self.categories.get(category.parent)
        # A damaged tree may go round in circles.
        while above is not None and above.id not in names:
            names[above.id] = above.name
            above = self.categories.get(above.parent)
        return [*reversed(names.values())]

    def is_called(self, category: Category, path: str) -> bool:
        """Tell whether a path is that of a category, or the end of it."""
        names = self.names_of(category)
        return _folded(path) in {_folded("/".join(names[place:])) for place in range(len(names))}


def _folded(path: str) -> str:
    """Return the same for paths that people would take for the same."""
    parts = (" ".join(part.split()) for part in folded(path.replace("\\/", "/")).split("/"))
    return "/".join(filter(None, parts))


@dataclass(frozen=True)
class DeleteCategories(Operation):
    """Delete categories that hold nothing. Expects: the categories, without courses and others in them.

    Shape: categories: by the line that asks for it, inner ones first
    """

    categories: Mapping[int, Category]

    def __bool__(self) -> bool:
        return bool(self.categories)

    @property
    def lines(self) -> Collection[int]:
        return self.categories.keys()

    def apply(self, writer: Writer, applied: Applied) -> None:
        applied.files += delete_empty_categories(writer, load_graph(), [*self.categories.values()], now=applied.now)

    def totals(self) -> Totals:
        return total("categories", DELETED, len(self.categories))

    def changed_ids(self) -> ChangedIds:
        return {f"categories.{DELETED}": [category.id for category in self.categories.values()]}

    def touched(self) -> Iterator[Touched]:
        return (
            Touched(line, "course_categories", str(category.id))
            for line, category in self.categories.items()
            if not is_temporary(category.id)
        )


class CategoriesDeletePlan(Plan):
    """Shape: categories: line -> one that goes, inner ones first; gone: ids -> the line that deletes each, in earlier chunks
    too; fixes_order: bring the others in order, or only these places.
    """

    def __init__(
        self,
        now: int,
        gone: dict[int, int],
        *,
        fixes_order: bool = False,
        places: Sequence[Misplaced] | None = None,
    ) -> None:
        super().__init__(now)
        self.categories: dict[int, Category] = {}
        self.gone = gone
        self.fixes_order = fixes_order
        self.places = places

    def operations(self) -> list[Operation]:
        return [DeleteCategories(self.categories), FixCourseOrder(self.fixes_order, self.places)]


@dataclass
class CategoriesCollected(Collected):
    """Shape: gone: what was deleted so far, ids -> line"""

    gone: dict[int, int] = field(default_factory=dict)


class CategoryCells(Cells):
    """A category that is to go."""

    # fmt: off
    __slots__ = ()

    categoryid = RequiredColumn(integer(least=1), refers=True, sample="2",
                                help=_("The number of the category. Inner categories come before those that hold them."))
    path = OptionalColumn(text(None), sample="Former courses",
                          help=_("The names of the category, or the last of them. Where they are another one's, the row is "
                                 "rejected."))


class CategoriesDelete(Processor[CategoryCells, CategoryState, CategoriesDeletePlan]):
    """Delete empty categories, in file order: inner ones before those that hold them. Spec: courses.md section 6."""

    key = "categories_delete"
    label = _("Categories: delete empty ones")
    summary = _(
        "Delete the categories of a list that hold no course and no other category. The others are left as they are."
    )
    default_filename = "emptycategories.csv"
    after = ("courses_delete", "courses")
    options = GeneralOptions

    collected_type = CategoriesCollected

    def setup(self, names: Sequence[str]) -> None:
        self.graph = load_graph()
        self.graph.check(self.moodle)
        self.unknown_tables = fetch_unknown_tables(self.moodle, self.graph)

    def fetch(self, rows: Sequence[CategoryCells]) -> CategoryState:
        categories = fetch_categories(self.moodle)
        wanted = {row.categoryid for row in rows}
        named = [category for category in categories if category.id in wanted]
        unknown = unknown_question_types(self.moodle, self.graph, named)
        return CategoryState(categories, fetch_category_contents(self.moodle), unknown, self.unknown_tables)

    def plan(self, rows: Sequence[CategoryCells], state: CategoryState) -> CategoriesDeletePlan:
        plan = CategoriesDeletePlan(state.now, dict(self.collected.gone))
        plan.outcomes = [self._plan_row(row, plan, state) for row in rows]
        return plan

    def _plan_row(self, row: CategoryCells, plan: CategoriesDeletePlan, state: CategoryState) -> Outcome:
        categoryid = row.categoryid
        if categoryid in plan.gone:
            return _outcome(row, Action.UNCHANGED, "category_deleted_before", line=plan.gone[categoryid])
        category = state.categories.get(categoryid)
        if category is None:
            return _outcome(row, Action.REJECTED, "category_delete_unknown", category=categoryid)
        if row.path and not state.is_called(category, row.path):
            present = " / ".join(state.names_of(category))
            params = {"column": "path", "number": categoryid, "present": present, "given": row.path}
            return _outcome(row, Action.REJECTED, "category_path_differs", **params)
        if refusal := _refusal(category, plan, state):
            code, params = refusal
            return _outcome(row, Action.REJECTED, code, category=category.name, **params)
        plan.categories[row.line] = category
        plan.gone[categoryid] = row.line
        return _outcome(row, Action.DELETED, "category_deleted", name=category.name)

    def owed_after_commit(self, plan: CategoriesDeletePlan, applied: Applied) -> AfterCommit:
        owed = super().owed_after_commit(plan, applied)
        owed.gone = {category.id: line for line, category in plan.categories.items()}
        return owed

    def collect(self, owed: AfterCommit) -> None:
        super().collect(owed)
        self.collected.gone |= {int(key): line for key, line in owed.gone.items()}

    def final_plan(self, places: Sequence[Misplaced] | None = None) -> CategoriesDeletePlan | None:
        if self.sees_to_order:
            return CategoriesDeletePlan(int(time.time()), self.collected.gone, fixes_order=True, places=places)
        return None

    @property
    def sees_to_order(self) -> bool:
        return bool(self.collected.gone)


def _refusal(
    category: Category, plan: CategoriesDeletePlan, state: CategoryState
) -> tuple[str, dict[str, object]] | None:
    """Return code and parameters where a category has to stay."""
    if category.is_damaged:
        return "category_without_context", {}
    if courses := state.contents.courses.get(category.id):
        return "category_has_courses", {"count": courses}
    inner = state.contents.categories.get(category.id, {})
    if left := [name for categoryid, name in inner.items() if categoryid not in plan.gone]:
        return "category_has_categories", {"inner": min(left)}
    if unknown := _unknown(category, state):
        return unknown
    if state.contents.is_last(category.id, plan.gone):
        return "category_last", {}
    return None


def _unknown(category: Category, state: CategoryState) -> tuple[str, dict[str, object]] | None:
    """Return code and parameters where there may be rows that would not go with a category."""
    if state.unknown_tables:
        return "moodle_tables_unknown", {"tables": ", ".join(state.unknown_tables)}
    if plugins := state.unknown_plugins.get(category.id):
        return "category_plugins_unknown", {"plugins": ", ".join(plugins)}
    return None


def _outcome(row: CategoryCells, action: Action, code: str, **params: object) -> Outcome:
    """Return what became of a line; its subject is the category as the line names it."""
    return Outcome(row.line, action, code, params, row.path or str(row.categoryid))
