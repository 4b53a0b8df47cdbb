"""Tables of a real Moodle that the course graph doesn't name, although rows of courses or users may stand in them.

A newer Moodle, or a plugin, may have such tables: what is deleted, reset or copied without them is not done whole.
"""

from __future__ import annotations

from collections.abc import Mapping

import sqlalchemy as sa

from sync.moodle.course_content.graph.graph import TELLING_COLUMNS, CourseGraph
from sync.moodle.db.database import MoodleSession


def fetch_unknown_tables(session: MoodleSession, graph: CourseGraph) -> tuple[str, ...]:
    """Return the tables, with prefix, that the graph doesn't name although it should; () where everything is known.

    They are those of activities that the graph knows, and those with telling columns. Activities that it doesn't know are
    seen to course by course (`delete.unknown_plugins`), and tables that the operator has named are left alone.
    Queries: three for a database, whatever it is asked for later
    """
    database = session.database
    if database.telling_columns is None:
        database.telling_columns = _fetch_telling_columns(session)
    modules = session.modules
    left_alone = frozenset(database.settings.tables_left_alone)
    unknown = {name for name, columns in database.telling_columns.items() if not columns <= graph.names_in(name)}
    known_modules = modules & graph.modules
    unknown |= {name for name in database.table_names if not graph.knows(name) and _is_of(name, known_modules)}
    foreign = modules - graph.modules
    return tuple(
        sorted(database.prefix + name for name in unknown if name not in left_alone and not _is_of(name, foreign))
    )


def _fetch_telling_columns(session: MoodleSession) -> Mapping[str, frozenset[str]]:
    database = session.database
    statement = sa.text(session.capabilities.columns_query).bindparams(
        sa.bindparam("names", sorted(TELLING_COLUMNS), expanding=True)
    )
    found: dict[str, set[str]] = {}
    for table, column in session.ask(statement):
        name = str(table).removeprefix(database.prefix)
        if str(table).startswith(database.prefix) and name in database.table_names:
            found.setdefault(name, set()).add(str(column).lower())
    return {name: frozenset(columns) for name, columns in found.items()}


def _is_of(table: str, modules: frozenset[str]) -> bool:
    """Return whether a table is one of some activities or of their own plugins: quiz, quiz_slots, quizaccess_seb_quizsettings."""
    return table in modules or any(table.startswith(module) and "_" in table[len(module) :] for module in modules)
