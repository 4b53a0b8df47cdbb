"""Erase what the audit says about a person, on request of that person."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from sync.audit.erasure import erase_person, find_person
from sync.errors import AuditDamaged, AuditUnavailable, StorageUnavailable
from sync.management.command import ToolSyncCommand
from sync.messages import text_of
from sync.models import MoodleSite
from sync.runs.options import MAIN_SITE
from sync.runs.rights import OPERATOR


class Command(ToolSyncCommand):
    """manage.py eraseaudit. Exit status: 0 done, or told what would be; 1 the audit can't be read or there is no such site"""

    help = (
        "Erase the values of a person in the audit of a site: the keys of all entries that name this person are destroyed. Which "
        "line of which run did something, and when, stays, and so does the chain. Without --yes it only tells what there is, and "
        "by which other names the same entries name the person: give those as well. This can't be undone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "names", nargs="+", metavar="NAME", help="username, idnumber or mail address, as files name them"
        )
        parser.add_argument("--site", default=MAIN_SITE, metavar="SLUG", help="the Moodle site (default: %(default)s)")
        parser.add_argument("--yes", action="store_true", help="erase; without it nothing is changed")

    def handle(self, *, names: list[str], site: str, yes: bool, **options: Any) -> None:
        owner = MoodleSite.objects.filter(slug=site).first()
        if owner is None:
            raise CommandError(f"There is no site “{site}”.")
        try:
            if yes:
                self.stdout.write(f"{erase_person(owner, names, OPERATOR)} entries were erased.")
                return
            for name in names:
                found = find_person(owner, name)
                others = f" They also name: {', '.join(found.other_names)}." if found.other_names else ""
                self.stdout.write(f"{name}: {found.entries} entries.{others}")
        except (AuditDamaged, AuditUnavailable, StorageUnavailable) as error:
            raise CommandError(text_of(error.code, error.params)) from None
        self.stdout.write("Nothing was erased. Say --yes to do it.")
