"""What a course has already when content is added to it: such rows are referred to instead of inserted again.

Mirrors: a restore into an existing course (backup::TARGET_EXISTING_ADDING) of Moodle 4.1 to 5.1
Source: effects course_restore_into_existing
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.course_content.graph.content_source import CourseTarget, Row
from sync.moodle.course_content.graph.content_tables import BLOCKS
from sync.moodle.course_content.graph.graph import CourseGraph
from sync.moodle.course_content.graph.scope import Scope, paths_to, rows_on_path
from sync.moodle.db.database import MoodleSession


class _Same(NamedTuple):
    """What makes two rows of a course the same. Shape: where: (column, value) that both hold, for the others never are"""

    columns: tuple[str, ...]
    where: tuple[tuple[str, Any], ...] = ()


# Of tables whose rows hang on the course itself, or on a row that does.
_SAME: Mapping[str, _Same] = {
    "badge": _Same(("courseid", "name")),
    "block_instances": _Same(("parentcontextid", "blockname", "pagetypepattern", "subpagepattern")),
    "competency_coursecomp": _Same(("courseid", "competencyid")),
    "competency_coursecompsetting": _Same(("courseid",)),
    "contentbank_content": _Same(("contextid", "name")),
    "course_completion_aggr_methd": _Same(("course", "criteriatype")),
    "course_completion_criteria": _Same(
        ("course", "criteriatype", "module", "moduleinstance", "courseinstance", "role", "timeend", "enrolperiod")
    ),
    "course_completion_defaults": _Same(("course", "module")),
    # That of a subsection always comes anew: restore_section_structure_step::process_section().
    "course_sections": _Same(("course", "section"), (("component", None),)),
    "customfield_data": _Same(("instanceid", "fieldid")),
    "event": _Same(("courseid", "groupid", "eventtype", "name", "timestart")),
    "filter_active": _Same(("contextid", "filter")),
    "filter_config": _Same(("contextid", "filter", "name")),
    "grade_categories": _Same(("courseid",), (("depth", 1),)),
    "grade_items": _Same(("courseid",), (("itemtype", "course"),)),
    # Letters make sense together only.
    "grade_letters": _Same(("contextid",)),
    "grade_outcomes": _Same(("courseid", "shortname")),
    "grade_outcomes_courses": _Same(("courseid", "outcomeid")),
    "groupings": _Same(("courseid", "name")),
    "groupings_groups": _Same(("groupingid", "groupid")),
    "groups": _Same(("courseid", "name")),
    "lti_types": _Same(("course", "name", "baseurl")),
    "question_categories": _Same(("contextid",), (("parent", 0),)),
    "role_capabilities": _Same(("contextid", "roleid", "capability")),
    "role_names": _Same(("contextid", "roleid")),
    "scale": _Same(("courseid", "name", "scale")),
}
# Blocks of which a page may have several. Source: instance_allow_multiple()
_BLOCKS_ALLOWED_TWICE = frozenset((
    "activity_results", "badges", "blog_menu", "blog_tags", "html", "mentees", "rss_client", "tag_flickr", "tag_youtube",
    "tags",
))  # fmt: skip


class ExistingRows:
    """The rows of courses that content is added to.

    Queries: one for each table that both have rows in; none where content goes into new courses only
    """

    def __init__(self, session: MoodleSession, content: CourseGraph, targets: Sequence[CourseTarget]) -> None:
        self._session = session
        self._content = content
        filled = [target for target in targets if target.is_filled]
        self._scope = Scope(
            tuple(sorted(target.courseid for target in filled)), tuple(sorted(target.contextid for target in filled))
        )
        self._ids: dict[str, dict[tuple[Any, ...], int]] = {}
        self._taken: dict[str, set[tuple[Any, ...]]] = {}

    def find(self, table: str, row: Row) -> int | None:
        """Return the id of the row that is there and means the same; None for a row that has to be inserted."""
        same = _SAME.get(table)
        if same is None or any(row.get(column) != value for column, value in self._conditions(table, same)):
            return None
        if table not in self._ids:
            self._ids[table] = self._fetch(table, same)
        # Of blocks that may stand there twice only one that is set up alike is the same.
        key = tuple(row.get(column) for column in same.columns)
        return self._ids[table].get((*key, row.get("configdata")) if _is_allowed_twice(table, row) else key)

    def with_own_names(self, table: str, row: Row) -> Row:
        """Return a question category another stamp and no idnumber where the course has one with the same."""
        if table != "question_categories":
            return row
        new = dict(row)
        if self._is_taken("stamp", row):
            new["stamp"] = f"toolsync+{secrets.token_hex(10)}"
        if row.get("idnumber") and self._is_taken("idnumber", row):
            new["idnumber"] = None
        return new

    def file_hashes(self, hashes: Collection[str]) -> set[str]:
        """Return those of the hashes of paths under which there is a file. Queries: one"""
        files = self._session.table("files")
        found = self._session.fetch(
            sa.select(files.c.pathnamehash).where(self._session.in_clause(files.c.pathnamehash, sorted(hashes)))
        )
        return {pathnamehash for (pathnamehash,) in found}

    def _fetch(self, name: str, same: _Same) -> dict[tuple[Any, ...], int]:
        table = self._session.table(name)
        columns = [table.c[column] for column in same.columns]
        ways = [
            sa.and_(*rows_on_path(self._session, name, path, self._scope))
            for path in paths_to(self._content, self._content.tables[name])
        ]
        conditions = (table.c[column] == value for column, value in self._conditions(name, same))
        statement = sa.select(table).where(sa.or_(*ways), *conditions)
        found: dict[tuple[Any, ...], int] = {}
        for row in self._session.fetch(statement.order_by(table.c.id.desc())):
            values = row._mapping
            key = tuple(values[column.name] for column in columns)
            found[(*key, values["configdata"]) if _is_allowed_twice(name, values) else key] = values["id"]
        return found

    def _conditions(self, table: str, same: _Same) -> list[tuple[str, Any]]:
        """Return the conditions about columns that this Moodle has."""
        columns = self._session.table(table).c
        return [(column, value) for column, value in same.where if column in columns]

    def _is_taken(self, column: str, row: Row) -> bool:
        if column not in self._taken:
            category = self._session.table("question_categories")
            found = self._session.fetch(
                sa.select(category.c.contextid, category.c[column]).where(
                    self._session.in_clause(category.c.contextid, self._scope.contextids)
                )
            )
            self._taken[column] = {tuple(each) for each in found}
        return (row["contextid"], row.get(column)) in self._taken[column]


def is_compared(table: str) -> bool:
    """Tell whether the rows of a table are looked for one by one."""
    return table in _SAME


def _is_allowed_twice(table: str, row: Mapping[str, Any]) -> bool:
    return table == BLOCKS and row["blockname"] in _BLOCKS_ALLOWED_TWICE
