"""The only place that writes to Moodle: rows go in and change set by set, and what they replace is kept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from sync.errors import MoodleRefused
from sync.moodle.db import writer as writer_module
from sync.moodle.db.database import MoodleConnection, MoodleDatabase, MoodleSession
from sync.moodle.db.writer import BeforeImage, RowChange, Writer
from tests.moodle_sites import MoodleSite

pytestmark = pytest.mark.sites("sqlite:5.1", "mariadb:5.2", "postgresql:4.1", "real:m45pg-seeded")


@pytest.fixture
def session(moodle_site: MoodleSite) -> Iterator[MoodleSession]:
    moodle = MoodleDatabase(MoodleConnection(moodle_site.url, moodle_site.prefix))
    with moodle.session() as session:
        yield session
    moodle.dispose()


@pytest.fixture
def sqlite_session(sqlite_site: MoodleSite) -> Iterator[MoodleSession]:
    moodle = MoodleDatabase(MoodleConnection(sqlite_site.url, sqlite_site.prefix))
    with moodle.session() as session:
        yield session
    moodle.dispose()


def count_statements(session: MoodleSession) -> list[str]:
    statements: list[str] = []
    sa.event.listen(
        session.database.engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_more: statements.append(statement),
    )
    return statements


def cohorts(*names: str) -> list[dict[str, Any]]:
    return [
        {
            "contextid": 1,
            "name": name,
            "idnumber": f"id {name}",
            "descriptionformat": 1,
            "timecreated": 1,
            "timemodified": 1,
        }
        for name in names
    ]


def insert_cohorts(session: MoodleSession, *names: str) -> list[int]:
    with session.transaction():
        return Writer(session).insert_many("cohort", cohorts(*names), ("contextid", "name"))


def test_new_rows_give_their_ids_in_their_order(moodle_site: MoodleSite, session: MoodleSession) -> None:
    writer = Writer(session)

    with session.transaction():
        ids = writer.insert_many("cohort", cohorts("B", "A", "C"), ("contextid", "name"))

    assert [moodle_site.one("cohort", id=rowid)["name"] for rowid in ids] == ["B", "A", "C"]
    assert moodle_site.one("cohort", id=ids[0])["visible"] == 1
    assert list(writer.before_images) == [
        BeforeImage("insert", "cohort", rowid, {}, row) for rowid, row in zip(ids, cohorts("B", "A", "C"), strict=True)
    ]


@pytest.mark.every_site
def test_every_kind_of_value_comes_back_as_it_went_in(moodle_site: MoodleSite, session: MoodleSession) -> None:
    numbers = [0, -1, 2_147_483_648, 9_223_372_036_854_775_807, 7, 7, 7]
    texts = ["", "100 %s of %(it)s", 'O\'Brien \\ "q"', "{1,NULL}\n;--", "Ünïcödé 🎓", "NULL", "\t"]
    rows = [
        {
            **cohorts(f"C{place}")[0],
            "timecreated": number,
            "description": text,
            "theme": None if place % 2 else text[:5],
        }
        for place, (number, text) in enumerate(zip(numbers, texts, strict=True))
    ]

    with session.transaction():
        ids = Writer(session).insert_many("cohort", rows, ("contextid", "name"))

    assert [{name: moodle_site.one("cohort", id=rowid)[name] for name in rows[0]} for rowid in ids] == rows


def test_of_rows_with_the_same_key_the_new_one_is_ours(moodle_site: MoodleSite, session: MoodleSession) -> None:
    old = insert_cohorts(session, "A")
    new = insert_cohorts(session, "A")

    assert new[0] > old[0]
    assert len(moodle_site.rows("cohort", name="A")) == 2


@pytest.mark.parametrize("returns_ids", [True, False])
def test_rows_that_nothing_tells_apart_give_their_ids_in_their_order(
    moodle_site: MoodleSite, session: MoodleSession, monkeypatch: pytest.MonkeyPatch, returns_ids: bool
) -> None:
    if not returns_ids and session.connection.dialect.name == "postgresql":
        pytest.skip("PostgreSQL always returns them; MySQL doesn't")
    if not returns_ids:
        monkeypatch.setattr(session.connection.dialect, "insert_executemany_returning", False)
    rows = [{**cohorts("Same")[0], "timecreated": number} for number in (3, 1, 2)]
    writer = Writer(session)

    with session.transaction():
        ids = writer.insert_in_order("cohort", rows)

    assert [moodle_site.one("cohort", id=rowid)["timecreated"] for rowid in ids] == [3, 1, 2]
    assert list(writer.before_images) == [
        BeforeImage("insert", "cohort", rowid, {}, row) for rowid, row in zip(ids, rows, strict=True)
    ]


def test_rows_without_a_key_keep_their_values_in_the_before_image(session: MoodleSession) -> None:
    writer = Writer(session)
    rows = [{"flagtype": "t", "name": name, "timemodified": 1, "value": "1", "expiry": 2} for name in ("a", "b")]

    with session.transaction():
        ids = writer.insert_many("cache_flags", rows)

    images = list(writer.before_images)
    assert [dict(image.after) for image in images] == rows
    unknown: list[int | None] = [None, None]
    assert [image.id for image in images] == (sorted(ids) if ids else unknown)


def test_rows_change_each_in_its_own_way(moodle_site: MoodleSite, session: MoodleSession) -> None:
    first, second, third = insert_cohorts(session, "A", "B", "C")
    changes = [
        RowChange(first, {"name": "A", "timemodified": 1}, {"name": "Änderung", "timemodified": 9}),
        RowChange(second, {"name": "B", "timemodified": 1}, {"name": "B2", "timemodified": 9}),
        RowChange(third, {"idnumber": "id C"}, {"idnumber": None}),
    ]
    writer = Writer(session)

    with session.transaction():
        writer.update_many("cohort", changes)

    rows = {row["id"]: row for row in moodle_site.rows("cohort")}
    assert [rows[rowid]["name"] for rowid in (first, second, third)] == ["Änderung", "B2", "C"]
    assert [rows[rowid]["timemodified"] for rowid in (first, second, third)] == [9, 9, 1]
    assert [rows[rowid]["idnumber"] for rowid in (first, second, third)] == ["id A", "id B", None]
    assert {image.id: (dict(image.row), dict(image.after)) for image in writer.before_images} == {
        change.id: (change.before, change.after) for change in changes
    }


def test_some_values_may_become_null_while_others_do_not(moodle_site: MoodleSite, session: MoodleSession) -> None:
    first, second = insert_cohorts(session, "A", "B")

    with session.transaction():
        Writer(session).update_many(
            "cohort", [RowChange(first, {}, {"idnumber": None}), RowChange(second, {}, {"idnumber": "new"})]
        )

    assert moodle_site.one("cohort", id=first)["idnumber"] is None
    assert moodle_site.one("cohort", id=second)["idnumber"] == "new"


def test_deleted_rows_are_kept_whole(moodle_site: MoodleSite, session: MoodleSession) -> None:
    first, second, third = insert_cohorts(session, "A", "B", "C")
    before = {row["id"]: row for row in moodle_site.rows("cohort")}
    writer = Writer(session)

    with session.transaction():
        gone = writer.delete_where("cohort", "name", ["C", "A"], session.table("cohort").c.id != second)

    assert [row["id"] for row in gone] == [first, third]
    assert {row["id"] for row in moodle_site.rows("cohort")} == set(before) - {first, third}
    assert [(image.kind, image.id, dict(image.row)) for image in writer.before_images] == [
        ("delete", first, before[first]),
        ("delete", third, before[third]),
    ]


def test_a_value_that_the_database_refuses_undoes_the_whole_chunk(
    moodle_site: MoodleSite, session: MoodleSession
) -> None:
    before = moodle_site.snapshot()
    ann = {"mnethostid": 1, "username": "ann", "firstname": "A", "lastname": "N"}

    def chunk() -> None:
        writer = Writer(session)
        with session.transaction():
            writer.insert_many("cohort", cohorts("A"), ("contextid", "name"))
            writer.insert_many("user", [ann], ("mnethostid", "username"))

    with pytest.raises(MoodleRefused) as refused:
        chunk()

    assert refused.value.code == "moodle_refused"
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}


def test_nothing_to_write_asks_nothing(sqlite_session: MoodleSession) -> None:
    writer = Writer(sqlite_session)
    sqlite_session.table("cohort")
    statements = count_statements(sqlite_session)

    assert writer.insert_many("cohort", []) == []
    writer.update_many("cohort", [])
    writer.delete_many("cohort", [])
    assert writer.delete_where("cohort", "id", []) == []

    assert statements == []
    assert len(writer.before_images) == 0


def updates_for(session: MoodleSession, ids: Sequence[int], *, alike: bool) -> int:
    changes = [RowChange(rowid, {}, {"name": "same" if alike else f"name {rowid}"}) for rowid in ids]
    session.table("cohort")
    statements = count_statements(session)
    with session.transaction():
        Writer(session).update_many("cohort", changes)
    return sum(statement.startswith("UPDATE") for statement in statements)


@pytest.mark.parametrize("alike", [True, False])
def test_many_rows_change_in_one_statement(sqlite_site: MoodleSite, sqlite_session: MoodleSession, alike: bool) -> None:
    ids = insert_cohorts(sqlite_session, *(f"C{number}" for number in range(500)))

    assert updates_for(sqlite_session, ids, alike=alike) == 1

    names = [row["name"] for row in sqlite_site.rows("cohort")]
    assert names == (["same"] * 500 if alike else [f"name {rowid}" for rowid in ids])


def test_what_is_too_much_for_one_statement_is_cut(
    sqlite_site: MoodleSite, sqlite_session: MoodleSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "MAX_PARAMETERS", 30)
    monkeypatch.setattr(writer_module, "MAX_KEYS", 7)
    ids = insert_cohorts(sqlite_session, *(f"C{number}" for number in range(20)))

    assert updates_for(sqlite_session, ids, alike=False) == 2

    assert [row["name"] for row in sqlite_site.rows("cohort")] == [f"name {rowid}" for rowid in ids]
    with sqlite_session.transaction():
        gone = Writer(sqlite_session).delete_where("cohort", "id", ids)
    assert [row["id"] for row in gone] == ids


def test_long_texts_are_cut_into_statements_that_the_server_takes(
    sqlite_site: MoodleSite, sqlite_session: MoodleSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer_module, "MAX_CHARACTERS", 25)
    ids = insert_cohorts(sqlite_session, *(f"C{number}" for number in range(6)))
    changes = [RowChange(rowid, {}, {"name": f"{rowid:010d}"}) for rowid in ids]
    changes[4] = RowChange(ids[4], {}, {"name": "longer than all that one statement may carry"})
    statements = count_statements(sqlite_session)

    with sqlite_session.transaction():
        Writer(sqlite_session).update_many("cohort", changes)

    assert sum(statement.startswith("UPDATE") for statement in statements) == 4
    assert [row["name"] for row in sqlite_site.rows("cohort")] == [change.after["name"] for change in changes]


def test_the_same_expressions_complete_many_new_rows_and_what_they_leave_is_kept(
    sqlite_site: MoodleSite, sqlite_session: MoodleSession
) -> None:
    writer = Writer(sqlite_session)
    table = sqlite_session.table("cohort")

    with sqlite_session.transaction():
        first, second = writer.insert_many("cohort", cohorts("A", "B"), ("contextid", "name"))
        left = {rowid: {"visible": 0, "timemodified": 2} for rowid in (first, second)}
        writer.complete_where("cohort", {"visible": 0, "timemodified": table.c.timemodified + 1}, left)

    assert [(row["visible"], row["timemodified"]) for row in sqlite_site.rows("cohort")] == [(0, 2), (0, 2)]
    assert list(writer.before_images)[2:] == [
        BeforeImage("complete", "cohort", rowid, {}, {"visible": 0, "timemodified": 2}) for rowid in (first, second)
    ]


def test_what_completes_rows_of_this_transaction_is_kept_with_their_inserts(
    sqlite_site: MoodleSite, sqlite_session: MoodleSession
) -> None:
    writer = Writer(sqlite_session)

    with sqlite_session.transaction():
        ids = writer.insert_many("cohort", cohorts("A", "B"), ("contextid", "name"))
        writer.complete_many("cohort", {rowid: {"name": f"of {rowid}"} for rowid in ids})

    assert [row["name"] for row in sqlite_site.rows("cohort")] == [f"of {rowid}" for rowid in ids]
    assert [(image.kind, image.id) for image in writer.before_images] == [
        *(("insert", rowid) for rowid in ids),
        *(("complete", rowid) for rowid in ids),
    ]
