"""Delete courses with everything in them, whole sets at a time.

Mirrors: delete_course() of Moodle 4.1 to 5.1; leaves out: the copy in the recycle bin, events, logs
Source: spec courses.md section 2; effects course_delete_rich_norecyclebin, course_delete_enrolled
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from sync.moodle.course_content.delete.badges import archive_badges
from sync.moodle.course_content.delete.grade_history import HISTORY_TABLES, keep_history, moved_up
from sync.moodle.course_content.delete.shared_questions import move_shared_questions
from sync.moodle.course_content.graph.graph import CourseGraph, Link
from sync.moodle.course_content.graph.scope import Scope, fetch_filled, fetch_scope, inline, rows_on_path
from sync.moodle.courses.courses import Course
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import Writer
from sync.moodle.enrolments.meta_links import cut_meta_links
from sync.moodle.files.files import DeletedFiles, delete_files
from sync.moodle.site import caches
from sync.moodle.site.tags import delete_unborne_tags
from sync.moodle.versions import CONTEXT_MODULE, Feature

# What is in memory at a time: the rows of one slice.
SLICE_ROWS = 5_000

# What a gradebook consists of; its letters are the course's.
GRADEBOOK = frozenset((
    "grade_grades", "grade_items", "grade_categories", "grade_outcomes", "grade_outcomes_courses", "grade_outcomes_modules",
    "grade_settings", "scale",
))  # fmt: skip

_Rows = list[dict[str, Any]]


def delete_courses(writer: Writer, graph: CourseGraph, courses: Sequence[Course], *, now: int) -> DeletedFiles:
    """Delete courses inside the caller's transaction; return the files that are to be seen to after the commit.

    The caller has refused the site course, and courses that hold what the graph doesn't know. The order of the other courses
    is left to `sync.moodle.courses.order`.
    Units: now: seconds since epoch
    Queries: two for each table that has rows, and one more for each 5,000 rows; constant in the number of courses
    """
    return Deletion(writer, graph, courses, now).run()


def delete_contexts(
    writer: Writer, graph: CourseGraph, places: Sequence[Course], contextids: Sequence[int], *, now: int
) -> DeletedFiles:
    """Delete contexts and everything that hangs on them, as `delete_courses` does, but no course and nothing of one.

    Shape: places: what the contexts belong to, with paths; inner places before those that hold them
    Units: now: seconds since epoch
    """
    return Deletion(writer, graph, places, now).delete_contexts(Scope((), tuple(contextids)))


def delete_gradebooks(writer: Writer, graph: CourseGraph, courses: Sequence[Course], *, now: int) -> DeletedFiles:
    """Delete the gradebooks of courses, with their outcomes, scales and settings; each row is kept in the history.

    Units: now: seconds since epoch
    """
    return Deletion(writer, graph, courses, now).delete_tables(fetch_scope(writer.session, courses), GRADEBOOK)


class Deletion:
    """One deletion, and what it learns of the rows that go."""

    def __init__(self, writer: Writer, graph: CourseGraph, courses: Sequence[Course], now: int) -> None:
        self.writer = writer
        self.session = writer.session
        self.graph = graph
        self.courses = courses
        self.now = now
        self.dirty_users: set[int] = set()
        self.tagids: set[int] = set()
        self.preferences: set[str] = set()
        self.files = DeletedFiles()
        # What else is to be done with the rows of a table just before they go.
        self._farewells: Mapping[str, Callable[[_Rows], None]] = {
            "user_enrolments": self._note_users,
            "role_assignments": self._note_users,
            "tag_instance": self.note_tags,
            "block_instances": self._note_blocks,
            "scale": self._delete_files_of("scale"),
            "grade_outcomes": self._delete_files_of("outcome"),
        }

    def run(self) -> DeletedFiles:
        scope = fetch_scope(self.session, self.courses)
        move_shared_questions(self.writer, self.graph, self.courses, scope, now=self.now)
        archive_badges(self.writer, scope)
        meta = cut_meta_links(self.writer, scope.courseids, now=self.now)
        self.files += meta.files
        self.delete_players(scope)
        self.delete_events_of_activities(scope)
        self.delete_evidence_of_activities(scope)
        self._delete_custom_fields(scope)
        for table, path in fetch_filled(self.session, self.graph, scope):
            self.delete_rows(table.name, path, scope)
        self.writer.delete_where("context", "id", scope.contextids)
        self.writer.delete_where("course", "id", scope.courseids)
        delete_unborne_tags(self.writer, sorted(self.tagids))
        self.delete_preferences(scope)
        caches.flag_changes(
            self.writer,
            dirty_users=self.dirty_users | meta.users,
            dirty_contexts={course.path for course in self.courses if course.path} | meta.context_paths,
        )
        return self.files

    def delete_contexts(self, scope: Scope) -> DeletedFiles:
        move_shared_questions(self.writer, self.graph, self.courses, scope, now=self.now)
        self.delete_players(scope)
        for table, path in fetch_filled(self.session, self.graph, scope):
            self.delete_rows(table.name, path, scope)
        self.writer.delete_where("context", "id", scope.contextids)
        delete_unborne_tags(self.writer, sorted(self.tagids))
        self.delete_preferences(scope)
        caches.flag_changes(self.writer, dirty_users=self.dirty_users)
        return self.files

    def delete_tables(self, scope: Scope, names: Collection[str]) -> DeletedFiles:
        for table, path in fetch_filled(self.session, self.graph, scope):
            if table.name in names:
                self.delete_rows(table.name, path, scope)
        return self.files

    def delete_rows(self, name: str, path: Sequence[Link], scope: Scope) -> None:
        table = self.session.table(name)
        # No order: with one, MariaDB may walk the whole table along its ids.
        statement = sa.select(table).where(*rows_on_path(self.session, name, path, scope)).limit(SLICE_ROWS)
        self._delete_slices(name, statement)

    def _delete_slices(self, name: str, statement: sa.Select[Any]) -> None:
        """Delete what a SELECT with a limit finds, until it finds no more."""
        is_last = False
        while not is_last:
            rows = sorted((dict(row._mapping) for row in self.session.fetch(statement)), key=lambda row: row["id"])
            is_last = len(rows) < SLICE_ROWS
            if not rows:
                return
            if name in self._farewells:
                self._farewells[name](rows)
            if name in HISTORY_TABLES:
                kept = moved_up(self.session, rows) if name == "grade_items" else rows
                keep_history(self.writer, name, kept, now=self.now, source="coursedelete")
            if name == "files":
                self.files += delete_files(self.writer, "id", [row["id"] for row in rows])
            else:
                self.writer.delete_many(name, rows)

    def _note_users(self, rows: _Rows) -> None:
        self.dirty_users.update(row["userid"] for row in rows)

    def note_tags(self, rows: _Rows) -> None:
        """Those that activities gave are left to Moodle's own clean-up, as Moodle does."""
        self.tagids.update(row["tagid"] for row in rows if not row["component"].startswith("mod_"))

    def _note_blocks(self, rows: _Rows) -> None:
        for row in rows:
            self.preferences.update((f"block{row['id']}hidden", f"docked_block_instance_{row['id']}"))

    def _delete_files_of(self, filearea: str) -> Callable[[_Rows], None]:
        """Files of scales and outcomes hang on the system context."""

        def delete(rows: _Rows) -> None:
            files = self.session.table("files")
            conditions = (files.c.component == "grade", files.c.filearea == filearea)
            self.files += delete_files(self.writer, "itemid", [row["id"] for row in rows], *conditions)

        return delete

    def delete_players(self, scope: Scope) -> None:
        """What was unpacked from H5P packages; it is bound to the file of the package, not to the course."""
        h5p, files = self.session.table("h5p"), self.session.table("files")
        packages = sa.select(files.c.pathnamehash).where(files.c.contextid.in_(inline(scope.contextids)))
        found = self.session.fetch(sa.select(h5p.c.id).where(h5p.c.pathnamehash.in_(packages)))
        gone = self.writer.delete_where("h5p", "id", sorted(rowid for (rowid,) in found))
        if gone:
            ids = [row["id"] for row in gone]
            self.writer.delete_where("h5p_contents_libraries", "h5pid", ids)
            unpacked = (files.c.component == "core_h5p", files.c.filearea == "content")
            self.files += delete_files(self.writer, "itemid", ids, *unpacked)

    def delete_events_of_activities(self, scope: Scope) -> None:
        """Calendar entries of overrides: they name the activity, but no course."""
        event, modules, cm = map(self.session.table, ("event", "modules", "course_modules"))
        statement = (
            sa.select(event)
            .join(modules, modules.c.name == event.c.modulename)
            .join(cm, sa.and_(cm.c.module == modules.c.id, cm.c.instance == event.c.instance))
            .where(cm.c.course.in_(inline(scope.courseids)))
            .limit(SLICE_ROWS)
        )
        self._delete_slices("event", statement)

    def delete_evidence_of_activities(self, scope: Scope) -> None:
        """Evidence of competencies that stands in an activity, where Moodle deletes it; that of the course itself stays."""
        is_deleted = Feature.EVIDENCE_GOES_WITH_ACTIVITY.is_in(self.session.version)
        if not is_deleted or not self.session.database.has_table("competency_evidence"):
            return
        evidence, context = self.session.table("competency_evidence"), self.session.table("context")
        activities = sa.select(context.c.id).where(
            context.c.id.in_(inline(scope.contextids)), context.c.contextlevel == CONTEXT_MODULE
        )
        statement = sa.select(evidence).where(evidence.c.contextid.in_(activities)).limit(SLICE_ROWS)
        self._delete_slices("competency_evidence", statement)

    def _delete_custom_fields(self, scope: Scope) -> None:
        """By the course itself as well: the context in these rows isn't all that Moodle goes by."""
        data, definition, category = map(
            self.session.table, ("customfield_data", "customfield_field", "customfield_category")
        )
        statement = (
            sa.select(data)
            .join(definition, definition.c.id == data.c.fieldid)
            .join(category, category.c.id == definition.c.categoryid)
            .where(category.c.component == "core_course", category.c.area == "course")
            .where(data.c.instanceid.in_(inline(scope.courseids)))
            .limit(SLICE_ROWS)
        )
        self._delete_slices("customfield_data", statement)

    def delete_preferences(self, scope: Scope) -> None:
        """What people have set for the courses and their blocks."""
        for courseid in scope.courseids:
            self.preferences |= {
                f"block_myoverview_hidden_course_{courseid}",
                f"coursesectionspreferences_{courseid}",
            }
        self.writer.delete_where("user_preferences", "name", sorted(self.preferences))


def unknown_plugins(session: MoodleSession, graph: CourseGraph, courses: Sequence[Course]) -> dict[int, list[str]]:
    """Return the activities ("mod_x") and question types ("qtype_x") of courses whose tables the graph doesn't know.

    Shape: course id -> names in alphabetical order; absent = everything is known
    Queries: two; none without courses
    """
    if not courses:
        return {}
    cm, modules = session.table("course_modules"), session.table("modules")
    activities = (
        sa.select(cm.c.course, modules.c.name)
        .join(modules, modules.c.id == cm.c.module)
        .where(cm.c.course.in_(inline([course.id for course in courses])), modules.c.name.not_in(sorted(graph.modules)))
        .distinct()
    )
    found: dict[int, set[str]] = {}
    for courseid, name in session.fetch(activities):
        found.setdefault(courseid, set()).add(f"mod_{name}")
    for path, name in session.fetch(_foreign_questions(session, graph, courses)):
        for course in courses:
            if course.path and f"{path}/".startswith(f"{course.path}/"):
                found.setdefault(course.id, set()).add(f"qtype_{name}")
    return {courseid: sorted(names) for courseid, names in found.items()}


def _foreign_questions(session: MoodleSession, graph: CourseGraph, courses: Sequence[Course]) -> sa.Select[Any]:
    context, category, entry, version, question = map(
        session.table, ("context", "question_categories", "question_bank_entries", "question_versions", "question")
    )
    below = [context.c.path.like(f"{course.path}/%") for course in courses if course.path]
    return (
        sa.select(context.c.path, question.c.qtype)
        .select_from(context)
        .join(category, category.c.contextid == context.c.id)
        .join(entry, entry.c.questioncategoryid == category.c.id)
        .join(version, version.c.questionbankentryid == entry.c.id)
        .join(question, question.c.id == version.c.questionid)
        .where(sa.or_(context.c.id.in_(inline([course.contextid for course in courses])), *below))
        .where(question.c.qtype.not_in(sorted(graph.question_types)))
        .distinct()
    )
