"""Moodle's own command line, where the operator has set one: the scripts of admin/cli.

It is a list of arguments that ends with the folder of the scripts; nothing of it ever goes through a shell.
"""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from tempfile import TemporaryFile
from typing import IO, NamedTuple

from sync.errors import MoodleCommandFailed

# So much of what a script has said is looked at, and so much of its last line is told.
_TAIL_BYTES = 4096
_LINE_LENGTH = 200
# php itself, and what may stand before it to reach the Moodle: docker, ssh, sudo.
_PASSED_ON = frozenset(
    [
        "PATH",
        "HOME",
        "USER",
        "LOGNAME",
        "LANG",
        "LANGUAGE",
        "TZ",
        "TMPDIR",
        "DOCKER_HOST",
        "DOCKER_CONTEXT",
        "DOCKER_CONFIG",
        "SSH_AUTH_SOCK",
    ]
)


class MoodleCommand(NamedTuple):
    """How to start a script of Moodle. Shape: arguments: ("php", "/var/www/moodle/admin/cli"); seconds: what it may take."""

    arguments: tuple[str, ...]
    seconds: float

    def run(self, script: str, *options: str) -> str:
        """Run a script and wait for its end; give the last line of what it said.

        Shape: script: "purge_caches.php"
        Raises: MoodleCommandFailed if it can't be started, takes too long, or ends with another status than 0
        """
        *program, folder = self.arguments
        command = [*program, f"{folder.rstrip('/')}/{script}", *options]
        with TemporaryFile() as output:
            try:
                # A process group of its own: what the script starts ends with it.
                process = subprocess.Popen(  # noqa: S603 (the operator's own command, from the environment)
                    command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True,
                    env=_environment(),
                )  # fmt: skip
            except (OSError, ValueError) as error:
                reason = getattr(error, "strerror", None) or type(error).__name__
                raise MoodleCommandFailed("moodle_command_not_started", program=command[0], reason=reason) from error
            try:
                status = process.wait(self.seconds)
            except subprocess.TimeoutExpired:
                raise MoodleCommandFailed(
                    "moodle_command_too_slow", script=script, seconds=round(self.seconds)
                ) from None
            finally:
                _end(process)
            said = _last_line(output)
            if status:
                raise MoodleCommandFailed("moodle_command_failed", script=script, status=status, said=said or "-")
            return said


def _environment() -> dict[str, str]:
    """Return what programs need to find each other, their files and their language; ours holds passwords besides."""
    return {name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith("LC_")}


def _end(process: subprocess.Popen[bytes]) -> None:
    """End what is still alive of a script's processes."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _last_line(output: IO[bytes]) -> str:
    size = output.seek(0, 2)
    output.seek(max(0, size - _TAIL_BYTES))
    lines = output.read().decode(errors="replace").split("\n")
    said = [line for line in (" ".join(line.split()) for line in lines) if line]
    return said[-1][:_LINE_LENGTH] if said else ""
