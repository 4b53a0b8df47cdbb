"""The pipeline: a command file carried out chunk by chunk, or simulated (dry run). Knows no request, no Celery and no model.

    bytes -> reader -> columns -> processor: fetch, plan, (prepare, apply) -> outcomes, chunk by chunk

A chunk is one transaction. What the chunk did is handed to the recorder *before* the commit (`prepare`) and again after it
(`confirm`); a mark in Moodle (`sync.moodle.db.commit_marker`) tells, after a kill in between, whether the commit took place.
"""

from __future__ import annotations

import logging
import traceback
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from typing import BinaryIO, Self, TypeVar

from sync.columns.cell_texts import CellTexts
from sync.columns.general_options import date_order_of
from sync.columns.header import MatchedHeader, match_header
from sync.columns.leaving_out import LeavingOut
from sync.columns.repeated_values import with_earlier_lines
from sync.columns.row_names import NamedColumns, RowNames
from sync.columns.row_secrets import RowSecrets
from sync.columns.rows import ReadCells, RowCleaner
from sync.columns.survey import Survey
from sync.errors import MoodleRefused, MoodleUnavailable, OutcomesMissing, RowsFailed, StorageUnavailable, ToolSyncError
from sync.mappings.mapped_rows import known_by, mapped, mapped_look, notes_of
from sync.moodle.db.commit_marker import CommitMarker
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import Writer
from sync.moodle.site.time_zone import clock_of
from sync.outcomes.report import INTERNAL_ERROR
from sync.processors.base.after_commit import AfterCommit
from sync.processors.base.closing import ClosingObject
from sync.processors.base.context import (
    Collected,
    ProcessorContext,
)
from sync.processors.base.operations import Applied
from sync.processors.base.overlay import Overlay
from sync.processors.base.plan import Plan
from sync.processors.base.processor import Processor, SplitChunk
from sync.processors.base.row_counts import counted_rows
from sync.processors.base.sticky import digests_in
from sync.reader import RowReader, open_rows
from sync.runs.closing import Closing
from sync.runs.kept_plans import NotedGrace, PlanKey
from sync.runs.pipeline_context import ChunkResult, OwedPart, PipelineContext, RowsKey, StoredPlan
from sync.runs.planned import PlannedRows, with_new_values
from sync.runs.retry import disk
from sync.runs.wholeness import Wholeness
from sync.values import Action, CleanRow, Note, Outcome, Rejection, Row

Result = TypeVar("Result")

logger = logging.getLogger(__name__)

# So much of a file is a chunk at most, whatever its rows; one row may have twice as much (`sync.reader.row_bytes`).
CHUNK_BYTES = 8 << 20

# What says nothing about the rows: a disk that is full, memory that is used up. Our own errors say themselves what they mean.
_NOT_ABOUT_ROWS = (ToolSyncError, SplitChunk, OSError, MemoryError)


def run_pipeline(work: PipelineContext, stream: BinaryIO, filename: str) -> bool:
    """Carry out a file; return False when it was stopped on request, True when it went through.

    Raises: CommandFileError before anything is written; MoodleError, LeaseLost with whole chunks applied
    """
    processor = work.processor
    columns = processor.columns
    known = work.look.survey
    survey = known or Survey(columns, date_order_of(work.options), processor.file_survey)
    opened = open_rows(
        stream,
        filename,
        encoding=work.options.encoding,
        separator=work.options.separator,
        known_name=known_by(work.mapping, columns),
        list_names=columns.list_names_for(work.options),
        of_pictures=columns.of_pictures,
        look=mapped_look(work.mapping, columns, survey.start) if known is None else None,
        whole=work.look.whole,
        sheets=work.sheets,
    )
    work.look.survey, work.look.whole = survey, opened.whole
    with mapped(work.mapping, columns, opened) as reader:
        header = match_header(columns, reader.header, lenient=work.options.invalidnamesnocheck)
        with PipelineRun(work, reader, header, survey) as run:
            return run.run_all()


class PipelineRun:
    """One run of the pipeline: holds the session, and takes a new one when Moodle went away."""

    def __init__(self, work: PipelineContext, reader: RowReader, header: MatchedHeader, survey: Survey) -> None:
        self.work = work
        self.survey = survey
        self.leaving_out = LeavingOut(work.processor.columns, work.options)
        self.reader = reader
        self.header = header
        self.secrets = RowSecrets(reader.header.names)
        self.named_columns = NamedColumns(work.processor.columns, header.names, self.secrets)
        self.overlay = work.overlay or Overlay()
        self.collected: Collected = work.processor.collected_type()
        self.attempt = 0
        self._collected: set[int] = set()
        self._settled: set[int] = set()
        self.texts = CellTexts()
        self.wholeness = Wholeness(reader, header.width)
        self.is_closed = False
        self._traces: dict[str, str] = {}
        self._took_over = False
        self._session_stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._session_stack.close()
        if self.work.overlay is None:
            self.overlay.close()

    def run_all(self) -> bool:
        self.retrying(self._connect)
        notes = [*self.processor.file_notes, *self._date_notes()]
        if self.header.ignored:
            notes.insert(0, Note("columns_ignored", {"columns": ", ".join(self.header.ignored)}))
        if self.work.mapping:
            notes[:0] = notes_of(self.work.mapping)
        if dead := sorted(self.work.processor.options.dead & set(self.work.options)):
            notes.append(Note("settings_dead", {"names": ", ".join(dead)}))
        self.retrying(lambda: self.work.recorder.begin(self.reader, self.header, notes))
        after_line = self.retrying(self._recovered_line)
        if after_line:
            self.retrying(self._settle)
        elif self.is_complete:
            self.retrying(self._check)
        is_stopped = False
        last_line = 0
        for chunk in chunks_of(self.reader, self.chunk_rows):
            if is_stopped := self.should_stop():
                break
            last_line = chunk[-1].line
            self.wholeness.see(chunk)
            self._skip([row for row in chunk if row.line <= after_line])
            if (todo := [row for row in chunk if row.line > after_line]) and not self._run_chunk(todo):
                is_stopped = True
                break
        if not is_stopped:
            is_stopped = not Closing(self, last_line, after_line).run()
        self.retrying(self._clear_marker)
        final_notes = self.processor.final_notes()
        self._session_stack.close()
        self.retrying(lambda: self.work.recorder.end([*self.reader.notes, *self.texts.notes, *final_notes]))
        return not is_stopped

    @property
    def is_complete(self) -> bool:
        """Whether what is absent from the file isn't to stay as it is."""
        return self.processor.is_complete and not self.work.is_part

    def _check(self) -> None:
        self.processor.check()

    def _clear_marker(self) -> None:
        # Of the present connection: the one that the run was begun on may be lost.
        if self.commit_marker is not None:
            self.commit_marker.clear()

    def about_rows(self) -> AbstractContextManager[None]:
        """Return what takes a fault of ours for one of the rows, or objects, that are dealt with in it."""
        return _about_rows()

    def should_stop(self) -> bool:
        return self.retrying(self.work.should_stop)

    @property
    def chunk_rows(self) -> int:
        return min(self.work.chunk_rows, self.work.processor.rows_per_chunk or self.work.chunk_rows)

    def _skip(self, rows: list[Row]) -> None:
        # Most processors don't care, and a file may have a million rows.
        is_looked_at = self.work.processor.on_skipped is not Processor.on_skipped
        if rows and (is_looked_at or self.is_complete):
            clean, rejections = self._clean(rows)
            self._note_named(rows, clean, rejections)
            self.processor.on_skipped(clean)

    def _note_named(self, rows: Sequence[Row], clean: list[CleanRow], rejections: Sequence[Rejection]) -> None:
        if self.is_complete:
            rejected = {rejection.line: rejection for rejection in rejections}
            read = [self._read_cells(row, rejected[row.line]) for row in rows if row.line in rejected]
            self.retrying(lambda: self.processor.note_named(clean, read))

    def _read_cells(self, row: Row, rejection: Rejection) -> ReadCells:
        """Return what can be read of a rejected row; nothing where the cleaner stumbles over it."""
        is_readable = rejection.code != INTERNAL_ERROR
        return self.cleaner.read_cells(row) if is_readable else self.cleaner.unread_cells(row)

    def _clean(self, rows: list[Row]) -> tuple[list[CleanRow], list[Rejection]]:
        """Clean a chunk, unless the plan that is carried out was made by this process, and has done so."""
        cleaned = self.work.look.cleaned
        key = RowsKey(rows[0].line, rows[-1].line, len(rows), frozenset(self.processor.text_fields))
        if not self.work.simulate and (known := cleaned.take(key)) is not None:
            return known
        notes = self.texts.notes
        clean, rejections = self._clean_anew(rows)
        # What was taken out of cells is counted by each pass for itself. Of several files this would be too much to keep.
        is_one_file = self.work.simulate and self.work.overlay is not None and not self.overlay.spans_files
        if is_one_file and self.texts.notes == notes:
            size = sum(len(row.raw) for row in rows)
            cleaned.keep(key, clean, rejections, size, secret=self.secrets.are_possible)
        return clean, rejections

    def _clean_anew(self, rows: list[Row]) -> tuple[list[CleanRow], list[Rejection]]:
        """Clean a chunk; a row over which the cleaner itself stumbles is rejected, and the others aren't touched by it."""
        try:
            with _about_rows():
                return self.cleaner.clean(rows)
        except RowsFailed as error:
            if len(rows) == 1:
                return [], [self.internal_error(rows[0].line, error)]
        parts = [self._clean_anew([row]) for row in rows]
        return [row for clean, _ in parts for row in clean], [row for _, rejected in parts for row in rejected]

    def _run_chunk(self, rows: list[Row]) -> bool:
        """Carry out a chunk, in parts where it can't be done as a whole. Returns False when it was stopped between parts.

        After a part had to be cut, the next one begins small and grows: a file where every second row needs the one before it
        would else be planned to its end again and again.
        """
        waiting, most = [rows], len(rows)
        while waiting:
            part = waiting.pop()
            if len(part) > most:
                waiting.append(part[most:])
                part = part[:most]
            second_half = self._run_part(part)
            if second_half:
                waiting += [part[second_half:], part[:second_half]]
            elif waiting and self.should_stop():
                return False
            most = max(1, second_half) if second_half else most * 2
        return True

    def _run_part(self, rows: list[Row]) -> int:
        """Carry out rows in one transaction. Returns 0, or at which of them they are to be cut in two first."""
        plan = self.work.plan
        if plan is not None and not plan.writes(rows[0].line, rows[-1].line):
            self._skip(rows)
            self.retrying(lambda: self._keep_as_planned(rows, plan))
            return 0
        clean, rejections = self._clean(rows)
        self._note_named(rows, clean, rejections)
        try:
            self.retrying(lambda: self._attempt(rows, clean, rejections))
        except MoodleRefused as error:
            if len(clean) > 1:
                return len(rows) // 2
            # The row stands alone: it is the one that the database refuses.
            rejections += [
                Rejection(row.line, "", error.code, error.params, self.work.processor.columns.subject_of(row.values))
                for row in clean
            ]
        except RowsFailed as error:
            if len(clean) > 1:
                return len(rows) // 2
            if not clean:
                raise
            rejections += [self.internal_error(row.line, error) for row in clean]
        except SplitChunk as split:
            if split.line <= rows[0].line:
                raise ToolSyncError(f"a chunk can't be cut before its first line {split.line}") from split
            return next(at for at, row in enumerate(rows) if row.line == split.line)
        else:
            return 0
        # Not in the handlers: what the first attempt held stays in memory as long as its exception.
        self.retrying(lambda: self._attempt(rows, [], rejections))
        return 0

    def _attempt(self, rows: list[Row], clean: list[CleanRow], rejections: list[Rejection]) -> None:
        """Carry out one chunk, unless it is done."""
        first_line, last_line = rows[0].line, rows[-1].line
        if self._is_done(last_line):
            return
        plan, outcomes, is_kept = self._plan(rows, clean, rejections)
        stored = self.work.plan
        if stored is not None and not is_kept and not self.work.replans:
            planned = self._planned(rows, stored)
            plan, outcomes = self._as_planned(planned, (plan, outcomes), rows, clean, rejections)
        if self.work.shows_new_values:
            outcomes = list(with_new_values(outcomes, rows, clean, self.header.names, self.secrets))
        named = [] if self.work.simulate else self.named_columns.names_of(outcomes, clean, rows)
        self._write(plan, outcomes, first_line, last_line, named=named)
        if self.work.simulate:
            # Once it is kept what came of it: a chunk that is tried again must not find what it has made itself.
            self.foresee(plan)
            plan.let_go_of_rows()

    def _as_planned(
        self,
        planned: PlannedRows,
        now: tuple[Plan, list[Outcome]],
        rows: list[Row],
        clean: list[CleanRow],
        rejections: list[Rejection],
    ) -> tuple[Plan, list[Outcome]]:
        """Return the plan of a chunk without the rows that come to something else than the stored plan says.

        Shape: now: what `_plan` returns of all rows
        """
        plan, outcomes = now
        # What the others do may depend on what is left out; what is planned without them may be stale as well.
        aside: set[int] = set()
        while stale := [line for line in planned.stale(outcomes, plan.touched()) if line not in aside]:
            aside.update(stale)
            left = [row for row in clean if row.line not in aside]
            plan, outcomes, _is_kept = self._plan(rows, left, rejections, planned.in_place_of(aside))
        return plan, outcomes

    def _plan(
        self,
        rows: Sequence[Row],
        clean: list[CleanRow],
        rejections: Sequence[Rejection],
        aside: Sequence[Outcome] = (),
    ) -> tuple[Plan, list[Outcome], bool]:
        """Return the plan of a chunk, what comes of each of its rows, and whether the dry run before has made it.

        Shape: aside: of rows that aren't planned
        """
        key = PlanKey(rows[0].line, rows[-1].line, len(clean), len(rejections))
        with _about_rows():
            told = self.overlay.told
            with self.session.noting_reads() as reads:
                state = self.processor.fetch(clean)
            if self._uses_plans and not aside and (known := self.work.look.plans.take(key, reads)) is not None:
                return *known, True
            plan = self.processor.plan(clean, state)
            while self.leaving_out.is_wanted and (left := self.leaving_out.without_rejected(clean, plan.outcomes)):
                clean = left
                # What the processor reads may depend on the cells.
                state = self.processor.fetch(clean)
                plan = self.processor.plan(clean, state)
        ordered = _in_line_order((*_with_notes(plan.outcomes, clean), *aside), rejections, len(rows))
        outcomes = list(self.secrets.hide(with_earlier_lines(self.survey.found, ordered, rows), rows))
        if self._keeps_plans:
            if self.overlay.told == told:
                self.work.look.plans.keep(key, reads, plan, outcomes, sum(len(row.raw) for row in rows))
            else:
                # It builds on rows that aren't written yet.
                self.work.look.plans.end()
        return plan, outcomes, False

    @property
    def _keeps_plans(self) -> bool:
        """Whether the plans of a dry run may be carried out by this process."""
        is_for_run = self.work.simulate and self.work.overlay is not None and not self.overlay.spans_files
        return is_for_run and self.processor.plans_are_data and not self.leaving_out.is_wanted

    @property
    def _uses_plans(self) -> bool:
        return self.work.plan is not None and not self.work.simulate

    @staticmethod
    def _planned(rows: Sequence[Row], plan: StoredPlan) -> PlannedRows:
        """Return what was planned for the rows. Raises: OutcomesMissing"""
        planned = plan.rows(rows[0].line, rows[-1].line)
        if len(planned.outcomes) != len(rows):
            # Taken up after what was planned is gone: no row may end without an outcome.
            raise OutcomesMissing("outcomes_part_missing", line=rows[-1].line)
        return planned

    def _keep_as_planned(self, rows: Sequence[Row], plan: StoredPlan) -> None:
        """Keep what was planned for rows of which none was to change anything."""
        if not self._is_done(rows[-1].line):
            self._write(Plan(), list(self._planned(rows, plan).outcomes), rows[0].line, rows[-1].line)

    def foresee(self, plan: Plan) -> None:
        """Let what follows find what a plan that isn't carried out would leave."""
        self.processor.collect(self.processor.owed_after_commit(plan, Applied(plan.now)))
        for changed in plan.changed_rows:
            self.overlay.keep(changed)

    def done_up_to(self, line: int) -> int | None:
        """Return the last line that is done, where that is this one or a later one; None where it isn't done."""
        return self.commit_marker.last_line if self.commit_marker is not None and self._is_done(line) else None

    def _is_done(self, last_line: int) -> bool:
        """Tell whether the chunk was committed before the connection broke, or the process died; count it then."""
        if self.commit_marker is None or self.commit_marker.last_line < last_line:
            return False
        self._recover(self.commit_marker)
        self._settle()
        return True

    def _settle(self) -> None:
        """Carry out what committed chunks owe, where it isn't known to this process that it was done."""
        for part in self.work.recorder.owed_parts(self._settled):
            self._settle_part(part)

    def _settle_part(self, part: OwedPart) -> None:
        if part.last_line not in self._collected:
            self.processor.collect(part.owed)
            self._collected.add(part.last_line)
            self.is_closed = self.is_closed or part.owed.is_last
        self.processor.after_commit(part.owed)
        if not part.is_settled:
            if part.owed.mails:
                self.work.recorder.send_mails(part.last_line)
            self.work.recorder.settle(part.last_line)
        self._settled.add(part.last_line)

    def write(
        self,
        plan: Plan,
        outcomes: list[Outcome],
        first_line: int,
        last_line: int,
        *,
        about: Sequence[ClosingObject] = (),
        is_last: bool = False,
        owed: AfterCommit | None = None,
    ) -> None:
        """Write a plan of what comes after the last row. Shape: about: the object of each outcome; owed: as of `_write`"""
        named = [] if self.work.simulate else self.named_columns.subjects_of(outcomes)
        self._write(
            plan, outcomes, first_line, last_line, is_closing=True, about=about, is_last=is_last, named=named, owed=owed
        )

    def _write(
        self,
        plan: Plan,
        outcomes: list[Outcome],
        first_line: int,
        last_line: int,
        *,
        is_closing: bool = False,
        about: Sequence[ClosingObject] = (),
        is_last: bool = False,
        named: Sequence[RowNames] = (),
        owed: AfterCommit | None = None,
    ) -> None:
        """Write a plan, unless it is a simulation, and keep what came of it. Shape: owed: with a plan that writes nothing"""
        processor, recorder = self.processor, self.work.recorder
        scoped_totals = self.work.scopes.count(self.session, plan)
        counted = counted_rows({} if is_closing else {**processor.count_outcomes(outcomes), **plan.counted})
        self.session.release()
        writer = Writer(self.session)
        counts = Counter(outcome.action.value for outcome in outcomes)
        chunk = ChunkResult(
            first_line,
            last_line,
            outcomes,
            dict(counts),
            writer.before_images,
            self.reader.bytes_read,
            owed or AfterCommit(counted=counted),
            is_closing=is_closing,
            about=about,
            totals=dict(plan.totals()),
            writes=not plan.is_empty,
            named=named,
            scoped_totals=scoped_totals,
            touched=plan.touched() if self.work.simulate and not is_closing else {},
        )
        if self.commit_marker is None:
            recorder.prepare(chunk)
            recorder.confirm(chunk)
            self.collected.counted.add(counted)
            return
        if plan.is_empty:
            # What we found to be so already may be the work of a worker that was ousted and has committed since.
            with self.session.transaction():
                self.commit_marker.check()
                recorder.prepare(chunk)
            recorder.confirm(chunk)
            if chunk.after_commit:
                self._settle_part(OwedPart(last_line, chunk.after_commit, is_settled=False))
            return
        self.work.check_totals(chunk)
        with _about_rows():
            processor.prepare(plan)
        with self.session.transaction():
            with _about_rows():
                applied = processor.apply(plan, writer)
                owed = replace(processor.owed_after_commit(plan, applied), is_last=is_last, counted=counted)
                if watched := self.work.sticky.watched:
                    # Whatever writes there, a file of another type or an undo, it is ToolSync.
                    left = digests_in(writer.before_images, watched, undoes=self.work.undoes)
                    owed.written = {**owed.written, **dict(left)}
                chunk = chunk._replace(after_commit=owed, mails=plan.mails)
            self.commit_marker.advance(last_line)
            recorder.prepare(chunk)
        self.commit_marker.committed()
        recorder.confirm(chunk)
        if chunk.after_commit:
            self._settle_part(OwedPart(last_line, chunk.after_commit, is_settled=False))

    def internal_error(self, line: int, error: RowsFailed) -> Rejection:
        """Reject a row over which ToolSync stumbled; the log has the trace under the number that people are told.

        What the exception says isn't logged: it may quote a cell, which may hold a password.
        """
        number = uuid.uuid4().hex[:8].upper()
        cause = error.__cause__ or error
        trace = "".join(traceback.format_tb(cause.__traceback__))
        # A million rows may stumble over the same stone.
        first = self._traces.setdefault(trace, number)
        logger.error(
            "line %s: error %s: %s\n%s", line, number, type(cause).__name__, trace if first == number else f"as {first}"
        )
        return Rejection(line, "", INTERNAL_ERROR, {"number": number})

    def retrying(self, action: Callable[[], Result]) -> Result:
        """Do something; when Moodle, storage or database is away, wait as the work says and do it again on a new session."""
        while True:
            try:
                with disk():
                    if self.attempt and action != self._connect:
                        self._connect()
                    result = action()
            except (MoodleUnavailable, StorageUnavailable) as error:
                self.attempt += 1
                self.work.wait(error, self.attempt)
            else:
                self.attempt = 0
                return result

    def _connect(self) -> None:
        work = self.work
        self._session_stack.close()
        self.session: MoodleSession = self._session_stack.enter_context(work.moodle.session())
        self.commit_marker = None if work.simulate else self._own_marker()
        # Some have read them by now, others haven't.
        site_settings = [*self.session.config.items()]
        with self.session.noting_reads() as reads:
            self.processor = work.processor(
                ProcessorContext(
                    moodle=self.session,
                    options=work.options,
                    names=self.header.names,
                    survey=self.survey,
                    overlay=self.overlay,
                    collected=self.collected,
                    records=work.records,
                    grace=NotedGrace(work.grace, reads),
                    sticky=work.sticky,
                    file_area=work.file_area,
                    blobs=work.blobs,
                    journal=work.journal,
                    pictures=self.reader.pictures,
                    moodle_command=work.moodle_command,
                )
            )
        work.look.plans.begin([site_settings, *reads])
        self._session_stack.callback(self.processor.close)
        self.cleaner = RowCleaner(
            work.processor.columns,
            self.header,
            work.moodle.column_limit,
            dates=self.survey.dates,
            texts=self.texts,
            options=work.options,
            text_fields=self.processor.text_fields,
        )

    def _date_notes(self) -> list[Note]:
        """Say in which order the dates of the file were read, and by which clock."""
        dates = self.survey.dates
        if not dates.needs_clock:
            return dates.notes
        clock = clock_of(self.session)
        code = "dates_clock" if clock.is_known else "dates_clock_unknown"
        return [*dates.notes, Note(code, {"zone": clock.name, "moodle_zone": clock.moodle_zone})]

    def _own_marker(self) -> CommitMarker:
        """Return the mark of the run; one that another worker has left is made ours. Raises: LeaseLost if we were ousted"""
        commit_marker = CommitMarker(self.session, self.work.fence_key, self.work.worker)
        if self.work.takes_over and not self._took_over:
            with self.session.transaction():
                commit_marker.take_over()
                # Raises if somebody has taken the run from us meanwhile.
                self.work.should_stop()
            commit_marker.committed()
            self._took_over = True
        else:
            commit_marker.check_owner()
        return commit_marker

    def _recovered_line(self) -> int:
        """The last line that is done, asking Moodle as well: a worker may have died right after its commit."""
        if self.commit_marker is not None and self.commit_marker.last_line > self.work.after_line:
            self._recover(self.commit_marker)
            return self.commit_marker.last_line
        return self.work.after_line

    def _recover(self, commit_marker: CommitMarker) -> None:
        self.work.recorder.recover(commit_marker.last_line, commit_marker.committed_by)


def chunks_of(rows: Iterable[Row], most: int) -> Iterator[list[Row]]:
    """Return rows in chunks of so many; of fewer where these are large, so that memory follows bytes."""
    chunk: list[Row] = []
    size = 0
    for row in rows:
        if chunk and (len(chunk) == most or size + len(row.raw) > CHUNK_BYTES):
            yield chunk
            # Not in memory while the next one grows.
            chunk, size = [], 0
        chunk.append(row)
        size += len(row.raw)
    if chunk:
        yield chunk


@contextmanager
def _about_rows() -> Iterator[None]:
    """Take what nobody has foreseen for the fault of a row: the chunk is halved until that row stands alone.

    Raises: RowsFailed
    """
    try:
        yield
    except _NOT_ABOUT_ROWS:
        raise
    except Exception as error:
        raise RowsFailed(str(error)) from error


def _with_notes(outcomes: Iterable[Outcome], rows: Iterable[CleanRow]) -> Iterable[Outcome]:
    """Return the outcomes with what was left out of their rows."""
    notes = {row.line: row.notes for row in rows if row.notes}
    if not notes:
        return outcomes
    return [outcome._replace(notes=(*notes.get(outcome.line, ()), *outcome.notes)) for outcome in outcomes]


def _in_line_order(outcomes: Iterable[Outcome], rejections: Iterable[Rejection], rows: int) -> list[Outcome]:
    """Merge the outcomes of a chunk, and hold to the promise that every row has exactly one."""
    rejected = (
        Outcome(r.line, Action.REJECTED, r.code, {**r.params, "column": r.column}, r.subject) for r in rejections
    )
    ordered = sorted((*outcomes, *rejected), key=lambda outcome: outcome.line)
    if len(ordered) != rows or len({outcome.line for outcome in ordered}) != rows:
        raise ToolSyncError(f"{rows} rows got {len(ordered)} outcomes")
    return ordered
