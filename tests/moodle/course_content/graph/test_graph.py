"""The course graph is sound, and true of every captured version."""

from __future__ import annotations

import pytest

from sync.errors import MoodleSchemaError
from sync.moodle.course_content.graph.graph import CONTEXT, COURSE, Kind, load_graph
from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from sync.moodle.schemas import load_schema
from sync.moodle.versions import CAPTURED
from tests.moodle_sites import MoodleSite

GRAPH = load_graph()


def test_children_go_before_their_parents() -> None:
    place = {name: at for at, name in enumerate((*GRAPH.delete_order, COURSE, CONTEXT))}

    for table in GRAPH.tables.values():
        for link in table.links:
            assert place[table.name] < place[link.parent], table.name


@pytest.mark.parametrize("version", CAPTURED)
def test_every_link_and_reference_is_a_column_of_the_version(version: str) -> None:
    tables = load_schema(version).tables
    for table in GRAPH.tables.values():
        if table.name in tables:
            columns = {column.name for column in tables[table.name].columns}
            named = {link.fk for link in table.links} | {
                column for link in table.links for column, _value in link.where
            }
            assert named <= columns, table.name


@pytest.mark.parametrize("version", CAPTURED)
def test_every_table_of_an_installed_activity_is_in_the_graph(version: str) -> None:
    """An activity's own tables begin with its name: none may be forgotten."""
    forgotten = {
        name
        for name in load_schema(version).tables
        for module in GRAPH.modules
        if name.startswith(f"{module}_") and name not in GRAPH.tables
    }

    assert forgotten == set()


def test_a_column_that_is_not_there_stops_the_run_before_anything_is_written(sqlite_site: MoodleSite) -> None:
    database = MoodleDatabase(MoodleConnection(sqlite_site.url, sqlite_site.prefix))
    with database.session() as session:
        GRAPH.check(session)
        del database._tables["forum"]
        wrong = database.table("page").to_metadata(database._metadata, name="mdl_forum_wrong")
        database._tables["forum"] = wrong
        database._tables["forum_posts"] = wrong
        with pytest.raises(MoodleSchemaError, match="forum_posts"):
            GRAPH.check(session)
    database.dispose()


def test_nothing_of_the_site_or_of_the_history_goes() -> None:
    kinds = {table.kind for table in GRAPH.of_course()}

    assert kinds.isdisjoint({Kind.SITE, Kind.HISTORY})
    assert {"badge", "badge_issued", "enrol_paypal"}.isdisjoint(table.name for table in GRAPH.of_course())
