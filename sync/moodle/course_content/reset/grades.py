"""Gradebooks of courses that are reset.

Mirrors: grade_course_reset(), remove_course_grades() and what follows them; spec courses.md section 4.3
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from sync.moodle.course_content.delete.delete import delete_gradebooks
from sync.moodle.course_content.graph.graph import CourseGraph
from sync.moodle.courses.courses import Course
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import RowChange, Writer
from sync.moodle.files.files import DeletedFiles
from sync.moodle.grades.grades import see_to_deleted_grades

# What teachers have changed about a grade that its activity has given.
_UNTOUCHED = {"hidden": 0, "locked": 0, "locktime": 0, "overridden": 0, "excluded": 0}
# Source: GRADE_AGGREGATE_SUM, GRADE_TYPE_NONE in Moodle's lib/grade/constants.php
_SUM, _NO_GRADES = 13, 0
# A grade item as an activity makes it: what people have set in the gradebook is gone.
_FRESH = {
    "calculation": None, "outcomeid": None, "aggregationcoef": 0, "aggregationcoef2": 0, "weightoverride": 0, "hidden": 0,
    "locked": 0, "locktime": 0, "display": 0, "decimals": None, "multfactor": 1, "plusfactor": 0, "gradepass": 0,
}  # fmt: skip
_OUTCOMES_FROM = 1000

_Row = dict[str, Any]


@dataclass
class GradeCounts:
    """Grades of courses. Shape: changed: courseid -> those that their activities wouldn't give just so; given: (courseid,
    module) -> all grades; unchanged: (courseid, module) -> those that would come back as they are; kept: the same -> those that
    would come back at all
    """

    changed: Counter[int] = field(default_factory=Counter)
    given: Counter[tuple[int, str]] = field(default_factory=Counter)
    unchanged: Counter[tuple[int, str]] = field(default_factory=Counter)
    kept: Counter[tuple[int, str]] = field(default_factory=Counter)

    def take(self, courseid: int, wiped: Collection[str], *, are_set_back: bool) -> None:
        """Count as if an earlier reset had been carried out. Shape: wiped: the activities whose grades it took"""
        for module in {module for course, module in self.given if course == courseid}:
            place = courseid, module
            if module in wiped:
                self.changed[courseid] -= self.given[place] - self.unchanged[place]
                self.given[place] = self.unchanged[place] = 0
            elif are_set_back:
                self.given[place] = self.unchanged[place] = self.kept[place]
        if are_set_back:
            self.changed[courseid] = 0


def count_grades(
    session: MoodleSession, courseids: Collection[int], without: Mapping[int, Collection[int]] | None = None
) -> GradeCounts:
    """Count grades. Shape: without: courseid -> people whose grades count no more. Queries: one; none without courses"""
    counts = GradeCounts()
    if not courseids:
        return counts
    grade, item = session.table("grade_grades"), session.table("grade_items")
    as_given = sa.case((_is_as_given(grade, item), 1), else_=0)
    stays = sa.case((sa.and_(item.c.itemtype == "mod", grade.c.rawgrade.is_not(None)), 1), else_=0)
    module = sa.func.coalesce(item.c.itemmodule, "")
    statement = (
        sa.select(item.c.courseid, module, as_given, stays, sa.func.count())
        .join(item, item.c.id == grade.c.itemid)
        .where(session.in_clause(item.c.courseid, sorted(courseids)))
        .group_by(item.c.courseid, module, as_given, stays)
    )
    for courseid, userids in (without or {}).items():
        if userids:
            statement = statement.where(sa.or_(item.c.courseid != courseid, grade.c.userid.not_in(sorted(userids))))
    for courseid, name, is_as_given, does_stay, count in session.fetch(statement):
        counts.kept[courseid, name] += count * does_stay
        counts.given[courseid, name] += count
        if is_as_given:
            counts.unchanged[courseid, name] += count
        else:
            counts.changed[courseid] += count
    return counts


def wipe_grades(writer: Writer, modules: Mapping[int, Collection[str]], *, now: int) -> DeletedFiles:
    """Delete the grades of some activities; Moodle reckons the totals anew. Shape: modules: courseid -> names"""
    rows = _fetch_grades(writer.session, modules)
    gone = [grade for item, grade in rows if item["itemmodule"] in modules[item["courseid"]]]
    return _delete(writer, gone, now=now)


def set_grades_back(writer: Writer, modules: Mapping[int, Collection[str]], *, now: int) -> DeletedFiles:
    """Leave of all grades those that activities have given, as they gave them.

    Moodle deletes all and has the activities give theirs again; here such a row stays.
    Shape: modules: courseid -> activities whose grades go with what people have done in them
    """
    gone: list[_Row] = []
    changes: list[RowChange] = []
    changed: set[int] = set()
    for item, grade in _fetch_grades(writer.session, modules):
        is_given = item["itemtype"] == "mod" and grade["rawgrade"] is not None
        if not is_given or item["itemmodule"] in modules[item["courseid"]]:
            gone.append(grade)
            continue
        after = {
            name: value
            for name, value in {**_UNTOUCHED, "finalgrade": grade["rawgrade"]}.items()
            if grade[name] != value
        }
        if after:
            changes.append(RowChange(grade["id"], {name: grade[name] for name in after}, after))
            changed.add(item["id"])
    writer.update_many("grade_grades", changes)
    _regrade(writer, changed)
    return _delete(writer, gone, now=now)


def renew_gradebooks(writer: Writer, graph: CourseGraph, courses: Sequence[Course], *, now: int) -> DeletedFiles:
    """Make gradebooks anew, with the items of the activities and the grades that these have given.

    Units: now: seconds since epoch
    """
    session = writer.session
    grades = _fetch_grades(session, {course.id: () for course in courses})
    items = _fetch_items(session, courses)
    scales = session.table("scale")
    of_courses = {
        scaleid
        for (scaleid,) in session.fetch(
            sa.select(scales.c.id).where(session.in_clause(scales.c.courseid, [course.id for course in courses]))
        )
    }
    files = delete_gradebooks(writer, graph, courses, now=now)
    roots = _make_roots(writer, sorted({item["courseid"] for item in items}), now=now)
    new, place = [], Counter[int]()
    for item in items:
        if item["itemtype"] != "mod" or (item["itemnumber"] or 0) >= _OUTCOMES_FROM:
            continue
        place[item["courseid"]] += 1
        scale = {"gradetype": _NO_GRADES, "scaleid": None} if item["scaleid"] in of_courses else {}
        fresh = {
            **item, **_FRESH, **scale, "categoryid": roots[item["courseid"]], "sortorder": 1 + place[item["courseid"]],
            "needsupdate": 1, "timecreated": now, "timemodified": now,
        }  # fmt: skip
        new.append((item["id"], {name: value for name, value in fresh.items() if name != "id"}))
    ids = dict(
        zip((old for old, _row in new), writer.insert_in_order("grade_items", [row for _old, row in new]), strict=True)
    )
    given = [
        {**grade, **_UNTOUCHED, "itemid": ids[item["id"]], "finalgrade": grade["rawgrade"]}
        for item, grade in grades
        if item["id"] in ids and grade["rawgrade"] is not None
    ]
    rows = [{name: value for name, value in grade.items() if name != "id"} for grade in given]
    writer.insert_many("grade_grades", rows, ("itemid", "userid"))
    return files


def _is_as_given(grade: sa.Table, item: sa.Table) -> sa.ColumnElement[bool]:
    return sa.and_(
        item.c.itemtype == "mod",
        grade.c.rawgrade.is_not(None),
        grade.c.finalgrade == grade.c.rawgrade,
        *(grade.c[name] == value for name, value in _UNTOUCHED.items()),
    )


def _fetch_items(session: MoodleSession, courses: Sequence[Course]) -> list[_Row]:
    item = session.table("grade_items")
    statement = sa.select(item).where(session.in_clause(item.c.courseid, [course.id for course in courses]))
    return [
        dict(row._mapping) for row in session.fetch(statement.order_by(item.c.courseid, item.c.sortorder, item.c.id))
    ]


def _fetch_grades(session: MoodleSession, courseids: Collection[int]) -> list[tuple[_Row, _Row]]:
    """Return the grades of courses, each with what is to be known of its item."""
    grade, item = session.table("grade_grades"), session.table("grade_items")
    about = ("id", "courseid", "itemtype", "itemmodule")
    statement = (
        sa.select(*(item.c[name].label(f"item_{name}") for name in about), grade)
        .join(item, item.c.id == grade.c.itemid)
        .where(session.in_clause(item.c.courseid, sorted(courseids)))
        .order_by(grade.c.itemid, grade.c.id)
    )
    names = grade.c.keys()
    return [
        (dict(zip(about, row[: len(about)], strict=True)), dict(zip(names, row[len(about) :], strict=True)))
        for row in session.fetch(statement)
    ]


def _delete(writer: Writer, gone: Sequence[_Row], *, now: int) -> DeletedFiles:
    writer.delete_many("grade_grades", gone)
    _regrade(writer, {grade["itemid"] for grade in gone})
    return see_to_deleted_grades(writer, gone, now=now, source="reset")


def _regrade(writer: Writer, itemids: Collection[int]) -> None:
    """Have Moodle reckon grade items anew, and the totals of their courses."""
    if not itemids:
        return
    session = writer.session
    item = session.table("grade_items")
    of_courses = sa.select(item.c.courseid).where(session.in_clause(item.c.id, sorted(itemids)))
    concerned = sa.or_(
        session.in_clause(item.c.id, sorted(itemids)),
        sa.and_(item.c.itemtype == "course", item.c.courseid.in_(of_courses)),
    )
    statement = sa.select(item.c.id, item.c.needsupdate).where(concerned, item.c.needsupdate != 1).order_by(item.c.id)
    writer.update_many(
        "grade_items",
        [RowChange(row.id, {"needsupdate": row.needsupdate}, {"needsupdate": 1}) for row in session.fetch(statement)],
    )


def _make_roots(writer: Writer, courseids: Sequence[int], *, now: int) -> dict[int, int]:
    """Make the category and the item that stand for each course. Shape: courseid -> category"""
    config = writer.session.config
    aggregation = config.get("grade_aggregation", "")
    times = {"timecreated": now, "timemodified": now}
    ids = writer.insert_in_order(
        "grade_categories",
        [
            {
                "courseid": courseid, "parent": None, "depth": 1, "path": "", "fullname": "?",
                "aggregation": int(aggregation) if aggregation.isdecimal() else _SUM, "keephigh": 0, "droplow": 0,
                "aggregateonlygraded": 1, "aggregateoutcomes": 0, "hidden": 0, **times,
            }
            for courseid in courseids
        ],
    )  # fmt: skip
    writer.complete_many("grade_categories", {rowid: {"path": f"/{rowid}/"} for rowid in ids})
    roots = dict(zip(courseids, ids, strict=True))
    writer.insert_in_order(
        "grade_items",
        [
            {
                "courseid": courseid,
                "itemtype": "course",
                "iteminstance": rowid,
                "sortorder": 1,
                "needsupdate": 1,
                **times,
            }
            for courseid, rowid in roots.items()
        ],
    )
    return roots
