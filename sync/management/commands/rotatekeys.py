"""`manage.py rotatekeys`: encrypt all stored secrets anew under the newest key."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError

from sync.management.command import ToolSyncCommand
from sync.runs.key_rotation import rotate_keys


class Command(ToolSyncCommand):
    help = (
        "Encrypts stored passwords and connections anew under the newest key. Set the new key and the old one among the "
        "fallbacks first; once this command has gone through, take the old one away."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        rotation = rotate_keys()
        self.stdout.write(f"{rotation.done} secrets are encrypted under the newest key.")
        if rotation.unreadable:
            raise CommandError(
                f"No key opens these: {', '.join(rotation.unreadable)}. Keep the old keys among the fallbacks, or enter these "
                "secrets again on their pages."
            )
