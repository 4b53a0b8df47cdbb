"""The question bank that Moodle itself keeps in a course, from 5.0 on: a hidden activity of the kind `qbank`.

Mirrors: question_bank_helper::get_default_open_instance_system_type() and create_default_open_instance()
"""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.courses.creation import module_id
from sync.moodle.courses.sections import new_section
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import RowChange, Writer
from sync.moodle.site.contexts import NewContext, insert_contexts
from sync.moodle.versions import CONTEXT_COURSE, CONTEXT_MODULE

BANK = "qbank"
# Strings systembank and systembankdescription of Moodle 5.0 and later.
_NAME = "System shared question bank"
_INTRO = "This question bank was created automatically when the site was upgraded."
_TYPE = "system"


class ModulePlace(NamedTuple):
    """Where an activity stands. Shape: courseid, sectionid: old ones where it is restored; groupmode: of the course"""

    courseid: int
    sectionid: int
    groupmode: int


def bank_values(courseid: int, *, now: int) -> dict[str, Any]:
    """Return the row of the bank."""
    return {
        "course": courseid, "name": _NAME, "intro": _INTRO, "introformat": 1, "type": _TYPE, "timecreated": now,
        "timemodified": now,
    }  # fmt: skip


def module_values(place: ModulePlace, instanceid: int, *, now: int) -> dict[str, Any]:
    """Return the row of the bank's course module, without its kind."""
    return {
        "course": place.courseid, "instance": instanceid, "section": place.sectionid, "idnumber": "", "added": now,
        "visible": 0, "visibleold": 0, "visibleoncoursepage": 0, "groupmode": place.groupmode, "showdescription": 1,
        "downloadcontent": 1,
    }  # fmt: skip


def bank_of_site(writer: Writer, *, now: int) -> int | None:
    """Return the context of the bank on the front page; it is made where there is none.

    Shape: None: the site keeps no questions in activities (Moodle before 5.0)
    Queries: none there; two where the bank is there
    """
    session = writer.session
    if BANK not in session.modules or not session.database.has_table(BANK):
        return None
    course, context = session.table("course"), session.table("context")
    is_its_own = sa.and_(context.c.contextlevel == CONTEXT_COURSE, context.c.instanceid == course.c.id)
    wanted = (course.c.id, course.c.groupmode, course.c.groupmodeforce, course.c.defaultgroupingid, course.c.cacherev)
    found = session.fetch(
        sa.select(*wanted, context.c.path).join(context, is_its_own).where(course.c.category == 0).order_by(course.c.id)
    )
    if not found:
        return None
    site = found[0]
    present = _present(session, site.id)
    if present is not None and present.contextid is not None:
        return int(present.contextid)
    cmid = _new_module(writer, site, now=now) if present is None else present.id
    (made,) = insert_contexts(writer, [NewContext(CONTEXT_MODULE, cmid, site.path)])
    return made.id


def _present(session: MoodleSession, courseid: int) -> sa.Row[Any] | None:
    """The course module of the bank and its context, which Moodle makes only when it is looked at."""
    bank, cm, modules, context = map(session.table, (BANK, "course_modules", "modules", "context"))
    statement = (
        sa.select(cm.c.id, context.c.id.label("contextid"))
        .select_from(bank)
        .join(cm, sa.and_(cm.c.course == bank.c.course, cm.c.instance == bank.c.id))
        .join(modules, sa.and_(modules.c.id == cm.c.module, modules.c.name == BANK))
        .outerjoin(context, sa.and_(context.c.contextlevel == CONTEXT_MODULE, context.c.instanceid == cm.c.id))
        .where(bank.c.course == courseid, bank.c.type == _TYPE, cm.c.deletioninprogress == 0)
        .order_by(bank.c.id)
    )
    return next(iter(session.fetch(statement)), None)


def _new_module(writer: Writer, site: sa.Row[Any], *, now: int) -> int:
    """Make the bank in the first section; return its course module."""
    session = writer.session
    section = session.table("course_sections")
    first = session.fetch(
        sa.select(section.c.id, section.c.sequence).where(section.c.course == site.id, section.c.section == 0)
    )
    if first:
        sectionid = first[0].id
    else:
        new = new_section(site.id, 0, {}, now=now)
        (sectionid,) = writer.insert_many("course_sections", [new], ("course", "section"))
    (bankid,) = writer.insert_many(BANK, [bank_values(site.id, now=now)], ("course", "type"))
    place = ModulePlace(site.id, sectionid, 0 if site.groupmodeforce else site.groupmode)
    row = {
        **module_values(place, bankid, now=now),
        "module": module_id(session, BANK),
        "groupingid": site.defaultgroupingid,
    }
    (cmid,) = writer.insert_many("course_modules", [row], ("course", "module", "instance"))
    if first:
        before = {"sequence": first[0].sequence}
        listed = ",".join(filter(None, (first[0].sequence, str(cmid))))
        writer.update_many("course_sections", [RowChange(sectionid, before, {"sequence": listed})])
    else:
        writer.complete_many("course_sections", {sectionid: {"sequence": str(cmid)}})
    renewed = {"cacherev": max(site.cacherev + 1, now)}
    writer.update_many("course", [RowChange(site.id, {"cacherev": site.cacherev}, renewed)])
    return cmid
