"""Mappings of columns: kept in versions, and chosen by the header of a file."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Max, QuerySet

from sync.audit.services import record_saved
from sync.columns.file_columns import MAPPING_COLUMN, Columns
from sync.columns.header import match_header
from sync.commandfiles import storage
from sync.errors import CommandFileError, HeaderError, MappingError
from sync.mappings.column_mapping import ColumnMapping, read_mapping
from sync.mappings.header_keys import fingerprint_of, own_names
from sync.mappings.shipped import SHIPPED, shipped_for, shipped_mapping, shipped_types
from sync.models import AuditKind, MoodleSite, SavedMapping, SyncRun
from sync.models.run import ORIGINS_OF_MADE_FILES
from sync.processors.base.processor import Processor
from sync.processors.registry import guess_processor
from sync.reader import ReadSheet, open_rows
from sync.reader.beginning import beginning_of
from sync.reader.workbook_process import LIMITS
from sync.runs.options import find_processor, processor_of
from sync.runs.rights import Responsible
from sync.values import Header

NAME_LENGTH = 100
# The header and the first row; a longer header isn't taken for one.
_HEAD_BYTES = 256 * 1024
# What a tryback says of a mapping without a name, before the number of the run.
_OF_RUN = "run "
# No number of a run or a version has more.
_DIGITS = 18


class FileHead(NamedTuple):
    """What of a file chooses its mapping. Shape: mapping_cell: what a tryback says of it, "" = nothing"""

    header: Header
    mapping_cell: str


def mapping_of(run: SyncRun) -> ColumnMapping | None:
    """Return the mapping of a run, None where its columns aren't mapped. Raises: MappingError"""
    return read_mapping(run.mapping) if run.mapping else None


def mapping_data(mapping: ColumnMapping | None) -> dict[str, Any]:
    """Return a mapping as a run keeps it."""
    return mapping.data() if mapping else {}


def mapping_cell(run: SyncRun) -> str:
    """Return what the tryback of a run says of its mapping, "" = there is none."""
    mapping = mapping_of(run)
    if mapping is None:
        return ""
    return f"{mapping.name} #{mapping.version}" if mapping.name else f"{_OF_RUN}{run.pk}"


def find_mapping(run: SyncRun, sheets: ReadSheet | None = None) -> ColumnMapping | None:
    """Return the mapping that the header of a run's file chooses; the reading of a file that can't be read says why.

    Shape: sheets: as of open_rows
    """
    processor = processor_of(run)
    if run.undoes_id is not None or run.origin in ORIGINS_OF_MADE_FILES:
        return None
    options = processor.options(run.options)
    if processor.columns.list_names_for(options):
        return None
    try:
        with storage.opened(run.input_key) as stream:
            beginning = beginning_of(stream, run.file_size, most=_HEAD_BYTES, most_of_workbook=LIMITS.packed)
            with open_rows(
                beginning.stream, run.file_name, encoding=options.encoding, separator=options.separator,
                known_name=processor.columns.knows, sheets=sheets,
            ) as reader:  # fmt: skip
                head = head_of(reader.header, next(iter(reader), None))
    except (CommandFileError, FileNotFoundError):
        return None
    return choose_mapping(run.site, run.processor, head)


def head_of(header: Header, first: Any) -> FileHead:
    """Return what chooses the mapping. Shape: first: the first row, None = there is none"""
    place = header.names.index(MAPPING_COLUMN) if MAPPING_COLUMN in header.names else None
    is_there = place is not None and first is not None and place < len(first.cells)
    return FileHead(header, first.cells[place] if is_there else "")


def choose_mapping(site: MoodleSite, processor: str, head: FileHead) -> ColumnMapping | None:
    """Return the mapping of a file: that of which it is a tryback, or one kept for its header; one of ours where it needs one."""
    if head.mapping_cell and (named := _named_mapping(site, processor, head)) is not None:
        return named
    kept = fitting_mappings(site, processor, head.header.spelled).first()
    if kept is not None:
        return column_mapping(kept)
    if is_understood(find_processor(processor).columns, head.header):
        return None
    shipped = shipped_for(processor, head.header.spelled)
    return shipped.for_header(head.header.spelled) if shipped is not None else None


def mapped_types(site: MoodleSite, spelled: Sequence[str], file_types: Sequence[type[Processor]]) -> list[str]:
    """Return the keys of the file types that a mapping makes of a header, those of mappings that people have kept first."""
    columns = {processor.key: processor.columns for processor in file_types if not processor.columns.headerless}
    used = SavedMapping.objects.filter(
        site=site, fingerprint=fingerprint_of(spelled), is_used=True, processor__in=columns
    )  # fmt: skip
    if kept := list(dict.fromkeys(used.order_by("-pk").values_list("processor", flat=True))):
        return kept
    header = Header(1, b"", tuple(name.lower() for name in spelled), tuple(spelled))
    if any(is_understood(each, header) for each in columns.values()):
        return []
    shipped = shipped_types(spelled)
    return [key for key in columns if key in shipped]


def is_understood(columns: Columns, header: Header) -> bool:
    """Whether a file type can use a header as it is."""
    if any(name and not columns.knows(name) for name in header.names):
        # What each unknown name may mean, which `match_header` would say, takes a second for some thousand of them.
        return False
    try:
        match_header(columns, header)
    except HeaderError:
        return False
    return True


def column_mapping(kept: SavedMapping) -> ColumnMapping:
    """Return the mapping that was kept. Raises: MappingError"""
    return read_mapping({**kept.data, "name": kept.name, "version": kept.version})


def fitting_mappings(site: MoodleSite, processor: str, spelled: Sequence[str]) -> QuerySet[SavedMapping]:
    """Return the mappings that are used for a header, the one that counts first."""
    fingerprint = fingerprint_of(spelled)
    return SavedMapping.objects.filter(
        site=site, processor=processor, fingerprint=fingerprint, is_used=True
    ).order_by("-pk")  # fmt: skip


def listed_mappings(site: MoodleSite, keys: Collection[str]) -> QuerySet[SavedMapping]:
    """Return all versions of the mappings of some file types."""
    return SavedMapping.objects.filter(site=site, processor__in=keys)


def save_mapping(
    site: MoodleSite, processor: str, name: str, mapping: ColumnMapping, spelled: Sequence[str], *, by: Responsible
) -> SavedMapping:
    """Keep a mapping for files with this header, as the next version of its name; the same again makes none.

    Raises: MappingError
    """
    name = " ".join(name.split())[:NAME_LENGTH]
    if not name:
        raise MappingError("mapping_name_missing")
    if not mapping:
        raise MappingError("mapping_empty")
    if any(shipped.name == name for shipped in SHIPPED) or _number(name.removeprefix(_OF_RUN)) is not None:
        raise MappingError("mapping_name_taken", name=name)
    data = {key: value for key, value in mapping.data().items() if key in ("steps", "left_out")}
    fingerprint = fingerprint_of(spelled)
    with transaction.atomic():
        # Two people who keep the same name at once get two versions.
        MoodleSite.objects.select_for_update().get(pk=site.pk)
        versions = SavedMapping.objects.filter(site=site, processor=processor, name=name)
        last = versions.order_by("-version").first()
        if last is not None and last.is_used and (last.data, last.fingerprint) == (data, fingerprint):
            return last
        version = (versions.aggregate(last=Max("version"))["last"] or 0) + 1
        kept = SavedMapping.objects.create(
            site=site, processor=processor, name=name, version=version, fingerprint=fingerprint,
            header=own_names(spelled), data=data, created_by=by.user, created_by_name=by.name,
        )  # fmt: skip
        _record(kept, by, before=last.data if last is not None else {}, after=data)
    return kept


def switch_mapping(kept: SavedMapping, *, is_used: bool, by: Responsible) -> None:
    """Let files of its header be read by a version, or no more: the one before it then counts again."""
    with transaction.atomic():
        if SavedMapping.objects.filter(pk=kept.pk, is_used=not is_used).update(is_used=is_used):
            _record(kept, by, before={"is_used": not is_used}, after={"is_used": is_used})


def guess_file_type(names: Sequence[str], filename: str) -> str:
    """Return the type that a header speaks for, by itself or by a mapping; "" where none does."""
    if key := guess_processor(names, filename):
        return key
    used = SavedMapping.objects.filter(fingerprint=fingerprint_of(names), is_used=True)
    kept = set(used.order_by().values_list("processor", flat=True).distinct())
    fitting = kept or shipped_types(names)
    return fitting.pop() if len(fitting) == 1 else ""


def _record(kept: SavedMapping, by: Responsible, *, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    subject = f"{kept.processor}: {kept.name} {kept.version}"
    record_saved(kept.site, AuditKind.SETTINGS, by, subject, before=before, after=after)


def _named_mapping(site: MoodleSite, processor: str, head: FileHead) -> ColumnMapping | None:
    """Return the mapping that a tryback names, None where it isn't there (any more)."""
    cell = head.mapping_cell
    if cell.startswith(_OF_RUN) and (run_id := _number(cell.removeprefix(_OF_RUN))) is not None:
        run = SyncRun.objects.filter(site=site, processor=processor, pk=run_id).first()
        return mapping_of(run) if run is not None else None
    name, _mark, digits = cell.rpartition(" #")
    if (version := _number(digits)) is None:
        return None
    if (shipped := shipped_mapping(name, version)) is not None and shipped.fits(head.header.spelled):
        return shipped.for_header(head.header.spelled)
    kept = SavedMapping.objects.filter(site=site, processor=processor, name=name, version=version).first()
    return column_mapping(kept) if kept is not None else None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else None
