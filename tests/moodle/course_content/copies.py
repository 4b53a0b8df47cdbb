"""A course and its copy, column by column: by Moodle's schema as graph.json tells it, apart from the code that copies."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from typing import Any

from sync.moodle.course_content.graph.graph import CONTEXT, COURSE, GraphTable, load_graph
from sync.moodle.course_content.restore.live_source import LiveCourse
from sync.moodle.courses.courses import Course
from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from tests.moodle_sites import MoodleSite

Row = dict[str, Any]
Pairs = dict[str, list[tuple[Row, Row]]]
Maps = Mapping[str, Mapping[int, int]]

# What Moodle writes anew in a copy, or we on purpose: see graph.json and the effects course_restore_template_*.
DECLARED = {
    ("badge", "status"), ("bigbluebuttonbn", "guestlinkuid"), ("bigbluebuttonbn", "meetingid"),
    ("bigbluebuttonbn", "moderatorpass"), ("bigbluebuttonbn", "viewerpass"), ("contentbank_content", "instanceid"),
    ("course_sections", "timemodified"), ("customfield_data", "timecreated"), ("customfield_data", "timemodified"),
    ("event", "subscriptionid"), ("glossary", "globalglossary"), ("grade_items", "needsupdate"),
    ("grade_items", "timecreated"), ("grade_items", "timemodified"), ("lti", "servicesalt"), ("lti_types", "clientid"),
    ("question_categories", "stamp"), ("tag_instance", "ordering"), ("tag_instance", "timecreated"),
    ("tag_instance", "timemodified"),
}  # fmt: skip
# What stands in a copy for nothing.
_EMPTY: Mapping[tuple[str, str], Any] = {("badge_criteria", "description"): "", ("lti", "typeid"): 0}
# Ids whose table another column tells.
_DEPENDING = {
    ("course_modules", "instance"), ("course_sections", "itemid"), ("customfield_data", "instanceid"),
    ("grade_items", "iteminstance"), ("tag_instance", "itemid"), ("workshop_grades", "dimensionid"),
    ("badge_criteria_param", "value"), ("badge_criteria_param", "name"),
}  # fmt: skip
_NUMBERS = re.compile(r"(\d+)")


def course_of(site: MoodleSite, shortname: str) -> Course:
    courseid = site.one("course", shortname=shortname)["id"]
    context = site.one("context", contextlevel=50, instanceid=courseid)
    return Course(courseid, context["id"], context["path"])


def content_of(site: MoodleSite, course: Course) -> dict[str, list[Row]]:
    """Return the content rows of a course, table by table."""
    moodle = MoodleDatabase(MoodleConnection(site.url, site.prefix))
    try:
        with moodle.session() as session:
            live = LiveCourse(session, load_graph(), course)
            return {table: rows for table in live.tables() if (rows := [row for b in live.rows(table) for row in b])}
    finally:
        moodle.dispose()


def pairs_of(site: MoodleSite, original: Course, copy: Course) -> Pairs:
    """Return the rows of a course beside those of its copy: both by rising id."""
    old, new = content_of(site, original), content_of(site, copy)
    if "grade_settings" not in old:
        new.pop("grade_settings")
    wrong = {
        table: (len(old.get(table, ())), len(new.get(table, ())))
        for table in sorted({*old, *new})
        if len(old.get(table, ())) != len(new.get(table, ()))
    }
    assert wrong == {}, f"numbers of rows of the course and of its copy: {wrong}"
    return {table: list(zip(rows, new[table], strict=True)) for table, rows in old.items()}


def maps_of(site: MoodleSite, pairs: Pairs, original: Course, copy: Course) -> dict[str, dict[int, int]]:
    maps = {table: {old["id"]: new["id"] for old, new in rows} for table, rows in pairs.items()}
    maps[COURSE] = {original.id: copy.id}
    maps[CONTEXT] = {original.contextid: copy.contextid}
    contexts = {(row["contextlevel"], row["instanceid"]): row["id"] for row in site.rows("context")}
    for level, table in ((70, "course_modules"), (80, "block_instances")):
        for old, new in maps.get(table, {}).items():
            if (level, old) in contexts:
                maps[CONTEXT][contexts[level, old]] = contexts[level, new]
    return maps


def differences(pairs: Pairs, maps: Maps) -> Iterator[str]:
    """Tell every column in which a copied row isn't what it should be."""
    graph = load_graph()
    for table, rows in pairs.items():
        for old, new in rows:
            for column in old:
                if (table, column) in _EMPTY and not old[column]:
                    old[column] = _EMPTY[table, column]
                if column != "id" and not _is_right(graph.tables[table], column, old, new, maps):
                    yield f"{table}.{column} {old['id']}: {old[column]!r} became {new[column]!r}"


def _is_right(table: GraphTable, column: str, old: Row, new: Row, maps: Maps) -> bool:
    before, after = old[column], new[column]
    if (table.name, column) in DECLARED or column in table.usercolumns:
        return (before is None) == (after is None) or (table.name, column) in DECLARED
    if (table.name, column) in _DEPENDING:
        return before == after or _same_but_ids(str(before), str(after), maps)
    target, how = _target(table, column)
    if target and before:
        if how == "negid":
            return after == -maps.get(target, {}).get(-before, -before)
        # Ids of what isn't in the course stay; none of it may be lost.
        return after == maps.get(target, {}).get(before, before)
    if how == "b64serialized" and before:
        return _same_but_ids(_decoded(before), _decoded(after), maps)
    return before == after or (
        isinstance(before, str) and isinstance(after, str) and _same_but_ids(before, after, maps)
    )


def _target(table: GraphTable, column: str) -> tuple[str, str]:
    for link in table.links:
        if link.fk == column and column != "id":
            return link.parent, "id"
    for reference in table.references:
        if reference.column == column:
            is_plain = reference.how in ("id", "id0", "idpos", "negid")
            return (reference.to if is_plain else ""), reference.how
    return "", ""


def _decoded(config: str) -> str:
    # Lengths of texts change with the ids in them.
    return re.sub(r"s:\d+:", "s:", base64.b64decode(config).decode())


def _same_but_ids(before: str, after: str, maps: Maps) -> bool:
    """Whether two texts differ in nothing but ids that were mapped."""
    old, new = _NUMBERS.split(before), _NUMBERS.split(after)
    return len(old) == len(new) and all(
        a == b or (place % 2 and any(ids.get(int(a)) == int(b) for ids in maps.values()))
        for place, (a, b) in enumerate(zip(old, new, strict=True))
    )
