"""Empty courses: what is in them goes, with all that people did there; settings, people and groups stay.

Mirrors: remove_course_contents() with keep_roles_and_enrolments and keep_groups_and_groupings, of Moodle 4.1 to 5.1
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from sync.moodle.course_content.delete.delete import Deletion
from sync.moodle.course_content.delete.shared_questions import move_shared_questions
from sync.moodle.course_content.graph.graph import CONTEXT, CourseGraph, Link
from sync.moodle.course_content.graph.scope import Scope, fetch_filled, fetch_scope
from sync.moodle.courses.courses import Course
from sync.moodle.db.writer import Writer
from sync.moodle.files.files import DeletedFiles, delete_files
from sync.moodle.site import caches
from sync.moodle.site.tags import delete_unborne_tags

# What hangs on a course itself and stays, with all that hangs on it.
_STAYS = frozenset((
    "badge", "communication", "competency_coursecomp", "competency_coursecompsetting", "competency_usercompcourse",
    "course_format_options", "course_published", "customfield_data", "enrol", "enrol_flatfile", "enrol_paypal",
    "external_tokens", "favourite", "files", "filter_active", "filter_config", "groupings", "groups", "message_conversations",
    "post", "repository_instances", "role_assignments", "role_capabilities", "role_names", "tag_instance",
    "tool_dataprivacy_ctxexpired", "tool_dataprivacy_ctxinstance", "tool_monitor_rules", "tool_monitor_subscriptions",
    "tool_recyclebin_course", "user_lastaccess",
))  # fmt: skip


def empty_courses(writer: Writer, graph: CourseGraph, courses: Sequence[Course], *, now: int) -> DeletedFiles:
    """Empty courses inside the caller's transaction; return the files that are to be seen to after the commit.

    The caller has refused the site course, and courses that hold what the graph doesn't know.
    Units: now: seconds since epoch
    Queries: as `delete.delete_courses`
    """
    return _ContentClearing(writer, graph, courses, now).run()


class _ContentClearing(Deletion):
    """A deletion that leaves the courses."""

    def run(self) -> DeletedFiles:
        scope = fetch_scope(self.session, self.courses)
        own = sorted(course.contextid for course in self.courses)
        inside = Scope((), tuple(contextid for contextid in scope.contextids if contextid not in set(own)))
        move_shared_questions(self.writer, self.graph, self.courses, scope, now=self.now)
        self.delete_players(scope)
        self.delete_events_of_activities(scope)
        self.delete_evidence_of_activities(scope)
        for table, path in fetch_filled(self.session, self.graph, scope):
            if _top(table.name, path) not in _STAYS:
                self.delete_rows(table.name, path, scope)
            elif path[-1].parent == CONTEXT:
                self.delete_rows(table.name, path, inside)
        self._delete_what_is_found_by_the_course(scope.courseids, own)
        self.writer.delete_where("context", "id", inside.contextids)
        delete_unborne_tags(self.writer, sorted(self.tagids))
        self.delete_preferences(inside)
        paths = {course.path for course in self.courses if course.path}
        caches.flag_changes(self.writer, dirty_users=self.dirty_users, dirty_contexts=paths)
        return self.files

    def _delete_what_is_found_by_the_course(self, courseids: Sequence[int], contextids: Sequence[int]) -> None:
        """What hangs on the course, but belongs to a section, a question or something else that went."""
        option, tag, files = map(self.session.table, ("course_format_options", "tag_instance", "files"))
        self.writer.delete_where("course_format_options", "courseid", courseids, option.c.sectionid != 0)
        self.note_tags(self.writer.delete_where("tag_instance", "contextid", contextids, tag.c.itemtype == "question"))
        areas = [
            sa.and_(files.c.component == area.component, files.c.filearea == area.filearea)
            for area in self.graph.file_areas
            if area.context in ("course", "question bank context") and area.itemid not in {"0", *_STAYS}
        ]
        legacy = sa.and_(files.c.component == "course", files.c.filearea == "legacy")
        self.files += delete_files(self.writer, "contextid", contextids, sa.or_(legacy, *areas))


def _top(name: str, path: Sequence[Link]) -> str:
    """Return the table at the end of a way that hangs on a course or a context itself."""
    return path[-2].parent if len(path) > 1 else name
