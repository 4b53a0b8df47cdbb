"""Version numbers tell the releases of Moodle apart, and a Moodle that nobody knows is only read."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

import sync
from sync.errors import MoodleNotAllowed
from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from sync.moodle.integrity.connection_check import ConnectionLevel, check_connection
from sync.moodle.versions import CAPTURED, RELEASES, Feature, Release, Support, captured_for, release_of
from tests.moodle_sites import MoodleSite
from tests.support import run_file

UNKNOWN = "2027042000.00"
USERS = "username;firstname;lastname;email\nnora;Nora;New;nora@example.org\n"


@pytest.fixture
def newer_site(sqlite_site: MoodleSite) -> MoodleSite:
    sqlite_site.execute("UPDATE {config} SET value = :version WHERE name = 'version'", version=UNKNOWN)
    return sqlite_site


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.name)
def test_a_number_belongs_to_its_release_and_a_later_day_to_the_next(release: Release) -> None:
    place = RELEASES.index(release)
    following = RELEASES[place + 1].name if place + 1 < len(RELEASES) else ""
    for update in (0, 1, 5, 99):
        assert release_of(release.first + update).name == release.name
        assert release_of(release.first + update + 0.02).name == release.name
    assert release_of(release.first + 100).name == following
    assert captured_for(release.first) in CAPTURED


def test_what_lies_outside_of_the_table_is_old_or_unknown() -> None:
    assert release_of(0).support is release_of(RELEASES[0].first - 1_000_000).support is Support.OLD
    assert release_of(float(UNKNOWN)).support is Support.UNKNOWN
    assert captured_for(float(UNKNOWN)) == CAPTURED[-1]
    assert captured_for(0) == CAPTURED[0]


def test_releases_stand_in_order() -> None:
    assert all(one.first < other.first for one, other in pairwise(RELEASES))
    assert {release.support for release in RELEASES} == set(Support) - {Support.UNKNOWN}


def test_evidence_goes_with_an_activity_from_a_later_update_of_a_release_on() -> None:
    has = [Feature.EVIDENCE_GOES_WITH_ACTIVITY.is_in(number) for number in (2025100600.02, 2025100600.05, 2025110100)]
    assert has == [False, True, True]


def test_no_other_module_knows_version_numbers() -> None:
    folder = Path(sync.__file__).parent
    number = re.compile(r"\b20[0-9]{2}[01][0-9][0-3][0-9][0-9]{2}\b")
    found = [
        path.name
        for path in folder.rglob("*")
        if path.suffix in (".py", ".json") and "migrations" not in path.parts and number.search(path.read_text())
    ]
    assert found == ["versions.py"]


def test_no_other_module_asks_for_the_name_of_a_server() -> None:
    folder = Path(sync.__file__).parent
    named = re.compile(r"dialect\.name|is_mariadb|backend_name|executemany_returning")
    # The others tell apart what an address may name: databases that are chosen for a site, and those that rows come from.
    allowed = {"dialects.py", "connection_choice.py", "site_reach.py", "sql_source.py"}
    assert {path.name for path in folder.rglob("*.py") if named.search(path.read_text())} == allowed


def test_a_moodle_that_is_newer_than_all_we_know_is_only_simulated(newer_site: MoodleSite) -> None:
    before = newer_site.snapshot()
    assert run_file(newer_site, "users", USERS, simulate=True).codes == ["account_created"]
    with pytest.raises(MoodleNotAllowed, match="moodle_version_unknown"):
        run_file(newer_site, "users", USERS)
    assert newer_site.diff(before, newer_site.snapshot()) == {}


def test_the_operator_may_let_files_change_it(newer_site: MoodleSite) -> None:
    result = run_file(newer_site, "users", USERS, permits={"writes_unknown_versions": True})
    assert result.codes == ["account_created"]
    assert newer_site.one("user", username="nora")["firstname"] == "Nora"


def test_nothing_is_written_through_the_gate(newer_site: MoodleSite) -> None:
    moodle = MoodleDatabase(MoodleConnection(newer_site.url, newer_site.prefix))
    with moodle.session() as session, pytest.raises(MoodleNotAllowed), session.transaction():
        pytest.fail("a transaction was opened")
    moodle.dispose()


@pytest.mark.parametrize(
    ("version", "allowed", "level", "code"),
    [
        ("2022041900", False, ConnectionLevel.WARNING, "check_release_old"),
        ("2026100500", False, ConnectionLevel.WARNING, "check_release_untried"),
        (UNKNOWN, False, ConnectionLevel.ERROR, "moodle_version_unknown"),
        (UNKNOWN, True, ConnectionLevel.WARNING, "check_release_new"),
    ],
)
def test_the_connection_check_says_how_well_a_release_is_known(
    sqlite_site: MoodleSite, version: str, allowed: bool, level: ConnectionLevel, code: str
) -> None:
    sqlite_site.execute("UPDATE {config} SET value = :version WHERE name = 'version'", version=version)
    connection = MoodleConnection(sqlite_site.url, sqlite_site.prefix, writes_unknown_versions=allowed)
    moodle = MoodleDatabase(connection)
    assert (level, code) in {(finding.level, finding.code) for finding in check_connection(moodle)}
    moodle.dispose()
