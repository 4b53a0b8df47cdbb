"""`kill -9` of a real worker in the middle of a run of pictures: rows and files in the end are those of an undisturbed run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from django.db import connection
from pytest_django import Settings

from sync.models import RunState
from sync.runs.outcome_store import read_rows
from sync.values import Action
from tests.installation import Installation
from tests.moodle_sites import MoodleSite
from tests.pictures import blobs, data_folder, picture, zip_of
from tests.runs.test_kill import celery, wait_for

PEOPLE = 120
CHUNK_ROWS = 10
# What a person would compare, by names instead of ids; moments of writing differ.
CONTENTS = {
    "files": "SELECT u.username, f.component, f.filearea, f.itemid, f.filepath, f.filename, f.contenthash, f.filesize,"
    " f.mimetype, f.status, f.sortorder, f.userid, f.id = u.picture FROM {files} f"
    " JOIN {context} x ON x.id = f.contextid AND x.contextlevel = 30 JOIN {user} u ON u.id = x.instanceid",
    "user_info_data": "SELECT u.username, f.shortname, d.data, d.dataformat FROM {user_info_data} d"
    " JOIN {user} u ON u.id = d.userid JOIN {user_info_field} f ON f.id = d.fieldid",
    "context": "SELECT u.username, x.depth, x.path = CONCAT('/1/', x.id) FROM {user} u"
    " JOIN {context} x ON x.contextlevel = 30 AND x.instanceid = u.id",
}

pytestmark = [pytest.mark.slow, pytest.mark.mariadb, pytest.mark.xdist_group("mariadb:4.5")]


def add_people(site: MoodleSite) -> None:
    """Make users without a picture, half of them without a context, and the profile field for checksums."""
    site.insert("user_info_field", shortname="userpicturehash", name="Checksum", datatype="textarea", categoryid=0)
    values = ", ".join(
        f"('manual', 1, 1, 'face{number:03}', '', 'F', 'L', 'face{number}@x.org')" for number in range(PEOPLE)
    )
    site.execute(
        "INSERT INTO {user} (auth, confirmed, mnethostid, username, password, firstname, lastname, email) VALUES "
        + values
    )
    site.execute(
        "INSERT INTO {context} (contextlevel, instanceid, depth, path)"
        " SELECT 30, id, 2, '' FROM {user} WHERE firstname = 'F' AND id % 2 = 0"
    )
    site.execute("UPDATE {context} SET path = CONCAT('/1/', id) WHERE contextlevel = 30")


def contents_of(site: MoodleSite) -> dict[str, list[tuple[object, ...]]]:
    names = {name: site.prefix + name for name in site.table_names}
    with site.engine.connect() as connection_to_moodle:
        return {
            table: sorted(map(tuple, connection_to_moodle.execute(sa.text(statement.format(**names)))), key=repr)
            for table, statement in CONTENTS.items()
        }


@pytest.fixture
def moodle(site_of: Callable[[str, str], MoodleSite]) -> Iterator[MoodleSite]:
    site = site_of("mariadb", "4.5")
    yield site
    site.restore_template()


def test_pictures_whose_worker_is_killed_end_like_undisturbed_ones(
    installation: Installation, moodle: MoodleSite, settings: Settings, tmp_path: Path
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("the workers of this test are joined to the SQLite database of the tests")
    pictures = {f"face{n:03}.png": picture(300, 200, colour=(n, 255 - n, n % 7)) for n in range(PEOPLE)}
    content = zip_of({**pictures, "nobody.png": picture()})
    outcome = {"updated": PEOPLE, "rejected": 1}
    quiet, killed = data_folder(tmp_path / "quiet"), data_folder(tmp_path / "killed")
    settings.TOOLSYNC_MOODLE_URL = moodle.url
    settings.TOOLSYNC_MOODLE_DATAROOT = str(quiet)
    settings.TOOLSYNC_CHUNK_ROWS = CHUNK_ROWS
    options = {"processor": "userpictures", "storereport": 1, "filearchive": 1, "filefailed": 1}
    with celery(installation, moodle, tmp_path / "celery.log") as processes:
        processes._environment |= {
            "TOOLSYNC_MOODLE_DATAROOT": str(killed), "TOOLSYNC_CHUNK_ROWS": str(CHUNK_ROWS)
        }  # fmt: skip
        # They start up meanwhile.
        processes.start("beat", "--pidfile=", "--loglevel=WARNING")
        worker = processes.start("worker", "--concurrency=1", "--loglevel=WARNING")
        add_people(moodle)
        ended = installation.carry_out("/userpictures_quiet.zip", content, **options, in_background=False)
        assert ended.counts == outcome
        expected = contents_of(moodle)
        moodle.restore_template()
        add_people(moodle)

        run = installation.queue("/userpictures_killed.zip", content, **options)
        wait_for(run, lambda: run.rows_done >= PEOPLE // 4, processes)
        processes.kill(worker)
        run.refresh_from_db()
        assert run.state == RunState.RUNNING
        assert run.rows_done < PEOPLE
        processes.start("worker", "--concurrency=1", "--loglevel=WARNING")
        wait_for(run, lambda: run.is_over, processes)

    assert (run.state, run.counts) == (RunState.COMPLETED_WITH_REJECTIONS, outcome)
    assert [row.line for row in read_rows(run)] == list(range(1, PEOPLE + 2))
    assert len(list(read_rows(run, Action.UPDATED))) == PEOPLE
    assert contents_of(moodle) == expected
    # Four rows for each, and one of them is what the user shows.
    assert (len(expected["files"]), len(expected["user_info_data"])) == (4 * PEOPLE, PEOPLE)
    assert sum(bool(row[-1]) for row in expected["files"]) == PEOPLE
    assert blobs(killed) == blobs(quiet)
    assert len(blobs(killed)) == 3 * PEOPLE + 1
    assert blobs(killed, "trashdir") == {}
    assert moodle.rows("config_plugins", plugin="toolsync") == []
    left = [path.partition("_")[2] for path in installation.area() if "killed" in path and "tryback" not in path]
    assert sorted(left) == ["report_userpictures_killed.txt", "userpictures_killed.zip"]
    assert len([path for path in installation.area() if "killed_tryback" in path]) == 1
