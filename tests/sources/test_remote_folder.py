"""When a file is whole, and still the one that was listed."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage

from sync.errors import CommandFileError
from sync.sources.drop_folder import DropFolder, locked
from sync.sources.guard import FetchRules
from sync.sources.inbox import Inbox
from sync.sources.location import parse_address
from sync.sources.opening import open_address
from sync.sources.remote_folder import (
    Entry,
    RemoteFolder,
    check_same,
    copy_whole,
    files_among,
    marks_of,
    remove_taken,
    whole_names,
)
from tests.servers import PASSWORD
from tests.source_servers import USER


@pytest.mark.parametrize("mark", ["in.csv.done", "in.done", "in.csv.sha256", "in.sha256"])
def test_a_mark_beside_a_file_says_that_it_is_whole(mark: str) -> None:
    first, second = [Entry("in.csv", 10), Entry(mark, 0)], [Entry("in.csv", 20), Entry(mark, 0)]
    assert "in.csv" in whole_names(first, second)
    assert marks_of("in.csv", {"in.csv", mark, "other.done"}) == [mark]
    assert [entry.name for entry in files_among(first)] == ["in.csv"]


@pytest.mark.parametrize(
    ("before", "now", "is_whole"),
    [
        (Entry("in.csv", 10, "t1"), Entry("in.csv", 10, "t1"), True),
        (Entry("in.csv", 10, "t1"), Entry("in.csv", 20, "t1"), False),
        (Entry("in.csv", 10, "t1"), Entry("in.csv", 10, "t2"), False),
        (Entry("other.csv", 10, "t1"), Entry("in.csv", 10, "t1"), False),
    ],
)
def test_without_a_mark_it_must_stay_the_same_between_two_looks(before: Entry, now: Entry, is_whole: bool) -> None:
    assert ("in.csv" in whole_names([before], [now])) is is_whole


FILE = b"username;firstname\nann;Ann\n"
RULES = FetchRules(allowed_hosts=frozenset({"localhost"}), max_bytes=1_000_000, seconds=10)


@contextmanager
def opened(kind: str, served: Path, request: pytest.FixtureRequest) -> Iterator[RemoteFolder]:
    """Open the folder as a place of one kind."""
    if kind == "drop":
        with locked(served):
            yield DropFolder(served)
    elif kind == "inbox":
        yield Inbox(FileSystemStorage(location=served), "/", RULES, "school")
    else:
        port = request.getfixturevalue(kind).port
        address = parse_address(f"{kind.removeprefix('old_')}://{USER}:{PASSWORD}@localhost:{port}/*.csv")
        with open_address(address, RULES, default_name="") as place:
            yield place


def put_another(path: Path, content: bytes) -> None:
    """Put another file in the place of one, as a feeder does: beside, and renamed."""
    beside = path.with_suffix(".new")
    beside.write_bytes(content)
    os.utime(beside, (5, 5))
    beside.replace(path)


class Meanwhile(io.BytesIO):
    """Takes what is read of a file; meanwhile its feeder puts another one there."""

    def __init__(self, path: Path, content: bytes) -> None:
        super().__init__()
        self._path, self._content = path, content

    def write(self, block: Any) -> int:
        put_another(self._path, self._content)
        return super().write(block)


@pytest.mark.parametrize(
    ("kind", "other"),
    [("drop", FILE.upper()), ("inbox", FILE.upper()), ("sftp", FILE.upper()), ("ftp", FILE.upper()), ("old_ftp", FILE * 2)],
)  # fmt: skip
def test_a_file_that_has_become_another_one_is_neither_taken_nor_removed(
    kind: str, other: bytes, served: Path, request: pytest.FixtureRequest
) -> None:
    """What was listed and copied before it changed is no whole file, or no longer the one that lies there."""
    path = served / "in.csv"
    path.write_bytes(FILE)
    with opened(kind, served, request) as place:
        (entry,) = files_among(place.entries())
        out = Meanwhile(path, other)
        with pytest.raises(CommandFileError, match="source_file_growing"):
            copy_whole(place, entry, {entry.name}, out)
        assert out.getvalue() == FILE
        (entry,) = files_among(place.entries())
        copy_whole(place, entry, {entry.name}, io.BytesIO())
        put_another(path, FILE * 3)
        with pytest.raises(CommandFileError, match="source_file_growing"):
            remove_taken(place, entry, {entry.name})
        assert path.read_bytes() == FILE * 3
        path.rename(path.with_suffix(".gone"))
        with pytest.raises(CommandFileError, match="source_file_growing"):
            remove_taken(place, entry, {entry.name})


def test_what_a_place_doesnt_say_of_a_file_counts_as_the_same(served: Path) -> None:
    (served / "in.csv").write_bytes(FILE)
    place = Inbox(FileSystemStorage(location=served), "/", RULES, "school")
    check_same(place, Entry("in.csv", -1))
    check_same(place, Entry("in.csv", len(FILE)))
    with pytest.raises(CommandFileError, match="source_file_growing"):
        check_same(place, Entry("in.csv", -1, "yesterday"))
