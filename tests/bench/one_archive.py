"""Read one course backup in a process of its own, and say what it took.

    python -m tests.bench.one_archive FILE FOLDER

Standard output is one JSON object, the fields of `Measured`.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from sync.moodle.course_content.backup.content import open_archive
from tests.bench.one_run import peak_mib


def main(file: str, folder: str) -> None:
    began, began_cpu = time.perf_counter(), time.process_time()
    with open_archive(Path(file), Path(folder)) as content:
        counts = {table: sum(map(len, content.rows(table))) for table in content.tables()}
        counts["files"] = sum(map(len, content.files()))
    times = {"seconds": time.perf_counter() - began, "cpu_seconds": time.process_time() - began_cpu}
    told = {"state": "completed", "counts": counts, **times, "executions": 0, "peak_mib": peak_mib()}
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
