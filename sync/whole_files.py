"""Files that are whole or not there: written beside, brought to the disk, then renamed. A full disk costs no old file.

And by which they are known again: the digest of their bytes.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import shutil
from contextlib import suppress
from pathlib import Path
from typing import IO

_BLOCK = 1 << 20
_DRAFT = re.compile(r"\.[0-9a-f]{16}\.part")


def draft_name() -> str:
    """Return a hidden name for a file that isn't whole yet. It isn't made from the file's: that may be as long as can be."""
    return f".{secrets.token_hex(8)}.part"


def is_draft(name: str) -> bool:
    """Tell whether a file of this name is one that isn't whole yet."""
    return _DRAFT.fullmatch(name) is not None


def write_whole(path: Path, content: IO[bytes], mode: int | None = None, *, replace: bool = True) -> None:
    """Put a file in the place of what was there, or leave that as it was.

    Shape: mode: rights of the file, None = as the process makes files
    Raises: OSError; FileExistsError if there is one that isn't to be replaced
    """
    draft = path.with_name(draft_name())
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as out:
            if mode is not None:
                draft.chmod(mode)
            shutil.copyfileobj(content, out, _BLOCK)
            out.flush()
            os.fsync(out.fileno())
        if replace:
            draft.replace(path)
        else:
            _rename_to_new(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    _bring_to_disk(path.parent)


def digest_of(stream: IO[bytes], algorithm: str = "sha256") -> tuple[str, int]:
    """Return the digest and the size of a stream, read from its beginning, and go back there."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    size = 0
    stream.seek(0)
    while block := stream.read(_BLOCK):
        digest.update(block)
        size += len(block)
    stream.seek(0)
    return digest.hexdigest(), size


def _rename_to_new(draft: Path, path: Path) -> None:
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        raise
    except OSError:
        # A file system without links.
        draft.rename(path)
    else:
        draft.unlink()


def _bring_to_disk(folder: Path) -> None:
    """Some file systems know no fsync of a folder; the renaming is done all the same."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
