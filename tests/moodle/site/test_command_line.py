"""Moodle's own scripts: started without a shell, ended in time, and what went wrong is a sentence."""

from __future__ import annotations

import fcntl
import sys
import time
from pathlib import Path

import pytest

from sync.errors import MoodleCommandFailed
from sync.messages import text_of
from sync.moodle.site.command_line import MoodleCommand
from tests.waiting import wait_until


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def command(folder: Path, script: str, seconds: float = 20) -> MoodleCommand:
    (folder / "do.php").write_text(script)
    return MoodleCommand((sys.executable, str(folder)), seconds)


def trouble(of: MoodleCommand) -> str:
    with pytest.raises(MoodleCommandFailed) as error:
        of.run("do.php")
    return text_of(error.value.code, error.value.params)


def test_arguments_reach_the_script_as_they_are(folder: Path) -> None:
    script = "import pathlib, sys; pathlib.Path(__file__).with_name('said').write_text(repr(sys.argv[1:]))"
    command(folder, script).run("do.php", "$(id); a b", "--muc")
    assert (folder / "said").read_text() == "['$(id); a b', '--muc']"


def test_the_last_line_of_a_script_that_fails_is_told(folder: Path) -> None:
    assert trouble(command(folder, "print('x' * 9999); print('!! no  database !!'); raise SystemExit(3)")) == (
        "Moodle's do.php ended with status 3 and said: !! no database !!"
    )


def test_a_script_that_takes_too_long_is_ended_with_all_that_it_started(folder: Path) -> None:
    late = (
        "import fcntl, signal; f = open('held', 'w'); fcntl.flock(f, fcntl.LOCK_EX); signal.alarm(60); signal.pause()"
    )
    script = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {late!r}], cwd={str(folder)!r})"
    began = time.monotonic()
    assert trouble(command(folder, script, 0.6)) == "Moodle's do.php was stopped: it was not done after 1 seconds."
    assert time.monotonic() - began < 1.4

    def is_let_go() -> bool:
        with (folder / "held").open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

    wait_until(is_let_go, 10)


def test_a_program_that_is_not_there_is_named(folder: Path) -> None:
    assert trouble(MoodleCommand(("/no/php", str(folder)), 5)) == (
        "Moodle's command line can't be started: /no/php (No such file or directory)."
    )


def test_a_script_gets_no_secret_of_ours(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "SECRET_KEY",
        "DATABASE_URL",
        "TOOLSYNC_MOODLE_URL",
        "TOOLSYNC_MOODLE_PEPPERS",
        "AWS_SECRET_ACCESS_KEY",
    ):
        monkeypatch.setenv(name, "hunter2")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    script = "import os, pathlib; pathlib.Path(__file__).with_name('said').write_text(repr(dict(os.environ)))"
    command(folder, script).run("do.php")
    said = (folder / "said").read_text()
    assert "hunter2" not in said
    assert "C.UTF-8" in said
    assert "PATH" in said
