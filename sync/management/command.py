"""What the commands of ToolSync have in common."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sync.checks import OWN
from sync.models import MoodleSite, SyncRun
from sync.runs.options import MAIN_SITE

EXIT_REFUSED, EXIT_OTHER, EXIT_WAITS = 2, 3, 4


class ToolSyncCommand(BaseCommand):
    """A command that looks at ToolSync's own settings first, and not at the web pages.

    All checks of Django load every page and form, which takes longer than a small run.
    """

    requires_system_checks = (OWN,)

    def add_site(self, parser: ArgumentParser) -> None:
        """Let the Moodle site be chosen."""
        parser.add_argument("--site", default=MAIN_SITE, metavar="SLUG", help="the Moodle site (default: %(default)s)")

    def add_json(self, parser: ArgumentParser) -> None:
        """Let scripts ask for one object."""
        parser.add_argument("--json", action="store_true", help="end with one line of JSON on standard output")

    def print_json(self, value: Any) -> None:
        """Print one line of JSON; days and times as ISO 8601."""
        self.stdout.write(json.dumps(value, default=str, ensure_ascii=False))


def site_of_slug(slug: str) -> MoodleSite:
    """Return a site. Raises: CommandError, which names those there are"""
    site = MoodleSite.objects.filter(slug=slug).first()
    if site is None:
        slugs = ", ".join(MoodleSite.objects.values_list("slug", flat=True))
        raise CommandError(f"There is no site “{slug}”. Sites: {slugs}.", returncode=EXIT_OTHER)
    return site


def run_of_number(number: int) -> SyncRun:
    """Return a run with its site and its plan. Raises: CommandError"""
    run = SyncRun.objects.select_related("site", "plan").filter(pk=number).first()
    if run is None:
        raise CommandError(f"There is no run {number}.", returncode=EXIT_OTHER)
    return run
