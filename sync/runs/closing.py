"""What a run does after the last row of its file: absent objects, emptied ones, then the order of the site and mails.

    next_closing_plan, next_emptied_plan: part by part, each a transaction with a line for each object; final_plan: one line

An object that Moodle's database keeps, or over which ToolSync stumbles, is found by halving, rejected, and the others are done.
Where ToolSync stumbles while it looks for the next objects, that part ends with a rejected line, and the others are done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sync.errors import MoodleRefused, RowsFailed
from sync.moodle.courses.order import Misplaced, fetch_misplaced, fetch_name_of
from sync.processors.base.absence import DELETED, DONE, LEFT_REFUSED
from sync.processors.base.after_commit import AfterCommit
from sync.processors.base.closing import (
    ClosedObject,
    ClosedObjects,
    ClosingObject,
    FileEnd,
    PlannedObjects,
    listed,
    notes_of_closed,
    rest_of,
)
from sync.processors.base.operations import Applied
from sync.processors.base.plan import Plan
from sync.values import (
    ABSENT_FAILED,
    ABSENT_KEPT,
    EMPTIED_FAILED,
    EMPTIED_KEPT,
    OBJECT_FAILED,
    PLACE_KEPT,
    Action,
    Note,
    Outcome,
)

if TYPE_CHECKING:
    from sync.runs.pipeline import PipelineRun

# What becomes of objects that the database keeps -> of the part, where ToolSync can't tell which objects come next.
_FAILED = {ABSENT_KEPT: ABSENT_FAILED, EMPTIED_KEPT: EMPTIED_FAILED}


class Closing:
    """The end of one run of the pipeline.

    Shape: last_row: line of the last row of the file; after_line: up to here all is done
    """

    def __init__(self, run: PipelineRun, last_row: int, after_line: int) -> None:
        self._run = run
        self._last_row = last_row
        self._line = max(last_row, after_line) + 1
        self._most = run.chunk_rows
        self._planned: PlannedObjects | None = None
        self._closed = ClosedObjects()

    def run(self) -> bool:
        """Do all of it that isn't done. Returns False when it was stopped on request."""
        run = self._run
        if (plan := run.work.plan) is not None:
            self._planned = run.retrying(lambda: PlannedObjects(plan.closed(self._last_row)))
        if self._line > self._last_row + 1:
            run.retrying(self._read_closed)
        is_going_on = run.is_closed or self._close_objects()
        if is_going_on:
            if run.is_closed:
                run.retrying(self._look_once_more)
            else:
                run.retrying(self._close)
            self._note()
        return is_going_on

    def _close_objects(self) -> bool:
        """Do what is to be done object by object. Returns False when it was stopped."""
        run = self._run
        if run.is_complete:
            # Whoever stops the run with its last rows doesn't want anything taken away.
            if run.should_stop():
                return False
            if not self._do_parts(ABSENT_KEPT):
                return False
        return self._do_parts(EMPTIED_KEPT)

    def _do_parts(self, kept: str) -> bool:
        while self._run.retrying(lambda: self._do_part(kept)):
            if self._run.should_stop():
                return False
        return True

    def _do_part(self, kept: str) -> bool:
        """Do the next part. Returns False when there is none. Shape: kept: code for an object that the database keeps"""
        run = self._run
        if (done := run.done_up_to(self._line)) is not None:
            self._line = done + 1
            self._read_closed()
            return True
        if rest_of(_FAILED[kept]) in self._closed:
            return False
        while (plan := self._next_plan(kept)) is not None and plan.outcomes:
            try:
                self._write(plan)
            except (MoodleRefused, RowsFailed) as error:
                if len(plan.outcomes) > 1:
                    self._most = len(plan.outcomes) // 2
                    continue
                self._leave(plan, kept, error)
            self._most = min(self._run.chunk_rows, self._most * 2)
            self._line += len(plan.outcomes)
            return True
        if plan is not None:
            run.processor.collect(run.processor.owed_after_commit(plan, Applied(plan.now)))
        if (ended := self._ended_in_plan(kept)) is not None:
            self._end_part(kept, ended.params)
        return False

    def _ended_in_plan(self, kept: str) -> Outcome | None:
        """Return with what the plan has ended a part: what it hadn't come to isn't done by its application either."""
        planned, rest = self._end(kept).planned, rest_of(_FAILED[kept])
        return None if planned is None or rest in self._closed else planned.ended.get(rest)

    def _next_plan(self, kept: str) -> Plan | None:
        """Return what is to be done next; None where there is nothing, or ToolSync stumbles while it looks for it."""
        processor = self._run.processor
        while True:
            end = self._end(kept)
            try:
                with self._run.about_rows():
                    return processor.next_closing_plan(end) if kept == ABSENT_KEPT else processor.next_emptied_plan(end)
            except RowsFailed as error:
                if self._most == 1:
                    self._end_part(kept, self._run.internal_error(self._line, error).params)
                    return None
                self._most //= 2

    def _end_part(self, kept: str, params: Mapping[str, Any]) -> None:
        """Leave what hasn't been looked for; one line says so, and a run that is taken up again finds it."""
        run, code = self._run, _FAILED[kept]
        about = rest_of(code)
        outcome = Outcome(self._line, Action.REJECTED, code, dict(params))
        run.write(Plan(), [outcome], self._line, self._line, about=[about])
        self._closed.add([ClosedObject(about, outcome)])
        self._most = run.chunk_rows
        self._line += 1

    def _end(self, kept: str) -> FileEnd:
        # At night rows that have changed are planned once more, so other objects may be left empty than was planned.
        is_planned = kept == ABSENT_KEPT or not self._run.work.replans
        planned = self._planned if is_planned else None
        return FileEnd(self._line, self._most, self._run.wholeness.doubt, planned, self._closed)

    def _write(self, plan: Plan) -> None:
        run = self._run
        first, last = self._line, self._line + len(plan.outcomes) - 1
        owed = run.processor.owed_after_commit(plan, Applied(plan.now)) if plan.is_empty else None
        run.write(plan, plan.outcomes, first, last, about=plan.objects, owed=owed)
        if run.work.simulate:
            run.foresee(plan)
        self._closed.add(map(ClosedObject, plan.objects, plan.outcomes))

    def _leave(self, plan: Plan, kept: str, error: MoodleRefused | RowsFailed) -> None:
        """Reject one object, and go on behind it."""
        (planned,), (about,) = plan.outcomes, plan.objects
        outcome = self._rejected(planned.subject, kept, error)
        # Of the plan nothing is owed but where the search goes on.
        counts = {key: count for key, count in plan.absent.items() if key not in (DONE, DELETED)}
        owed = AfterCommit(absent=counts, absent_upto=plan.absent_upto, absent_left=plan.absent_left)
        if kept == ABSENT_KEPT:
            owed.absent[LEFT_REFUSED] = 1
        self._run.write(Plan(), [outcome], self._line, self._line, about=[about], owed=owed)
        self._closed.add([ClosedObject(about, outcome)])

    def _rejected(self, subject: str, kept: str, error: MoodleRefused | RowsFailed) -> Outcome:
        if isinstance(error, MoodleRefused):
            return Outcome(self._line, Action.REJECTED, kept, {**error.params, "hint": error.code}, subject)
        failed = self._run.internal_error(self._line, error)
        return Outcome(self._line, Action.REJECTED, OBJECT_FAILED, failed.params, subject)

    # --- what is done once, at the very end --------------------------------------------------------------------------

    def _close(self) -> None:
        """Do the last that the processor wants done; it counts as one line."""
        run = self._run
        if (done := run.done_up_to(self._line)) is not None:
            self._line = done + 1
            self._read_closed()
        if run.is_closed:
            return
        try:
            with run.about_rows():
                plan = run.processor.final_plan()
            if plan is None or plan.is_empty:
                return
            run.write(plan, [], self._line, self._line, is_last=True)
        except (MoodleRefused, RowsFailed):
            if not run.processor.sees_to_order:
                raise
        else:
            return
        # Not in the handler: what the first attempt held stays in memory as long as its exception.
        self._bring_in_order()

    def _bring_in_order(self) -> None:
        """Bring courses and categories in order, all but those that the database keeps where they are."""
        run = self._run
        waiting = [[each for each in fetch_misplaced(run.session) if _object(each) not in self._closed]]
        while waiting:
            part = waiting.pop()
            if not part:
                continue
            if (error := self._try_to_place(part)) is not None:
                if len(part) > 1:
                    half = len(part) // 2
                    waiting += [part[half:], part[:half]]
                    continue
                name = fetch_name_of(run.session, part[0])
                outcome = self._rejected(name, PLACE_KEPT, error)
                about = _object(part[0])
                run.write(Plan(), [outcome], self._line, self._line, about=[about])
                self._closed.add([ClosedObject(about, outcome)])
            self._line += 1

    def _try_to_place(self, places: Sequence[Misplaced]) -> MoodleRefused | RowsFailed | None:
        """Bring some courses or categories to their places; return what was wrong with one of them."""
        try:
            with self._run.about_rows():
                plan = self._run.processor.final_plan(places)
            if plan is not None:
                self._run.write(plan, [], self._line, self._line)
        except (MoodleRefused, RowsFailed) as error:
            return error.with_traceback(None)
        return None

    # --- what is said of it ------------------------------------------------------------------------------------------

    def _read_closed(self) -> None:
        """Find out which objects an earlier attempt, or a part whose commit wasn't answered, has done."""
        self._closed.add(self._run.work.recorder.closed(self._last_row))

    def _look_once_more(self) -> None:
        """Find out once more what is absent or empty, for what is said of it at the end; nothing is done about it."""
        run = self._run
        nothing = FileEnd(self._line, run.chunk_rows, run.wholeness.doubt, PlannedObjects(()), self._closed)
        is_looked_for = run.is_complete and rest_of(ABSENT_FAILED) not in self._closed
        if is_looked_for and (plan := run.processor.next_closing_plan(nothing)) is not None:
            run.processor.collect(run.processor.owed_after_commit(plan, Applied(plan.now)))
        if self._planned is not None and not run.work.replans and rest_of(EMPTIED_FAILED) not in self._closed:
            run.processor.next_emptied_plan(nothing)

    def _note(self) -> None:
        """Say what was deleted because it was empty, what was left because nobody has planned it, and what wasn't done."""
        collected = self._run.collected
        collected.notes += notes_of_closed(self._closed, self._run.processor.emptied_notes)
        left = {
            "emptied_left_unplanned": list(collected.unplanned.values()),
            "planned_objects_left": [] if self._planned is None else self._planned.names_not_in(self._closed),
        }
        collected.notes += [
            Note(code, {"count": len(names), "names": listed(names)}) for code, names in left.items() if names
        ]


def _object(place: Misplaced) -> ClosingObject:
    return ClosingObject(place.table, place.change.id)
