"""Carry out a plan from the shell: exactly what it says, and nothing else."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from sync.errors import CodedError
from sync.guard.messages import reason_text, total_texts
from sync.management.command import EXIT_OTHER, named, run_of_number, sites_of_slugs
from sync.management.run_command import RunCommand, refusal
from sync.management.run_result import EXIT_HELP
from sync.models import MoodleSite
from sync.runs.decisions import apply_plan
from sync.runs.newer_files import warnings_of
from sync.runs.rights import OPERATOR
from sync.sites.groups import apply_on_sites, plans_by_site


class Command(RunCommand):
    """manage.py apply PLAN."""

    help = (
        "Carry out a plan that manage.py plan, runsync --simulate or the web pages have made. Rows that have changed in Moodle "
        f"since are left out and said. {EXIT_HELP}"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("plan", metavar="PLAN", type=int, help="number of the plan")
        parser.add_argument(
            "--number",
            action="append",
            default=[],
            metavar="[SLUG=]N",
            help="how many things are taken away, where that has to be confirmed by its number",
        )
        parser.add_argument(
            "--site", action="append", metavar="SLUG",
            help="apply the plans of the same file on these sites, all of them or none; may be given several times",
        )  # fmt: skip
        self.add_json(parser)

    def handle(self, *, plan: int, number: list[str], json: bool, **chosen: Any) -> None:
        found = run_of_number(plan)
        sites = sites_of_slugs(named(chosen["site"])) if chosen["site"] else [found.site]
        plans = plans_by_site(found)
        for each in [plans[site.pk] for site in sites if site.pk in plans]:
            reasons = map(reason_text, (*warnings_of(each), *each.held_notes))
            for text in (*reasons, *total_texts(each.totals)):
                self.stdout.write(f"{each.site.name}: {text}" if chosen["site"] else text)
        try:
            typed = _numbers(sites, number)
            if chosen["site"]:
                runs = apply_on_sites(found, sites, OPERATOR, typed=typed)
            else:
                runs = [apply_plan(found, OPERATOR, typed=typed.get(found.site.slug, ""))]
        except CodedError as error:
            raise refusal(error) from None
        self.run_all_and_report(runs, as_json=json)


def _numbers(sites: list[MoodleSite], given: list[str] | str) -> dict[str, str]:
    """Return the numbers that were typed, by site. Shape: given: "31" for the first site, "north=31". Raises: CommandError"""
    typed = {}
    for text in named(given):
        slug, number = text.rpartition("=")[::2]
        if slug and slug not in {site.slug for site in sites}:
            raise CommandError(f"{slug} is not among the sites on which it is applied.", returncode=EXIT_OTHER)
        typed[slug or sites[0].slug] = number
    return typed
