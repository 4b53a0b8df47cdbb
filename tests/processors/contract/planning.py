"""What `plan` does beside deciding: it must neither ask nor keep anything."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.guard.limits import REMOVALS
from sync.processors.base.overlay_rows import RowsOnDisk
from sync.processors.base.processor import Processor, SplitChunk
from sync.values import CleanRow
from tests.processors.contract.runs import ProcessorType

_CLOCKS = {"time", "time_ns", "monotonic", "perf_counter", "now", "utcnow", "today", "localtime", "gmtime"}


class Watched(NamedTuple):
    """What `plan` was seen to do that it must not."""

    faults: list[str]
    processor: ProcessorType


def watched(processor: ProcessorType) -> Watched:
    """Return the processor that plans everything twice, and notes what it asks for meanwhile, and what it changes."""
    faults: list[str] = []

    def fetch(itself: Processor, rows: list[CleanRow]) -> Any:
        before = deepcopy(rows)
        state = processor.fetch(itself, rows)
        if rows != before:
            faults.append("rows have changed while they were fetched")
        return state

    def plan(itself: Processor, rows: list[CleanRow], state: Any) -> Any:
        collected, kept, before = deepcopy(itself.collected), _changes_of_overlay(itself), deepcopy(rows)
        with _nothing_asked(itself.moodle.connection.engine, faults):
            first = _planned(processor, itself, rows, state)
            second = _planned(processor, itself, rows, state)
        if _decided(first) != _decided(second):
            faults.append(f"planned differently the second time:\n{_decided(first)}\n{_decided(second)}")
        if itself.collected != collected or _changes_of_overlay(itself) != kept:
            faults.append("what is collected has changed")
        if rows != before:
            # Those that a plan is made of serve its application as well.
            faults.append("rows have changed while they were planned")
        if isinstance(second, SplitChunk):
            raise second
        faults.extend(_uncounted(second))
        return second

    return Watched(faults, type(processor.__name__, (processor,), {"fetch": fetch, "plan": plan}))


class Counted(NamedTuple):
    """The lines of the rows that were planned, each as often as it was."""

    lines: list[int]
    processor: ProcessorType


def planned_lines(processor: ProcessorType) -> Counted:
    """Return the processor that notes which rows it plans."""
    lines: list[int] = []

    def plan(itself: Processor, rows: list[CleanRow], state: Any) -> Any:
        lines.extend(row.line for row in rows)
        return processor.plan(itself, rows, state)

    return Counted(lines, type(processor.__name__, (processor,), {"plan": plan}))


def _planned(processor: ProcessorType, itself: Processor, rows: list[CleanRow], state: Any) -> Any:
    try:
        return processor.plan(itself, rows, state)
    except SplitChunk as split:
        return split


def _decided(plan: Any) -> Any:
    if isinstance(plan, SplitChunk):
        return plan.line
    return plan.outcomes, plan.inserts, plan.updates, plan.deletes


def _uncounted(plan: Any) -> list[str]:
    """Return of which kinds of removals a plan doesn't know what it takes away."""
    totals, changed = plan.totals(), plan.changed_ids()
    return [
        f"{kind}: {totals[kind]} are counted, {len(changed.get(kind, ()))} known"
        for kind in REMOVALS
        if totals[kind] != len(changed.get(kind, ()))
    ]


def _changes_of_overlay(processor: Processor) -> int:
    overlay = processor.overlay
    overlay._write()
    overlay._make_searchable()
    rows = overlay._rows
    if isinstance(rows, RowsOnDisk):
        return rows._database.total_changes
    return rows.cells + sum(map(len, rows._rows.values())) + sum(map(len, rows._places.values()))


@contextmanager
def _nothing_asked(engine: sa.Engine, faults: list[str]) -> Iterator[None]:
    """Note every query and every look at a clock."""

    def on_query(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        faults.append(f"asks {statement}")

    def on_call(frame: Any, event: str, called: Any) -> None:
        if event == "c_call" and called.__name__ in _CLOCKS:
            owner = getattr(called, "__self__", None)
            if called.__module__ == "time" or getattr(owner, "__module__", getattr(owner, "__name__", "")) in {
                "datetime", "time",
            }:  # fmt: skip
                faults.append(f"looks at the clock in {frame.f_code.co_filename}:{frame.f_lineno}")

    sa.event.listen(engine, "before_cursor_execute", on_query)
    former = sys.getprofile()
    # Hypothesis times each collection of Python's, and one may come at any moment.
    gc.disable()
    sys.setprofile(on_call)
    try:
        yield
    finally:
        sys.setprofile(former)
        gc.enable()
        sa.event.remove(engine, "before_cursor_execute", on_query)
