"""What a killed process has half written doesn't lie there for ever, and nothing else goes with it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pytest_django import Settings

from sync.runs.retention import sweep_drafts
from sync.tasks import prune
from sync.whole_files import draft_name
from tests.installation import Installation
from tests.servers import PASSWORD, free_port
from tests.source_servers import USER, SftpServer
from tests.waiting import wait_until
from toolsync_site.storages import storage_from_url

DAYS = 2 * 86400
WRITES = """
import os, sys
from pathlib import Path
from sync.whole_files import write_whole

class Slow:
    sent = 0

    def read(self, size):
        if self.sent:
            sys.stdin.read()
        self.sent += 1
        return b"x" * size

write_whole(Path(sys.argv[1]), Slow())
"""


def left_by_a_killed_process(folder: Path) -> Path:
    """Start to write a file there, kill the process with -9, and return what it leaves."""
    folder.mkdir(parents=True, exist_ok=True)
    writer = subprocess.Popen([sys.executable, "-c", WRITES, str(folder / "in.csv")], stdin=subprocess.PIPE)
    try:
        wait_until(lambda: any(path.stat().st_size for path in folder.glob(".*.part")))
    finally:
        writer.kill()
        writer.communicate()
    (left,) = folder.glob(".*.part")
    return left


def make_old(*paths: Path) -> None:
    for path in paths:
        os.utime(path, (time.time() - DAYS,) * 2)


@pytest.fixture
def drop(settings: Settings, tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    settings.TOOLSYNC_DROP_FOLDER = str(folder)
    return folder


@pytest.fixture
def dataroot(settings: Settings, tmp_path: Path) -> Path:
    folder = tmp_path / "moodledata"
    settings.TOOLSYNC_MOODLE_DATAROOT = str(folder)
    return folder


def test_what_kill_9_leaves_is_swept_once_it_is_old(installation: Installation, drop: Path, dataroot: Path) -> None:
    folders = (installation.folder, installation.folder / "main/runs/1/outcomes", drop, dataroot / "filedir/ab/cd")
    left = [left_by_a_killed_process(folder) for folder in folders]
    lock = drop / ".lock.txt.0123456789abcdef"
    others = [
        drop / ".hidden.part", drop / "0123456789abcdef.part", drop / ".0123456789ABCDEF.part", drop / "a.csv",
        dataroot / "filedir/ab/cd/abcd", installation.folder / ".0123456789abcdef.part.csv",
    ]  # fmt: skip
    for path in (lock, *others):
        path.write_bytes(b"x")
    outside = dataroot / draft_name()
    outside.write_bytes(b"x")
    (drop / "link").symlink_to(dataroot, target_is_directory=True)

    assert sweep_drafts() == 0
    assert all(path.exists() for path in left)
    make_old(*left, lock, *others, outside)
    fresh = left_by_a_killed_process(drop / "other")
    prune()
    assert not any(path.exists() for path in (*left, lock))
    assert all(path.exists() for path in (*others, outside, fresh))


def test_folders_that_are_not_there_are_no_trouble(installation: Installation, drop: Path, dataroot: Path) -> None:
    assert sweep_drafts() == 0


def test_drafts_on_another_server_are_swept(
    installation: Installation, drop: Path, settings: Settings, tmp_path: Path
) -> None:
    served = tmp_path / "served"
    left = left_by_a_killed_process(served / "files/main/runs/1")
    other = left.with_name("report.csv")
    other.write_bytes(b"x")
    server = SftpServer(served, free_port())
    try:
        url = f"sftp://{USER}:{PASSWORD}@localhost:{server.port}/files"
        settings.STORAGES = {**settings.STORAGES, "files": storage_from_url(url)}
        assert sweep_drafts() == 0
        make_old(left, other)
        assert sweep_drafts() == 1
    finally:
        server.stop()
    assert [path.name for path in left.parent.iterdir()] == ["report.csv"]
