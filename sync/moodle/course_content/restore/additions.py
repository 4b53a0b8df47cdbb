"""Rows that no archive holds, and that a restored course can't do without.

Source: spec backup_format.md sections 6, 7 and 9; ids begin at FIRST_ID, what they refer to is named by old ids
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sync.moodle.course_content.backup.content import ArchivedContent
from sync.moodle.course_content.graph.content_source import Row
from sync.moodle.course_content.restore.backup_facts import rows_of
from sync.moodle.course_content.restore.question_banks import FIRST_ID
from sync.moodle.course_content.restore.rows import Facts, number_of

# Moodle's own default for totals, "natural". Source: GRADE_AGGREGATE_SUM
_SUM = 13
# How many sections may be missing between two; more than a course has are no gap but a mistake.
_MOST_SECTIONS = 1_000


def added_rows(archive: ArchivedContent, facts: Facts, aggregation: int = _SUM) -> dict[str, list[Row]]:
    """Return what is added, table by table. Shape: aggregation: of a gradebook that isn't in the archive"""
    rows: dict[str, list[Row]] = {table: [row] for table, row in facts.banks.bank.items()}
    for table, add in _ADDED.items():
        rows.setdefault(table, []).extend(add(archive, facts))
    categories, items = _gradebook(archive, facts, aggregation)
    rows |= {"grade_categories": categories, "grade_items": items}
    for added in rows.values():
        for number, row in enumerate(added):
            row.setdefault("id", FIRST_ID + number)
    return {table: added for table, added in rows.items() if added}


def _sections(archive: ArchivedContent, facts: Facts) -> list[Row]:
    """The numbers of sections have no gaps."""
    numbers = {number_of(row.get("section")) for row in rows_of(archive, "course_sections")}
    missing = set(range(min(max(numbers, default=0), _MOST_SECTIONS))) - numbers
    empty = {"course": facts.courseid, "name": None, "summary": "", "summaryformat": 1, "sequence": "", "visible": 1}
    if not numbers:
        missing = {0}
    return [{**empty, "section": number, "component": None, "itemid": None} for number in sorted(missing)]


def _quiz_sections(archive: ArchivedContent, _facts: Facts) -> list[Row]:
    """Every quiz has a section."""
    having = {number_of(row.get("quizid")) for row in rows_of(archive, "quiz_sections")}
    quizzes = [row["id"] for row in rows_of(archive, "quiz") if row["id"] not in having]
    return [{"quizid": quiz, "firstslot": 1, "heading": "", "shufflequestions": 0} for quiz in quizzes]


def _gradebook(archive: ArchivedContent, facts: Facts, aggregation: int) -> tuple[list[Row], list[Row]]:
    """Return the total of the course and its category, of a gradebook whose frame isn't in the archive."""
    if "grade_items" not in archive.tables() or any(
        not number_of(row.get("parent")) for row in rows_of(archive, "grade_categories")
    ):
        return [], []
    times = {"timecreated": facts.now, "timemodified": facts.now}
    category: dict[str, Any] = {
        "id": FIRST_ID, "courseid": facts.courseid, "parent": None, "depth": 1, "path": f"/{FIRST_ID}/", "fullname": "?",
        "aggregation": aggregation, "aggregateonlygraded": 1, **times,
    }  # fmt: skip
    total = {
        "id": FIRST_ID, "courseid": facts.courseid, "categoryid": None, "itemtype": "course", "itemmodule": None,
        "iteminstance": FIRST_ID, "gradetype": 1, "grademax": 100, "grademin": 0, **times,
    }  # fmt: skip
    return [category], [total]


_ADDED: dict[str, Callable[[ArchivedContent, Facts], list[Row]]] = {
    "course_sections": _sections,
    "quiz_sections": _quiz_sections,
}
