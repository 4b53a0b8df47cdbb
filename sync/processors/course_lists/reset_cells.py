"""What the cells of a reset file mean: columns -> options of a reset. Spec: courses.md section 4.1."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from django.utils.translation import gettext_lazy as _

from sync.columns.cells import Cells
from sync.columns.clean import shown, text
from sync.columns.column import About, OptionalColumn
from sync.columns.words import FALSE_WORDS, TRUE_WORDS, truth
from sync.moodle.course_content.reset.people import NO_ROLE
from sync.moodle.course_content.reset.rules import (
    ASSIGN_GRADES,
    GRADES,
    GROUPINGS_MEMBERS,
    GROUPINGS_REMOVE,
    GROUPS_MEMBERS,
    GROUPS_REMOVE,
    ITEMS,
    RULES,
    module_defaults,
)
from sync.processors.base.errors import RowError

RESET_IDENTIFIERS = ("shortname", "idnumber", "id")
_IDENTIFIER_HELP = _("The course. Which of the columns shortname, idnumber and id is read, the option says.")

_ALL, _NONE = "all", "none"
_BETWEEN_WORDS = re.compile(r"[\s,]+")
_OF_MODULES = (*(rule.option for rule in RULES if rule.module and rule.option != ASSIGN_GRADES), "workshop_phase")
# The old plugin's columns for activities that Moodle doesn't have (any more).
_WITHOUT_EFFECT = ("slots", "apointments", "assignment_submissions")


class CourseResetCells(
    Cells,
    one_of=RESET_IDENTIFIERS,
    more=(
        *(
            OptionalColumn(text(None), name=name, help=_("1 or 0: this option of the activity."))
            for name in _OF_MODULES
        ),
        *(OptionalColumn(text(None), name=name, ignored=True) for name in _WITHOUT_EFFECT),
    ),
):
    """A course, and what goes of it. What options of activities say is in `values`, by their names."""

    # fmt: off
    __slots__ = ()

    shortname = OptionalColumn(text(None), filled=True, refers=True, about=About.COURSE, sample="TESTCOURSE1",
                               help=_IDENTIFIER_HELP)
    idnumber = OptionalColumn(text(None), filled=True, refers=True, about=About.COURSE, help=_IDENTIFIER_HELP)
    id = OptionalColumn(text(None), filled=True, refers=True, about=About.COURSE, help=_IDENTIFIER_HELP)
    events = OptionalColumn(text(None), required=True, sample="yes", help=_("Calendar entries of the course and its groups."))
    logs = OptionalColumn(text(None), required=True, sample="no", help=_("Without effect: Moodle keeps its logs."))
    notes_of_people = OptionalColumn(text(None), name="notes", required=True, sample="yes", help=_("Notes about people."))
    grades = OptionalColumn(text(None), required=True, sample="grades",
                            help=_("“grades”; “items” for the whole gradebook, with what activities have graded; “all” for "
                                   "both."))
    roles = OptionalColumn(text(None), required=True, sample="student",
                           help=_("Short names of roles with spaces between them, or “all”: their holders are unenrolled; who "
                                  "has another role too loses this one only. “none” means people without a role."))
    local_roles = OptionalColumn(text(None), required=True, sample="all",
                                 help=_("“roles” given within the course, “overrides” of permissions, or “all”."))
    groups = OptionalColumn(text(None), required=True, sample="members", help=_("“groups”, “members” or “all”."))
    groupings = OptionalColumn(text(None), required=True, sample="no",
                               help=_("“groups” for the groupings, “members” for the groups in them, or “all”."))
    modules = OptionalColumn(text(None), required=True, sample="all",
                             help=_("What people did in activities: “all”; names such as “quiz forum”; “-forum” for all but "
                                    "those; empty for none. A column of an option counts before this one."))
    blog_associations = OptionalColumn(text(None), help=_("That blog entries are about the course."))
    comments = OptionalColumn(text(None), help=_("Comments on the pages of the course."))
    completion = OptionalColumn(text(None), help=_("What people have completed."))
    competency_ratings = OptionalColumn(text(None), help=_("Ratings of competencies in the course."))


# Columns that say yes or no, and whose name is the option's.
_FLAGS = (
    CourseResetCells.events, CourseResetCells.logs, CourseResetCells.notes_of_people, CourseResetCells.blog_associations,
    CourseResetCells.comments, CourseResetCells.completion, CourseResetCells.competency_ratings,
)  # fmt: skip
# Columns with words of their own: word -> options.
_WORDS: Mapping[OptionalColumn[str], Mapping[str, tuple[str, ...]]] = {
    CourseResetCells.grades: {"all": (ITEMS, GRADES), "items": (ITEMS,), "grades": (GRADES,)},
    CourseResetCells.local_roles: {
        "all": ("roles_local", "roles_overrides"), "roles": ("roles_local",), "overrides": ("roles_overrides",),
    },
    CourseResetCells.groups: {
        "all": (GROUPS_MEMBERS, GROUPS_REMOVE), "groups": (GROUPS_REMOVE,), "members": (GROUPS_MEMBERS,),
    },
    CourseResetCells.groupings: {
        "all": (GROUPINGS_MEMBERS, GROUPINGS_REMOVE), "groups": (GROUPINGS_REMOVE,), "members": (GROUPINGS_MEMBERS,),
    },
}  # fmt: skip


class ResetRequest(NamedTuple):
    """What a row asks for. Shape: roleids: in their order; is_all: activities are reset that aren't named"""

    options: frozenset[str]
    roleids: tuple[int, ...]
    unknown_roles: tuple[str, ...]
    is_all: bool


def is_on(cell: str | None) -> bool:
    """Tell whether a cell says yes."""
    return cell is not None and (cell.lower() == _ALL or truth(cell) is True)


def read_cells(row: CourseResetCells, roles: Mapping[str, int]) -> ResetRequest:
    """Return the options that a row turns on.

    Shape: roles: short name -> id, of the site; in lower case too, where that is no other role's
    Raises: RowError for an activity that there isn't, or a cell that says nothing that its column knows
    """
    of_modules: dict[str, str] = {option: row.values[option] for option in _OF_MODULES if option in row.values}
    for name, cell in {**row.given(*_FLAGS), **of_modules}.items():
        if cell and cell.lower() not in (_ALL, _NONE) and truth(cell) is None:
            raise RowError("value_not_flag", name, value=shown(cell))
    options = {column.name for column in _FLAGS if column is not CourseResetCells.logs and is_on(column.of(row))}
    for column, words in _WORDS.items():
        options.update(_options_of(column.name, column.of(row) or "", words))
    modules, is_all = _modules(row.modules or "")
    defaults = module_defaults()
    options.update(option for module in modules for option in defaults[module])
    for option, cell in of_modules.items():
        if is_on(cell):
            options.add(option)
        else:
            options.discard(option)
    roleids, unknown = _roles(row.roles or "", roles)
    return ResetRequest(frozenset(options), roleids, unknown, is_all)


def _options_of(column: str, cell: str, words: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Return the options that the words of a cell turn on. A mere yes doesn't say which of them. Raises: RowError"""
    if _is_no(cell):
        return
    for word in _words(cell):
        if word.lower() not in words:
            raise RowError("value_not_among", column, value=shown(cell), allowed=", ".join((*words, "no")))
        yield from words[word.lower()]


def _is_no(cell: str) -> bool:
    return cell.lower() == _NONE or truth(cell) is False


def _words(cell: str) -> list[str]:
    """Return the words of a cell, whether blanks or commas are between them."""
    return [word for word in _BETWEEN_WORDS.split(cell) if word]


def _modules(cell: str) -> tuple[set[str], bool]:
    """Return the activities to be reset, and whether others than those named are."""
    known = set(module_defaults())
    words = _words(cell.lower())
    if len(words) == 1 and words[0] in (_ALL, *TRUE_WORDS):
        return known, True
    if len(words) == 1 and words[0] in ("none", *FALSE_WORDS):
        return set(), False
    for word in words:
        if word.removeprefix("-") not in known:
            raise RowError(
                "course_reset_module_unknown", "modules", module=word.removeprefix("-"), known=", ".join(sorted(known))
            )
    without = {word.removeprefix("-") for word in words if word.startswith("-")}
    named = {word for word in words if not word.startswith("-")}
    if without and not named:
        return known - without, True
    return named - without, False


def _roles(cell: str, roles: Mapping[str, int]) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Return the ids of the roles of a cell, and the names that the site doesn't have."""
    words = _words(cell)
    if [word.lower() for word in words] == [_ALL]:
        return tuple(sorted(set(roles.values()))), ()
    known = {_NONE: NO_ROLE, **roles}
    if (
        len(words) == 1
        and known.get(words[0], known.get(words[0].casefold())) is None
        and (said := truth(words[0])) is not None
    ):
        if said:
            raise RowError("course_reset_roles_yes", "roles", value=shown(cell))
        return (), ()
    found = {word: known.get(word, known.get(word.casefold())) for word in words}
    return (
        tuple(dict.fromkeys(roleid for roleid in found.values() if roleid is not None)),
        tuple(word for word, roleid in found.items() if roleid is None),
    )
