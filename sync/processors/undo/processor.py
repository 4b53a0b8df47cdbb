"""`undo`: take back what an earlier run did, row by row, from its journal. `sync.runs.undo` makes its files, not people."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from django.utils.translation import gettext_lazy as _

from sync.columns.general_options import GeneralOptions
from sync.moodle.courses.order import Misplaced
from sync.processors.base.after_commit import AfterCommit
from sync.processors.base.context import Collected
from sync.processors.base.grace import GraceChange, GraceStep
from sync.processors.base.operations import Applied, FixCourseOrder, Operation
from sync.processors.base.processor import Processor
from sync.processors.undo.operations import UndoPlan
from sync.processors.undo.planner import UndoPlanner
from sync.processors.undo.state import StateReader, UndoCells, UndoState
from sync.processors.undo.survey import UndoSurvey


class UndoOptions(GeneralOptions):
    """Nobody mends the failed lines of an undo: the run is undone once more."""

    filefailed = replace(GeneralOptions.filefailed, default=False)


@dataclass
class UndoCollected(Collected):
    """Shape: changes_order: the order of the site's courses has to be seen to at the end; done_ahead: table and id of a row ->
    its columns that were changed back before its own line
    """

    changes_order: bool = False
    done_ahead: dict[tuple[str, int], list[str]] = field(default_factory=dict)


class OrderPlan(UndoPlan):
    """Brings courses and categories in order once all rows are done."""

    def __init__(self, now: int, places: Sequence[Misplaced] | None) -> None:
        super().__init__(now)
        self.places = places

    def operations(self) -> list[Operation]:
        return [FixCourseOrder(places=self.places)]


class Undo(Processor[UndoCells, UndoState, UndoPlan]):
    """One line, one row of Moodle that a run made, changed or deleted, from the last to the first."""

    key = "undo"
    label = _("Undo")
    summary = _("Take back what a run did.")
    default_filename = "undo.csv"
    options = UndoOptions
    file_survey = UndoSurvey
    collected_type = UndoCollected

    def setup(self, names: Sequence[str]) -> None:
        survey = self.survey.found
        assert isinstance(survey, UndoSurvey)  # noqa: S101
        self.reader = StateReader(self.moodle, self.overlay, self.context.journal, survey)
        self.file_notes.extend(self.context.journal.notes)

    def fetch(self, rows: Sequence[UndoCells]) -> UndoState:
        state = self.reader.read(rows, now=int(time.time()))
        state.listed = self.context.journal.listed
        state.done_ahead = self.collected.done_ahead
        return state

    def plan(self, rows: Sequence[UndoCells], state: UndoState) -> UndoPlan:
        plan = UndoPlanner(state, {row.line for row in rows}).plan()
        # With the first rows: what is brought back must not be deleted once its days are over.
        for table, rowid in state.listed:
            plan.change_grace(GraceChange(GraceStep.ENDED, table, rowid, rows[0].line if rows else 0))
        return plan

    def owed_after_commit(self, plan: UndoPlan, applied: Applied) -> AfterCommit:
        owed = super().owed_after_commit(plan, applied)
        owed.changes_order = plan.fixes_order
        owed.ahead = list(plan.ahead)
        return owed

    def collect(self, owed: AfterCommit) -> None:
        super().collect(owed)
        self.collected.changes_order = self.collected.changes_order or owed.changes_order
        for table, rowid, columns in owed.ahead:
            self.collected.done_ahead.setdefault((table, rowid), []).extend(columns)

    def final_plan(self, places: Sequence[Misplaced] | None = None) -> UndoPlan | None:
        return OrderPlan(int(time.time()), places) if self.sees_to_order else None

    @property
    def sees_to_order(self) -> bool:
        return self.collected.changes_order

    def close(self) -> None:
        if "reader" in self.__dict__:
            self.reader.ownership.close()
