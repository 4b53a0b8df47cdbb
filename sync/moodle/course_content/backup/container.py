"""The container of a course backup, tar.gz or zip: members one by one, written under names that have been checked.

Nothing is extracted by the archive's own rules: only regular files and folders of the known layout are taken, and links,
devices, odd names, archives that lie about sizes or grow beyond the limits are refused.
Source: spec backup_format.md sections 1 and 11
"""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from sync.errors import ArchiveRefused
from sync.moodle.course_content.backup.limits import BackupLimits, in_mib
from sync.zip_directory import BOUNDED_METHODS, ZIP_FAULTS, read_directory

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_BLOCK = tarfile.BLOCKSIZE
_CHUNK = 256 * 1024
_NAME_LENGTH = 255
# Of what tar programs note about the next member.
_NOTE_LENGTH = 4096
# A small archive of much the same XML may pack better than the ratio allows.
_RATIO_FROM = 16 * 1024**2
# Bytes for one entry in a zip's directory: what is fixed, the name, and some extra fields.
_ENTRY = 46 + _NAME_LENGTH + 256
_XML = re.compile(r"(?:[a-z0-9_]+/){0,4}[a-z0-9_]+\.xml")
_BLOB = re.compile(r"files/([0-9a-f]{2})/(\1[0-9a-f]{38})")
_FOLDER = re.compile(r"(?:[a-z0-9_]+/){0,4}[a-z0-9_]+")
# Moodle writes these for itself.
_IGNORED = frozenset((".ARCHIVE_INDEX", "moodle_backup.log"))


class ReadableEntry(Protocol):
    """A stream that is only read."""

    def read(self, size: int, /) -> bytes: ...


class ArchiveEntry(NamedTuple):
    """One file or folder of the archive. Shape: stream: its bytes, to be read before the next member"""

    name: str
    is_folder: bool
    size: int
    stream: ReadableEntry


class UnpackedBackup(NamedTuple):
    """Where members went. Shape: xml: the archive's folders and XML files; blobs: ab/abcdef… by hash"""

    xml: Path
    blobs: Path


def unpack(path: Path, folder: Path, limits: BackupLimits) -> UnpackedBackup:
    """Write the members of an archive into a folder, the bytes of each stored file checked against its hash.

    Raises: ArchiveRefused
    """
    unpacked = UnpackedBackup(folder / "xml", folder / "blobs")
    for made in unpacked:
        made.mkdir()
    packed = path.stat().st_size
    if packed > limits.packed:
        raise ArchiveRefused("backup_large", limit=in_mib(limits.packed))
    limiter = _SizeLimiter(packed, limits)
    try:
        with path.open("rb") as stream:
            for member in _members(stream, limiter):
                _take(member, unpacked, limiter)
    except EOFError:
        raise ArchiveRefused("backup_truncated") from None
    except (gzip.BadGzipFile, zlib.error, tarfile.HeaderError):
        raise ArchiveRefused("backup_damaged") from None
    return unpacked


class _SizeLimiter:
    """What has been read so far, held against the limits."""

    def __init__(self, packed: int, limits: BackupLimits) -> None:
        self.limits = limits
        self._most = min(limits.unpacked, max(packed * limits.ratio, _RATIO_FROM))
        self._is_bomb = self._most < limits.unpacked
        self._unpacked = 0
        self._members = 0

    def count(self, size: int) -> None:
        """Add bytes, before they are read or written."""
        self._unpacked += size
        if self._unpacked > self._most:
            if self._is_bomb:
                raise ArchiveRefused("backup_ratio", limit=self.limits.ratio)
            raise ArchiveRefused("backup_large", limit=in_mib(self.limits.unpacked))

    def count_member(self) -> None:
        self._members += 1
        if self._members > self.limits.members:
            raise ArchiveRefused("backup_members", limit=self.limits.members)


def _members(stream: BinaryIO, limiter: _SizeLimiter) -> Iterator[ArchiveEntry]:
    magic = stream.read(len(_ZIP))
    stream.seek(0)
    if not magic:
        raise ArchiveRefused("backup_empty")
    if magic.startswith(_GZIP):
        return _tar_members(stream, limiter)
    if magic == _ZIP:
        return _zip_members(stream, limiter)
    raise ArchiveRefused("backup_not_archive")


def _tar_members(packed: BinaryIO, limiter: _SizeLimiter) -> Iterator[ArchiveEntry]:
    """Read headers by hand: `tarfile` would take long names and extended headers of any size into memory."""
    with gzip.GzipFile(fileobj=packed) as stream:
        while (header := _exactly(stream, _BLOCK)).strip(b"\0"):
            info = tarfile.TarInfo.frombuf(header, "utf-8", "replace")
            limiter.count(_BLOCK)
            is_note = info.type in (tarfile.XHDTYPE, tarfile.XGLTYPE)
            if not (info.isreg() or info.isdir() or is_note):
                raise ArchiveRefused("backup_member_special", member=_shown(info.name))
            if info.size < 0 or (info.isdir() and info.size):
                raise ArchiveRefused("backup_damaged")
            limiter.count(info.size)
            body = _Body(stream, info.size)
            if is_note:
                _check_note(info, body)
            else:
                yield ArchiveEntry(info.name, info.isdir(), info.size, body)
            body.skip()
            _exactly(stream, -info.size % _BLOCK)
        # To the end, where the check sum is.
        while rest := stream.read(_CHUNK):
            limiter.count(len(rest))


def _check_note(info: tarfile.TarInfo, body: _Body) -> None:
    """Refuse notes that change the name or the size of the next member; those with its times do no harm."""
    if info.size > _NOTE_LENGTH:
        raise ArchiveRefused("backup_member_special", member=_shown(info.name))
    note = _exactly(body, info.size)
    if any(word in note for word in (b"path=", b"size=", b"sparse")):
        raise ArchiveRefused("backup_member_special", member=_shown(info.name))


class _Body:
    """The bytes of one member of a tar, which ends early only in a truncated archive."""

    def __init__(self, stream: ReadableEntry, size: int) -> None:
        self._stream = stream
        self._left = size

    def read(self, size: int, /) -> bytes:
        wanted = min(size, self._left)
        if not wanted:
            return b""
        chunk = self._stream.read(wanted)
        if not chunk:
            raise EOFError
        self._left -= len(chunk)
        return chunk

    def skip(self) -> None:
        while self.read(_CHUNK):
            pass


def _exactly(stream: ReadableEntry, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data


def _zip_members(packed: BinaryIO, limiter: _SizeLimiter) -> Iterator[ArchiveEntry]:
    with _reading_zip():
        _check_directory(packed, limiter.limits)
        archive = zipfile.ZipFile(packed)
    with archive:
        for info in archive.infolist():
            name = info.orig_filename
            mode = info.external_attr >> 16
            if info.flag_bits & 0x1:
                raise ArchiveRefused("backup_encrypted", member=_shown(name))
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise ArchiveRefused("backup_member_special", member=_shown(name))
            if info.compress_type not in BOUNDED_METHODS:
                raise ArchiveRefused("backup_method", member=_shown(name))
            limiter.count(info.file_size)
            with _reading_zip():
                body = archive.open(info)
            with body:
                yield ArchiveEntry(name, info.is_dir(), info.file_size, _ZipBody(body))


class _ZipBody:
    """The bytes of one member of a zip."""

    def __init__(self, stream: ReadableEntry) -> None:
        self._stream = stream

    def read(self, size: int, /) -> bytes:
        with _reading_zip():
            return self._stream.read(size)


@contextmanager
def _reading_zip() -> Iterator[None]:
    """Turn what `zipfile` raises for a damaged zip into a refusal; that of a full disk, for instance, comes from elsewhere."""
    try:
        yield
    except EOFError:
        raise
    except ZIP_FAULTS:
        raise ArchiveRefused("backup_damaged") from None


def _check_directory(stream: BinaryIO, limits: BackupLimits) -> None:
    """Hold the directory at the end of a zip against the limits, before all of it is read into memory."""
    most = min(limits.members, limits.listed)
    directory = read_directory(stream, most * _ENTRY)
    if not directory.size:
        raise EOFError
    if directory.size > most * _ENTRY or directory.entries > most:
        raise ArchiveRefused("backup_members", limit=most)


def _take(member: ArchiveEntry, unpacked: UnpackedBackup, limiter: _SizeLimiter) -> None:
    limiter.count_member()
    name = member.name.rstrip("/") if member.is_folder else member.name
    if _is_hostile(name):
        raise ArchiveRefused("backup_member_name", member=_shown(member.name))
    if member.is_folder:
        if not _FOLDER.fullmatch(name):
            raise ArchiveRefused("backup_member_unknown", member=name)
    elif blob := _BLOB.fullmatch(name):
        _check_space(unpacked.blobs, member)
        _store_blob(member, unpacked.blobs / blob[1] / blob[2])
    elif _XML.fullmatch(name):
        if member.size > limiter.limits.xml:
            raise ArchiveRefused("backup_member_large", member=name, limit=in_mib(limiter.limits.xml))
        _check_space(unpacked.xml, member)
        _store(member, unpacked.xml / name)
    elif name not in _IGNORED:
        raise ArchiveRefused("backup_member_unknown", member=name)


def _is_hostile(name: str) -> bool:
    return (
        not name
        or len(name) > _NAME_LENGTH
        or name.startswith("/")
        or ".." in name.split("/")
        or any(character in "\\:" or not character.isprintable() for character in name)
    )


def _shown(name: str) -> str:
    """Return a name as a message can show it."""
    return name.encode("unicode_escape").decode()[:_NAME_LENGTH]


def _check_space(folder: Path, member: ArchiveEntry) -> None:
    if member.size > shutil.disk_usage(folder).free:
        raise ArchiveRefused("backup_no_space", size=in_mib(member.size))


def _store_blob(member: ArchiveEntry, place: Path) -> None:
    if _store(member, place) != place.name:
        raise ArchiveRefused("backup_blob_differs", member=member.name)


def _store(member: ArchiveEntry, place: Path) -> str:
    """Write a member; return the SHA-1 of its bytes."""
    place.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha1(usedforsecurity=False)
    try:
        with place.open("xb") as stream:
            while chunk := member.stream.read(_CHUNK):
                digest.update(chunk)
                stream.write(chunk)
    except FileExistsError:
        raise ArchiveRefused("backup_member_twice", member=member.name) from None
    return digest.hexdigest()
