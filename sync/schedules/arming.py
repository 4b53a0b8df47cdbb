"""Which files the schedules of a file type take: those that somebody who may run it has said so of, and no others.

A file is armed for a file type, as the bytes that it holds then. Whatever puts other bytes in its place, on whatever way,
thereby disarms it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from django.db import transaction
from django.utils import timezone

from sync.audit.services import record_saved
from sync.commandfiles.intake import UPLOADS
from sync.commandfiles.naming import split_path
from sync.errors import SourceError
from sync.models import ArmedFile, AuditKind, CommandFile, MoodleSite, Source
from sync.people.roles import run_permission
from sync.processors.pictures.processor import UserPictures
from sync.processors.registry import REGISTRY
from sync.runs.options import resolve_options
from sync.runs.rights import MANAGE_SOURCES, OPERATOR, Responsible, owner_of
from sync.runs.selectors import files_of_file_type
from sync.sources.location import items_of, matching
from sync.values import Note


def arm_file(file: CommandFile, processor: str, responsible: Responsible) -> ArmedFile:
    """Let the schedules of a file type take a file, as it is now. Whether the person may is for the caller to ask."""
    values = {
        "sha256": file.sha256,
        "armed_by": responsible.user,
        "armed_by_name": responsible.name,
        "armed_at": timezone.now(),
    }
    return ArmedFile.objects.update_or_create(file=file, processor=processor, defaults=values)[0]


def disarm_file(file: CommandFile, processor: str) -> None:
    """Keep the schedules of a file type from taking a file."""
    ArmedFile.objects.filter(file=file, processor=processor).delete()


def permit_file(file: CommandFile, processor: str, person: Responsible) -> ArmedFile:
    """Let the schedules of a file type take a file because a person says so."""
    with transaction.atomic():
        armed = arm_file(file, processor, person)
        said = {"sha256": file.sha256, "processor": processor}
        record_saved(file.site, AuditKind.ARMING, person, file.path, before=None, after=said)
    return armed


def forbid_file(file: CommandFile, processor: str, person: Responsible) -> None:
    """Keep the schedules of a file type from taking a file because a person says so."""
    with transaction.atomic():
        said = {"sha256": file.sha256, "processor": processor}
        record_saved(file.site, AuditKind.ARMING, person, file.path, before=said, after=None)
        disarm_file(file, processor)


def armings_of(files: Iterable[CommandFile], processor: str) -> dict[int, ArmedFile]:
    """Return how files are armed for a file type, by their ids; those that are not are missing. Queries: one"""
    digests = {file.pk: file.sha256 for file in files}
    armings = ArmedFile.objects.filter(file__in=list(digests), processor=processor).select_related("armed_by")
    return {arming.file_id: arming for arming in armings if arming.sha256 == digests[arming.file_id]}


def armings_by_type(files: Iterable[CommandFile]) -> dict[tuple[int, str], ArmedFile]:
    """Return how files are armed, by their ids and the file types; those that are not are missing. Queries: one"""
    digests = {file.pk: file.sha256 for file in files}
    armings = ArmedFile.objects.filter(file__in=list(digests)).select_related("armed_by")
    return {(a.file_id, a.processor): a for a in armings if a.sha256 == digests[a.file_id]}


def scheduled_files(site: MoodleSite, processor: str) -> list[CommandFile]:
    """Return the files of the area whose names the schedules of a file type look for, armed or not."""
    source = Source.objects.filter(site=site, processor=processor).first()
    if source is not None and source.kind != Source.Kind.AREA:
        return []
    return files_of_file_type(site, processor, source.location if source else "")


def meant_types(site: MoodleSite, files: Collection[CommandFile]) -> dict[int, list[str]]:
    """Return the file types whose schedules look for files of these names, armed or not, by the ids of the files.

    Queries: two
    """
    sources = {source.processor: source for source in Source.objects.filter(site=site)}
    prefix = resolve_options(site, UserPictures.key)["fileprefix"]
    return {
        file.pk: [
            key for key in REGISTRY if _means(sources.get(key) or Source(site=site, processor=key), prefix, file)
        ]
        for file in files
    }  # fmt: skip


def is_meant(site: MoodleSite, name: str) -> bool:
    """Whether a source would take a file of this name out of the uppermost folder of the file area. Queries: two"""
    file = CommandFile(site=site, folder="/", name=name)
    return bool(meant_types(site, [file])[file.pk])


def check_source(source: Source) -> None:
    """Raises: SourceError if whoever set a source may not set sources or run this file type (any more)."""
    owner = owner_of(source)
    if not owner.may(MANAGE_SOURCES, run_permission(source.processor), site=source.site, processor=source.processor):
        raise SourceError("source_owner_without_right", owner=owner.name)


def arm_dropped_file(file: CommandFile) -> list[Note]:
    """Arm a file that came out of the drop folder for each file type whose source means it, in the source's owner's name.

    Returns what there is to say: whoever lets a file type take the files of another one, by its header or by the sources that
    mean it as well, must be allowed to run them all, or its rows would be shown to the wrong people.
    """
    sources = {source.processor: source for source in Source.objects.filter(site=file.site).select_related("owner")}
    notes: list[Note] = []
    meant = meant_types(file.site, [file])[file.pk]
    for processor in meant:
        owner = owner_of(sources[processor]) if processor in sources else OPERATOR
        shown = map(run_permission, {*meant, file.processor or processor})
        may_set = owner.may(MANAGE_SOURCES, site=file.site, processor=processor)
        if may_set and owner.may(*shown, site=file.site):
            arm_file(file, processor, owner)
        else:
            notes.append(Note("dropped_file_not_armed", {"name": file.path, "owner": owner.name}))
    return notes


def _means(source: Source, picture_prefix: str, file: CommandFile) -> bool:
    """Whether a source would take a file of this name out of the area, as `selectors.files_of_file_type` does."""
    if source.kind != Source.Kind.AREA:
        return False
    processor = REGISTRY[source.processor]
    if processor.columns.of_pictures and not source.location:
        is_zip = file.name.lower().endswith(".zip") and not file.folder.startswith(UPLOADS)
        return is_zip and bool(matching([file.name], f"{picture_prefix}*"))
    return any(
        split_path(item)[0] == file.folder and bool(matching([file.name], item))
        for item in items_of(source.location or processor.default_filename)
    )
