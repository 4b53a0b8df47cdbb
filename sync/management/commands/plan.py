"""Plan a command file from the shell: everything is worked out and kept, and nothing is written in Moodle."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from sync.errors import CodedError
from sync.management.command import EXIT_OTHER, named, sites_of_slugs
from sync.management.handed_file import drop_handed, queue_handed
from sync.management.run_command import RunCommand, options_of, refusal
from sync.management.run_result import EXIT_HELP
from sync.models import MoodleSite, SyncRun
from sync.processors.registry import KEYS
from sync.runs.mappings import column_mapping, listed_mappings, mapping_data
from sync.sites.groups import plan_on_sites


class Command(RunCommand):
    """manage.py plan KEY FILE; `manage.py apply` carries it out. With several sites it is planned on all of them, or on none."""

    help = (
        "Work out what a command file would do, say it, and keep it as a plan. Nothing is written in Moodle before "
        f"manage.py apply carries out exactly this plan. {EXIT_HELP}"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", metavar="KEY", help=f"file type: {', '.join(KEYS)}")
        parser.add_argument("file", metavar="FILE", help="a file of this machine; - is standard input")
        self.add_rows(parser)
        self.add_sites(parser)
        parser.add_argument(
            "--also", action="append", default=[], metavar="SLUG",
            help="plan it on this site too, with a plan and a report of its own; may be given several times",
        )  # fmt: skip
        parser.add_argument(
            "--mapping", action="append", default=[], metavar="[SLUG=]NUMBER",
            help="number of a kept mapping of a site, or none; without it the header chooses on each",
        )  # fmt: skip
        self.add_options(parser)
        self.add_json(parser)

    def handle(self, *, key: str, file: str, json: bool, **chosen: Any) -> None:
        run: SyncRun | None = None
        first, *others = sites_of_slugs([*named(chosen["site"]), *chosen["also"]])
        try:
            mappings = _mappings(key, [first, *others], chosen["mapping"])
            # It is asked for on all sites, or on none.
            with transaction.atomic():
                options = options_of(chosen["option"])
                run = queue_handed(
                    first, key, file, options, simulate=True, as_rows=chosen["rows"], mapping=mappings.get(first.slug)
                )
                runs = [run]
                if others:
                    # Rows are named as the file type names them; of a file the header chooses on each site.
                    usual: dict[str, Any] | None = {} if chosen["rows"] else None
                    each = {site.slug: mappings.get(site.slug, usual) for site in others}
                    runs += plan_on_sites(
                        run, others, user=None, mappings=each, options=None if chosen["rows"] else options,
                        origin=SyncRun.Origin.SHELL, in_background=False,
                    )  # fmt: skip
        except CodedError as error:
            if run is not None:
                drop_handed(run)
            raise refusal(error) from None
        self.run_all_and_report(runs, as_json=json)


def _mappings(key: str, sites: list[MoodleSite], asked: list[str]) -> dict[str, dict[str, Any]]:
    """Return the mappings that are asked for by site. Shape: asked: "7" for the first site, "north=7", "north=none"

    Raises: CommandError; MappingError
    """
    known = {site.slug: site for site in sites}
    found: dict[str, dict[str, Any]] = {}
    for text in asked:
        slug, number = text.rpartition("=")[::2]
        site = known.get(slug or sites[0].slug)
        if site is None:
            raise CommandError(f"{slug} is not among the sites on which it is planned.", returncode=EXIT_OTHER)
        if number == "none":
            found[site.slug] = {}
            continue
        kept = number.isdecimal() and listed_mappings(site, [key]).filter(pk=min(int(number[:19]), 2**63 - 1)).first()
        if not kept:
            raise CommandError(f"There is no mapping {number} of {key} on {site.slug}.", returncode=EXIT_OTHER)
        found[site.slug] = mapping_data(column_mapping(kept))
    return found
