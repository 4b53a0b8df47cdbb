"""Restore the content of a course or backup into courses, whole sets at a time.

First pass: the rows, table by table, what they refer to first. Second pass: what could only be said once all ids were known.
Source: spec course_graph.md section 2a; effects course_restore_template_*
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import sqlalchemy as sa

from sync.moodle.course_content.graph.content_source import ContentSource, CourseTarget, IdMap, Row
from sync.moodle.course_content.graph.content_tables import (
    BLOCKS,
    CMS,
    CONTEXTS_OF_ACTIVITIES,
    CONTEXTS_OF_BLOCKS,
    SECTIONS,
    content_graph,
    insert_order,
)
from sync.moodle.course_content.graph.graph import CONTEXT, COURSE, CourseGraph, GraphTable
from sync.moodle.course_content.restore.deferred_references import (
    DeferredReferences,
    deferred_rows,
    rewrite_courses,
    rewrite_deferred,
)
from sync.moodle.course_content.restore.existing_rows import ExistingRows, is_compared
from sync.moodle.course_content.restore.own_idnumbers import OwnIdnumbers
from sync.moodle.course_content.restore.post_restore import (
    add_grade_settings,
    mark_for_regrading,
    queue_tasks,
)
from sync.moodle.course_content.restore.references import (
    LEFT_OUT,
    ReferenceResolver,
    ReferenceRule,
    fetch_site_facts,
    rules_of,
    text_columns,
)
from sync.moodle.course_content.restore.restored_files import restore_files
from sync.moodle.course_content.restore.section_places import place_sections
from sync.moodle.course_content.restore.single_forums import open_single_forums
from sync.moodle.db.writer import RowChange, Writer, batched
from sync.moodle.site.contexts import NewContext, insert_contexts
from sync.moodle.versions import CONTEXT_BLOCK, CONTEXT_COURSE, CONTEXT_MODULE

# How many new rows are in memory at a time.
SLICE_ROWS = 5_000

# What Moodle writes anew, the time of the copy: table -> columns.
_STAMPED = {
    "course_sections": ("timemodified",),
    "customfield_data": ("timecreated", "timemodified"),
    "tag_instance": ("timecreated", "timemodified"),
}


@dataclass
class RestoreResult:
    """What came into one course.

    Shape: counts: table -> rows that came in; left_out: table -> rows that are about something that isn't in the content;
    reused: (table, old id) of rows that the course had already
    """

    target: CourseTarget
    maps: IdMap = field(default_factory=IdMap)
    reused: set[tuple[str, int]] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)


def restore_content(
    writer: Writer, graph: CourseGraph, source: ContentSource, targets: Sequence[CourseTarget], *, now: int
) -> list[RestoreResult]:
    """Plant the same content into courses, inside the caller's transaction; return what came into each, in their order.

    Makes the contexts of activities and blocks and the rows of `files` (their content is in the pool already), queues what
    Moodle does in the background. Left to the caller: the rows of `course` but for CourseTarget.values,
    `enrol`, the order of courses.
    Queries: by the tables that hold rows, and one more for each 5,000 rows; the number of targets counts only through rows
    """
    return _Restore(writer, content_graph(graph), source, targets, now).run()


class _New(NamedTuple):
    """A row to be inserted. Shape: place: of its target among all; old: its old id"""

    place: int
    old: int
    row: Row


class _Restore:
    """One restore, and what it learns of ids."""

    def __init__(
        self, writer: Writer, content: CourseGraph, source: ContentSource, targets: Sequence[CourseTarget], now: int
    ) -> None:
        self.writer = writer
        self.session = writer.session
        self.content = content
        self.source = source
        self.now = now
        self.results = [RestoreResult(target) for target in targets]
        facts = fetch_site_facts(self.session)
        criteria = _types_of_criteria(source)
        self.lookups = [ReferenceResolver(each.maps, source, each.target, facts, criteria) for each in self.results]
        self.contexts = source.contexts()
        self.existing_rows = ExistingRows(self.session, content, targets)
        self.idnumbers = OwnIdnumbers(self.session, targets)
        self.deferred: dict[str, DeferredReferences] = {}
        # Tables whose rows are there: what they are called now is known.
        self._done = {COURSE}
        # New contexts of each target with their paths, and those that new blocks stand in.
        self._paths = [{target.contextid: target.path} for target in targets]
        self._block_parents: dict[int, int] = {}
        self._section_numbers: dict[int, dict[int, int]] = {}

    def run(self) -> list[RestoreResult]:
        for each in self.results:
            each.maps.of(COURSE)[self.source.courseid] = each.target.courseid
            for old, context in self.contexts.items():
                if context.level == CONTEXT_COURSE:
                    each.maps.of(CONTEXT)[old] = each.target.contextid
        filled = {name for name in self.source.tables() if self.session.database.has_table(name)}
        self.session.database.load_tables(filled, self.session.connection)
        for step in insert_order(self.content):
            if step == CONTEXTS_OF_ACTIVITIES:
                self._make_contexts(CONTEXT_MODULE, CMS)
            elif step == CONTEXTS_OF_BLOCKS:
                self._make_contexts(CONTEXT_BLOCK, BLOCKS)
                self._done.add(CONTEXT)
            elif step in filled:
                self._restore_table(self.content.tables[step])
            self._done.add(step)
        for name, deferred in self.deferred.items():
            rewrite_deferred(self.writer, name, deferred, self.lookups, [each.reused for each in self.results])
        self._add_to_sections()
        rewrite_courses(self.writer, self.lookups)
        files = restore_files(self.writer, self.content, self.source, self.lookups, self.existing_rows, now=self.now)
        for each, count in zip(self.results, files, strict=True):
            each.counts["files"] = count
        self._follow_up()
        return self.results

    def _follow_up(self) -> None:
        courseids = [each.target.courseid for each in self.results]
        open_single_forums(self.writer, courseids, now=self.now)
        filled = [each.target.courseid for each in self.results if each.target.is_filled]
        graded = [each.target.courseid for each in self.results if each.target.is_filled and not each.target.is_emptied]
        add_grade_settings(self.writer, sorted(set(courseids) - set(graded)))
        mark_for_regrading(self.writer, filled)
        queue_tasks(self.writer, courseids, now=self.now)

    def _restore_table(self, table: GraphTable) -> None:
        if table.name == SECTIONS:
            targets = [each.target for each in self.results]
            self._section_numbers = place_sections(self.writer, self.source, targets)
        columns = self.session.table(table.name).c
        rules = list(rules_of(self.content, table, columns))
        at_once = [rule for rule in rules if rule.needs is not None and rule.needs <= self._done]
        deferred = DeferredReferences([rule for rule in rules if rule not in at_once], text_columns(columns))
        for batch in self._in_order(table.name, self.source.rows(table.name)):
            deferred.rows += deferred_rows(batch, deferred, self.source.links)
            for places in batched(range(len(self.results)), max(1, SLICE_ROWS // max(1, len(batch)))):
                new = [new for place in places for new in self._new_rows(place, table, at_once, batch, columns)]
                self._insert(table.name, new)
        if deferred.rows:
            self.deferred[table.name] = deferred

    def _in_order(self, table: str, batches: Iterator[Sequence[Row]]) -> Iterator[Sequence[Row]]:
        """Number the tags of each thing from 1 on, as Moodle does when it restores them one after the other."""
        if table != "tag_instance":
            yield from batches
            return
        count: Counter[tuple[str, int]] = Counter()
        for batch in batches:
            numbered = []
            for row in batch:
                count[row["itemtype"], row["itemid"]] += 1
                numbered.append({**row, "ordering": count[row["itemtype"], row["itemid"]]})
            yield numbered

    def _new_rows(
        self,
        place: int,
        table: GraphTable,
        rules: Sequence[ReferenceRule],
        batch: Sequence[Row],
        columns: sa.ColumnCollection[str, sa.Column[object]],
    ) -> Iterator[_New]:
        """Return the rows of a batch as they are in one target, as far as that can be said now."""
        lookup, results = self.lookups[place], self.results[place]
        for old in batch:
            if self._is_set_already(table.name, old, results.target) or _hangs_on(table, old, results.reused):
                continue
            parent = _parent(table, old, results.maps)
            values = {
                rule.column: rule.rewrite(old[rule.column], old, lookup)
                for rule in rules
                if parent is not None and rule.column in old and rule.column not in parent
            }
            if parent is None or LEFT_OUT in values.values():
                results.left_out[table.name] += 1
                continue
            new = {**old, **values, **parent, **dict.fromkeys(_stamped(table.name, old), self.now)}
            if results.target.is_filled:
                if rowid := self.existing_rows.find(table.name, new):
                    results.maps.of(table.name)[old["id"]] = rowid
                    results.reused.add((table.name, old["id"]))
                    continue
                new = self.existing_rows.with_own_names(table.name, new)
                if table.name == SECTIONS:
                    numbers = self._section_numbers.get(results.target.courseid, {})
                    new["section"] = numbers.get(old["id"], new["section"])
            new = self.idnumbers.with_own(table.name, new)
            yield _New(place, old["id"], {name: new[name] for name in new if name in columns and name != "id"})

    def _is_set_already(self, table: str, row: Row, target: CourseTarget) -> bool:
        """Whether a row says of the course itself what the course says already: all of it where content is only added."""
        if table == "customfield_data":
            is_of_course = row["instanceid"] == self.source.courseid
            return is_of_course and (target.is_filled or row["fieldid"] in target.own_fields)
        if table == "grade_settings":
            # They went with what the course held. Source: remove_course_grades(), process_grade_setting()
            return target.is_filled and not target.is_emptied
        if table == "tag_instance":
            return target.is_filled and row["itemtype"] == COURSE
        is_of_course = table == "course_format_options" and not row["sectionid"]
        return is_of_course and (target.is_filled or row["name"] in target.own_options)

    def _insert(self, table: str, new: Sequence[_New]) -> None:
        """Insert rows, those of the same columns together."""
        alike: dict[tuple[str, ...], list[_New]] = defaultdict(list)
        for item in new:
            alike[tuple(item.row)].append(item)
        for items in alike.values():
            ids = self.writer.insert_in_order(table, [item.row for item in items])
            for item, rowid in zip(items, ids, strict=True):
                self.results[item.place].maps.of(table)[item.old] = rowid
                self.results[item.place].counts[table] += 1
                if table == BLOCKS:
                    self._block_parents[rowid] = item.row["parentcontextid"]

    def _add_to_sections(self) -> None:
        """List new activities in the sections that were there, behind what these hold."""
        deferred = self.deferred.get(SECTIONS)
        if deferred is None:
            return
        added: dict[int, str] = {}
        for each, lookup in zip(self.results, self.lookups, strict=True):
            for old, values in deferred.rows:
                if (SECTIONS, old) in each.reused and values.get("sequence"):
                    new = deferred.rewritten(values, lookup).get("sequence")
                    if new:
                        added[each.maps.of(SECTIONS)[old]] = new
        if not added:
            return
        section = self.session.table(SECTIONS)
        found = self.session.fetch(
            sa.select(section.c.id, section.c.sequence, section.c.timemodified).where(
                self.session.in_clause(section.c.id, sorted(added))
            )
        )
        self.writer.update_many(SECTIONS, [
            RowChange(
                row.id,
                {"sequence": row.sequence, "timemodified": row.timemodified},
                {"sequence": ",".join(filter(None, (row.sequence, added[row.id]))), "timemodified": self.now},
            )
            for row in found
        ])  # fmt: skip

    def _make_contexts(self, level: int, table: str) -> None:
        """Make the contexts of all new activities or blocks."""
        new = [
            (place, old, rowid)
            for place, each in enumerate(self.results)
            for old, rowid in each.maps.of(table).items()
            if (table, old) not in each.reused
        ]
        wanted = []
        for place, _old, rowid in new:
            parentid = self._block_parents.get(rowid) if table == BLOCKS else None
            paths = self._paths[place]
            wanted.append(NewContext(level, rowid, paths[parentid or self.results[place].target.contextid]))
        known = {context.instanceid: old for old, context in self.contexts.items() if context.level == level}
        for (place, old, _rowid), context in zip(new, insert_contexts(self.writer, wanted), strict=True):
            results = self.results[place]
            self._paths[place][context.id] = context.path
            results.counts[CONTEXT] += 1
            if old in known:
                results.maps.of(CONTEXT)[known[old]] = context.id


def _types_of_criteria(source: ContentSource) -> dict[int, int]:
    """Return the types of the criteria of badges, as far as their names need them."""
    if "badge_criteria_param" not in source.tables():
        return {}
    rows = (row for batch in source.rows("badge_criteria") for row in batch)
    # Of a hostile archive it may be any text.
    types = {row["id"]: str(row.get("criteriatype")) for row in rows}
    return {rowid: int(text) for rowid, text in types.items() if text.isdecimal()}


def _parent(table: GraphTable, row: Row, maps: IdMap) -> Row | None:
    """Return the column by which a row belongs to the course, with the new parent; None for rows whose parent isn't there."""
    for link in table.links:
        if any(row.get(column) != value for column, value in link.where):
            continue
        if link.fk == "id":
            return {}
        parent = maps.get(link.parent, row.get(link.fk) or 0)
        if parent is not None:
            return {link.fk: parent}
    return None


def _hangs_on(table: GraphTable, row: Row, reused: set[tuple[str, int]]) -> bool:
    """Whether a row belongs to one that was there already, and has what belongs to it."""
    return bool(reused) and any(
        (link.parent, row.get(link.fk) or 0) in reused
        for link in table.links
        if link.parent not in (COURSE, CONTEXT) and not is_compared(table.name)
    )


def _stamped(table: str, row: Row) -> Sequence[str]:
    """Return the columns that hold the time of the copy. Source: effects course_restore_template_samesite"""
    if table == "grade_items":
        return ("timecreated", "timemodified") if row["itemtype"] == "mod" else ()
    return _STAMPED.get(table, ())
