"""Forty rows of 10 MB: memory follows the bytes of a row, not the number of rows."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.moodle_sites import MoodleSite
from tests.runs.test_large_rows import MEMORY, peak_of

ROWS, ROW_BYTES = 40, 10_000_000


def test_forty_rows_of_ten_megabytes_take_little_memory(sqlite_site: MoodleSite, tmp_path: Path) -> None:
    peak = peak_of(sqlite_site, tmp_path / "users.csv", rows=ROWS, row_bytes=ROW_BYTES)
    sys.stdout.write(f"\n{ROWS} rows of {ROW_BYTES:,} bytes: {peak >> 10} MiB\n")
    assert peak < MEMORY
