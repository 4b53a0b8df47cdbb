"""Show the failed rows of a run, cell by cell, and plan them once more as they were mended."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from sync.errors import CodedError
from sync.management.command import EXIT_OTHER, run_of_number
from sync.management.run_command import RunCommand, refusal
from sync.management.run_result import EXIT_HELP
from sync.management.sent_json import checked, read_json
from sync.mending.rows import can_mend
from sync.models import SyncRun


class Command(RunCommand):
    """manage.py mend RUN."""

    help = (
        "Show the rows of a run that failed, cell by cell; passwords as stars. With --send, plan mended rows alone: JSON says "
        f"which, and what changes in them, as the API takes it; manage.py apply carries the plan out. With --send: {EXIT_HELP}"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", metavar="RUN", type=int, help="number of the run")
        parser.add_argument("--send", metavar="FILE", help="mended rows as JSON; - is standard input")
        self.add_json(parser)

    def handle(self, *, run: int, send: str | None, json: bool, **_chosen: Any) -> None:
        found = run_of_number(run)
        if not can_mend(found):
            raise CommandError(f"Run {run} has no failed rows that could be mended.", returncode=EXIT_OTHER)
        if send is None:
            self._show(found, as_json=json)
            return
        from sync.api.mending import MendSerializer, planned

        sent = checked(MendSerializer, read_json(send))
        try:
            plan = planned(found, sent["rows"], None, origin=SyncRun.Origin.SHELL, in_background=False)
        except CodedError as error:
            raise refusal(error) from None
        self.run_and_report(plan, as_json=json)

    def _show(self, run: SyncRun, *, as_json: bool) -> None:
        from sync.api.mending import told_rows

        try:
            told = told_rows(run)
        except CodedError as error:
            raise refusal(error) from None
        if as_json:
            self.print_json({"columns": told["columns"], "rows": told["rows"]})
            return
        for row in told["rows"]:
            self.stdout.write("\t".join((str(row["line"]), row["code"], row["column"], row["text"], *row["cells"])))
