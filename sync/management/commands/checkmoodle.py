"""Tell whether a Moodle can be worked with, in sentences."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sync.errors import MoodleError
from sync.messages import text_of
from sync.models import MoodleSite
from sync.moodle.connection_check import Level, check_connection
from sync.runs.connections import moodle_of
from sync.runs.options import MAIN_SITE

MARKS = {Level.OK: "ok      ", Level.WARNING: "warning ", Level.ERROR: "ERROR   "}


class Command(BaseCommand):
    """manage.py checkmoodle. Exit status: 0 files can be carried out, 1 they can't."""

    help = "Check the connection to a Moodle: server, version, tables, rights, data folder. Writes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--site", default=MAIN_SITE, metavar="SLUG", help="the Moodle site (default: %(default)s)")

    def handle(self, *, site: str, **_options: Any) -> None:
        owner = MoodleSite.objects.filter(slug=site).first()
        if owner is None:
            raise CommandError(f"There is no site “{site}”.")
        try:
            moodle = moodle_of(owner)
        except MoodleError as error:
            raise CommandError(text_of(error.code, error.params)) from None
        try:
            findings = check_connection(moodle)
        finally:
            moodle.dispose()
        for finding in findings:
            self.stdout.write(MARKS[finding.level] + text_of(finding.code, finding.params))
        if any(finding.level is Level.ERROR for finding in findings):
            sys.exit(1)
