"""Limits of one category with all below it, or of cohorts whose idnumbers begin alike: list them, set them, give them up."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from sync.errors import CodedError
from sync.management.command import EXIT_OTHER, ToolSyncCommand, site_of_slug
from sync.management.run_command import refusal
from sync.management.sent_json import checked, read_json
from sync.management.setting_command import ALL
from sync.models import MoodleSite, ScopeLimits
from sync.processors.registry import KEYS
from sync.runs.rights import OPERATOR


class Command(ToolSyncCommand):
    """manage.py scopelimits KEY. Exit status: 0 done, 2 JSON that can't be read, 3 they can't be set so."""

    help = (
        "List the limits of categories and cohorts for a file type, or for all that have none of their own; set them as JSON "
        "says, with the fields that the API takes. Exit status: 0 done, 2 the JSON can't be read, 3 they can't be set so."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", metavar="KEY", choices=(*KEYS, ALL), help=f"file type, or {ALL}: {', '.join(KEYS)}")
        self.add_site(parser)
        what = parser.add_mutually_exclusive_group()
        what.add_argument(
            "--make", metavar="FILE", help="limits of a further scope, as this JSON says; - is standard input"
        )
        what.add_argument("--change", nargs=2, metavar=("NUMBER", "FILE"), help="set those with this number anew")
        what.add_argument("--delete", type=int, metavar="NUMBER", help="give those with this number up")
        self.add_json(parser)

    def handle(self, *, key: str, site: str, json: bool, **chosen: Any) -> None:
        from sync.api.scope_limits import NewScopeSerializer, ScopeChoiceSerializer, set_limits_of_scope, told_scope
        from sync.runs.scope_limits import delete_scope, stored_scopes

        owner, processor = site_of_slug(site), "" if key == ALL else key
        try:
            if chosen["make"] is not None:
                sent = checked(NewScopeSerializer, read_json(chosen["make"]))
                stored = ScopeLimits(site=owner, processor=processor, kind=sent["kind"])
                told = [set_limits_of_scope(stored, sent, OPERATOR)]
            elif chosen["change"] is not None:
                number, name = chosen["change"]
                stored = _stored(owner, processor, number)
                told = [set_limits_of_scope(stored, checked(ScopeChoiceSerializer, read_json(name)), OPERATOR)]
            else:
                if chosen["delete"] is not None:
                    delete_scope(_stored(owner, processor, str(chosen["delete"])), OPERATOR)
                told = [told_scope(each) for each in stored_scopes(owner, processor)]
        except CodedError as error:
            raise refusal(error) from None
        if json:
            self.print_json(told)
            return
        for scope in told:
            self.stdout.write(f"{scope['id']}\t{scope['kind']}\t{scope['name']}")
            for kind, limit in scope["limits"].items():
                if limit["percent"] is not None or limit["number"] is not None:
                    self.stdout.write(f"\t{kind}\t{limit['percent']}\t{limit['number']}")


def _stored(site: MoodleSite, processor: str, number: str) -> ScopeLimits:
    """Return the limits with a number. Raises: CommandError"""
    from sync.runs.scope_limits import stored_scopes

    is_number = number.isascii() and number.isdecimal() and len(number) < 19
    found = stored_scopes(site, processor).filter(pk=int(number)).first() if is_number else None
    if found is None:
        raise CommandError(f"There are no limits of a scope with the number {number}.", returncode=EXIT_OTHER)
    return found
