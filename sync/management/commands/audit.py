"""Read the audit of a site: who changed what."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import CommandError

from sync.audit.facts import entry_facts
from sync.audit.selectors import AuditLine, AuditQuery, find_entries
from sync.errors import AuditUnavailable, StorageUnavailable
from sync.management.command import EXIT_OTHER, ToolSyncCommand, site_of_slug
from sync.messages import text_of
from sync.models import AuditKind, MoodleSite


class Command(ToolSyncCommand):
    """manage.py audit. Exit status: 0 done, 3 the audit can't be read or there is no such site."""

    help = (
        "Say who changed what, the last change first: record, time, person, subject, text. With --json each line is an object. "
        "Exit status: 0 done, 3 the audit can't be read."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        self.add_site(parser)
        parser.add_argument("--user", default="", metavar="NAME", help="about this user only")
        parser.add_argument("--course", default="", metavar="NAME", help="about this course only")
        parser.add_argument("--kind", choices=AuditKind.values, default="", help="of one kind only")
        parser.add_argument("--since", type=date.fromisoformat, metavar="DAY", help="2026-11-30, with this day")
        parser.add_argument("--until", type=date.fromisoformat, metavar="DAY", help="with this day")
        parser.add_argument("--most", type=int, default=50, help="so many at most (default: %(default)s)")
        self.add_json(parser)

    def handle(self, *, site: str, most: int, json: bool, **chosen: Any) -> None:
        query = AuditQuery(**{name: chosen[name] for name in ("user", "course", "kind", "since", "until")})
        try:
            lines = _lines(site_of_slug(site), query, most)
        except (AuditUnavailable, StorageUnavailable) as error:
            raise CommandError(text_of(error.code, error.params), returncode=EXIT_OTHER) from None
        for line in lines:
            facts = entry_facts(line)
            if json:
                self.print_json(facts)
            else:
                cells = (
                    facts["record"],
                    f"{facts['at']:%Y-%m-%d %H:%M}",
                    facts["person"],
                    facts["subject"],
                    facts["text"],
                )
                self.stdout.write("\t".join(map(str, cells)))


def _lines(site: MoodleSite, query: AuditQuery, most: int) -> list[AuditLine]:
    """Raises: AuditUnavailable, StorageUnavailable"""
    lines: list[AuditLine] = []
    page = find_entries(site, query, most=max(0, most))
    lines += page.lines
    while page.following is not None and len(lines) < most:
        page = find_entries(site, query, start=page.following, most=most - len(lines))
        lines += page.lines
    return lines
