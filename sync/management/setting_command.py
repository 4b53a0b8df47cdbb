"""Commands that show what is set for a file type and set it from JSON, with the fields that the API takes."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from django.core.management.base import CommandError

from sync.errors import CodedError
from sync.management.command import EXIT_OTHER, ToolSyncCommand, site_of_slug
from sync.management.run_command import refusal
from sync.management.sent_json import checked, read_json
from sync.models import MoodleSite
from sync.processors.registry import KEYS

if TYPE_CHECKING:
    from sync.api.base import StrictSerializer

ALL = "all"


class Setting(NamedTuple):
    """What is set for a file type. Shape: delete: None = it can't be given up; of_all: it is set for all types together, too"""

    fields: type[StrictSerializer]
    show: Callable[[MoodleSite, str], Mapping[str, Any]]
    put: Callable[[MoodleSite, str, Mapping[str, Any]], None]
    delete: Callable[[MoodleSite, str], None] | None = None
    of_all: bool = True


class SettingCommand(ToolSyncCommand):
    """A command of one setting. Exit status: 0 done, 2 JSON that can't be read, 3 it can't be set so."""

    def setting(self) -> Setting:
        """Return the setting; what it needs is loaded now."""
        raise NotImplementedError

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", metavar="KEY", choices=(*KEYS, ALL), help=f"file type, or {ALL}: {', '.join(KEYS)}")
        self.add_site(parser)
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--put", metavar="FILE", help="set it as this JSON says; - is standard input")
        what.add_argument("--delete", action="store_true", help="give it up, so that what holds for all holds again")
        self.add_json(parser)

    def handle(self, *, key: str, site: str, put: str | None, delete: bool, json: bool, **_chosen: Any) -> None:
        owner, setting = site_of_slug(site), self.setting()
        if (key == ALL and not setting.of_all) or (delete and setting.delete is None):
            raise CommandError("It is set for each file type, and each has it.", returncode=EXIT_OTHER)
        processor = "" if key == ALL else key
        try:
            if put is not None:
                setting.put(owner, processor, checked(setting.fields, read_json(put)))
            elif delete and setting.delete is not None:
                setting.delete(owner, processor)
            told = setting.show(owner, processor)
        except CodedError as error:
            raise refusal(error) from None
        if json:
            self.print_json(told)
            return
        for name, value in told.items():
            for line in value.items() if isinstance(value, Mapping) else [("", value)]:
                self.stdout.write("\t".join((name, *(str(part) for part in line if part != ""))))
