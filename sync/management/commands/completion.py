"""`manage.py completion SHELL`: print what makes a shell complete the commands of ToolSync and their options."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management import get_commands, load_command_class

from sync.management.command import ToolSyncCommand
from sync.management.shell_completion import SHELLS, CompletedCommand, completed_command

_OURS = "sync"


class Command(ToolSyncCommand):
    """manage.py completion bash, zsh or fish."""

    help = (
        "Print a script that makes a shell complete manage.py, its commands and their options. bash: source it in ~/.bashrc. "
        "zsh: write it to a file _manage.py in a folder of $fpath. fish: write it to ~/.config/fish/completions/manage.py.fish."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))

    def handle(self, *, shell: str, **_options: Any) -> None:
        self.stdout.write(SHELLS[shell](commands()))


def commands() -> list[CompletedCommand]:
    """Return the commands of ToolSync; those of Django are many, and an administrator needs few of them."""
    names = sorted(name for name, app in get_commands().items() if app == _OURS)
    return [completed_command(name, load_command_class(_OURS, name).create_parser("manage.py", name)) for name in names]
