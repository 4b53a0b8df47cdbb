"""`manage.py deletions`: show what is to be deleted once its days of grace are over, or take it off."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import CommandError

from sync.errors import CodedError
from sync.grace.selectors import listed
from sync.grace.services import PROCESSORS, take_off
from sync.management.command import EXIT_OTHER, ToolSyncCommand, site_of_slug
from sync.messages import text_of
from sync.models import GraceEntry, MoodleSite
from sync.moodle.db.writer import MAX_KEYS, batched


class Command(ToolSyncCommand):
    help = (
        "Shows the users and courses that are to be deleted once their days of grace are over: day, table, Moodle id, name, "
        "state, run and line. With --take-off they are taken off the list, by a run that makes users active and shows courses "
        "again where the days of grace had suspended or hidden them. Exit status: 0 done, 3 they can't be taken off."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        self.add_site(parser)
        parser.add_argument("--table", choices=sorted(PROCESSORS), help="Users or courses only.")
        parser.add_argument("--search", default="", metavar="TEXT", help="Part of a name, or Moodle's number.")
        parser.add_argument("--take-off", action="store_true", help="Take what was found off the list.")
        self.add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        site = site_of_slug(options["site"])
        tables = [options["table"]] if options["table"] else sorted(PROCESSORS)
        if options["take_off"]:
            runs = [run for table in tables for run in self._take_off(site, table, options["search"])]
            if options["json"]:
                self.print_json({"runs": runs})
            return
        if options["json"]:
            self.print_json([_facts(entry) for entry in listed(site, tables, options["search"]).iterator()])
            return
        for entry in listed(site, tables, options["search"]).iterator():
            place = f"run {entry.run_id}, line {entry.line}"
            cells = (entry.day.isoformat(), entry.table, str(entry.rowid), entry.name, entry.state, place)
            self.stdout.write("\t".join(cells))

    def _take_off(self, site: MoodleSite, table: str, text: str) -> list[int]:
        runs: list[int] = []
        ids = list(listed(site, [table], text).values_list("pk", flat=True))
        for part in batched(ids, MAX_KEYS):
            try:
                run = take_off(site, table, part, user=None)
            except CodedError as error:
                raise CommandError(text_of(error.code, error.params), returncode=EXIT_OTHER) from error
            runs.append(run.pk)
            self.stdout.write(f"Run {run.pk} takes off what of table {table} can be: {len(part)} at most.")
        return runs


def _facts(entry: GraceEntry) -> dict[str, Any]:
    return {
        "entry": entry.pk,
        "day": entry.day.isoformat(),
        "table": entry.table,
        "rowid": entry.rowid,
        "name": entry.name,
        "state": entry.state,
        "run": entry.run_id,
        "line": entry.line,
    }
