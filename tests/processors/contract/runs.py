"""Runs of the pipeline that are disturbed at one hook of a processor, and what is left of them."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple, Self

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from sync.processors.base.after_commit import AfterCommit
from sync.processors.base.closing import ClosedObject
from sync.processors.base.overlay import Overlay
from sync.processors.base.processor import Processor, SplitChunk
from sync.processors.registry import REGISTRY
from sync.runs.pipeline import run_pipeline
from sync.runs.pipeline_context import ChunkResult, FileLook, OwedPart, PipelineContext
from sync.runs.planned import PlannedRows
from sync.runs.retry import Unavailable
from sync.values import CleanRow
from tests.moodle_sites import filled_tables, stop_waiting_for_the_disk
from tests.pictures import blobs, data_folder
from tests.processors.contract.specs import ContractSpec
from tests.processors.random_files import state_of
from tests.support import MoodleSite, RunResult, write_files

ProcessorType = type[Processor]

# What is never the same twice.
_RANDOM = {"user": ("password", "secret")}
_ATTEMPTS = 200


class Killed(BaseException):
    """Stands for `kill -9`: no code of ours may catch it."""


@dataclass
class Disturbance:
    """What befalls the first, third … call of a hook: the connection is lost; or the n-th call in the n-th process: it ends.

    Shape: hook: of a processor, or "commit"; is_after: once the hook is done (a commit: the server has committed, nobody is
    told), not before; kills: the process ends, else the connection is lost; struck: how often it has happened
    """

    hook: str
    is_after: bool
    kills: bool
    calls: int = 0
    processes: int = 0
    struck: int = 0
    lost: Connection | None = None

    @classmethod
    def at(cls, moment: str, *, kills: bool) -> Self:
        """Return the disturbance of a moment ("before fetch", "after commit")."""
        when, hook = moment.split()
        return cls(hook, when == "after", kills)

    @property
    def is_due(self) -> bool:
        return self.calls == self.processes if self.kills else self.calls % 2 == 1

    def begin_process(self) -> None:
        self.processes += 1
        self.calls = 0

    def strike(self, connection: Connection) -> None:
        self.struck += 1
        if self.kills:
            raise Killed
        self.lost = connection

    def on_query(self, connection: Connection, _cursor: Any, statement: str, *_more: Any) -> None:
        if connection is self.lost:
            raise _lost_connection(statement)

    def on_commit(self, connection: Connection) -> None:
        if self.hook != "commit":
            return
        self.calls += 1
        if self.is_due:
            if self.is_after:
                driver = connection.connection.dbapi_connection
                assert driver is not None
                driver.commit()
            self.strike(connection)
            raise _lost_connection("COMMIT")

    def of(self, processor: ProcessorType) -> ProcessorType:
        """Return the processor with the disturbed hook."""
        if self.hook == "commit":
            return processor
        original: Callable[..., Any] = getattr(processor, self.hook)

        def hook(itself: Processor, *args: Any) -> Any:
            self.calls += 1
            is_due = self.is_due
            if is_due and not self.is_after:
                self.strike(itself.moodle.connection)
            result = original(itself, *args)
            if is_due and self.is_after:
                self.strike(itself.moodle.connection)
            return result

        return type(processor.__name__, (processor,), {self.hook: hook})


def _lost_connection(statement: str) -> sa.exc.OperationalError:
    return sa.exc.OperationalError(statement, None, sqlite3.OperationalError("connection lost"))


@dataclass
class StoredRun(RunResult):
    """A recorder that is left behind when a process ends. Shape: parts: by last line and worker, stored before the commit"""

    last_line: int = 0
    worker: str = ""
    parts: dict[tuple[int, str], ChunkResult] = field(default_factory=dict)
    owing: dict[int, ChunkResult] = field(default_factory=dict)
    settled: set[int] = field(default_factory=set)
    mailed: set[int] = field(default_factory=set)

    def prepare(self, chunk: ChunkResult) -> None:
        self.parts[chunk.last_line, self.worker] = chunk

    def confirm(self, chunk: ChunkResult) -> None:
        self._register(self.parts[chunk.last_line, self.worker])

    def recover(self, last_line: int, worker: str = "") -> None:
        if last_line > self.last_line:
            self._register(self.parts[last_line, worker])

    def _register(self, chunk: ChunkResult) -> None:
        super().confirm(chunk)
        self.last_line = chunk.last_line
        if chunk.after_commit:
            self.owing[chunk.last_line] = chunk

    def owed_parts(self, known: Collection[int]) -> Iterator[OwedPart]:
        for last_line, chunk in sorted(self.owing.items()):
            if last_line not in known:
                owed = AfterCommit.from_json(json.loads(json.dumps(chunk.after_commit.to_json())))
                yield OwedPart(last_line, owed, last_line in self.settled)

    def closed(self, after_line: int) -> Iterator[ClosedObject]:
        known = [part for part in self.parts.values() if part.last_line <= self.last_line]
        return MemoryPlan(known).closed(after_line)

    def settle(self, last_line: int) -> None:
        self.settled.add(last_line)

    def send_mails(self, last_line: int) -> None:
        if last_line not in self.mailed:
            self.mailed.add(last_line)
            self.mails += self.owing[last_line].mails


class MemoryPlan(NamedTuple):
    """A plan as a dry run has told it. Shape: parts: the chunks of the dry run, in file order"""

    parts: list[ChunkResult]

    def writes(self, first_line: int, last_line: int) -> bool:
        return any(part.writes for part in self._parts(first_line, last_line))

    def rows(self, first_line: int, last_line: int) -> PlannedRows:
        parts = self._parts(first_line, last_line)
        outcomes = [outcome for part in parts for outcome in part.outcomes if first_line <= outcome.line <= last_line]
        touched = {line: objects for part in parts for line, objects in part.touched.items()}
        return PlannedRows(outcomes, touched)

    def _parts(self, first_line: int, last_line: int) -> list[ChunkResult]:
        return [part for part in self.parts if part.first_line <= last_line and part.last_line >= first_line]

    def closed(self, after_line: int) -> Iterator[ClosedObject]:
        for part in self.parts:
            if part.first_line > after_line:
                yield from map(ClosedObject, part.about, part.outcomes)


class Left(NamedTuple):
    """What a run tells, and what it leaves. Shape: told: one tuple for each row; rows: table -> rows; blobs: contenthashes"""

    told: list[tuple[Any, ...]]
    notes: list[tuple[Any, ...]]
    rows: dict[str, list[tuple[Any, ...]]]
    blobs: set[str]

    def differences(self, expected: Left) -> dict[str, Any]:
        """Return what is otherwise than expected, by name or table: what is there, and what should be."""
        pairs: dict[str, tuple[Any, Any]] = {
            "outcomes": (self.told, expected.told),
            "notes": (self.notes, expected.notes),
            "blobs": (self.blobs, expected.blobs),
            **{table: (self.rows.get(table), expected.rows.get(table)) for table in self.rows | expected.rows},
        }
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


class ContractSite:
    """A Moodle that is put back as it was before each run, to the byte."""

    def __init__(self, site: MoodleSite, folder: Path) -> None:
        self.site = site
        self.path = Path(str(site.engine.url.database))
        self.data = folder / "moodledata"
        self.template = folder / "template.sqlite3"
        site.engine.dispose()
        shutil.copyfile(self.path, self.template)
        self.moodle = MoodleDatabase(MoodleConnection(site.url, site.prefix, dataroot=self.data))
        stop_waiting_for_the_disk(self.moodle.engine)
        self.began = datetime.fromtimestamp(int(time.time())).astimezone()
        self.references: dict[tuple[Any, ...], Left] = {}
        self.queries = 0
        sa.event.listen(self.moodle.engine, "before_cursor_execute", self._count)

    def _count(self, *_event: Any) -> None:
        self.queries += 1

    def reset(self) -> None:
        self.site.engine.dispose()
        self.moodle.engine.dispose()
        shutil.copyfile(self.template, self.path)
        shutil.rmtree(self.data, ignore_errors=True)
        data_folder(self.data)

    def run(
        self,
        spec: ContractSpec,
        text: str | bytes | None = None,
        *,
        processor: ProcessorType | None = None,
        disturbance: Disturbance | None = None,
        simulate: bool = False,
        chunk_rows: int = 1000,
        plan: StoredRun | None = None,
        shows_new_values: bool = False,
        look: FileLook | None = None,
    ) -> StoredRun:
        """Carry a file out; a killed process is followed by another one, until the run is over.

        Shape: plan: the dry run that is applied, and nothing else; shows_new_values: as a run makes its plan; look: of the
        process that makes a plan and applies it
        """
        data = spec.text if text is None else text
        data = data.encode() if isinstance(data, str) else data
        processor = processor or REGISTRY[spec.key]
        values = processor.options.resolve(dict(spec.options))
        recorder = StoredRun(0)
        if disturbance is not None:
            processor = disturbance.of(processor)
            sa.event.listen(self.moodle.engine, "before_cursor_execute", disturbance.on_query)
            sa.event.listen(self.moodle.engine, "commit", disturbance.on_commit)
        try:
            for number in count(1):
                assert number < _ATTEMPTS
                recorder.worker = f"worker{number}"
                if disturbance is not None:
                    disturbance.begin_process()
                if simulate:
                    # It begins again.
                    recorder = StoredRun(0)
                overlay = Overlay() if simulate and look is not None else None
                work = PipelineContext(
                    processor, values, self.moodle, recorder, simulate=simulate, chunk_rows=chunk_rows,
                    fence_key="contract", worker=recorder.worker, takes_over=number > 1, after_line=recorder.last_line,
                    wait=_wait, records=recorder, shows_new_values=shows_new_values,
                    plan=None if plan is None else MemoryPlan([part for _key, part in sorted(plan.parts.items())]),
                    overlay=overlay, look=look or FileLook(),
                )  # fmt: skip
                try:
                    run_pipeline(work, io.BytesIO(data), spec.filename)
                    break
                except Killed:
                    # What it has kept went with it.
                    look = None if look is None else FileLook()
                    continue
                finally:
                    if overlay is not None:
                        overlay.close()
        finally:
            if disturbance is not None:
                sa.event.remove(self.moodle.engine, "before_cursor_execute", disturbance.on_query)
                sa.event.remove(self.moodle.engine, "commit", disturbance.on_commit)
        write_files(recorder, data, spec.filename, processor, values, simulate=simulate)
        return recorder

    def left(self, run: StoredRun) -> Left:
        """Return all that a run tells and leaves."""
        notes = [(note.code, repr(note.params)) for note in run.notes]
        return Left(told(run), notes, self.tables(), set(blobs(self.data)))

    def tables(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return the rows of all tables; of what is random, whether it is there."""
        found = {}
        with self.site.engine.connect() as connection:
            filled = filled_tables(connection, self.site.prefix, self.site.table_names)
        with closing(sqlite3.connect(self.path)) as database:
            for table in filled:
                cursor = database.execute(f"SELECT * FROM {self.site.prefix}{table} ORDER BY id")
                if rows := cursor.fetchall():
                    places = [n for n, column in enumerate(cursor.description) if column[0] in _RANDOM.get(table, ())]
                    found[table] = [_without_random(row, places) for row in rows] if places else rows
        return found

    def reference(self, spec: ContractSpec, *, simulate: bool = False, chunk_rows: int = 1000) -> Left:
        """Return what an undisturbed run tells and leaves."""
        key = (spec.key, simulate, chunk_rows)
        if key not in self.references:
            self.reset()
            self.references[key] = self.left(self.run(spec, simulate=simulate, chunk_rows=chunk_rows))
        return self.references[key]

    def named_state(self) -> tuple[dict[str, Any], set[str]]:
        """Return what is there by names, where ids may differ."""
        return state_of(self.site), set(blobs(self.data))


def _without_random(row: tuple[Any, ...], places: Collection[int]) -> tuple[Any, ...]:
    return tuple(bool(value) if place in places else value for place, value in enumerate(row))


def _wait(error: Unavailable, attempt: int) -> None:
    if attempt > 2:
        raise error


def told(run: RunResult) -> list[tuple[Any, ...]]:
    """Return what is told of each row."""
    return [(o.line, o.action.value, o.code, o.subject, repr(o.changes), repr(o.notes)) for o in run.outcomes]


def cutting(processor: ProcessorType) -> ProcessorType:
    """Return the processor that can only carry out one row at a time."""

    def fetch(itself: Processor, rows: list[CleanRow]) -> Any:
        if len(rows) > 1:
            raise SplitChunk(rows[1].line)
        return processor.fetch(itself, rows)

    return type(processor.__name__, (processor,), {"fetch": fetch})
