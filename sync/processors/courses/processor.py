"""`courses`: create and update courses, with categories, sections, enrolment methods and teachers."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from django.utils.translation import gettext_lazy as _

from sync.columns.rows import ReadCells
from sync.errors import MoodleRefused
from sync.moodle.categories.categories import fetch_categories
from sync.moodle.course_content.delete.delete import unknown_plugins
from sync.moodle.course_content.graph.graph import load_graph
from sync.moodle.course_content.graph.live_tables import fetch_unknown_tables
from sync.moodle.course_content.restore.inventory import Inventory, fetch_inventories
from sync.moodle.courses.courses import fetch_course_weights, fetch_courses
from sync.moodle.courses.defaults import CourseDefaults
from sync.moodle.courses.order import Misplaced, courses_per_category
from sync.moodle.courses.rows import (
    CourseField,
    CourseRow,
    fetch_course_fields,
    fetch_course_rows,
    fetch_field_data,
    fetch_format_options,
    fetch_people,
    fetch_rows_of_field_values,
    fetch_sections,
)
from sync.moodle.db.identifiers import Fold, folding
from sync.moodle.enrolments.roles import fetch_roles
from sync.moodle.users.users import SiteRules
from sync.processors.base.after_commit import AfterCommit
from sync.processors.base.closing import FileEnd
from sync.processors.base.course_fields import FIELD_TABLE, TEXT_KINDS, field_data_table, field_extras
from sync.processors.base.errors import RowError
from sync.processors.base.grace import GraceList
from sync.processors.base.operations import Applied, FixCourseOrder, Operation
from sync.processors.base.overlay import ChangedRows, FoundRows, is_temporary
from sync.processors.base.plan import Plan
from sync.processors.base.processor import Processor, SplitChunk
from sync.processors.base.row_counts import lines_set_again
from sync.processors.base.sticky import Place, StickyColumn, StickyState, in_table
from sync.processors.courses.absent import AbsentCourses
from sync.processors.courses.archives import MOST_BACKUPS, BackupCache, BackupsCollected, without_backup
from sync.processors.courses.cell_reader import PLAIN_COLUMNS
from sync.processors.courses.cells import CourseCells
from sync.processors.courses.cli_restore import run_cli_restore
from sync.processors.courses.export import CoursesExporter
from sync.processors.courses.named_courses import CourseSurvey, courses_named
from sync.processors.courses.options import IGNORE, MOODLE, REPLACE, CoursesOptions
from sync.processors.courses.plan import CoursesPlan
from sync.processors.courses.planner import COURSE_IDENTIFIERS, CoursesPlanner
from sync.processors.courses.state import COURSE_TABLE, CoursesState
from sync.processors.courses.tables import (
    category_table,
    kept_cells,
    kept_content,
    wanted_values,
)
from sync.processors.courses.templates import Template, fetch_templates, is_archive
from sync.processors.memberships.fetch import fetch_memberships
from sync.processors.memberships.named import courses_table
from sync.processors.memberships.state import MembershipState, roles_by_shortname
from sync.values import Note, Outcome


@dataclass
class CoursesCollected(BackupsCollected):
    """Shape: changes_order: whether the order of the site's courses has to be seen to at the end"""

    changes_order: bool = False


class Courses(Processor[CourseCells, CoursesState, CoursesPlan]):
    """Create and update courses. Spec: courses.md section 1."""

    key = "courses"
    label = _("Courses: create and update")
    summary = _("Create and update courses with categories, sections, self enrolment, guest access and teachers.")
    default_filename = "uploadcourses.csv"
    # Courses are deleted before others are made, which may take over their names.
    after = ("users", "courses_reset", "courses_check", "courses_delete", "categories")
    file_survey = CourseSurvey
    options = CoursesOptions
    exporter = CoursesExporter
    sticky_columns = (
        *in_table(COURSE_TABLE, *(column for column in PLAIN_COLUMNS if column not in COURSE_IDENTIFIERS)),
        StickyColumn(CourseCells.category, (Place(COURSE_TABLE, "category"),)),
        StickyColumn(CourseCells.category_idnumber, (Place(COURSE_TABLE, "category"),)),
        StickyColumn(CourseCells.custom_fields, (Place(FIELD_TABLE, "value"),)),
    )

    collected_type = CoursesCollected

    def setup(self, names: Sequence[str]) -> None:
        # Before anything is read: it is closed whatever happens.
        self.backups: BackupCache | None = None
        self.names = frozenset(names)
        self.rules = SiteRules(self.moodle)
        self.defaults = CourseDefaults(self.moodle)
        self.defaults.read_news_texts()
        self.roles = roles_by_shortname(fetch_roles(self.moodle))
        self.fields = self._match_fields()
        self.text_fields = frozenset(name for name, custom in self.fields.items() if custom.kind in TEXT_KINDS)
        self.graph = load_graph()
        self.courses = courses_table(self.moodle)
        self.categories = category_table(self._folds("course_categories", "name", "idnumber"))
        has_unique = any(custom.is_unique for custom in self.fields.values())
        self.field_data = field_data_table(self._folds("customfield_data", "value") if has_unique else {})
        self.fills = (
            CourseCells.template.name in self.names
            and self.option_values.forceupdate
            and self.option_values.templatemode != IGNORE
        )
        if CourseCells.template.name in self.names:
            self.graph.check(self.moodle)
            self.unknown_tables = fetch_unknown_tables(self.moodle, self.graph)
            self.backups = BackupCache(
                self.moodle, self.graph, self.context.file_area, self.collected,
                leave_out=self.option_values.leaveoutunknown, with_inventory=self.fills,
                for_moodle=self.option_values.restorewith == MOODLE,
            )  # fmt: skip
        self.grace = GraceList.read(COURSE_TABLE, self.context.grace, self.collected.grace)
        self.absent = AbsentCourses(self.context, self.option_values, self.courses, self.categories, self.grace)
        self.identifier = self.option_values.courseidentifier
        if self.identifier not in self.names:
            self.file_notes.append(Note("identity_taken_from", {"wanted": self.identifier, "used": "shortname"}))
            self.identifier = "shortname"
        if CourseCells.id.name in self.names and self.identifier != "id":
            self.file_notes.append(Note("columns_ignored", {"columns": "id"}))

    def _plan_restored(self, row: CourseCells, courseid: int) -> CoursesPlan:
        """Plan what the cells of a row change in the course that Moodle has made of a backup."""
        found = fetch_course_rows(self.moodle, {"id": {str(courseid)}})["id"].get(str(courseid))
        if not found:
            raise MoodleRefused("course_handover_lost", courseid=courseid)
        options = self.option_values.replaced({
            CoursesOptions.protectcategory: False, CoursesOptions.templatemode: IGNORE,
        })  # fmt: skip
        state = self._fetch([row], FoundRows(self.courses), {}, [courseid])
        # The course is new, whoever has made it.
        planner = CoursesPlanner(replace(state, sticky=StickyState()), options, self.names)
        try:
            return planner.plan_restored(row, found[0])
        except RowError as error:
            raise MoodleRefused(error.code, **error.params) from error

    def fetch(self, rows: Sequence[CourseCells]) -> CoursesState:
        texts = {
            column.name: {str(value) for row in rows if (value := column.of(row))}
            for column in COURSE_IDENTIFIERS
            if column.name in self.names
        }
        templates = self._template_texts(rows)
        texts["shortname"] |= templates
        read = fetch_course_rows(self.moodle, texts)
        courses = self.overlay.over(
            self.courses,
            {row["id"]: row for by_text in read.values() for found in by_text.values() for row in found},
            {(name,): texts[name] for name in texts if name != "id"},
        )
        named = Plan().change(courses)
        return self._fetch(
            rows,
            courses,
            {text: courses_named(named, "shortname", text) for text in templates},
            self._courses_to_update(named, texts.get(self.identifier, ())),
        )

    def _fetch(
        self,
        rows: Sequence[CourseCells],
        courses: FoundRows,
        templates: Mapping[str, Sequence[CourseRow]],
        courseids: Sequence[int],
    ) -> CoursesState:
        """Read what rows need.

        Shape: courses: those that they name; templates: cell -> courses; courseids: those that they may change
        """
        content = kept_content(self.overlay, courses.rows)
        categories = {category.id: category._asdict() for category in fetch_categories(self.moodle)}
        field_data = self._fetch_field_data(rows, courses, courseids)
        people = fetch_people(self.moodle, self._teacher_texts(rows), self.rules.mnethostid)
        has_topics = bool(CourseCells.topics.numbers(self.names))
        return CoursesState(
            now=int(time.time()),
            identifier=self.identifier,
            rules=self.rules,
            defaults=self.defaults,
            categories=self.overlay.over(self.categories, categories, everything=True),
            courses=courses,
            field_data=field_data,
            earlier_cells=kept_cells(self.overlay, courses.rows),
            roles=self.roles,
            fields=self.fields,
            dates=self.survey.dates,
            people=people,
            groupings=self._fetch_groupings(courseids),
            sections=fetch_sections(self.moodle, courseids)
            if has_topics or CourseCells.startdate.name in self.names
            else {},
            options=fetch_format_options(self.moodle, courseids, ("coursedisplay", "automaticenddate")),
            extras=field_extras(self.moodle),
            memberships=self._fetch_memberships(courseids, {userid for ids in people.values() for userid in ids}),
            courses_per_category=courses_per_category(self.moodle),
            grace=self.grace,
            sticky=self.sticky.fetch(
                self.overlay, {COURSE_TABLE: list(courses.rows), FIELD_TABLE: [row["id"] for row in field_data]}
            ),
            templates=self._fetch_templates(templates, content),
            **self._fetch_to_fill(courseids, content),
        )

    def plan(self, rows: Sequence[CourseCells], state: CoursesState) -> CoursesPlan:
        plan = CoursesPlanner(state, self.option_values, self.names).plan_rows(rows)
        cells = ((row.line, row.shortname, "") for row in rows)
        again = lines_set_again(self.survey.found, plan.outcomes, CourseCells.shortname.name, cells)
        plan.counted = {"set_again_in_rows": again}
        return plan

    def count_outcomes(self, outcomes: Sequence[Outcome]) -> Mapping[str, Iterable[int]]:
        return {"courses_left_as_they_are": [each.line for each in outcomes if each.code == "course_exists"]}

    def prepare(self, plan: CoursesPlan) -> None:
        if self.backups is None:
            return
        if (restore := plan.by_moodle) is not None:
            courseid = run_cli_restore(self.context.moodle_command, self.backups, restore)
            changes = self._plan_restored(restore.cells, courseid).operations()
            plan.by_moodle = replace(restore, changes=changes)
        else:
            self.backups.store_contents(plan.templates)

    def owed_after_commit(self, plan: CoursesPlan, applied: Applied) -> AfterCommit:
        owed = super().owed_after_commit(plan, applied)
        owed.changes_order = plan.changes_order
        return owed

    def collect(self, owed: AfterCommit) -> None:
        super().collect(owed)
        if owed.changes_order:
            self.collected.changes_order = True

    def check(self) -> None:
        self.absent.check()

    def note_named(self, rows: Sequence[CourseCells], rejected: Sequence[ReadCells]) -> None:
        self.absent.note_named(rows, rejected, self.identifier)

    def next_closing_plan(self, end: FileEnd) -> CoursesPlan:
        return self.absent.next_plan(end, int(time.time()))

    def final_plan(self, places: Sequence[Misplaced] | None = None) -> CoursesPlan | None:
        """The order of all courses of the site is seen to once, whatever the number of chunks."""
        return OrderPlan(int(time.time()), places) if self.sees_to_order else None

    @property
    def sees_to_order(self) -> bool:
        return self.collected.changes_order

    def final_notes(self) -> list[Note]:
        absent = self.absent.notes() if self.is_complete else []
        return [*super().final_notes(), *self.collected.backup_notes, *absent]

    def close(self) -> None:
        if self.backups is not None:
            self.backups.close()

    def _template_texts(self, rows: Sequence[CourseCells]) -> set[str]:
        """Return what rows name as templates. Raises: SplitChunk where that would be too many backups at a time"""
        texts: set[str] = set()
        backups: set[str] = set()
        for row in rows:
            if text := row.template:
                texts.add(text)
                if is_archive(text) or self.option_values.templatesource == "backup":
                    backups.add(text)
                if len(backups) > MOST_BACKUPS:
                    raise SplitChunk(row.line)
        return texts

    def _fetch_templates(
        self, named: Mapping[str, Sequence[CourseRow]], content: Mapping[int, Inventory]
    ) -> dict[str, Template]:
        if self.backups is None or not named:
            return {}
        templates = self._find_templates(self.backups, named, content)
        if not self.unknown_tables:
            return templates
        refusal = ("moodle_tables_unknown", {"tables": ", ".join(self.unknown_tables)})
        # What Moodle itself restores is its own affair.
        return {
            text: template if template.refusal or template.is_for_moodle else replace(template, refusal=refusal)
            for text, template in templates.items()
        }

    def _find_templates(
        self, cache: BackupCache, named: Mapping[str, Sequence[CourseRow]], content: Mapping[int, Inventory]
    ) -> dict[str, Template]:
        backups = {text for text in named if is_archive(text)}
        courses = named.keys() - backups
        if self.option_values.templatesource == "course":
            live = fetch_templates(self.moodle, self.graph, courses, named, with_inventory=self.fills)
            for text, template in live.items():
                live[text] = replace(template, inventory=content.get(template.courseid, template.inventory))
            return {**live, **cache.fetch(backups, {})}
        # Of courses that aren't in Moodle yet there is no backup.
        present = {text: named[text][0] for text in courses if named[text] and not is_temporary(named[text][0]["id"])}
        return {**without_backup(present), **cache.fetch(backups, present)}

    def _fetch_to_fill(self, courseids: Sequence[int], content: Mapping[int, Inventory]) -> dict[str, Any]:
        """Look at the courses that templates may come into. Shape: content: that earlier rows bring into them"""
        if not self.fills:
            return {}
        inventories = {**fetch_inventories(self.moodle, self.graph, courseids), **content}
        if self.option_values.templatemode != REPLACE or not courseids:
            return {"inventories": inventories}
        courses = [course for (course,) in fetch_courses(self.moodle, "id", list(map(str, courseids))).values()]
        return {
            "inventories": inventories,
            "unknown": unknown_plugins(self.moodle, self.graph, courses),
            "weights": fetch_course_weights(self.moodle, courseids),
        }

    def _teacher_texts(self, rows: Sequence[CourseCells]) -> set[str]:
        return {text for row in rows for text in row.teachers.values()}

    def _courses_to_update(self, courses: ChangedRows, texts: Collection[str]) -> list[int]:
        if not self.option_values.forceupdate:
            return []
        found = {row["id"] for text in texts for row in courses_named(courses, self.identifier, text)}
        return sorted(courseid for courseid in found if not is_temporary(courseid))

    def _fetch_groupings(self, courseids: Sequence[int]) -> dict[int, frozenset[int]]:
        if CourseCells.defaultgroupingid.name not in self.names or not courseids:
            return {}
        table = self.moodle.table("groupings")
        found: dict[int, set[int]] = {}
        for groupingid, courseid in self.moodle.fetch(
            sa.select(table.c.id, table.c.courseid).where(table.c.courseid.in_(courseids))
        ):
            found.setdefault(courseid, set()).add(groupingid)
        return {courseid: frozenset(ids) for courseid, ids in found.items()}

    def _fetch_memberships(self, courseids: Sequence[int], userids: set[int]) -> MembershipState:
        if not (courseids and ({CourseCells.self.name, CourseCells.guest.name} & self.names or userids)):
            return MembershipState()
        return fetch_memberships(
            self.moodle,
            self.overlay,
            course_identifier="id",
            courses={str(courseid) for courseid in courseids},
            userids=userids,
        )

    def _fetch_field_data(self, rows: Sequence[CourseCells], courses: FoundRows, courseids: Sequence[int]) -> FoundRows:
        unique = wanted_values(rows, self.fields, self.rules, self.survey.dates)
        found = {
            **fetch_rows_of_field_values(self.moodle, unique),
            **fetch_field_data(self.moodle, courseids, [custom.id for custom in self.fields.values()]),
        }
        values = [(fieldid, text) for fieldid, texts in unique.items() for text in texts]
        return self.overlay.over(
            self.field_data, found, {("fieldid", "value"): values, ("instanceid",): list(courses.rows)}
        )

    def _folds(self, table: str, *columns: str) -> dict[str, Fold]:
        return {column: folding(self.moodle, table, column) for column in columns}

    def _match_fields(self) -> dict[str, CourseField]:
        prefix = CourseCells.custom_fields.name
        columns = sorted(name for name in self.names if name.startswith(prefix))
        if not columns:
            return {}
        known = fetch_course_fields(self.moodle)
        matched = {}
        for name in columns:
            found = known.get(name.removeprefix(prefix))
            if found is None:
                self.file_notes.append(Note("course_field_unknown", {"column": name}))
            else:
                matched[name] = found
        return matched


class OrderPlan(CoursesPlan):
    """Nothing but to see to the order of the site's courses."""

    def __init__(self, now: int, places: Sequence[Misplaced] | None) -> None:
        super().__init__(now)
        self.places = places

    def operations(self) -> list[Operation]:
        return [FixCourseOrder(places=self.places)]
