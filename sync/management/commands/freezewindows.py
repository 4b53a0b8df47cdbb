"""Freeze windows, periods during which nothing starts by itself: list them, make one, delete one."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from sync.errors import CodedError
from sync.management.command import EXIT_OTHER, ToolSyncCommand, site_of_slug
from sync.management.run_command import refusal
from sync.management.sent_json import checked, read_json
from sync.models import FreezeWindow
from sync.runs.rights import OPERATOR


class Command(ToolSyncCommand):
    """manage.py freezewindows. Exit status: 0 done, 2 JSON that can't be read, 3 it can't be so."""

    help = (
        "List the periods, not yet over, during which nothing starts by itself; make one as JSON says, with the fields that the "
        "API takes; delete one. Exit status: 0 done, 2 the JSON can't be read, 3 it can't be so."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        self.add_site(parser)
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--make", metavar="FILE", help="a further period, as this JSON says; - is standard input")
        what.add_argument("--delete", type=int, metavar="NUMBER", help="let things start by themselves again")
        self.add_json(parser)

    def handle(self, *, site: str, make: str | None, delete: int | None, json: bool, **_chosen: Any) -> None:
        from sync.api.freeze_windows import FreezeWindowSerializer, NewFreezeWindowSerializer, freeze
        from sync.schedules.services import delete_freeze_window, open_windows

        owner = site_of_slug(site)
        try:
            if make is not None:
                freeze(owner, checked(NewFreezeWindowSerializer, read_json(make)), OPERATOR)
        except CodedError as error:
            raise refusal(error) from None
        if delete is not None:
            window = FreezeWindow.objects.filter(site=owner, pk=min(delete, 2**63 - 1)).first()
            if window is None:
                raise CommandError(f"There is no freeze window {delete}.", returncode=EXIT_OTHER)
            delete_freeze_window(window, by=OPERATOR)
        windows = open_windows(owner)
        if json:
            self.print_json(FreezeWindowSerializer(windows, many=True).data)
            return
        for window in windows:
            self.stdout.write(
                f"{window.pk}\t{window.starts_at.isoformat()}\t{window.ends_at.isoformat()}\t{window.reason}"
            )
