"""How a file is understood before it runs: its first rows, and what is wrong with its cells, without a database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import NamedTuple

from sync.columns.clean import shown
from sync.columns.file_columns import Columns
from sync.columns.general_options import GeneralOptions, date_order_of
from sync.columns.header import MatchedHeader, match_header
from sync.columns.row_secrets import HIDDEN, RowSecrets
from sync.columns.rows import RowCleaner
from sync.columns.survey import Survey
from sync.errors import CommandFileError, HeaderError, MappingError
from sync.mappings.column_mapping import ColumnMapping
from sync.mappings.mapped_rows import RowMapper
from sync.reader import RowReader
from sync.values import Action, Header, Note, Outcome, Rejection, Row

# So many rows are looked at; the plan looks at all.
ROWS_CHECKED = 5000
ROWS_SHOWN = 10
# With the filter, so many rows with faults.
FAULTY_SHOWN = 50
SAMPLES = 3
SAMPLE_ROWS = 200
_LONGEST_WORD = 40


class CheckedCell(NamedTuple):
    """A cell as it is understood. Shape: fault: what is wrong with it, None = nothing that could be seen"""

    text: str
    fault: Note | None


class CheckedRow(NamedTuple):
    """A row as it is understood. Shape: fault: what is wrong with the row as a whole"""

    line: int
    cells: tuple[CheckedCell, ...]
    fault: Note | None

    @property
    def is_faulty(self) -> bool:
        return self.fault is not None or any(cell.fault is not None for cell in self.cells)


@dataclass
class FileCheck:
    """What was found.

    Shape: names: what the cells of the rows are; trouble: why the header can't be used, None = it can; faults: position of a
    column of the file -> cells with faults; row_faults: rows that are wrong as a whole; checked: rows that were looked at;
    is_part: there are more; samples: position of a column of the file -> its first values; words: cells that show the encoding
    """

    names: tuple[str, ...] = ()
    rows: list[CheckedRow] = field(default_factory=list)
    trouble: CommandFileError | None = None
    faults: Counter[int] = field(default_factory=Counter)
    row_faults: int = 0
    faulty_rows: int = 0
    checked: int = 0
    is_part: bool = False
    samples: dict[int, list[str]] = field(default_factory=dict)
    words: list[str] = field(default_factory=list)


class Way(NamedTuple):
    """How the rows of a file become those of its type. Shape: sources_of: place of a changed cell -> those in the file"""

    header: Header
    matched: MatchedHeader
    change: Callable[[Row], Row]
    sources_of: Callable[[int], tuple[int, ...]]


class FileChecker:
    """Checks the first rows of a file. Shape: only_faulty: only rows with faults are shown; is_cut: the file goes on"""

    def __init__(
        self,
        columns: Columns,
        options: GeneralOptions,
        mapping: ColumnMapping | None,
        *,
        only_faulty: bool = False,
        is_cut: bool = False,
    ) -> None:
        self._columns = columns
        self._options = options
        self._mapping = mapping
        self._only_faulty = only_faulty
        self._is_cut = is_cut

    def check(self, open_file: Callable[[], RowReader]) -> FileCheck:
        """Go through the first rows, twice: what dates mean shows in all of them.

        Shape: open_file: opens the file anew, its rows as they came
        Raises: CommandFileError
        """
        check = FileCheck()
        survey = Survey(self._columns, date_order_of(self._options))
        with open_file() as reader:
            header = reader.header
            names = self._mapping.names_with_secrets(header.names) if self._mapping else header.names
            secrets = RowSecrets(names)
            rows = list(islice(reader, ROWS_CHECKED + 1))
        check.is_part = self._is_cut or len(rows) > ROWS_CHECKED
        if self._is_cut:
            # It may go on where the file was cut.
            del rows[-1:]
        rows = rows[:ROWS_CHECKED]
        beginning = list(map(secrets.shown_row, rows[:SAMPLE_ROWS]))
        _take_samples(check, beginning)
        check.words = _first_words(header.spelled if header.line else (), beginning)
        try:
            way = self._way(header)
        except (HeaderError, MappingError) as error:
            check.trouble = error
        else:
            if (observe := survey.start(way.header)) is not None:
                for row in rows:
                    observe(way.change(row))
            self._check_rows(check, rows, way, survey)
        return check

    def _way(self, header: Header) -> Way:
        """Raises: HeaderError, MappingError"""
        lenient = self._options.invalidnamesnocheck
        if not self._mapping:
            return Way(header, match_header(self._columns, header, lenient=lenient), _unchanged, lambda at: (at,))
        mapper = RowMapper(self._mapping, self._columns, header)
        matched = match_header(self._columns, mapper.header, lenient=lenient)
        return Way(mapper.header, matched, mapper.row, mapper.sources_of)

    def _check_rows(self, check: FileCheck, rows: Sequence[Row], way: Way, survey: Survey) -> None:
        cleaner = RowCleaner(self._columns, way.matched, _no_limit, dates=survey.dates, options=self._options)
        secrets = RowSecrets(way.header.names)
        check.names = way.matched.names
        places = {name: position for position, name, _column in way.matched.fields}
        most = FAULTY_SHOWN if self._only_faulty else ROWS_SHOWN
        for row in map(way.change, rows):
            faults = cleaner.faults_of(row)
            check.checked += 1
            check.faulty_rows += bool(faults)
            check.row_faults += sum(not fault.column for fault in faults)
            check.faults.update(
                at for fault in faults if fault.column for at in way.sources_of(places[fault.column])[:1]
            )
            if len(check.rows) < most and (faults or not self._only_faulty):
                check.rows.append(_checked_row(row, faults, list(places.items()), secrets))


def _first_words(spelled: Iterable[str], rows: Iterable[Row], most: int = 3) -> list[str]:
    """Return the first texts with letters outside ASCII, names and cells: they show whether the encoding is the right one."""
    cells = chain(spelled, *(row.cells for row in rows))
    found = (cell for cell in cells if cell != HIDDEN and not cell.isascii() and len(cell) <= _LONGEST_WORD)
    return list(islice(dict.fromkeys(found), most))


def _take_samples(check: FileCheck, rows: Iterable[Row]) -> None:
    for row in rows:
        for at, cell in enumerate(row.cells):
            known = check.samples.setdefault(at, [])
            if cell and len(known) < SAMPLES and cell not in known:
                known.append(shown(cell))


def _checked_row(
    row: Row, faults: Sequence[Rejection], places: Sequence[tuple[str, int]], secrets: RowSecrets
) -> CheckedRow:
    """Return a row as a page may show it: no password in its cells, none in what is said of them."""
    cells = secrets.shown_row(row).cells
    said = {fault.column: _without_secrets(fault, row, secrets) for fault in reversed(faults)}
    return CheckedRow(
        row.line,
        tuple(CheckedCell(shown(cells[at]) if at < len(cells) else "", said.get(name)) for name, at in places),
        said.get(""),
    )


def _without_secrets(fault: Rejection, row: Row, secrets: RowSecrets) -> Note:
    outcome = Outcome(row.line, Action.REJECTED, fault.code, fault.params)
    [hidden] = secrets.hide([outcome], [row])
    return Note(hidden.code, hidden.params)


def _unchanged(row: Row) -> Row:
    return row


def _no_limit(_table: str, _column: str) -> None:
    """How long the columns of Moodle are is known when the plan is made."""
