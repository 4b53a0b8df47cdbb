"""Files that somebody hands in to look at before they run: kept for the run to come, and recognised by their header."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO, cast

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction

from sync.columns.file_columns import Columns
from sync.commandfiles.intake import UPLOADS
from sync.commandfiles.readings import ask_for_reading, is_workbook
from sync.errors import HeaderError
from sync.mappings.recognition import MOST_SURE, Recognised, likeliest, recognise
from sync.models import CommandFile, MoodleSite, SyncRun
from sync.processors.base.processor import Processor
from sync.processors.pictures.processor import UserPictures
from sync.reader import open_rows
from sync.reader.beginning import Beginning, beginning_of
from sync.reader.picture_zip import holds_pictures
from sync.runs.mappings import mapped_types
from sync.runs.services import FILE_TYPES, queue_run, receive_for_run

# So much of a file is looked at to recognise it.
LOOKED_AT_BYTES = 256 * 1024


def receive_import(
    *, site: MoodleSite, uploaded_file: UploadedFile, file_types: Sequence[type[Processor]], user: Any
) -> CommandFile:
    """Keep a file that somebody hands in to look at, in a folder of its own; one that can't be read isn't kept.

    A workbook is kept and read by a worker: what it is, and why it can't be used, the page of the import says.
    Shape: file_types: those that the person may use
    Raises: CommandFileError
    """
    stream, name = cast(BinaryIO, uploaded_file), uploaded_file.name or ""
    if is_workbook(stream, name):
        file = receive_for_run(site, stream, name, "", user)
        ask_for_reading(file)
        return file
    beginning = Beginning(stream)
    if not holds_pictures(stream):
        beginning = beginning_of(
            stream, uploaded_file.size or 0, most=LOOKED_AT_BYTES, most_of_workbook=LOOKED_AT_BYTES
        )
    processor = likeliest(recognise_file(site, beginning, name, file_types))
    stream.seek(0)
    return receive_for_run(site, stream, name, processor, user)


def recognise_file(
    site: MoodleSite, beginning: Beginning, name: str, file_types: Sequence[type[Processor]]
) -> list[Recognised]:
    """Return the file types that a file may belong to, the likeliest first. Raises: CommandFileError if it can't be read"""
    if beginning.sheets is None and holds_pictures(beginning.stream):
        keys = [processor.key for processor in file_types]
        return [Recognised(UserPictures.key, 99, ())] if UserPictures.key in keys else []
    if beginning.is_too_large:
        return []
    try:
        with open_rows(
            beginning.stream, name, known_name=FILE_TYPES.knows, sheets=beginning.sheets
        ) as reader:  # fmt: skip
            spelled = reader.header.spelled
    except HeaderError:
        # A list needs none.
        spelled = ()
    recognised = recognise(spelled, name, _columns_of(file_types))
    by_mapping = mapped_types(site, spelled, file_types)
    return [
        *(Recognised(key, MOST_SURE, tuple(filter(None, spelled))) for key in by_mapping),
        *(found for found in recognised if found.key not in by_mapping),
    ]


def queue_import(
    *,
    site: MoodleSite,
    file: CommandFile,
    processor: str,
    options: Mapping[str, Any],
    mapping: Mapping[str, Any] | None,
    user: Any,
) -> SyncRun:
    """Ask for the plan of a file that somebody has looked at; an upload is of the type that was chosen from now on.

    Shape: mapping: as SyncRun has it
    Raises: CommandFileError, OptionError
    """
    with transaction.atomic():
        if file.folder.startswith(UPLOADS) and file.processor != processor and not file.runs.exists():
            CommandFile.objects.filter(pk=file.pk).update(processor=processor)
        return queue_run(
            site=site, processor=processor, command_file=file, options=options, simulate=True, user=user,
            mapping=mapping,
        )  # fmt: skip


def _columns_of(file_types: Sequence[type[Processor]]) -> dict[str, tuple[Columns, str]]:
    return {processor.key: (processor.columns, processor.default_filename) for processor in file_types}
