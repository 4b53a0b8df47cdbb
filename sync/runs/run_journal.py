"""The before-images of a run, for its undo: which rows it changed, and the images by their places."""

from __future__ import annotations

import zlib
from collections import OrderedDict, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from gzip import BadGzipFile
from itertools import count

from django.utils.functional import cached_property

from sync.commandfiles import storage
from sync.errors import JournalMissing
from sync.models import GraceEntry, RunChunk, SyncRun
from sync.moodle.db.journal import JournalIndex, read_images
from sync.moodle.db.writer import BeforeImage
from sync.outcomes.outcome_codec import read_header
from sync.processors.base.context import ImagePlace
from sync.processors.courses.options import MOODLE
from sync.runs.retry import own_database
from sync.values import Note

_OPEN_AT_A_TIME = 3


class RunJournal:
    """The journal of one run. Shape: line: the only one that is taken back, None = all of them"""

    def __init__(self, run: SyncRun, line: int | None = None) -> None:
        self._run = run
        self._line = line
        self._open: OrderedDict[int, JournalIndex] = OrderedDict()

    @cached_property
    def _keys(self) -> dict[int, str]:
        with own_database():
            return dict(self._run.chunks.filter(journal_key__gt="").values_list("last_line", "journal_key"))

    @cached_property
    def notes(self) -> Sequence[Note]:
        """Queries: one"""
        with own_database():
            chunks = list(self._run.chunks.exclude(after_commit="")) if self._line is None else []
        mails = sum(map(_mails_of, chunks))
        found = [Note("undo_mails_sent", {"count": mails})] if mails else []
        if self._run.undoes_id is None and self._run.options.get("restorewith") == MOODLE:
            found.append(Note("undo_restored_by_moodle", {}))
        return found

    @property
    def listed(self) -> Sequence[tuple[str, int]]:
        """Queries: one"""
        with own_database():
            entries = GraceEntry.objects.filter(run=self._run, closed=0)
            if self._line is not None:
                entries = entries.filter(line=self._line)
            return list(entries.values_list("table", "rowid"))

    def images(self, places: Collection[ImagePlace]) -> Mapping[ImagePlace, BeforeImage]:
        """Return before-images. Raises: JournalMissing"""
        by_chunk: dict[int, list[ImagePlace]] = defaultdict(list)
        for place in places:
            by_chunk[place.chunk].append(place)
        found: dict[ImagePlace, BeforeImage] = {}
        with _damage_told():
            for chunk in sorted(by_chunk):
                index = self._index(chunk)
                found.update((place, index.image(place.number)) for place in sorted(by_chunk[chunk]))
        return found

    def _index(self, chunk: int) -> JournalIndex:
        if chunk in self._open:
            self._open.move_to_end(chunk)
        else:
            with storage.opened(self._keys[chunk]) as stream:
                self._open[chunk] = JournalIndex(stream)
            if len(self._open) > _OPEN_AT_A_TIME:
                self._open.popitem(last=False)
        return self._open[chunk]


def read_journal(run: SyncRun) -> Iterator[tuple[ImagePlace, BeforeImage]]:
    """Return all before-images of a run in the order of the writes, with their places. Raises: JournalMissing"""
    chunks = run.chunks.filter(journal_key__gt="").order_by("last_line")
    for last_line, key in chunks.values_list("last_line", "journal_key"):
        yield from read_journal_part(last_line, key)


def read_journal_part(last_line: int, key: str) -> Iterator[tuple[ImagePlace, BeforeImage]]:
    """Return the before-images of one chunk. Raises: JournalMissing"""
    with _damage_told(), storage.opened(key) as stream:
        for number, image in zip(count(), read_images(stream), strict=False):
            yield ImagePlace(last_line, number), image


def _mails_of(chunk: RunChunk) -> int:
    try:
        with storage.opened(chunk.outcomes_key) as part:
            return int(read_header(part).after_commit.get("mails", 0))
    except (FileNotFoundError, EOFError, BadGzipFile, zlib.error, ValueError):
        return 0


@contextmanager
def _damage_told() -> Iterator[None]:
    """Raises: JournalMissing for what gzip and JSON say about a file that is cut off or overwritten, or isn't there"""
    try:
        yield
    except (FileNotFoundError, EOFError, BadGzipFile, zlib.error, ValueError, TypeError, LookupError) as error:
        raise JournalMissing("undo_journal_missing") from error
