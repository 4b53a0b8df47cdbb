"""List the Moodle sites that ToolSync feeds, and see whether each can be worked with."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from sync.errors import MoodleError
from sync.management.command import ToolSyncCommand
from sync.messages import text_of
from sync.models import MoodleSite
from sync.moodle.integrity.connection_check import ConnectionLevel, check_connection
from sync.runs.connections import moodle_of

_EXIT_FAULTS = 1


class Command(ToolSyncCommand):
    """manage.py sites. Exit status: with --check, 1 when one of them can't be worked with."""

    help = (
        "List the Moodle sites: short name, name, the run that writes now. With --check, connect to each of them; exit status 1 "
        "when one can't be worked with. manage.py checkmoodle says more about one."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="connect to each")
        self.add_json(parser)

    def handle(self, *, check: bool, json: bool, **_chosen: Any) -> None:
        listed = [_facts(site, check=check) for site in MoodleSite.objects.order_by("slug")]
        if json:
            self.print_json(listed)
        else:
            for facts in listed:
                writing = f"run {facts['writing']}" if facts["writing"] else ""
                self.stdout.write(f"{facts['site']}\t{facts['name']}\t{writing}")
                for fault in facts.get("faults", ()):
                    self.stdout.write(f"  {fault['text']}")
        if any(facts.get("faults") for facts in listed):
            sys.exit(_EXIT_FAULTS)


def _facts(site: MoodleSite, *, check: bool) -> dict[str, Any]:
    facts: dict[str, Any] = {"site": site.slug, "name": site.name, "writing": site.lease_run_id}
    if check:
        facts["faults"] = [{"code": code, "text": text} for code, text in _faults_of(site)]
    return facts


def _faults_of(site: MoodleSite) -> list[tuple[str, str]]:
    """Return why nothing can be carried out on a site, [] when it can."""
    try:
        moodle = moodle_of(site)
        try:
            findings = check_connection(moodle)
        finally:
            moodle.dispose()
    except MoodleError as error:
        return [(error.code, text_of(error.code, error.params))]
    return [(f.code, text_of(f.code, f.params)) for f in findings if f.level is ConnectionLevel.ERROR]
