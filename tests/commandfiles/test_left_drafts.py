"""Uploads that nobody finished."""

from __future__ import annotations

import os
import time
from pathlib import Path

from sync.commandfiles.left_drafts import sweep_uploads


def test_what_lies_there_goes_and_what_arrives_stays(tmp_path: Path) -> None:
    left, arriving, folder = tmp_path / "left.upload", tmp_path / "new.upload", tmp_path / "folder"
    for path in (left, arriving):
        path.write_bytes(b"x")
    folder.mkdir()
    for path in (left, folder):
        os.utime(path, (time.time() - 7200,) * 2)
    assert sweep_uploads(tmp_path, 3600) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "new.upload"]


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    assert sweep_uploads(tmp_path / "none", 0) == 0
