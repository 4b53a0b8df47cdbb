"""What a file type should carry out now: its files are looked for where its source says, and brought into the file area."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.core.files.storage import InvalidStorageError
from django.db import transaction
from django.utils import timezone

from sync.commandfiles import storage
from sync.commandfiles.intake import quarantine_file, receive_file, refuse_if_in_use
from sync.commandfiles.naming import split_path
from sync.errors import CodedError, CommandFileError, SourceError
from sync.messages import text_of
from sync.models import CommandFile, Event, MoodleSite, RunState, Schedule, Source, SyncRun
from sync.models.site import MAIN_SITE
from sync.notifications.services import notify
from sync.processors.registry import REGISTRY
from sync.runs.options import (
    drop_folder,
    fetch_rules,
    find_processor,
    resolve_options,
    run_limits,
    settle_seconds,
)
from sync.runs.rights import owner_of
from sync.runs.selectors import earlier_run, files_of_file_type, run_that_left_it_so
from sync.runs.services import FILE_TYPES
from sync.runs.source_settings import address_of, private_key_of, query_of, source_of
from sync.schedules.arming import arm_dropped_file, arm_file, armings_of, check_source, is_meant
from sync.schedules.quarantine import MAX_ATTEMPTS, fetch_attempt, forget_attempts
from sync.schedules.zips import (
    NOT_ITS_FAULT,
    ZIP_BROKEN,
    ZIP_NOT_SCHEDULED,
    ZIP_UNKNOWN,
    Turns,
    folder_of,
    is_zip_of_files,
    unpack_dropped,
    unpack_zips,
    waiting_files,
)
from sync.sources import queries
from sync.sources.drop_folder import DropFolder, locked
from sync.sources.guard import FetchRules
from sync.sources.inbox import Inbox
from sync.sources.location import matching
from sync.sources.opening import open_address, open_query
from sync.sources.remote_folder import (
    Entry,
    RemoteFolder,
    check_same,
    copy_whole,
    files_among,
    marks_of,
    remove_taken,
    whole_names,
)
from sync.sources.sftp_address import SftpAddress
from sync.values import Note
from sync.whole_files import digest_of

_IN_USE = "file_in_use"
_OF_DROP_FOLDER = "drop_"
_TROUBLES = frozenset(
    (
        "drop_feeder_died",
        "drop_folder_failed",
        "dropped_file_not_armed",
        "dropped_file_quarantined",
        "fetched_file_quarantined",
        _IN_USE,
        "file_not_armed",
        "source_checksum_differs",
        "source_checksum_missing",
        "remote_too_large",
        "file_too_large",
        ZIP_BROKEN,
        ZIP_UNKNOWN,
        ZIP_NOT_SCHEDULED,
    )
)
_DROP = "drop"
# Two file types that start at the same minute: the second one waits for what the first brings.
_PATIENCE_SECONDS = 30

logger = logging.getLogger(__name__)


def fetch_files(site: MoodleSite, processor: str, turns: Turns | None = None) -> list[CommandFile]:
    """Return the files that a run of a file type without a person should carry out now, in order; [] when nothing came.

    What there is to tell about it stands in the log and on the page of the source.
    Shape: turns: of a sequence whose files are planned together; zips are unpacked for them
    Raises: SourceError if there is no way to where they come from, CommandFileError if a zip can't be used
    """
    source = source_of(site, processor)
    notes: list[Note] = []
    try:
        # All that is planned together comes out of the drop folder at once.
        if turns is None or not turns.over:
            notes += capture_drop_folder(site) if turns is not None or source.kind == Source.Kind.AREA else []
        files = _from_area(source, notes) if source.kind == Source.Kind.AREA else _from_elsewhere(source, notes)
        return files if turns is None else unpack_zips(site, processor, files, turns, notes)
    except SourceError as error:
        notes.append(_note(error))
        raise
    finally:
        with transaction.atomic():
            _notify_of_troubles(source, notes)
            _keep_notes(source, notes)


def capture_drop_folder(site: MoodleSite) -> list[Note]:
    """Bring everything that lies whole in the drop folder into the file area; return what there is to tell."""
    if site.slug != MAIN_SITE:
        return []
    notes: list[Note] = []
    try:
        with locked(drop_folder(), wait_seconds=settle_seconds() + _PATIENCE_SECONDS) as taken_over:
            notes += taken_over
            place = DropFolder(drop_folder())
            wanted, names = _whole_files(place, files_among, notes)
            for entry in wanted:
                with _sentence(notes), fetch_attempt(site, _DROP, entry) as may_try:
                    if may_try:
                        _take_dropped(site, place, entry, names, notes)
                    else:
                        notes.append(_quarantine_dropped(site, place, entry))
    except SourceError as error:
        notes.append(_note(error))
    return notes


def _take_dropped(site: MoodleSite, place: DropFolder, entry: Entry, names: set[str], notes: list[Note]) -> None:
    with storage.scratch_file() as out:
        copy_whole(place, entry, names, out)
        try:
            is_zip = is_zip_of_files(entry.name, out) and not is_meant(site, entry.name)
            if is_zip:
                notes += unpack_dropped(site, entry.name, out)
        except CommandFileError as error:
            if error.code in NOT_ITS_FAULT:
                raise
            notes.append(_note(error))
            check_same(place, entry)
            notes.append(Note(ZIP_BROKEN, {"name": entry.name, "aside": place.quarantine_file(entry.name)}))
            return
        if not is_zip:
            file = receive_file(
                site, out, entry.name, "/", None, file_types=FILE_TYPES, max_megabytes=run_limits().max_upload_megabytes
            )
            notes += arm_dropped_file(file)
        remove_taken(place, entry, names)


def _quarantine_dropped(site: MoodleSite, place: DropFolder, entry: Entry) -> Note:
    check_same(place, entry)
    aside = place.quarantine_file(entry.name)
    forget_attempts(site, _DROP, entry.name)
    return Note("dropped_file_quarantined", {"name": entry.name, "aside": aside, "attempts": MAX_ATTEMPTS})


@contextmanager
def opened_place(source: Source, rules: FetchRules) -> Iterator[tuple[RemoteFolder, str]]:
    """Open the place of a source that isn't the file area; with it comes the name or wildcard of the files that are meant.

    Raises: SourceError
    """
    if source.kind == Source.Kind.INBOX:
        folder, item = split_path(source.location)
        try:
            yield Inbox(storage.inbox_storage(source.inbox), folder, rules, source.inbox), item
        except InvalidStorageError:
            raise SourceError("inbox_unknown", inbox=source.inbox) from None
        return
    address, default_name = address_of(source), find_processor(source.processor).default_filename
    if source.kind in queries.KINDS:
        key = private_key_of(source)
        with open_query(
            source.kind, address, query_of(source), rules, default_name=default_name, private_key=key
        ) as place:
            yield place, "*"
        return
    with open_address(
        address,
        rules,
        default_name=default_name,
        private_key=private_key_of(source),
        host_key=source.host_key,
    ) as place:
        yield place, "*" if address.scheme in ("http", "https") else address.name
        if isinstance(place, SftpAddress):
            source.host_key = place.host_key


def _from_area(source: Source, notes: list[Note]) -> list[CommandFile]:
    location = source.location or find_processor(source.processor).default_filename
    files = files_of_file_type(source.site, source.processor, source.location)
    if not files:
        notes.append(Note("source_nothing", {"location": location}))
    chosen: list[CommandFile] = []
    armed = armings_of(files, source.processor)
    for file in files:
        if file.pk not in armed:
            notes.append(Note("file_not_armed", {"name": file.path}))
            continue
        if _is_left_out(source, file.name, file.sha256, notes):
            continue
        if _is_quarantined(source, file, notes):
            # The next run finds the next file (spec generic.md section 8).
            return []
        with _sentence(notes):
            refuse_if_in_use(file)
            chosen.append(file)
        if chosen and not source.take_all:
            break
    return chosen


def _from_elsewhere(source: Source, notes: list[Note]) -> list[CommandFile]:
    check_source(source)
    chosen = _left_behind(source, notes)
    if chosen and not source.take_all:
        return chosen
    with opened_place(source, fetch_rules()) as (place, item):
        wanted, names = _whole_files(place, lambda entries: meant_files(entries, item), notes)
        if not wanted:
            notes.append(Note("source_nothing", {"location": source.location}))
        for entry in wanted:
            with _sentence(notes), fetch_attempt(source.site, source.processor, entry) as may_try:
                if not may_try:
                    notes.append(Note("fetched_file_quarantined", {"name": entry.name, "attempts": MAX_ATTEMPTS}))
                    continue
                file = _fetch(source, place, entry, names, notes)
                if file is not None:
                    chosen.append(file)
                if source.remove_taken:
                    remove_taken(place, entry, names)
            if chosen and not source.take_all:
                break
    return chosen


def _fetch(source: Source, place: RemoteFolder, entry: Entry, names: set[str], notes: list[Note]) -> CommandFile | None:
    """Bring one file into the file area; None when it is the same as before and such a one is to be left out."""
    with storage.scratch_file() as out:
        copy_whole(place, entry, names, out)
        if _is_left_out(source, entry.name, digest_of(out)[0], notes):
            return None
        file = receive_file(
            source.site, out, entry.name, folder_of(source.processor), None, file_types=FILE_TYPES,
            max_megabytes=run_limits().max_upload_megabytes,
        )  # fmt: skip
    arm_file(file, source.processor, owner_of(source))
    return file


def _left_behind(source: Source, notes: list[Note]) -> list[CommandFile]:
    """Return what was taken from its place by somebody who died before a run of it was asked for."""
    if not source.remove_taken:
        return []
    left = waiting_files(source.site, source.processor)
    notes += [Note("source_file_left_behind", {"path": file.path}) for file in left]
    return left if source.take_all else left[:1]


def meant_files(entries: list[Entry], item: str) -> list[Entry]:
    """Return the files that a name or a wildcard means, in order."""
    by_name = {entry.name: entry for entry in files_among(entries)}
    return [by_name[name] for name in matching(by_name, item)]


def _whole_files(
    place: RemoteFolder, meant: Callable[[list[Entry]], list[Entry]], notes: list[Note]
) -> tuple[list[Entry], set[str]]:
    """Look twice if need be, and give the files that are whole; with them the names of everything that is there."""
    first = place.entries()
    names = {entry.name for entry in first}
    second = first
    if place.may_grow and any(not marks_of(entry.name, names) for entry in meant(first)):
        time.sleep(settle_seconds())
        second = place.entries()
    whole = whole_names(first, second)
    wanted = meant(second)
    notes += [Note("source_file_growing", {"name": entry.name}) for entry in wanted if entry.name not in whole]
    return [entry for entry in wanted if entry.name in whole], {entry.name for entry in second}


def _is_left_out(source: Source, name: str, sha256: str, notes: list[Note]) -> bool:
    """Tell that a file was carried out before, and whether it is to be left out therefore."""
    if source.leave_same:
        run = run_that_left_it_so(source.site, source.processor, name, sha256)
        code = "same_file_left_out"
    else:
        run, code = earlier_run(source.site, source.processor, sha256), "same_file_again"
    if run is not None:
        notes.append(Note(code, {"name": name, "run": run.pk}))
    return source.leave_same and run is not None


def _is_quarantined(source: Source, file: CommandFile, notes: list[Note]) -> bool:
    """Put a file aside that the last run could not use; whoever hands it in again means it to be tried again."""
    run = SyncRun.objects.filter(command_file=file, processor=source.processor, simulate=False).order_by("-pk").first()
    if (
        run is None
        or run.state != RunState.FAILED
        or run.file_sha256 != file.sha256
        or file.uploaded_at > run.created_at
    ):
        return False
    if not resolve_options(source.site, source.processor)["discardfileonfailure"]:
        return False
    path = file.path
    notes.append(Note("file_put_aside", {"path": path, "aside": quarantine_file(file).path, "run": run.pk}))
    return True


@contextmanager
def _sentence(notes: list[Note]) -> Iterator[None]:
    """Tell what is wrong with one file, and go on with the next."""
    try:
        yield
    except CommandFileError as error:
        notes.append(_note(error))


def _notify_of_troubles(source: Source, notes: list[Note]) -> None:
    """Let people know what keeps files away although the file type goes on; again only when it was mended in between."""
    looks = Source.objects.filter(site=source.site).values_list("processor", "notes")
    # Every file type looks into the drop folder: the first one tells of it.
    known = {
        (code, _name_in(params))
        for processor, notes in looks
        for code, params in notes
        if processor == source.processor or code.startswith(_OF_DROP_FOLDER)
    }
    for note in notes:
        if note.code in _TROUBLES and (note.code, _name_in(note.params)) not in known and not _passes_by_itself(note):
            notify(
                source.site, source.processor, Event.FAILURE, fault=[note.code, dict(note.params)],
                feed_recipients=_recipients_of_feeds(source, note.code),
            )  # fmt: skip


def _name_in(params: Mapping[str, Any]) -> Any:
    """Return what a note names: the file, and where a run keeps it from being taken the run as well."""
    return params.get("name") or (params.get("path"), params.get("run"))


def _passes_by_itself(note: Note) -> bool:
    """Whether a file is only kept by a run that is at work or has its turn soon."""
    soon = (RunState.QUEUED, RunState.RUNNING)
    return note.code == _IN_USE and SyncRun.objects.filter(pk=note.params["run"], state__in=soon).exists()


def _recipients_of_feeds(source: Source, code: str) -> list[str]:
    """Return who is told of the feeds that take files from where there is trouble. Queries: two at most"""
    keys = {source.processor}
    if code.startswith(_OF_DROP_FOLDER):
        elsewhere = Source.objects.filter(site=source.site).exclude(kind=Source.Kind.AREA)
        keys = set(REGISTRY) - set(elsewhere.values_list("processor", flat=True))
    feeds = Schedule.objects.filter(site=source.site, enabled=True)
    return [address for feed in feeds if not keys.isdisjoint(feed.processors) for address in feed.recipients]


def _keep_notes(source: Source, notes: list[Note]) -> None:
    for note in notes:
        logger.warning("files of %s: %s", source.processor, text_of(note.code, note.params))
    values = {
        "looked_at": timezone.now(),
        "notes": [[note.code, dict(note.params)] for note in notes],
        "host_key": source.host_key,
    }
    Source.objects.update_or_create(
        site=source.site,
        processor=source.processor,
        defaults=values,
        create_defaults=values | {"take_all": source.take_all},
    )


def _note(error: CodedError) -> Note:
    return Note(error.code, error.params)
