"""Approve or decline a run that waits for a person, at a shell: the operator may."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from sync.errors import CodedError
from sync.guard.messages import reason_text, total_texts
from sync.management.command import ToolSyncCommand
from sync.messages import text_of
from sync.models import SyncRun
from sync.runs import decisions
from sync.runs.plans import held_notes
from sync.runs.rights import OPERATOR


class Command(ToolSyncCommand):
    """manage.py decide RUN --approve | --decline; with neither of them it says why the run waits."""

    help = "Say why a run waits for a person, approve it or decline it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", type=int, metavar="RUN", help="number of the run")
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--approve", action="store_true", help="let it be carried out as planned")
        what.add_argument("--decline", action="store_true", help="end it; nothing is written")
        parser.add_argument(
            "--number", default="", help="with --approve: how many things are taken away, as the run says"
        )
        parser.add_argument("--reason", default="", help="kept with the run")

    def handle(self, *, run: int, approve: bool, decline: bool, number: str, reason: str, **_options: Any) -> None:
        found = SyncRun.objects.select_related("site", "plan").filter(pk=run).first()
        if found is None:
            raise CommandError(f"There is no run {run}.")
        try:
            if approve:
                decisions.approve_run(found, OPERATOR, reason=reason, typed=number)
            elif decline:
                decisions.decline_run(found, OPERATOR, reason=reason)
        except CodedError as error:
            raise CommandError(text_of(error.code, error.params)) from None
        self.stdout.write(f"Run {found.pk} of {found.file_path}: {found.state_label}")
        if found.waits_for_person and found.plan is not None:
            for line in (*map(reason_text, held_notes(found)), *total_texts(found.planned_totals)):
                self.stdout.write(line)
