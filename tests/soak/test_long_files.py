"""A million rows: memory doesn't grow with the file."""

from __future__ import annotations

from pathlib import Path

from tests.bench.figures import Line
from tests.bench.fixtures import ToolSyncOn
from tests.bench.people import write_people

ROWS = 1_000_000
PEAK_MIB = 256


def test_a_million_users_are_created_and_found_unchanged(
    toolsync_on: ToolSyncOn, figures: list[Line], tmp_path: Path
) -> None:
    toolsync = toolsync_on("mariadb")
    people = write_people(tmp_path / "people.csv", ROWS)
    created, unchanged = toolsync.run("users", people), toolsync.run("users", people)
    figures += [
        Line("users created", "mariadb", [created], most={"peak MiB": PEAK_MIB}),
        Line("users unchanged", "mariadb", [unchanged], most={"peak MiB": PEAK_MIB}),
    ]
    assert (created.counts, unchanged.counts) == ({"created": ROWS}, {"unchanged": ROWS})
    assert max(created.peak_mib, unchanged.peak_mib) <= PEAK_MIB
