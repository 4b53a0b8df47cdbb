"""`users`: users created, updated and unchanged; passwords; memory."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from sync.moodle.users.passwords import HashFormat, hash_password
from tests.bench.figures import QUERIES_PER_1000_ROWS, Line
from tests.bench.fixtures import ToolSyncOn
from tests.bench.kit import REPETITIONS, Floor, Measured, OldPattern
from tests.bench.people import write_people

ROWS = 5000
OLD_ROWS = 500
PASSWORDS = 1000
# The log is written in the old way only.
TABLES = ("user", "context", "logstore_standard_log")


def create_in_the_old_way(old: OldPattern, n: int) -> None:
    """The 12 statements for a new user: by whom it may be taken, the user, the context and its path, the log."""
    username = f"old{n:07}"
    old.select("user", idnumber=f"O{n:07}")
    old.select("user", username=username, mnethostid=1)
    old.select("user", email=f"{username}@example.org", mnethostid=1)
    old.select("user", username=username)
    userid = old.insert(
        "user", auth="manual", confirmed=1, mnethostid=1, username=username, firstname="Kim", lastname=f"Nr {n}",
        email=f"{username}@example.org", idnumber=f"O{n:07}", institution="University", department=f"Physics {n}", city="Lyon",
        country="FR", lang="en", timecreated=1, timemodified=1,
    )  # fmt: skip
    old.select("context", contextlevel=30, instanceid=userid)
    contextid = old.insert("context", contextlevel=30, instanceid=userid, depth=0)
    old.update("context", contextid, path=f"/1/{contextid}", depth=2)
    old.select("user", id=userid)
    old.insert(
        "logstore_standard_log", eventname="\\core\\event\\user_created", component="core", action="created", target="user",
        objecttable="user", objectid=userid, crud="c", edulevel=0, contextid=contextid, contextlevel=30,
        contextinstanceid=userid, userid=2, courseid=0, relateduserid=userid, other="null", timecreated=1, origin="cli",
    )  # fmt: skip
    old.select("user_preferences", userid=userid)
    old.select("user_info_data", userid=userid)


@pytest.mark.parametrize("server", ["mariadb", "postgresql"])
def test_accounts_are_created_updated_and_left_unchanged(
    server: str, toolsync_on: ToolSyncOn, figures: list[Line], tmp_path: Path
) -> None:
    toolsync = toolsync_on(server)
    people = write_people(tmp_path / "people.csv", ROWS)
    moved = write_people(tmp_path / "moved.csv", ROWS, department="Chemistry")
    created, updated, unchanged = [], [], []
    floors, old_ways = [], []
    for _repetition in range(REPETITIONS):
        floor = Floor(toolsync.site, *TABLES)
        old = OldPattern(toolsync.site)
        created.append(toolsync.run("users", people))
        floor.take()
        updated.append(toolsync.run("users", moved))
        unchanged.append(toolsync.run("users", moved))
        floor.clear()
        floors.append(created[-1].seconds / floor.write())
        floor.clear()
        seconds = old.seconds_per_row(create_in_the_old_way, range(OLD_ROWS))
        assert old.statements == 12 * OLD_ROWS
        old_ways.append(seconds * ROWS / created[-1].seconds)
        floor.clear()

    figures += [
        Line("users created", server, created, floors, old_ways, most={"x floor": 2.0}, least={"x old": 20}),
        Line("users updated", server, updated),
        Line("users unchanged", server, unchanged),
    ]
    _assert_counts(created, "created")
    _assert_counts(updated, "updated")
    _assert_counts(unchanged, "unchanged")
    for run in (*created, *updated, *unchanged):
        assert run.executions <= QUERIES_PER_1000_ROWS * ROWS / 1000


def test_passwords_are_hashed_once(toolsync_on: ToolSyncOn, figures: list[Line], tmp_path: Path) -> None:
    toolsync = toolsync_on("mariadb")
    people = write_people(tmp_path / "passwords.csv", PASSWORDS, password="Secret-")
    floor = Floor(toolsync.site, *TABLES)
    created = toolsync.run("users", people)
    unchanged = toolsync.run("users", people)
    floor.clear()
    bare = _seconds_of_bare_hashes()
    figures += [
        Line("users created, with passwords", "mariadb", [created], [created.seconds / bare]),
        Line("users unchanged, with passwords", "mariadb", [unchanged], [unchanged.seconds / bare]),
    ]
    _assert_counts([created], "created")
    _assert_counts([unchanged], "unchanged")


@pytest.mark.parametrize("rows", [20_000, 100_000])
def test_a_long_file_is_created_and_found_unchanged(
    rows: int, toolsync_on: ToolSyncOn, figures: list[Line], tmp_path: Path
) -> None:
    toolsync = toolsync_on("mariadb")
    people = write_people(tmp_path / "people.csv", rows)
    floor = Floor(toolsync.site, *TABLES)
    created = toolsync.run("users", people)
    floor.take()
    unchanged = [toolsync.run("users", people) for _repetition in range(REPETITIONS)]
    floor.clear()
    ratio = created.seconds / floor.write()
    floor.clear()
    figures += [
        Line("users created, long file", "mariadb", [created], [ratio], most={"x floor": 2.0, "peak MiB": 256}),
        Line("users unchanged, long file", "mariadb", unchanged, most={"peak MiB": 256}, least={"rows/s": 20_000}),
    ]
    _assert_counts([created], "created")
    _assert_counts(unchanged, "unchanged")


def _seconds_of_bare_hashes() -> float:
    """The floor of passwords: their hashes, spread over all cores, and nothing else."""
    sample = 50
    began = time.perf_counter()
    for n in range(sample):
        hash_password(f"Secret-{n}", HashFormat.SHA512)
    return (time.perf_counter() - began) / sample * PASSWORDS / (os.cpu_count() or 1)


def _assert_counts(runs: list[Measured], action: str) -> None:
    for run in runs:
        assert run.counts == {action: run.rows}
