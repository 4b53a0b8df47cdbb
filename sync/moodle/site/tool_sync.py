"""What the plugin tool_sync has left in a Moodle: its settings, the files of its area and its scheduled tasks. Only read."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession

COMPONENT = "tool_sync"
_AREA = "syncfiles"
# The row of a folder.
_FOLDER = "."


@dataclass(frozen=True)
class PluginFile:
    """A file of the plugin's area. Shape: path: "/users/in.csv"; contenthash: as of the file pool. Units: size: bytes"""

    path: str
    contenthash: str
    size: int


@dataclass(frozen=True)
class PluginTask:
    """A scheduled task of the plugin. Shape: name: last part of its class; crontab: five fields"""

    name: str
    crontab: str
    is_on: bool


@dataclass(frozen=True)
class PluginState:
    """All that the plugin has left. Shape: settings: name -> value as stored"""

    settings: dict[str, str]
    files: list[PluginFile]
    tasks: list[PluginTask]


def fetch_plugin_state(moodle: MoodleSession) -> PluginState:
    """Return what the plugin has left, nothing where it was never there. Queries: three"""
    return PluginState(
        dict(sorted(moodle.plugin_config(COMPONENT).items())), _fetch_files(moodle), _fetch_tasks(moodle)
    )


def _fetch_files(moodle: MoodleSession) -> list[PluginFile]:
    if not moodle.database.has_table("files"):
        return []
    files = moodle.table("files")
    statement = sa.select(files.c.filepath, files.c.filename, files.c.contenthash, files.c.filesize).where(
        files.c.component == COMPONENT, files.c.filearea == _AREA, files.c.filename != _FOLDER
    )
    found = [PluginFile(f"{folder}{name}", key, int(size)) for folder, name, key, size in moodle.fetch(statement)]
    return sorted(found, key=lambda file: file.path)


def _fetch_tasks(moodle: MoodleSession) -> list[PluginTask]:
    if not moodle.database.has_table("task_scheduled"):
        return []
    task = moodle.table("task_scheduled")
    statement = sa.select(
        task.c.classname, task.c.minute, task.c.hour, task.c.day, task.c.month, task.c.dayofweek, task.c.disabled
    ).where(task.c.component == COMPONENT)
    found = [
        PluginTask(classname.rpartition("\\")[2], " ".join(fields), not disabled)
        for classname, *fields, disabled in moodle.fetch(statement)
    ]
    return sorted(found, key=lambda each: each.name)
