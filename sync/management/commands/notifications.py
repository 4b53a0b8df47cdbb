"""List what was told last, by mail and to the webhook, and what is still to be."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from sync.management.command import EXIT_OTHER, ToolSyncCommand, site_of_slug
from sync.models import Notification

_MOST = 1000


class Command(ToolSyncCommand):
    """manage.py notifications. Exit status: 0 done."""

    help = "List what was told last, by mail and to the webhook, and what is still to be; the last first. Exit status: 0 done."

    def add_arguments(self, parser: ArgumentParser) -> None:
        self.add_site(parser)
        parser.add_argument(
            "--limit", type=int, default=20, metavar="N", help=f"how many, at most {_MOST} (default: %(default)s)"
        )
        self.add_json(parser)

    def handle(self, *, site: str, limit: int, json: bool, **_chosen: Any) -> None:
        from sync.api.webhook import NotificationSerializer

        if not 1 <= limit <= _MOST:
            raise CommandError(f"--limit is a number from 1 to {_MOST}.", returncode=EXIT_OTHER)
        found = Notification.objects.filter(site=site_of_slug(site)).order_by("-pk")[:limit]
        told = NotificationSerializer(found, many=True).data
        if json:
            self.print_json(told)
            return
        for each in told:
            state = each["sent_at"] or (each["error"] or {}).get("text", "")
            self.stdout.write(f"{each['created_at']}\t{each['channel']}\t{each['event']}\t{each['file_type']}\t{state}")
