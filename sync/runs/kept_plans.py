"""Plans of chunks that a dry run has made, for the run that the same process carries out right after it.

What a plan comes to depends on the rows of the file, which are the same, and on what was read for it. Where that is read again
as it was, planning once more would come to the same (docs/decisions/0040).
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sync.moodle.db.database import Reads
from sync.processors.base.grace import GraceRecords, GraceTask, Listed
from sync.processors.base.plan import Plan
from sync.runs.piece_file import NotForDisk, PieceFile
from sync.values import Outcome

# In memory, of what was read and of what is written, some fifteen thousand new accounts: about 25 MiB.
_MOST_CELLS = 450_000
# In memory, of texts in what was read and in the rows of the file.
_MOST_CHARACTERS = 16 << 20
# On the disk: a few hundred thousand new accounts.
_MOST_BYTES = 512 << 20
# Rows that are new get the time at which they were planned.
_MOST_SECONDS = 600


class PlanKey(NamedTuple):
    """By what plans of the same rows are told from others. Shape: clean, rejected: how many of the rows are"""

    first_line: int
    last_line: int
    clean: int
    rejected: int


class _KeptPlan(NamedTuple):
    key: PlanKey
    reads: Reads
    plan: Plan
    outcomes: Sequence[Outcome]
    at: float


class KeptPlans:
    """The plans of the first chunks of a file, in order; none of those that follow what had to be planned once more.

    Those that are too much for the memory wait on the disk; with clear passwords they don't, and the later ones aren't kept.
    A connection reads some things once and uses them in all later chunks. So a plan holds only where all that was read before
    it was read again as well.
    """

    def __init__(self) -> None:
        self._setup: Reads | None = None
        self._kept: deque[_KeptPlan] = deque()
        self._on_disk: PieceFile | None = None
        # It still holds the rows that it was planned on: for the disk once the next one comes.
        self._last: _KeptPlan | None = None
        self._cells = self._characters = 0
        self._is_closed = False

    def begin(self, reads: Reads) -> None:
        """Say what was read ahead of the first chunk, on each connection."""
        if self._setup is None:
            self._setup = reads
        elif self._setup != reads:
            self.close()

    def keep(self, key: PlanKey, reads: Reads, plan: Plan, outcomes: Iterable[Outcome], size: int) -> None:
        """Keep the plan of the next chunk, unless there is too much to be kept by now. Shape: size: of its rows in the file"""
        if self._last is not None and self._last.key == key:
            # Planned once more, for what came of it could not be stored.
            self._last = None
        elif self._last is not None:
            self._write_last()
        if self._is_closed:
            return
        self._cells += _cells_of(reads, plan)
        self._characters += size + sum(
            len(cell) for rows in reads for row in rows for cell in row if isinstance(cell, str)
        )
        self._last = _KeptPlan(key, reads, plan, tuple(outcomes), time.monotonic())

    def _write_last(self) -> None:
        """Let the last plan wait where there is room for it."""
        last, self._last = self._last, None
        if last is None:
            return
        if self._on_disk is None and self._cells <= _MOST_CELLS and self._characters <= _MOST_CHARACTERS:
            self._kept.append(last)
            return
        self._on_disk = self._on_disk or PieceFile()
        if last.plan.mails:
            # There may be passwords in them.
            self.end()
            return
        try:
            self._on_disk.append(last.key, last)
        except NotForDisk:
            self.end()
        if self._on_disk.size > _MOST_BYTES:
            self.end()

    def end(self) -> None:
        """Keep no further ones: the next chunk can't be used."""
        self._is_closed = True

    def take(self, key: PlanKey, reads: Reads) -> tuple[Plan, list[Outcome]] | None:
        """Return the plan of the next chunk, once; None where there is none, or other things were read for it."""
        self._write_last()
        if self._kept:
            kept = self._kept.popleft()
        elif self._on_disk:
            kept = self._on_disk.take()
        else:
            return None
        is_same = kept.key == key and kept.reads == reads and time.monotonic() - kept.at < _MOST_SECONDS
        if not is_same:
            self.close()
            return None
        return kept.plan, list(kept.outcomes)

    def close(self) -> None:
        """Forget all of them, for good."""
        self._kept.clear()
        self._on_disk = self._last = None
        self.end()


class NotedGrace:
    """The list of deletions; what is read of it counts as read. Shape: reads: what was read so far"""

    def __init__(self, records: GraceRecords, reads: Reads) -> None:
        self._records = records
        self._reads = reads

    @property
    def task(self) -> GraceTask:
        return self._records.task

    def listed(self, table: str) -> Mapping[int, Listed]:
        listed = self._records.listed(table)
        self._reads.append([*listed.items()])
        return listed

    def day_after(self, days: int) -> str:
        return self._records.day_after(days)


def _cells_of(reads: Reads, plan: Plan) -> int:
    written = sum(len(insert.values) for inserts in plan.inserts.values() for insert in inserts)
    written += sum(len(update.after) for updates in plan.updates.values() for update in updates)
    return written + sum(len(row) for rows in reads for row in rows)
