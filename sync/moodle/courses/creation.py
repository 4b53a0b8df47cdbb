"""New courses with everything that Moodle makes along with them, whole sets at a time.

Mirrors: create_course() of Moodle 4.1 to 5.1; leaves out: events, logs, the gradebook (made when it is first needed)
Source: spec courses.md section 1.7; effects course_create_*
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.courses.sections import new_section
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import Writer
from sync.moodle.site.contexts import Context, NewContext, insert_contexts
from sync.moodle.versions import CONTEXT_BLOCK, CONTEXT_COURSE

Row = dict[str, Any]


class Block(NamedTuple):
    """A block of a new course. Shape: pages: "course-view-*" or "*"; weight: its place in the region"""

    name: str
    region: str
    weight: int
    pages: str = "course-view-*"
    in_subcontexts: int = 0


class Teacher(NamedTuple):
    """Somebody enrolled by the manual method with a role."""

    userid: int
    roleid: int


@dataclass
class NewCourse:
    """A course to be made.

    Shape: key: what names it in the plan; values: columns of `course`, category left out where it is made too; parent_path:
    of its category's context; options: format options; sections: number -> name and summary; instances: rows of `enrol`
    in their order; news: the Announcements forum, None for none; fields: customfield id -> columns of `customfield_data`
    """

    key: tuple[str, ...]
    values: Row
    parent_path: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    sections: Mapping[int, Row] = field(default_factory=dict)
    blocks: Sequence[Block] = ()
    instances: Sequence[Row] = ()
    news: Row | None = None
    fields: Mapping[int, Row] = field(default_factory=dict)
    teachers: Sequence[Teacher] = ()


class CourseRows(NamedTuple):
    """A course that was made."""

    id: int
    context: Context


def create_courses(writer: Writer, new: Sequence[NewCourse], *, now: int) -> list[CourseRows]:
    """Make courses; their place among the others is for `sync.moodle.courses.order.fix_course_order` to say.

    Queries: constant, whatever the number of courses
    """
    if not new:
        return []
    ids = _insert_alike(writer, "course", [course.values for course in new], ("shortname",))
    contexts = insert_contexts(
        writer,
        [NewContext(CONTEXT_COURSE, courseid, course.parent_path) for course, courseid in zip(new, ids, strict=True)],
    )
    made = [CourseRows(courseid, context) for courseid, context in zip(ids, contexts, strict=True)]
    pairs = list(zip(new, made, strict=True))
    _insert_options(writer, pairs)
    _insert_blocks(writer, pairs, now=now)
    _insert_sections(writer, pairs, now=now)
    _insert_enrolments(writer, pairs, now=now)
    _insert_fields(writer, pairs, now=now)
    return made


_Pairs = Sequence[tuple[NewCourse, CourseRows]]


def _insert_options(writer: Writer, pairs: _Pairs) -> None:
    rows = [
        {"courseid": made.id, "format": course.values["format"], "sectionid": 0, "name": name, "value": value}
        for course, made in pairs
        for name, value in course.options.items()
    ]
    writer.insert_many("course_format_options", rows, ("courseid", "name"))


def _insert_blocks(writer: Writer, pairs: _Pairs, *, now: int) -> None:
    wanted = [(made, block) for course, made in pairs for block in course.blocks]
    if not wanted:
        return
    rows = [
        {
            "blockname": block.name,
            "parentcontextid": made.context.id,
            "showinsubcontexts": block.in_subcontexts,
            "requiredbytheme": 0,
            "pagetypepattern": block.pages,
            "subpagepattern": None,
            "defaultregion": block.region,
            "defaultweight": block.weight,
            "configdata": "",
            "timecreated": now,
            "timemodified": now,
        }
        for made, block in wanted
    ]
    ids = writer.insert_many(
        "block_instances", rows, ("parentcontextid", "blockname", "defaultregion", "defaultweight")
    )
    insert_contexts(
        writer,
        [
            NewContext(CONTEXT_BLOCK, blockid, made.context.path)
            for blockid, (made, _b) in zip(ids, wanted, strict=True)
        ],
    )


def _insert_sections(writer: Writer, pairs: _Pairs, *, now: int) -> None:
    rows = [
        new_section(made.id, number, values, now=now)
        for course, made in pairs
        for number, values in sorted(course.sections.items())
    ]
    ids = writer.insert_many("course_sections", rows, ("course", "section"))
    first_sections = {row["course"]: rowid for row, rowid in zip(rows, ids, strict=True) if row["section"] == 0}
    _insert_news_forums(writer, pairs, first_sections, now=now)


def _insert_news_forums(writer: Writer, pairs: _Pairs, first_sections: Mapping[int, int], *, now: int) -> None:
    """The forum and its place in the course; its context is made by Moodle at the first visit."""
    wanted = [(course.news, made.id) for course, made in pairs if course.news is not None]
    if not wanted:
        return
    forums = writer.insert_many(
        "forum", [{**news, "course": courseid} for news, courseid in wanted], ("course", "type")
    )
    moduleid = module_id(writer.session, "forum")
    rows = [
        {
            "course": courseid,
            "module": moduleid,
            "instance": forumid,
            "section": first_sections[courseid],
            "added": now,
            "visible": 1,
            "visibleoncoursepage": 1,
            "visibleold": 1,
        }
        for forumid, (_news, courseid) in zip(forums, wanted, strict=True)
    ]
    cms = writer.insert_many("course_modules", rows, ("course", "module", "instance"))
    writer.complete_many(
        "course_sections", {row["section"]: {"sequence": str(cmid)} for row, cmid in zip(rows, cms, strict=True)}
    )


def _insert_enrolments(writer: Writer, pairs: _Pairs, *, now: int) -> None:
    rows = [
        {**instance, "courseid": made.id, "sortorder": place}
        for course, made in pairs
        for place, instance in enumerate(course.instances)
    ]
    ids = _insert_alike(writer, "enrol", rows, ("courseid", "enrol"))
    manual = {row["courseid"]: rowid for row, rowid in zip(rows, ids, strict=True) if row["enrol"] == "manual"}
    operatorid = writer.session.operatorid
    stamps = {"modifierid": operatorid, "timemodified": now}
    teachers = [(made, teacher) for course, made in pairs for teacher in course.teachers]
    enrolled = dict.fromkeys((manual[made.id], teacher.userid) for made, teacher in teachers)
    writer.insert_many(
        "user_enrolments",
        [
            {
                "status": 0, "enrolid": enrolid, "userid": userid, "timestart": now, "timeend": 0, "timecreated": now, **stamps,
            }
            for enrolid, userid in enrolled
        ],
        ("enrolid", "userid"),
    )  # fmt: skip
    writer.insert_many(
        "role_assignments",
        [
            {
                "roleid": teacher.roleid, "contextid": made.context.id, "userid": teacher.userid, "component": "", "itemid": 0,
                "sortorder": 0, **stamps,
            }
            for made, teacher in dict.fromkeys(teachers)
        ],
        ("contextid", "userid", "roleid"),
    )  # fmt: skip


def _insert_fields(writer: Writer, pairs: _Pairs, *, now: int) -> None:
    rows = [
        {
            "fieldid": fieldid, "instanceid": made.id, "contextid": made.context.id, "timecreated": now, "timemodified": now,
            **values,
        }
        for course, made in pairs
        for fieldid, values in course.fields.items()
    ]  # fmt: skip
    _insert_alike(writer, "customfield_data", rows, ("instanceid", "fieldid"))


def module_id(session: MoodleSession, name: str) -> int:
    """Return the id of an activity module of the site. Queries: one"""
    modules = session.table("modules")
    return int(session.fetch(sa.select(modules.c.id).where(modules.c.name == name))[0].id)


def _insert_alike(writer: Writer, table: str, rows: Sequence[Row], key: Sequence[str]) -> list[int]:
    """Insert rows of different columns, each set of columns on its own; return the ids in the order of the rows."""
    ids = [0] * len(rows)
    places: dict[tuple[str, ...], list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(tuple(row), []).append(place)
    for alike in places.values():
        for place, rowid in zip(alike, writer.insert_many(table, [rows[p] for p in alike], key), strict=True):
            ids[place] = rowid
    return ids
