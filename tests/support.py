"""Run a command file against a Moodle of the tests, and see what came of it."""

from __future__ import annotations

import io
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from sync.columns.header import MatchedHeader
from sync.columns.survey import Survey
from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from sync.moodle.db.id_ranges import IdRanges, ranges_of
from sync.moodle.db.writer import BeforeImage
from sync.moodle.site.command_line import MoodleCommand
from sync.outcomes.report import ReportFacts, write_report
from sync.outcomes.tryback import write_tryback
from sync.processors.base.closing import ClosedObject
from sync.processors.base.context import CreatedRows, FileArea, NoFileArea, NoRecords, Records
from sync.processors.base.overlay import Overlay
from sync.processors.base.plan import Mail
from sync.processors.base.sticky import Place, StickyFields, StickyRule, places_of
from sync.processors.registry import REGISTRY
from sync.reader import RowReader, open_rows
from sync.runs.pipeline import run_pipeline
from sync.runs.pipeline_context import ChunkResult, OwedPart, PipelineContext
from sync.values import FAILED_ACTIONS, Note, Outcome
from tests.moodle_sites import ANN_PASSWORD, MoodleSite

__all__ = ["ANN_PASSWORD", "MoodleSite", "RunResult", "run_file"]


@dataclass
class RunResult:
    """What a run told. It is the pipeline's recorder and its records as well, and keeps everything in memory.

    Shape: earlier: what runs before this one did; written: what they and this one left where rules ask who wrote last
    """

    started: int
    earlier: Records = field(default_factory=NoRecords)
    written: dict[tuple[str, int, str], str] = field(default_factory=dict)
    outcomes: list[Outcome] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    before_images: list[BeforeImage] = field(default_factory=list)
    chunks: int = 0
    queries: int = 0
    report: str = ""
    tryback: bytes | None = None
    skipped_count: int = 0
    _waiting: Sequence[Mail] = ()

    @property
    def counts(self) -> dict[str, int]:
        return dict(Counter(outcome.action.value for outcome in self.outcomes))

    @property
    def codes(self) -> list[str]:
        return [outcome.code for outcome in self.outcomes]

    def begin(self, reader: RowReader, header: MatchedHeader, notes: Sequence[Note]) -> None:
        self.notes = list(notes)

    def prepare(self, chunk: ChunkResult) -> None:
        self._waiting = chunk.mails

    def confirm(self, chunk: ChunkResult) -> None:
        self.chunks += 1
        self.outcomes += chunk.outcomes
        self.before_images += chunk.before_images
        self.written.update(chunk.after_commit.written)

    def end(self, notes: Sequence[Note]) -> None:
        self.notes += notes

    def inserted_by_us(self, table: str, ids: Collection[int]) -> set[int]:
        inserted = (image.id for image in self.before_images if (image.kind, image.table) == ("insert", table))
        return {rowid for rowid in inserted if rowid is not None} & set(ids) | self.earlier.inserted_by_us(table, ids)

    def created(self, table: str) -> CreatedRows:
        images = [*self.before_images, *(self.earlier.before_images if isinstance(self.earlier, RunResult) else ())]
        inserted = [image.id for image in images if (image.kind, image.table) == ("insert", table)]
        return CreatedRows(IdRanges(ranges_of([rowid for rowid in inserted if rowid is not None])), "2026-11-30")

    def digests(self, place: Place, rowids: Collection[int]) -> dict[int, str]:
        table, column = place
        return {i: self.written[table, i, column] for i in rowids if (table, i, column) in self.written}

    def recover(self, last_line: int, worker: str = "") -> None:
        raise AssertionError("an undisturbed run has nothing to recover")

    def owed_parts(self, known: Collection[int]) -> Iterator[OwedPart]:
        yield from ()

    def closed(self, after_line: int) -> Iterator[ClosedObject]:
        yield from ()

    def settle(self, last_line: int) -> None:
        pass

    def send_mails(self, last_line: int) -> None:
        self.mails += self._waiting


def run_file(
    site: MoodleSite,
    key: str,
    text: str | bytes,
    *,
    simulate: bool = False,
    chunk_rows: int = 1000,
    filename: str = "in.csv",
    dataroot: Path | None = None,
    data_url: str = "",
    records: Records | None = None,
    file_area: FileArea | None = None,
    moodle_command: MoodleCommand | None = None,
    after_line: int = 0,
    permits: Mapping[str, Any] | None = None,
    sticky: Mapping[str, str] | None = None,
    written: dict[tuple[str, int, str], str] | None = None,
    overlay: Overlay | None = None,
    **options: Any,
) -> RunResult:
    """Carry out a command file in the way the product does, without its own database.

    Shape: after_line: rows up to this line are done already; permits: what the operator lets files do; sticky: column -> rule;
    written: what earlier runs left where rules ask who wrote last; it gets what this one leaves;
    overlay: of files that are planned together
    Raises: CommandFileError when the file is refused
    """
    data = text.encode() if isinstance(text, str) else text
    processor = REGISTRY[key]
    result = RunResult(int(time.time()), records or NoRecords(), {} if written is None else written)
    rules = {name: StickyRule(rule) for name, rule in (sticky or {}).items()}
    watched = frozenset(places_of(processor.sticky_columns, rules))
    moodle = MoodleDatabase(
        MoodleConnection(site.url, site.prefix, dataroot=dataroot, data_url=data_url, **(permits or {}))
    )
    values = processor.options.resolve(options)

    def count(*_event: Any) -> None:
        result.queries += 1

    sa.event.listen(moodle.engine, "before_cursor_execute", count)
    try:
        run_pipeline(
            PipelineContext(
                processor, values, moodle, result, simulate=simulate, chunk_rows=chunk_rows, fence_key=str(time.time_ns()),
                after_line=after_line,
                records=result, file_area=file_area or NoFileArea(),
                moodle_command=moodle_command, overlay=overlay,
                sticky=StickyFields(rules, processor.sticky_columns, watched, result),
            ),
            io.BytesIO(data),
            filename,
        )  # fmt: skip
    finally:
        moodle.dispose()
    write_files(result, data, filename, processor, values, simulate=simulate)
    return result


def write_files(result: RunResult, data: bytes, filename: str, processor: Any, values: Any, *, simulate: bool) -> None:
    """Write report and tryback of a run."""
    survey = Survey(processor.columns, values.get("dateorder", ""))

    def reader() -> RowReader:
        return open_rows(
            io.BytesIO(data), filename, encoding=values.encoding, separator=values.separator,
            known_name=processor.columns.knows, list_names=processor.columns.list_names_for(values),
            of_pictures=processor.columns.of_pictures, look=survey.start,
        )  # fmt: skip

    rejected = [outcome for outcome in result.outcomes if outcome.action in FAILED_ACTIONS]
    read = reader()
    for _row in read:
        pass
    result.skipped_count = read.skipped.count
    facts = ReportFacts(
        file_type=str(processor.label), run_id=1, site="Test", file=filename, requested_by="", started=datetime.now(UTC),
        ended=datetime.now(UTC), simulate=simulate, counts=result.counts, notes=result.notes,
    )  # fmt: skip
    out = io.BytesIO()
    write_report(out, facts, rejected, result.outcomes, language="en")
    result.report = out.getvalue().decode()
    if rejected and not simulate:
        tryback = io.BytesIO()
        write_tryback(tryback, reader(), rejected, language="en", date_order=survey.dates.order_cell)
        result.tryback = tryback.getvalue()
