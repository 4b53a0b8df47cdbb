"""What each row of a file of courses does, as if the rows were carried out in file order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sync.moodle.categories.categories import Category
from sync.moodle.course_content.restore.inventory import Inventory
from sync.moodle.courses.courses import Course
from sync.moodle.courses.creation import NewCourse, Teacher
from sync.moodle.courses.rows import CourseField, CourseRow
from sync.moodle.users.users import SiteRules
from sync.processors.base.category_paths import CourseCategories
from sync.processors.base.course_fields import FIELD_TABLE, FieldCells, check_unique, column_of
from sync.processors.base.errors import RowError
from sync.processors.base.grace import GraceChange, GraceStep, Listed, values_back
from sync.processors.base.overlay import FoundRows, is_temporary
from sync.processors.base.planner import rejected
from sync.processors.base.processor import SplitChunk
from sync.processors.base.sticky import ChunkSticky, Value, is_other, kept_notes
from sync.processors.courses.cell_reader import CellReader
from sync.processors.courses.cells import CourseCells
from sync.processors.courses.cli_restore import RestoreByMoodle
from sync.processors.courses.fillings import TemplateMerge
from sync.processors.courses.named_courses import check_context, check_names, find_course
from sync.processors.courses.operations import CourseCreation
from sync.processors.courses.options import IGNORE, REPLACE, CoursesOptions
from sync.processors.courses.plan import CoursesPlan
from sync.processors.courses.replacements import read_replacements
from sync.processors.courses.state import COURSE_TABLE, CoursesState
from sync.processors.courses.tables import (
    CONTENT,
    content_of_new,
    foresee_cells,
    foresee_content,
    with_topics,
)
from sync.processors.courses.templates import (
    CHUNK_WEIGHT,
    FromTemplate,
    Template,
    date_offset,
    find_template,
    is_archive,
    referring_values,
    values_from,
)
from sync.processors.courses.update import CourseUpdate, follows_weeks
from sync.processors.memberships.rows import MembershipRows
from sync.values import Action, Change, Note, Outcome

COURSE_IDENTIFIERS = (CourseCells.id, CourseCells.idnumber, CourseCells.shortname)
_NAMING = tuple(column.name for column in (*COURSE_IDENTIFIERS, CourseCells.fullname))


class CoursesPlanner:
    """Plans one chunk."""

    def __init__(self, state: CoursesState, options: CoursesOptions, names: frozenset[str]) -> None:
        self.state = state
        self.options = options
        self.names = names
        self.plan = CoursesPlan(state.now)
        self.cells = CellReader(state.defaults, state.rules, state.people, state.roles, state.fields, dates=state.dates)
        self.categories = CourseCategories(self.plan.change(state.categories), new_visible=options.newcategoriesvisible)
        self.rows = MembershipRows(state.memberships, self.plan, now=state.now)
        self.sticky = ChunkSticky(state.sticky, self.plan)
        self.courses = self.plan.change(state.courses)
        self.field_data = self.plan.change(state.field_data)
        self.contents = self.plan.change(FoundRows(CONTENT))
        self.earlier_cells = self.plan.change(state.earlier_cells)
        # The courses whose content rows so far take over: it must be as it is until they have it.
        self._copied: set[int] = set()
        self._weight = 0

    def plan_rows(self, rows: Sequence[CourseCells]) -> CoursesPlan:
        for row in rows:
            if self.plan.by_moodle:
                raise SplitChunk(row.line)
            self.cells.notes.clear()
            try:
                outcome = self._plan_row(row)
                self.plan.outcomes.append(outcome._replace(notes=(*outcome.notes, *self.cells.notes)))
            except RowError as refused:
                self.plan.outcomes.append(rejected(row, refused, row.shortname))
        return self._finished()

    def _finished(self) -> CoursesPlan:
        self.plan.categories = self.categories.made_for(
            [
                *((line, creation.category) for line, creation in self.plan.creations.items()),
                *((line, move.category) for line, move in self.plan.moves.items()),
            ]
        )
        if self.plan.categories:
            self.plan.present = [Category.of(row) for row in self.state.categories]
            self._say_alike()
        self.field_data.write(self.plan)
        self.rows.finish()
        return self.plan

    def _say_alike(self) -> None:
        """Say of new categories that may be meant for others so, in the first line that asks for each."""
        alike = defaultdict[int, tuple[Note, ...]](tuple)
        for category, lines in self.plan.categories.items():
            alike[min(lines)] += self.categories.made_alike(category.name, category.parent)
        self.plan.outcomes[:] = [
            outcome._replace(notes=(*outcome.notes, *alike[outcome.line])) if outcome.line in alike else outcome
            for outcome in self.plan.outcomes
        ]

    def _plan_row(self, row: CourseCells) -> Outcome:
        identifier = self.state.identifier
        text = str(row.values.get(identifier, ""))
        if not text:
            raise RowError("identity_empty", identifier, identity=identifier)
        course = find_course(self.courses, identifier, text, identifier)
        if course and course["id"] in self.courses.changed():
            if self.options.forceupdate:
                # What the earlier row did must be there before this one can be compared with it.
                raise SplitChunk(row.line)
            return _existing(row, identifier)
        if course is None:
            return self._create(row)
        if course["category"] == 0:
            raise RowError("course_is_site", identifier, course=text, identifier=identifier)
        check_context(course, identifier)
        if course.get("deletioninprogress"):
            raise RowError("course_being_deleted", identifier, course=text)
        listed = self.state.grace.find(course["id"], self.plan.grace)
        if not self.options.forceupdate:
            return self._keep(row, course, listed) if listed else _existing(row, identifier)
        row = self._without_earlier_cells(row, course["id"])
        if listed is None:
            return self._update(row, course)
        return self._end_grace(self._update(row, course, values_back(listed, course)), course)

    def _keep(self, row: CourseCells, course: CourseRow, listed: Listed) -> Outcome:
        """Show a course again that the file names, and change nothing else."""
        values = values_back(listed, course)
        update = CourseUpdate(self.state, self.plan, self.rows, course, row.line)
        update.take_values(values)
        changes = update.finish()
        self.courses.foresee(course["id"], {**course, **values}, row.line)
        return self._end_grace(_outcome(row, Action.UPDATED, "course_updated", changes), course)

    def _end_grace(self, outcome: Outcome, course: CourseRow) -> Outcome:
        """Take a course off the list of deletions; return the outcome of the row with that."""
        self.plan.change_grace(GraceChange(GraceStep.ENDED, COURSE_TABLE, course["id"], outcome.line))
        if outcome.action is Action.UNCHANGED:
            outcome = outcome._replace(action=Action.UPDATED, code="course_updated")
        return outcome._replace(notes=(*outcome.notes, Note("grace_ended_by_file", {})))

    def _without_earlier_cells(self, row: CourseCells, courseid: int) -> CourseCells:
        """Return the row without cells that an earlier row, which isn't written yet, filled alike for the course."""
        earlier = self._cells_of_earlier_rows(courseid)
        if not earlier:
            return row
        kept = {name: value for name, value in row.values.items() if name in _NAMING or earlier.get(name) != str(value)}
        return row._replace(values=kept)

    def _cells_of_earlier_rows(self, courseid: int) -> Mapping[str, str]:
        kept = self.earlier_cells.get(courseid)
        return kept["cells"] if kept else {}

    def _create(self, row: CourseCells) -> Outcome:
        if self.state.identifier == "id":
            raise RowError("course_unknown", "id", course=str(row.id), identifier="id")
        kept: list[str] = []
        outcome = self._created(self.sticky.for_new(row, kept))
        return outcome._replace(notes=(*outcome.notes, *kept_notes(kept)))

    def _created(self, row: CourseCells) -> Outcome:
        state = self.state
        values = self.cells.values(row)
        check_names(self.courses, values)
        course_format = row.format or state.defaults.text("format")
        if course_format not in state.defaults.formats:
            allowed = ", ".join(sorted(state.defaults.formats))
            raise RowError("value_not_among", "format", value=course_format, allowed=allowed)
        if values.get("defaultgroupingid"):
            raise RowError("course_grouping_unknown", "defaultgroupingid", grouping=values["defaultgroupingid"])
        template = self._template(row)
        if row.replacements and (template is None or template.is_for_moodle):
            raise RowError("course_replacements_alone", "replacements", replacements=row.replacements)
        if template and template.is_for_moodle:
            return self._create_by_moodle(row, template, values)
        full = {"category": 0, **state.defaults.values(state.now), **values, "format": course_format}
        if template:
            full = values_from(template, full, values)
        full["visibleold"] = values.get("visibleold", full["visible"])
        full["timemodified"] = values.get("timemodified", full["timecreated"])
        if row.enablecompletion == 0:
            full["showcompletionconditions"] = None
        course = NewCourse((row.shortname,), full)
        if template:
            course.options = self._given_options(full["format"], row)
        else:
            course.news = self._news(course_format, full)
            course.options = state.defaults.format_options(course_format) | self._given_options(course_format, row)
            course.blocks = state.defaults.blocks(course_format)
            course.sections = self._sections_of_new(course_format, row)
        course.instances = state.defaults.instances(state.now, row.given(CourseCells.self, CourseCells.guest))
        if course.options.get("automaticenddate") == "1" and "enddate" not in values:
            full["enddate"] = full["startdate"] + 7 * 86_400 * max(course.sections)
        _check_dates(full, state.rules)
        fields = self.cells.fields(row)
        check_unique(self.field_data, fields)
        course.fields = {custom.id: {**state.extras, **of_field} for custom, of_field in fields}
        course.teachers = self._teachers_of(course, row)
        # In a hidden one it stays as it is: nobody sees what is in there before the category is shown, as Moodle's form has it.
        category = self._category(row) or self.categories.default()
        full["category"] = category.id
        content = self._content(template, full, values, row) if template else None
        self.plan.creations[row.line] = CourseCreation(course, category, content)
        self.plan.dirty_users.update(teacher.userid for teacher in course.teachers)
        courseid = self._foresee_course(row, full, category, fields)
        self.rows.foresee_course(courseid, self.courses[courseid]["contextid"], course, row.line)
        inventory = with_topics(template.inventory, self.cells.topics(row)) if template else content_of_new(course)
        foresee_content(self.contents, courseid, inventory, row.line)
        return _outcome(row, Action.CREATED, "course_created")

    def _foresee_course(self, row: CourseCells, full: Mapping[str, Any], category: Category, fields: FieldCells) -> int:
        """Let later rows find a course that the row makes; return its temporary id."""
        contextid = self.plan.new_id(row.line)
        values = {"enddate": 0, **full, "category": category.id, "contextid": contextid, "path": ""}
        courseid = self.courses.insert(values, row.line)
        for custom, of_field in fields:
            data = {"id": self.plan.new_id(row.line), "contextid": 0, **self.state.extras, **of_field}
            self.field_data.foresee((custom.id, courseid), data, row.line)
            self._note_field(custom, data, row.line)
        self.sticky.note(COURSE_TABLE, courseid, values, row.line, _category_column(row))
        foresee_cells(self.earlier_cells, courseid, row.values, row.line)
        return courseid

    def _teachers_of(self, course: NewCourse, row: CourseCells) -> list[Teacher]:
        teachers = self.cells.teachers(row)
        if teachers and not any(instance["enrol"] == "manual" for instance in course.instances):
            raise RowError("course_without_manual", "teacher1_account")
        return teachers

    def _changes_of_earlier_cells(self, row: CourseCells, courseid: int, changes: Sequence[Change]) -> list[Change]:
        """Return the changes against cells of earlier rows, which can't be found in Moodle as they aren't written yet."""
        earlier, changed = self._cells_of_earlier_rows(courseid), {change.field for change in changes}
        return [
            Change(name, earlier[name], str(value))
            for name, value in row.values.items()
            if name in earlier and name not in _NAMING and name not in changed and self._changes_courses(name)
        ]

    def _changes_courses(self, name: str) -> bool:
        """Whether a column may change a course that is there."""
        if name.startswith(CourseCells.custom_fields.name):
            return name in self.state.fields
        if name in (CourseCells.category.name, CourseCells.category_idnumber.name):
            return not self.options.protectcategory
        # What a template brings is reported by its content.
        return name not in (CourseCells.format.name, CourseCells.template.name)

    def _create_by_moodle(self, row: CourseCells, template: Template, values: Mapping[str, Any]) -> Outcome:
        """Let Moodle make a course of a backup. What can be checked before is checked; such a row has a chunk to itself."""
        if self.plan.outcomes:
            raise SplitChunk(row.line)
        self.cells.teachers(row)
        self.cells.topics(row)
        fields = self.cells.fields(row)
        category = self._category(row) or self.categories.default()
        # Into one that the row makes, the row moves the course.
        categoryid = self.categories.first if is_temporary(category.id) else category.id
        defaults = self.state.defaults.values(self.state.now)
        usual = {"idnumber": "", "visible": defaults["visible"]}
        self.plan.by_moodle = RestoreByMoodle(row, template, categoryid, usual)
        course_format = row.format or self.state.defaults.text("format")
        self._foresee_course(row, {**defaults, **values, "format": course_format}, category, fields)
        return _outcome(row, Action.CREATED, "course_created")

    def plan_restored(self, row: CourseCells, course: CourseRow) -> CoursesPlan:
        """Plan what a row changes in the course that Moodle has made for it. Raises: RowError"""
        self._update(row, course)
        return self._finished()

    def _update(self, row: CourseCells, course: CourseRow, back: Mapping[str, Any] | None = None) -> Outcome:
        """Bring a course up to what a row gives.

        Shape: back: columns of a course that comes off the list of deletions, which the row goes before
        """
        if course["id"] in self._copied:
            # Rows are planned on what is there, but copied from what the chunk leaves: with nothing in it, from nothing.
            raise SplitChunk(row.line)
        kept: list[str] = []
        values = self._values_to_take(row, course, back or {}, kept)
        target = None if self.options.protectcategory else self._category_to_take(row, course, kept)
        teachers = self.cells.teachers(row)
        fields = [found for found in self.cells.fields(row) if not self._keeps_field(course["id"], *found, kept)]
        check_unique(self.field_data, fields, course["id"])
        if kept or back:
            cells = {name: value for name, value in row.values.items() if name not in kept}
            row = row._replace(values={**(back or {}), **cells})
        topics = self.cells.topics(row)
        filling = self._filling(row, {**course, **values})
        # From here on the row gets into the plan: what can be refused was refused, but for teachers, who come first.
        update = CourseUpdate(self.state, self.plan, self.rows, course, row.line)
        update.take_teachers(teachers)
        update.take_methods(row.given(CourseCells.self, CourseCells.guest))
        if filling:
            self.plan.fillings[row.line] = filling
            update.take_content(row.template or "")
        self._foresee_filling(row, course["id"], filling, topics)
        if filling is None or not filling.replaces:
            update.take_sections(topics)
        update.take_format_option("coursedisplay", row.coursedisplay)
        update.take_fields(fields, self.field_data)
        for custom, _values in fields:
            self._note_field(custom, self.field_data[custom.id, course["id"]], row.line)
        update.take_values(values)
        if target:
            update.take_category(target, self.categories.path_of(target))
        changes = [*update.finish(), *self._changes_of_earlier_cells(row, course["id"], update.changes)]
        category = {"category": target.id} if target else {}
        self.sticky.note(COURSE_TABLE, course["id"], {**values, **category}, row.line, _category_column(row))
        notes = kept_notes(kept)
        if not changes:
            return _outcome(row, Action.UNCHANGED, "course_unchanged")._replace(notes=notes)
        self.courses.foresee(course["id"], {**course, **values, **category}, row.line)
        foresee_cells(self.earlier_cells, course["id"], row.values, row.line)
        code = "course_updated"
        if filling:
            code = "course_content_replaced" if filling.replaces else "course_content_added"
        return _outcome(row, Action.UPDATED, code, changes)._replace(notes=notes)

    def _values_to_take(
        self, row: CourseCells, course: CourseRow, back: Mapping[str, Any], kept: list[str]
    ) -> dict[str, Any]:  # fmt: skip
        """Return the columns of `course` that a row sets. Shape: back, kept: as in _update. Raises: RowError"""
        given = self.cells.values(row)
        same_name = self.courses.table.folds["shortname"]
        if self.state.identifier == "shortname" and same_name(given["shortname"]) == same_name(course["shortname"]):
            # The course was found by it, in whatever way the file spells it.
            given["shortname"] = course["shortname"]
        derived = {} if row.visibleold is not None else {"visibleold": "visible"}
        values = {**back, **self.sticky.allowed(COURSE_TABLE, course, given, kept, derived)}
        if "visible" in back:
            values.setdefault("visibleold", values["visible"])
        check_names(self.courses, values, course["id"])
        grouping = values.get("defaultgroupingid")
        if grouping and grouping not in self.state.groupings.get(course["id"], ()):
            raise RowError("course_grouping_unknown", "defaultgroupingid", grouping=grouping)
        if not follows_weeks(self.state, course) or "enddate" in values:
            _check_dates({**course, **values}, self.state.rules)
        return values

    def _category_to_take(self, row: CourseCells, course: CourseRow, kept: list[str]) -> Category | None:
        """Return the category of a row, unless a rule leaves the course where it is."""
        target = self._category(row)
        if target is None:
            return None
        new = {"category": target.id}
        return target if self.sticky.allowed(COURSE_TABLE, course, new, kept, _category_column(row)) else None

    def _keeps_field(
        self, courseid: int, custom: CourseField, values: Mapping[str, Any], kept: list[str]
    ) -> bool:  # fmt: skip
        """Whether a rule leaves a custom field as it is."""
        if not self.sticky.has_rules:
            return False
        row, name = self.field_data.get((custom.id, courseid)) or {}, column_of(custom)
        present = Value(FIELD_TABLE, row.get("id"), "value", row.get("value"))
        # A date that isn't set, and a list of which nothing is chosen, are stored as 0.
        zero_is_none = custom.kind in ("date", "select")
        differs = is_other(present.value, values["value"])
        if is_kept := differs and self.sticky.keeps(name, present, zero_is_none=zero_is_none):
            kept.append(name)
        return is_kept

    def _note_field(self, custom: CourseField, data: Mapping[str, Any], line: int) -> None:
        self.sticky.note(FIELD_TABLE, data["id"], {"value": data["value"]}, line, {"value": column_of(custom)})

    def _foresee_filling(
        self, row: CourseCells, courseid: int, filling: TemplateMerge | None, topics: Mapping[int, Mapping[str, Any]]
    ) -> None:
        """Let later rows find what a row brings into a course that is there."""
        content = self.state.inventories.get(courseid, Inventory())
        if filling:
            added = filling.content.template.inventory
            content = added if filling.replaces else content + added
        if filling or (topics and courseid in self.state.inventories):
            foresee_content(self.contents, courseid, with_topics(content, topics), row.line)

    def _category(self, row: CourseCells) -> Category | None:
        if row.category_idnumber:
            return self.categories.by_idnumber(row.category_idnumber, "category_idnumber")
        if not row.category:
            return None
        if self.options.categoryidentifier == "idnumber":
            return self.categories.by_idnumber(row.category)
        return self.categories.by_id_or_path(row.category, row.line)

    def _news(self, course_format: str, full: Mapping[str, Any]) -> dict[str, Any] | None:
        return self.state.defaults.news_forum(course_format, full["newsitems"], self.state.now)

    def _template(self, row: CourseCells) -> Template | None:
        """Return the template of a row.

        Raises: SplitChunk where it is to be made itself first, or where the chunk would become too much; RowError
        """
        text = row.template
        if not text:
            return None
        if not is_archive(text):
            named = find_course(self.courses, "shortname", text, "template")
            if named is None:
                raise RowError("course_template_unknown", "template", template=text)
            if named["id"] in self.courses.changed():
                raise SplitChunk(row.line)
            check_context(named, "template")
        template = find_template(self.state.templates, text)
        if template.courseid in self.courses.changed():
            raise SplitChunk(row.line)
        self._weigh(row, template.weight)
        if template.courseid:
            self._copied.add(template.courseid)
        return template

    def _weigh(self, row: CourseCells, weight: int) -> None:
        """Raises: SplitChunk where the chunk would become too much"""
        self._weight += weight
        if self._weight > CHUNK_WEIGHT and self._weight > weight:
            raise SplitChunk(row.line)

    def _filling(self, row: CourseCells, course: CourseRow) -> TemplateMerge | None:
        """Return what comes into a course that is there; None where all of it is there, or nothing is to come.

        Raises: SplitChunk, RowError
        """
        mode, courseid = self.options.templatemode, course["id"]
        if mode == IGNORE or courseid not in self.state.inventories:
            return None
        template = self._template(row)
        if template is None:
            return None
        if template.is_for_moodle:
            raise RowError("course_handover_existing", "template", template=row.template)
        if template.courseid == courseid:
            raise RowError("course_template_itself", "template", template=row.template)
        replaces, topics = mode == REPLACE, self.cells.topics(row)
        present = self.state.inventories[courseid]
        if not (present.lacks(_named(template, topics)) if replaces else present.gains_from(template.inventory)):
            return None
        if replaces:
            if plugins := self.state.unknown.get(courseid):
                raise RowError("course_replace_plugins", "template", plugins=", ".join(plugins))
            self._weigh(row, self.state.weights.get(courseid, 0))
        content = FromTemplate(template, date_offset(template, course), {}, topics if replaces else {})
        return TemplateMerge(Course(courseid, course["contextid"], course["path"] or ""), content, replaces)

    def _content(
        self, template: Template, full: Mapping[str, Any], values: Mapping[str, Any], row: CourseCells
    ) -> FromTemplate:
        offset = date_offset(template, full)
        replacements = read_replacements(row.replacements, full, template.course)
        return FromTemplate(template, offset, referring_values(template, values), self.cells.topics(row), replacements)

    def _given_options(self, course_format: str, row: CourseCells) -> dict[str, str]:
        options = self.state.defaults.format_options(course_format)
        if "coursedisplay" in options and row.coursedisplay is not None:
            return {"coursedisplay": str(row.coursedisplay)}
        return {}

    def _sections_of_new(self, course_format: str, row: CourseCells) -> dict[int, dict[str, Any]]:
        topics = self.cells.topics(row)
        last = max(topics) if topics else self.state.defaults.sections(course_format)
        return {number: topics.get(number, {}) for number in range(last + 1)}


def _check_dates(values: Mapping[str, Any], rules: SiteRules) -> None:
    if values["enddate"] and values["enddate"] < values["startdate"]:
        start, end = rules.shown_time(values["startdate"]), rules.shown_time(values["enddate"])
        raise RowError("course_dates_reversed", "enddate", start=start, end=end)


def _category_column(row: CourseCells) -> dict[str, str]:
    """Return the column of the file that gives the category of a row."""
    column = CourseCells.category_idnumber if row.category_idnumber else CourseCells.category
    return {"category": column.name}


def _named(template: Template, topics: Mapping[int, Mapping[str, Any]]) -> Inventory:
    """Return what is in a template, its sections named as the row does."""
    sections = template.inventory.sections
    return with_topics(template.inventory, {number: topics[number] for number in topics.keys() & sections.keys()})


def _existing(row: CourseCells, identifier: str) -> Outcome:
    """Return the outcome of a row whose course is there, and is left as it is."""
    return Outcome(row.line, Action.UNCHANGED, "course_exists", {"key": identifier}, row.shortname)


def _outcome(row: CourseCells, action: Action, code: str, changes: Sequence[Change] = ()) -> Outcome:
    return Outcome(row.line, action, code, {}, row.shortname, tuple(changes))
