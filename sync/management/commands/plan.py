"""Plan a command file from the shell: everything is worked out and kept, and nothing is written in Moodle."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from sync.errors import CodedError
from sync.management.command import EXIT_REFUSED, site_of_slug
from sync.management.run_command import EXIT_HELP, RunCommand, options_of, refusal
from sync.models import SyncRun
from sync.processors.registry import KEYS
from sync.runs import services


class Command(RunCommand):
    """manage.py plan KEY FILE; `manage.py apply` carries it out."""

    help = (
        "Work out what a command file would do, say it, and keep it as a plan. Nothing is written in Moodle before "
        f"manage.py apply carries out exactly this plan. {EXIT_HELP}"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", metavar="KEY", help=f"file type: {', '.join(KEYS)}")
        parser.add_argument("file", metavar="FILE", help="a file of this machine")
        self.add_site(parser)
        self.add_options(parser)
        self.add_json(parser)

    def handle(self, *, key: str, file: str, site: str, option: list[str], json: bool, **_chosen: Any) -> None:
        path = Path(file)
        try:
            owner = site_of_slug(site)
            # In a folder of its own: another file of this name must not take the place of the one that was planned.
            with path.open("rb") as content:
                command_file = services.receive_for_run(owner, content, path.name, key, None)
            run = services.queue_run(
                site=owner, processor=key, command_file=command_file, options=options_of(option), simulate=True,
                origin=SyncRun.Origin.SHELL, in_background=False,
            )  # fmt: skip
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}", returncode=EXIT_REFUSED) from None
        except CodedError as error:
            raise refusal(error) from None
        self.carry_out_and_tell(run, as_json=json)
