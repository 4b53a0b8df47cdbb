"""The verdict on a plan: pure, from its totals, what Moodle holds, the limits and what is known of the file before it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from sync.guard.limits import REMOVALS, Limit, Scope
from sync.values import Action, Note

# A file of fewer rows than this share of the last accepted one was perhaps cut short.
_SHARE_OF_LAST = 0.5
# Below so many rows a share says nothing.
_FEWEST_ROWS = 10
_MOST_REJECTED = 0.5


class Verdict(StrEnum):
    """What becomes of a plan. `confirm`: who asked for it says so once more; `held`: somebody with the right approves."""

    GO = "go"
    CONFIRM = "confirm"
    HELD = "held"


@dataclass(frozen=True)
class ScopeFacts:
    """What is judged of one scope.

    Shape: totals: as in PlanFacts, of what is in the scope, None = the plan hasn't counted that; live: None = there is nothing of
    this name in Moodle
    """

    scope: Scope
    limits: Mapping[str, Limit]
    totals: Mapping[str, int] | None
    live: Mapping[str, int] | None


@dataclass(frozen=True)
class PlanFacts:
    """What is judged.

    Shape: totals: kind -> how many; live: name of the object ("users") -> how many Moodle holds; counts: action -> rows; rows,
    size: of the file; last_rows, last_size: of the last file of its kind that was carried out, 0 = there is none; by_hand: a
    person waits for it at a page; suspicion: what else speaks against it; scopes: those with limits of their own
    Units: size, last_size: bytes
    """

    totals: Mapping[str, int]
    live: Mapping[str, int]
    limits: Mapping[str, Limit]
    counts: Mapping[str, int] = field(default_factory=dict)
    rows: int = 0
    size: int = 0
    last_rows: int = 0
    last_size: int = 0
    by_hand: bool = False
    suspicion: Note | None = None
    scopes: Sequence[ScopeFacts] = ()


@dataclass(frozen=True)
class Judgement:
    """Shape: reasons: why a person has to decide, worst first"""

    verdict: Verdict
    reasons: tuple[Note, ...] = ()


def judge(facts: PlanFacts) -> Judgement:
    """Judge a plan. A plan that changes nothing goes, whatever the file looks like."""
    if not facts.totals:
        return Judgement(Verdict.GO)
    suspicions = () if facts.suspicion is None else (facts.suspicion,)
    if reasons := (*suspicions, *_beyond_limits(facts), *_beyond_scopes(facts), *_unlike_before(facts)):
        return Judgement(Verdict.HELD, reasons)
    if facts.by_hand and (removed := removals(facts.totals)):
        reasons = tuple(Note("plan_removes", {"kind": kind, "count": count}) for kind, count in removed.items())
        return Judgement(Verdict.CONFIRM, reasons)
    return Judgement(Verdict.GO)


def judge_bundle(of_files: Mapping[str, Judgement], of_all: Judgement, *, asks: bool) -> Judgement:
    """Return the verdict on files that are planned together: the strictest of those on each and on what they do in all.

    Shape: of_files: name of the file -> verdict; asks: a person lets it go on, whatever the limits say
    """
    held = [
        Note(note.code, {**note.params, "file": name})
        for name, judgement in of_files.items()
        if judgement.verdict is Verdict.HELD
        for note in judgement.reasons
    ]
    if of_all.verdict is Verdict.HELD:
        known = {_what_is_said(note) for note in held}
        held += [note for note in of_all.reasons if _what_is_said(note) not in known]
    if held:
        return Judgement(Verdict.HELD, tuple(held))
    if of_all.verdict is Verdict.CONFIRM:
        return of_all
    return (
        Judgement(Verdict.CONFIRM, (Note("bundle_asks", {"count": len(of_files)}),)) if asks else Judgement(Verdict.GO)
    )


def _what_is_said(note: Note) -> tuple[object, ...]:
    return note.code, *(note.params.get(name) for name in ("kind", "count", "scope", "name"))


def removals(totals: Mapping[str, int]) -> dict[str, int]:
    """Return what a plan takes away: kind -> how many."""
    return {kind: totals[kind] for kind in REMOVALS if totals.get(kind)}


def ceilings(totals: Mapping[str, int], limits: Mapping[str, Limit]) -> dict[str, int]:
    """Return up to how many removals of each kind a run may come, whose rows are planned once more while it is applied."""
    return {
        kind: max(totals.get(kind, 0), limits[kind].number or 0)
        for kind in REMOVALS
        if limits.get(kind, Limit()) != Limit()
    }


def _beyond_limits(facts: PlanFacts | ScopeFacts) -> Iterator[Note]:
    totals, living = facts.totals or {}, facts.live or {}
    for kind, limit in facts.limits.items():
        count = totals.get(kind, 0)
        if not count:
            continue
        live = living.get(kind.partition(".")[0], 0)
        percent = 100 * count / live if live else 100.0
        if limit.number is not None and count > limit.number:
            yield Note("guard_count", {"kind": kind, "count": count, "limit": limit.number})
        elif limit.percent is not None and percent > limit.percent:
            params = {"kind": kind, "count": count, "total": live, "percent": round(percent, 1), "limit": limit.percent}
            yield Note("guard_percent", params)


def _beyond_scopes(facts: PlanFacts) -> Iterator[Note]:
    for found in facts.scopes:
        scope = {"scope": found.scope.kind.value, "name": found.scope.name}
        if not any(facts.totals.get(kind) for kind, limit in found.limits.items() if limit != Limit()):
            continue
        if found.live is None:
            yield Note("guard_scope_empty", scope)
        elif found.totals is None:
            yield Note("guard_scope_uncounted", scope)
        else:
            yield from (Note(note.code, {**note.params, **scope}) for note in _beyond_limits(found))


def _unlike_before(facts: PlanFacts) -> Iterator[Note]:
    if facts.rows < facts.last_rows * _SHARE_OF_LAST and facts.last_rows >= _FEWEST_ROWS:
        yield Note("guard_fewer_rows", {"count": facts.rows, "before": facts.last_rows})
    elif facts.size < facts.last_size * _SHARE_OF_LAST and facts.last_rows >= _FEWEST_ROWS:
        yield Note("guard_smaller_file", {"size": facts.size, "before": facts.last_size})
    rejected = facts.counts.get(Action.REJECTED, 0)
    if facts.rows >= _FEWEST_ROWS and rejected > facts.rows * _MOST_REJECTED:
        yield Note("guard_rejected", {"count": rejected, "rows": facts.rows})
