"""What a check of a Moodle's content is, and how it is made: it finds the rows that can't be right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.course_content.graph.scope import Scope, inline
from sync.moodle.db.database import MoodleSession, translated_errors
from sync.moodle.files.file_pool import FilePool

# How many ids a finding names.
SHOWN = 5
# Few enough that a slow storage of files is asked for them before the server gives up on us (net_write_timeout, 60 s).
_ROWS_AT_A_TIME = 500
# Where a table keeps the further names that queries use it by.
_NAMES = "names_for_checks"


class IntegrityLevel(StrEnum):
    """Whether a finding is a fault, or something that Moodle itself leaves behind."""

    ERROR = "error"
    NOTE = "note"


class IntegrityFinding(NamedTuple):
    """Rows of one table that a check blames.

    Shape: code: of `sync.messages`; table: with its prefix; rows: how many; ids: the first few
    """

    level: IntegrityLevel
    code: str
    table: str
    rows: int
    ids: tuple[int, ...]

    def plus(self, other: IntegrityFinding) -> IntegrityFinding:
        """Join what the same check found of another type of activity."""
        return self._replace(rows=self.rows + other.rows, ids=tuple(sorted((*self.ids, *other.ids))[:SHOWN]))


class CheckContext:
    """What is looked at: one Moodle, or some of its courses.

    Shape: scope: the courses; none = the whole site; pool: where Moodle's files are, none = not known
    """

    def __init__(self, session: MoodleSession, scope: Scope | None = None, pool: FilePool | None = None) -> None:
        self.session = session
        self.scope = scope
        self.pool = pool
        self._in_use: Counter[str] = Counter()
        modules = session.table("modules")
        # Those whose table is gone are told by `course_module_type_unknown`.
        self.modules: dict[str, int] = {
            name: moduleid
            for name, moduleid in session.fetch(sa.select(modules.c.name, modules.c.id).order_by(modules.c.name))
            if session.database.has_table(name)
        }

    def has(self, table: str) -> bool:
        return self.session.database.has_table(table)

    def table(self, name: str) -> sa.FromClause:
        """Return a table under a name of its own, so that a query may use it several times.

        The names are kept with the table and taken again by the next check: a name has a copy of every column, and to make
        these anew for each of hundreds of checks took half of all the time.
        """
        table = self.session.table(name)
        names: list[sa.FromClause] = table.info.setdefault(_NAMES, [])
        place = self._in_use[name]
        self._in_use[name] += 1
        if place >= len(names):
            names.append(table.alias())
        return names[place]

    def begin_check(self) -> None:
        """Let the next check take the names of tables that those before it had."""
        self._in_use.clear()

    def courses(self, column: sa.ColumnElement[Any]) -> list[sa.ColumnElement[bool]]:
        """Return the condition that a column holds one of the courses; none for the whole site."""
        return [] if self.scope is None else [column.in_(inline(self.scope.courseids))]

    def contexts(self, column: sa.ColumnElement[Any]) -> list[sa.ColumnElement[bool]]:
        """Return the condition that a column holds a context of one of the courses; none for the whole site."""
        return [] if self.scope is None else [column.in_(inline(self.scope.contextids))]

    def stream(self, statement: sa.Executable) -> Iterator[Any]:
        """Read rows without holding them all. Read them to the end before the next query."""
        with translated_errors():
            yield from self.session.connection.execute(
                statement, execution_options={"yield_per": _ROWS_AT_A_TIME, "stream_results": True}
            )


Found = sa.Select[Any] | sa.CompoundSelect[Any] | Iterable[int]


@dataclass(frozen=True)
class Check:
    """One thing that must be so.

    Shape: table: whose rows are blamed, without prefix; find: a SELECT of the ids that are wrong, or the ids themselves
    where SQL alone can't tell; needs: other tables, without one of which there is nothing to check; of_site: can't be told
    for single courses; of_pool: looks at the contents of files
    """

    code: str
    table: str
    find: Callable[[CheckContext], Found]
    needs: tuple[str, ...] = ()
    of_site: bool = False
    of_pool: bool = False
    level: IntegrityLevel = IntegrityLevel.ERROR

    def is_for(self, look: CheckContext) -> bool:
        """Tell whether the check can be made there."""
        if (self.of_site and look.scope is not None) or (self.of_pool and look.pool is None):
            return False
        return all(map(look.has, (self.table, *self.needs)))

    def make(self, look: CheckContext) -> IntegrityFinding | None:
        """Return what is wrong. Queries: at most two, or what `find` makes"""
        look.begin_check()
        found = self.find(look)
        if isinstance(found, sa.SelectBase):
            count, ids = _ask(look.session, found)
        else:
            count, ids = _count(found)
        return (
            IntegrityFinding(self.level, self.code, look.session.database.prefix + self.table, count, ids)
            if count
            else None
        )


def lacks(parent: sa.FromClause, *conditions: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    """Return the condition that a row has no row of another table."""
    return ~sa.exists(sa.select(sa.literal_column("1")).select_from(parent).where(*conditions))


def as_text(rowid: sa.ColumnElement[int]) -> sa.ColumnElement[str]:
    """Return an id as a part of a path.

    Servers turn numbers into text by themselves where texts are joined. What a CAST gives has the collation of the
    connection on MariaDB and MySQL, which they refuse to compare with a column of another one.
    """
    return sa.type_coerce(rowid, sa.String)


def dangling(
    code: str, table: str, column: str, parent: str, *, course: str = "", context: str = "", optional: bool = False
) -> Check:
    """Declare that a column refers to rows that are there.

    Shape: course, context: the column that tells to what course or context a row belongs; optional: 0 and NULL are no
    reference
    """

    def find(look: CheckContext) -> sa.Select[Any]:
        child, other = look.table(table), look.table(parent)
        reference = child.c[column]
        return sa.select(child.c.id).where(
            lacks(other, other.c.id == reference),
            *([reference > 0] if optional else []),
            *(look.courses(child.c[course]) if course else []),
            *(look.contexts(child.c[context]) if context else []),
        )

    return Check(code, table, find, (parent,), of_site=not (course or context))


def _ask(session: MoodleSession, found: sa.Select[Any] | sa.CompoundSelect[Any]) -> tuple[int, tuple[int, ...]]:
    wrong = found.subquery()
    rowid = wrong.c[0]
    ids = [row[0] for row in session.fetch(sa.select(rowid).distinct().order_by(rowid).limit(SHOWN + 1))]
    if len(ids) <= SHOWN:
        return len(ids), tuple(ids)
    return session.fetch(sa.select(sa.func.count(rowid.distinct())))[0][0], tuple(ids[:SHOWN])


def _count(found: Iterable[int]) -> tuple[int, tuple[int, ...]]:
    count, ids = 0, []
    for rowid in found:
        count += 1
        if count <= SHOWN:
            ids.append(rowid)
    return count, tuple(ids)
