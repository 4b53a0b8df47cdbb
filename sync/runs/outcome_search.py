"""Search in the outcomes of a run: filters and pages. Only the parts that may hold what is wanted are opened."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from django.db.models import QuerySet

from sync.models import ChunkIndex, RunChunk, SyncRun
from sync.moodle.db.writer import batched
from sync.outcomes.outcome_index import (
    CASES_KEPT,
    Facts,
    Reason,
    case_key,
    columns_of,
    facts_of,
    matching_rows,
    merged_reasons,
    names,
    searched,
    unpack_facts,
)
from sync.runs.outcome_store import read_part, read_rows_of_part
from sync.values import FAILED_ACTIONS, Outcome

_PLACE = re.compile(r"(\d{1,18})-(\d{1,9})")
_LONGEST_LINE_NUMBER = 18
# Some pages: rows are taken from a part in pieces, so that a page needn't decode all of it.
_READ_AT_ONCE = 500


class Place(NamedTuple):
    """Where an outcome stands in its run. Shape: last_line: of its chunk; number: within the chunk, from 0"""

    last_line: int
    number: int

    def __str__(self) -> str:
        return f"{self.last_line}-{self.number}"

    @classmethod
    def of(cls, text: str) -> Place | None:
        """Return the place that an address names; None where it names none."""
        found = _PLACE.fullmatch(text)
        return cls(int(found[1]), int(found[2])) if found else None


@dataclass(frozen=True)
class OutcomeFilter:
    """Which outcomes are wanted; "" = any.

    Shape: column: the one at fault, or one that changes; case: key of failed rows that are alike; text: what a row names, or
    the number of its line
    """

    action: str = ""
    code: str = ""
    column: str = ""
    case: str = ""
    text: str = ""

    @property
    def needle(self) -> str:
        return searched(self.text)

    @property
    def line(self) -> int | None:
        """The line that is asked for, where the text is a number."""
        needle = self.needle
        return int(needle) if needle.isdecimal() and len(needle) <= _LONGEST_LINE_NUMBER else None

    def takes(self, outcome: Outcome) -> bool:
        """Whether an outcome is wanted."""
        return (
            (not self.action or outcome.action == self.action)
            and (not self.code or outcome.code == self.code)
            and (not self.column or self.column in columns_of(outcome))
            and (not self.case or (outcome.action in FAILED_ACTIONS and case_key(outcome.params) == self.case))
            and (not self.text or names(outcome, self.needle) or outcome.line == self.line)
        )

    @property
    def needs_names(self) -> bool:
        """Whether it is faster to ask the names of a chunk for the rows than to read its part."""
        return bool(self.text or self.action or self.code)

    def may_be_in(self, chunk: RunChunk) -> bool:
        """Whether a chunk may hold what is wanted, as far as is known without its part and its names."""
        if (self.action and not chunk.counts.get(self.action)) or (self.code and not chunk.codes.get(self.code)):
            return False
        index = _index_of(chunk)
        if index is None or not (self.column or self.case):
            return True
        facts = unpack_facts(index.facts)
        if self.column and not facts.columns.get(self.column):
            return False
        fitting = (reason for reason in facts.reasons if not self.code or reason.code == self.code)
        return not self.case or any(self.case in r.cases or len(r.cases) >= CASES_KEPT for r in fitting)

    def numbers_in(self, chunk: RunChunk) -> Sequence[int]:
        """Return the numbers of the outcomes of a chunk among which the wanted ones are."""
        index, everything = _index_of(chunk), range(sum(chunk.counts.values()))
        if index is None or not self.needs_names:
            return everything
        if self.line is not None and chunk.first_line <= self.line <= chunk.last_line:
            return everything
        return matching_rows(index.names, needle=self.needle, action=self.action, code=self.code)


EVERY_OUTCOME = OutcomeFilter()
_BEHIND_ALL = Place(10**18, 0)


@dataclass(frozen=True)
class OutcomePage:
    """Some outcomes of a run.

    Shape: total: outcomes on all pages, None where nobody has counted; before, after: places to ask for the pages beside this
    one, None where there is none
    """

    outcomes: list[Outcome]
    total: int | None
    before: Place | None = None
    after: Place | None = None


def find_outcomes(
    run: SyncRun,
    wanted: OutcomeFilter = EVERY_OUTCOME,
    *,
    after: Place | None = None,
    before: Place | None = None,
    per_page: int = 50,
) -> OutcomePage:
    """Return one page of the outcomes that are wanted: the first, the one after a place, or the one before.

    Queries: two
    """
    found: list[tuple[Place, Outcome]] = []
    backwards = before is not None
    for place, outcome in _matches(run, wanted, after, before):
        found.append((place, outcome))
        if len(found) > per_page:
            break
    has_more = len(found) > per_page
    shown = sorted(found[:per_page], key=lambda item: item[0])
    earlier, later = (has_more, True) if backwards else (after is not None, has_more)
    return OutcomePage(
        [outcome for _place, outcome in shown],
        _total(run, wanted),
        shown[0][0] if shown and earlier else None,
        shown[-1][0] if shown and later else None,
    )


def last_outcomes(run: SyncRun, wanted: OutcomeFilter, most: int) -> list[Outcome]:
    """Return the last outcomes that are wanted, the last one first. Queries: one. Raises: OutcomesMissing"""
    return [outcome for _place, outcome in islice(_matches(run, wanted, None, _BEHIND_ALL), most)]


def wanted_rows(run: SyncRun, wanted: OutcomeFilter) -> Iterator[Outcome]:
    """Return all outcomes that are wanted, in order. Queries: one. Raises: OutcomesMissing"""
    return (outcome for _place, outcome in _matches(run, wanted, None, None))


def run_reasons(run: SyncRun) -> list[Reason]:
    """Return why rows of a run failed, the most frequent reason first. Queries: one"""
    with_failed = (
        chunk
        for chunk in run.chunks.select_related("index").defer("index__names").order_by("first_line")
        if any(chunk.counts.get(action.value) for action in FAILED_ACTIONS)
    )
    return merged_reasons(_facts(chunk).reasons for chunk in with_failed)


def run_codes(run: SyncRun) -> list[tuple[str, int]]:
    """Return the codes of a run's outcomes and how many rows have each, the most frequent first. Queries: one"""
    codes: Counter[str] = Counter()
    for counted in run.chunks.values_list("codes", flat=True):
        codes.update(counted)
    return codes.most_common()


def run_columns(run: SyncRun) -> dict[str, int]:
    """Return which columns the outcomes are about, and how many of each, the most frequent first. Queries: one"""
    columns: Counter[str] = Counter()
    for index in ChunkIndex.objects.filter(chunk__run=run).only("facts"):
        columns.update(unpack_facts(index.facts).columns)
    return dict(columns.most_common())


def _matches(
    run: SyncRun, wanted: OutcomeFilter, after: Place | None, before: Place | None
) -> Iterator[tuple[Place, Outcome]]:
    """Return the wanted outcomes behind a place in their order, or before one in reverse. Queries: one"""
    for chunk in _chunks_from(run, wanted, after, before):
        if not wanted.may_be_in(chunk):
            continue
        places = [Place(chunk.last_line, number) for number in wanted.numbers_in(chunk)]
        if before is not None:
            places = [place for place in reversed(places) if place < before]
        elif after is not None:
            places = [place for place in places if place > after]
        for part in batched(places, _READ_AT_ONCE):
            rows = read_rows_of_part(chunk, {place.number for place in part})
            yield from (
                (place, outcome)
                for place in part
                if (outcome := rows.get(place.number)) is not None and wanted.takes(outcome)
            )


def _chunks_from(
    run: SyncRun, wanted: OutcomeFilter, after: Place | None, before: Place | None
) -> Iterator[RunChunk]:  # fmt: skip
    """Return the chunks of a run that a page may lie in, with what is needed of their indexes."""
    chunks: QuerySet[RunChunk] = run.chunks.all()
    if before is not None:
        chunks = chunks.filter(last_line__lte=before.last_line).order_by("-last_line")
    else:
        chunks = chunks.filter(last_line__gte=after.last_line) if after is not None else chunks
        chunks = chunks.order_by("last_line")
    if wanted.needs_names:
        chunks = chunks.select_related("index")
    elif wanted.column or wanted.case:
        chunks = chunks.select_related("index").defer("index__names")
    return chunks.iterator(chunk_size=100)


def _index_of(chunk: RunChunk) -> ChunkIndex | None:
    """Return the index of a chunk that was read with it; None for one from before there were any."""
    with suppress(ChunkIndex.DoesNotExist):
        return chunk.index if RunChunk.index.is_cached(chunk) else None
    return None


def _facts(chunk: RunChunk) -> Facts:
    index = _index_of(chunk)
    return unpack_facts(index.facts) if index is not None else facts_of(list(read_part(chunk)))


def _total(run: SyncRun, wanted: OutcomeFilter) -> int | None:
    if wanted.text or wanted.column or wanted.case or (wanted.action and wanted.code):
        return None
    if not wanted.code:
        return run.counts.get(wanted.action, 0) if wanted.action else run.outcome_count
    return sum(codes.get(wanted.code, 0) for codes in run.chunks.values_list("codes", flat=True))
