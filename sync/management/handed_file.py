"""A file of this machine, or rows, that a command hands in for a run."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from sync.commandfiles import storage
from sync.management.sent_json import STANDARD_INPUT, opened_file, rows_file
from sync.models import MoodleSite, SyncRun
from sync.runs.options import find_processor
from sync.runs.services import queue_run, receive_for_run


def drop_handed(run: SyncRun) -> None:
    """Delete the content of a file that was handed in for a run which isn't there after all."""
    if run.command_file is not None:
        storage.delete(storage.key_of_path(run.site.slug, run.command_file.path))


def queue_handed(
    site: MoodleSite,
    key: str,
    name: str,
    options: Mapping[str, Any],
    *,
    simulate: bool,
    as_rows: bool,
    mapping: Mapping[str, Any] | None = None,
) -> SyncRun:
    """Ask for a run of a file of this machine, in a folder of its own: no other of its name takes its place.

    Shape: name: "-" = standard input; as_rows: it holds rows as JSON; mapping: None = the header chooses
    Raises: CommandError, CodedError
    """
    kept_as = find_processor(key).default_filename if name == STANDARD_INPUT else Path(name).name
    with ExitStack() as stack:
        if as_rows:
            content, options = rows_file(site, key, name, options)
            kept_as, mapping = f"{Path(kept_as).stem}.csv", {}
        else:
            content = stack.enter_context(opened_file(name))
        file = receive_for_run(site, content, kept_as, key, None)
    return queue_run(
        site=site, processor=key, command_file=file, options=options, simulate=simulate, origin=SyncRun.Origin.SHELL,
        in_background=False, mapping=mapping,
    )  # fmt: skip
