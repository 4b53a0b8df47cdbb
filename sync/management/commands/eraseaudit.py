"""Erase what the audit says about a person, on request of that person."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from sync.audit.erasure import erase_person, find_person
from sync.errors import AuditDamaged, AuditUnavailable, StorageUnavailable
from sync.management.command import ToolSyncCommand, site_of_slug
from sync.messages import text_of
from sync.runs.rights import OPERATOR


class Command(ToolSyncCommand):
    """manage.py eraseaudit. Exit status: 0 done, or told what would be; 1 the audit can't be read; 3 there is no such site."""

    help = (
        "Erase the values of a person in the audit of a site: the keys of all entries that name this person are destroyed. Which "
        "line of which run did something, and when, stays, and so does the chain. Without --yes it only tells what there is, and "
        "by which other names the same entries name the person: give those as well. This can't be undone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "names", nargs="+", metavar="NAME", help="username, idnumber or mail address, as files name them"
        )
        self.add_site(parser)
        parser.add_argument("--yes", action="store_true", help="erase; without it nothing is changed")
        self.add_json(parser)

    def handle(self, *, names: list[str], site: str, yes: bool, json: bool, **_chosen: Any) -> None:
        owner = site_of_slug(site)
        try:
            found = [] if yes else [(name, find_person(owner, name)) for name in names]
            erased = erase_person(owner, names, OPERATOR) if yes else 0
        except (AuditDamaged, AuditUnavailable, StorageUnavailable) as error:
            raise CommandError(text_of(error.code, error.params)) from None
        for name, person in found:
            others = f" They also name: {', '.join(person.other_names)}." if person.other_names else ""
            self.stdout.write(f"{name}: {person.entries} entries.{others}")
        self.stdout.write(f"{erased} entries were erased." if yes else "Nothing was erased. Say --yes to do it.")
        if json:
            told = [{"name": n, "entries": p.entries, "other_names": list(p.other_names)} for n, p in found]
            self.print_json({"erased": erased, "names": told})
