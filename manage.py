#!/usr/bin/env python
"""Run a management command of ToolSync."""

from __future__ import annotations

import gc
import os
import sys

# Nothing of what is loaded at the start is garbage: looking for some takes a tenth of the time. `sync.apps` switches it on again.
gc.disable()

from django.core.exceptions import ImproperlyConfigured  # noqa: E402
from django.core.management import execute_from_command_line  # noqa: E402
from django.db.utils import OperationalError, ProgrammingError  # noqa: E402


def main() -> None:
    """Run the command; what a person has to mend outside of the program is a sentence, with --traceback everything."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "toolsync_site.settings")
    try:
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, OperationalError, ProgrammingError) as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(f"{sys.argv[0]}: {_sentence(error)} (--traceback shows where)")


def _sentence(error: Exception) -> str:
    if isinstance(error, ImproperlyConfigured):
        return str(error)
    first_line = str(error).partition("\n")[0]
    return f"ToolSync's own database can't be used: {first_line}. Is it new, or older than the code? manage.py migrate"


if __name__ == "__main__":
    main()
