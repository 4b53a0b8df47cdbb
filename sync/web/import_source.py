"""The file of a new import: its beginning is read once, and opened as often as the page asks."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import NamedTuple

from django.http import HttpRequest
from django.utils.functional import cached_property

from sync.columns.file_columns import Columns
from sync.columns.general_options import GeneralOptions
from sync.commandfiles import storage
from sync.commandfiles.readings import is_cut, is_workbook, kept_sheets
from sync.errors import CommandFileError, WorkbookUnread
from sync.mappings.column_mapping import ColumnMapping
from sync.mappings.mapped_rows import known_by
from sync.mappings.recognition import Recognised
from sync.models import CommandFile
from sync.processors.base.processor import Processor
from sync.reader import Dialect, RowReader, open_rows
from sync.reader.beginning import Beginning, beginning_of
from sync.runs.imports import recognise_file
from sync.runs.mappings import FileHead, head_of

# So much of a file is read for the page, and so large may a zip of pictures be that is looked into.
READ_BYTES = 4 * 1024 * 1024
READ_PICTURES = 8 * 1024 * 1024
# Of a workbook its first bytes say that it is one; its rows are what a worker has kept.
_HEAD_BYTES = 4096


def says_so_already(request: HttpRequest, worker_trouble: str) -> bool:
    """Whether a page that asks again says already that a workbook is being read, or that nobody reads it."""
    return request.headers.get("HX-Trigger") == ("nobody-reads" if worker_trouble else "being-read")


class Opening(NamedTuple):
    """How a file begins. Shape: head: what chooses its mapping; sheet: of a workbook with several, the one that is read"""

    dialect: Dialect
    head: FileHead
    sheet: str


class ImportSource:
    """The beginning of a command file."""

    def __init__(self, file: CommandFile) -> None:
        self.file = file

    @cached_property
    def beginning(self) -> Beginning:
        """What is read of it. Raises: CommandFileError if it is gone"""
        key = storage.key_of_path(self.file.site.slug, self.file.path)
        try:
            with storage.opened(key) as stream:
                if is_workbook(stream, self.file.name):
                    head = io.BytesIO(stream.read(_HEAD_BYTES))
                    return Beginning(head, is_cut(self.file), sheets=kept_sheets(self.file))
                return beginning_of(stream, self.file.size, most=READ_BYTES, most_of_workbook=READ_PICTURES)
        except FileNotFoundError:
            raise CommandFileError("file_not_found", path=self.file.path) from None

    def check_sheet(self) -> None:
        """Look whether the rows of a workbook are there. Raises: WorkbookUnread; CommandFileError why it can't be read"""
        if (sheets := self.beginning.sheets) is not None:
            sheets(self.beginning.stream, is_meant=True, choose=lambda _heads: 0).close()

    @property
    def is_too_large(self) -> bool:
        """Whether it is a zip of pictures that is too large to be looked at."""
        try:
            return self.beginning.is_too_large
        except CommandFileError:
            return False

    def recognised(self, file_types: Sequence[type[Processor]]) -> list[Recognised]:
        """Return the file types that it may be of, the likeliest first. Raises: WorkbookUnread"""
        try:
            return recognise_file(self.file.site, self.beginning, self.file.name, file_types)
        except WorkbookUnread:
            raise
        except CommandFileError:
            return []

    def opened(self, columns: Columns, options: GeneralOptions, mapping: ColumnMapping | None = None) -> RowReader:
        """Open it, its rows as they came. Raises: CommandFileError"""
        return open_rows(
            self.beginning.stream,
            self.file.name,
            encoding=options.encoding,
            separator=options.separator,
            known_name=known_by(mapping, columns),
            list_names=columns.list_names_for(options),
            of_pictures=columns.of_pictures,
            sheets=self.beginning.sheets,
        )

    def opening(self, columns: Columns, options: GeneralOptions) -> Opening:
        """Return how it begins, as a file type reads it. Raises: CommandFileError"""
        with self.opened(columns, options) as reader:
            head = head_of(reader.header, next(iter(reader), None))
            sheets = [str(note.params["sheet"]) for note in reader.notes if note.code == "sheet_chosen"]
        return Opening(reader.dialect, head, "".join(sheets))
