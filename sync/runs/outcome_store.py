"""Read back the outcomes that a run has stored."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence

from sync.commandfiles import storage
from sync.errors import OutcomesMissing
from sync.models import RunChunk, SyncRun
from sync.outcomes.outcome_codec import DAMAGES, PartHeader, read_header, read_numbered, read_outcomes
from sync.processors.base.closing import ClosedObject, ClosingObject
from sync.runs.planned import PlannedRows
from sync.values import Action, Outcome


def read_rows(run: SyncRun, *actions: Action, of_file: bool = False) -> Iterator[Outcome]:
    """Return the outcomes of a run in line order, all or those of some actions; parts without any aren't opened.

    Shape: of_file: only those of rows of its file, none of what comes after the last
    Queries: one
    """
    chunks = run.chunks.filter(is_closing=False) if of_file else run.chunks
    for chunk in chunks.order_by("first_line").iterator():
        if not actions or any(chunk.counts.get(action.value) for action in actions):
            for outcome in read_part(chunk):
                if not actions or outcome.action in actions:
                    yield outcome


def read_part(chunk: RunChunk) -> Iterator[Outcome]:
    """Return the outcomes of one chunk. Raises: OutcomesMissing"""
    try:
        with storage.opened(chunk.outcomes_key) as part:
            yield from read_outcomes(part)
    except (FileNotFoundError, *DAMAGES) as error:
        raise OutcomesMissing("outcomes_part_missing", line=chunk.last_line) from error


def read_rows_of_part(chunk: RunChunk, numbers: Collection[int]) -> dict[int, Outcome]:
    """Return some outcomes of one chunk, by their numbers from 0. Raises: OutcomesMissing"""
    try:
        with storage.opened(chunk.outcomes_key) as part:
            return dict(read_numbered(part, numbers))
    except (FileNotFoundError, *DAMAGES) as error:
        raise OutcomesMissing("outcomes_part_missing", line=chunk.last_line) from error


def had_journal(chunk: RunChunk) -> bool:
    """Return whether a chunk had before-images when it was committed; True as well where nobody knows."""
    try:
        with storage.opened(chunk.outcomes_key) as part:
            return read_header(part).has_journal
    except (FileNotFoundError, *DAMAGES):
        return True


def read_closed(run: SyncRun, after_line: int) -> Iterator[ClosedObject]:
    """Return what became of objects after the last row of a run, or would. Raises: OutcomesMissing

    Shape: after_line: of that row
    """
    for chunk in run.chunks.filter(is_closing=True, first_line__gt=after_line).order_by("first_line"):
        header, outcomes = _read_whole(chunk)
        for place, outcome in zip(header.about, outcomes, strict=False):
            yield ClosedObject(ClosingObject(*place), outcome)


def _read_whole(chunk: RunChunk) -> tuple[PartHeader, list[Outcome]]:
    try:
        with storage.opened(chunk.outcomes_key) as part:
            header = read_header(part)
            part.seek(0)
            return header, [*read_outcomes(part)]
    except (FileNotFoundError, *DAMAGES) as error:
        raise OutcomesMissing("outcomes_part_missing", line=chunk.last_line) from error


class PlanReader:
    """The plan of a run, read in file order while it is applied; of what lies behind nothing stays in memory."""

    def __init__(self, plan: SyncRun) -> None:
        self._plan = plan
        chunks = list(plan.chunks.order_by("first_line"))
        self._writing = [(chunk.first_line, chunk.last_line) for chunk in chunks if chunk.writes]
        self._chunks = deque(chunks)
        self._ahead: deque[tuple[Outcome, Sequence[str]]] = deque()
        self._read_to = 0

    def writes(self, first_line: int, last_line: int) -> bool:
        """Return whether a part of the plan to which these lines belong changes something. Nothing is read for it."""
        return any(first <= last_line and last >= first_line for first, last in self._writing)

    def rows(self, first_line: int, last_line: int) -> PlannedRows:
        """Return what was planned for these lines; the first of them never goes back. Raises: OutcomesMissing"""
        while self._ahead and self._ahead[0][0].line < first_line:
            self._ahead.popleft()
        while self._read_to < last_line and self._chunks:
            chunk = self._chunks[0]
            if chunk.last_line >= first_line:
                header, outcomes = _read_whole(chunk)
                touched = dict(header.touched)
                self._ahead += [
                    (outcome, touched.get(outcome.line, ())) for outcome in outcomes if outcome.line >= first_line
                ]
            # Only now: a part whose disk was away is asked for again.
            self._read_to = self._chunks.popleft().last_line
        found = [item for item in self._ahead if item[0].line <= last_line]
        return PlannedRows(
            [outcome for outcome, _objects in found],
            {outcome.line: objects for outcome, objects in found if objects},
        )

    def closed(self, after_line: int) -> Iterator[ClosedObject]:
        """Return the objects about which something was planned after the last row. Raises: OutcomesMissing"""
        return read_closed(self._plan, after_line)
