#!/usr/bin/env python
"""Run a management command of ToolSync."""

from __future__ import annotations

import gc
import os
import sys

# Nothing of what is loaded at the start is garbage: looking for some takes a tenth of the time. `sync.apps` switches it on again.
gc.disable()

from django.core.management import execute_from_command_line  # noqa: E402

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "toolsync_site.settings")
    execute_from_command_line(sys.argv)
