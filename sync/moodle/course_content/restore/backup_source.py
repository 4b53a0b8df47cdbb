"""A course backup as the source of content for new courses, in the words of the site that it goes to.

`archive/` reads the backup; here its texts become values of this site's columns, and what it names is found by its name. What
the site can't hold is left out, and told.
Source: spec backup_format.md; docs/decisions/0013, 0017 and 0018
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.course_content.backup.content import ArchivedContent
from sync.moodle.course_content.graph.content_source import Row, SourceContext
from sync.moodle.course_content.graph.content_tables import content_graph
from sync.moodle.course_content.graph.graph import COURSE, CourseGraph
from sync.moodle.course_content.restore.additions import added_rows
from sync.moodle.course_content.restore.backup_facts import gather_facts, question_types, wanted_tags
from sync.moodle.course_content.restore.backup_links import ArchiveLinks
from sync.moodle.course_content.restore.question_banks import FIRST_ID
from sync.moodle.course_content.restore.restored_files import SITE_AREAS
from sync.moodle.course_content.restore.rows import converted, number_of
from sync.moodle.course_content.restore.site_names import SiteNames, create_tags
from sync.moodle.course_content.restore.text_links import fetch_wwwroot
from sync.moodle.course_content.restore.values import typed_row, with_required
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import Writer
from sync.moodle.files.file_pool import EMPTY_HASH
from sync.moodle.users.users import SiteRules

_MODULE, _QUESTION = "mod_", re.compile(r"question|qtype_.*")


class ArchivedCourse:
    """The content of one backup.

    Shape: course: columns of `course`; unknown: plugins whose tables aren't known; absent: titles of activities, and types of
    questions, that can't come along: they aren't known, or the site doesn't have them; file_count, contents: of its files;
    aliases: how many only point elsewhere, and don't come along; missing: contents that nobody has, whose files don't either
    Queries: some ten, whatever the size of the backup
    """

    def __init__(
        self, session: MoodleSession, graph: CourseGraph, archive: ArchivedContent, names: SiteNames, *, now: int
    ) -> None:
        self.courseid = archive.manifest.courseid
        # Source: restore_root_task::define_settings() of Moodle: what a backup doesn't say is off
        self.with_groups = archive.manifest.settings.get("groups", "0") not in ("", "0")
        self.links = ArchiveLinks(archive.manifest.wwwroot, fetch_wwwroot(session), session.version, self.courseid)
        self._session = session
        self._archive = archive
        self._content = content_graph(graph)
        self._facts = gather_facts(session, graph, archive, names, now=now)
        aggregation = session.config.get("grade_aggregation", "")
        self._added = added_rows(archive, self._facts, *([int(aggregation)] if aggregation.isdecimal() else []))
        self.course = self._course_values()
        self.missing: frozenset[str] = frozenset()
        self._look_at_files()
        self._look_at_plugins(graph)

    def tables(self) -> list[str]:
        named = {*self._archive.tables(), *self._added}
        return sorted(name for name in named if name in self._content.tables and self._is_installed(name))

    def rows(self, table: str) -> Iterator[list[Row]]:
        columns = self._session.table(table).c
        if table == "tag_instance":
            self._facts.tagged.clear()
        for batch in self._texts(table):
            new = [with_required(typed_row(row, columns), columns) for row in self._converted(table, batch, columns)]
            if new:
                yield new

    def contexts(self) -> Mapping[int, SourceContext]:
        return {**self._archive.contexts(), **self._facts.banks.contexts}

    def files(self) -> Iterator[list[Row]]:
        columns = self._session.table("files").c
        for batch in (*self._archive.files(), self._folders):
            yield [
                with_required(typed_row(self._placed(row), columns), columns)
                for row in batch
                if not _is_alias(row) and row["contenthash"] not in self.missing
            ]

    def outside(self, table: str, old: int) -> int | None:
        """Things of the site are known by what they hold; ids mean the same only on the site that the backup was made on."""
        if table in ("scale", "grade_outcomes"):
            return (self._facts.scales if table == "scale" else self._facts.outcomes).get(old)
        return old if old in self._facts.neighbours.get(table, ()) else None

    def create_missing(self, writer: Writer) -> None:
        """Make what the content needs of the site: its tags."""
        wanted = wanted_tags(self._archive)
        known = self._facts.names.tags(wanted)
        create_tags(writer, {name: wanted[name] for name in wanted.keys() - known}, now=self._facts.now)
        self._facts.tagids = self._facts.names.tags(wanted)

    def _texts(self, table: str) -> Iterator[Sequence[Row]]:
        """Return rows as the archive has them, and those that are added last: their ids are the highest."""
        if table == "question_categories":
            yield self._facts.banks.categories
            return
        if table in self._archive.tables():
            yield from self._archive.rows(table)
        if table in self._added:
            yield self._added[table]

    def _converted(
        self, table: str, batch: Sequence[Row], columns: sa.ColumnCollection[str, sa.Column[Any]]
    ) -> Iterator[Row]:
        """Return rows in the site's words; who made them, and the total that grades count towards, are filled in."""
        people = self._content.tables[table].usercolumns
        made_by = {name: self._facts.operatorid for name in people if name in columns and not columns[name].nullable}
        for row in batch:
            new = converted(table, row, self._facts)
            if new is None:
                continue
            if (
                table == "grade_items"
                and "grade_categories" in self._added
                and new.get("itemtype") in ("mod", "manual")
            ):
                new["categoryid"] = FIRST_ID
            yield {**made_by, **new}

    def _placed(self, row: Row) -> Row:
        """Return a row of `files` with the context that its owner has in the restored course."""
        place = (row["component"], row["filearea"])
        contextid = number_of(row.get("contextid"))
        if place in SITE_AREAS:
            contextid = self._session.system_contextid
        elif _QUESTION.fullmatch(row["component"]):
            contextid = self._facts.banks.place(contextid)
        return {**row, "contextid": contextid, "status": 0, "referencefileid": None}

    def _is_installed(self, table: str) -> bool:
        area = self._content.tables[table].area
        return not area.startswith(_MODULE) or area.removeprefix(_MODULE) in self._facts.names.modules

    def _course_values(self) -> Row:
        """Return the row of the course; a format or language that the site doesn't have is its own instead."""
        session = self._session
        values = typed_row(self._archive.course, session.table(COURSE).c)
        course = {name: value for name, value in values.items() if value is not None}
        if course.get("format") not in session.plugins_of("format"):
            course["format"] = session.plugin_config("moodlecourse").get("format") or "topics"
        languages = SiteRules(session).languages
        if languages is not None and course.get("lang") not in languages:
            course["lang"] = ""
        if session.config.get("enablecompletion") == "0":
            course["enablecompletion"] = 0
        if not self._facts.same_site:
            # Nobody can tell which themes a site has.
            course["theme"] = ""
        course["originalcourseid"] = self.courseid if self._facts.same_site else None
        return {"startdate": 0, "enddate": 0, "summary": "", **course, "id": self.courseid}

    def _look_at_files(self) -> None:
        self.file_count = self.aliases = 0
        contents: set[str] = set()
        folders, present = set[_Folder](), set[_Folder]()
        for batch in self._archive.files():
            files = [row for row in batch if not _is_alias(row)]
            self.aliases += len(batch) - len(files)
            self.file_count += len(files)
            contents.update(row["contenthash"] for row in files)
            folders.update(folder for row in files for folder in _folders_of(row))
            present.update(_folder_of(row, row["filepath"]) for row in files if row["filename"] == ".")
        self._folders = [
            {**folder._asdict(), "filename": ".", "contenthash": EMPTY_HASH, "filesize": 0}
            for folder in sorted(folders - present)
        ]
        self.contents = frozenset((*contents, *(row["contenthash"] for row in self._folders)))

    def _look_at_plugins(self, graph: CourseGraph) -> None:
        left_out = self._archive.left_out
        installed = self._facts.names.question_types or graph.question_types
        kinds = question_types(self._archive) - (installed & graph.question_types)
        self.unknown = sorted(
            {f"mod_{activity.modulename}" for activity in left_out if activity.modulename not in graph.modules}
            | {f"qtype_{kind}" for kind in kinds - graph.question_types}
        )
        titles = [activity.title or activity.modulename for activity in left_out]
        self.absent = titles + sorted(f"qtype_{kind}" for kind in kinds)


class _Folder(NamedTuple):
    """Where files are: each of these places, and those above it, has a row of its own."""

    contextid: str
    component: str
    filearea: str
    itemid: str
    filepath: str


def _folder_of(row: Row, path: str) -> _Folder:
    contextid, itemid = (str(number_of(row.get(name))) for name in ("contextid", "itemid"))
    return _Folder(contextid, row["component"], row["filearea"], itemid, path)


def _folders_of(row: Row) -> Iterator[_Folder]:
    """Return the folders of a file, from the uppermost on."""
    path: str = row["filepath"]
    for end, character in enumerate(path, start=1):
        if character == "/":
            yield _folder_of(row, path[:end])


def _is_alias(row: Row) -> bool:
    """Tell whether a file of the archive is only a reference to one in a repository."""
    return bool(row.get("repositoryid"))
