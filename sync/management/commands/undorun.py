"""Undo a run from the shell, in the foreground, through the same service as the browser."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from sync.errors import CodedError, UndoRefused
from sync.management.command import EXIT_OTHER, site_of_slug
from sync.management.run_command import RunCommand
from sync.messages import text_of
from sync.models import SyncRun
from sync.runs.undo import undo_run


class Command(RunCommand):
    """manage.py undorun RUN. Exit status: 0 completed, 1 with rows that could not be brought back, 3 anything else."""

    help = (
        "Take back what a run did in Moodle, as long as its before-images are kept. What somebody has changed since is kept. "
        "Exit status: 0 completed, 1 completed, but rows could not be brought back, 3 anything else."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", metavar="RUN", type=int, help="number of the run, as its page shows it")
        parser.add_argument("--line", type=int, metavar="LINE", help="only what it did for this line of its file")
        self.add_site(parser)
        parser.add_argument(
            "--simulate", action="store_true", help="dry run: say what would be done, and write nothing"
        )
        self.add_json(parser)

    def handle(self, *, run: int, site: str, **chosen: Any) -> None:
        try:
            owner = site_of_slug(site)
            undone = SyncRun.objects.filter(pk=run).select_related("site").first()
            if undone is None:
                raise UndoRefused("undo_run_unknown", run=run)
            started = undo_run(
                undone, chosen["line"], site=owner, simulate=chosen["simulate"], origin=SyncRun.Origin.SHELL,
                in_background=False,
            )  # fmt: skip
        except CodedError as error:
            raise CommandError(text_of(error.code, error.params), returncode=EXIT_OTHER) from None
        self.run_and_report(started, as_json=chosen["json"])
