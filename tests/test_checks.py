"""System checks: told at start-up, and none of them needs a Moodle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from django.core.checks import CheckMessage
from pytest_django import Settings

from sync import checks
from tests.moodle_sites import MoodleSite


def codes(messages: Sequence[CheckMessage]) -> list[str | None]:
    return [message.id for message in messages]


def test_as_it_comes_there_is_nothing_to_say() -> None:
    assert checks.storage_is_set() + checks.lease_outlasts_heartbeat() == []


def test_a_missing_storage_is_told(settings: Settings) -> None:
    settings.STORAGES = {name: value for name, value in settings.STORAGES.items() if name != "files"}
    assert codes(checks.storage_is_set()) == ["sync.E002"]


def test_a_lease_that_is_too_short_is_told(settings: Settings) -> None:
    settings.TOOLSYNC_LEASE_SECONDS = 10
    settings.TOOLSYNC_HEARTBEAT_SECONDS = 5
    assert codes(checks.lease_outlasts_heartbeat()) == ["sync.E003"]


@pytest.mark.parametrize("command", ["php /moodle/admin/cli", ["php", 1], ["", "/moodle/admin/cli"]])
def test_a_command_line_that_is_no_list_of_arguments_is_told(command: object, settings: Settings) -> None:
    assert checks.moodle_command_is_a_list() == []
    settings.TOOLSYNC_MOODLE_CLI = command
    assert codes(checks.moodle_command_is_a_list()) == ["sync.E004"]


def test_moodle_is_only_warned_of(settings: Settings, sqlite_site: MoodleSite, tmp_path: Path) -> None:
    settings.TOOLSYNC_MOODLE_URL = sqlite_site.url
    assert checks.moodle_answers() == []
    settings.TOOLSYNC_MOODLE_URL = f"sqlite:///{tmp_path}/away.sqlite3"
    assert codes(checks.moodle_answers()) == ["sync.W002"]
    settings.TOOLSYNC_MOODLE_URL = ""
    assert codes(checks.moodle_answers()) == ["sync.W001"]
