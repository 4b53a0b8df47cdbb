"""Upload of command files: a file arrives, is kept, found again and put away."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from itertools import count
from typing import IO, Any, BinaryIO, NamedTuple, cast

from django.db import transaction
from django.utils import timezone

from sync.commandfiles import storage
from sync.commandfiles.naming import clean_folder, clean_name, discarded_name, split_path
from sync.commandfiles.readings import BACKUP_SUFFIX, ask_for_reading, drop_readings, is_workbook, kept_sheets
from sync.errors import CommandFileError
from sync.models import Bundle, BundleUpload, CommandFile, MoodleSite, RunFile, SyncRun
from sync.models.run import UNFINISHED_STATES
from sync.reader import ReadSheet, open_rows
from sync.reader.picture_rows import PICTURE_NAMES
from sync.reader.picture_zip import holds_pictures
from sync.whole_files import digest_of

MEGABYTE = 1_000_000
# Files that were handed in for a run, each in a folder of its own.
UPLOADS = "/uploads/"
# Filled by ToolSync itself, from a browser nothing is put there.
OWN_FOLDERS = (UPLOADS, "/fetched/", "/shell/")


class FileTypes(NamedTuple):
    """What tells the type of a file by its header.

    Shape: knows: whether a lower-case name is a column of any type; guess: lower-case names and
    file name -> key of a processor, or ""
    """

    knows: Callable[[str], bool]
    guess: Callable[[Sequence[str], str], str]


def receive_file(
    site: MoodleSite,
    content: IO[bytes],
    name: str,
    folder: str,
    user: Any,
    *,
    file_types: FileTypes,
    replace: bool = True,
    max_megabytes: int = 0,
    leaves_workbooks: bool = False,
) -> CommandFile:
    """Keep a file in the area, in place of the one of the same path. Streams: its size doesn't matter.

    Shape: user: who brings it, None for the shell; max_megabytes: 0 = as large as it likes; leaves_workbooks: a worker
    finds out the type of one
    Raises: CommandFileError if its name can't be, it is too large, or a run that isn't over reads the one it replaces
    """
    name, folder = clean_name(name), clean_folder(folder)
    stream = cast(BinaryIO, content)
    sha256, size = _measured(stream, name, max_megabytes)
    known = CommandFile.objects.filter(site=site, folder=folder, name=name).first()
    if known is not None:
        if not replace:
            raise CommandFileError("file_exists", path=known.path)
        if known.sha256 != sha256:
            refuse_if_in_use(known)
    is_left = leaves_workbooks and is_workbook(stream, name)
    processor = "" if is_left else guess_type(stream, name, file_types)
    kept = keep_file(site, stream, folder + name, sha256=sha256, size=size, processor=processor, user=user)
    if is_left:
        ask_for_reading(kept, again=True)
    return kept


def keep_for_run(
    site: MoodleSite, content: IO[bytes], name: str, processor: str, user: Any, *, max_megabytes: int = 0
) -> CommandFile:
    """Keep a file that was handed in, or made, for runs of one type, in a folder that no other file is in.

    Shape: max_megabytes: 0 = as large as it likes
    Raises: CommandFileError if its name can't be, or it is too large
    """
    name, stream = clean_name(name), cast(BinaryIO, content)
    sha256, size = _measured(stream, name, max_megabytes)
    path = f"{UPLOADS}{timezone.localdate()}/{secrets.token_hex(4)}/{name}"
    return keep_file(site, stream, path, sha256=sha256, size=size, processor=processor, user=user)


def refuse_own_folder(folder: str) -> None:
    """Raises: CommandFileError if a folder is one of those that ToolSync fills by itself"""
    cleaned = clean_folder(folder)
    if cleaned.casefold().startswith(OWN_FOLDERS):
        raise CommandFileError("folder_reserved", folder=cleaned)


def _measured(stream: BinaryIO, name: str, max_megabytes: int) -> tuple[str, int]:
    """Return SHA-256 and size of a stream. Raises: CommandFileError if it is too large"""
    sha256, size = digest_of(stream)
    if max_megabytes and size > max_megabytes * MEGABYTE:
        raise CommandFileError("file_too_large", name=name, size=-(-size // MEGABYTE), limit=max_megabytes)
    return sha256, size


def keep_file(
    site: MoodleSite, stream: BinaryIO, path: str, *, sha256: str, size: int, processor: str, user: Any
) -> CommandFile:
    """Store a command file whose name, digest and type are known."""
    folder, name = split_path(path)
    key = storage.key_of_path(site.slug, path)
    replaced = CommandFile.objects.filter(site=site, folder=folder, name=name).first()
    if replaced is not None and (old_key := storage.key_of_path(site.slug, replaced.path)) != key:
        # A database that doesn't tell "In.csv" from "in.csv" takes them for one file; a storage may not.
        storage.delete(old_key)
    storage.save(key, stream)
    values = {
        "folder": folder,
        "name": name,
        "size": size,
        "sha256": sha256,
        "processor": processor,
        "uploaded_by": user,
        "uploaded_at": timezone.now(),
    }
    with transaction.atomic():
        if replaced is not None and replaced.sha256 != sha256:
            drop_readings(replaced)
        # What an earlier run left under this name is gone: its page must not offer another file.
        RunFile.objects.filter(storage_key=key).delete()
        return CommandFile.objects.update_or_create(site=site, folder=folder, name=name, defaults=values)[0]


def delete_file(file: CommandFile, *, for_run: SyncRun | None = None) -> None:
    """Delete a command file.

    Shape: for_run: the run that cleans up after itself
    Raises: CommandFileError if another run that isn't over reads it
    """
    refuse_if_in_use(file, except_run=for_run)
    key = storage.key_of_path(file.site.slug, file.path)
    storage.delete(key)
    with transaction.atomic():
        RunFile.objects.filter(storage_key=key).delete()
        drop_readings(file)
        file.delete()


def quarantine_file(file: CommandFile, *, for_run: SyncRun | None = None) -> CommandFile:
    """Rename a file that could not be used, to a name that no other file has; gives the file under its new name.

    Raises: CommandFileError if another run that isn't over reads it
    """
    refuse_if_in_use(file, except_run=for_run)
    others = CommandFile.objects.filter(site=file.site, folder=file.folder).exclude(sha256=file.sha256)
    names = (discarded_name(file.name, number) for number in count(1))
    name = next(name for name in names if not others.filter(name=name).exists())
    with storage.opened(storage.key_of_path(file.site.slug, file.path)) as stream:
        kept = keep_file(
            file.site, stream, file.folder + name,
            sha256=file.sha256, size=file.size, processor=file.processor, user=file.uploaded_by,
        )  # fmt: skip
    delete_file(file, for_run=for_run)
    return kept


def delete_run_file(file: RunFile) -> None:
    """Delete a report or an archive from the file area."""
    storage.delete(file.storage_key)
    file.delete()


def find_file(site: MoodleSite, path_or_name: str) -> CommandFile | None:
    """Return the file of a path ("/users/in.csv", "users/in.csv", "in.csv"); None when there is none."""
    folder, name = split_path(path_or_name)
    return CommandFile.objects.filter(site=site, folder=folder, name=name).first()


def refuse_if_in_use(file: CommandFile, *, except_run: SyncRun | None = None) -> None:
    """Hold a file while runs that aren't over still have to read it, or a bundle waits for its workbooks.

    Raises: CommandFileError naming the run or the bundle
    """
    waiting = BundleUpload.objects.filter(file=file, bundle__state=Bundle.State.READING)
    bundle_id = waiting.values_list("bundle_id", flat=True).first()
    if bundle_id is not None:
        raise CommandFileError("file_in_bundle", path=file.path, bundle=bundle_id)
    runs = SyncRun.objects.filter(command_file=file, state__in=UNFINISHED_STATES)
    if except_run is not None:
        runs = runs.exclude(pk=except_run.pk)
    run_id = runs.values_list("pk", flat=True).first()
    if run_id is not None:
        raise CommandFileError("file_in_use", path=file.path, run=run_id)


def note_type(file: CommandFile, file_types: FileTypes) -> None:
    """Say of a workbook in the area, now that it has been read, of which type it is; an upload is told by its person."""
    if file.processor or file.folder.startswith(OWN_FOLDERS):
        return
    try:
        processor = type_of_kept(file, file_types)
    except CommandFileError:
        return
    CommandFile.objects.filter(pk=file.pk, sha256=file.sha256, processor="").update(processor=processor)


def type_of_kept(file: CommandFile, file_types: FileTypes) -> str:
    """Return the type that the header of a workbook speaks for, from what workers have read; "" = of none.

    Raises: WorkbookUnread; CommandFileError if it can't be read; FileNotFoundError
    """
    with storage.opened(storage.key_of_path(file.site.slug, file.path)) as stream:
        return _type_of(stream, file.name, file_types, kept_sheets(file))


def guess_type(stream: BinaryIO, name: str, file_types: FileTypes) -> str:
    """Return the type that the header speaks for; a file that can't be read has none, and its run will say why."""
    if name.lower().endswith(BACKUP_SUFFIX):
        return ""
    if holds_pictures(stream):
        return file_types.guess(PICTURE_NAMES, name)
    try:
        return _type_of(stream, name, file_types)
    except CommandFileError:
        return ""


def _type_of(stream: BinaryIO, name: str, file_types: FileTypes, sheets: ReadSheet | None = None) -> str:
    """Raises: CommandFileError"""
    with open_rows(stream, name, known_name=file_types.knows, sheets=sheets) as reader:
        return file_types.guess(reader.header.names, name)
