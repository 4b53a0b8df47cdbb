"""The tables that rows of a file of courses change: those of Moodle, and two that only the overlay holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from sync.columns.survey import DateSurvey
from sync.moodle.course_content.restore.inventory import Inventory
from sync.moodle.courses.creation import NewCourse
from sync.moodle.courses.rows import CourseField
from sync.moodle.users.users import SiteRules
from sync.processors.base.course_fields import field_values
from sync.processors.base.errors import RowError
from sync.processors.base.overlay import ChangedRows, Fold, FoundRows, Overlay, Table
from sync.processors.courses.cells import CourseCells

_BY_COURSE = (("courseid",),)
# Only in the overlay: the activities and sections that are in courses.
CONTENT = Table("course content", ("courseid",), _BY_COURSE)
# Only in the overlay: the cells that earlier rows filled for courses.
CELLS = Table("course cells", ("courseid",), _BY_COURSE)


def category_table(folds: Mapping[str, Fold]) -> Table:
    """Return the categories. Shape: folds: of name and idnumber"""
    return Table("course_categories", folds=folds)


def wanted_values(
    rows: Sequence[CourseCells], fields: Mapping[str, CourseField], rules: SiteRules, dates: DateSurvey
) -> dict[int, set[str]]:
    """Return what rows put into fields whose values have to be unique; cells that a field can't take the plan rejects."""
    wanted: dict[int, set[str]] = {}
    for column, custom in fields.items():
        if not custom.is_unique:
            continue
        texts = wanted.setdefault(custom.id, set())
        for row in rows:
            if (text := row.custom_fields.get(column)) is not None:
                with suppress(RowError):
                    texts.add(str(field_values(custom, text, rules, dates.orders_of(column))["value"]))
        texts.discard("")
    return wanted


def kept_content(overlay: Overlay, courseids: Collection[int]) -> dict[int, Inventory]:
    """Return the content of courses that earlier chunks would make or bring content into: courseid -> inventory."""
    kept = overlay.over(CONTENT, {}, {("courseid",): courseids})
    return {
        courseid: Inventory(
            Counter({(kind, name): count for kind, name, count in row["activities"]}), dict(row["sections"])
        )
        for courseid, row in kept.rows.items()
    }


def foresee_content(contents: ChangedRows, courseid: int, content: Inventory, line: int) -> None:
    """Note the content that a course has once the plan is carried out."""
    activities = [[*what, count] for what, count in content.activities.items()]
    values = {"id": courseid, "activities": activities, "sections": [*map(list, content.sections.items())]}
    contents.foresee(courseid, values, line)


def content_of_new(course: NewCourse) -> Inventory:
    """Return what is in a course that is made without a template."""
    news = [("forum", course.news["name"])] if course.news else []
    return Inventory(Counter(news), {number: row.get("name") or "" for number, row in course.sections.items()})


def with_topics(content: Inventory, topics: Mapping[int, Mapping[str, Any]]) -> Inventory:
    """Return content whose sections a row names; those up to the highest number are made."""
    missing = dict.fromkeys(range(max(topics, default=-1) + 1), "")
    names = {number: values["name"] or "" for number, values in topics.items()}
    return replace(content, sections={**missing, **content.sections, **names})


def kept_cells(overlay: Overlay, courseids: Collection[int]) -> FoundRows:
    """Return the cells that rows of earlier chunks filled for courses."""
    return overlay.over(CELLS, {}, {("courseid",): courseids})


def foresee_cells(earlier_cells: ChangedRows, courseid: int, cells: Mapping[str, Any], line: int) -> None:
    """Note the cells that a row fills for a course."""
    before = earlier_cells.get(courseid) or {"cells": {}}
    texts = {name: str(value) for name, value in cells.items()}
    earlier_cells.foresee(courseid, {"id": courseid, "cells": {**before["cells"], **texts}}, line)
