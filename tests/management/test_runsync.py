"""manage.py runsync: exit status, JSON, files."""

from __future__ import annotations

import io
import json
import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from sync.models import MoodleSite, RunState, SyncRun
from sync.runs.lease import claim_run
from sync.runs.pipeline_context import ChunkResult
from sync.runs.recorder import RunRecorder
from tests.installation import Installation, at

HEADER = "username;firstname;lastname;email\n"
GOOD = "bob;Bob;King;bob@x.org\n"
BAD = "eve;Eve;Fox;no\n"
ONLY_CLEANED_UP = ("--option", "filecleanup=1", "--option", "storereport=0", "--option", "filearchive=0")


def runsync(*args: str) -> tuple[int, str]:
    """Return the exit status and what was written to standard output."""
    out = io.StringIO()
    try:
        call_command("runsync", *args, stdout=out)
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return tmp_path / "in.csv"


@pytest.mark.parametrize(
    ("content", "status"),
    [(HEADER + GOOD, 0), (HEADER + GOOD + BAD, 1), ("shoe;size\nx;1\n", 2), ("", 2), ("a\0b", 2)],
)
def test_the_exit_status_says_how_it_ended(installation: Installation, here: Path, content: str, status: int) -> None:
    here.write_text(content)
    assert runsync("users", str(here))[0] == status


@pytest.mark.parametrize(
    ("args", "status"),
    [
        (("users", "no/such/file.csv"), 2),
        (("users", "area:/no/such/file.csv"), 2),
        (("shoes", "{file}"), 3),
        (("users", "{file}", "--site", "moon"), 3),
        (("users", "{file}", "--option", "shoesize=43"), 3),
        (("users", "{file}", "--option", "allowrename"), 3),
        (("users", "{file}", "--option", "primaryidentity=shoe"), 3),
    ],
)
def test_what_cannot_begin_says_so(installation: Installation, here: Path, args: tuple[str, ...], status: int) -> None:
    here.write_text(HEADER + GOOD)
    found, text = runsync(*(arg.format(file=here) for arg in args))
    assert found == status
    assert text.strip()
    assert not SyncRun.objects.exists()


def test_moodle_away_is_status_three(
    installation: Installation, here: Path, settings: Settings, tmp_path: Path
) -> None:
    settings.TOOLSYNC_MOODLE_URL = f"sqlite:///{tmp_path}/away.sqlite3"
    here.write_text(HEADER + GOOD)
    status, text = runsync("users", str(here))
    assert status == 3
    assert "doesn't answer" in text


def test_json_is_the_last_line(installation: Installation, here: Path) -> None:
    here.write_text(HEADER + GOOD + BAD)
    with at("2025-03-04 09:12:05"):
        _status, text = runsync("users", str(here), "--json", "--option", "filearchive=1", "--option", "storereport=1")
    summary: dict[str, Any] = json.loads(text.splitlines()[-1])
    run = SyncRun.objects.get()
    assert list(summary) == ["run", "state", "counts", "report", "tryback", "archive", "outcomes", "partial_counts"]
    assert (summary["run"], summary["state"]) == (run.pk, "completed_with_rejections")
    assert summary["counts"] == {
        "created": 1, "updated": 0, "deleted": 0, "unchanged": 0, "superseded": 0, "partial": 0, "rejected": 1
    }  # fmt: skip
    assert summary["report"].endswith("/reports/20250304-091205_report_in.txt")
    assert "End of report." in Path(summary["report"]).read_text()
    assert Path(summary["archive"]).read_text() == HEADER + GOOD + BAD
    assert Path(summary["tryback"]).read_text().splitlines()[1].startswith("eve;Eve;Fox;no;3;value_not_email;")


def test_a_refused_file_has_no_files_in_its_json(installation: Installation, here: Path) -> None:
    here.write_text("shoe;size\nx;1\n")
    _status, text = runsync("users", str(here), "--json")
    summary = json.loads(text.splitlines()[-1])
    assert (summary["state"], summary["report"], summary["tryback"], summary["archive"]) == ("failed", None, None, None)


def test_a_simulation_writes_nothing(installation: Installation, here: Path) -> None:
    here.write_text(HEADER + GOOD)
    before = installation.moodle.snapshot()
    assert runsync("users", str(here), "--simulate")[0] == 0
    assert installation.moodle.diff(before, installation.moodle.snapshot()) == {}
    assert SyncRun.objects.get().simulate


def test_a_file_of_the_area_is_carried_out_where_it_is(installation: Installation) -> None:
    installation.put("/users/in.csv", HEADER + GOOD)
    assert runsync("users", "area:/users/in.csv", *ONLY_CLEANED_UP)[0] == 0
    assert installation.area() == set()


def test_a_local_file_is_taken_in_and_stays(installation: Installation, here: Path) -> None:
    here.write_text(HEADER + GOOD)
    runsync("users", str(here), *ONLY_CLEANED_UP)
    assert here.exists()
    run = SyncRun.objects.get()
    assert (run.file_path, run.origin) == ("/shell/in.csv", SyncRun.Origin.SHELL)
    assert installation.area() == set()


def test_a_run_whose_process_died_is_finished_first(installation: Installation, here: Path) -> None:
    dead = installation.queue("/first.csv", HEADER + "max;Max;Fox;max@x.org\n")
    claim_run(dead.pk, "dead")
    SyncRun.objects.filter(pk=dead.pk).update(heartbeat_at=timezone.now() - timedelta(hours=1))
    here.write_text(HEADER + GOOD)
    assert runsync("users", str(here))[0] == 0
    dead.refresh_from_db()
    assert dead.state == RunState.COMPLETED


def test_a_run_that_may_not_begin_for_too_long_is_cancelled(installation: Installation, here: Path) -> None:
    alive = installation.queue("/first.csv", HEADER + GOOD)
    claim_run(alive.pk, "alive")
    here.write_text(HEADER + GOOD)
    status, text = runsync("users", str(here))
    assert status == 3
    assert f"run {alive.pk} writes to this site" in text
    assert SyncRun.objects.latest("pk").state == RunState.CANCELLED


def test_ctrl_c_ends_the_run_after_a_whole_chunk(
    installation: Installation, here: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 1
    here.write_text(HEADER + GOOD + "max;Max;Fox;max@x.org\n")
    original = RunRecorder.prepare

    def prepare_and_press(self: RunRecorder, chunk: ChunkResult) -> None:
        original(self, chunk)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(RunRecorder, "prepare", prepare_and_press)
    # Shells start background jobs with Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    assert runsync("users", str(here))[0] == 3
    run = SyncRun.objects.get()
    assert (run.state, run.counts) == (RunState.CANCELLED, {"created": 1})
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_site_has_its_own_runs(installation: Installation, here: Path) -> None:
    MoodleSite.objects.create(slug="other", name="Other")
    here.write_text(HEADER + GOOD)
    assert runsync("users", str(here), "--site", "other")[0] == 0
    assert SyncRun.objects.get().site.slug == "other"
