"""The file types that ToolSync knows."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import PurePath
from typing import Any

from sync.errors import DeclarationError
from sync.processors.base.processor import Processor
from sync.processors.categories.delete import CategoriesDelete
from sync.processors.cohorts.courses import CohortCourses
from sync.processors.cohorts.processor import Cohorts
from sync.processors.course_lists.check import CoursesCheck
from sync.processors.course_lists.delete import CoursesDelete
from sync.processors.course_lists.reset import CoursesReset
from sync.processors.courses.processor import Courses
from sync.processors.enrolments.processor import Enrolments
from sync.processors.groups.members import GroupMembers
from sync.processors.groups.processor import Groups
from sync.processors.metacourses.processor import CoursesMeta
from sync.processors.pictures.processor import UserPictures
from sync.processors.users.delete import UsersDelete
from sync.processors.users.processor import Users
from sync.processors.users.restore import UsersRestore
from sync.processors.users.suspend import UsersSuspend

# In the order in which files that arrive together are carried out: an account must be there before a list names it, and a
# file that restores accounts corrects one that deletes or suspends them, not the other way round. Courses are deleted before
# others are made, which may take over their names; what is then an empty category may go; people are put in courses last.
_PROCESSORS: tuple[type[Processor[Any, Any]], ...] = (
    Users,
    UsersDelete,
    UsersSuspend,
    UsersRestore,
    UserPictures,
    CoursesReset,
    CoursesCheck,
    CoursesDelete,
    Courses,
    CategoriesDelete,
    CoursesMeta,
    Enrolments,
    Groups,
    GroupMembers,
    Cohorts,
    CohortCourses,
)

REGISTRY: dict[str, type[Processor[Any, Any]]] = {processor.key: processor for processor in _PROCESSORS}


def check_registry() -> None:
    """Hold the order against what each processor says it comes after. Raises: DeclarationError."""
    keys = list(REGISTRY)
    for position, (key, processor) in enumerate(REGISTRY.items()):
        for earlier in processor.after:
            if earlier in REGISTRY and keys.index(earlier) > position:
                raise DeclarationError(f"{key} comes after {earlier}, but stands before it in the registry")


def guess_processor(names: Collection[str], filename: str = "") -> str:
    """Guess the file type from the lower-cased header names, and from the file name where headers are alike.

    Gives "" when no type fits.
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


def _fits(processor: type[Processor[Any, Any]], names: Collection[str]) -> bool:
    columns = processor.columns
    if columns.of_pictures:
        return tuple(names) == columns.list_names
    if columns.headerless:
        return False
    has_required = all(column.name in names for column in columns if column.required)
    has_identity = not columns.one_of or any(name in names for name in columns.one_of)
    return has_required and has_identity and all(columns.knows(name) for name in names)
