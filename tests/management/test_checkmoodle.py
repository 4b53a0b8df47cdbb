"""manage.py checkmoodle."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from django.core.management import call_command
from pytest_django import Settings

from tests.installation import Installation


def test_a_sound_moodle_is_told_line_by_line(installation: Installation) -> None:
    out = io.StringIO()
    call_command("checkmoodle", stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[0].startswith("ok      SQLite ")
    assert "Moodle 4.5" in lines[1]
    assert not [line for line in lines if line.startswith("ERROR")]


def test_a_moodle_that_is_away_ends_with_status_one(
    installation: Installation, settings: Settings, tmp_path: Path
) -> None:
    settings.TOOLSYNC_MOODLE_URL = f"sqlite:///{tmp_path}/away.sqlite3"
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("checkmoodle", stdout=out)
    assert ended.value.code == 1
    assert out.getvalue().startswith("ERROR   The Moodle database doesn't answer")
