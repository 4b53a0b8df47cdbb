"""What has to be known of an archive, and of the site that it goes to, before its rows can be given.

Only ids and names are gathered, so memory grows with the number of activities and questions and not with what they hold.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator

from sync.moodle.course_content.backup.content import ArchivedContent
from sync.moodle.course_content.graph.content_source import Row
from sync.moodle.course_content.graph.graph import CourseGraph
from sync.moodle.course_content.restore.column_defaults import fetch_absent_values
from sync.moodle.course_content.restore.question_banks import FIRST_ID, arranged, category_of_filter, tags_of_filter
from sync.moodle.course_content.restore.rows import TAG_LENGTH, Facts, number_of, tag_name
from sync.moodle.course_content.restore.site_names import SiteNames
from sync.moodle.course_content.restore.text_links import fetch_wwwroot
from sync.moodle.courses.system_bank import BANK
from sync.moodle.db.database import MoodleSession

_AUTHORS = {
    "question": ("createdby", "modifiedby"),
    "question_bank_entries": ("ownerid",),
    "contentbank_content": ("usercreated", "usermodified"),
}


def gather_facts(
    session: MoodleSession, graph: CourseGraph, archive: ArchivedContent, names: SiteNames, *, now: int
) -> Facts:
    """Read through the archive for what its rows have to be held against. Queries: some ten"""
    manifest = archive.manifest
    sections = sorted(rows_of(archive, "course_sections"), key=lambda row: number_of(row.get("section")))
    banks = arranged(
        rows_of(archive, "question_categories"),
        archive.contexts(),
        manifest.contextid,
        has_qbank=BANK in names.modules,
        courseid=manifest.courseid,
        sectionid=sections[0]["id"] if sections else FIRST_ID,
        groupmode=number_of(archive.course.get("groupmode")),
        wanted=_wanted_categories(archive),
        now=now,
    )
    facts = Facts(
        names=names,
        now=now,
        version=session.version,
        operatorid=session.operatorid,
        courseid=manifest.courseid,
        contextid=manifest.contextid,
        same_site=is_same_site(session, archive),
        banks=banks,
        roles=names.roles(dict(archive.roles())),
        absent=fetch_absent_values(session),
        delegates=frozenset(row["id"] for row in rows_of(archive, "subsection")),
    )
    facts.tagids = names.tags(wanted_tags(archive))
    shortnames = {row.get("courseinstanceshortname") for row in rows_of(archive, "course_completion_criteria")}
    facts.courseids = names.courseids({name for name in shortnames if name})
    facts.templates = frozenset(
        names.known_ids("quizaccess_seb_template", _ids(archive, "quizaccess_seb_quizsettings", ("templateid",)))
        if facts.same_site
        else ()
    )
    facts.scales = _matched(archive, "scale", "scale", names.scales)
    facts.outcomes = _matched(archive, "grade_outcomes", "shortname", names.outcomes)
    _gather_lost_questions(archive, facts, graph.question_types & (names.question_types or graph.question_types))
    if facts.same_site:
        _gather_neighbours(archive, facts)
    return facts


def rows_of(archive: ArchivedContent, table: str) -> Iterator[Row]:
    if table in archive.tables():
        for batch in archive.rows(table):
            yield from batch


def is_same_site(session: MoodleSession, archive: ArchivedContent) -> bool:
    """Tell whether the archive was made on this site. Source: spec backup_format.md section 5"""
    if archive.manifest.site_hash:
        identifier = session.config.get("siteidentifier", "").encode()
        return hashlib.md5(identifier, usedforsecurity=False).hexdigest() == archive.manifest.site_hash
    return bool(archive.manifest.wwwroot) and archive.manifest.wwwroot == fetch_wwwroot(session)


def question_types(archive: ArchivedContent) -> set[str]:
    return {str(row.get("qtype")) for row in rows_of(archive, "question")}


def wanted_tags(archive: ArchivedContent) -> dict[str, str]:
    """Return the tags that the content bears or asks for. Shape: name in small letters -> as it is written"""
    tags = {tag_name(row): str(row.get("rawname") or row.get("name")) for row in rows_of(archive, "tag_instance")}
    for row in rows_of(archive, "question_set_references"):
        tags = {**dict.fromkeys(tags_of_filter(row.get("filtercondition")), ""), **tags}
    return {name: (rawname or name)[:TAG_LENGTH] for name, rawname in tags.items() if name}


def _wanted_categories(archive: ArchivedContent) -> set[int]:
    """Return the categories that hold questions, or that random questions are drawn from."""
    holding = {number_of(row.get("questioncategoryid")) for row in rows_of(archive, "question_bank_entries")}
    drawn = (category_of_filter(row.get("filtercondition")) for row in rows_of(archive, "question_set_references"))
    return holding | {categoryid for categoryid in drawn if categoryid}


def _gather_lost_questions(archive: ArchivedContent, facts: Facts, kinds: Collection[str]) -> None:
    """Find the questions whose type the site doesn't have, and what would be left of them."""
    lost = {row["id"] for row in rows_of(archive, "question") if row.get("qtype") not in kinds}
    if not lost:
        return
    versions: dict[int, set[bool]] = {}
    for row in rows_of(archive, "question_versions"):
        versions.setdefault(number_of(row["questionbankentryid"]), set()).add(number_of(row.get("questionid")) in lost)
    facts.lost_questions = frozenset(lost)
    facts.lost_entries = frozenset(entry for entry, are_lost in versions.items() if are_lost == {True})
    facts.lost_slots = frozenset(
        number_of(row["itemid"])
        for row in rows_of(archive, "question_references")
        if number_of(row.get("questionbankentryid")) in facts.lost_entries
    )
    _close_gaps(archive, facts)


def _close_gaps(archive: ArchivedContent, facts: Facts) -> None:
    """Number the slots of quizzes anew, and find the sections that begin with each."""
    kept: dict[int, list[tuple[int, int]]] = {}
    for row in rows_of(archive, "quiz_slots"):
        if row["id"] not in facts.lost_slots:
            kept.setdefault(number_of(row.get("quizid")), []).append((number_of(row.get("slot")), row["id"]))
    for slots in kept.values():
        facts.slot_numbers |= {rowid: number for number, (_old, rowid) in enumerate(sorted(slots), start=1)}
    sections = sorted(
        (number_of(row.get("quizid")), number_of(row.get("firstslot")), row["id"])
        for row in rows_of(archive, "quiz_sections")
    )
    taken: set[tuple[int, int]] = set()
    for quiz, first, rowid in reversed(sections):
        slots = kept.get(quiz, [])
        before = sum(old < first for old, _slot in slots)
        # Of those that begin with the same slot now, only the last has any.
        is_empty = (quiz, before) in taken or 0 < before == len(slots)
        facts.first_slots[rowid] = None if is_empty else before + 1
        taken.add((quiz, before))


def _gather_neighbours(archive: ArchivedContent, facts: Facts) -> None:
    """Find what isn't in an archive of this very site, and is still there."""
    names = facts.names
    entries = _ids(archive, "question_references", ("questionbankentryid",))
    people = {rowid for table, columns in _AUTHORS.items() for rowid in _ids(archive, table, columns)}
    facts.neighbours = {
        "question_bank_entries": frozenset(names.known_ids("question_bank_entries", entries)),
        "user": frozenset(names.known_ids("user", people)),
        "lti_types": names.lti_types,
    }


def _matched(archive: ArchivedContent, table: str, column: str, site: dict[str, int]) -> dict[int, int]:
    return {row["id"]: site[str(row[column])] for row in rows_of(archive, table) if row.get(column) in site}


def _ids(archive: ArchivedContent, table: str, columns: Collection[str]) -> set[int]:
    found = {number_of(row.get(column)) for row in rows_of(archive, table) for column in columns}
    return {rowid for rowid in found if 0 < rowid < FIRST_ID}
