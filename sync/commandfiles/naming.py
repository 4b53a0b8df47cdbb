"""The names of files: what people may choose, and what a run makes of them.

Source: spec generic.md section 7, table of names
"""

from __future__ import annotations

import unicodedata
from datetime import datetime

from django.utils import timezone

from sync.commandfiles.storage import RESERVED_FOLDERS
from sync.errors import CommandFileError

# File systems hold 255 bytes; what a run puts in front or behind needs up to 45 of them.
NAME_BYTES = 200
FOLDER_LENGTH = 200
# By what the name of a tryback is told from others.
TRYBACK_PART = "_tryback_"
MENDED_PART = "_mended_"
_FORBIDDEN = frozenset('/\\:*?"<>|')


def clean_name(name: str) -> str:
    """Return a file name as we keep it.

    Raises: CommandFileError if it can't be a name everywhere
    """
    name = unicodedata.normalize("NFC", name).strip()
    if name in ("", ".", ".."):
        raise CommandFileError("file_name_empty")
    wrong = sorted({c for c in name if c in _FORBIDDEN or unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")})
    if wrong:
        raise CommandFileError("file_name_character", name=_printable(name), character=_printable(wrong[0]))
    if len(name.encode()) > NAME_BYTES:
        raise CommandFileError("file_name_too_long", name=name[:40], limit=NAME_BYTES)
    return name


def clean_folder(folder: str) -> str:
    """Return a folder as we keep it: "/" or "/users/2025/".

    Raises: CommandFileError if a part of it can't be a name, or the folder is one that only runs fill
    """
    parts = [clean_name(part) for part in folder.replace("\\", "/").split("/") if part.strip()]
    cleaned = "".join(f"/{part}" for part in parts) + "/"
    if len(cleaned) > FOLDER_LENGTH:
        raise CommandFileError("folder_too_long", limit=FOLDER_LENGTH)
    if cleaned.lower().startswith(RESERVED_FOLDERS):
        raise CommandFileError("folder_reserved", folder=cleaned)
    return cleaned


def split_path(path: str) -> tuple[str, str]:
    """Split a path of the file area into its folder and its name: "users/in.csv" -> "/users/", "in.csv"."""
    folder, _slash, name = unicodedata.normalize("NFC", path.strip()).rpartition("/")
    parts = [part for part in folder.split("/") if part]
    return "".join(f"/{part}" for part in parts) + "/", name


def report_name(name: str, started: datetime, *, simulate: bool = False) -> str:
    """Return "20250304-091205_report_in.txt", and "…_report_simulation_in.txt" for a simulation: a report is a text."""
    return f"{_stamp(started)}_report_{'simulation_' if simulate else ''}{_with_suffix(name, '', '.txt')}"


def outcomes_name(name: str, started: datetime) -> str:
    """Return "20250304-091205_outcomes_in.csv", the name of the table of outcomes."""
    return f"{_stamp(started)}_outcomes_{_with_suffix(name, '', '.csv')}"


def chosen_name(default_name: str, moment: datetime) -> str:
    """Return "chosen_deletecourses_20250304-091205.csv", for a file that was made of what somebody chose on a page.

    No schedule takes a file of such a name: it is neither the usual one nor does it begin like it.
    """
    return f"chosen_{_with_suffix(default_name, f'_{_stamp(moment)}', None)}"


def archive_name(name: str, started: datetime) -> str:
    """Return "20250304-091205_in.csv"."""
    return f"{_stamp(started)}_{name}"


def tryback_name(name: str, started: datetime, *, is_workbook: bool = False) -> str:
    """Return "in_tryback_20250304-091205.csv"; the failed rows of a workbook are written as CSV."""
    return _with_suffix(name, f"{TRYBACK_PART}{_stamp(started)}", ".csv" if is_workbook else None)


def mended_name(name: str, moment: datetime) -> str:
    """Return "in_mended_20250304-091205.csv": rows of a run that were mended on a page. Mended again it keeps its length."""
    stem = name.rpartition(".")[0].partition(MENDED_PART)[0]
    return f"{stem}{MENDED_PART}{_stamp(moment)}.csv"


def discarded_name(name: str, number: int = 1) -> str:
    """Return "in-tryback-failed.csv", then "in-tryback-failed-2.csv": names of files that could not be used at all."""
    return _with_suffix(name, "-tryback-failed" + (f"-{number}" if number > 1 else ""), None)


def numbered_name(name: str, number: int) -> str:
    """Return "in-12.csv", for what would else have the name of another file."""
    return _with_suffix(name, f"-{number}", None)


def _stamp(moment: datetime) -> str:
    """Return a moment in site time."""
    return f"{timezone.localtime(moment):%Y%m%d-%H%M%S}"


def _with_suffix(name: str, suffix: str, extension: str | None) -> str:
    base, dot, own = name.rpartition(".")
    if not base:
        base, dot, own = name, "", ""
    extension = dot + own if extension is None else extension
    # The tryback of a tryback of a tryback … must still be a name.
    room = NAME_BYTES - len((suffix + extension).encode())
    return base.encode()[:room].decode(errors="ignore") + suffix + extension


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text[:60])
