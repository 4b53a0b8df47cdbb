"""What a processor is given when it is made, and what it collects over the chunks of a run."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import BinaryIO, NamedTuple, Protocol

from sync.columns.general_options import GeneralOptions
from sync.columns.survey import Survey
from sync.errors import JournalMissing
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.id_ranges import IdRanges
from sync.moodle.db.writer import BeforeImage
from sync.moodle.site.command_line import MoodleCommand
from sync.processors.base.absence import Absence
from sync.processors.base.closing import ClosingObject
from sync.processors.base.grace import GraceChange, GraceRecords, NoGrace
from sync.processors.base.overlay import Overlay
from sync.processors.base.row_counts import RowCounts
from sync.processors.base.sticky import StickyFields
from sync.reader.picture_zip import PictureZip
from sync.values import Note


class CreatedRows(NamedTuple):
    """The rows of a table that runs have inserted so far. Shape: since: ISO date of the first, "" = there is none"""

    ids: IdRanges
    since: str


class Records(Protocol):
    """What is known of earlier runs on the same Moodle."""

    def inserted_by_us(self, table: str, ids: Collection[int]) -> set[int]:
        """Return those of the rows that an earlier run inserted."""

    def created(self, table: str) -> CreatedRows:
        """Return all of them, as far as they were noted."""


class NoRecords:
    """Nothing is known of earlier runs."""

    def inserted_by_us(self, table: str, ids: Collection[int]) -> set[int]:
        return set()

    def created(self, table: str) -> CreatedRows:
        return CreatedRows(IdRanges(), "")


class FileArea(Protocol):
    """The files of the site, where rows name some."""

    def present(self, paths: Collection[str]) -> set[str]:
        """Return those of the paths ("/backups/algebra.mbz", "algebra.mbz") under which there is a file."""

    def opened(self, path: str) -> AbstractContextManager[BinaryIO]:
        """Open a file for reading. Raises: FileNotFoundError, StorageUnavailable"""


class NoFileArea:
    """There is no file area."""

    def present(self, paths: Collection[str]) -> set[str]:
        return set()

    def opened(self, path: str) -> AbstractContextManager[BinaryIO]:
        raise FileNotFoundError(path)


class ImagePlace(NamedTuple):
    """Where a before-image stands. Shape: chunk: last line of the chunk that wrote it; number: its place there, from 0"""

    chunk: int
    number: int


class Journal(Protocol):
    """The before-images of the run that is to be undone.

    Shape: notes: what the run did that no journal holds; listed: what it put on the list of deletions, table and id, where it is
    still on the list
    """

    @property
    def notes(self) -> Sequence[Note]: ...

    @property
    def listed(self) -> Sequence[tuple[str, int]]: ...

    def images(self, places: Collection[ImagePlace]) -> Mapping[ImagePlace, BeforeImage]:
        """Return before-images. Raises: JournalMissing"""


class NoJournal:
    """Nothing is to be undone."""

    @property
    def notes(self) -> Sequence[Note]:
        return ()

    @property
    def listed(self) -> Sequence[tuple[str, int]]:
        return ()

    def images(self, places: Collection[ImagePlace]) -> Mapping[ImagePlace, BeforeImage]:
        raise JournalMissing("undo_journal_missing")


class BlobKeeper(Protocol):
    """Keeps the contents of files that have lost their last row, so that the run can be undone."""

    def keep(self, sizes: Mapping[str, int]) -> bool:
        """Keep contents in Moodle's pool; False when they are to be trashed at once. Shape: sizes: contenthash -> bytes"""


class NoBlobKeeper:
    """Nothing is kept."""

    def keep(self, sizes: Mapping[str, int]) -> bool:
        return False


@dataclass
class Collected:
    """What a processor collects over all chunks of a run; it outlives a connection that is lost.

    Shape: notes: what committed chunks want to be said at the end; grace: what they did to the list of deletions; absence: what
    is known of who is absent from a file that is complete; unplanned: what is empty at the end and stays, as nobody has planned
    its deletion -> its name; counted: rows of which something is said at the top of the report
    Units: bytes_left: of files that stay in Moodle's data folder though no row refers to them
    """

    notes: list[Note] = field(default_factory=list)
    bytes_left: int = 0
    grace: dict[tuple[str, int], GraceChange] = field(default_factory=dict)
    absence: Absence = field(default_factory=Absence)
    unplanned: dict[ClosingObject, str] = field(default_factory=dict)
    counted: RowCounts = field(default_factory=RowCounts)


@dataclass(frozen=True)
class ProcessorContext:
    """Everything that a processor works with, on one connection.

    Shape: names: the header's canonical names; survey: what was found in all rows before the first is used; overlay: what earlier
    chunks would leave, where they aren't carried out; collected: of the processor's own `collected_type`; records:
    what is known of earlier runs; grace: the list of deletions; sticky: what a file leaves as it is; file_area: holds the
    files that rows may name; blobs: keeps contents that go out of use; journal: of the run that is undone; pictures: where the
    file is a zip of them; moodle_command: starts Moodle's own scripts, none = not set
    """

    moodle: MoodleSession
    options: GeneralOptions
    names: Sequence[str]
    survey: Survey
    overlay: Overlay
    collected: Collected
    records: Records = field(default_factory=NoRecords)
    grace: GraceRecords = field(default_factory=NoGrace)
    sticky: StickyFields = field(default_factory=StickyFields)
    file_area: FileArea = field(default_factory=NoFileArea)
    blobs: BlobKeeper = field(default_factory=NoBlobKeeper)
    journal: Journal = field(default_factory=NoJournal)
    pictures: PictureZip | None = None
    moodle_command: MoodleCommand | None = None
