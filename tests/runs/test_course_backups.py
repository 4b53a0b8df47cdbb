"""Course backups in the file area, which rows of a file of courses name. Source: courses.md section 1.5"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from sync.models import RunState
from sync.runs.site_files import SiteFiles
from tests.installation import Installation
from tests.moodle.course_content.backup.archives import BLOB, PICTURE, backup, tar_gz
from tests.pictures import blobs, data_folder

BACKUP = tar_gz(backup())


@pytest.fixture
def data(settings: Settings, tmp_path: Path) -> Path:
    settings.TOOLSYNC_MOODLE_DATAROOT = str(data_folder(tmp_path / "moodledata"))
    return tmp_path / "moodledata"


def test_a_row_names_a_backup_of_the_file_area(installation: Installation, data: Path) -> None:
    installation.put("/backups/chem.mbz", BACKUP)
    rows = b"shortname;fullname;template\nNEW;New;backups/chem.mbz\nBAD;Bad;chem.mbz\n"

    run = installation.carry_out("/in.csv", rows, processor="courses")

    assert run.state == RunState.COMPLETED_WITH_REJECTIONS
    assert run.counts == {"created": 1, "rejected": 1}
    course = installation.moodle.one("course", shortname="NEW")
    assert installation.moodle.one("page", course=course["id"])["content"] == "Hello"
    assert blobs(data)[BLOB[-40:]] == PICTURE
    assert "/backups/chem.mbz" in installation.area()


def test_files_are_found_by_their_paths_at_one_go(
    installation: Installation, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    installation.put("/backups/chem.mbz", BACKUP)
    installation.put("/other.mbz", b"other")
    files = SiteFiles(installation.queue("/in.csv", "shortname;fullname\n", processor="courses"))
    paths = {"/backups/chem.mbz", "backups/chem.mbz", "chem.mbz", "other.mbz", "/backups/other.mbz", "no.mbz"}

    with django_assert_num_queries(1):
        present = files.present(paths)

    assert present == {"/backups/chem.mbz", "backups/chem.mbz", "other.mbz"}
    with files.opened("backups/chem.mbz") as stream:
        assert stream.read() == BACKUP
    with pytest.raises(FileNotFoundError), files.opened("no.mbz"):
        pass


def test_a_backup_is_handed_over_to_the_command_line_of_the_site(
    installation: Installation, data: Path, settings: Settings, tmp_path: Path
) -> None:
    settings.TOOLSYNC_MOODLE_CLI = [sys.executable, str(tmp_path)]
    settings.TOOLSYNC_MOODLE_CLI_SECONDS, settings.TOOLSYNC_MOODLE_RESTORE_SECONDS = 60, 1
    (tmp_path / "purge_caches.php").touch()
    script = tmp_path / "restore_backup.php"
    script.write_text("raise SystemExit('no such plugin')")
    installation.put("/chem.mbz", BACKUP)
    rows = b"shortname;fullname;template\nNEW;New;chem.mbz\n"

    run = installation.carry_out("/in.csv", rows, processor="courses", restorewith="moodle")

    assert run.counts == {"rejected": 1}
    assert "ended with status 1 and said: no such plugin" in installation.own_file(run, "report")
    script.write_text("import time; time.sleep(60)")
    slow = installation.carry_out("/in.csv", processor="courses", restorewith="moodle")
    assert "it was not done after 1 seconds" in installation.own_file(slow, "report")
    assert installation.moodle.rows("course", shortname="NEW") == []
