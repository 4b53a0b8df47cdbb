"""Approve or decline a run that waits for a person, at a shell: the operator may."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from sync.errors import CodedError
from sync.guard.messages import reason_text, total_texts
from sync.management.command import ToolSyncCommand, run_of_number
from sync.management.run_command import refusal
from sync.models import SyncRun
from sync.runs import decisions
from sync.runs.bundle_order import runs_of_bundle
from sync.runs.newer_files import newer_files
from sync.runs.rights import OPERATOR


class Command(ToolSyncCommand):
    """manage.py decide RUN --approve | --decline; with neither of them it says why the run waits.

    Exit status: 0 it was decided, or said; 3 it could not be
    """

    help = "Say why a run waits for a person, approve it or decline it. Exit status: 0 done, 3 it can't be decided so."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", type=int, metavar="RUN", help="number of the run")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--approve", action="store_true", help="let it be carried out as planned")
        what.add_argument("--decline", action="store_true", help="end it; nothing is written")
        parser.add_argument(
            "--number", default="", help="with --approve: how many things are taken away, as the run says"
        )
        parser.add_argument("--reason", default="", help="kept with the run")
        self.add_json(parser)

    def handle(self, *, run: int, approve: bool, decline: bool, number: str, reason: str, **chosen: Any) -> None:
        found = run_of_number(run)
        try:
            if approve:
                decisions.approve_run(found, OPERATOR, reason=reason, typed=number)
            elif decline:
                decisions.decline_run(found, OPERATOR, reason=reason)
        except CodedError as error:
            raise refusal(error) from None
        self.stdout.write(f"Run {found.pk} of {found.file_path}: {found.state_label}")
        if found.waits_for_person and found.plan is not None:
            warnings = map(reason_text, newer_files(runs_of_bundle(found)))
            for line in (*warnings, *map(reason_text, found.held_notes), *total_texts(found.planned_totals)):
                self.stdout.write(line)
        if chosen["json"]:
            self.print_json(_facts(found))


def _facts(run: SyncRun) -> dict[str, Any]:
    """Return why a run waits for a person, and what was decided."""
    totals = run.planned_totals if run.waits_for_person else {}
    return {
        "run": run.pk,
        "state": run.state,
        "waits": run.waits_for_person,
        "held_for": [{"code": note.code, "text": reason_text(note)} for note in run.held_notes],
        "totals": totals,
        "removals": decisions.removed_by(totals),
        "must_type": decisions.is_typed(totals),
        "decision": run.decision,
        "decided_by": run.decided_by_name,
        "reason": run.decision_reason,
    }
