"""Texts that are replaced in what was just brought into new courses: a template's placeholders, filled for each copy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import Writer

# What is replaced of a course and its sections.
_OF_COURSE, _OF_SECTION = ("summary",), ("name", "summary")
# Of an activity everything that is text, but for words of Moodle's own.
_NO_TEXTS = frozenset((
    "type", "display", "displayoptions", "format", "lang", "reference", "sha1hash", "md5hash", "version",
    # Serialised, with the lengths of texts in it: of imscp, url, lesson, and meetings.
    "structure", "parameters", "conditions", "config", "participants",
))  # fmt: skip


class TextReplacement(NamedTuple):
    """A text that takes the place of another one, of {another} and of {{another}}.

    Shape: section: only in the section of this number; column: of it, "" = name and summary; activities: only in activities with
    one of these idnumbers; without any of them everywhere: the summary of the course, its sections, its activities
    """

    text: str
    by: str
    section: int | None = None
    column: str = ""
    activities: frozenset[str] = frozenset()

    @property
    def is_everywhere(self) -> bool:
        return self.section is None and not self.activities

    def applied(self, text: str) -> str:
        """Return a text with the replacement made in it."""
        wanted = re.escape(self.text)
        return re.sub(rf"\{{\{{\s*+{wanted}\s*+\}}\}}|\{{{wanted}\}}|{wanted}", lambda _found: self.by, text)


def replace_texts(writer: Writer, wanted: Mapping[int, Sequence[TextReplacement]]) -> None:
    """Replace texts in courses that were made in the same transaction. Shape: wanted: course id -> in this order

    Queries: two, one for the activities, and two for each kind of activity that a course has; one for each combination of
    columns that change
    """
    wanted = {courseid: replacements for courseid, replacements in wanted.items() if replacements}
    if not wanted:
        return
    changes: dict[tuple[str, tuple[str, ...]], dict[int, dict[str, Any]]] = {}
    for table, rowid, values in _changed(writer, wanted):
        if values:
            changes.setdefault((table, tuple(values)), {})[rowid] = values
    for (table, _columns), by_id in changes.items():
        writer.complete_many(table, by_id)


def _changed(
    writer: Writer, wanted: Mapping[int, Sequence[TextReplacement]]
) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Return what changes. Shape: table, id, column -> text"""
    moodle = writer.session
    course, section = moodle.table("course"), moodle.table("course_sections")
    for row in moodle.fetch(sa.select(course).where(moodle.in_clause(course.c.id, wanted))):
        here = [each for each in wanted[row.id] if each.is_everywhere]
        yield "course", row.id, _replaced(row._mapping, _OF_COURSE, here)
    for row in moodle.fetch(sa.select(section).where(moodle.in_clause(section.c.course, wanted))):
        # The number of a subsection's own section is none that people see.
        number = None if row._mapping.get("component") else row.section
        here = [
            each for each in wanted[row.course] if each.is_everywhere or (number is not None and each.section == number)
        ]
        for column in _OF_SECTION:
            of_column = [each for each in here if each.column in ("", column)]
            yield "course_sections", row.id, _replaced(row._mapping, (column,), of_column)
    cm, module = moodle.table("course_modules"), moodle.table("modules")
    statement = (
        sa.select(cm.c.course, cm.c.instance, cm.c.idnumber, module.c.name)
        .select_from(cm.join(module, module.c.id == cm.c.module))
        .where(moodle.in_clause(cm.c.course, wanted))
    )
    by_module: dict[str, dict[int, list[TextReplacement]]] = {}
    for row in moodle.fetch(statement):
        here = [each for each in wanted[row.course] if each.is_everywhere or (row.idnumber or "") in each.activities]
        if here:
            by_module.setdefault(row.name, {})[row.instance] = here
    for name, by_instance in by_module.items():
        table = moodle.table(name)
        columns = [
            column.name for column in table.c if isinstance(column.type, sa.String) and column.name not in _NO_TEXTS
        ]
        for row in moodle.fetch(sa.select(table).where(moodle.in_clause(table.c.id, by_instance))):
            yield name, row.id, _replaced(row._mapping, columns, by_instance[row.id])
    yield from _changed_grades(moodle, by_module)


def _changed_grades(
    moodle: MoodleSession, by_module: Mapping[str, Mapping[int, Sequence[TextReplacement]]]
) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Return the changes of the names that activities have in the gradebook: Moodle takes them from the activities' own."""
    item = moodle.table("grade_items")
    for name, by_instance in by_module.items():
        statement = sa.select(item.c.id, item.c.iteminstance, item.c.itemname).where(
            item.c.itemtype == "mod", item.c.itemmodule == name, moodle.in_clause(item.c.iteminstance, by_instance)
        )
        for row in moodle.fetch(statement):
            yield "grade_items", row.id, _replaced(row._mapping, ("itemname",), by_instance[row.iteminstance])


def _replaced(
    row: Mapping[Any, Any], columns: Sequence[str], replacements: Sequence[TextReplacement]
) -> dict[str, Any]:
    changed = {}
    for column in columns:
        before = after = row[column]
        for replacement in replacements if isinstance(before, str) else ():
            after = replacement.applied(after)
        if after != before:
            changed[column] = after
    return changed
