"""`manage.py rotatekeys`: encrypt all stored secrets anew under the newest key."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from sync.management.command import ToolSyncCommand
from sync.runs.key_rotation import rotate_keys


class Command(ToolSyncCommand):
    help = (
        "Encrypts stored passwords and connections anew under the newest key. Set the new key and the old one among the "
        "fallbacks first; once this command has gone through, take the old one away. Exit status: 0 all of them, 1 some can't be "
        "decrypted."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        self.add_json(parser)

    def handle(self, *, json: bool, **_chosen: Any) -> None:
        rotation = rotate_keys()
        self.stdout.write(f"{rotation.done} secrets are encrypted under the newest key.")
        if json:
            self.print_json({"done": rotation.done, "unreadable": list(rotation.unreadable)})
        if rotation.unreadable:
            raise CommandError(
                f"No key opens these: {', '.join(rotation.unreadable)}. Keep the old keys among the fallbacks, or enter these "
                "secrets again on their pages."
            )
