"""What a run of the pipeline is given, and what it hands over: without a request, without Celery, without a model."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, Protocol

from sync.columns.general_options import GeneralOptions
from sync.columns.header import MatchedHeader
from sync.columns.row_names import RowNames
from sync.columns.survey import Survey
from sync.mappings.column_mapping import ColumnMapping
from sync.moodle.db.database import MoodleDatabase, MoodleSession
from sync.moodle.db.spool import Spool
from sync.moodle.db.writer import BeforeImage
from sync.moodle.site.command_line import MoodleCommand
from sync.processors.base.after_commit import AfterCommit
from sync.processors.base.closing import ClosedObject, ClosingObject
from sync.processors.base.context import (
    BlobKeeper,
    FileArea,
    Journal,
    NoBlobKeeper,
    NoFileArea,
    NoJournal,
    NoRecords,
    Records,
)
from sync.processors.base.grace import GraceRecords, NoGrace
from sync.processors.base.overlay import Overlay
from sync.processors.base.plan import Mail, Plan
from sync.processors.base.processor import Processor
from sync.processors.base.sticky import StickyFields
from sync.reader import ReadSheet, RowReader, WholeText
from sync.runs.kept_plans import KeptPlans
from sync.runs.piece_file import PieceFile
from sync.runs.planned import PlannedRows
from sync.runs.retry import Unavailable
from sync.values import CleanRow, Note, Outcome, Rejection

# Of clean rows that are kept in memory, some twenty thousand accounts: about 30 MiB.
_MOST_CELLS, _MOST_BYTES = 200_000, 8 << 20
_MOST_BYTES_ON_DISK = 256 << 20


class ChunkResult(NamedTuple):
    """What a chunk did.

    Shape: outcomes: one per row, in line order; counts: action -> rows; is_closing, writes: as in PartHeader; totals: as of
    `sync.processors.base.totals`; scoped_totals: the same of scopes, by the key of the scope;
    named: whom and which courses the rows name that changed something; about: of what comes after the last row, the object of
    each outcome; touched: of a dry run, as `Plan.touched` has it
    """

    first_line: int
    last_line: int
    outcomes: list[Outcome]
    counts: dict[str, int]
    before_images: Spool[BeforeImage]
    bytes_read: int
    after_commit: AfterCommit
    mails: Sequence[Mail] = ()
    is_closing: bool = False
    about: Sequence[ClosingObject] = ()
    totals: Mapping[str, int] = MappingProxyType({})
    writes: bool = False
    named: Sequence[RowNames] = ()
    scoped_totals: Mapping[str, Mapping[str, int]] = MappingProxyType({})
    touched: Mapping[int, Sequence[str]] = MappingProxyType({})


class OwedPart(NamedTuple):
    """What a committed chunk owes. Shape: is_settled: it was carried out once already."""

    last_line: int
    owed: AfterCommit
    is_settled: bool


class Recorder(Protocol):
    """Where a run keeps what it does."""

    def begin(self, reader: RowReader, header: MatchedHeader, notes: Sequence[Note]) -> None:
        """The file was accepted; nothing is written yet. Notes: what is worth saying about the file as a whole."""

    def prepare(self, chunk: ChunkResult) -> None:
        """Store the chunk safely; its transaction is about to be committed."""

    def confirm(self, chunk: ChunkResult) -> None:
        """The chunk is committed (or had nothing to write)."""

    def recover(self, last_line: int, worker: str = "") -> None:
        """A chunk that a worker had prepared up to this line turned out to be committed."""

    def owed_parts(self, known: Collection[int]) -> Iterator[OwedPart]:
        """Return what committed chunks owe, in file order, without those whose last lines are known."""

    def closed(self, after_line: int) -> Iterator[ClosedObject]:
        """Return what became of objects in parts behind this line, the last one of the file's rows."""

    def send_mails(self, last_line: int) -> None:
        """Send the mails of a committed chunk that wait."""

    def settle(self, last_line: int) -> None:
        """What a chunk owed is carried out."""

    def end(self, notes: Sequence[Note]) -> None:
        """The last chunk is confirmed. Notes: what is worth saying about the run as a whole."""


class ScopeTotals(Protocol):
    """The scopes with limits of their own."""

    def count(self, moodle: MoodleSession, plan: Plan) -> Mapping[str, Mapping[str, int]]:
        """Return what a plan changes or takes away in each scope: key of the scope -> totals."""


class NoScopeTotals:
    """There are none."""

    def count(self, moodle: MoodleSession, plan: Plan) -> Mapping[str, Mapping[str, int]]:
        return {}


class StoredPlan(Protocol):
    """The plan of a file as an earlier pass over it has stored it: what is applied, and nothing else."""

    def writes(self, first_line: int, last_line: int) -> bool:
        """Return whether a part of the plan to which these lines belong changes something."""

    def rows(self, first_line: int, last_line: int) -> PlannedRows:
        """Return what was planned for these lines; asked for in file order, perhaps several times."""

    def closed(self, after_line: int) -> Iterator[ClosedObject]:
        """Return the objects about which something was planned behind this line, the last one of the file's rows."""


class RowsKey(NamedTuple):
    """By what rows of a file are told from others that were cleaned. Shape: rows: how many"""

    first_line: int
    last_line: int
    rows: int
    text_fields: frozenset[str]


class CleanedRows:
    """What rows of a file came to when they were cleaned, for the next pass over it.

    What is too much for the memory waits on the disk; of a file with passwords nothing does, and nothing of it is kept.
    """

    def __init__(self) -> None:
        self._kept: dict[RowsKey, tuple[Sequence[CleanRow], Sequence[Rejection]]] = {}
        self._on_disk: PieceFile | None = None
        self._cells = self._bytes = 0

    def keep(
        self, rows: RowsKey, clean: Sequence[CleanRow], rejections: Sequence[Rejection], size: int, *, secret: bool
    ) -> None:
        """Keep what rows came to. Shape: size: of them in the file; secret: the file may hold passwords"""
        self._cells += sum(len(row.values) for row in clean)
        self._bytes += size
        cleaned = tuple(clean), tuple(rejections)
        if self._on_disk is None and self._cells <= _MOST_CELLS and self._bytes <= _MOST_BYTES:
            self._kept[rows] = cleaned
        elif secret:
            self._kept.clear()
        else:
            self._on_disk = self._on_disk or PieceFile()
            if self._on_disk.size <= _MOST_BYTES_ON_DISK:
                self._on_disk.append(rows, cleaned)

    def take(self, rows: RowsKey) -> tuple[list[CleanRow], list[Rejection]] | None:
        """Return what was kept of rows, once; None where nothing is. Rows are taken in the order of the file."""
        kept = self._kept.pop(rows, None)
        while kept is None and self._on_disk and self._on_disk.first_key.first_line <= rows.first_line:
            if self._on_disk.first_key == rows:
                kept = self._on_disk.take()
            else:
                self._on_disk.skip()
        if kept is None:
            return None
        clean, rejections = kept
        return list(clean), list(rejections)


@dataclass
class FileLook:
    """What the first of several passes over the same file has told of all its rows; the others don't look for it again.

    Shape: survey: None = there was no pass yet; whole: of a text file; cleaned, plans: by a dry run, for its application
    """

    survey: Survey | None = None
    whole: WholeText | None = None
    cleaned: CleanedRows = field(default_factory=CleanedRows)
    plans: KeptPlans = field(default_factory=KeptPlans)


@dataclass(frozen=True)
class PipelineContext:
    """Everything that a run of the pipeline needs.

    Shape: after_line: rows up to this line are done already; fence_key: tells runs apart in Moodle; worker: tells those who
    carry it out apart, "" = there is only one; takes_over: another worker has begun, and may be alive; wait: called with the
    error and the attempt (1, 2 …) when Moodle is away, returns to try again or raises to give up; should_stop: asked before
    each chunk; records: what earlier runs on this Moodle did; grace: the list of deletions; sticky: what the file leaves as it
    is; file_area: holds the files that rows may name; blobs: keeps contents that go out of use; journal: of the run that is
    undone; moodle_command: starts Moodle's own scripts, none = not set; mapping: what the columns of the file become, None =
    they are the file type's; plan: what is to be carried out, none = whatever the file comes to; replans: a row that would
    come to something else by now is planned once more, otherwise it is rejected; shows_new_values: outcomes tell the cells of
    what is made; is_part: ToolSync has made the file of rows of others, so it is never complete; scopes: those with limits of
    their own; check_totals: called before a chunk is written, raises where it would be too much; overlay: of several files that
    are planned together, the caller closes it; look: shared by the passes over one file; sheets: as of open_rows
    """

    processor: type[Processor]
    options: GeneralOptions
    moodle: MoodleDatabase
    recorder: Recorder
    simulate: bool = False
    after_line: int = 0
    fence_key: str = "-"
    worker: str = ""
    takes_over: bool = False
    chunk_rows: int = 1000
    wait: Callable[[Unavailable, int], None] = field(default=lambda error, _attempt: _raise(error))
    should_stop: Callable[[], bool] = field(default=lambda: False)
    records: Records = field(default_factory=NoRecords)
    grace: GraceRecords = field(default_factory=NoGrace)
    sticky: StickyFields = field(default_factory=StickyFields)
    file_area: FileArea = field(default_factory=NoFileArea)
    blobs: BlobKeeper = field(default_factory=NoBlobKeeper)
    journal: Journal = field(default_factory=NoJournal)
    moodle_command: MoodleCommand | None = None
    mapping: ColumnMapping | None = None
    plan: StoredPlan | None = None
    replans: bool = False
    shows_new_values: bool = False
    is_part: bool = False
    scopes: ScopeTotals = field(default_factory=NoScopeTotals)
    check_totals: Callable[[ChunkResult], None] = field(default=lambda _chunk: None)
    overlay: Overlay | None = None
    look: FileLook = field(default_factory=FileLook)
    sheets: ReadSheet | None = None

    @property
    def undoes(self) -> bool:
        """Whether it takes back what an earlier run did."""
        return not isinstance(self.journal, NoJournal)


def _raise(error: Exception) -> None:
    raise error
