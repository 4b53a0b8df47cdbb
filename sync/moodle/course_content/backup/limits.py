"""How much of an archive is read before it is refused."""

from __future__ import annotations

from dataclasses import dataclass

_MIB = 1024**2
_GIB = 1024**3


@dataclass(frozen=True)
class BackupLimits:
    """What an archive may hold at most.

    Shape: packed, unpacked: the whole archive; ratio: unpacked to packed; members: files and folders; listed: those of a
    zip, whose directory is taken into memory; xml: one XML file; manifest: moodle_backup.xml; depth: XML elements within
    each other; text: the text of one row; names: of XML elements and attributes in one file
    Units: bytes, but for ratio, members, listed, depth, text (characters) and names
    """

    packed: int = 16 * _GIB
    unpacked: int = 64 * _GIB
    ratio: int = 100
    members: int = 1_000_000
    listed: int = 200_000
    xml: int = 4 * _GIB
    manifest: int = 64 * _MIB
    depth: int = 30
    text: int = 64 * _MIB
    names: int = 10_000


DEFAULT_LIMITS = BackupLimits()


def in_mib(size: int) -> int:
    """Return a size for a message, in MiB, rounded up."""
    return -(-size // _MIB)
