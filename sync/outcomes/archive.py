"""The archive: a copy of the command file, byte for byte."""

from __future__ import annotations

import hashlib
from typing import BinaryIO

_BLOCK = 1 << 20


def write_archive(out: BinaryIO, source: BinaryIO) -> str:
    """Copy a command file; return the SHA-256 of what was copied."""
    digest = hashlib.sha256()
    source.seek(0)
    while block := source.read(_BLOCK):
        digest.update(block)
        out.write(block)
    return digest.hexdigest()
