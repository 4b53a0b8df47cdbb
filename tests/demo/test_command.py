"""`manage.py demo` as people call it: a process of its own, in a folder of its own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.pictures import blobs
from tests.servers import free_port

ROOT = Path(__file__).resolve().parents[2]
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("demo")]


@pytest.fixture(autouse=True)
def _interruptible() -> Iterator[None]:
    """A shell that starts the tests in the background has Ctrl-C ignored by them, and by all that they start."""
    before = signal.getsignal(signal.SIGINT)
    if before == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture(scope="module")
def var(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One demo for all tests of this module: what a second call finds is part of what is tested."""
    return tmp_path_factory.mktemp("var")


@pytest.fixture(scope="module")
def somebodys_moodle() -> Iterator[socket.socket]:
    """Stands for the Moodle of the person's own settings. Nobody answers, and whoever calls is kept waiting in line."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def environment(var: Path, somebodys_moodle: socket.socket) -> dict[str, str]:
    port = somebodys_moodle.getsockname()[1]
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("TOOLSYNC_")},
        "TOOLSYNC_VAR": str(var),
        "TOOLSYNC_MOODLE_URL": f"mysql://moodle:secret@127.0.0.1:{port}/moodle",
        "DJANGO_SETTINGS_MODULE": "toolsync_site.settings",
    }


def demo(var: Path, moodle: socket.socket, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "demo", *arguments], cwd=ROOT, env=environment(var, moodle), capture_output=True,
        text=True, timeout=120, check=False,
    )  # fmt: skip


def processes_of(var: Path) -> list[str]:
    """Return the command lines of the living processes that work in a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(var) in (entry / "environ").read_text(errors="replace"):
                found.append((entry / "cmdline").read_text().replace("\0", " "))
        except OSError:
            continue
    return found


def files_named(text: str, label: str) -> list[Path]:
    return [Path(place) for place in re.findall(rf"{label}: +(\S+)", text)]


@pytest.fixture(scope="module")
def first(var: Path, somebodys_moodle: socket.socket) -> str:
    """Return what the first call prints."""
    ended = demo(var, somebodys_moodle, "--no-serve")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_runs_are_told_with_their_counts_and_first_rejections(first: str) -> None:
    counts = "40 created, 7 updated, 1 unchanged, 1 partial (1 created), 6 rejected"
    assert f"userimport.csv (users): Completed with rejections\n  {counts}" in first
    assert "line 51: marie louise.petit: column username:" in first
    assert "usersuspend.csv (users_suspend): Completed with rejections\n  6 updated, 1 rejected" in first
    assert "userdelete.csv (users_delete): Completed with rejections\n  3 deleted, 1 rejected" in first
    assert "userrestore.csv (users_restore): Completed\n  2 updated" in first
    assert re.search(r"enrols.csv \(enrolments\): Completed\n  \d created", first)
    assert "userpictures_portraits.zip (userpictures): Completed with rejections\n  6 updated, 1 rejected" in first
    assert re.search(r"line \d: portraits/ada.typo.jpg: .*ada.typo", first)


def test_report_tryback_and_archive_lie_where_it_says(first: str) -> None:
    assert len(files_named(first, "Report")) == len(files_named(first, "Archive")) == 6
    trybacks = files_named(first, "Tryback")
    assert len(trybacks) == 4
    assert all(path.stat().st_size for kind in ("Report", "Archive") for path in files_named(first, kind))
    assert len(trybacks[0].read_text().splitlines()) == 1 + 7
    with zipfile.ZipFile(trybacks[3]) as pictures:
        assert pictures.namelist() == ["portraits/ada.typo.jpg", "_reasons.csv"]


def test_the_numbers_are_those_of_the_demo_moodle(first: str, var: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{var / 'demo' / 'moodle.sqlite3'}")
    with engine.connect() as connection:
        present = connection.execute(sa.text("SELECT COUNT(*) FROM mdl_user WHERE deleted = 0")).scalar_one()
        icons = connection.execute(sa.text("SELECT contenthash FROM mdl_files WHERE filearea = 'icon'")).scalars().all()
    engine.dispose()
    (told,) = re.findall(r"users +(\d+) -> (\d+) ", first)[:1]
    # 40 newcomers, one whose course is unknown, one brought back; three deleted.
    assert int(told[1]) == int(told[0]) + 40 + 1 + 1 - 3 == present
    assert re.search(r"with a picture +0 -> 6 +\+6", first)
    assert len(icons) == 4 * 6
    assert blobs(var / "demo" / "moodledata").keys() == set(icons)


@contextmanager
def served(var: Path, moodle: socket.socket, port: int, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Call the demo as most people do, until it serves; give its process and what it printed."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo", "--port", str(port), *arguments], cwd=ROOT, env=environment(var, moodle),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    told = ""
    while "Ctrl-C ends the demo" not in told:
        line = process.stdout.readline()
        assert line, told
        told += line
    with process.stdout:
        yield process, told


def end(process: subprocess.Popen[str], how: signal.Signals, var: Path) -> None:
    process.send_signal(how)
    process.wait(120)
    assert processes_of(var) == []


def test_a_second_call_changes_nothing_and_serves_until_ctrl_c(
    first: str, var: Path, somebodys_moodle: socket.socket
) -> None:
    password = (var / "demo" / "password.txt").read_text()
    port = free_port()
    with served(var, somebodys_moodle, port) as (process, told):
        assert "48 unchanged, 7 rejected" in told
        assert "6 unchanged, 1 rejected" in told
        assert not re.search(r"\d (created|updated|deleted)\b", told)
        assert not re.search(r"-> \d+ +[+-]\d", told)
        assert f"http://127.0.0.1:{port}/" in told
        assert (var / "demo" / "password.txt").read_text() == password
        assert password in told
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=20) as page:
            assert page.status == 200
            assert "csrfmiddlewaretoken" in page.read().decode()
        assert demo(var, somebodys_moodle, "--no-serve").returncode == 1, "two demos in one folder"
        end(process, signal.SIGINT, var)


def test_a_fresh_one_starts_anew_and_ends_when_it_is_told_to(
    first: str, var: Path, somebodys_moodle: socket.socket
) -> None:
    password = (var / "demo" / "password.txt").read_text()
    with served(var, somebodys_moodle, free_port(), "--fresh") as (process, told):
        assert "40 created" in told
        assert (var / "demo" / "password.txt").read_text() != password
        end(process, signal.SIGTERM, var)
    # In all of this, nobody called the Moodle of the person's own settings.
    somebodys_moodle.settimeout(0)
    with pytest.raises(BlockingIOError):
        somebodys_moodle.accept()


def test_a_port_in_use_is_said_at_once(var: Path, somebodys_moodle: socket.socket) -> None:
    port = somebodys_moodle.getsockname()[1]
    ended = demo(var, somebodys_moodle, "--port", str(port))
    assert ended.returncode == 1
    assert f"Port {port} is in use" in ended.stderr
    somebodys_moodle.accept()[0].close()
