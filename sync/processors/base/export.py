"""What Moodle holds as the rows of a command file, which plans back as unchanged: one class for each file type.

A file type that can be exported names its class as `exporter`. It says which columns the file has and reads the rows, some
thousand at a time; what a file can't say of something (a name that several have, say) is left to the check of
`sync.runs.exports`, which plans every row before it is written.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import sqlalchemy as sa

from sync.columns.clean import CellError, moodle_time
from sync.columns.general_options import GeneralOptions
from sync.columns.options import Option
from sync.moodle.courses.scopes import courses_within
from sync.moodle.db.database import MoodleSession
from sync.moodle.users.users import SiteRules

OptionsT = TypeVar("OptionsT", bound=GeneralOptions)


class ScopeKind(StrEnum):
    """What an export may be narrowed by."""

    CATEGORY = "category"
    COURSES = "courses"
    COHORTS = "cohorts"
    AUTH = "auth"


@dataclass(frozen=True)
class ExportScope:
    """What of the site is exported; without anything, all of it.

    Shape: category: id of one, with all below it; courses: pattern of short names, with * for anything; cohorts: how idnumbers
    begin; auth: authentication method
    """

    category: int | None = None
    courses: str = ""
    cohorts: str = ""
    auth: str = ""


class ExportedRow(NamedTuple):
    """A row of the file. Shape: label: what names it where a person reads of it, whatever the cells name it by"""

    label: str
    cells: list[str]


class Exporter(ABC, Generic[OptionsT]):
    """Reads one file type out of a Moodle.

    Shape: scopes: what it may be narrowed by; shows_people: rows name users; checked_with: options with which every cell of the
    rows counts when they are planned
    """

    scopes: ClassVar[tuple[ScopeKind, ...]] = ()
    shows_people: ClassVar[bool] = True
    checked_with: ClassVar[Mapping[Option[Any], Any]] = {}

    def __init__(self, moodle: MoodleSession, options: OptionsT, scope: ExportScope) -> None:
        self.moodle = moodle
        self.options = options
        self.scope = scope
        self.rules = SiteRules(moodle)

    @abstractmethod
    def header(self) -> list[str]:
        """Return the names of the columns."""

    @abstractmethod
    def parts(self) -> Iterator[list[ExportedRow]]:
        """Return the rows, some thousand at a time."""

    def courses_of_scope(self, course: sa.FromClause) -> list[sa.ColumnElement[bool]]:
        """Return the conditions that a course is one of the scope."""
        return courses_within(self.moodle, course, category=self.scope.category, pattern=self.scope.courses)

    def time_cell(self, seconds: int | None) -> str:
        """Return a moment as a cell that means just this second: a date on the site's clock, else its number."""
        if not seconds:
            return "0"
        text = self.rules.shown_time(seconds)
        try:
            meant = self.rules.seconds(moodle_time().cleaner()(text))
        except CellError:
            meant = None
        # An hour that the clock shows twice in autumn.
        return text if meant == seconds else str(seconds)


def cell_of(value: Any) -> str:
    """Return what a column of Moodle holds as a cell."""
    return "" if value is None else str(value)
