"""Exports: what Moodle holds as a command file that plans back as unchanged, streamed.

Every row is planned before it is written, by the very code that will read it, so that a file holds nothing but rows that change
nothing. What a file can't say (a name that two courses have, a text with blanks at its end) is left out, and named in comments at
the end of the file, where a run passes them over.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.utils.translation import get_language, gettext as _, ngettext, override

from sync.columns.column import About
from sync.columns.describe import SAMPLE_SEPARATOR
from sync.columns.general_options import GeneralOptions
from sync.columns.header import MatchedHeader
from sync.models import MoodleSite
from sync.moodle.db.database import MoodleDatabase
from sync.outcomes.report import outcome_text
from sync.people.rights import may
from sync.processors.base.closing import ClosedObject
from sync.processors.base.export import ExportedRow, Exporter, ExportScope
from sync.processors.base.processor import Processor
from sync.processors.registry import REGISTRY
from sync.reader import RowReader
from sync.reader.dialect import Dialect, encode_cells, normalise_separator
from sync.runs.pipeline import run_pipeline
from sync.runs.pipeline_context import ChunkResult, OwedPart, PipelineContext
from sync.runs.selectors import processors_for
from sync.values import Action, Note, Outcome

VIEW_PEOPLE = "sync.view_people"
# Of more rows that are left out only the number is told.
MOST_NAMED = 1000
# Of so many rows those of a sample are taken.
_SAMPLE_TRIED = 50
_LINE_END = b"\r\n"
_BOM = b"\xef\xbb\xbf"
_UTF_8 = "UTF-8"


class LeftOut(NamedTuple):
    """A row that no file can say so that it changes nothing. Shape: reason: as the plan tells it"""

    label: str
    reason: str


@dataclass
class ExportResult:
    """What came of an export, complete once all of it was read."""

    rows: int = 0
    left_out: list[LeftOut] = field(default_factory=list)
    left_out_count: int = 0

    def leave_out(self, row: ExportedRow, outcome: Outcome) -> None:
        self.left_out_count += 1
        if len(self.left_out) < MOST_NAMED:
            self.left_out.append(LeftOut(row.label, _reason(outcome)))


def exportable() -> list[type[Processor]]:
    """Return the file types that can be exported."""
    return [processor for processor in REGISTRY.values() if processor.exporter is not None]


def exportable_for(user: Any, site: MoodleSite | None = None) -> list[type[Processor]]:
    """Return the file types that somebody may export: those that they may use, with people only who may look at people.

    Shape: site: None = the one that the pages are about
    """
    usable = processors_for(user, site=site)
    return [
        processor
        for processor in exportable()
        if processor in usable and (not shows_people(processor.exporter) or may(user, VIEW_PEOPLE, site, processor.key))
    ]


def sampler_of(processor: type[Processor]) -> type[Exporter[Any]] | None:
    """Return what makes a small file of what is in this Moodle, None where it would name what is to be taken away."""
    return processor.sampler or processor.exporter


def shows_people(exporter: type[Exporter[Any]] | None) -> bool:
    """Whether the rows of an export, or of a sample, name users."""
    return exporter is not None and exporter.shows_people


def names_people(processor: type[Processor]) -> bool:
    """Whether the rows of a file type are about users, so that who uses it must know who they are."""
    return shows_people(sampler_of(processor)) or processor.columns.subject_about is About.USER


def types_naming_people() -> list[str]:
    """Return the keys of the file types whose rows are about users."""
    return [key for key, processor in REGISTRY.items() if names_people(processor)]


def export(
    moodle: MoodleDatabase,
    processor: type[Processor],
    options: GeneralOptions,
    scope: ExportScope,
    result: ExportResult,
) -> Iterator[bytes]:
    """Return the file in parts, written as the options say, and count in `result`.

    Raises: MoodleError
    Queries: a few for each 5,000 rows, and those of their plan
    """
    assert processor.exporter is not None  # noqa: S101
    return _file(moodle, processor, processor.exporter, options=options, scope=scope, result=result)


def sample(moodle: MoodleDatabase, processor: type[Processor], options: GeneralOptions, most: int) -> Iterator[bytes]:
    """Return a small file of what is in Moodle that changes nothing, in parts. Raises: MoodleError"""
    exporter = sampler_of(processor)
    assert exporter is not None  # noqa: S101
    return _file(moodle, processor, exporter, options=options, scope=ExportScope(), result=ExportResult(), most=most)


def _file(
    moodle: MoodleDatabase,
    processor: type[Processor],
    exporter_type: type[Exporter[Any]],
    *,
    options: GeneralOptions,
    scope: ExportScope,
    result: ExportResult,
    most: int | None = None,
) -> Iterator[bytes]:
    """Shape: most: so many rows at most, without telling what was left out; None = all"""
    language = get_language()
    dialect = Dialect(options.encoding or _UTF_8, normalise_separator(options.separator) or SAMPLE_SEPARATOR)
    with moodle.session() as session:
        exporter = exporter_type(session, options, scope)
        check = _Check(moodle, processor, options, exporter, dialect)
        yield (_BOM if dialect.encoding == _UTF_8 else b"") + check.header
        for rows in exporter.parts():
            session.release()
            # Between two parts a server may answer somebody else, in another language.
            with override(language):
                lines = list(check.lines(rows[:_SAMPLE_TRIED] if most else rows, result))
            yield b"".join(lines[:most])
            if most:
                return
    with override(language):
        comments = b"".join(_comments(dialect, result))
    yield comments


class _Check:
    """Plans rows, and lets those pass that change nothing."""

    def __init__(
        self,
        moodle: MoodleDatabase,
        processor: type[Processor],
        options: Any,
        exporter: Exporter[Any],
        dialect: Dialect,
    ) -> None:
        self._moodle = moodle
        self._processor = processor
        self._dialect = dialect
        self._options = options.replaced({
            **exporter.checked_with,
            processor.options.find("encoding"): dialect.encoding,
            processor.options.find("separator"): "tab" if dialect.separator == "\t" else dialect.separator,
        })  # fmt: skip
        names = exporter.header()
        if is_list := processor.columns.headerless:
            # A list says in a comment what its cells are.
            names = [f"# {names[0]}", *names[1:]]
        self.header = encode_cells(dialect, names, is_comment=is_list) + _LINE_END

    def lines(self, rows: Sequence[ExportedRow], result: ExportResult) -> Iterator[bytes]:
        """Return the lines of the rows that change nothing; count the others."""
        lines = [encode_cells(self._dialect, row.cells) + _LINE_END for row in rows]
        outcomes = self._plan(lines) if lines else []
        for row, line, outcome in zip(rows, lines, outcomes, strict=True):
            if outcome.action is Action.UNCHANGED:
                result.rows += 1
                yield line
            else:
                result.leave_out(row, outcome)

    def _plan(self, lines: Sequence[bytes]) -> list[Outcome]:
        recorder = _Outcomes()
        work = PipelineContext(self._processor, self._options, self._moodle, recorder, simulate=True, is_part=True)
        run_pipeline(work, io.BytesIO(self.header + b"".join(lines)), "export.csv")
        return sorted(recorder.outcomes, key=lambda outcome: outcome.line)


class _Outcomes:
    """Keeps the outcomes of a plan: a recorder for what is never applied."""

    def __init__(self) -> None:
        self.outcomes: list[Outcome] = []

    def begin(self, reader: RowReader, header: MatchedHeader, notes: Sequence[Note]) -> None:
        pass

    def prepare(self, chunk: ChunkResult) -> None:
        pass

    def confirm(self, chunk: ChunkResult) -> None:
        # What an option would do after the last row is of no row.
        if not chunk.is_closing:
            self.outcomes += chunk.outcomes

    def recover(self, last_line: int, worker: str = "") -> None:
        pass

    def owed_parts(self, known: Collection[int]) -> Iterator[OwedPart]:
        yield from ()

    def closed(self, after_line: int) -> Iterator[ClosedObject]:
        yield from ()

    def send_mails(self, last_line: int) -> None:
        pass

    def settle(self, last_line: int) -> None:
        pass

    def end(self, notes: Sequence[Note]) -> None:
        pass


def _comments(dialect: Dialect, result: ExportResult) -> Iterator[bytes]:
    """Return the lines that name what was left out."""
    if not result.left_out_count:
        return
    count = result.left_out_count
    said = ngettext(
        "%(count)s row was left out, because no file can say it without changing something:",
        "%(count)s rows were left out, because no file can say them without changing something:",
        count,
    )
    yield _comment(dialect, said % {"count": count})
    for left in result.left_out:
        yield _comment(dialect, f"{left.label}: {left.reason}")
    if count > len(result.left_out):
        yield _comment(dialect, _("and %(count)s more") % {"count": count - len(result.left_out)})


def _comment(dialect: Dialect, text: str) -> bytes:
    return f"# {' '.join(text.split())}".encode(dialect.encoding, errors="replace") + _LINE_END


def _reason(outcome: Outcome) -> str:
    """Return why a row is left out: what its plan says, with what it would change."""
    if outcome.code == "cell_empty":
        said = _("The column %(column)s would be empty: in Moodle there is nothing by which the options name it.")
        return said % {"column": outcome.params.get("column", "")}
    changes = (f"{change.field}: {change.old[:60]!r} → {change.new[:60]!r}" for change in outcome.changes)
    return " ".join((outcome_text(outcome), *changes))
