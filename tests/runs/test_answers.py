"""The answer to a small file waits for its run, and no longer than it may."""

from __future__ import annotations

from pytest_django import Settings

from sync.models import SyncRun
from sync.runs import services
from sync.runs.answers import SMALL_FILE_BYTES, wait_for_end
from tests.installation import Installation

FILE = "username;firstname;lastname;email\nkim;Kim;Last;kim@x.org\n"


def test_a_run_that_ends_meanwhile_is_waited_for(installation: Installation, settings: Settings) -> None:
    settings.TOOLSYNC_ANSWER_SECONDS = 60
    run = installation.queue("/in.csv", FILE)
    other = SyncRun.objects.get(pk=run.pk)
    services.execute_run(run.pk)
    assert wait_for_end(other).is_over


def test_what_lasts_too_long_or_is_large_is_answered_all_the_same(
    installation: Installation, settings: Settings
) -> None:
    settings.TOOLSYNC_ANSWER_SECONDS = 0
    assert wait_for_end(installation.queue("/in.csv", FILE)).state == "queued"
    settings.TOOLSYNC_ANSWER_SECONDS = 600
    large = installation.queue("/large.csv", FILE + "#" * SMALL_FILE_BYTES)
    assert wait_for_end(large).state == "queued"
