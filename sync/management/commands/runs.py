"""List the runs of a site, the last one first."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from sync.management.command import ToolSyncCommand, site_of_slug
from sync.management.run_facts import run_facts
from sync.models import RunState, SyncRun
from sync.outcomes.report import count_texts
from sync.processors.registry import KEYS


class Command(ToolSyncCommand):
    """manage.py runs: one line for each run; its parts are separated by tabs."""

    help = "List runs, the last one first: number, state, file type, file, when it was asked for, what came of it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        self.add_site(parser)
        parser.add_argument("--type", choices=KEYS, metavar="KEY", help="of one file type")
        parser.add_argument(
            "--state", choices=RunState.values, action="append", default=[], metavar="STATE", dest="states",
            help=f"in this state: {', '.join(RunState.values)}; may be given several times",
        )  # fmt: skip
        parser.add_argument("--plans", action="store_true", help="dry runs only")
        parser.add_argument("--most", type=int, default=20, help="so many at most (default: %(default)s)")
        self.add_json(parser)

    def handle(self, *, site: str, states: list[str], plans: bool, most: int, **chosen: Any) -> None:
        runs = SyncRun.objects.filter(site=site_of_slug(site)).select_related("site", "plan")
        # The plans that runs make of themselves are shown with their runs.
        runs = runs.exclude(origin=SyncRun.Origin.PLAN)
        if chosen["type"]:
            runs = runs.filter(processor=chosen["type"])
        if states:
            runs = runs.filter(state__in=states)
        if plans:
            runs = runs.filter(simulate=True)
        found = list(runs.prefetch_related("files")[: max(0, most)])
        if chosen["json"]:
            self.print_json([run_facts(run) for run in found])
            return
        for run in found:
            kind = "plan" if run.simulate else "run"
            counts = ", ".join(count_texts(run.counts, run.partial_counts))
            cells = (
                f"{kind} {run.pk}",
                run.state_label,
                run.processor,
                run.file_path,
                f"{run.created_at:%Y-%m-%d %H:%M}",
                counts,
            )
            self.stdout.write("\t".join(cells))
