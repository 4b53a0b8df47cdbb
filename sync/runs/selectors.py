"""Selectors: what pages and commands want to know of runs, their files and their progress."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, overload

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from sync.commandfiles.intake import UPLOADS
from sync.commandfiles.naming import split_path
from sync.commandfiles.readings import BACKUP_SUFFIX
from sync.commandfiles.storage import ARCHIVES, REPORTS, key_of_path
from sync.models import ArmedFile, CommandFile, MoodleSite, RunFile, RunState, Source, SyncRun
from sync.models.run import COMPLETED_STATES, OVER_STATES, WAITING_STATES
from sync.people.rights import may
from sync.people.roles import run_permission, see_permission
from sync.processors.base.processor import Processor
from sync.processors.registry import REGISTRY
from sync.runs.options import resolve_options
from sync.sources.location import is_wildcard, items_of, matching
from sync.values import Note

Person = User | AnonymousUser
# The file type whose rows name backups.
_OF_BACKUPS = "courses"


class AreaFile(NamedTuple):
    """One file as the file area shows it.

    Shape: processor: key of the file type whose people may read it, "" when unknown; exactly one of the last two is there
    """

    path: str
    name: str
    size: int
    changed: datetime
    processor: str
    storage_key: str
    command_file: CommandFile | None
    run_file: RunFile | None


class AreaFiles(Sequence[AreaFile]):
    """The files of a folder, of which a page is read at a time, however many there are. Queries: one for each slice"""

    def __init__(self, rows: QuerySet[Any], shown: Callable[[Any], AreaFile]) -> None:
        self._rows = rows
        self._shown = shown

    @overload
    def __getitem__(self, wanted: int) -> AreaFile: ...
    @overload
    def __getitem__(self, wanted: slice) -> list[AreaFile]: ...
    def __getitem__(self, wanted: int | slice) -> AreaFile | list[AreaFile]:
        if isinstance(wanted, int):
            return self._shown(self._rows[wanted])
        # Two runs of one second share a name, and then a file: the later one has it.
        by_path: dict[str, AreaFile] = {}
        for row in self._rows[wanted]:
            by_path.setdefault(row.path, self._shown(row))
        return list(by_path.values())

    def __iter__(self) -> Iterator[AreaFile]:
        return iter(self[:])

    def __len__(self) -> int:
        return self._rows.count()


class RunsOfFile(NamedTuple):
    """In which runs a file was. Shape: number: of these runs, the last one among them"""

    last: SyncRun
    number: int


class RunProgress(NamedTuple):
    """How far a run is. Shape: percent: of the file's rows; seconds_left, rows_per_second: None when they can't be told yet"""

    percent: int
    seconds_left: int | None
    rows_per_second: int | None = None


def processors_for(user: Person, permission: str = "", *, site: MoodleSite | None = None) -> list[type[Processor]]:
    """Return the file types that somebody may use, in the order of the registry.

    Shape: permission: which they must have for the file type as well; site: None = the one that the pages are about
    """
    return [
        processor
        for key, processor in REGISTRY.items()
        if may(user, run_permission(key), site) and (not permission or may(user, permission, site, key))
    ]


def visible_processors(user: Person, site: MoodleSite | None = None) -> list[type[Processor]]:
    """Return the file types whose runs somebody may look at: those that they may use, and those of which they are viewers."""
    return [processor for key, processor in REGISTRY.items() if may(user, see_permission(key), site)]


def readable_files(user: Person, site: MoodleSite) -> QuerySet[CommandFile]:
    """Return the files whose content somebody may have: those of the types that they may run.

    Any file may hold passwords. One of unknown type is for who handed it in, and for those who may run every type; course
    backups, which have none either, are for those who may run the type whose rows name them.
    """
    if user.pk is None:
        return CommandFile.objects.none()
    keys = [processor.key for processor in processors_for(user, site=site)]
    files = CommandFile.objects.filter(site=site)
    if len(keys) == len(REGISTRY):
        return files
    own = Q(processor="", uploaded_by=user.pk)
    backups = Q(processor="", name__iendswith=BACKUP_SUFFIX) if _OF_BACKUPS in keys else Q(pk=None)
    return files.filter(Q(processor__in=keys) | own | backups)


def visible_runs(user: Person, site: MoodleSite) -> QuerySet[SyncRun]:
    """Return the runs that somebody may look at, newest first."""
    keys = [processor.key for processor in visible_processors(user, site)]
    runs = SyncRun.objects.filter(site=site, processor__in=keys)
    return runs.select_related("site", "command_file", "requested_by", "sequence_run", "plan", "bundle")


def listed_runs(user: Person, site: MoodleSite) -> QuerySet[SyncRun]:
    """Return the same without the plans that runs have made for themselves: these are shown with their run."""
    return visible_runs(user, site).exclude(origin=SyncRun.Origin.PLAN)


def rows_of(run: SyncRun) -> SyncRun:
    """Return the run whose outcomes are shown of a run: as long as nothing of it is applied, its plan."""
    return run if run.plan is None or run.rows_done or run.carried_out else run.plan


def waiting_runs(user: Person, site: MoodleSite, *, with_paused: bool = False) -> QuerySet[SyncRun]:
    """Return the runs that wait for a person, the one that waits longest first. Shape: with_paused: those that are paused, too"""
    # They are few. Asked for in one condition SQLite would go through all runs of the site.
    waiting = SyncRun.objects.order_by().filter(
        state__in=(*WAITING_STATES, RunState.PAUSED) if with_paused else WAITING_STATES
    )
    return visible_runs(user, site).filter(pk__in=waiting.values("pk")).order_by("held_at")


def preselected_file(site: MoodleSite, processor: str, user: Person) -> CommandFile | None:
    """Return the file that a file type offers by itself: of those that its schedules look for the first that may be trusted.

    That is one that somebody who may run the type has armed, or one of one's own: a file that somebody else has put
    there under the usual name must not be run because it was already chosen.
    """
    source = Source.objects.filter(site=site, processor=processor, kind=Source.Kind.AREA).first()
    files = files_of_file_type(site, processor, source.location if source else "")
    armed = ArmedFile.objects.filter(file__in=files, processor=processor, sha256=F("file__sha256"))
    trusted = set(armed.values_list("file_id", flat=True)) if files else set()
    return next((file for file in files if file.pk in trusted or file.uploaded_by_id == user.pk), None)


def files_of_file_type(site: MoodleSite, processor: str, location: str = "") -> list[CommandFile]:
    """Return the files of the area that a file type means: those of its location, or else the ones with its default name.

    Zips of pictures are told by how their names begin, in any folder, in the order of folder and name.
    """
    if location or not REGISTRY[processor].columns.of_pictures:
        return area_files(site, location or REGISTRY[processor].default_filename)
    prefix = resolve_options(site, processor)["fileprefix"]
    zips = CommandFile.objects.filter(site=site, name__iendswith=".zip").order_by("folder", "name")
    # What was handed in for a run belongs to it.
    zips = zips.exclude(folder__startswith=UPLOADS)
    return [file for file in zips.select_related("site", "uploaded_by") if matching([file.name], f"{prefix}*")]


def area_files(site: MoodleSite, location: str) -> list[CommandFile]:
    """Return the files of the area that a list of paths and wildcards means, in its order, each once."""
    found: dict[int, CommandFile] = {}
    for item in items_of(location):
        folder, name = split_path(item)
        files = CommandFile.objects.filter(site=site, folder=folder).select_related("site", "uploaded_by")
        by_name = {file.name: file for file in (files if is_wildcard(name) else files.filter(name=name))}
        found |= {by_name[match].pk: by_name[match] for match in matching(by_name, name)}
    return list(found.values())


def earlier_run(site: MoodleSite, processor: str, sha256: str, *, before: int | None = None) -> SyncRun | None:
    """Return the last run that carried the very same bytes out. Shape: before: only runs older than this one."""
    runs = SyncRun.objects.filter(
        site=site, processor=processor, file_sha256=sha256, simulate=False, undoes=None,
        state__in=COMPLETED_STATES,
    )  # fmt: skip
    if before is not None:
        runs = runs.filter(pk__lt=before)
    return runs.order_by("-pk").first()


def run_that_left_it_so(site: MoodleSite, processor: str, name: str, sha256: str) -> SyncRun | None:
    """Return the run of a file after which nothing else was carried out in its place; None where there is something to do.

    That is the last run of a file of this name, if it carried out the very same bytes to their end, under the options that hold
    now, and wasn't undone. A name that no run had yet is compared with the last run of the type, unless that was of a later one
    in the order of names (users_0902.csv, users_0903.csv): then any earlier run with these bytes will do.
    """
    written = SyncRun.objects.filter(site=site, processor=processor, simulate=False, undoes=None).filter(
        Q(state__in=COMPLETED_STATES) | Q(state__in=OVER_STATES, last_line__gt=0)
    )
    written = written.annotate(is_undone=Exists(undoing_runs("pk"))).order_by("-pk")
    last = written.filter(file_path__endswith=f"/{name}").first()
    if last is None:
        last = written.first()
        if last is not None and last.file_name > name:
            return written.filter(file_sha256=sha256, state__in=COMPLETED_STATES).first()
    if last is None or last.file_sha256 != sha256 or last.state not in COMPLETED_STATES or last.is_undone:
        return None
    now = resolve_options(site, processor)
    return last if all(now[key] == value for key, value in last.options.items() if key in now) else None


def run_notes(run: SyncRun) -> list[Note]:
    """Return what there is to say about the file of a run as a whole."""
    notes = [Note(code, params) for code, params in run.notes]
    notes += [Note("sticky_kept_rows", {"name": name, "count": run.kept[name]}) for name in sorted(run.kept)]
    earlier = earlier_run(run.site, run.processor, run.file_sha256, before=run.pk)
    if earlier is not None:
        notes.insert(0, Note("same_file_again", {"name": run.file_name, "run": earlier.pk}))
    return notes


def files_in(
    site: MoodleSite, folder: str, processors: Collection[str] | None = None, *, containing: str = ""
) -> AreaFiles:
    """Return the files of one folder of the area, by name; what runs have left there, newest first.

    Shape: processors: of what runs have left, only that of these file types; None = of all; containing: a part of their names
    """
    if folder in (REPORTS, ARCHIVES):
        kind = RunFile.Kind.REPORT if folder == REPORTS else RunFile.Kind.ARCHIVE
        kept = RunFile.objects.filter(run__site=site, kind=kind, path__startswith=folder).select_related("run")
        if processors is not None:
            kept = kept.filter(run__processor__in=processors)
        return AreaFiles(kept.filter(name__icontains=containing).order_by("-pk"), _kept_by_run)
    files = CommandFile.objects.filter(site=site, folder=folder, name__icontains=containing)
    return AreaFiles(files.order_by("name").select_related("site", "uploaded_by"), _handed_in)


def runs_of_files(user: Person, site: MoodleSite, files: Collection[CommandFile]) -> dict[int, RunsOfFile]:
    """Return in which runs files were with the content that they have now, by the file; nothing of those in none. Queries: two"""
    runs = listed_runs(user, site).filter(command_file__in=files, file_sha256=F("command_file__sha256"))
    grouped = runs.order_by().values("command_file").annotate(last=Max("pk"), count=Count("pk"))
    counts = {each["last"]: each["count"] for each in grouped}
    last = listed_runs(user, site).in_bulk([*counts])
    return {run.command_file_id: RunsOfFile(run, counts[pk]) for pk, run in last.items() if run.command_file_id}


def folders_of(site: MoodleSite) -> list[str]:
    """Return the folders that the area shows: those with files in them, their parents, and the standard ones."""
    folders = {"/", REPORTS, ARCHIVES}
    for folder in CommandFile.objects.filter(site=site).values_list("folder", flat=True).distinct():
        parts = folder.strip("/").split("/")
        folders.update(f"/{'/'.join(parts[:depth])}/" for depth in range(1, len(parts) + 1) if folder != "/")
    return sorted(folders)


def undoing_runs(run: str) -> QuerySet[SyncRun]:
    """Return the runs that have taken back another as a whole, and were not taken back wholly themselves.

    Shape: run: the column of an outer query that holds the other
    """
    return _undos_of(run).exclude(Exists(_undos_wholly_done().exclude(Exists(_undos_wholly_done()))))


def _undos_of(run: str) -> QuerySet[SyncRun]:
    return SyncRun.objects.filter(
        undoes=OuterRef(run), undoes_line=None, simulate=False, state__in=OVER_STATES, last_line__gt=0
    )


def _undos_wholly_done() -> QuerySet[SyncRun]:
    return _undos_of("pk").filter(state=RunState.COMPLETED)


def progress_of(run: SyncRun) -> RunProgress:
    """Tell how far a run is and how long it will take."""
    end = run.finished_at or timezone.now()
    elapsed = max((end - (run.started_at or end)) / timedelta(seconds=1), 0.001)
    percent = 100 if run.carried_out else min(99, 100 * run.rows_done // max(1, run.rows_expected))
    if run.state != RunState.RUNNING or not run.rows_done:
        return RunProgress(percent, None)
    seconds_left = round(elapsed * run.rows_left / run.rows_done) if run.rows_expected else None
    return RunProgress(percent, seconds_left, round(run.rows_done / elapsed))


def _handed_in(file: CommandFile) -> AreaFile:
    key = key_of_path(file.site.slug, file.path)
    return AreaFile(file.path, file.name, file.size, file.uploaded_at, file.processor, key, file, None)


def _kept_by_run(file: RunFile) -> AreaFile:
    key = file.storage_key
    return AreaFile(file.path, file.name, file.size, file.created_at, file.run.processor, key, None, file)
