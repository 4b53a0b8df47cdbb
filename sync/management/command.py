"""What the commands of ToolSync have in common."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from typing import IO, Any

from django.core.management.base import BaseCommand, CommandError

from sync.checks import OWN
from sync.models import MoodleSite, SyncRun
from sync.models.site import MAIN_SITE

EXIT_REFUSED, EXIT_OTHER, EXIT_WAITS = 2, 3, 4


class ToolSyncCommand(BaseCommand):
    """A command that looks at ToolSync's own settings first, and not at the web pages.

    All checks of Django load every page and form, which takes longer than a small run.
    """

    requires_system_checks = (OWN,)

    def add_site(self, parser: ArgumentParser) -> None:
        """Let the Moodle site be chosen."""
        parser.add_argument("--site", default=MAIN_SITE, metavar="SLUG", help="the Moodle site (default: %(default)s)")

    def add_sites(self, parser: ArgumentParser) -> None:
        """Let several Moodle sites be chosen."""
        parser.add_argument(
            "--site", action="append", metavar="SLUG",
            help=f"a Moodle site (default: {MAIN_SITE}); may be given several times",
        )  # fmt: skip

    def add_json(self, parser: ArgumentParser) -> None:
        """Let scripts ask for one object."""
        parser.add_argument("--json", action="store_true", help="end with one line of JSON on standard output")

    def write_bytes(self, content: IO[bytes], copy: Callable[[IO[bytes], Any], Any]) -> None:
        """Write the bytes of a file to standard output."""
        self.stdout.flush()
        out = getattr(self.stdout, "buffer", None)
        if out is None:
            self.stdout.write(content.read().decode(errors="replace"), ending="")
            return
        copy(content, out)
        out.flush()

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


def sites_of_slugs(slugs: Sequence[str]) -> list[MoodleSite]:
    """Return sites. Raises: CommandError, also where one is named twice"""
    if twice := next((slug for number, slug in enumerate(slugs) if slug in slugs[:number]), None):
        raise CommandError(f"The site “{twice}” is named twice.", returncode=EXIT_OTHER)
    return [site_of_slug(slug) for slug in slugs]


def named(given: Sequence[str] | str | None) -> list[str]:
    """Return what was given for an option that may be given several times; a call from Python may give one text."""
    return [MAIN_SITE] if given is None else [given] if isinstance(given, str) else list(given)


def run_of_number(number: int) -> SyncRun:
    """Return a run with its site and its plan. Raises: CommandError"""
    run = SyncRun.objects.select_related("site", "plan").filter(pk=number).first()
    if run is None:
        raise CommandError(f"There is no run {number}.", returncode=EXIT_OTHER)
    return run
