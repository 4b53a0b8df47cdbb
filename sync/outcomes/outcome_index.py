"""What is known of a part of outcomes without opening it: what its rows came to and name, which columns they are about, why some
failed.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

from sync.values import FAILED_ACTIONS, Action, Outcome

# So many different cases of one reason are told apart in a part: where each row is wrong in its own way, none is alike.
CASES_KEPT = 200
# Between the names of a row, and between rows: in no name, and in nothing that is searched.
_BETWEEN, _ROW_END = "\x1f", "\n"


class Case(NamedTuple):
    """Failed rows with the same text. Shape: key: of `params`, to ask for these rows; rows: how many; line: of the first"""

    key: str
    params: Mapping[str, Any]
    rows: int
    line: int


@dataclass
class Reason:
    """Failed rows with one code at one column. Shape: cases: key -> rows that are alike, at most CASES_KEPT in a part"""

    action: Action
    code: str
    column: str
    count: int = 0
    cases: dict[str, Case] = field(default_factory=dict)

    @property
    def alike(self) -> list[Case]:
        """The cases, the most frequent first."""
        return sorted(self.cases.values(), key=lambda case: (-case.rows, case.line))

    def add(self, case: Case) -> None:
        self.count += case.rows
        before = self.cases.get(case.key)
        self.cases[case.key] = case if before is None else before._replace(rows=before.rows + case.rows)


class Facts(NamedTuple):
    """What is known of a part. Shape: columns: column -> rows that are about it; reasons: why rows failed"""

    columns: Mapping[str, int]
    reasons: Sequence[Reason]


def case_key(params: Mapping[str, Any]) -> str:
    """Return what rows of one code have in common when they have the same text."""
    return sha256(json.dumps(params, sort_keys=True, default=str).encode()).hexdigest()[:16]


def reasons_of(outcomes: Iterable[Outcome]) -> list[Reason]:
    """Return why rows failed, in the order in which the reasons come up."""
    reasons: dict[tuple[Action, str, str], Reason] = {}
    for outcome in outcomes:
        if outcome.action in FAILED_ACTIONS:
            kind = (outcome.action, outcome.code, fault_column(outcome))
            reason = reasons.setdefault(kind, Reason(*kind))
            reason.add(Case(case_key(outcome.params), outcome.params, 1, outcome.line))
    return list(reasons.values())


def merged_reasons(parts: Iterable[Iterable[Reason]]) -> list[Reason]:
    """Return the reasons of several parts as those of one, the most frequent first."""
    reasons: dict[tuple[Action, str, str], Reason] = {}
    for part in parts:
        for found in part:
            kind = (found.action, found.code, found.column)
            reason = reasons.setdefault(kind, Reason(*kind))
            count = reason.count + found.count
            for case in found.cases.values():
                reason.add(case)
            reason.count = count
    return sorted(reasons.values(), key=lambda reason: -reason.count)


def facts_of(outcomes: Sequence[Outcome]) -> Facts:
    """Return what there is to know of the outcomes of a part."""
    columns = Counter(column for outcome in outcomes for column in columns_of(outcome))
    return Facts(dict(columns), reasons_of(outcomes))


def pack_facts(facts: Facts) -> bytes:
    """Return facts as they are stored, without the rarest cases where there are too many."""
    reasons = [
        [reason.action.value, reason.code, reason.column, reason.count, [list(case) for case in reason.alike[:CASES_KEPT]]]
        for reason in facts.reasons
    ]  # fmt: skip
    return zlib.compress(json.dumps([facts.columns, reasons], ensure_ascii=False, default=str).encode(), level=1)


def unpack_facts(packed: bytes | memoryview) -> Facts:
    """Return the facts that were stored. Raises: zlib.error"""
    columns, reasons = json.loads(zlib.decompress(packed))
    return Facts(
        columns,
        [
            Reason(Action(action), code, column, count, {case[0]: Case(*case) for case in cases})
            for action, code, column, count, cases in reasons
        ],
    )


def fault_column(outcome: Outcome) -> str:
    """Return the column at fault, "" where it is the row, or nothing is."""
    column = outcome.params.get("column")
    return column if isinstance(column, str) and outcome.action in FAILED_ACTIONS else ""


def columns_of(outcome: Outcome) -> set[str]:
    """Return the columns that an outcome is about: the one at fault, and those that change."""
    columns = {change.field for change in outcome.changes}
    if column := fault_column(outcome):
        columns.add(column)
    return columns


def searched(text: str) -> str:
    """Return a text as it is searched for."""
    return " ".join(text.split()).casefold()


def pack_names(outcomes: Iterable[Outcome]) -> bytes:
    """Return what became of the rows and what they name, compressed."""
    lines = (f"{outcome.action}{_BETWEEN}{outcome.code}{_BETWEEN}{_names(outcome)}" for outcome in outcomes)
    return zlib.compress(_ROW_END.join(lines).encode(), level=1)


def matching_rows(packed: bytes | memoryview, *, needle: str = "", action: str = "", code: str = "") -> list[int]:
    """Return which rows of a part name something, by their numbers from 0. Raises: zlib.error

    Shape: packed: as of `pack_names`; needle: as `searched` gives it; "" = any
    """
    text = zlib.decompress(packed).decode()
    if needle and needle not in text:
        return []
    start = f"{action}{_BETWEEN}{code}{_BETWEEN}" if action and code else f"{action}{_BETWEEN}" if action else ""
    within = f"{_BETWEEN}{code}{_BETWEEN}" if code and not action else ""
    return [
        number
        for number, line in enumerate(text.split(_ROW_END))
        if line.startswith(start) and within in line and (not needle or needle in line.split(_BETWEEN, 2)[2])
    ]


def names(outcome: Outcome, needle: str) -> bool:
    """Whether an outcome names something. Shape: needle: as `searched` gives it"""
    return needle in _names(outcome)


def _names(outcome: Outcome) -> str:
    """Return what can be searched of an outcome: what it is about, and what its text names."""
    if not outcome.params:
        return searched(outcome.subject)
    return _BETWEEN.join(map(searched, _texts(outcome)))


def _texts(outcome: Outcome) -> Iterator[str]:
    yield outcome.subject
    for value in outcome.params.values():
        if isinstance(value, str):
            yield value
