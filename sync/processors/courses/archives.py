"""Course backups as templates: found among the site's files or in Moodle, read once, and their files brought into Moodle's pool.

A backup is read when the rows that name it are planned. Contents go into the pool before the rows (`prepare`); what got no rows
is taken away again (`close`). Spec: courses.md section 1.5, backup_format.md
"""

from __future__ import annotations

import io
import shutil
import tempfile
import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from sync.errors import ArchiveRefused, MoodleError, MoodleRefused
from sync.moodle.course_content.backup.content import ArchivedContent, open_archive
from sync.moodle.course_content.backup.limits import DEFAULT_LIMITS, in_mib
from sync.moodle.course_content.backup.stored_backups import fetch_backups_named, fetch_newest_backups
from sync.moodle.course_content.graph.content_source import ContentSource
from sync.moodle.course_content.graph.graph import CourseGraph
from sync.moodle.course_content.restore.backup_source import ArchivedCourse
from sync.moodle.course_content.restore.inventory import Inventory, inventory_of
from sync.moodle.course_content.restore.live_source import ROWS_OF_ACTIVITY
from sync.moodle.course_content.restore.site_names import SiteNames
from sync.moodle.courses.rows import CourseRow
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import Writer
from sync.moodle.files.file_pool import EMPTY_HASH, FilePool, file_pool_of
from sync.moodle.users.pictures import fetch_referred_hashes
from sync.processors.base.context import Collected, FileArea
from sync.processors.courses.templates import Template
from sync.values import Note

_BLOCK = 1 << 20
# So many backups are kept unpacked; a chunk ends before its rows name more.
MOST_BACKUPS = 4


class _BackupLocation(NamedTuple):
    """Where a backup is. Shape: path: in the file area, or else contenthash: in Moodle's pool"""

    path: str = ""
    contenthash: str = ""


class _Opened:
    """A backup that has been read, and the folder that it was unpacked into."""

    def __init__(self, folder: Path, content: ArchivedContent, course: ArchivedCourse) -> None:
        self.folder = folder
        self.content = content
        self.course = course

    def close(self) -> None:
        self.content.close()
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass
class BackupsCollected(Collected):
    """Shape: stored: hashes of contents that the run has brought into Moodle's pool; backup_notes: what was said of backups"""

    stored: set[str] = field(default_factory=set)
    backup_notes: list[Note] = field(default_factory=list)


class BackupCache:
    """The backups that a run's rows name.

    Shape: leave_out: what isn't known is left out, instead of the row; with_inventory: tell what is in each;
    for_moodle: they aren't read, Moodle restores them
    """

    def __init__(
        self,
        moodle: MoodleSession,
        graph: CourseGraph,
        files: FileArea,
        collected: BackupsCollected,
        *,
        leave_out: bool,
        with_inventory: bool = False,
        for_moodle: bool = False,
    ) -> None:
        self._moodle = moodle
        self._graph = graph
        self._files = files
        self._stored = collected.stored
        self._notes = collected.backup_notes
        self._leave_out = leave_out
        self._with_inventory = with_inventory
        self._for_moodle = for_moodle
        self._locations: dict[str, _BackupLocation] = {}
        self._pool: FilePool | None = file_pool_of(moodle.database.settings)
        self._opened: dict[_BackupLocation, _Opened | ArchiveRefused] = {}

    def fetch(self, texts: Collection[str], courses: Mapping[str, CourseRow]) -> dict[str, Template]:
        """Return the templates for cells that name a backup, and for those that name a course whose newest one is meant.

        Shape: absent = there is none
        Queries: two, and some ten for each backup that wasn't read yet
        """
        locations, refused = self._named(texts)
        return {
            **self._templates({**locations, **self._newest(courses)}),
            **{text: _refused(_BackupLocation(), refusal) for text, refusal in refused.items()},
        }

    def _named(self, texts: Collection[str]) -> tuple[dict[str, _BackupLocation], dict[str, ArchiveRefused]]:
        """Return where the backups are, and why some can't be found."""
        # A path of the server stands for the file of that name.
        paths = {text: (text.replace("\\", "/"), _base_name(text)) for text in texts}
        present = self._files.present({path for both in paths.values() for path in both})
        locations = {
            text: _BackupLocation(path=path)
            for text, both in paths.items()
            for path in reversed(both)
            if path in present
        }
        names = {text: _base_name(text) for text in set(texts) - locations.keys()}
        stored = fetch_backups_named(self._moodle, set(names.values())) if names else {}
        refused = {}
        for text, name in names.items():
            found = stored.get(name, set())
            if len(found) == 1:
                locations[text] = _BackupLocation(contenthash=min(found))
            elif found:
                refused[text] = ArchiveRefused("course_backup_ambiguous", template=text, count=len(found))
        return locations, refused

    def _newest(self, courses: Mapping[str, CourseRow]) -> dict[str, _BackupLocation]:
        newest = fetch_newest_backups(self._moodle, [row["contextid"] for row in courses.values()]) if courses else {}
        return {
            text: _BackupLocation(contenthash=newest[row["contextid"]])
            for text, row in courses.items()
            if row["contextid"] in newest
        }

    @property
    def temporary_folder(self) -> Path | None:
        """Where Moodle keeps what it needs for a while; None where its data folder isn't one of this machine."""
        dataroot = self._moodle.database.settings.dataroot
        folder = Path(str(dataroot)) / "temp" if dataroot and "://" not in str(dataroot) else None
        return folder if folder is not None and folder.is_dir() else None

    def copy(self, template: Template, target: Path) -> None:
        """Copy a backup that isn't read. Raises: MoodleRefused"""
        self._moodle.release()
        try:
            self._copy(self._locations[template.key], target)
        except ArchiveRefused as error:
            raise MoodleRefused(error.code, **error.params) from error

    def store_contents(self, templates: Iterable[Template]) -> None:
        """Bring what the files of backups hold into Moodle's pool."""
        keys = {template.key for template in templates}
        for location, opened in self._opened.items():
            if isinstance(opened, _Opened) and _key(location) in keys and self._pool is not None:
                self._store(opened, self._pool)

    def close(self) -> None:
        self._close(list(self._opened))
        # When Moodle is away, nobody knows whether the rows are there: the next connection sees to it.
        with suppress(MoodleError):
            if self._stored and self._pool is not None:
                for contenthash in self._stored - fetch_referred_hashes(self._moodle, self._stored):
                    self._pool.trash(contenthash)
                self._stored.clear()

    def _templates(self, locations: Mapping[str, _BackupLocation]) -> dict[str, Template]:
        """Read the backups that weren't read yet."""
        if self._for_moodle:
            self._locations.update({_key(location): location for location in locations.values()})
            return {
                text: Template(_key(location), {}, _nothing, is_backup=True, is_for_moodle=True)
                for text, location in locations.items()
            }
        if locations and self._pool is None:
            refusal = ArchiveRefused("course_backup_no_data_folder")
            return {text: _refused(location, refusal) for text, location in locations.items()}
        named = set(locations.values())
        if len(self._opened.keys() | named) > MOST_BACKUPS:
            self._close(self._opened.keys() - named)
        for location in dict.fromkeys(locations.values()):
            if location not in self._opened:
                self._opened[location] = self._open(location)
        return {text: self._template(text, location) for text, location in locations.items()}

    def _close(self, locations: Iterable[_BackupLocation]) -> None:
        for location in locations:
            opened = self._opened.pop(location)
            if isinstance(opened, _Opened):
                opened.close()

    def _open(self, location: _BackupLocation) -> _Opened | ArchiveRefused:
        names = SiteNames(self._moodle)
        modules = set(names.modules)
        # Nothing of Moodle's is held while the backup is read.
        self._moodle.release()
        folder = Path(tempfile.mkdtemp(prefix="toolsync-backup-"))
        content: ArchivedContent | None = None
        try:
            self._copy(location, folder / "backup.mbz")
            content = open_archive(folder / "backup.mbz", folder, modules=modules)
            (folder / "backup.mbz").unlink()
            course = ArchivedCourse(self._moodle, self._graph, content, names, now=int(time.time()))
            course.missing = self._missing(course, content)
            return _Opened(folder, content, course)
        except BaseException as error:
            if content is not None:
                content.close()
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, ArchiveRefused):
                return error
            raise

    def _copy(self, location: _BackupLocation, target: Path) -> None:
        """Bring a backup here, whatever storage it is in. Raises: ArchiveRefused"""
        with self._source(location) as source, target.open("wb") as copy:
            while block := source.read(_BLOCK):
                copy.write(block)
                if copy.tell() > DEFAULT_LIMITS.packed:
                    raise ArchiveRefused("backup_large", limit=in_mib(DEFAULT_LIMITS.packed))

    def _source(self, location: _BackupLocation) -> AbstractContextManager[BinaryIO]:
        if location.path:
            return self._files.opened(location.path)
        if self._pool is None or not self._pool.exists(location.contenthash):
            raise ArchiveRefused("course_backup_lost")
        return cast(AbstractContextManager[BinaryIO], self._pool.open(location.contenthash))

    def _missing(self, course: ArchivedCourse, content: ArchivedContent) -> frozenset[str]:
        """Return the contents that are neither in the backup nor in the pool."""
        needed = {each for each in course.contents if each != EMPTY_HASH and not content.has_blob(each)}
        return frozenset(each for each in needed if self._pool is None or not self._pool.exists(each))

    def _template(self, text: str, location: _BackupLocation) -> Template:
        opened = self._opened[location]
        if isinstance(opened, ArchiveRefused):
            return _refused(location, opened)
        course = opened.course

        def source(writer: Writer, _graph: CourseGraph) -> ContentSource:
            course.create_missing(writer)
            return course

        unknown = () if self._leave_out else tuple(course.unknown)
        if not unknown:
            self._tell(text, course)
        weight = ROWS_OF_ACTIVITY * len(opened.content.manifest.activities) + course.file_count
        inventory = inventory_of(course, self._graph) if self._with_inventory else Inventory()
        return Template(_key(location), course.course, source, weight, unknown, is_backup=True, inventory=inventory)

    def _tell(self, text: str, course: ArchivedCourse) -> None:
        """Say once what a backup has lost on its way."""
        notes = [
            Note("course_backup_left_out", {"template": text, "titles": ", ".join(course.absent)})
            if course.absent
            else None,
            Note("course_backup_files_missing", {"template": text, "count": len(course.missing)})
            if course.missing
            else None,
            Note("course_backup_aliases", {"template": text, "count": course.aliases}) if course.aliases else None,
        ]
        new = [note for note in notes if note is not None and note not in self._notes]
        self._notes += new

    def _store(self, opened: _Opened, pool: FilePool) -> None:
        for contenthash in opened.course.contents:
            if contenthash == EMPTY_HASH:
                stream: BinaryIO = io.BytesIO()
            elif opened.content.has_blob(contenthash):
                stream = opened.content.open_blob(contenthash)
            else:
                continue
            with stream:
                found, is_new = pool.store(stream)
            if is_new:
                self._stored.add(found)


def _refused(location: _BackupLocation, refusal: ArchiveRefused) -> Template:
    return Template(_key(location), {}, _nothing, refusal=(refusal.code, dict(refusal.params)), is_backup=True)


def _nothing(_writer: Writer, _graph: CourseGraph) -> ContentSource:
    raise RuntimeError("nothing can be read of this template")


def _key(location: _BackupLocation) -> str:
    return f"file {location.path}" if location.path else f"content {location.contenthash}"


def _base_name(text: str) -> str:
    return text.replace("\\", "/").rpartition("/")[2].strip()


def without_backup(courses: Mapping[str, CourseRow]) -> dict[str, Template]:
    """Return for courses without a backup the templates that reject the rows which name one: cell -> template."""
    return {
        text: _refused(_BackupLocation(), ArchiveRefused("course_template_no_backup", template=row["shortname"]))
        for text, row in courses.items()
    }
