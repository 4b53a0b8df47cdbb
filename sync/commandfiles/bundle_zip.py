"""Zips of several command files. The names in them are data: nothing is ever written under one."""

from __future__ import annotations

import shutil
import unicodedata
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import PurePosixPath
from typing import BinaryIO, NamedTuple

from sync.commandfiles import storage
from sync.errors import CommandFileError
from sync.reader.file_kind import WORKBOOK_SUFFIXES, ZIP_MARKS
from sync.reader.picture_zip import REASONS_NAME, holds_pictures
from sync.zip_directory import BOUNDED_METHODS, ZIP_FAULTS, read_directory

FILE_LIMIT = 50
# Of all that a zip lists, folders and what systems put beside files included.
_ENTRY_LIMIT = 1000
_DIRECTORY_LIMIT = 1 << 20
_MEGABYTE = 1_000_000
# Where the operator sets no limit for uploads.
_USUAL_MEGABYTES = 4_000
_IGNORED_NAMES = frozenset(("thumbs.db", "desktop.ini"))
_COMMAND_FILE_SUFFIXES = (".csv", ".txt", *WORKBOOK_SUFFIXES)
# Entries that only workbooks have.
_WORKBOOK_ENTRIES = frozenset(("[Content_Types].xml", "mimetype"))


class HandedFile(NamedTuple):
    """A file that came with others.

    Shape: name: without its folder; processor: key of its type, "" = its header tells; author_id: key of the user who had handed
    it in before, None = it comes now
    """

    name: str
    content: BinaryIO
    processor: str = ""
    author_id: int | None = None


def is_bundle(stream: BinaryIO, name: str = "") -> bool:
    """Tell whether this is a zip of command files: neither a workbook nor a zip of pictures.

    Shape: name: a damaged one that is called like a workbook is meant as one; who reads it says what is wrong
    Raises: CommandFileError if it can't be read, or holds pictures and command files
    """
    stream.seek(0)
    if not stream.read(4).startswith(ZIP_MARKS):
        return False
    if holds_pictures(stream):
        _refuse_mixed(stream)
        return False
    try:
        return _WORKBOOK_ENTRIES.isdisjoint(_names_of(stream))
    except CommandFileError:
        if name.lower().endswith(WORKBOOK_SUFFIXES):
            return False
        raise


@contextmanager
def unpacked(stream: BinaryIO, max_megabytes: int) -> Iterator[list[HandedFile]]:
    """Return the files of a zip, by path, in temporary files that vanish afterwards.

    Shape: max_megabytes: of all files together; 0 = the usual limit
    Raises: CommandFileError if it can't be read, holds another zip, nothing, or too much
    """
    with ExitStack() as stack:
        try:
            archive = stack.enter_context(zipfile.ZipFile(stream))
            entries = sorted((entry for entry in archive.infolist() if _is_meant(entry)), key=_path)
            _refuse(entries, max_megabytes or _USUAL_MEGABYTES)
            files = [HandedFile(_name(entry), stack.enter_context(_content(archive, entry))) for entry in entries]
        except ZIP_FAULTS as error:
            raise CommandFileError("bundle_broken") from error
        if nested := [
            file.name for file in files if is_bundle(file.content, file.name) or holds_pictures(file.content)
        ]:
            raise CommandFileError("bundle_nested", files=", ".join(nested))
        yield files


def _names_of(stream: BinaryIO) -> list[str]:
    """Return what a zip lists. Raises: CommandFileError if that can't be read, or is nothing or too much"""
    try:
        directory = read_directory(stream, _DIRECTORY_LIMIT)
        if directory.size > _DIRECTORY_LIMIT or directory.entries > _ENTRY_LIMIT:
            raise CommandFileError("bundle_directory")
        with zipfile.ZipFile(stream) as archive:
            names = archive.namelist()
    except ZIP_FAULTS as error:
        raise CommandFileError("bundle_broken") from error
    if not names:
        raise CommandFileError("bundle_empty")
    return names


def _refuse_mixed(stream: BinaryIO) -> None:
    with zipfile.ZipFile(stream) as archive:
        files = [
            _name(entry)
            for entry in archive.infolist()
            if _is_meant(entry) and _path(entry).lower().endswith(_COMMAND_FILE_SUFFIXES)
        ]
    if files:
        raise CommandFileError("bundle_mixed", files=_listed(files))


def _refuse(entries: Sequence[zipfile.ZipInfo], max_megabytes: int) -> None:
    if not entries:
        raise CommandFileError("bundle_empty")
    if len(entries) > FILE_LIMIT:
        raise CommandFileError("bundle_too_many", count=len(entries), limit=FILE_LIMIT)
    if locked := [_name(entry) for entry in entries if entry.flag_bits & 1]:
        raise CommandFileError("bundle_encrypted", files=_listed(locked))
    if unbounded := [_name(entry) for entry in entries if entry.compress_type not in BOUNDED_METHODS]:
        raise CommandFileError("bundle_method", files=_listed(unbounded))
    size = sum(entry.file_size for entry in entries)
    if size > max_megabytes * _MEGABYTE:
        raise CommandFileError("bundle_too_large", size=-(-size // _MEGABYTE), limit=max_megabytes)


@contextmanager
def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[BinaryIO]:
    """Return what an entry holds: as many bytes as it says, and no more."""
    with storage.scratch_file() as out:
        with archive.open(entry) as packed:
            shutil.copyfileobj(packed, out)
        out.seek(0)
        yield out


def _path(entry: zipfile.ZipInfo) -> str:
    # macOS writes é as two characters.
    return unicodedata.normalize("NFC", entry.filename.replace("\\", "/"))


def _name(entry: zipfile.ZipInfo) -> str:
    return PurePosixPath(_path(entry)).name


def _is_meant(entry: zipfile.ZipInfo) -> bool:
    """Leave out folders, and what systems put beside files."""
    *folders, name = _path(entry).split("/")
    is_ignored = name.startswith(".") or name.lower() in (*_IGNORED_NAMES, REASONS_NAME)
    return bool(name) and not is_ignored and "__MACOSX" not in folders


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:10]) + (" …" if len(names) > 10 else "")
