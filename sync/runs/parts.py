"""Read back the outcomes that a run has stored."""

from __future__ import annotations

from collections.abc import Iterator

from sync.commandfiles import storage
from sync.models import RunChunk, SyncRun
from sync.outcomes.ledger import read_outcomes
from sync.values import Action, Outcome


def read_rows(run: SyncRun, action: Action | None = None) -> Iterator[Outcome]:
    """Give the outcomes of a run in line order, all or those of one action; parts without any aren't opened.

    Queries: one
    """
    for chunk in run.chunks.order_by("first_line").iterator():
        if action is None or chunk.counts.get(action.value):
            for outcome in read_part(chunk):
                if action is None or outcome.action is action:
                    yield outcome


def read_part(chunk: RunChunk) -> Iterator[Outcome]:
    """Give the outcomes of one chunk."""
    with storage.opened(chunk.outcomes_key) as part:
        yield from read_outcomes(part)
