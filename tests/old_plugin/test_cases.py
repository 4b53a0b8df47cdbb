"""What the files of the old plugin do, and that they do here what they did there.

Rows are those that the old plugin wrote, but for what its `case.json` says was different when the case was recorded. A
verdict "b" or "c" that is mended since stands in MENDED: the rows are the old plugin's now. The differences that stay are
explained in docs/coming-from-tool-sync.md.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from sync.errors import CommandFileError
from tests.conftest import needs_moodle_data
from tests.old_plugin.case import Counts, OldCase, read_cases
from tests.real_sites import RealSites

pytestmark = [*needs_moodle_data, pytest.mark.xdist_group("old plugin")]

MENDED = {
    "courses-category-backslash", "courses-idnumber-accents", "courses-shortname-accents", "enrol-accent-folding",
    "enrol-cohort-name-accents", "enrol-course-accents", "enrol-gaddcreate-accents", "groups-name-accents",
    "cohorts-del-last-member-syncdelete", "cohorts-free-syncdelete", "enrol-enrolcleanup", "groups-update-unknown-id",
}  # fmt: skip
# A group that Moodle takes for the same isn't made a second time, though the old plugin did so in files of users. An unknown
# updateid makes the group also where the course has a name: the old plugin died of that.
EXPLAINED: dict[str, Counts] = {
    "users-group-accents": {"groups": (0, 0, 1)},
    "groups-update-unknown": {"groups": (1, 0, 0)},
}
# How many sections a course gets, what Moodle's own events add to a deletion, and who is to change a password: the page of the
# cases counts these with the defaults.
_NOT_COMPARED = {
    "course_sections",
    "course_format_options",
    "tool_dataprivacy_request",
    "user_preferences",
    "task_adhoc",
}


def _id(case: OldCase) -> str:
    return f"{case.folder.parent.name}:{case.name}"


@pytest.mark.parametrize("case", read_cases(), ids=_id)
def test_a_file_of_the_old_plugin_writes_what_it_wrote_there(
    real_site: RealSites, tmp_path: Path, case: OldCase
) -> None:
    if case.reason_to_skip:
        pytest.skip(case.reason_to_skip)
    (tmp_path / "filedir").mkdir()
    try:
        _result, rows = case.run(real_site("m41-seeded"), tmp_path)
    except CommandFileError:
        rows = {}
    allowed = [_compared(case.recorded_rows() | EXPLAINED.get(case.name, {}))]
    if case.name in MENDED:
        allowed = [_compared(case.old_rows())]
    elif case.verdict in ("b", "c"):
        # Not mended yet, or mended just now (then its name belongs above), where we may do more than the old plugin.
        allowed += [_compared(case.old_rows()), _compared(case.recorded_rows("only new"))]
    assert _compared(rows) in allowed


def _compared(counts: Counts) -> dict[str, tuple[int, int]]:
    """Return table -> rows inserted and deleted; what is updated besides, order and times mostly, differs by nature."""
    compared = {table: rows[:2] for table, rows in counts.items() if table not in _NOT_COMPARED}
    return {table: rows for table, rows in compared.items() if any(rows)}
