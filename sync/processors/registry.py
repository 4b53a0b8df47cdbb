"""The file types that ToolSync knows."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING

from sync.errors import DeclarationError

if TYPE_CHECKING:
    from sync.processors.base.processor import Processor

# All there are, by subject. Where no type says that it comes after another, they keep this order.
_PLACES: Mapping[str, tuple[str, str]] = {
    "users": ("users.processor", "Users"),
    "users_delete": ("users.delete", "UsersDelete"),
    "users_suspend": ("users.suspend", "UsersSuspend"),
    "users_restore": ("users.restore", "UsersRestore"),
    "userpictures": ("pictures.processor", "UserPictures"),
    "user_preferences": ("user_preferences.processor", "UserPreferences"),
    "courses_reset": ("course_lists.reset", "CoursesReset"),
    "courses_check": ("course_lists.check", "CoursesCheck"),
    "courses_delete": ("course_lists.delete", "CoursesDelete"),
    "categories": ("categories.processor", "Categories"),
    "courses": ("courses.processor", "Courses"),
    "custom_fields": ("custom_fields.processor", "CustomFields"),
    "categories_delete": ("categories.delete", "CategoriesDelete"),
    "courses_meta": ("metacourses.processor", "CoursesMeta"),
    "cohorts": ("cohorts.processor", "Cohorts"),
    "cohort_courses": ("cohorts.courses", "CohortCourses"),
    "enrolment_methods": ("enrolment_methods.processor", "EnrolmentMethods"),
    "groups": ("groups.processor", "Groups"),
    "groupmembers": ("groups.members", "GroupMembers"),
    "enrolments": ("enrolments.processor", "Enrolments"),
    "roles": ("roles.processor", "Roles"),
}
# For what needs no order and nothing of the file types but their keys.
KEYS = tuple(_PLACES)
_USERS = "users"


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


class _Registry(Mapping[str, "type[Processor]"]):
    """The file types by key. One is loaded once it is asked for: a run needs its own, and all of them take long to load.

    Shape: who goes through them has them in the order in which files that arrive together, and the file types of a sequence,
    are carried out
    """

    def __getitem__(self, key: str) -> type[Processor]:
        module, name = _PLACES[key]
        processor: type[Processor] = getattr(import_module(f"sync.processors.{module}"), name)
        return processor

    def __contains__(self, key: object) -> bool:
        return key in _PLACES

    def __iter__(self) -> Iterator[str]:
        return iter(self._ordered)

    def __len__(self) -> int:
        return len(_PLACES)

    @cached_property
    def _ordered(self) -> dict[str, type[Processor]]:
        return ordered(map(self.__getitem__, _PLACES))


REGISTRY: Mapping[str, type[Processor]] = _Registry()


def guess_processor(names: Collection[str], filename: str = "") -> str:
    """Guess the file type from the lower-cased header names, and from the file name where headers are alike.

    Return "" when no type fits.
    """
    candidates = [key for key, processor in REGISTRY.items() if _fits(processor, names)]
    stem = PurePath(filename).stem.lower()
    for key in candidates:
        if stem.startswith(PurePath(REGISTRY[key].default_filename).stem):
            return key
    if _USERS in candidates:
        # The only one of them that asks for names; it creates and updates, which does the least harm.
        return _USERS
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
