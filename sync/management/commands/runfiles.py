"""List the files that runs have left, or write one to standard output."""

from __future__ import annotations

from argparse import ArgumentParser
from shutil import copyfileobj
from typing import Any

from django.core.management.base import CommandError

from sync.commandfiles import storage
from sync.management.command import EXIT_OTHER, ToolSyncCommand, run_of_number, site_of_slug
from sync.management.run_facts import file_facts
from sync.models import RunFile


class Command(ToolSyncCommand):
    """manage.py runfiles [RUN] [--get KIND]. Exit status: 0 done, 3 there is no such run or file."""

    help = (
        "List the reports, trybacks, archives and tables of outcomes that runs have left: run, kind, name, place. With --get, "
        "write the one of a run to standard output, wherever it is kept. Exit status: 0 done, 3 there is no such run or file."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        kinds = RunFile.Kind.values
        parser.add_argument("run", nargs="?", type=int, metavar="RUN", help="number of a run (default: of all)")
        self.add_site(parser)
        parser.add_argument("--kind", choices=kinds, metavar="KIND", help=f"of one kind: {', '.join(kinds)}")
        parser.add_argument("--get", choices=kinds, metavar="KIND", help="write this one of the run, nothing else")
        parser.add_argument("--most", type=int, default=20, help="so many at most (default: %(default)s)")
        self.add_json(parser)

    def handle(self, *, run: int | None, site: str, kind: str | None, get: str | None, **chosen: Any) -> None:
        files = RunFile.objects.select_related("run").order_by("-pk")
        wanted = {"run": run_of_number(run)} if run is not None else {"run__site": site_of_slug(site)}
        files = files.filter(**wanted)
        if get is not None:
            self._write(run, files.filter(kind=get).first())
            return
        files = files.filter(kind=kind) if kind else files
        found = [file_facts(kept) for kept in files[: max(0, chosen["most"])]]
        if chosen["json"]:
            self.print_json(found)
            return
        for facts in found:
            self.stdout.write(f"{facts['run']}\t{facts['kind']}\t{facts['name']}\t{facts['place']}")

    def _write(self, run: int | None, kept: RunFile | None) -> None:
        if run is None or kept is None:
            raise CommandError("Name a run that has such a file.", returncode=EXIT_OTHER)
        try:
            with storage.opened(kept.storage_key) as content:
                self.write_bytes(content, copyfileobj)
        except FileNotFoundError:
            raise CommandError(f"{kept.name} isn't kept any more.", returncode=EXIT_OTHER) from None
