"""Carry out a command file from the shell, in the foreground, through the same services as the browser."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from sync.commandfiles.intake import find_file
from sync.errors import CodedError, CommandFileError
from sync.management.command import EXIT_REFUSED, site_of_slug
from sync.management.handed_file import queue_handed
from sync.management.run_command import RunCommand, options_of, refusal
from sync.management.run_result import EXIT_HELP
from sync.management.sent_json import STANDARD_INPUT
from sync.models import CommandFile, MoodleSite, SyncRun
from sync.processors.registry import KEYS
from sync.runs import services

SHELL_FOLDER = "/shell/"
AREA = "area:"


class Command(RunCommand):
    """manage.py runsync KEY FILE."""

    help = f"Carry out a command file. {EXIT_HELP}"

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", metavar="KEY", help=f"file type: {', '.join(KEYS)}")
        parser.add_argument(
            "file",
            metavar="FILE",
            help="a file of this machine, or area:/users/in.csv for one already kept; - is standard input",
        )
        self.add_rows(parser)
        self.add_site(parser)
        parser.add_argument(
            "--simulate", action="store_true", help="dry run: say what would be done, and write nothing"
        )
        self.add_options(parser)
        self.add_json(parser)

    def handle(self, *, key: str, file: str, site: str, option: list[str], **chosen: Any) -> None:
        simulate = chosen["simulate"]
        try:
            owner = site_of_slug(site)
            if chosen["rows"] or file == STANDARD_INPUT:
                run = queue_handed(owner, key, file, options_of(option), simulate=simulate, as_rows=chosen["rows"])
                self.run_and_report(run, as_json=chosen["json"])
                return
            command_file = _area_file(owner, file) if file.startswith(AREA) else _local_file(owner, file, key)
            run = services.queue_run(
                site=owner, processor=key, command_file=command_file, options=options_of(option),
                simulate=simulate, origin=SyncRun.Origin.SHELL, in_background=False,
            )  # fmt: skip
        except CodedError as error:
            raise refusal(error) from None
        self.run_and_report(run, as_json=chosen["json"])


def _area_file(site: MoodleSite, name: str) -> CommandFile:
    path = name.removeprefix(AREA)
    file = find_file(site, path)
    if file is None:
        raise CommandFileError("file_not_found", path=path)
    return file


def _local_file(site: MoodleSite, name: str, key: str) -> CommandFile:
    try:
        return services.receive_path(site=site, path=Path(name), folder=SHELL_FOLDER, processor=key)
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}", returncode=EXIT_REFUSED) from None
