"""A ToolSync with its own database and storage, joined to a Moodle of the tests."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import time_machine

from sync.commandfiles import storage
from sync.commandfiles.intake import find_file, receive_file
from sync.models import CommandFile, MoodleSite as OurSite, RunFile, SyncRun
from sync.processors.registry import REGISTRY
from sync.runs import services
from sync.runs.options import run_limits
from sync.runs.rights import OPERATOR
from sync.schedules.arming import arm_file
from tests.moodle_sites import MoodleSite


@dataclass
class Installation:
    """ToolSync with one Moodle. Shape: folder: where its storage lies; moodle: the Moodle that it feeds."""

    site: OurSite
    moodle: MoodleSite
    folder: Path

    def put(self, path: str, content: str | bytes, *, armed: bool = True) -> CommandFile:
        """Put a file into the area, in place of one that is there. Shape: armed: as the operator's, for every file type"""
        folder, _slash, name = path.rpartition("/")
        data = content.encode() if isinstance(content, str) else content
        file = receive_file(
            self.site, io.BytesIO(data), name, folder + "/", None, file_types=services.FILE_TYPES,
            max_megabytes=run_limits().max_upload_megabytes,
        )  # fmt: skip
        for processor in REGISTRY if armed else ():
            arm_file(file, processor, OPERATOR)
        return file

    def queue(self, path: str, content: str | bytes | None = None, **more: Any) -> SyncRun:
        """Ask for a run; values that aren't arguments of the service are options."""
        file = find_file(self.site, path) if content is None else self.put(path, content)
        assert file is not None
        named = {name: more.pop(name) for name in ("simulate", "user", "in_background") if name in more}
        processor = more.pop("processor", "users")
        return services.queue_run(site=self.site, processor=processor, command_file=file, options=more, **named)

    def carry_out(self, path: str, content: str | bytes | None = None, **more: Any) -> SyncRun:
        return services.execute_run(self.queue(path, content, **more).pk)

    def read(self, path: str) -> bytes:
        """Return the bytes of a file of the area."""
        with storage.opened(storage.key_of_path(self.site.slug, path)) as file:
            return file.read()

    def exists(self, path: str) -> bool:
        return storage.exists(storage.key_of_path(self.site.slug, path))

    def own_file(self, run: SyncRun, kind: str) -> str:
        with storage.opened(RunFile.objects.get(run=run, kind=kind).storage_key) as file:
            return io.TextIOWrapper(file, encoding="utf-8", newline="").read()

    def area(self) -> set[str]:
        """Return the paths of everything that lies in the file area, as people see them."""
        root = self.folder / self.site.slug
        found = {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()}
        return {"/" + name.removeprefix("inbox/") for name in found if not name.startswith(("runs/", "audit/"))}


@contextmanager
def at(moment: str) -> Iterator[None]:
    """Stop the clock at a moment of site time."""
    with time_machine.travel(datetime.fromisoformat(moment + "+00:00"), tick=False):
        yield
