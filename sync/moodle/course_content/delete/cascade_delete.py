"""Deletion of rows with everything that hangs on them: rows of other tables, tags, ratings, comments, files."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from sync.moodle.course_content.graph.graph import CourseGraph, Kind
from sync.moodle.db.writer import Writer
from sync.moodle.files.files import DeletedFiles, delete_files
from sync.moodle.site import caches
from sync.moodle.site.tags import delete_unborne_tags

# What is in memory at a time: the rows of one slice.
SLICE_ROWS = 5_000
# What people say about an item hangs on it by a word: table -> component, word.
_RATED = {
    "forum_posts": ("mod_forum", "post"),
    "data_records": ("mod_data", "entry"),
    "glossary_entries": ("mod_glossary", "entry"),
}
_COMMENTED = {"data_records": "database_entry", "glossary_entries": "glossary_entry", "wiki_pages": "wiki_page"}
_TAGGED = frozenset(("forum_posts", "data_records", "glossary_entries", "wiki_pages"))
_OVERRIDES = {"assign_overrides": "assignid", "lesson_overrides": "lessonid", "quiz_overrides": "quiz"}

_Rows = Sequence[Mapping[str, Any]]


class CascadeDelete:
    """Deletes rows and what hangs on them, inside the caller's transaction. `finish` comes last.

    Queries: two for each table that can hang on another one, and again for each 5,000 rows
    """

    def __init__(self, writer: Writer, graph: CourseGraph) -> None:
        self.writer = writer
        self.session = writer.session
        self.files = DeletedFiles()
        self._dirty_users: set[int] = set()
        self._tagids: set[int] = set()
        self._children: dict[str, list[tuple[str, str]]] = {}
        for table in graph.tables.values():
            if table.kind not in (Kind.HISTORY, Kind.SITE) and self.session.database.has_table(table.name):
                for link in table.links:
                    if link.parentkey == "id":
                        self._children.setdefault(link.parent, []).append((table.name, link.fk))
        self._areas: dict[str, dict[str, list[str]]] = {}
        for area in graph.file_areas:
            self._areas.setdefault(area.itemid, {}).setdefault(area.component, []).append(area.filearea)
        # What else goes with rows.
        self._farewells: Mapping[str, Callable[[str, _Rows], None]] = {
            "tag_instance": self._note_tags,
            "role_assignments": self._note_users,
            **dict.fromkeys(_OVERRIDES, self._delete_events),
        }

    def delete(self, table: str, *conditions: sa.ColumnElement[bool]) -> None:
        """Delete the rows of a table for which the conditions hold."""
        target = self.session.table(table)
        is_last = False
        while not is_last:
            found = self.session.fetch(sa.select(target).where(*conditions).limit(SLICE_ROWS))
            is_last = len(found) < SLICE_ROWS
            rows = sorted((dict(row._mapping) for row in found), key=lambda row: row["id"])
            if not rows:
                return
            self._delete_what_hangs_on(table, [row["id"] for row in rows])
            if table in self._farewells:
                self._farewells[table](table, rows)
            self.writer.delete_many(table, rows)

    def delete_files_of(self, table: str, ids: Collection[int]) -> None:
        """Delete the files of rows that may stay."""
        filearea = self.session.table("files").c.filearea
        for component, areas in self._areas.get(table, {}).items():
            patterns = [area.replace("_", "\\_").replace("*", "%") for area in areas if area.endswith("*")]
            named = sa.or_(filearea.in_(areas), *(filearea.like(pattern, escape="\\") for pattern in patterns))
            owner = self.session.table("files").c.component == component
            self.files += delete_files(self.writer, "itemid", sorted(ids), owner, named)

    def finish(self) -> DeletedFiles:
        """Delete tags that nothing bears any more, tell Moodle of changed roles; give the files to be seen to."""
        delete_unborne_tags(self.writer, sorted(self._tagids))
        caches.flag_changes(self.writer, dirty_users=self._dirty_users)
        return self.files

    def _delete_what_hangs_on(self, table: str, ids: Sequence[int]) -> None:
        for child, column in self._children.get(table, ()):
            self.delete(child, self.session.in_clause(self.session.table(child).c[column], ids))
        if table in _RATED:
            rating = self.session.table("rating")
            component, area = _RATED[table]
            self.delete(
                "rating",
                rating.c.component == component,
                rating.c.ratingarea == area,
                self.session.in_clause(rating.c.itemid, ids),
            )
        if table in _COMMENTED:
            comment = self.session.table("comments")
            self.delete(
                "comments", comment.c.commentarea == _COMMENTED[table], self.session.in_clause(comment.c.itemid, ids)
            )
        if table in _TAGGED:
            instance = self.session.table("tag_instance")
            self.delete("tag_instance", instance.c.itemtype == table, self.session.in_clause(instance.c.itemid, ids))
        self.delete_files_of(table, ids)

    def _note_tags(self, _table: str, rows: _Rows) -> None:
        self._tagids.update(row["tagid"] for row in rows)

    def _note_users(self, _table: str, rows: _Rows) -> None:
        self._dirty_users.update(row["userid"] for row in rows)

    def _delete_events(self, table: str, rows: _Rows) -> None:
        """The calendar entries of dates that an activity gives to a person or a group."""
        event, module = self.session.table("event"), table.removesuffix("_overrides")
        whose = {(row[_OVERRIDES[table]], row["userid"], row["groupid"]) for row in rows}
        found = self.session.fetch(
            sa.select(event.c.id, event.c.instance, event.c.userid, event.c.groupid).where(
                event.c.modulename == module,
                self.session.in_clause(event.c.instance, sorted({activity for activity, _user, _group in whose})),
            )
        )
        ids = [
            row.id
            for row in found
            if (row.instance, row.userid, None) in whose or (row.groupid and (row.instance, None, row.groupid) in whose)
        ]
        self.writer.delete_where("event", "id", ids)
