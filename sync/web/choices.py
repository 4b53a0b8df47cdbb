"""What may have been meant by the cells of failed rows that are alike: chosen in the list of reasons, put into the draft."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sync.mending.drafts import load_draft
from sync.mending.rows import FailedRow, FailedRows, read_failed_rows, rows_run
from sync.mending.suggestions import suggest
from sync.messages import text_at_column
from sync.models import SyncRun
from sync.outcomes.outcome_index import Case
from sync.people.rights import may
from sync.runs.outcome_search import run_reasons
from sync.web.access import VIEW_PEOPLE
from sync.web.mending import alike_still
from sync.web.outcomes import shown_cases

# Of a run with more kinds of mistakes than this, the others are chosen for in the grid.
_MOST_CASES = 40


class CaseChoices(NamedTuple):
    """What can be chosen for failed rows that are alike.

    Shape: line: of the first, as in the list of reasons; place: of the cell at fault; text: of the cell in the file; reason: why
    it can't be used; alike: how many rows have the same text and reason; chosen: the text of the draft, "" = none yet
    """

    line: int
    place: int
    column: str
    text: str
    reason: str
    alike: int
    suggestions: list[str]
    chosen: str


def case_choices(run: SyncRun, user: Any) -> list[CaseChoices]:
    """Return what can be chosen for the cases that the list of reasons shows.

    Queries: a few; of Moodle one for each table and column that is looked into
    Raises: MendRefused, OutcomesMissing
    """
    rows, draft = read_failed_rows(run), load_draft(run, user)
    cases = list(_mendable(run, rows))[:_MOST_CASES]
    asked = [(row, row.outcome, row.cells[place]) for _case, row, place in cases]
    suggested = suggest(run.site, asked, names_people=may(user, VIEW_PEOPLE, processor=run.processor))
    return [
        CaseChoices(
            line=row.line,
            place=place,
            column=rows.names[place],
            text=row.cells[place],
            reason=text_at_column(row.outcome.code, case.params),
            alike=len(alike_still(rows, draft, row, place)),
            suggestions=suggested.get(row.line, []),
            chosen=draft.edits.get(row.line, {}).get(place, ""),
        )
        for case, row, place in cases
    ]


def _mendable(run: SyncRun, rows: FailedRows) -> Iterator[tuple[Case, FailedRow, int]]:
    """Yield the cases that are shown and failed at a cell that may be read, each with its first row."""
    by_line = rows.by_line
    for reason in run_reasons(rows_run(run)):
        for case in shown_cases(reason):
            row = by_line.get(case.line)
            if row is not None and row.place is not None and row.place not in rows.secret:
                yield case, row, row.place
