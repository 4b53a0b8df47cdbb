"""What a run holds in memory follows the bytes of its rows, not their number."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from sync.runs.pipeline import CHUNK_BYTES, chunks_of
from sync.values import Row
from tests.support import MoodleSite, run_file

ROOT = Path(__file__).parents[2]
ROWS, ROW_BYTES = 6, 12_000_000
MEMORY = 256 << 10

PROGRAM = """
import sys
import django
django.setup()
from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from sync.processors.registry import REGISTRY
from sync.outcomes.tryback import write_tryback
from sync.reader import open_rows
from sync.runs.pipeline import run_pipeline
from sync.runs.pipeline_context import PipelineContext
from tests.support import RunResult
url, path = sys.argv[1:]
processor, result = REGISTRY["users"], RunResult(0)
with open(path, "rb") as stream:
    moodle = MoodleDatabase(MoodleConnection(url, "mdl_"))
    run_pipeline(PipelineContext(processor, processor.options.resolve({}), moodle, result), stream, path)
    with open(path + ".tryback", "wb") as out:
        reader = open_rows(stream, path, known_name=processor.columns.knows)
        write_tryback(out, reader, [o for o in result.outcomes if o.action == "rejected"], language="en")
# The peak of this program alone: that of getrusage begins with what the process that started it held.
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM:"))
print(len(result.outcomes), peak)
"""


def peak_of(site: MoodleSite, path: Path, *, rows: int, row_bytes: int) -> int:
    """Return how much memory a program takes that carries out a file of such rows. Units: KiB"""
    with path.open("wb") as out:
        out.write(b"username;firstname;lastname;email;description\n")
        for number in range(rows):
            out.write(b"kim%d;Kim;Kay;kim%d@x.org;" % (number, number) + b"x" * row_bytes + b"\n")
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, site.url, str(path)],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    outcomes, memory = map(int, done.stdout.split())
    assert outcomes == rows
    return memory


def test_rows_of_megabytes_are_not_all_in_memory_at_a_time(sqlite_site: MoodleSite, tmp_path: Path) -> None:
    assert peak_of(sqlite_site, tmp_path / "users.csv", rows=ROWS, row_bytes=ROW_BYTES) < MEMORY


def test_chunks_are_cut_by_rows_and_by_bytes() -> None:
    def small(line: int) -> Row:
        return Row(line, b"x", ())

    def large(line: int) -> Row:
        return Row(line, b"x" * (CHUNK_BYTES // 2 + 1), ())

    rows = [small(1), small(2), small(3), large(4), large(5), small(6)]
    assert [[row.line for row in chunk] for chunk in chunks_of(rows, 2)] == [[1, 2], [3, 4], [5, 6]]
    assert [[row.line for row in chunk] for chunk in chunks_of([large(1), large(2)], 9)] == [[1], [2]]
    assert list(chunks_of([], 9)) == []


def test_large_rows_end_as_small_ones_do(sqlite_site: MoodleSite) -> None:
    text = "username;firstname;lastname;email;description\n" + "".join(
        f"kim{number};Kim;Kay;kim{number}@x.org;{'x' * 900_000}\n" for number in range(12)
    )
    result = run_file(sqlite_site, "users", text)
    assert result.counts == {"created": 12}
    assert result.chunks == 2
