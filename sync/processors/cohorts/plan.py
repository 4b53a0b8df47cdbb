"""What a chunk of a file of cohorts must know, and its plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sync.columns.file_columns import CODE_COLUMN
from sync.columns.repeated_values import RepeatedValues
from sync.moodle.categories.categories import Category
from sync.processors.base.plan import Plan
from sync.processors.base.sticky import StickyState
from sync.processors.memberships.names import NamedUsers
from sync.processors.memberships.state import MembershipState
from sync.values import Row

# Code of a deletion whose cell of the user is empty, in a file whose other rows name users.
USER_EMPTY = "cohort_user_empty"


@dataclass(frozen=True)
class CohortsState:
    """Everything read for one chunk.

    Shape: identifier: "id", "idnumber" or "name"; dependent_tables: cohort id -> (table, row id) of what
    goes with it; gates: cohort id -> number of courses whose self enrolment it opens; fold_category,
    fold_category_name: make idnumbers and names of categories equal that the server takes for the same; names_users: rows of
    the file, of any chunk, name users; sticky: what rows leave as it is
    """

    now: int
    identifier: str
    useridentifier: str
    named_users: NamedUsers
    memberships: MembershipState
    dependent_tables: Mapping[int, Sequence[tuple[str, int]]] = field(default_factory=dict)
    gates: Mapping[int, int] = field(default_factory=dict)
    names_users: bool = False
    categories: Sequence[Category] = ()
    fold_category: Callable[[str], str] = str
    fold_category_name: Callable[[str], str] = str
    sticky: StickyState = field(default_factory=StickyState)


# Identifier of cohorts -> the column that names one, and the other of which a row makes its name or idnumber.
_NAMES = {"id": ("cid", "cname"), "idnumber": ("cidnumber", "cname"), "name": ("cname", "cidnumber")}


class CohortSurvey(RepeatedValues):
    """Whether any row of the file names a user: then an empty cell is a user who wasn't found, not the whole cohort.

    In a tryback the rows that named users may be missing; the code of a row tells that there were some.
    Shape: named_otherwise: identifier -> lines that call a cohort otherwise than an earlier row of the file does
    """

    unique = ("cname", "cidnumber")

    names_users = False

    def __init__(self, places: Mapping[str, int]) -> None:
        super().__init__(places)
        self.named_otherwise: dict[str, set[int]] = {identifier: set() for identifier in _NAMES}
        # Of cohorts, as the file names them: the first name, or idnumber, that a row gives.
        self._given: dict[tuple[str, str], str] = {}

    def see(self, row: Row) -> None:
        super().see(row)
        has_user = bool(self.cell(row.cells, "userid")) or self.cell(row.cells, CODE_COLUMN) == USER_EMPTY
        self.names_users = self.names_users or has_user
        if self.cell(row.cells, "cmd").casefold() in ("", "add"):
            self._look_at_names(row)

    def _look_at_names(self, row: Row) -> None:
        for identifier, (naming, named) in _NAMES.items():
            cohort, name = self.cell(row.cells, naming) or self.cell(row.cells, "cid"), self.cell(row.cells, named)
            if cohort and name and self._given.setdefault((identifier, cohort.casefold()), name) != name:
                self.named_otherwise[identifier].add(row.line)


class CohortsPlan(Plan):
    """The plan of a chunk of cohorts.

    Shape: left: names, as in the file, of cohorts that lose a member
    """

    def __init__(self, now: int = 0) -> None:
        super().__init__(now)
        self.left: set[str] = set()
