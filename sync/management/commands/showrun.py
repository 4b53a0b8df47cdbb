"""Show one run: where it stands, what came of it, why a person has to decide, where its files are."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from typing import Any

from sync.guard.messages import total_texts
from sync.management.command import run_of_number
from sync.management.progress_bar import ProgressBar
from sync.management.run_facts import run_facts
from sync.management.run_result import EXIT_HELP, RunResultCommand, status_of
from sync.models import SyncRun

_LOOK_SECONDS = 1.0


class Command(RunResultCommand):
    """manage.py showrun RUN."""

    help = (
        "Show a run: its state, its numbers, its files. With --follow, wait until it is over, or waits for a person; then "
        f"{EXIT_HELP[0].lower()}{EXIT_HELP[1:]} Without --follow the exit status is 0."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", metavar="RUN", type=int, help="number of the run")
        parser.add_argument("--follow", action="store_true", help="wait for its end")
        self.add_json(parser)

    def handle(self, *, run: int, follow: bool, json: bool, **_chosen: Any) -> None:
        found = run_of_number(run)
        if follow:
            _wait_for(found)
        self.print_result(found)
        if found.waits_for_person:
            for text in total_texts(found.planned_totals):
                self.stdout.write(f"  {text}")
        if json:
            self.print_json(run_facts(found))
        if follow and (status := status_of(found)):
            sys.exit(status)


def _wait_for(run: SyncRun) -> None:
    """Wait until a run is over, is paused, or waits for a person, and show how far it is."""
    bar = ProgressBar()
    try:
        while not (run.is_over or run.waits_for_person or run.is_paused):
            bar.show(run.rows_done, run.rows_expected)
            time.sleep(_LOOK_SECONDS)
            run.refresh_from_db()
    finally:
        bar.end()
