"""The way into a site's Moodle."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from sync.errors import MoodleUnavailable
from sync.models import MoodleSite
from sync.moodle.db.database import MoodleConnection
from sync.runs.connections import connection_of, sealed

CONNECTION = MoodleConnection("mysql://me:s3cret@db/moodle", "m_", Path("/data"), "robot", ("pepper",), ("php", "/cli"))


def test_the_main_site_is_the_one_of_the_environment(settings: Settings) -> None:
    settings.TOOLSYNC_MOODLE_URL = "sqlite:///m.sqlite3"
    settings.TOOLSYNC_MOODLE_PREFIX = "x_"
    connection = connection_of(MoodleSite(slug="main"))
    assert (connection.url, connection.prefix) == ("sqlite:///m.sqlite3", "x_")


def test_another_site_keeps_its_connection_encrypted() -> None:
    stored = sealed(CONNECTION)
    assert b"s3cret" not in stored
    assert connection_of(MoodleSite(slug="other", connection=stored)) == CONNECTION


def test_with_another_secret_key_the_connection_is_told_to_be_unreadable(settings: Settings) -> None:
    site = MoodleSite(slug="other", name="Other", connection=sealed(CONNECTION))
    settings.SECRET_KEY = "another one"
    with pytest.raises(MoodleUnavailable) as refused:
        connection_of(site)
    assert refused.value.code == "moodle_connection_unreadable"
