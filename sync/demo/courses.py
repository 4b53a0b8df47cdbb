"""The categories and courses of the demo Moodle, each course as Moodle's own course creation leaves it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sync.demo.tables import DAY, SYSTEM_ID, SYSTEM_PATH, Context, Tables
from sync.moodle.versions import CONTEXT_COURSE, CONTEXT_COURSECAT

STUDENT_ROLE = 5
INDUCTION, SEMINAR, HIDDEN = "LIB-INTRO", "SCI-SEM", "ARCHIVE-23"
# What the sample files of the file types name, beside courses that are there anyway; nobody else is in them.
SAMPLED, SAMPLED_WITH_GROUPS = ("MATH101", "SEMINAR", "TESTCOURSE1"), "MATH101"

# Idnumber, name, idnumber of the parent; in the order in which Moodle lists them: a child right after its parent.
_CATEGORIES = (
    # The second category of the installation, empty: the sample of deletions names it.
    ("OLD", "Former courses", ""),
    ("SCI", "Sciences", ""), ("MATH", "Mathematics", "SCI"), ("NAT", "Physics and chemistry", "SCI"), ("HUM", "Humanities", ""),
    ("ENG", "Engineering", ""), ("COMP", "Computing", "ENG"), ("LANG", "Languages", ""),
)  # fmt: skip
_COURSES = (
    ("ALG1", "Algebra I", "MATH"), ("ANA1", "Analysis I", "MATH"), ("STAT", "Statistics", "MATH"), ("PHYS1", "Physics I", "NAT"),
    ("CHEM1", "Chemistry I", "NAT"), ("HIST", "Modern history", "HUM"), ("PHIL", "Philosophy", "HUM"),
    ("LIT", "World literature", "HUM"), ("ART", "History of art", "HUM"), ("ELEC", "Electronics", "ENG"),
    ("MECH", "Mechanics", "ENG"), ("PROG", "Programming", "COMP"), ("DB", "Databases", "COMP"), ("NET", "Networks", "COMP"),
    ("FR-A1", "French A1", "LANG"), ("FR-B1", "French B1", "LANG"), ("EN-B2", "English B2", "LANG"),
    ("DE-A1", "German A1", "LANG"),
    (INDUCTION, "Finding your way in the library", "HUM"), (SEMINAR, "Seminar of the sciences", "SCI"),
    (HIDDEN, "Sciences 2023 (archive)", "SCI"), ("MATH101", "Mathematics for everybody", "MATH"),
    ("SEMINAR", "Open seminar", "SCI"), ("TESTCOURSE1", "Test course", "HUM"),
)  # fmt: skip
_SECTIONS = 4


class Category(NamedTuple):
    """A category of the demo."""

    id: int
    context: Context
    sortorder: int


class Course(NamedTuple):
    """A course of the demo. Shape: methods: name of the enrolment method -> id of its instance"""

    id: int
    shortname: str
    context: Context
    methods: Mapping[str, int]


def add_categories(tables: Tables) -> dict[str, Category]:
    """Insert the categories; return them by idnumber."""
    first = tables.next_id("course_categories")
    ids = {idnumber: first + place for place, (idnumber, _name, _parent) in enumerate(_CATEGORIES)}
    paths: dict[str, str] = {"": ""}
    rows = []
    for place, (idnumber, name, parent) in enumerate(_CATEGORIES):
        paths[idnumber] = f"{paths[parent]}/{ids[idnumber]}"
        rows.append({
            "name": name, "idnumber": idnumber, "description": "", "descriptionformat": 1, "parent": ids.get(parent, 0),
            "sortorder": _sortorder(place), "coursecount": sum(home == idnumber for _s, _f, home in _COURSES),
            "visible": 1, "visibleold": 1, "timemodified": tables.began, "depth": paths[idnumber].count("/"),
            "path": paths[idnumber],
        })  # fmt: skip
    tables.add("course_categories", rows)
    contexts: dict[str, Context] = {}
    for depth in (1, 2):
        level = [(idnumber, parent) for idnumber, _name, parent in _CATEGORIES if paths[idnumber].count("/") == depth]
        parents = [(ids[idnumber], contexts[parent].path if parent else SYSTEM_PATH) for idnumber, parent in level]
        made = tables.add_contexts(CONTEXT_COURSECAT, parents)
        contexts |= {idnumber: context for (idnumber, _parent), context in zip(level, made, strict=True)}
    return {
        idnumber: Category(ids[idnumber], contexts[idnumber], _sortorder(place))
        for place, (idnumber, _name, _parent) in enumerate(_CATEGORIES)
    }


def _sortorder(place: int) -> int:
    """Category 1 of the installation is the first of all."""
    return 10_000 * (place + 2)


def add_courses(tables: Tables, categories: Mapping[str, Category], forum_module: int) -> list[Course]:
    """Insert the courses with sections, announcements and enrolment methods.

    Mirrors: create_course() of Moodle 4.5
    """
    places = dict.fromkeys(categories, 0)
    rows = []
    for shortname, fullname, home in _COURSES:
        places[home] += 1
        rows.append(_course(tables, shortname, fullname, categories[home], places[home]))
    courseids = tables.add("course", rows)
    parents = [
        (courseid, categories[home].context.path) for courseid, (_s, _f, home) in zip(courseids, _COURSES, strict=True)
    ]
    contexts = tables.add_contexts(CONTEXT_COURSE, parents)
    _add_contents(tables, courseids, forum_module)
    methods = _add_methods(tables, courseids)
    _add_custom_field(tables)
    return [
        Course(courseid, shortname, context, methods[courseid])
        for courseid, (shortname, _fullname, _home), context in zip(courseids, _COURSES, contexts, strict=True)
    ]


def _add_custom_field(tables: Tables) -> None:
    """Insert a custom field of courses, which the sample of their values names."""
    (category,) = tables.add("customfield_category", [{
        **tables.made, "name": "Teaching", "component": "core_course", "area": "course", "itemid": 0, "contextid": SYSTEM_ID,
        "sortorder": 0,
    }])  # fmt: skip
    rules = {
        "required": "0", "uniquevalues": "0", "defaultvalue": "", "displaysize": 50, "maxlength": 1333, "ispassword": "0",
        "link": "", "locked": "0", "visibility": "2",
    }  # fmt: skip
    tables.add("customfield_field", [{
        **tables.made, "shortname": "level", "name": "Level", "type": "text", "description": "", "descriptionformat": 1,
        "sortorder": 0, "categoryid": category, "configdata": json.dumps(rules),
    }])  # fmt: skip


def _course(tables: Tables, shortname: str, fullname: str, category: Category, place: int) -> dict[str, Any]:
    visible = int(shortname != HIDDEN)
    return {
        **tables.made, "category": category.id, "sortorder": category.sortorder + place, "shortname": shortname,
        "fullname": fullname, "idnumber": f"C-{shortname}", "summary": f"<p>{fullname}, as it is taught here.</p>",
        "summaryformat": 1, "format": "topics", "newsitems": 5, "startdate": tables.began,
        "enddate": tables.began + 365 * DAY, "visible": visible, "visibleold": visible,
        "enablecompletion": 1, "showcompletionconditions": 1, "cacherev": tables.began,
    }  # fmt: skip


def _add_contents(tables: Tables, courseids: Sequence[int], forum_module: int) -> None:
    """Add the sections, and the announcements that every course begins with."""
    forums = tables.add("forum", [
        {
            "course": courseid, "type": "news", "name": "Announcements", "intro": "General news and announcements",
            "introformat": 1, "forcesubscribe": 1, "timemodified": tables.began,
        }
        for courseid in courseids
    ])  # fmt: skip
    first_module = tables.next_id("course_modules")
    sections = tables.add("course_sections", [
        {
            "course": courseid, "section": number, "summary": "", "summaryformat": 1, "visible": 1,
            "sequence": str(first_module + place) if number == 0 else "", "timemodified": tables.began,
        }
        for place, courseid in enumerate(courseids)
        for number in range(_SECTIONS + 1)
    ])  # fmt: skip
    tables.add("course_modules", [
        {
            "course": courseid, "module": forum_module, "instance": forum, "section": section, "idnumber": "",
            "added": tables.began,
        }
        for courseid, forum, section in zip(courseids, forums, sections[:: _SECTIONS + 1], strict=True)
    ])  # fmt: skip
    tables.add("course_format_options", [
        {"courseid": courseid, "format": "topics", "sectionid": 0, "name": name, "value": value}
        for courseid in courseids
        for name, value in (("hiddensections", "1"), ("coursedisplay", "0"))
    ])  # fmt: skip


def _add_methods(tables: Tables, courseids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Add the three methods of every course; every fifth course is open to self enrolment."""
    methods: dict[int, dict[str, int]] = {courseid: {} for courseid in courseids}
    for sortorder, (name, roleid) in enumerate((("manual", STUDENT_ROLE), ("guest", 0), ("self", STUDENT_ROLE))):
        is_self = name == "self"
        rows = [
            {
                **tables.made, "enrol": name, "courseid": courseid, "sortorder": sortorder, "roleid": roleid,
                "status": int(name == "guest" or (is_self and place % 5 > 0)), "expirythreshold": 0 if name == "guest" else DAY,
                "customint1": {"manual": 1, "guest": None, "self": 0}[name], "customint4": 1 if is_self else None,
                "customint6": 1 if is_self else None,
            }
            for place, courseid in enumerate(courseids)
        ]  # fmt: skip
        for courseid, enrolid in zip(courseids, tables.add("enrol", rows), strict=True):
            methods[courseid][name] = enrolid
    return methods
