"""Questions of courses that go, but are used elsewhere: they move to the category that the course was in.

From Moodle 5.0 on only activities have questions: they move to the bank that Moodle itself keeps on the front page.
Mirrors: question_delete_context(), question_category_delete_safe() and question_save_from_deletion(); spec courses.md
section 2, step 8
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from sync.moodle.course_content.graph.graph import CourseGraph
from sync.moodle.course_content.graph.scope import Scope, inline
from sync.moodle.courses.courses import Course
from sync.moodle.courses.system_bank import bank_of_site
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import RowChange, Writer
from sync.moodle.files.files import pathname_hash

_QUESTION_BANK = "question bank context"
_TOP, _LAST = "top", 999  # question_categories.name of the root, .sortorder of moved ones
_NAME_LENGTH = 255


def move_shared_questions(
    writer: Writer, graph: CourseGraph, courses: Sequence[Course], scope: Scope, *, now: int
) -> None:
    """Move the questions that activities outside of the scope use; a new category for each that they leave.

    Queries: two where there is nothing to move
    """
    session = writer.session
    entries = _entries_in_use(session, scope)
    if not entries:
        return
    category, entry = session.table("question_categories"), session.table("question_bank_entries")
    wanted = sa.select(entry.c.id, category.c.id.label("categoryid"), category.c.name, category.c.contextid)
    found = session.fetch(
        wanted.join(category, category.c.id == entry.c.questioncategoryid).where(entry.c.id.in_(inline(entries)))
    )
    home = _homes(writer, courses, {row.contextid for row in found}, now=now)
    tops = _top_categories(writer, sorted(set(home.values())), now=now)
    sources = {row.categoryid: row for row in found}
    new = writer.insert_many(
        "question_categories",
        [
            {
                "name": f"{source.name} ({now})"[:_NAME_LENGTH],
                "contextid": home[source.contextid],
                "info": "",
                "infoformat": 1,
                "stamp": _stamp(now),
                "parent": tops[home[source.contextid]],
                "sortorder": _LAST,
            }
            for source in sources.values()
        ],
        ("contextid", "stamp"),
    )
    moved_to = dict(zip(sources, new, strict=True))
    writer.update_many(
        "question_bank_entries",
        [
            RowChange(row.id, {"questioncategoryid": row.categoryid}, {"questioncategoryid": moved_to[row.categoryid]})
            for row in found
        ],
    )
    _move_what_hangs_on(writer, graph, [row.id for row in found], home)


def _entries_in_use(session: MoodleSession, scope: Scope) -> set[int]:
    """The bank entries of the scope that are used outside, with the entries of their subquestions."""
    category, entry, version, reference, usage, attempt, question = map(
        session.table,
        (
            "question_categories", "question_bank_entries", "question_versions", "question_references", "question_usages",
            "question_attempts", "question",
        ),
    )  # fmt: skip
    ours = (
        sa.select(entry.c.id)
        .join(category, category.c.id == entry.c.questioncategoryid)
        .where(category.c.contextid.in_(inline(scope.contextids)))
    )
    referred = ours.join(reference, reference.c.questionbankentryid == entry.c.id).where(
        reference.c.usingcontextid.not_in(inline(scope.contextids))
    )
    with_versions = ours.join(version, version.c.questionbankentryid == entry.c.id)
    answered = (
        with_versions.join(attempt, attempt.c.questionid == version.c.questionid)
        .join(usage, usage.c.id == attempt.c.questionusageid)
        .where(usage.c.contextid.not_in(inline(scope.contextids)))
    )
    entries = {entryid for (entryid,) in session.fetch(sa.union(referred, answered))}
    if entries:
        parents = sa.select(version.c.questionid).where(version.c.questionbankentryid.in_(inline(entries)))
        children = with_versions.join(question, question.c.id == version.c.questionid).where(
            question.c.parent.in_(parents.correlate(None))
        )
        entries.update(entryid for (entryid,) in session.fetch(children))
    return entries


def _homes(writer: Writer, courses: Sequence[Course], contextids: set[int], *, now: int) -> dict[int, int]:
    """Return for each context of a course the one that its questions move to.

    That is the bank of the front page where questions lie in activities; else the category that the course is in, or the
    system if the path is lost.
    """
    session = writer.session
    bank = bank_of_site(writer, now=now)
    if bank is not None:
        return dict.fromkeys(contextids, bank)
    context = session.table("context")
    paths = session.fetch(sa.select(context.c.id, context.c.path).where(context.c.id.in_(inline(contextids))))
    homes = dict.fromkeys(contextids, session.system_contextid)
    for contextid, path in paths:
        for course in courses:
            if course.path and f"{path}/".startswith(f"{course.path}/"):
                homes[contextid] = int(course.path.split("/")[-2])
    return homes


def _top_categories(writer: Writer, contextids: Sequence[int], *, now: int) -> dict[int, int]:
    """Return the root of each context's question categories; made where there is none."""
    category = writer.session.table("question_categories")
    statement = sa.select(category.c.contextid, category.c.id).where(
        category.c.contextid.in_(contextids), category.c.parent == 0
    )
    tops: dict[int, int] = dict(writer.session.fetch(statement))
    missing = [contextid for contextid in contextids if contextid not in tops]
    rows = [
        {"name": _TOP, "contextid": contextid, "info": "", "infoformat": 0, "stamp": _stamp(now), "parent": 0, "sortorder": 0}
        for contextid in missing
    ]  # fmt: skip
    tops.update(zip(missing, writer.insert_many("question_categories", rows, ("contextid", "stamp")), strict=True))
    return tops


def _move_what_hangs_on(writer: Writer, graph: CourseGraph, entries: Sequence[int], home: dict[int, int]) -> None:
    """Move the files and tags of questions along."""
    session = writer.session
    version, files, tagged = map(session.table, ("question_versions", "files", "tag_instance"))
    questions = sa.select(version.c.questionid).where(version.c.questionbankentryid.in_(inline(entries)))
    areas = [
        sa.and_(
            files.c.component == area.component, files.c.filearea == area.filearea,
            files.c.itemid.in_(_owners(session, graph, area.itemid, questions)),
        )
        for area in graph.file_areas
        if area.context == _QUESTION_BANK and session.database.has_table(area.itemid)
    ]  # fmt: skip
    found = session.fetch(sa.select(files).where(files.c.contextid.in_(inline(home)), sa.or_(*areas)))
    writer.update_many(
        "files",
        [
            RowChange(row.id, {"contextid": row.contextid, "pathnamehash": row.pathnamehash}, _moved_file(row, home))
            for row in found
        ],
    )
    tags = session.fetch(
        sa.select(tagged.c.id, tagged.c.contextid).where(
            tagged.c.component == "core_question",
            tagged.c.itemtype == "question",
            tagged.c.itemid.in_(questions),
            tagged.c.contextid.in_(inline(home)),
        )
    )
    writer.update_many(
        "tag_instance",
        [RowChange(row.id, {"contextid": row.contextid}, {"contextid": home[row.contextid]}) for row in tags],
    )


def _owners(session: MoodleSession, graph: CourseGraph, name: str, questions: sa.Select[Any]) -> sa.Select[Any]:
    """The rows of a question's table that files are bound to."""
    if name == "question":
        return questions
    table = session.table(name)
    return sa.select(table.c.id).where(table.c[graph.tables[name].links[0].fk].in_(questions))


def _moved_file(row: sa.Row[Any], home: dict[int, int]) -> dict[str, Any]:
    contextid = home[row.contextid]
    return {"contextid": contextid, "pathnamehash": pathname_hash({**row._mapping, "contextid": contextid})}


def _stamp(now: int) -> str:
    return f"toolsync+{now}+{secrets.token_hex(6)}"
