"""Sections and activities: each activity stands in one section of its course, and has its own row and type."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.integrity.check import Check, CheckContext, dangling, lacks


class _Listing(NamedTuple):
    """The sections and activities of one course. Shape: section -> ids that it lists; activity -> section it says it is in"""

    sections: dict[int, list[str]]
    modules: dict[int, int]


def _listing_strangers(look: CheckContext) -> Iterator[int]:
    """Sections whose list names something that is no activity of their course, or names one twice."""
    for course in _courses(look):
        own = {str(cmid) for cmid in course.modules}
        for sectionid, listed in course.sections.items():
            if len(set(listed)) != len(listed) or not own.issuperset(listed):
                yield sectionid


def _not_listed_once(look: CheckContext) -> Iterator[int]:
    """Activities that the section in which they say they are doesn't list, or that another one lists as well."""
    for course in _courses(look):
        listing: dict[str, list[int]] = defaultdict(list)
        for sectionid, listed in course.sections.items():
            for cmid in set(listed):
                listing[cmid].append(sectionid)
        for moduleid, said in course.modules.items():
            if listing.get(str(moduleid)) != [said]:
                yield moduleid


def _courses(look: CheckContext) -> Iterator[_Listing]:
    """Return course by course, so that no more than one is held; both tables in one answer, as one can be read at a time."""
    section, cm = look.table("course_sections"), look.table("course_modules")
    zero: sa.ColumnElement[int] = sa.literal_column("0")
    one: sa.ColumnElement[int] = sa.literal_column("1")
    rows = sa.union_all(
        sa.select(
            section.c.course.label("course"), zero.label("is_module"), section.c.id.label("id"),
            section.c.sequence.label("sequence"), zero.label("said"),
        ).where(*look.courses(section.c.course)),
        sa.select(cm.c.course, one, cm.c.id, sa.null(), cm.c.section).where(*look.courses(cm.c.course)),
    ).order_by("course", "is_module", "id")  # fmt: skip
    for _courseid, of_course in groupby(look.stream(rows), key=attrgetter("course")):
        course = _Listing({}, {})
        for row in of_course:
            if row.is_module:
                course.modules[row.id] = row.said
            else:
                course.sections[row.id] = [part.strip() for part in (row.sequence or "").split(",") if part.strip()]
        yield course


def _of_unknown_type(look: CheckContext) -> sa.Select[Any]:
    cm = look.table("course_modules")
    known = sorted(look.modules.values())
    return sa.select(cm.c.id).where(cm.c.module.not_in(known), *look.courses(cm.c.course))


def _without_instance(look: CheckContext, module: str) -> sa.Select[Any]:
    cm, instance = look.table("course_modules"), look.table(module)
    return sa.select(cm.c.id).where(
        cm.c.module == look.modules[module],
        lacks(instance, instance.c.id == cm.c.instance, instance.c.course == cm.c.course),
        *look.courses(cm.c.course),
    )


def _without_course_module(look: CheckContext, module: str) -> sa.Select[Any]:
    cm, instance = look.table("course_modules"), look.table(module)
    # Survey keeps its models as rows of course 0.
    return sa.select(instance.c.id).where(
        instance.c.course != 0,
        lacks(cm, cm.c.module == look.modules[module], cm.c.instance == instance.c.id),
        *look.courses(instance.c.course),
    )


def _delegated_to_nothing(look: CheckContext) -> sa.Select[Any]:
    section, subsection = look.table("course_sections"), look.table("subsection")
    return sa.select(section.c.id).where(
        section.c.component == "mod_subsection",
        lacks(subsection, subsection.c.id == section.c.itemid, subsection.c.course == section.c.course),
        *look.courses(section.c.course),
    )


def _subsection_without_section(look: CheckContext) -> sa.Select[Any]:
    section, subsection = look.table("course_sections"), look.table("subsection")
    is_its_own = (section.c.component == "mod_subsection", section.c.itemid == subsection.c.id)
    return sa.select(subsection.c.id).where(lacks(section, *is_its_own), *look.courses(subsection.c.course))


def checks_of_modules(look: CheckContext) -> Iterator[Check]:
    """Return the checks that are made for each type of activity of the site."""
    for module in look.modules:
        yield Check("course_module_instance_missing", "course_modules", partial(_without_instance, module=module))
        yield Check("activity_course_module_missing", module, partial(_without_course_module, module=module))


CHECKS = (
    dangling("section_course_missing", "course_sections", "course", "course", course="course"),
    dangling("course_module_course_missing", "course_modules", "course", "course", course="course"),
    Check("section_sequence_wrong", "course_sections", _listing_strangers, ("course_modules",)),
    Check("course_module_not_in_section", "course_modules", _not_listed_once, ("course_sections",)),
    Check("course_module_type_unknown", "course_modules", _of_unknown_type),
    Check("section_delegate_missing", "course_sections", _delegated_to_nothing, ("subsection",)),
    Check("subsection_section_missing", "subsection", _subsection_without_section),
)
