"""Third-party plugins become known by their install.xml."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from sync.errors import DeclarationError
from sync.moodle.course_content.graph.graph import Kind, load_graph
from sync.moodle.course_content.graph.plugins import with_description
from sync.processors.base import course_deletion
from sync.processors.course_lists import delete
from tests.moodle_sites import MoodleSite
from tests.support import run_file

DIARY = """<?xml version="1.0"?>
<XMLDB PATH="mod/diary/db" VERSION="2025010100">
  <TABLES>
    <TABLE NAME="diary_remarks"><FIELDS><FIELD NAME="id"/><FIELD NAME="entry"/></FIELDS>
      <KEYS><KEY NAME="primary" TYPE="primary" FIELDS="id"/>
        <KEY NAME="entry" TYPE="foreign" FIELDS="entry" REFTABLE="diary_entries" REFFIELDS="id"/></KEYS></TABLE>
    <TABLE NAME="diary_entries"><FIELDS><FIELD NAME="id"/><FIELD NAME="diary"/><FIELD NAME="userid"/></FIELDS>
      <KEYS><KEY NAME="user" TYPE="foreign" FIELDS="userid" REFTABLE="user" REFFIELDS="id"/>
        <KEY NAME="diary" TYPE="foreign" FIELDS="diary" REFTABLE="diary" REFFIELDS="id"/></KEYS></TABLE>
    <TABLE NAME="diary"><FIELDS><FIELD NAME="id"/><FIELD NAME="course"/></FIELDS>
      <KEYS><KEY NAME="primary" TYPE="primary" FIELDS="id"/></KEYS></TABLE>
  </TABLES>
</XMLDB>
"""
PUZZLE = """<XMLDB PATH="question/type/puzzle/db"><TABLES>
  <TABLE NAME="qtype_puzzle_options"><FIELDS><FIELD NAME="id"/><FIELD NAME="questionid"/></FIELDS>
    <KEYS><KEY NAME="q" TYPE="foreign-unique" FIELDS="questionid" REFTABLE="question" REFFIELDS="id"/></KEYS></TABLE>
</TABLES></XMLDB>
"""


def test_an_activity_is_known_with_all_its_tables() -> None:
    graph = with_description(load_graph(), DIARY)

    assert "diary" in graph.modules
    assert [name for name in graph.delete_order if name.startswith("diary")] == [
        "diary_remarks",
        "diary_entries",
        "diary",
    ]
    assert graph.tables["diary_entries"].kind is Kind.USER


def test_a_question_type_is_known_with_its_tables() -> None:
    graph = with_description(load_graph(), PUZZLE)

    assert "puzzle" in graph.question_types
    assert [link.parent for link in graph.tables["qtype_puzzle_options"].links] == ["question"]


@pytest.mark.parametrize(
    ("xml", "said"),
    [
        ("<XMLDB", "can't be read"),
        ('<XMLDB PATH="blocks/news/db"/>', "blocks/news"),
        ('<XMLDB PATH="mod/diary/db"/>', "no table diary"),
        (DIARY.replace('REFTABLE="diary" ', 'REFTABLE="nothing" '), "diary_entries"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><XMLDB/>', "entities"),
    ],
)
def test_a_description_that_says_too_little_is_refused(xml: str, said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        with_description(load_graph(), xml)


def test_a_course_with_a_described_activity_is_deleted_whole(
    sqlite_site: MoodleSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    diary = sqlite_site.insert("modules", name="diary")
    sqlite_site.insert("course_modules", course=sqlite_site.ids["C1"], module=diary, instance=1)
    tables = {"diary": "course", "diary_entries": "diary", "diary_remarks": "entry"}
    with sqlite_site.engine.begin() as connection:
        for name, column in tables.items():
            connection.execute(
                sa.text(f"CREATE TABLE mdl_{name} (id INTEGER PRIMARY KEY, {column} INTEGER, userid INTEGER)")
            )
            parent = sqlite_site.ids["C1"] if name == "diary" else 1
            connection.execute(sa.text(f"INSERT INTO mdl_{name} (id, {column}) VALUES (1, {parent}), (2, 999)"))
    try:
        assert run_file(sqlite_site, "courses_delete", "C1\n").codes == ["course_plugins_unknown"]
        # It is read once to plan and once to apply.
        described = with_description(load_graph(), DIARY)
        for module in (delete, course_deletion):
            monkeypatch.setattr(module, "load_graph", lambda: described)
        assert run_file(sqlite_site, "courses_delete", "C1\n").codes == ["course_deleted"]
        with sqlite_site.engine.begin() as connection:
            left = {name: connection.scalar(sa.text(f"SELECT count(*) FROM mdl_{name}")) for name in tables}
        assert left == dict.fromkeys(tables, 1)
    finally:
        with sqlite_site.engine.begin() as connection:
            for name in tables:
                connection.execute(sa.text(f"DROP TABLE mdl_{name}"))
