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
from sync.outcomes.outcome_index import Reason
from sync.outcomes.report import describe_outcome, outcome_text
from sync.runs.outcome_search import OutcomeFilter, run_reasons, wanted_rows
from sync.runs.selectors import rows_of
from sync.values import Action, Outcome


class Command(ToolSyncCommand):
    """manage.py outcomes RUN: one line for each row; with --json one object for each line."""

    help = (
        "Say what became of the rows of a run: line, action, code, text. With --json each line is an object, so that a million "
        "of them can be read one by one. With --reasons: why rows failed, the most frequent reason first."
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
        parser.add_argument("--reasons", action="store_true", help="why rows failed, and how many for each reason")
        self.add_json(parser)

    def handle(self, *, run: int, most: int | None, json: bool, **chosen: Any) -> None:
        # As the pages do: of a run that waits, what its plan says.
        found = rows_of(run_of_number(run))
        if chosen["reasons"]:
            self._print_reasons(found, as_json=json)
            return
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

    def _print_reasons(self, run: SyncRun, *, as_json: bool) -> None:
        told = [_reason_facts(reason) for reason in run_reasons(run)]
        if as_json:
            self.print_json(told)
            return
        for facts in told:
            self.stdout.write(f"{facts['count']}\t{facts['action']}\t{facts['code']}\t{facts['text']}")


def _reason_facts(reason: Reason) -> dict[str, Any]:
    case = reason.alike[0]
    facts = {"action": reason.action, "code": reason.code, "column": reason.column, "count": reason.count}
    return {**facts, "text": text_at_column(reason.code, case.params), "line": case.line}


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
