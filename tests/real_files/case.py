"""Run the inputs of ../shared/cases/real_files as an administrator would: from the shell, on a real Moodle.

A case is a folder with input files and a page, `case.md`, that names the SQL that prepares Moodle and the shell commands.
"""

from __future__ import annotations

import io
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from django.core.management import CommandError, call_command

from sync.models import SyncRun
from sync.runs.outcome_search import find_outcomes
from sync.values import Action, Outcome
from tests.installation import Installation
from tests.real_sites import moodle_data

COMMAND = re.compile(r"^manage\.py runsync (?P<key>\w+) (?P<file>\S+)(?P<options>( --option \S+)*)", re.MULTILINE)
_SQL_BEFORE = re.compile(r"^SQL \(state of Moodle before\): (.+)$", re.MULTILINE)
_MOST_OUTCOMES = 1000


def real_files() -> Path:
    """Return the folder of the cases; it lies beside the real Moodle databases."""
    return moodle_data().parent / "cases" / "real_files"


@dataclass(frozen=True)
class Step:
    """One shell command of a case. Shape: options: "name=value" each"""

    key: str
    file: str
    options: tuple[str, ...]


@dataclass
class CaseRun:
    """What one shell command came to.

    Shape: status: exit status; said: what the shell printed; outcomes: in line order; report, tryback: their texts and bytes,
    empty where there is none
    """

    status: int
    said: str
    run: SyncRun | None
    outcomes: list[Outcome] = field(default_factory=list)
    report: str = ""
    tryback: bytes = b""

    @property
    def counts(self) -> dict[str, int]:
        """Return action -> rows, without those that no row has."""
        return {action: rows for action, rows in (self.run.counts if self.run else {}).items() if rows}

    def outcome(self, line: int) -> Outcome:
        """Return the outcome of a line of the file."""
        return next(outcome for outcome in self.outcomes if outcome.line == line)

    def actions(self) -> dict[int, Action]:
        """Return line -> what was done."""
        return {outcome.line: outcome.action for outcome in self.outcomes}


@dataclass
class RealCase:
    """A case on the Moodle of an installation. Shape: steps: its shell commands, in order"""

    number: str
    installation: Installation
    page: str
    steps: list[Step]

    @property
    def folder(self) -> Path:
        return real_files() / self.number

    def prepare(self) -> None:
        """Bring Moodle into the state that the case begins with."""
        for line in _SQL_BEFORE.findall(self.page):
            for statement in line.split("; "):
                self.execute(statement)

    def run_all(self) -> list[CaseRun]:
        """Prepare Moodle and run every command of the case."""
        self.prepare()
        return [self.run(step) for step in self.steps]

    def run(self, step: Step | int | str, *options: str) -> CaseRun:
        """Run a command of the case, by its place or by the name of its file; options ("name=value") come on top."""
        if isinstance(step, int):
            step = self.steps[step]
        elif isinstance(step, str):
            step = next(known for known in self.steps if known.file == step)
        return shell_run(step.key, self.folder / step.file, *step.options, *options)

    def execute(self, statement: str) -> None:
        """Run SQL as the page of a case writes it: with the prefix mdl_ and doubled percent signs."""
        statement = statement.strip().replace("%%", "%").replace(" from dual ", " ").replace("\\:", ":")
        with self.installation.moodle.engine.begin() as connection:
            connection.execute(sa.text(re.sub(r"(?<!:):(?=\w)", r"\:", statement)))

    def look(self, query: str, **params: Any) -> list[tuple[Any, ...]]:
        """Return the rows of a query; tables have the prefix mdl_."""
        with self.installation.moodle.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(query), params)]


def read_case(number: str, installation: Installation) -> RealCase:
    """Read the page of a case."""
    page = (real_files() / number / "case.md").read_text(encoding="utf-8")
    commands = page.partition("## What ToolSync did")[0]
    steps = [
        Step(found["key"], found["file"], tuple(found["options"].replace("--option", "").split()))
        for found in COMMAND.finditer(commands)
    ]
    return RealCase(number, installation, commands, steps)


def shell_run(key: str, file: Path, *options: str) -> CaseRun:
    """Run `manage.py runsync` on a file and collect what it left."""
    out = io.StringIO()
    before = SyncRun.objects.count()
    chosen = [part for option in ("storereport=1", "filefailed=1", *options) for part in ("--option", option)]
    status = 0
    try:
        call_command("runsync", key, str(file), "--json", *chosen, stdout=out, stderr=out)
    except SystemExit as ended:
        status = int(ended.code or 0)
    except CommandError as error:
        return CaseRun(error.returncode, f"{out.getvalue()}{error}", None)
    run = SyncRun.objects.latest("pk") if SyncRun.objects.count() > before else None
    if run is None:
        return CaseRun(status, out.getvalue(), None)
    summary = json.loads(out.getvalue().splitlines()[-1])
    report = _bytes_of(summary["report"]).decode("utf-8-sig")
    outcomes = list(find_outcomes(run, per_page=_MOST_OUTCOMES).outcomes)
    return CaseRun(status, out.getvalue(), run, outcomes, report, _bytes_of(summary["tryback"]))


def _bytes_of(place: str | None) -> bytes:
    return Path(place).read_bytes() if place else b""
