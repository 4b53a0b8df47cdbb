"""What a run changed for one line of its file: the before-images that belong to it and to no other line.

Most are noted with their lines when they are written. What follows from a row (the groups that somebody leaves with their last
enrolment) belongs to the line that changed something of the same user, if only one did so in the same part. Where that can't be
told for certain the undo of the line is refused: it takes back all that the line did, and nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Set as AbstractSet

from sync.errors import UndoRefused
from sync.models import RunChunk, SyncRun
from sync.moodle.db.writer import BeforeImage
from sync.processors.base.asked_lines import user_of
from sync.processors.base.context import ImagePlace
from sync.processors.undo.rules import NEVER_TAKEN_BACK, SESSIONS, TRACES, WORK_LISTS, is_neutral
from sync.runs.outcome_store import read_part
from sync.runs.run_journal import read_journal_part
from sync.values import Action

_CHANGES = (Action.CREATED, Action.UPDATED, Action.DELETED, Action.PARTIAL)
# Of these nobody misses a row, whoever it is about.
_OF_NOBODY = NEVER_TAKEN_BACK | WORK_LISTS | TRACES | {SESSIONS}
_LINES_NAMED = 10


def images_of_line(run: SyncRun, line: int) -> Iterator[tuple[ImagePlace, BeforeImage]]:
    """Return the before-images that belong to a line, in the order of the writes, with their places.

    Raises: UndoRefused where they can't be told from those of other lines; JournalMissing, OutcomesMissing
    Queries: one
    """
    chunk = run.chunks.filter(first_line__lte=line, last_line__gte=line, journal_key__gt="").first()
    if chunk is None:
        return

    def images() -> Iterator[tuple[ImagePlace, BeforeImage]]:
        return read_journal_part(chunk.last_line, chunk.journal_key)

    if _changed_alone(chunk, line):
        yield from images()
        return
    part = _Part(image for _place, image in images())
    for place, image in images():
        lines = part.lines_of(image)
        if lines is None:
            raise UndoRefused("undo_line_unknown", run=run.pk, line=line, table=image.table)
        if line in lines and len(lines) > 1:
            others = ", ".join(map(str, sorted(lines - {line})[:_LINES_NAMED]))
            raise UndoRefused("undo_line_tied", run=run.pk, line=line, table=image.table, lines=others)
        if line in lines:
            yield place, image


def _changed_alone(chunk: RunChunk, line: int) -> bool:
    """Whether a line is the only one of its part that changed anything. Raises: OutcomesMissing"""
    if sum(chunk.counts.get(action.value, 0) for action in _CHANGES) != 1:
        return False
    return any(outcome.line == line and outcome.action in _CHANGES for outcome in read_part(chunk))


class _Part:
    """The lines that the images of a part belong to, by the rows and the users that they are about."""

    def __init__(self, images: Iterator[BeforeImage]) -> None:
        self._by_row: defaultdict[tuple[str, int | None], set[int]] = defaultdict(set)
        self._by_user: defaultdict[int, set[int]] = defaultdict(set)
        for image in images:
            if image.lines:
                self._by_row[image.table, image.id].update(image.lines)
                if (userid := user_of(image)) is not None:
                    self._by_user[userid].update(image.lines)

    def lines_of(self, image: BeforeImage) -> AbstractSet[int] | None:
        """Return the lines that a write belongs to, none where it is of nobody; None where that can't be told."""
        if image.lines:
            return frozenset(image.lines)
        if image.table in _OF_NOBODY or _is_neutral(image):
            return frozenset()
        if image.kind == "complete" and (of_row := self._by_row.get((image.table, image.id))):
            return of_row
        userid = user_of(image)
        return self._by_user.get(userid) if userid is not None else None


def _is_neutral(image: BeforeImage) -> bool:
    """Whether a change is one that comes with any other, as the time of a change."""
    return image.kind == "update" and all(is_neutral(image.table, column) for column in image.after)
