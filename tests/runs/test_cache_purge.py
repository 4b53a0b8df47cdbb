"""After a run: Moodle is told to purge what SQL doesn't reach, once, if the run changed what is in there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from pytest_django import Settings

from sync.health.checks import check_caches
from sync.models import RunState, SyncRun
from sync.runs import services
from sync.runs.finalize import RunFinalizer
from tests.installation import Installation

USERS = "username;firstname;lastname;email\nbob;Bob;King;bob@x.org\n"
COURSES = "shortname;fullname;category\nC9;Course nine;Brand new/Deep\n"


@pytest.fixture
def cli(settings: Settings, tmp_path: Path) -> Path:
    """A Moodle whose script counts how often it is called; a file `broken` makes it fail."""
    settings.TOOLSYNC_MOODLE_CLI = [sys.executable, str(tmp_path)]
    (tmp_path / "purge_caches.php").write_text(
        "import pathlib\nhere = pathlib.Path(__file__).parent\n"
        "(here / 'calls').open('a').write('x')\n"
        "if (here / 'broken').exists():\n    raise SystemExit('the disk is full')\n"
    )
    return tmp_path


def calls(cli: Path) -> int:
    return len((cli / "calls").read_text()) if (cli / "calls").exists() else 0


def codes(run: SyncRun) -> list[str]:
    return [code for code, _params in run.notes if code.startswith("caches_")]


def test_caches_are_purged_once_a_run_and_only_when_it_changed_what_is_in_them(
    installation: Installation, cli: Path, settings: Settings
) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 1
    more = COURSES + "C10;Course ten;Another\n"
    assert codes(installation.carry_out("/courses.csv", more, processor="courses", simulate=True)) == []
    assert codes(installation.carry_out("/users.csv", USERS, primaryidentity="username")) == []
    assert calls(cli) == 0
    run = installation.carry_out("/courses.csv", more, processor="courses")
    assert (run.counts, codes(run), calls(cli)) == ({"created": 2}, ["caches_purged"], 1)
    assert "Moodle's caches were purged" in installation.own_file(run, "report")
    again = installation.carry_out("/courses.csv", processor="courses")
    assert (again.counts, codes(again), calls(cli)) == ({"unchanged": 2}, [], 1)


def test_a_command_that_fails_is_a_sentence_in_the_report_of_a_run_that_went_well(
    installation: Installation, cli: Path
) -> None:
    (cli / "broken").touch()
    run = installation.carry_out("/courses.csv", COURSES, processor="courses")
    assert run.state == RunState.COMPLETED
    assert "purge_caches.php ended with status 1 and said: the disk is full" in installation.own_file(run, "report")


def test_without_a_command_the_page_of_health_says_so_once_and_no_report_does(installation: Installation) -> None:
    courses = installation.carry_out("/courses.csv", COURSES, processor="courses")
    assert codes(courses) == []
    assert "command line" not in installation.own_file(courses, "report")
    assert check_caches(installation.site).code == "health_caches_by_hand"


def test_a_worker_that_dies_while_the_report_is_made_has_no_purge_done_twice(
    installation: Installation, cli: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """Stands for `kill -9`."""

    def die(_self: RunFinalizer) -> None:
        raise Killed

    run = installation.queue("/courses.csv", COURSES, processor="courses")
    with monkeypatch.context() as patch:
        patch.setattr(RunFinalizer, "make_report", die)
        with pytest.raises(Killed):
            services.execute_run(run.pk)
    SyncRun.objects.filter(pk=run.pk).update(heartbeat_at=None)
    ended = services.execute_run(run.pk)
    assert (ended.state, codes(ended), calls(cli)) == (RunState.COMPLETED, ["caches_purged"], 1)
    assert "course_categories" in ended.changed_tables


def test_what_is_written_after_a_run_was_taken_up_again_is_purged_too(
    installation: Installation, cli: Path, settings: Settings
) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 1
    run = installation.queue("/courses.csv", COURSES + "C10;Course ten;Another\n", processor="courses")
    services.execute_run(run.pk, progress=lambda _progress: services.cancel_run(run))
    run.refresh_from_db()
    assert (run.state, run.rows_done, codes(run), calls(cli)) == (RunState.CANCELLED, 1, ["caches_purged"], 1)
    services.resume_run(run)
    ended = services.execute_run(run.pk)
    assert (ended.state, ended.rows_done, codes(ended), calls(cli)) == (RunState.COMPLETED, 2, ["caches_purged"], 2)
