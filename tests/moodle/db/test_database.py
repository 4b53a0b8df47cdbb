"""One Moodle database: what is read of a site, what is committed, and how trouble is told."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from sync.errors import MoodleError, MoodleRefused, MoodleSchemaError, MoodleUnavailable
from sync.messages import text_of, texts
from sync.moodle.db.database import MoodleConnection, MoodleDatabase, MoodleSession, translated_errors
from tests.moodle_sites import MoodleSite
from tests.servers import free_port

pytestmark = pytest.mark.sites("sqlite:5.1", "mariadb:5.2", "postgresql:4.1", "real:m45-seeded")


@pytest.fixture
def moodle(sqlite_site: MoodleSite) -> Iterator[MoodleDatabase]:
    moodle = MoodleDatabase(MoodleConnection(sqlite_site.url, sqlite_site.prefix))
    yield moodle
    moodle.dispose()


@pytest.fixture
def session(moodle: MoodleDatabase) -> Iterator[MoodleSession]:
    with moodle.session() as session:
        yield session


# --- reaching it ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", ["mysql", "mariadb", "postgresql"])
def test_a_server_that_does_not_answer_is_unavailable_and_its_password_is_not_told(backend: str) -> None:
    moodle = MoodleDatabase(MoodleConnection(f"{backend}://moodle:Secret1@127.0.0.1:{free_port()}/moodle"))

    with pytest.raises(MoodleUnavailable) as error, moodle.session():
        pass

    said = text_of(error.value.code, error.value.params)
    assert error.value.code == "moodle_unavailable"
    assert error.value.params["reason"]
    assert "Secret1" not in said
    assert "Secret1" not in repr(moodle.settings)


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("sqlite:////nowhere/moodle.sqlite3", "moodle_unavailable"),
        ("no url at all", "moodle_url_invalid"),
        ("oracle://moodle@localhost/moodle", "moodle_url_unsupported"),
    ],
)
def test_an_address_that_leads_nowhere_says_why(url: str, code: str) -> None:
    with pytest.raises(MoodleUnavailable) as error, MoodleDatabase(MoodleConnection(url)).session():
        pass

    assert error.value.code == code
    assert code in texts().by_code


def test_a_file_that_is_no_database_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "moodle.sqlite3").write_text("This is a letter, not a database. " * 100)
    moodle = MoodleDatabase(MoodleConnection(f"sqlite:///{tmp_path / 'moodle.sqlite3'}"))

    with pytest.raises(MoodleError) as error, moodle.session() as session:
        session.fetch(sa.text("SELECT 1 FROM mdl_user"))

    assert "not a database" in text_of(error.value.code, error.value.params)
    moodle.dispose()


# --- tables and prefix ----------------------------------------------------------------------------------------------------


def test_tables_go_by_their_names_without_prefix(moodle: MoodleDatabase) -> None:
    assert moodle.table("user").name == "mdl_user"
    assert moodle.table("user") is moodle.table("user")
    assert moodle.has_table("user")
    assert not moodle.has_table("mdl_user")


def test_another_prefix_is_another_moodle(sqlite_site: MoodleSite, tmp_path: Path) -> None:
    copy = tmp_path / "moodle.sqlite3"
    shutil.copy(sqlite_site.url.removeprefix("sqlite:///"), copy)
    url = f"sqlite:///{copy}"
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE mdl_config RENAME TO m2_config")
        connection.exec_driver_sql("UPDATE m2_config SET value = 'Rome' WHERE name = 'defaultcity'")
    engine.dispose()
    moodle = MoodleDatabase(MoodleConnection(url, "m2_"))

    with moodle.session() as session:
        assert session.config["defaultcity"] == "Rome"
    assert moodle.table_names == {"config"}
    moodle.dispose()


def test_a_table_that_is_not_there_is_named_with_its_prefix(sqlite_site: MoodleSite) -> None:
    moodle = MoodleDatabase(MoodleConnection(sqlite_site.url, "wrong_"))

    with pytest.raises(MoodleSchemaError) as error:
        moodle.table("user")

    assert (error.value.code, error.value.params) == ("moodle_table_missing", {"table": "wrong_user"})
    moodle.dispose()


def test_the_real_column_says_how_much_it_holds(moodle_site: MoodleSite) -> None:
    moodle = MoodleDatabase(MoodleConnection(moodle_site.url, moodle_site.prefix))

    assert moodle.column_limit("user", "username") == 100
    assert moodle.column_limit("user", "country") == 2
    assert moodle.column_limit("user", "suspended") is None
    assert moodle.column_limit("user", "icq") is None
    moodle.dispose()


def test_tables_are_described_together(moodle: MoodleDatabase) -> None:
    moodle.load_tables(["user", "cohort"])
    statements: list[str] = []
    sa.event.listen(moodle.engine, "before_cursor_execute", lambda *event: statements.append(event[2]))

    moodle.load_tables(["user", "cohort"])

    assert "username" in moodle.table("user").c
    assert "idnumber" in moodle.table("cohort").c
    assert statements == []


# --- what a site says of itself -------------------------------------------------------------------------------------------


def test_settings_are_read_once(sqlite_site: MoodleSite, session: MoodleSession) -> None:
    sqlite_site.execute("UPDATE {config} SET value = 'Lyon' WHERE name = 'defaultcity'")
    assert session.config["defaultcity"] == "Lyon"

    sqlite_site.execute("UPDATE {config} SET value = 'Rome' WHERE name = 'defaultcity'")

    assert session.config["defaultcity"] == "Lyon"
    assert session.version == pytest.approx(float(sqlite_site.one("config", name="version")["value"]))


def test_rows_that_are_read_are_noted_and_answers_about_the_server_are_not(session: MoodleSession) -> None:
    users = sa.select(session.table("user").c.username).order_by(session.table("user").c.id)
    session.fetch(users)

    with session.noting_reads() as reads:
        session.fetch(users)
        session.ask(sa.text("SELECT 1"))
        session.fetch(users.limit(1))
    session.fetch(users)

    assert [[name for (name,) in rows] for rows in reads] == [["guest", "admin", "ann"], ["guest"]]


@pytest.mark.parametrize(("stored", "version"), [("2024100705.02", 2024100705.02), ("", 0.0), ("unknown", 0.0)])
def test_a_version_that_is_no_number_is_none(
    sqlite_site: MoodleSite, session: MoodleSession, stored: str, version: float
) -> None:
    sqlite_site.execute("UPDATE {config} SET value = :value WHERE name = 'version'", value=stored)
    assert session.version == version


def test_settings_of_plugins_are_read_by_plugin(sqlite_site: MoodleSite, session: MoodleSession) -> None:
    sqlite_site.insert("config_plugins", plugin="auth_ldap", name="preventpassindb", value="1")
    sqlite_site.insert("config_plugins", plugin="authored", name="preventpassindb", value="2")
    sqlite_site.insert("config_plugins", plugin="enrol_nosuch", name="roleid", value="5")

    assert session.plugin_config("auth_ldap")["preventpassindb"] == "1"
    assert session.plugin_config("authored") == {}
    assert session.plugin_config("auth_nosuch") == {}
    assert "manual" in session.plugins_of("auth")
    assert "nosuch" not in session.plugins_of("enrol")


def test_a_database_without_system_context_is_no_moodle(sqlite_site: MoodleSite, session: MoodleSession) -> None:
    assert session.system_contextid == 1
    del session.system_contextid
    sqlite_site.execute("DELETE FROM {context} WHERE contextlevel = 10")

    with pytest.raises(MoodleSchemaError) as error:
        _ = session.system_contextid

    assert error.value.code == "moodle_not_installed"


@pytest.mark.parametrize(("operator", "found"), [("ann", True), ("nobody", False)])
def test_the_operator_is_found_by_username_or_the_first_administrator_stands_in(
    sqlite_site: MoodleSite, operator: str, found: bool
) -> None:
    moodle = MoodleDatabase(replace(MoodleConnection(sqlite_site.url), operator=operator))
    with moodle.session() as session:
        assert session.operatorid == (sqlite_site.ids["ann"] if found else 2)
    moodle.dispose()


# --- transactions ---------------------------------------------------------------------------------------------------------


def rename_ann(session: MoodleSession, city: str, *, fail: bool = False) -> None:
    user = session.table("user")
    with session.transaction():
        session.connection.execute(sa.update(user).where(user.c.username == "ann").values(city=city))
        assert session.in_transaction
        if fail:
            raise ZeroDivisionError


def test_a_transaction_is_committed_as_a_whole_or_not_at_all(moodle_site: MoodleSite) -> None:
    moodle = MoodleDatabase(MoodleConnection(moodle_site.url, moodle_site.prefix))
    with moodle.session() as session:
        rename_ann(session, "Rome")
        with pytest.raises(ZeroDivisionError):
            rename_ann(session, "Oslo", fail=True)
        assert moodle_site.one("user", username="ann")["city"] == "Rome"

        rename_ann(session, "Bergen")

        assert not session.in_transaction
    assert moodle_site.one("user", username="ann")["city"] == "Bergen"
    moodle.dispose()


@pytest.mark.parametrize(
    "moodle_site",
    [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in ("mariadb:4.5", "postgresql:4.5")],
    indirect=True,
)
def test_a_value_that_does_not_fit_is_refused_and_not_cut(moodle_site: MoodleSite) -> None:
    moodle = MoodleDatabase(MoodleConnection(moodle_site.url, moodle_site.prefix))

    with moodle.session() as session, pytest.raises(MoodleRefused) as error:
        rename_ann(session, "C" * 300)

    assert error.value.params["reason"]
    assert "C" * 300 not in error.value.params["reason"]
    assert moodle_site.one("user", username="ann")["city"] == "Lyon"
    moodle.dispose()


# What each server, or its driver, refuses to look up.
UNREADABLE = {
    "sqlite": ("SELECT id FROM {user} WHERE id = :value", 10**40),
    "mariadb": ("SELECT id FROM {user} WHERE CONVERT(username USING utf8mb3) = :value", "ann🚀"),
    "postgresql": ("SELECT id FROM {user} WHERE username = :value", "ann\x00"),
}


def test_a_value_that_is_refused_while_reading_is_told_apart_from_a_server_that_is_away(
    moodle_site: MoodleSite,
) -> None:
    statement, value = UNREADABLE[moodle_site.engine_name]
    query = sa.text(statement.format(user=f"{moodle_site.prefix}user"))
    moodle = MoodleDatabase(MoodleConnection(moodle_site.url, moodle_site.prefix))
    with moodle.session() as session:
        with pytest.raises(MoodleRefused):
            session.fetch(query, {"value": value})
        # The session goes on: the rows beside the bad one are still to be done.
        assert session.fetch(query, {"value": 0 if isinstance(value, int) else "nobody"}) == []
    moodle.dispose()


@pytest.mark.parametrize("number", [1267, 1270, 1271, 1300, 1366, 3988])
def test_errors_about_character_sets_are_about_a_value(number: int) -> None:
    error = sa.exc.OperationalError("SELECT", {}, Exception(number, "Illegal mix of collations"))
    with pytest.raises(MoodleRefused), translated_errors():
        raise error


def test_reads_see_the_latest_rows_once_the_snapshot_is_released(moodle_site: MoodleSite) -> None:
    moodle = MoodleDatabase(MoodleConnection(moodle_site.url, moodle_site.prefix))
    with moodle.session() as session:
        user = session.table("user")
        city = sa.select(user.c.city).where(user.c.username == "ann")
        assert session.fetch(city)[0][0] == "Lyon"
        session.release()

        moodle_site.execute("UPDATE {user} SET city = 'Rome' WHERE username = 'ann'")

        assert session.fetch(city)[0][0] == "Rome"
    moodle.dispose()
