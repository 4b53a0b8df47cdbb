"""What it costs to plan a whole file before it is applied, beside one pass over it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest

from tests.bench.fixtures import ToolSyncOn
from tests.bench.kit import REPETITIONS, Measured, ToolSync
from tests.bench.people import write_people
from tests.bench.test_memberships import enrolment_rows, furnish, write_file

USERS = 5000
# More than what one process keeps of a plan.
MANY_USERS = 20_000
ENROLMENTS = 10_000
# Of the compressed outcomes of a plan, for each row.
MOST_BYTES = 300

Run = Callable[[str, Path], Measured]


@pytest.mark.parametrize("server", ["mariadb", "postgresql"])
def test_users_are_planned_and_applied(server: str, toolsync_on: ToolSyncOn, tmp_path: Path) -> None:
    toolsync = toolsync_on(server)
    people = write_people(tmp_path / "people.csv", USERS)
    moved = write_people(tmp_path / "moved.csv", USERS, department="Chemistry")
    for work, before, file in (("created", None, people), ("updated", people, moved), ("unchanged", people, people)):
        compare(toolsync, f"users {work}", "users", file, before=before, tables=("user", "context"))


@pytest.mark.parametrize("server", ["mariadb", "postgresql"])
def test_many_users_are_planned_and_applied(server: str, toolsync_on: ToolSyncOn, tmp_path: Path) -> None:
    people = write_people(tmp_path / "people.csv", MANY_USERS)
    compare(toolsync_on(server), "users created", "users", people, before=None, tables=("user", "context"))


@pytest.mark.parametrize("server", ["mariadb", "postgresql"])
def test_enrolments_are_planned_and_applied(server: str, toolsync_on: ToolSyncOn, tmp_path: Path) -> None:
    toolsync = toolsync_on(server)
    furniture = furnish(toolsync, tmp_path, USERS)
    header = "cmd;cid;uid;rolename;enrol"
    added = write_file(tmp_path / "added.csv", header, enrolment_rows(ENROLMENTS, USERS, "add"))
    for work, before in (("added", None), ("unchanged", added)):
        compare(
            toolsync,
            f"enrolments {work}",
            "enrolments",
            added,
            before=before,
            tables=("user_enrolments", "role_assignments"),
        )
    furniture.clear()


def compare(
    toolsync: ToolSync, work: str, key: str, file: Path, *, before: Path | None, tables: tuple[str, ...]
) -> None:
    """Carry a file out in one pass, and planned first, in turns; say what that takes."""
    one_pass: list[Measured] = []
    planned: list[Measured] = []
    for _repetition in range(REPETITIONS):
        for run, measured in ((toolsync.run, one_pass), (toolsync.run_planned, planned)):
            rows = toolsync.clearing(*tables)
            if before is not None:
                toolsync.run(key, before)
            measured.append(run(key, file))
            rows.clear()
    assert {tuple(each.counts.items()) for each in (*one_pass, *planned)} == {tuple(one_pass[0].counts.items())}
    per_row = planned[0].plan_bytes / planned[0].rows
    sys.stdout.write(
        f"\n{toolsync.site.engine_name}, {work}: {planned[0].rows} rows, one pass {_median(one_pass):.2f} s; planned"
        f" {median(each.plan_seconds for each in planned):.2f} s, all {_median(planned):.2f} s,"
        f" x one pass {median(p.seconds / o.seconds for p, o in zip(planned, one_pass, strict=True)):.2f}"
        f" (of processor time {median(p.cpu_seconds / o.cpu_seconds for p, o in zip(planned, one_pass, strict=True)):.2f}),"
        f" {per_row:.0f} bytes a row\n"
    )  # fmt: skip
    assert per_row <= MOST_BYTES


def _median(runs: list[Measured]) -> float:
    return median(each.seconds for each in runs)
