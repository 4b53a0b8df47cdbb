"""`categories`: make, rename, move, hide, show and delete categories."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from sync.moodle.categories.contents import fetch_banks, fetch_course_places, fetch_described_categories
from sync.moodle.course_content.graph.graph import load_graph
from sync.moodle.course_content.graph.live_tables import fetch_unknown_tables
from sync.moodle.courses.order import Misplaced, courses_per_category
from sync.moodle.db.identifiers import folding
from sync.processors.base.after_commit import AfterCommit
from sync.processors.base.context import Collected
from sync.processors.base.operations import Applied, FixCourseOrder, Operation
from sync.processors.base.overlay import FoundRows, Table
from sync.processors.base.processor import Processor
from sync.processors.base.sticky import in_table
from sync.processors.categories.cells import DELETE, CategoriesOptions, CategoryRow
from sync.processors.categories.export import CategoriesExporter
from sync.processors.categories.plan import CATEGORY_TABLE, COURSE_TABLE, CategoriesPlan, CategoriesState
from sync.processors.categories.planner import CategoriesPlanner

# What is known of a course that another file of the bundle makes.
_NEW_COURSE = {"visible": 1, "visibleold": 1, "sortorder": 0, "timemodified": 0, "contextid": 0, "path": ""}


@dataclass
class CategoriesCollected(Collected):
    """Shape: changes_order: whether the order of the site's courses has to be seen to at the end"""

    changes_order: bool = False


class OrderPlan(CategoriesPlan):
    """Nothing but to see to the order of the site's courses."""

    def __init__(self, now: int, places: Sequence[Misplaced] | None) -> None:
        super().__init__(now)
        self.places = places

    def operations(self) -> list[Operation]:
        return [FixCourseOrder(places=self.places)]


class Categories(Processor[CategoryRow, CategoriesState, CategoriesPlan]):
    """Categories of courses, whole trees of them."""

    key = "categories"
    label = _("Categories")
    summary = _("Make course categories, rename, move, hide and show them, and delete them.")
    default_filename = "categories.csv"
    after = ("courses_delete",)
    options = CategoriesOptions
    exporter = CategoriesExporter
    sticky_columns = in_table(CATEGORY_TABLE, CategoryRow.name, CategoryRow.description)

    collected_type = CategoriesCollected

    def setup(self, names: Sequence[str]) -> None:
        folds = {name: folding(self.moodle, CATEGORY_TABLE, name) for name in ("name", "idnumber")}
        self.categories = Table(CATEGORY_TABLE, folds=folds)
        self.unknown_tables: Sequence[str] = ()
        if CategoryRow.cmd.name in names:
            graph = load_graph()
            graph.check(self.moodle)
            self.unknown_tables = fetch_unknown_tables(self.moodle, graph)

    def fetch(self, rows: Sequence[CategoryRow]) -> CategoriesState:
        categories = {row["id"]: row for row in fetch_described_categories(self.moodle)}
        deletes = any(row.cmd == DELETE for row in rows)
        return CategoriesState(
            now=int(time.time()),
            categories=self.overlay.over(self.categories, categories, everything=True),
            courses=self._fetch_courses(rows),
            courses_per_category=courses_per_category(self.moodle),
            system_path=f"/{self.moodle.system_contextid}",
            banks=fetch_banks(self.moodle) if deletes else {},
            unknown_tables=self.unknown_tables,
            sticky=self.sticky.fetch(self.overlay, {CATEGORY_TABLE: list(categories)}),
        )

    def _fetch_courses(self, rows: Sequence[CategoryRow]) -> FoundRows:
        """Return the courses of the site, where a row may hide, show, move or leave some."""
        table = Table(COURSE_TABLE)
        if not any(row.cmd == DELETE or row.visible is not None or row.parent is not None for row in rows):
            return FoundRows(table)
        courses = {row["id"]: row for row in fetch_course_places(self.moodle)}
        found = self.overlay.over(table, courses, everything=True)
        return FoundRows(
            table, {key: row if key in courses else {**_NEW_COURSE, **row} for key, row in found.rows.items()}
        )

    def plan(self, rows: Sequence[CategoryRow], state: CategoriesState) -> CategoriesPlan:
        return CategoriesPlanner(state, self.option_values).plan_rows(rows)

    def owed_after_commit(self, plan: CategoriesPlan, applied: Applied) -> AfterCommit:
        owed = super().owed_after_commit(plan, applied)
        owed.changes_order = plan.changes_order
        return owed

    def collect(self, owed: AfterCommit) -> None:
        super().collect(owed)
        self.collected.changes_order |= owed.changes_order

    def final_plan(self, places: Sequence[Misplaced] | None = None) -> CategoriesPlan | None:
        """The order of all courses of the site is seen to once, whatever the number of chunks."""
        return OrderPlan(int(time.time()), places) if self.sees_to_order else None

    @property
    def sees_to_order(self) -> bool:
        return self.collected.changes_order
