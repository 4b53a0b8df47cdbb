"""What the page of a run shows of its rows: why some failed, and the outcomes that somebody has asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from django.utils.text import Truncator

from sync.columns.column import About
from sync.errors import OutcomesMissing, StorageUnavailable
from sync.messages import text_at_column, text_of
from sync.models import SyncRun
from sync.outcomes.outcome_index import Case, Reason
from sync.people.rights import may
from sync.runs.options import processor_of
from sync.runs.outcome_search import OutcomeFilter, Place, find_outcomes, run_codes, run_columns, run_reasons
from sync.runs.selectors import rows_of
from sync.values import Action
from sync.web.access import VIEW_PEOPLE

_OUTCOMES_PER_PAGE = 50
_CASES_SHOWN = 5
_LONGEST_REASON = 90
_FILTERS = ("show", "column", "case", "q")


@dataclass(frozen=True)
class CaseText:
    """Failed rows that are alike. Shape: query: asks for them"""

    count: int
    line: int
    text: str
    query: str


@dataclass(frozen=True)
class ReasonText:
    """Why rows failed. Shape: cases: the most frequent; others: rows of no case that is shown; query: asks for all of them"""

    action: Action
    code: str
    column: str
    count: int
    cases: list[CaseText]
    others: int
    query: str


def outcomes_of(request: HttpRequest, run: SyncRun) -> dict[str, Any]:
    """Return one page of outcomes, and what they can be narrowed by; of a run that waits, those of its plan.

    Shape: ?show= an action or a code, ?column=, ?case= of failed rows that are alike, ?q= what is named, or a line;
    ?after= or ?before= a place
    """
    rows = rows_of(run)
    wanted = wanted_outcomes(request.GET)
    context: dict[str, Any] = {
        "chosen": request.GET.get("show", ""),
        "wanted": wanted,
        "query": query_of(request.GET),
        "counts": action_counts(rows),
        "failed_count": rows.failed_rows,
        "rows_of": rows,
        "leads_to_moodle": _leads_to_moodle(request, rows),
    }
    try:
        reasons = run_reasons(rows)
        context |= {"reasons": [_reason_text(reason) for reason in reasons]}
        context |= {"codes": _code_texts(rows, reasons), "columns": list(run_columns(rows).items())}
        places = {name: Place.of(request.GET.get(name, "")) for name in ("after", "before")}
        return {**context, "outcomes": find_outcomes(rows, wanted, per_page=_OUTCOMES_PER_PAGE, **places)}
    except (OutcomesMissing, StorageUnavailable) as error:
        return {**context, "outcomes_fault": text_of(error.code, error.params)}


def _leads_to_moodle(request: HttpRequest, run: SyncRun) -> bool:
    """Whether what a row is about can be looked up in Moodle, with all that was changed of it."""
    about = processor_of(run).columns.subject_about
    return about is About.COURSE or (about is About.USER and may(request.user, VIEW_PEOPLE, processor=run.processor))


def wanted_outcomes(asked: QueryDict) -> OutcomeFilter:
    """Return the outcomes that an address asks for."""
    chosen = asked.get("show", "")
    is_action = chosen in set(Action)
    return OutcomeFilter(
        action=chosen if is_action else "",
        code="" if is_action else chosen,
        column=asked.get("column", ""),
        case=asked.get("case", ""),
        text=asked.get("q", "").strip(),
    )


def query_of(asked: QueryDict) -> str:
    """Return what narrows the outcomes, as it stands in an address, without the page."""
    return urlencode([(name, asked[name]) for name in _FILTERS if asked.get(name)])


def action_counts(run: SyncRun) -> list[tuple[str, int]]:
    """Return how many rows came to what."""
    return [(action.value, run.counts.get(action.value, 0)) for action in Action]


def shown_cases(reason: Reason) -> list[Case]:
    """Return the cases of a reason that the list shows."""
    alike = reason.alike
    return alike if len(alike) <= _CASES_SHOWN else alike[: _CASES_SHOWN - 1]


def _reason_text(reason: Reason) -> ReasonText:
    asked = {"show": reason.code, "column": reason.column}
    shown = shown_cases(reason)
    cases = [_case_text(reason, case, {**asked, "case": case.key}) for case in shown]
    others = reason.count - sum(case.rows for case in shown)
    return ReasonText(reason.action, reason.code, reason.column, reason.count, cases, others, _query(asked))


def _case_text(reason: Reason, case: Case, asked: dict[str, str]) -> CaseText:
    return CaseText(case.rows, case.line, text_at_column(reason.code, case.params), _query(asked))


def _query(asked: dict[str, str]) -> str:
    return urlencode({name: value for name, value in asked.items() if value})


def _code_texts(run: SyncRun, reasons: list[Reason]) -> list[tuple[str, int, str]]:
    """Return the codes of a run's outcomes, how many rows have each, and what it means: for failed rows by an example."""
    examples = {reason.code: text_of(reason.code, reason.alike[0].params) for reason in reversed(reasons)}
    return [
        (code, count, Truncator(examples.get(code) or _meaning(code)).chars(_LONGEST_REASON))
        for code, count in run_codes(run)
    ]


def _meaning(code: str) -> str:
    """Return the text of a code; the code itself where the text needs more than that."""
    try:
        return text_of(code)
    except KeyError:
        return code
