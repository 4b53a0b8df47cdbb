"""Read back the outcomes that a run has stored."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from gzip import BadGzipFile

from sync.commandfiles import storage
from sync.errors import OutcomesMissing
from sync.models import RunChunk, SyncRun
from sync.outcomes.outcome_codec import read_outcomes
from sync.values import Action, Outcome


def read_rows(run: SyncRun, *actions: Action) -> Iterator[Outcome]:
    """Return the outcomes of a run in line order, all or those of some actions; parts without any aren't opened.

    Queries: one
    """
    for chunk in run.chunks.order_by("first_line").iterator():
        if not actions or any(chunk.counts.get(action.value) for action in actions):
            for outcome in read_part(chunk):
                if not actions or outcome.action in actions:
                    yield outcome


def read_part(chunk: RunChunk) -> Iterator[Outcome]:
    """Return the outcomes of one chunk. Raises: OutcomesMissing"""
    try:
        with storage.opened(chunk.outcomes_key) as part:
            yield from read_outcomes(part)
    # Of what gzip and JSON say about a file that is cut off or overwritten.
    except (FileNotFoundError, EOFError, BadGzipFile, zlib.error, ValueError, TypeError, StopIteration) as error:
        raise OutcomesMissing("outcomes_part_missing", line=chunk.last_line) from error
