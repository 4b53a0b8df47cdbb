"""What the other tests stand on: the sites of the tests tell every change, and forget it afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sync.moodle.versions import captured_for
from tests.moodle_sites import MoodleSite
from tests.real_sites import GOLD_SITES, REAL_SITES, RealSites, needs_moodle_data
from tests.servers import find_program
from tests.support import run_file

ROOT = Path(__file__).resolve().parents[1]

pytestmark = pytest.mark.sites("sqlite:4.5", "mariadb:5.1", "postgresql:5.2", "real:m41-seeded")


def test_a_diff_names_what_was_inserted_updated_and_deleted(moodle_site: MoodleSite) -> None:
    ann = moodle_site.ids["ann"]
    gone = moodle_site.insert("user_preferences", userid=ann, name="old", value="1")
    before = moodle_site.snapshot()

    new = moodle_site.insert("cohort_members", cohortid=4, userid=ann)
    moodle_site.execute("UPDATE {user} SET city = 'Paris', country = 'FR' WHERE id = :id", id=ann)
    moodle_site.execute("DELETE FROM {user_preferences} WHERE id = :id", id=gone)

    assert moodle_site.diff(before, moodle_site.snapshot()) == {
        "cohort_members": {
            "inserted": [{"id": new, "cohortid": 4, "userid": ann, "timeadded": 0}], "updated": [], "deleted": [],
        },
        "user": {
            "inserted": [], "updated": [{"id": ann, "before": {"city": "Lyon"}, "after": {"city": "Paris"}}], "deleted": [],
        },
        "user_preferences": {
            "inserted": [], "updated": [], "deleted": [{"id": gone, "userid": ann, "name": "old", "value": "1"}],
        },
    }  # fmt: skip


def test_a_restored_site_holds_exactly_the_rows_that_it_began_with(moodle_site: MoodleSite) -> None:
    before = moodle_site.snapshot()
    text = "username;firstname;lastname;cohort\nbob;Bob;K;CO\nann;Anna;S;CO\n"
    run_file(moodle_site, "users", text, primaryidentity="username")
    moodle_site.execute("DELETE FROM {role}")
    moodle_site.execute("DELETE FROM {user} WHERE username = 'guest'")
    assert moodle_site.diff(before, moodle_site.snapshot()).keys() >= {"user", "context", "cohort", "role"}

    moodle_site.restore_template()

    assert moodle_site.diff(before, moodle_site.snapshot()) == {}


def test_numbers_with_decimals_are_told_as_they_were_recorded(moodle_site: MoodleSite) -> None:
    before = moodle_site.snapshot()
    moodle_site.insert("grade_items", courseid=moodle_site.ids["C1"], itemtype="course", grademax="12.5")

    item = moodle_site.diff(before, moodle_site.snapshot())["grade_items"]["inserted"][0]

    # SQLite has no decimal numbers.
    assert item["grademax"] == (12.5 if moodle_site.engine_name == "sqlite" else "12.50000")


def test_a_missing_server_skips_the_test_unless_servers_are_required(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "TOOLSYNC_REQUIRE_SERVERS"):
        monkeypatch.delenv(name, raising=False)

    with pytest.raises(pytest.skip.Exception, match="no-such-server is not installed"):
        find_program("no-such-server")

    monkeypatch.setenv("TOOLSYNC_REQUIRE_SERVERS", "1")
    with pytest.raises(pytest.fail.Exception, match="no-such-server is not installed"):
        find_program("no-such-server")


def test_a_program_off_the_path_is_found_where_debian_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("mariadbd", path="/usr/sbin") is None:
        pytest.skip("no MariaDB of Debian's here")
    monkeypatch.setenv("PATH", os.defpath.replace("/usr/sbin", ""))

    assert find_program("mariadbd") == "/usr/sbin/mariadbd"


@pytest.mark.moodle_data
@needs_moodle_data[1]
@pytest.mark.parametrize(
    "name",
    [
        # The group of the effects: one worker loads a site, and loads it once.
        pytest.param(name, marks=pytest.mark.xdist_group(name))
        for name in (*REAL_SITES, *GOLD_SITES)
    ],
)
def test_a_real_site_is_loaded_whole(real_site: RealSites, name: str) -> None:
    site = real_site(name)

    assert site.one("user", username="user200")["idnumber"] == "UID200"
    assert len(site.rows("course")) > 20
    assert captured_for(float(site.one("config", name="version")["value"])) == site.version
    with_gold = len(site.rows("user_info_field", shortname="gtext"))
    assert with_gold == name.endswith("gold")


def test_parts_of_the_tests_are_together_all_of_them() -> None:
    def names(*part: str) -> set[str]:
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-n",
            "0",
            "-p",
            "no:cacheprovider",
            "--collect-only",
            "tests/mappings",
        ]
        told = subprocess.run([*command, *part], capture_output=True, text=True, check=True, cwd=ROOT).stdout
        return {line for line in told.splitlines() if "::" in line}

    every, first, second = names(), names("--part", "1/2"), names("--part", "2/2")

    assert first | second == every
    assert first
    assert second
    assert first.isdisjoint(second)
