"""The file types that ToolSync knows."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from graphlib import CycleError, TopologicalSorter
from pathlib import PurePath

from sync.errors import DeclarationError
from sync.processors.base.processor import Processor
from sync.processors.categories.delete import CategoriesDelete
from sync.processors.categories.processor import Categories
from sync.processors.cohorts.courses import CohortCourses
from sync.processors.cohorts.processor import Cohorts
from sync.processors.course_lists.check import CoursesCheck
from sync.processors.course_lists.delete import CoursesDelete
from sync.processors.course_lists.reset import CoursesReset
from sync.processors.courses.processor import Courses
from sync.processors.custom_fields.processor import CustomFields
from sync.processors.enrolment_methods.processor import EnrolmentMethods
from sync.processors.enrolments.processor import Enrolments
from sync.processors.groups.members import GroupMembers
from sync.processors.groups.processor import Groups
from sync.processors.metacourses.processor import CoursesMeta
from sync.processors.pictures.processor import UserPictures
from sync.processors.roles.processor import Roles
from sync.processors.user_preferences.processor import UserPreferences
from sync.processors.users.delete import UsersDelete
from sync.processors.users.processor import Users
from sync.processors.users.restore import UsersRestore
from sync.processors.users.suspend import UsersSuspend

# All there are, by subject. Where no type says that it comes after another, they keep this order.
_PROCESSORS: tuple[type[Processor], ...] = (
    Users,
    UsersDelete,
    UsersSuspend,
    UsersRestore,
    UserPictures,
    UserPreferences,
    CoursesReset,
    CoursesCheck,
    CoursesDelete,
    Categories,
    Courses,
    CustomFields,
    CategoriesDelete,
    CoursesMeta,
    Cohorts,
    CohortCourses,
    EnrolmentMethods,
    Groups,
    GroupMembers,
    Enrolments,
    Roles,
)


def ordered(processors: Iterable[type[Processor]]) -> dict[str, type[Processor]]:
    """Return file types by key, each after those that it says it comes after; the first of several that could be next.

    Raises: DeclarationError
    """
    by_key = {processor.key: processor for processor in processors}
    for key, processor in by_key.items():
        if unknown := set(processor.after) - by_key.keys():
            raise DeclarationError(f"{key} comes after {', '.join(sorted(unknown))}, which isn't there")
    sorter = TopologicalSorter({key: processor.after for key, processor in by_key.items()})
    try:
        sorter.prepare()
    except CycleError as error:
        raise DeclarationError(f"each of these comes after another of them: {', '.join(error.args[1])}") from error
    places = {key: place for place, key in enumerate(by_key)}
    found: dict[str, type[Processor]] = {}
    ready: set[str] = set()
    while sorter.is_active():
        ready.update(sorter.get_ready())
        key = min(ready, key=places.__getitem__)
        ready.remove(key)
        sorter.done(key)
        found[key] = by_key[key]
    return found


# In the order in which files that arrive together, and the file types of a sequence, are carried out.
REGISTRY = ordered(_PROCESSORS)


def guess_processor(names: Collection[str], filename: str = "") -> str:
    """Guess the file type from the lower-cased header names, and from the file name where headers are alike.

    Return "" when no type fits.
    """
    candidates = [key for key, processor in REGISTRY.items() if _fits(processor, names)]
    stem = PurePath(filename).stem.lower()
    for key in candidates:
        if stem.startswith(PurePath(REGISTRY[key].default_filename).stem):
            return key
    if Users.key in candidates:
        # The only one of them that asks for names; it creates and updates, which does the least harm.
        return Users.key
    if not candidates:
        # A list has no header, only its file's name.
        candidates = [
            key
            for key, processor in REGISTRY.items()
            if processor.columns.headerless and stem.startswith(PurePath(processor.default_filename).stem)
        ]
    # Headers that fit several types say nothing: deleting is never a guess.
    return candidates[0] if len(candidates) == 1 else ""


def _fits(processor: type[Processor], names: Collection[str]) -> bool:
    columns = processor.columns
    if columns.of_pictures:
        return tuple(names) == columns.list_names
    if columns.headerless:
        return False
    has_required = all(column.name in names for column in columns if column.required)
    has_identity = not columns.one_of or any(name in names for name in columns.one_of)
    return has_required and has_identity and all(columns.knows(name) for name in names)
