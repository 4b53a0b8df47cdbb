"""Read back the outcomes that a run has stored."""

from __future__ import annotations

from collections.abc import Iterator

from sync.commandfiles import storage
from sync.models import RunChunk, SyncRun
from sync.outcomes.ledger import read_outcomes
from sync.values import Action, Outcome


def read_rows(run: SyncRun, *actions: Action) -> Iterator[Outcome]:
    """Give the outcomes of a run in line order, all or those of some actions; parts without any aren't opened.

    Queries: one
    """
    for chunk in run.chunks.order_by("first_line").iterator():
        if not actions or any(chunk.counts.get(action.value) for action in actions):
            for outcome in read_part(chunk):
                if not actions or outcome.action in actions:
                    yield outcome


def read_part(chunk: RunChunk) -> Iterator[Outcome]:
    """Give the outcomes of one chunk."""
    with storage.opened(chunk.outcomes_key) as part:
        yield from read_outcomes(part)
