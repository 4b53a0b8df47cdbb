"""Carry out a plan from the shell: exactly what it says, and nothing else."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from sync.errors import CodedError
from sync.guard.messages import total_texts
from sync.management.command import run_of_number
from sync.management.run_command import EXIT_HELP, RunCommand, refusal
from sync.runs.decisions import apply_plan
from sync.runs.rights import OPERATOR


class Command(RunCommand):
    """manage.py apply PLAN."""

    help = (
        "Carry out a plan that manage.py plan, runsync --simulate or the web pages have made. Rows that have changed in Moodle "
        f"since are left out and said. {EXIT_HELP}"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("plan", metavar="PLAN", type=int, help="number of the plan")
        parser.add_argument(
            "--number", default="", help="how many things are taken away, where that has to be confirmed by its number"
        )
        self.add_json(parser)

    def handle(self, *, plan: int, number: str, json: bool, **_chosen: Any) -> None:
        found = run_of_number(plan)
        for text in total_texts(found.totals):
            self.stdout.write(text)
        try:
            run = apply_plan(found, OPERATOR, typed=number)
        except CodedError as error:
            raise refusal(error) from None
        self.carry_out_and_tell(run, as_json=json)
