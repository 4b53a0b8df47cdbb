"""Search in the outcomes of a run."""

from __future__ import annotations

from argparse import ArgumentParser
from itertools import islice
from typing import Any

from django.core.management.base import CommandError

from sync.errors import OutcomesMissing
from sync.management.command import EXIT_OTHER, ToolSyncCommand, run_of_number
from sync.messages import text_at_column, text_of
from sync.models import SyncRun
from sync.outcomes.report import describe_outcome, outcome_text
from sync.runs.outcome_search import OutcomeFilter, wanted_rows
from sync.values import Action, Outcome


class Command(ToolSyncCommand):
    """manage.py outcomes RUN: one line for each row; with --json one object for each line."""

    help = (
        "Say what became of the rows of a run: line, action, code, text. With --json each line is an object, so that a million "
        "of them can be read one by one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", metavar="RUN", type=int, help="number of the run")
        parser.add_argument(
            "--action", choices=[action.value for action in Action], default="", help="of one kind only"
        )
        parser.add_argument("--code", default="", help="with this code only")
        parser.add_argument("--column", default="", help="about this column only")
        parser.add_argument("--text", default="", help="that name this, or of the line of this number")
        parser.add_argument("--most", type=int, default=None, help="so many at most (default: all)")
        self.add_json(parser)

    def handle(self, *, run: int, most: int | None, json: bool, **chosen: Any) -> None:
        found = run_of_number(run)
        wanted = OutcomeFilter(**{name: chosen[name] for name in ("action", "code", "column", "text")})
        try:
            for outcome in islice(wanted_rows(found, wanted), most):
                if json:
                    self.print_json(_facts(found, outcome))
                else:
                    text = describe_outcome(outcome, simulated=found.simulate)
                    self.stdout.write(f"{outcome.line}\t{outcome.action.value}\t{outcome.code}\t{text}")
        except OutcomesMissing as error:
            raise CommandError(text_of(error.code, error.params), returncode=EXIT_OTHER) from None


def _facts(run: SyncRun, outcome: Outcome) -> dict[str, Any]:
    return {
        "line": outcome.line,
        "subject": outcome.subject,
        "action": outcome.action.value,
        "code": outcome.code,
        "text": outcome_text(outcome, simulated=run.simulate),
        "changes": [{"field": change.field, "old": change.old, "new": change.new} for change in outcome.changes],
        "notes": [text_at_column(note.code, note.params) for note in outcome.notes],
    }
