"""The program that is told about the runs of a site: show it, set it, try it, give it up."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from sync.errors import CodedError
from sync.management.command import EXIT_OTHER, ToolSyncCommand, site_of_slug
from sync.management.run_command import refusal
from sync.management.sent_json import checked, read_json
from sync.runs.rights import OPERATOR


class Command(ToolSyncCommand):
    """manage.py webhook. Exit status: 0 done, 2 JSON that can't be read, 3 there is none, or it can't be so."""

    help = (
        "Show which server is told about runs, and of what; set it as JSON says, with the fields that the API takes (address and "
        "key are never shown; with make_key a new key is, once); send it a test message; give it up. Exit status: 0 done, 2 the "
        "JSON can't be read, 3 there is none, it can't be set so, or it doesn't answer."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        self.add_site(parser)
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--put", metavar="FILE", help="set it as this JSON says; - is standard input")
        what.add_argument("--test", action="store_true", help="send a message that only tries whether it arrives")
        what.add_argument("--delete", action="store_true", help="tell no program any more")
        self.add_json(parser)

    def handle(self, *, site: str, put: str | None, test: bool, delete: bool, json: bool, **_chosen: Any) -> None:
        from sync.api.webhook import WebhookChoiceSerializer, set_webhook, told_webhook
        from sync.notifications.trial import send_test_webhook
        from sync.notifications.webhooks import delete_webhook, webhook_of

        owner = site_of_slug(site)
        stored = webhook_of(owner)
        try:
            if put is not None:
                told = set_webhook(owner, checked(WebhookChoiceSerializer, read_json(put)), OPERATOR)
            elif stored is not None:
                told = told_webhook(stored)
            else:
                raise CommandError("This site has no webhook.", returncode=EXIT_OTHER)
            if test:
                send_test_webhook(owner)
            if delete:
                delete_webhook(owner, by=OPERATOR)
        except CodedError as error:
            raise refusal(error) from None
        if json:
            self.print_json(told)
            return
        self.stdout.write("\t".join((told["host"], ", ".join(told["events"]), told["key"] or "")).rstrip())
