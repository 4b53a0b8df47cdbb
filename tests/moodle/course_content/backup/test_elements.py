"""The elements of backups lead to tables and columns that Moodle has."""

from __future__ import annotations

from collections.abc import Iterator

from sync.moodle.course_content.backup.elements import Element, Node, known_modules, load_elements
from sync.moodle.course_content.graph.content_tables import content_graph
from sync.moodle.course_content.graph.graph import load_graph
from sync.moodle.schemas import load_schema
from sync.moodle.versions import CAPTURED

# Read for what they say, not to be inserted.
_NOT_PLANTED = {"course", "files", "role"}
# By these custom fields are found; no version before 5.1 has such columns.
_OF_FIELDS = {"component", "area"}


def elements() -> Iterator[Element]:
    def of(node: Node) -> Iterator[Element]:
        if node.element:
            yield node.element
        for child in node.children.values():
            yield from of(child)

    for root in load_elements().values():
        yield from of(root)


def test_every_table_goes_into_a_copy_of_a_course() -> None:
    tables = {element.table for element in elements() if element.table}
    tables |= {element.further.table for element in elements() if element.further}

    assert tables - _NOT_PLANTED <= set(content_graph(load_graph()).tables)


def test_every_activity_of_moodle_can_be_read() -> None:
    assert known_modules() == load_graph().modules - {"assignment"}


def test_what_is_filled_in_and_renamed_are_columns_of_some_version() -> None:
    columns: dict[str, set[str]] = {}
    for version in CAPTURED:
        for name, table in load_schema(version).tables.items():
            columns.setdefault(name, set()).update(column.name for column in table.columns)

    wrong = {
        (element.table, column)
        for element in elements()
        if element.table
        for column in (*element.fills, *element.renamed.values(), *element.only, *element.never)
        if column not in columns[element.table]
    }
    wrong |= {
        (element.further.table, column)
        for element in elements()
        if element.further
        for column in element.further.fills
        if column not in columns[element.further.table]
    }

    assert {
        (table, column) for table, column in wrong if table != "customfield_data" or column not in _OF_FIELDS
    } == set()


def test_every_table_that_is_told_something_encloses_the_one_that_tells() -> None:
    """ "questionid" of a version is known once the question within begins."""
    tells = {(element.table, *told) for element in elements() for told in element.tells.items()}

    assert tells == {("question", "question_versions", "questionid")}
