"""Moodles that are as Moodle itself made them are sound."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from sync.moodle.db.database import MoodleConnection
from sync.moodle.files.file_pool import FilePool, file_pool_of
from sync.moodle.integrity.check import IntegrityLevel
from tests.real_sites import GOLD_SITES, PRISTINE_SITES, REAL_SITES, RealSites, moodle_data, needs_moodle_data
from tests.soundness import report_of

# Moodle makes the contexts of activities when somebody first opens them, and nobody opened these.
LEFT_BY_MOODLE = {("context_not_made", "mdl_course_modules")}
SITES = (*PRISTINE_SITES, *REAL_SITES, *GOLD_SITES)


@pytest.mark.parametrize("name", [pytest.param(name, marks=needs_moodle_data) for name in SITES])
def test_what_moodle_made_has_no_faults(real_site: RealSites, name: str, tmp_path: Path) -> None:
    report = report_of(real_site(name), pool=pool_of(name, tmp_path))

    assert report.faults == []
    assert {(finding.code, finding.table) for finding in report.findings} <= LEFT_BY_MOODLE
    assert all(finding.level is IntegrityLevel.NOTE for finding in report.findings)
    assert report.made > 130


@pytest.mark.parametrize("name", [pytest.param("m45-seeded", marks=needs_moodle_data)])
def test_courses_can_be_checked_alone(real_site: RealSites, name: str) -> None:
    site = real_site(name)
    whole, course = report_of(site), report_of(site, "TEMPLATE")
    assert course.faults == []
    assert 100 < course.made < whole.made


def pool_of(name: str, folder: Path) -> FilePool | None:
    """Return the data folder that belongs to a dump; pristine sites have none."""
    archive = moodle_data() / f"{name.replace('pg', '')}-moodledata.tgz"
    if not archive.exists():
        return None
    with tarfile.open(archive) as data:
        data.extractall(folder, filter="data")
    return file_pool_of(MoodleConnection("", dataroot=folder))
