"""Zips of command files that come by themselves: each file in them waits for the turn of its type in a schedule.

A schedule that plans the files of a sequence together takes them all as one bundle. What isn't a command file that is known,
or of a type that isn't in the sequence, is put aside and said.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import BinaryIO, NamedTuple

from django.db.models import Exists, OuterRef

from sync.commandfiles import storage
from sync.commandfiles.bundle_zip import HandedFile, is_bundle, unpacked
from sync.commandfiles.intake import delete_file, guess_type, quarantine_file, receive_file, refuse_if_in_use
from sync.commandfiles.naming import clean_name
from sync.errors import CommandFileError
from sync.models import CommandFile, MoodleSite, SyncRun
from sync.people.roles import run_permission
from sync.runs.options import run_limits
from sync.runs.rights import Responsible, armed_by_of
from sync.runs.services import FILE_TYPES
from sync.schedules.arming import arm_dropped_file, arm_file, armings_of
from sync.values import Note

ZIP_BROKEN, ZIP_UNKNOWN, ZIP_NOT_SCHEDULED = "zip_put_aside", "zip_file_unknown", "zip_file_not_scheduled"
# What an operator has to change before the same zip can be taken.
NOT_ITS_FAULT = frozenset({"zip_turn_over", "zip_without_right", "file_in_use", "file_in_bundle"})
_SUFFIX = ".zip"


class Turns(NamedTuple):
    """The file types of a sequence whose files are planned together. Shape: over: those that had their turn; left: all others"""

    over: Collection[str]
    left: Collection[str]


class _FoundFile(NamedTuple):
    handed: HandedFile
    processor: str


def is_zip_of_files(name: str, content: BinaryIO) -> bool:
    """Tell whether this is a zip of command files, not of pictures. Raises: CommandFileError if it can't be read"""
    return name.lower().endswith(_SUFFIX) and is_bundle(content)


def unpack_dropped(site: MoodleSite, name: str, content: BinaryIO) -> list[Note]:
    """Put the files of a zip from the drop folder into the file area, as if each had lain there; return what there is to say.

    Raises: CommandFileError if the zip can't be used; nothing of it is kept then
    """
    notes: list[Note] = []
    with unpacked(content, run_limits().max_upload_megabytes) as handed:
        found = _with_types(handed)
        _refuse_in_use(site, "/", found)
        received = [(file, _receive(site, file, "/")) for file in found]
        # Not before all of them are there: whatever is armed may begin.
        for file, kept in received:
            if file.processor:
                notes += arm_dropped_file(kept)
            else:
                notes.append(_put_aside(kept, name, ZIP_UNKNOWN))
    return notes


def unpack_zips(
    site: MoodleSite, processor: str, files: Sequence[CommandFile], turns: Turns, notes: list[Note]
) -> list[CommandFile]:
    """Return the files for the turn of a file type: of zips what is in them for it, with what earlier turns have left for it.

    Raises: CommandFileError if a zip can't be used; nothing of it is kept then but the zip, put aside
    """
    chosen = [file for file in files if not _unpack(file, processor, turns, notes)]
    known = {file.pk for file in chosen}
    return [*chosen, *(file for file in waiting_files(site, processor) if file.pk not in known)]


def waiting_files(site: MoodleSite, processor: str) -> list[CommandFile]:
    """Return the files that were brought for a file type, and of which no run was asked for since. Queries: two"""
    asked_for = SyncRun.objects.filter(command_file=OuterRef("pk"), created_at__gte=OuterRef("uploaded_at"))
    fetched = CommandFile.objects.filter(site=site, folder=folder_of(processor), uploaded_by=None)
    unasked = list(fetched.filter(~Exists(asked_for)).order_by("uploaded_at", "name"))
    armed = armings_of(unasked, processor)
    return [file for file in unasked if file.pk in armed]


def folder_of(processor: str) -> str:
    """Return the folder of the files that are brought for a file type."""
    return f"/fetched/{processor}/"


def _unpack(file: CommandFile, processor: str, turns: Turns, notes: list[Note]) -> bool:
    """Put the files of a zip where they wait for their turns, and delete it. Returns False where it isn't a zip of files."""
    if file.processor or not file.name.lower().endswith(_SUFFIX):
        return False
    try:
        with storage.opened(storage.key_of_path(file.site.slug, file.path)) as content:
            if not is_zip_of_files(file.name, content):
                return False
            with unpacked(content, run_limits().max_upload_megabytes) as handed:
                _keep_all(file, _with_types(handed), processor, turns, notes)
    except CommandFileError as error:
        if error.code not in NOT_ITS_FAULT:
            notes.append(Note(ZIP_BROKEN, {"name": file.path, "aside": quarantine_file(file).path}))
        raise
    # Last of all: whoever follows a process that died begins with the zip again.
    delete_file(file)
    return True


def _keep_all(
    zipped: CommandFile, found: Sequence[_FoundFile], processor: str, turns: Turns, notes: list[Note]
) -> None:
    """Raises: CommandFileError where a file comes too late, or whoever lets the zip be taken may not run its type"""
    if late := [file.handed.name for file in found if file.processor in turns.over]:
        raise CommandFileError("zip_turn_over", name=zipped.path, files=", ".join(late))
    person = armed_by_of(armings_of([zipped], processor)[zipped.pk])
    wanted = [file for file in found if file.processor in turns.left]
    _check_rights(person, zipped, wanted)
    for key in {file.processor for file in wanted}:
        _refuse_in_use(zipped.site, folder_of(key), [file for file in wanted if file.processor == key])
    received = [
        (file, _receive(zipped.site, file, folder_of(file.processor if file in wanted else processor)))
        for file in found
    ]
    for file, kept in received:
        if file in wanted:
            arm_file(kept, file.processor, person)
        else:
            notes.append(_put_aside(kept, zipped.path, ZIP_NOT_SCHEDULED if file.processor else ZIP_UNKNOWN))


def _with_types(handed: Sequence[HandedFile]) -> list[_FoundFile]:
    """Raises: CommandFileError where a name can't be, or files that stand in different folders of the zip have one name"""
    names = [clean_name(file.name).casefold() for file in handed]
    if twice := sorted({file.name for file in handed if names.count(clean_name(file.name).casefold()) > 1}):
        raise CommandFileError("zip_same_names", files=", ".join(twice))
    return [_FoundFile(file, guess_type(file.content, file.name, FILE_TYPES)) for file in handed]


def _check_rights(person: Responsible, zipped: CommandFile, files: Sequence[_FoundFile]) -> None:
    refused = [each.handed.name for each in files if not person.may(run_permission(each.processor), site=zipped.site)]
    if refused:
        raise CommandFileError("zip_without_right", name=zipped.path, owner=person.name, files=", ".join(refused))


def _refuse_in_use(site: MoodleSite, folder: str, files: Sequence[_FoundFile]) -> None:
    """Raises: CommandFileError where a run that isn't over reads a file that one of these would replace"""
    names = [file.handed.name for file in files]
    for known in CommandFile.objects.filter(site=site, folder=folder, name__in=names):
        refuse_if_in_use(known)


def _receive(site: MoodleSite, file: _FoundFile, folder: str) -> CommandFile:
    return receive_file(
        site, file.handed.content, file.handed.name, folder, None, file_types=FILE_TYPES,
        max_megabytes=run_limits().max_upload_megabytes,
    )  # fmt: skip


def _put_aside(file: CommandFile, zip_name: str, code: str) -> Note:
    name = file.name
    return Note(code, {"name": zip_name, "file": name, "aside": quarantine_file(file).path})
