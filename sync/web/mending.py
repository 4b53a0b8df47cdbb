"""The page on which failed rows are mended: what it shows, and what is sent from it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

from django.core.paginator import Page, Paginator
from django.http import QueryDict
from django.utils.functional import cached_property

from sync.columns.row_secrets import HIDDEN
from sync.errors import MendRefused
from sync.mending.drafts import Draft
from sync.mending.rows import FailedRow, FailedRows
from sync.mending.services import failed_again
from sync.mending.suggestions import suggest
from sync.messages import text_of
from sync.models import SyncRun
from sync.models.run import COMPLETED_STATES
from sync.outcomes.outcome_index import fault_column
from sync.values import Outcome
from sync.web.filters import number_in

ROWS_A_PAGE = 50
# Django takes a thousand fields in a form; a cell is one.
_CELLS_A_PAGE = 900
_LONGEST_CELL = 10_000
# Characters of a cell that are sent back as they were; of more a digest is.
_SHORT = 80


@dataclass(frozen=True)
class Cell:
    """One cell of the grid.

    Shape: name: of its field; place: in the file; text: as it is now, "" of a password; reason: why
    it can't be used, "" where it can; alike: how many rows have the same text and reason; suggestions: what may have been meant
    """

    name: str
    place: int
    column: str
    text: str
    is_secret: bool
    is_changed: bool
    reason: str = ""
    alike: int = 0
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True)
class GridRow:
    """One row of the grid.

    Shape: column: at fault; reason: why the row failed, where it is no cell; state: open, changed, left_out, checked
    """

    line: int
    subject: str
    column: str
    state: str
    reason: str
    cells: list[Cell]


@dataclass(frozen=True)
class GridGroup:
    """Rows that failed at one column. Shape: column: as the file spells it, "" = the rows as wholes; columns: as in the grid"""

    column: str
    columns: list[str]
    rows: list[GridRow]


class MendPage:
    """What the page shows of one draft.

    Shape: check: the simulation of its last check, None without one; sees_people: whether users of Moodle may be suggested
    """

    def __init__(
        self,
        run: SyncRun,
        rows: FailedRows,
        draft: Draft,
        check: SyncRun | None,
        asked: QueryDict,
        *,
        sees_people: bool = False,
    ) -> None:
        self.run = run
        self.rows = rows
        self.draft = draft
        self.check = check
        self.is_checking = check is not None and not check.is_over
        self._sees_people = sees_people
        self.shows_all = asked.get("show") == "all" or not self.is_checked
        self._page_number = number_in(asked.get("page", "")) or 1

    @cached_property
    def is_checked(self) -> bool:
        """Whether there is a check that came to its end."""
        return self.check is not None and self.check.state in COMPLETED_STATES

    @cached_property
    def check_fault(self) -> str:
        """Why the check could not be made, "" where it could."""
        check = self.check
        return text_of(check.error_code, check.error_params) if check is not None and check.error_code else ""

    @cached_property
    def _again(self) -> Mapping[int, Outcome]:
        return failed_again(self.draft, self.check) if self.check is not None and self.is_checked else {}

    @cached_property
    def left(self) -> list[FailedRow]:
        """The rows that are still to be mended: neither found right by the check nor left out."""
        return [row for row in self.rows.rows if self.state_of(row) not in ("checked", "left_out")]

    @property
    def right_count(self) -> int:
        return sum(self.state_of(row) == "checked" for row in self.rows.rows)

    @property
    def left_out_count(self) -> int:
        return len(self.draft.left_out)

    @property
    def changed_count(self) -> int:
        return len(self.draft.edits)

    @property
    def can_apply(self) -> bool:
        """Whether the rows were checked as they are now, and one of them is right."""
        return self.is_checked and self.draft.is_wholly_checked and self.right_count > 0

    def state_of(self, row: FailedRow) -> str:
        if row.line in self.draft.left_out:
            return "left_out"
        if self.is_checked and self.draft.is_checked(row.line):
            return "open" if row.line in self._again else "checked"
        return "changed" if row.line in self.draft.edits else "open"

    def outcome_of(self, row: FailedRow) -> Outcome:
        """Return what is wrong with a row now: as the last check found it, where the row is still the one that was checked."""
        return self._again.get(row.line, row.outcome) if self.draft.is_checked(row.line) else row.outcome

    @cached_property
    def page(self) -> Page[FailedRow]:
        shown = sorted(self.rows.rows if self.shows_all else self.left, key=self._order_of)
        per_page = max(1, min(ROWS_A_PAGE, _CELLS_A_PAGE // max(1, len(self.rows.names))))
        return Paginator(shown, per_page).get_page(self._page_number)

    @cached_property
    def grid(self) -> list[GridRow]:
        """The rows of this page. Queries: none of ours; of Moodle one for each table and column that is looked into"""
        rows = list(self.page.object_list)
        faults = [(row, self.outcome_of(row)) for row in rows if self.state_of(row) == "open"]
        asked = [
            (row, outcome, self.draft.mended(row.line, row.cells)[place])
            for row, outcome in faults
            if (place := self._place(outcome)) is not None and place not in self.rows.secret
        ]
        suggested = suggest(self.run.site, asked, names_people=self._sees_people)
        return [self._row(row, suggested.get(row.line, [])) for row in rows]

    @property
    def shown(self) -> str:
        """What the fields of this page hold, as JSON: it is sent back, so that what nobody has changed there is told apart."""
        fields: dict[str, str | bool] = {
            cell.name: _short(_as_sent(cell.text)) for row in self.grid for cell in row.cells
        }
        fields |= {f"out-{row.line}": row.state == "left_out" for row in self.grid}
        return json.dumps(fields, ensure_ascii=False)

    @cached_property
    def groups(self) -> list[GridGroup]:
        """The rows of this page by the column at fault, which comes first: nobody has to look for it."""
        return [
            GridGroup(column, [cell.column for cell in rows[0].cells], rows)
            for column, rows in ((column, list(found)) for column, found in groupby(self.grid, attrgetter("column")))
        ]

    def _order_of(self, row: FailedRow) -> tuple[int, str, int]:
        outcome = self.outcome_of(row)
        place = self._place(outcome)
        return (-1 if place is None else place, outcome.code, row.line)

    def _place(self, outcome: Outcome) -> int | None:
        column = fault_column(outcome)
        return self.rows.canonical.index(column) if column in self.rows.canonical else None

    def _row(self, row: FailedRow, suggested: list[str]) -> GridRow:
        state, outcome = self.state_of(row), self.outcome_of(row)
        place, reason = self._place(outcome), text_of(outcome.code, outcome.params)
        order = sorted(range(len(self.rows.names)), key=lambda at: (at != place, at))
        cells = [self._cell(row, at, reason if at == place and state != "checked" else "", suggested) for at in order]
        is_told = state == "checked" or place is not None
        column = "" if place is None else self.rows.names[place]
        return GridRow(row.line, outcome.subject, column, state, "" if is_told else reason, cells)

    def _cell(self, row: FailedRow, place: int, reason: str, suggested: list[str]) -> Cell:
        is_secret = place in self.rows.secret
        alike = self._alike(row, place) if reason and not is_secret else []
        # Of rows that are alike, the first one on the page has the buttons.
        is_first = all(other.line >= row.line for other in alike if other.line in self._lines_here)
        return Cell(
            name=f"c-{row.line}-{place}",
            place=place,
            column=self.rows.names[place],
            text="" if is_secret else self.draft.mended(row.line, row.cells)[place],
            is_secret=is_secret,
            is_changed=place in self.draft.edits.get(row.line, {}),
            reason=reason,
            alike=len(alike) if is_first else 0,
            suggestions=tuple(suggested) if reason and is_first else (),
        )

    @cached_property
    def _lines_here(self) -> frozenset[int]:
        return frozenset(row.line for row in self.page.object_list)

    def _alike(self, row: FailedRow, place: int) -> list[FailedRow]:
        return alike_still(self.rows, self.draft, row, place)


def alike_still(rows: FailedRows, draft: Draft, row: FailedRow, place: int, before: str = "") -> list[FailedRow]:
    """Return the row, and those that are alike: none that is left out, or in whose cell somebody has written something else.

    Shape: before: what the cell of the row had until now, which others that were changed along with it still have
    """
    if row.place != place:
        return [row]
    texts = {draft.mended(row.line, row.cells)[place], row.cells[place], before}
    return [
        other
        for other in rows.alike(row.line, place)
        if other is row or (other.line not in draft.left_out and draft.mended(other.line, other.cells)[place] in texts)
    ]


def take_cells(posted: QueryDict, rows: FailedRows, draft: Draft) -> None:
    """Take the cells and ticks of a page into a draft. A password that is left empty stays as it is.

    Only what was changed on that page: another page may have been open, on which more was changed since.
    Raises: MendRefused for a text that is too long
    """
    by_line, was_shown = rows.by_line, _shown_of(posted)
    for line in {number for text in posted.getlist("line") if (number := number_in(text)) is not None}:
        if (row := by_line.get(line)) is None:
            continue
        for place, shown in enumerate(draft.mended(line, row.cells)):
            text = posted.get(name := f"c-{line}-{place}")
            if text is not None and was_shown.get(name) in (text, _short(text)):
                continue
            if text is None or text == _as_sent(shown) or (place in rows.secret and text in ("", HIDDEN)):
                continue
            original = row.cells[place]
            draft.set_cell(line, place, original if text == _as_sent(original) else _clean(text), original)
        if (is_out := bool(posted.get(f"out-{line}"))) != was_shown.get(f"out-{line}"):
            (draft.left_out.add if is_out else draft.left_out.discard)(line)


def _shown_of(posted: QueryDict) -> dict[str, Any]:
    """Return what a page has shown before it was sent; {} for one that doesn't say so."""
    try:
        found = json.loads(posted.get("shown", "{}"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _short(text: str) -> str:
    """Return a text, or of a long one a digest by which it is known again."""
    return text if len(text) <= _SHORT else f"#{hashlib.sha256(text.encode()).hexdigest()}"


class Suggestion(NamedTuple):
    """A text for a cell. Shape: text: "" = the one that the cell has; for_alike: for those of all rows that are alike, too;
    before: what the cell had before the page was sent"""

    row: FailedRow
    place: int
    text: str
    for_alike: bool
    before: str


def read_suggestion(chosen: str, rows: FailedRows, draft: Draft) -> Suggestion | None:
    """Return what a button asks for; None for what names no cell. Shape: chosen: "use:12:3:text" or "alike:12:3:text" """
    command, line, place, text = (*chosen.split(":", 3), "", "", "")[:4]
    row, at = rows.by_line.get(number_in(line) or 0), number_in(place)
    if row is None or at is None or at >= len(rows.names) or at in rows.secret:
        return None
    return Suggestion(row, at, text, command == "alike", draft.mended(row.line, row.cells)[at])


def take_suggestion(suggestion: Suggestion, rows: FailedRows, draft: Draft) -> str:
    """Put a text into a cell, or into that of all rows that are alike. Returns the name of the cell.

    Raises: MendRefused for a text that is too long
    """
    row, place = suggestion.row, suggestion.place
    meant = _clean(suggestion.text) if suggestion.text else draft.mended(row.line, row.cells)[place]
    for other in alike_still(rows, draft, row, place, suggestion.before) if suggestion.for_alike else [row]:
        draft.set_cell(other.line, place, meant, other.cells[place])
        draft.left_out.discard(other.line)
    return f"c-{row.line}-{place}"


def _as_sent(text: str) -> str:
    """Return a text as a browser sends it back from a field of one line. Source: HTML, "strip newlines from a string" """
    return text.replace("\r", "").replace("\n", "")


def _clean(text: str) -> str:
    """Return a text as a cell may hold it. Raises: MendRefused if it is too long"""
    clean = "".join(" " if char.isspace() else char for char in text if char != "\0").strip()
    if len(clean) > _LONGEST_CELL:
        raise MendRefused("mend_cell_too_long", most=_LONGEST_CELL)
    return clean


def check_of(run: SyncRun, draft: Draft) -> SyncRun | None:
    """Return the simulation of the last check of a draft. Queries: one at most"""
    return SyncRun.objects.filter(pk=draft.check.run, mends=run).first() if draft.check else None


def applied_as(run: SyncRun) -> SyncRun | None:
    """Return the last run that carried out mended rows of a run. Queries: one"""
    return SyncRun.objects.filter(mends=run, simulate=False).order_by("-pk").first()


def grid_context(page: MendPage) -> dict[str, Any]:
    """Return what the grid needs."""
    return {"mend": page, "run": page.run, "applied_as": applied_as(page.run)}
