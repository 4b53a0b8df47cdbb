"""The files of the plugin's area, out of Moodle's file pool into the file area of ToolSync."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sync.commandfiles.intake import receive_file
from sync.commandfiles.naming import clean_folder, clean_name, split_path
from sync.commandfiles.storage import RESERVED_FOLDERS
from sync.errors import CommandFileError, SourceError
from sync.models import CommandFile, MoodleSite
from sync.moodle.files.file_pool import FilePool
from sync.moodle.site.tool_sync import PluginFile
from sync.runs.services import FILE_TYPES
from sync.takeover.findings import Fate, Part, TakenItem
from sync.whole_files import digest_of

# Reports and archives of the plugin are files like others here: the folders of their names are filled by runs only.
_MOVED_TO = "/tool_sync"


class FileChange(NamedTuple):
    """A file that is to be brought. Shape: folder, name: as they are here"""

    file: PluginFile
    folder: str
    name: str


def file_items(
    site: MoodleSite, files: Sequence[PluginFile], pool: FilePool | None
) -> tuple[list[TakenItem], list[FileChange]]:
    """Return what becomes of the files, and those to be brought; none that is here is replaced. Queries: one"""
    known = {file.path: file for file in CommandFile.objects.filter(site=site)} if files else {}
    items: list[TakenItem] = []
    changes: list[FileChange] = []
    for file in files:
        try:
            folder, name = _place_of(file.path)
        except CommandFileError as error:
            items.append(TakenItem(Part.FILE, Fate.LEFT, file.path, "", "", error.code, error.params))
            continue
        item = _item(file, f"{folder}{name}", known.get(f"{folder}{name}"), pool)
        items.append(item)
        if item.fate is Fate.SET:
            changes.append(FileChange(file, folder, name))
    return items, changes


def keep_files(site: MoodleSite, changes: Sequence[FileChange], pool: FilePool | None) -> int:
    """Bring files; return how many. One that came here meanwhile stays. Raises: CommandFileError, SourceError"""
    if pool is None:
        return 0
    brought = 0
    for change in changes:
        try:
            with pool.open(change.file.contenthash) as content:
                receive_file(site, content, change.name, change.folder, None, file_types=FILE_TYPES, replace=False)
        except FileNotFoundError:
            raise SourceError("takeover_file_gone", path=change.file.path) from None
        brought += 1
    return brought


def _item(file: PluginFile, path: str, known: CommandFile | None, pool: FilePool | None) -> TakenItem:
    if pool is None:
        return TakenItem(Part.FILE, Fate.LEFT, file.path, path, "", "takeover_no_data_folder")
    if known is not None:
        is_same = known.size == file.size and _digest(file, pool) == known.sha256
        return TakenItem(
            Part.FILE, Fate.SAME if is_same else Fate.KEPT, file.path, path, "", "" if is_same else "takeover_file_here"
        )
    if not pool.exists(file.contenthash):
        return TakenItem(Part.FILE, Fate.LEFT, file.path, path, "", "takeover_file_lost")
    return TakenItem(Part.FILE, Fate.SET, file.path, path, str(file.size))


def _digest(file: PluginFile, pool: FilePool) -> str:
    try:
        with pool.open(file.contenthash) as content:
            return digest_of(content)[0]
    except FileNotFoundError:
        return ""


def _place_of(path: str) -> tuple[str, str]:
    """Return folder and name of a file here. Raises: CommandFileError if it can't have this name"""
    folder, name = split_path(path)
    if folder.lower().startswith(RESERVED_FOLDERS):
        folder = _MOVED_TO + folder
    return clean_folder(folder), clean_name(name)
