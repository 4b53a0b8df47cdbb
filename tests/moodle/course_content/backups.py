"""Backups for tests: those of real sites, and a file area that holds them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from tests.real_sites import moodle_data


def template_backup(version: str) -> str:
    """Return the name of the backup of the course of every activity that a version of Moodle made; best one without people."""
    name = f"tpl1-m{version.replace('.', '')}"
    return min(path.name for path in (moodle_data() / "mbz").glob(f"{name}*.mbz") if "-zip" not in path.name)


def real_backup(name: str) -> Path:
    return moodle_data() / "mbz" / name


class BackupFiles:
    """A file area. Shape: contents: path as people write it -> bytes, or where they are"""

    def __init__(self, contents: Mapping[str, bytes | Path]) -> None:
        self.contents = contents
        self.opened_count = 0

    def present(self, paths: Collection[str]) -> set[str]:
        return self.contents.keys() & set(paths)

    @contextmanager
    def opened(self, path: str) -> Iterator[BinaryIO]:
        self.opened_count += 1
        content = self.contents[path]
        with BytesIO(content) if isinstance(content, bytes) else content.open("rb") as stream:
            yield stream
