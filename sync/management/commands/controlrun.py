"""Cancel a run, pause it, or let the workers take it up again."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from sync.errors import CodedError, RunNotClaimable
from sync.management.command import EXIT_OTHER, ToolSyncCommand, run_of_number
from sync.management.run_command import refusal
from sync.management.run_facts import run_facts
from sync.messages import text_of
from sync.models import SyncRun
from sync.runs.newer_files import warnings_of
from sync.runs.services import cancel_run, pause_run, resume_run


class Command(ToolSyncCommand):
    """manage.py controlrun RUN --cancel | --pause | --resume. Exit status: 0 done, 3 the run isn't in a state for it."""

    help = (
        "Cancel a run (at once when it hasn't begun, else before its next chunk; what is written stays), pause it, or let the "
        "workers take it up again after its last whole chunk; manage.py retryrun takes it up here. Exit status: 0 done, 3 the "
        "run is not in a state in which this can be done."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", type=int, metavar="RUN", help="number of the run")
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--cancel", action="store_true", help="stop it")
        what.add_argument("--pause", action="store_true", help="stop it before its next chunk, to be taken up later")
        what.add_argument("--resume", action="store_true", help="let the workers take it up again")
        self.add_json(parser)

    def handle(self, *, run: int, cancel: bool, pause: bool, json: bool, **_chosen: Any) -> None:
        found = run_of_number(run)
        for warning in () if cancel or pause else warnings_of(found):
            self.stdout.write(text_of(warning.code, warning.params))
        try:
            if cancel:
                _cancel(found)
            else:
                (pause_run if pause else resume_run)(found)
        except RunNotClaimable:
            said = f"Run {run} ({found.state_label}) is not in a state in which this can be done."
            raise CommandError(said, returncode=EXIT_OTHER) from None
        except CodedError as error:
            raise refusal(error) from None
        found.refresh_from_db()
        self.stdout.write(f"Run {found.pk} of {found.file_path}: {found.state_label}")
        if json:
            self.print_json(run_facts(found))


def _cancel(run: SyncRun) -> None:
    """Raises: RunNotClaimable if there is nothing left to cancel"""
    if run.is_over:
        raise RunNotClaimable
    cancel_run(run)
