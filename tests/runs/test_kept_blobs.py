"""Contents that a run took out of use stay in Moodle's pool with its journal, and go to the trash after it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from sync.models import KeptBlob, RunState, SyncRun
from sync.moodle.files.file_pool import EMPTY_HASH
from sync.runs.retention import prune
from tests.installation import Installation
from tests.pictures import blobs, data_folder, picture, zip_of

DAYS = 30


@pytest.fixture
def data(settings: Settings, tmp_path: Path) -> Path:
    folder = data_folder(tmp_path / "moodledata")
    settings.TOOLSYNC_MOODLE_DATAROOT = str(folder)
    settings.TOOLSYNC_KEEP_JOURNAL_DAYS = DAYS
    return folder


def give_pictures(installation: Installation, colour: tuple[int, int, int], *names: str) -> SyncRun:
    content = zip_of({f"{name}.png": picture(colour=colour) for name in names})
    return installation.carry_out(
        "/pictures.zip", content, processor="userpictures", overwrite=1, fileprefix="pictures"
    )


def age(run: SyncRun, days: int) -> None:
    SyncRun.objects.filter(pk=run.pk).update(finished_at=timezone.now() - timedelta(days=days))


def test_what_a_run_took_out_of_use_goes_with_its_journal(installation: Installation, data: Path) -> None:
    give_pictures(installation, (200, 0, 0), "ann")
    first = set(blobs(data)) - {EMPTY_HASH}
    run = give_pictures(installation, (0, 200, 0), "ann")
    both = set(blobs(data))
    assert first < both
    assert set(run.kept_blobs.values_list("contenthash", flat=True)) == first
    age(run, DAYS - 1)
    prune()
    assert set(blobs(data)) == both
    age(run, DAYS + 1)
    prune()
    assert set(blobs(data)) == both - first
    assert set(blobs(data, "trashdir")) == first
    assert not KeptBlob.objects.exists()


def test_what_has_a_row_again_stays_in_use(installation: Installation, data: Path) -> None:
    give_pictures(installation, (200, 0, 0), "ann")
    run = give_pictures(installation, (0, 200, 0), "ann")
    give_pictures(installation, (200, 0, 0), "ann")
    before = set(blobs(data))
    age(run, DAYS + 1)
    prune()
    assert set(blobs(data)) == before
    assert not run.kept_blobs.exists()


def test_what_another_run_can_still_bring_back_waits_for_that_run(installation: Installation, data: Path) -> None:
    give_pictures(installation, (200, 0, 0), "ann")
    older = give_pictures(installation, (0, 200, 0), "ann")
    give_pictures(installation, (200, 0, 0), "ann")
    younger = give_pictures(installation, (0, 200, 0), "ann")
    before = set(blobs(data))
    age(older, DAYS + 1)
    prune()
    assert set(blobs(data)) == before
    age(younger, DAYS + 1)
    prune()
    assert len(blobs(data)) == 1 + len(before - {EMPTY_HASH}) // 2


def test_a_journal_that_is_being_read_for_an_undo_stays(installation: Installation, data: Path) -> None:
    run = give_pictures(installation, (200, 0, 0), "ann")
    undo = SyncRun.objects.create(site=run.site, processor=run.processor, undoes=run, input_key="x", file_path="/x")
    age(run, DAYS + 1)
    prune()
    assert run.chunks.exclude(journal_key="").exists()
    SyncRun.objects.filter(pk=undo.pk).update(state=RunState.CANCELLED)
    prune()
    assert not run.chunks.exclude(journal_key="").exists()
