"""The fixture of tests that need a whole ToolSync; folders that do name it in their conftest."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from sync.models import MoodleSite as OurSite
from tests.installation import Installation
from tests.moodle_sites import MoodleSite


@pytest.fixture
def installation(transactional_db: None, settings: Settings, sqlite_site: MoodleSite, tmp_path: Path) -> Installation:
    """A whole ToolSync on the quickest Moodle."""
    return install(settings, sqlite_site, tmp_path)


@pytest.fixture
def installation_everywhere(
    transactional_db: None, settings: Settings, moodle_site: MoodleSite, tmp_path: Path
) -> Installation:
    """The same on every server, version and real site."""
    return install(settings, moodle_site, tmp_path)


def install(settings: Settings, moodle: MoodleSite, folder: Path) -> Installation:
    settings.TOOLSYNC_MOODLE_URL = moodle.url
    settings.TOOLSYNC_RETRY_SECONDS = 0
    settings.STORAGES = {
        **settings.STORAGES,
        "files": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(folder / "files")},
        },
    }
    return Installation(OurSite.objects.get(slug="main"), moodle, folder / "files")
