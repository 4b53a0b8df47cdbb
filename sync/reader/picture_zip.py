"""Zips of pictures. The pictures stay in the zip until they are asked for; nothing is unpacked on disk."""

from __future__ import annotations

import stat
import unicodedata
import zipfile
from pathlib import PurePosixPath
from typing import BinaryIO

from sync.errors import CodedError, UnknownFileType
from sync.zip_directory import BOUNDED_METHODS, ZIP_FAULTS, read_directory

# What is wrong with each picture, in a tryback; passed over when it is sent again.
REASONS_NAME = "_reasons.csv"
PICTURE_LIMIT = 20_000_000
UNPACKED_LIMIT = 64_000_000_000
# Pictures are compressed already: what grows to so many times its size is made to do harm.
RATIO_LIMIT = 20
_RATIO_FROM = 200_000_000
# They take some 80 MiB of memory.
ENTRY_LIMIT = 100_000
DIRECTORY_LIMIT = 16 << 20

_MEGABYTE = 1_000_000
_IGNORED_NAMES = frozenset(("thumbs.db", "desktop.ini", REASONS_NAME))
_PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".gif")


class PictureRefused(CodedError):
    """An entry of the zip that can't be read, or must not be."""


class PictureZip:
    """The pictures of a zip.

    Shape: size: of the zip, in bytes; paths: line -> path, of every row; passed_over: how many entries are no pictures at all

    Raises: UnknownFileType if it's no zip, or one that holds too much
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.size = stream.seek(0, 2)
        try:
            _check_directory(stream)
            self._archive = zipfile.ZipFile(stream)
        except ZIP_FAULTS:
            raise UnknownFileType("zip_broken") from None
        entries = [entry for entry in self._archive.infolist() if not entry.is_dir()]
        unpacked = sum(entry.file_size for entry in entries)
        limit = min(UNPACKED_LIMIT, max(RATIO_LIMIT * self.size, _RATIO_FROM))
        if unpacked > limit:
            raise UnknownFileType("zip_too_large", size=unpacked // _MEGABYTE, limit=limit // _MEGABYTE)
        if sum(entry.compress_size for entry in entries) > self.size:
            # Several entries would share their bytes.
            raise UnknownFileType("zip_broken")
        named = sorted((_path(entry), number) for number, entry in enumerate(entries) if _is_meant(_path(entry)))
        self.passed_over = len(entries) - len(named)
        self.paths = {line: path for line, (path, _number) in enumerate(named, start=1)}
        self._entries = {line: entries[number] for line, (_path, number) in enumerate(named, start=1)}

    def content_of(self, line: int) -> bytes:
        """Unpack one picture. Raises: PictureRefused."""
        entry = self._entries[line]
        _refuse(entry)
        try:
            # As many bytes as it says, and no more: `ZipFile.read` would unpack all that is there before it looks.
            with self._archive.open(entry) as packed:
                return packed.read(entry.file_size)
        except ZIP_FAULTS:
            raise PictureRefused("picture_damaged") from None

    def packed_size(self, line: int) -> int:
        """Return how many bytes one picture takes in the zip."""
        return self._entries[line].compress_size

    def is_packed(self, line: int) -> bool:
        """Return whether one picture is compressed in the zip."""
        return self._entries[line].compress_type != zipfile.ZIP_STORED


def holds_pictures(stream: BinaryIO) -> bool:
    """Tell whether this is a zip with a picture in it, by the names."""
    try:
        _check_directory(stream)
        with zipfile.ZipFile(stream) as archive:
            names = archive.namelist()
    except (UnknownFileType, *ZIP_FAULTS):
        return False
    # A workbook may hold pictures too.
    is_office = "[Content_Types].xml" in names or "mimetype" in names
    return not is_office and any(_is_meant(name) and name.lower().endswith(_PICTURE_SUFFIXES) for name in names)


def _check_directory(stream: BinaryIO) -> None:
    """Raises: UnknownFileType if it lists too much to be taken into memory."""
    directory = read_directory(stream, DIRECTORY_LIMIT)
    if directory.size > DIRECTORY_LIMIT:
        raise UnknownFileType("zip_directory_too_large")
    if directory.entries > ENTRY_LIMIT:
        raise UnknownFileType("zip_too_many", count=directory.entries, limit=ENTRY_LIMIT)


def _path(entry: zipfile.ZipInfo) -> str:
    # macOS writes é as two characters.
    return unicodedata.normalize("NFC", entry.filename.replace("\\", "/"))


def _is_meant(path: str) -> bool:
    """Leave out what systems put beside pictures, and what has no extension."""
    name = PurePosixPath(path).name
    is_ignored = name.startswith(".") or name.lower() in _IGNORED_NAMES or "__MACOSX" in path.split("/")[:-1]
    return not is_ignored and "." in name


def _is_inside(path: str) -> bool:
    parts = path.split("/")
    return not path.startswith("/") and ":" not in parts[0] and ".." not in parts


def _refuse(entry: zipfile.ZipInfo) -> None:
    path = _path(entry)
    if not _is_inside(path):
        raise PictureRefused("picture_outside")
    if stat.S_ISLNK(entry.external_attr >> 16):
        raise PictureRefused("picture_link")
    if entry.flag_bits & 1:
        raise PictureRefused("picture_encrypted")
    if entry.compress_type not in BOUNDED_METHODS:
        raise PictureRefused("picture_method")
    if entry.file_size > PICTURE_LIMIT:
        size, limit = entry.file_size // _MEGABYTE, PICTURE_LIMIT // _MEGABYTE
        raise PictureRefused("picture_too_large", size=size, limit=limit)
