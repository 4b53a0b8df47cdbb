"""The file of a new import: its beginning is read once, and opened as often as the page asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.utils.functional import cached_property

from sync.columns.file_columns import Columns
from sync.columns.general_options import GeneralOptions
from sync.commandfiles import storage
from sync.errors import CommandFileError
from sync.mappings.column_mapping import ColumnMapping
from sync.mappings.mapped_rows import known_by
from sync.mappings.recognition import Recognised
from sync.models import CommandFile
from sync.processors.base.processor import Processor
from sync.reader import Dialect, RowReader, open_rows
from sync.reader.beginning import Beginning, beginning_of
from sync.runs.imports import LOOKED_AT_WORKBOOK, recognise_file
from sync.runs.mappings import FileHead, head_of

# So much of a file is read for the page.
READ_BYTES = 4 * 1024 * 1024


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
                return beginning_of(stream, self.file.size, most=READ_BYTES, most_of_workbook=LOOKED_AT_WORKBOOK)
        except FileNotFoundError:
            raise CommandFileError("file_not_found", path=self.file.path) from None

    @property
    def is_too_large(self) -> bool:
        """Whether it is a workbook that is too large to be looked at."""
        try:
            return self.beginning.is_too_large
        except CommandFileError:
            return False

    def recognised(self, file_types: Sequence[type[Processor]]) -> list[Recognised]:
        """Return the file types that it may be of, the likeliest first."""
        try:
            stream = self.beginning.stream
            return recognise_file(self.file.site, stream, self.file.name, self.file.size, file_types)
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
        )

    def opening(self, columns: Columns, options: GeneralOptions) -> Opening:
        """Return how it begins, as a file type reads it. Raises: CommandFileError"""
        with self.opened(columns, options) as reader:
            head = head_of(reader.header, next(iter(reader), None))
            sheets = [str(note.params["sheet"]) for note in reader.notes if note.code == "sheet_chosen"]
        return Opening(reader.dialect, head, "".join(sheets))
