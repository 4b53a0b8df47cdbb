"""manage.py completion: what shells complete; and how little the start of a command loads."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command

from sync.models import RunState
from sync.processors.registry import KEYS
from tests.test_project import ROOT


def script(shell: str) -> str:
    out = io.StringIO()
    call_command("completion", shell, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        (["show"], ["showrun"]),
        (["decide", "--app"], ["--approve"]),
        (["runs", "--state", "com"], ["completed", "completed_with_rejections"]),
        (["plan", "users_"], [key for key in KEYS if key.startswith("users_")]),
        (["runs", "--most", "--"], []),
        (["nothing", ""], []),
    ],
)
def test_bash_completes(typed: list[str], completed: list[str], tmp_path: Path) -> None:
    (tmp_path / "completion").write_text(script("bash"))
    words = " ".join(f"'{word}'" for word in ("./manage.py", *typed))
    asked = f"source completion; COMP_WORDS=({words}); COMP_CWORD={len(typed)}; _toolsync; printf '%s\\n' \"${{COMPREPLY[@]}}\""
    found = subprocess.run(["bash", "-c", asked], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stderr == ""
    assert found.stdout.split() == completed


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_script_names_commands_options_and_words(shell: str) -> None:
    text = script(shell)
    for word in ("retryrun", "undorun", "cohort_courses", RunState.DECLINED.value, "approve"):
        assert word in text
    # Each line is one that the shell can read by itself: an apostrophe would begin a word that doesn't end.
    assert all(line.count("'") % 2 == 0 for line in text.splitlines())
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=text, text=True, check=True)


LOADED = """
import os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
import django
django.setup()
from django.core.management import load_command_class
command = load_command_class("sync", "{command}")
command.create_parser("manage.py", "{command}")
command.check(tags=["toolsync"])
print("LOADED", *sys.modules)
"""
# What no command loads before it knows what it is asked for.
SLOW = {
    "celery", "kombu", "structlog", "rich", "paramiko", "botocore", "boto3", "PIL", "pycountry", "openpyxl", "fpdf", "ldap3",
    "requests",
    "sqlalchemy.dialects.postgresql", "sqlalchemy.dialects.mysql", "sync.web.urls", "toolsync_site.urls", "sync.admin",
    "sync.processors.courses.processor", "sync.processors.users.processor", "sync.processors.courses.cli_restore", "tarfile",
}  # fmt: skip
# What only commands load that carry runs out or look into Moodle.
OF_RUNS = {"sqlalchemy", "sync.moodle.db.database", "sync.runs.services", "sync.runs.execution", "sync.api.base"} | {
    "sync.audit.services", "sync.reader.csv_rows", "sync.columns.column",
}  # fmt: skip


def loaded_by(command: str) -> set[str]:
    asked = [sys.executable, "-c", LOADED.format(command=command)]
    found = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True)
    return set(found.stdout.rpartition("LOADED")[2].split())


def test_a_run_at_the_shell_loads_nothing_that_it_doesnt_need() -> None:
    loaded = loaded_by("runsync")
    assert "sync.runs.services" in loaded
    assert SLOW & loaded == set()


@pytest.mark.parametrize("command", ["showrun", "runs"])
def test_a_command_that_only_looks_at_our_own_records_doesnt_load_what_runs_need(command: str) -> None:
    """Half of the time that it takes: see docs/benchmarks.md."""
    loaded = loaded_by(command)
    assert f"sync.management.commands.{command}" in loaded
    assert (SLOW | OF_RUNS) & loaded == set()
