"""Go on with a run that stopped before its end, or send the failed rows of one that is over once more, from the shell."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from sync.commandfiles import storage
from sync.errors import CodedError, RunNotClaimable
from sync.management.command import EXIT_OTHER, run_of_number
from sync.management.run_command import RunCommand, refusal
from sync.management.run_result import EXIT_HELP
from sync.messages import text_of
from sync.models import RunFile, SyncRun
from sync.runs import services
from sync.runs.newer_files import warnings_of
from sync.runs.options import options_of


class Command(RunCommand):
    """manage.py retryrun RUN."""

    help = (
        "Go on with a run that was paused or cancelled or ended with an error, after its last whole chunk; or, when the run is "
        f"over and has failed rows, carry out its tryback as a run of its own. {EXIT_HELP}"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", metavar="RUN", type=int, help="number of the run")
        self.add_json(parser)

    def handle(self, *, run: int, json: bool, **_chosen: Any) -> None:
        found = run_of_number(run)
        try:
            if found.is_resumable:
                for warning in warnings_of(found):
                    self.stdout.write(text_of(warning.code, warning.params))
                services.resume_run(found)
            else:
                found = _run_of_tryback(found)
        except RunNotClaimable as error:
            raise CommandError(f"{error}.".capitalize(), returncode=EXIT_OTHER) from None
        except CodedError as error:
            raise refusal(error) from None
        self.run_and_report(found, as_json=json)


def _run_of_tryback(run: SyncRun) -> SyncRun:
    """Ask for a run of the failed rows of another. Raises: CommandError if there are none that can be sent"""
    kept = None if run.simulate or not run.is_over else run.files.filter(kind=RunFile.Kind.TRYBACK).first()
    if kept is None:
        raise CommandError(
            f"Run {run.pk} ({run.state_label}) is not one that stopped before its end, and has no tryback.",
            returncode=EXIT_OTHER,
        )
    with storage.opened(kept.storage_key) as content:
        file = services.receive_for_run(run.site, content, kept.name, run.processor, None)
    return services.queue_run(
        site=run.site, processor=run.processor, command_file=file, options=options_of(run),
        origin=SyncRun.Origin.SHELL, in_background=False, mapping=run.mapping or {},
    )  # fmt: skip
