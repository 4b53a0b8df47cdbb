"""A full disk destroys no old file; a database of our own that is locked is waited for; what changed is never used."""

from __future__ import annotations

import io
import os
import resource
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

import pytest
from django.db import connection
from pytest_django import Settings

from sync.commandfiles import storage
from sync.commandfiles.checked_file import CheckedFile
from sync.errors import CommandFileError, MoodleUnavailable, OutcomesMissing, StorageUnavailable
from sync.models import RunState, SyncRun
from sync.moodle.db.database import MoodleConnection
from sync.moodle.files.file_pool import file_pool_of
from sync.runs import services
from sync.runs.outcome_store import PlanReader, read_rows
from sync.runs.recorder import Progress
from sync.values import Action
from tests.installation import Installation

HEADER = "username;firstname;lastname;email\n"
ROWS = 25


def file_of(rows: int = ROWS) -> str:
    return HEADER + "".join(f"user{n:05d};First;Last;user{n}@x.org\n" for n in range(rows))


@pytest.fixture(autouse=True)
def small_chunks(settings: Settings) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 5


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=False, capture_output=True
    )  # fmt: skip
    if mounted.returncode:
        pytest.skip("mounting a small file system needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def keep_files_on(settings: Settings, folder: Path) -> None:
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(folder)}}
    settings.STORAGES = {**settings.STORAGES, "files": backend}


def fill(disk: Path) -> Path:
    """Leave no room."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as out, suppress(OSError):
        while True:
            out.write(b"x" * 4096)
    return filler


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


# --- files that are written ------------------------------------------------------------------------------------------


def test_what_does_not_fit_on_the_disk_leaves_the_old_file_as_it_was(settings: Settings, small_disk: Path) -> None:
    keep_files_on(settings, small_disk)
    old = os.urandom(300_000)
    storage.save("main/inbox/in.csv", io.BytesIO(old))
    with pytest.raises(StorageUnavailable, match="No space left"):
        storage.save("main/inbox/in.csv", io.BytesIO(os.urandom(900_000)))
    with storage.opened("main/inbox/in.csv") as kept:
        assert kept.read() == old
    assert names_in(small_disk) == ["in.csv"]


def test_a_file_that_may_not_grow_as_large_leaves_the_old_one_as_it_was(settings: Settings, tmp_path: Path) -> None:
    keep_files_on(settings, tmp_path)
    storage.save("main/reports/r.txt", io.BytesIO(b"old"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(StorageUnavailable, match="File too large"):
            storage.save("main/reports/r.txt", io.BytesIO(os.urandom(200_000)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    with storage.opened("main/reports/r.txt") as kept:
        assert kept.read() == b"old"
    assert names_in(tmp_path) == ["r.txt"]


def test_a_content_of_the_pool_is_whole_or_not_there(small_disk: Path) -> None:
    (small_disk / "filedir").mkdir()
    pool = file_pool_of(MoodleConnection("sqlite://", dataroot=small_disk))
    assert pool is not None
    content = os.urandom(600_000)
    contenthash, is_new = pool.store(io.BytesIO(content))
    assert is_new
    # Into the trash it goes by way of a copy, which doesn't fit.
    with pytest.raises(MoodleUnavailable, match="No space left"):
        pool.trash(contenthash)
    with pool.open(contenthash) as kept:
        assert kept.read() == content
    with pytest.raises(MoodleUnavailable, match="No space left"):
        pool.store(io.BytesIO(os.urandom(600_000)))
    assert names_in(small_disk) == [contenthash]


def test_of_two_who_store_a_content_at_once_one_has_made_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "filedir").mkdir()
    pool = file_pool_of(MoodleConnection("sqlite://", dataroot=tmp_path))
    assert pool is not None
    contenthash, is_new = pool.store(io.BytesIO(b"same"))
    assert is_new
    looks: list[str] = []

    def exists(name: str) -> bool:
        # The other one comes in between the two looks and the writing.
        looks.append(name)
        return len(looks) > 2 and (tmp_path / name).exists()

    monkeypatch.setattr(pool._storage, "exists", exists)
    assert pool.store(io.BytesIO(b"same")) == (contenthash, False)
    assert names_in(tmp_path) == [contenthash]


# --- runs ------------------------------------------------------------------------------------------------------------


def test_a_run_whose_disk_is_full_ends_in_words_and_goes_on_once_there_is_room(
    installation: Installation, settings: Settings, small_disk: Path
) -> None:
    keep_files_on(settings, small_disk)
    run = installation.queue("/in.csv", file_of(), storereport=1)
    fillers: list[Path] = []

    def fill_once(_progress: Progress) -> None:
        if not fillers:
            fillers.append(fill(small_disk))

    ended = services.execute_run(run.pk, progress=fill_once)
    assert (ended.state, ended.error_code, ended.rows_done) == (RunState.ERRORED, "storage_unavailable", 5)
    assert len(list(read_rows(ended))) == 5
    fillers[0].unlink()
    services.resume_run(ended)
    done = services.execute_run(run.pk)
    assert (done.state, done.counts) == (RunState.COMPLETED, {"created": ROWS})
    assert installation.exists("/in.csv")


@pytest.mark.parametrize("simulate", [False, True])
def test_a_database_of_our_own_that_is_locked_is_waited_for(
    installation: Installation, settings: Settings, monkeypatch: pytest.MonkeyPatch, simulate: bool
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("locks our database as SQLite does")
    settings.TOOLSYNC_RETRY_SECONDS = 60
    settings.TOOLSYNC_HEARTBEAT_SECONDS = 600
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", {**connection.settings_dict["OPTIONS"], "timeout": 0.05})
    run = installation.queue("/in.csv", file_of() + "user00003;First;Last;user3@x.org\n", simulate=simulate)
    locker = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None, check_same_thread=False)
    waits: list[float] = []

    def lock(progress: Progress) -> None:
        if progress.rows_done == 10:
            connection.close()
            locker.execute("BEGIN EXCLUSIVE")

    def come_back(seconds: float) -> None:
        waits.append(seconds)
        if locker.in_transaction:
            locker.execute("ROLLBACK")

    monkeypatch.setattr("sync.runs.retry.time.sleep", come_back)
    try:
        ended = services.execute_run(run.pk, progress=lock)
    finally:
        locker.close()
    assert waits
    assert (ended.state, ended.counts) == (RunState.COMPLETED, {"created": ROWS, "unchanged": 1})
    assert [outcome.line for outcome in read_rows(ended)] == list(range(2, ROWS + 3))


def test_a_file_that_changes_during_its_run_ends_it_before_the_changed_part_is_used(
    installation: Installation, settings: Settings
) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 1000
    rows, words = 3000, "long words " * 400
    header = HEADER.replace("email", "email;description")
    long_file = header + "".join(f"user{n:05d};First;Last;user{n}@x.org;{words}\n" for n in range(rows))
    run = installation.queue("/in.csv", long_file)
    kept = Path(storage.file_storage().path(run.input_key))

    def change_the_end(progress: Progress) -> None:
        if progress.rows_done == 1000:
            with kept.open("r+b") as file:
                file.seek(-20, os.SEEK_END)
                file.write(b"EVIL")

    ended = services.execute_run(run.pk, progress=change_the_end)
    assert (ended.state, ended.error_code) == (RunState.ERRORED, "file_changed")
    assert 1000 <= ended.rows_done < rows
    assert not [row for row in installation.moodle.rows("user", firstname="First") if "EVIL" in str(row)]
    assert len(list(read_rows(ended, Action.CREATED))) == ended.rows_done


def test_every_block_of_a_checked_file_is_looked_at_when_it_is_read() -> None:
    data = bytearray(os.urandom(700_000))
    under = io.BytesIO(data)
    checked = CheckedFile(under, "/in.csv").opened()
    assert checked.read() == bytes(data)
    for position in (0, 262_143, 262_144, 699_999):
        assert checked.seek(position) == position
        assert checked.read(3) == bytes(data[position : position + 3])
    assert (checked.seek(-5, os.SEEK_END), checked.read()) == (699_995, bytes(data[-5:]))
    under.getbuffer()[300_000] ^= 1
    assert checked.seek(0) == 0
    assert checked.read(1000) == bytes(data[:1000])
    with pytest.raises(CommandFileError, match="file_changed"):
        checked.read(300_000)


@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "other"])
def test_outcomes_that_are_gone_or_damaged_are_told_in_words(installation: Installation, damage: str) -> None:
    run = installation.carry_out("/in.csv", file_of() + "odd;;;\n")
    key = run.chunks.order_by("first_line")[1].outcomes_key
    with storage.opened(key) as part:
        content = part.read()
    if damage == "gone":
        storage.delete(key)
    else:
        storage.save(key, io.BytesIO({"empty": b"", "cut": content[: len(content) // 2], "other": b"x" * 50}[damage]))
    with pytest.raises(OutcomesMissing):
        list(read_rows(run))
    # A run that needs them for its report ends with the same words.
    SyncRun.objects.filter(pk=run.pk).update(state=RunState.QUEUED)
    again = services.execute_run(run.pk)
    assert (again.state, again.error_code) == (RunState.ERRORED, "outcomes_part_missing")


def test_a_part_of_a_plan_whose_disk_was_away_is_read_once_it_is_back(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = installation.carry_out("/in.csv", file_of(), simulate=True)
    first, second = list(plan.chunks.order_by("first_line"))[:2]
    reader, original = PlanReader(plan), storage.opened

    def away(_key: str) -> NoReturn:
        raise StorageUnavailable("storage_unavailable")

    monkeypatch.setattr(storage, "opened", away)
    with pytest.raises(StorageUnavailable):
        reader.rows(first.first_line, first.last_line)
    monkeypatch.setattr(storage, "opened", original)
    lines = [outcome.line for outcome in reader.rows(first.first_line, second.last_line).outcomes]
    assert lines == list(range(first.first_line, second.last_line + 1))
