"""What a person is told about a Moodle before it is trusted with a file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sync.messages import text_of, texts
from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from sync.moodle.integrity.connection_check import ConnectionFinding, ConnectionLevel, check_connection
from tests.moodle_sites import MoodleSite
from tests.servers import MariaDB

pytestmark = pytest.mark.sites("sqlite:5.1", "mariadb:5.2", "postgresql:4.1", "real:m45pg-seeded")


def check(site: MoodleSite, **changed: object) -> list[ConnectionFinding]:
    moodle = MoodleDatabase(replace(MoodleConnection(site.url, site.prefix), **changed))  # type: ignore[arg-type]
    try:
        return check_connection(moodle)
    finally:
        moodle.dispose()


def found(findings: list[ConnectionFinding], level: ConnectionLevel) -> list[str]:
    return [finding.code for finding in findings if finding.level is level]


def test_a_sound_moodle_has_nothing_to_complain_of(moodle_site: MoodleSite, tmp_path: Path) -> None:
    (tmp_path / "filedir").mkdir()
    before = moodle_site.snapshot()
    findings = check(moodle_site, dataroot=tmp_path)
    assert [finding for finding in findings if finding.level is not ConnectionLevel.OK] == []
    assert found(findings, ConnectionLevel.OK) == [
        "check_server", "check_release", "check_schema_same", "check_tables_known", "check_rights", "check_time_zone",
        "check_dataroot",
    ]  # fmt: skip
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}


def test_every_finding_has_a_sentence(sqlite_site: MoodleSite) -> None:
    for finding in check(sqlite_site):
        assert finding.code in texts().by_code
        assert "%(" not in text_of(finding.code, finding.params)


def test_a_wrong_prefix_is_told_with_those_that_are_there(sqlite_site: MoodleSite) -> None:
    (error,) = [finding for finding in check(sqlite_site, prefix="m_") if finding.level is ConnectionLevel.ERROR]
    assert (error.code, error.params["prefixes"]) == ("check_prefix_wrong", "“mdl_”")


def test_a_database_that_is_no_moodle_is_told(tmp_path: Path) -> None:
    (tmp_path / "empty.sqlite3").touch()
    moodle = MoodleDatabase(MoodleConnection(f"sqlite:///{tmp_path}/empty.sqlite3"))
    assert found(check_connection(moodle), ConnectionLevel.ERROR) == ["check_no_moodle"]
    moodle.dispose()


def test_a_database_that_is_away_is_told(tmp_path: Path) -> None:
    moodle = MoodleDatabase(MoodleConnection(f"sqlite:///{tmp_path}/away.sqlite3"))
    assert found(check_connection(moodle), ConnectionLevel.ERROR) == ["moodle_unavailable"]


@pytest.mark.parametrize(
    ("change", "back", "level", "code"),
    [
        ("ALTER TABLE {cohort} RENAME COLUMN idnumber TO other", "ALTER TABLE {cohort} RENAME COLUMN other TO idnumber",
         ConnectionLevel.ERROR, "check_column_missing"),
        ("ALTER TABLE {cohort} RENAME COLUMN theme TO other", "ALTER TABLE {cohort} RENAME COLUMN other TO theme",
         ConnectionLevel.WARNING, "check_columns_differ"),
        ("ALTER TABLE {user_info_data} RENAME TO gone", "ALTER TABLE gone RENAME TO {user_info_data}",
         ConnectionLevel.ERROR, "check_table_missing"),
    ],
)  # fmt: skip
def test_a_table_that_differs_is_told(
    sqlite_site: MoodleSite, change: str, back: str, level: ConnectionLevel, code: str
) -> None:
    sqlite_site.execute(change)
    try:
        assert code in found(check(sqlite_site), level)
    finally:
        sqlite_site.execute(back)


def test_a_missing_unique_index_is_told(sqlite_site: MoodleSite) -> None:
    with sqlite_site.engine.connect() as connection:
        sql = connection.exec_driver_sql(
            "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'mdl_cohort_members' AND sql LIKE '%UNIQUE%'"
        ).scalar_one()
    name = sql.split()[3]
    sqlite_site.execute(f"DROP INDEX {name}")
    try:
        (finding,) = [f for f in check(sqlite_site) if f.code == "check_index_missing"]
        assert finding.params["table"] == "mdl_cohort_members"
    finally:
        sqlite_site.execute(sql)


def test_a_right_that_is_missing_is_told(site_of: Callable[[str, str], MoodleSite], mariadb_server: MariaDB) -> None:
    site = site_of("mariadb", "4.5")
    mariadb_server.sql(
        "CREATE USER looker@'127.0.0.1' IDENTIFIED BY 'look'; GRANT SELECT, INSERT, UPDATE ON *.* TO looker@'127.0.0.1'"
    )
    try:
        url = site.engine.url.set(username="looker", password="look").render_as_string(hide_password=False)
        errors = [finding for finding in check(site, url=url) if finding.level is ConnectionLevel.ERROR]
        assert {finding.params["right"] for finding in errors} == {"DELETE"}
        assert "mdl_user" in {finding.params["table"] for finding in errors}
    finally:
        mariadb_server.sql("DROP USER looker@'127.0.0.1'")


def test_an_unknown_operator_and_a_missing_data_folder_are_warnings(sqlite_site: MoodleSite, tmp_path: Path) -> None:
    findings = check(sqlite_site, operator="nobody", dataroot=tmp_path)
    assert found(findings, ConnectionLevel.WARNING) == ["check_operator_missing", "check_dataroot_wrong"]
    assert found(check(sqlite_site), ConnectionLevel.WARNING) == ["check_dataroot_unset"]


@pytest.mark.parametrize(
    ("moodle_zone", "setting", "codes"),
    [
        ("99", "", ["check_time_zone_unknown"]),
        ("5.5", "", ["check_time_zone_unknown"]),
        ("99", "Europe/Paris", []),
        ("Europe/London", "Nowhere/Land", ["check_time_zone_invalid"]),
    ],
)
def test_a_clock_that_nobody_names_is_noted(
    sqlite_site: MoodleSite, moodle_zone: str, setting: str, codes: list[str]
) -> None:
    sqlite_site.execute("UPDATE {config} SET value = :zone WHERE name = 'timezone'", zone=moodle_zone)
    database = MoodleDatabase(MoodleConnection(sqlite_site.url, sqlite_site.prefix, time_zone=setting))
    findings = check_connection(database)
    database.dispose()
    assert [finding.code for finding in findings if finding.code.startswith("check_time_zone_")] == codes
