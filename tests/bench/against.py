"""This commit against another one, in turns on one Moodle: short rows, of which more is planned than written.

    BENCH_AGAINST=../before .venv/bin/pytest -s --no-header tests/bench/against.py

`../before` is a clone of the other commit with a `.venv` of its own (`make setup` in it); BENCH_ROWS says how many rows a file
has, BENCH_TIMES how often each is carried out. On a busy machine the processor's time is to be trusted, that of the clock isn't.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

from tests.bench.kit import REPETITIONS, Floor, Measured, ToolSync
from tests.bench.people import write_people
from tests.bench.test_memberships import COURSES, enrolment_rows, write_file
from tests.moodle_sites import MoodleSite

ROWS = int(os.environ.get("BENCH_ROWS", "10000"))
TIMES = int(os.environ.get("BENCH_TIMES", REPETITIONS))
_TABLES = ("user", "context", "cohort", "cohort_members", "user_enrolments", "role_assignments", "cache_flags")
_HEAD = f"""
| {ROWS:,} rows each | CPU s before | CPU s now | ratio | s before | s now | ratio | queries before | queries now |
|---|---|---|---|---|---|---|---|---|
"""


def test_two_commits_side_by_side(site_of: Callable[[str, str], MoodleSite], tmp_path: Path) -> None:
    site = site_of("mariadb", "4.5")
    before, now = tmp_path / "before", tmp_path / "now"
    before.mkdir()
    now.mkdir()
    commits = [ToolSync(site, before, Path(os.environ["BENCH_AGAINST"]).resolve()), ToolSync(site, now)]
    courses = (f"BENCH{n};Course {n};Bench" for n in range(COURSES))
    commits[1].run("courses", write_file(tmp_path / "courses.csv", "shortname;fullname;category", courses))
    people = write_people(tmp_path / "people.csv", ROWS)
    enrolments = write_file(tmp_path / "enrol.csv", "cmd;cid;uid;rolename;enrol", enrolment_rows(ROWS, ROWS, "add"))
    members = (f"Bench;BENCH;kim{n:07}" for n in range(ROWS))
    cohort = write_file(tmp_path / "cohort.csv", "cname;cidnumber;userid", members)
    runs: dict[str, tuple[list[Measured], list[Measured]]] = {}
    for repetition in range(TIMES):
        # Whoever begins finds the server's caches colder.
        for place in (0, 1) if repetition % 2 == 0 else (1, 0):
            come = Floor(site, *_TABLES)
            for key, file in (("users", people), ("enrolments", enrolments), ("cohorts", cohort)):
                options = {"useridentifier": "username"} if key == "cohorts" else {}
                for what in ("new", "unchanged"):
                    run = commits[place].run(key, file, **options)
                    assert run.rows == ROWS
                    assert set(run.counts) == {"unchanged"} or (what == "new" and "rejected" not in run.counts), run
                    runs.setdefault(f"{key}, {what}", ([], []))[place].append(run)
            come.clear()
    sys.stdout.write(_HEAD + "".join(f"| {work} | {_cells(*pair)} |\n" for work, pair in runs.items()))


def _cells(before: Sequence[Measured], now: Sequence[Measured]) -> str:
    """Return medians of both, and how many times the time of before the time of now is."""
    cells = []
    for seconds in (lambda run: run.cpu_seconds, lambda run: run.seconds):
        old, new = median(map(seconds, before)), median(map(seconds, now))
        cells += [f"{old:.2f}", f"{new:.2f}", f"{new / old:.2f}"]
    return " | ".join([*cells, str(before[0].executions), str(now[0].executions)])
