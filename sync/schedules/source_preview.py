"""Source preview of a file type: what is there and what would be taken. Nothing is taken."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

from sync.errors import SourceError
from sync.models import MoodleSite, Source
from sync.models.site import MAIN_SITE
from sync.runs.options import drop_folder, fetch_rules, find_processor, resolve_options
from sync.runs.selectors import files_of_file_type, run_that_left_it_so
from sync.runs.source_settings import source_of
from sync.schedules.arming import armings_of
from sync.schedules.fetch_files import meant_files, opened_place
from sync.sources.drop_folder import DropFolder, held_up
from sync.sources.location import is_wildcard
from sync.sources.remote_folder import Entry, files_among, marks_of
from sync.values import Note

# Somebody waits in front of a page.
_LOOK_SECONDS = 20.0


class Verdict(StrEnum):
    """What would become of a file."""

    TAKEN = "taken"
    SETTLES = "settles"
    LATER = "later"
    SAME = "same"
    UNARMED = "unarmed"


class ListedFile(NamedTuple):
    """One file at the source. Shape: size: -1 = unknown."""

    name: str
    size: int
    verdict: Verdict


@dataclass
class SourcePreview:
    """What a look has found. Shape: dropped: files in the drop folder; others: files that the source doesn't mean."""

    files: list[ListedFile] = field(default_factory=list)
    dropped: list[ListedFile] = field(default_factory=list)
    others: int = 0
    notes: list[Note] = field(default_factory=list)


def preview_source(site: MoodleSite, processor: str) -> SourcePreview:
    """Look where the files of a file type come from."""
    source, look = source_of(site, processor), SourcePreview()
    try:
        if source.kind == Source.Kind.AREA:
            _look_at_area(source, look)
            if site.slug == MAIN_SITE:
                _look_at_drop_folder(look)
        else:
            _look_elsewhere(source, look)
        if _is_stuck(source, look):
            look.notes.append(Note("source_never_next", {}))
    except SourceError as error:
        look.notes.append(Note(error.code, error.params))
    return look


def _look_at_area(source: Source, look: SourcePreview) -> None:
    location = source.location or find_processor(source.processor).default_filename
    files = files_of_file_type(source.site, source.processor, source.location)
    if not files:
        look.notes.append(Note("source_nothing", {"location": location}))
    armed = armings_of(files, source.processor)
    for file in files:
        if file.pk not in armed:
            look.files.append(ListedFile(file.path, file.size, Verdict.UNARMED))
            continue
        left = source.leave_same and run_that_left_it_so(source.site, source.processor, file.name, file.sha256)
        look.files.append(ListedFile(file.path, file.size, Verdict.SAME if left else _turn(source, look)))


def _look_at_drop_folder(look: SourcePreview) -> None:
    folder = drop_folder()
    if not folder.exists():
        return
    if reason := held_up(folder):
        look.notes.append(reason)
    entries = DropFolder(folder).entries()
    look.dropped = [_seen(entry, entries, Verdict.TAKEN) for entry in files_among(entries)]


def _look_elsewhere(source: Source, look: SourcePreview) -> None:
    rules = fetch_rules()
    with opened_place(source, replace(rules, seconds=min(rules.seconds, _LOOK_SECONDS))) as (place, item):
        entries = place.entries()
    meant = meant_files(entries, item)
    look.others = len(files_among(entries)) - len(meant)
    if not meant:
        look.notes.append(Note("source_nothing", {"location": source.location}))
    for entry in meant:
        turn = _turn(source, look)
        look.files.append(_seen(entry, entries, turn) if place.may_grow else ListedFile(entry.name, entry.size, turn))
    if source.pk:
        # The fingerprint of a server that was met for the first time.
        Source.objects.filter(pk=source.pk).update(host_key=source.host_key)


def _is_stuck(source: Source, look: SourcePreview) -> bool:
    """Whether the first file of a wildcard would be taken again and again."""
    others_wait = any(file.verdict == Verdict.LATER for file in look.files) and is_wildcard(source.location)
    if not others_wait or source.leave_same:
        return False
    if source.kind == Source.Kind.AREA:
        return not resolve_options(source.site, source.processor)["filecleanup"]
    return not source.remove_taken


def _turn(source: Source, look: SourcePreview) -> Verdict:
    """Say whether a file is the next one, or one of all."""
    is_next = all(file.verdict in (Verdict.SAME, Verdict.UNARMED) for file in look.files)
    return Verdict.TAKEN if source.take_all or is_next else Verdict.LATER


def _seen(entry: Entry, entries: list[Entry], turn: Verdict) -> ListedFile:
    is_marked = bool(marks_of(entry.name, {other.name for other in entries}))
    verdict = Verdict.SETTLES if turn == Verdict.TAKEN and not is_marked else turn
    return ListedFile(entry.name, entry.size, verdict)
