"""The rows of a file as a mapping changes them: a pure change of cells, between the reader and the columns.

Lines, raw bytes and dialect stay those of the file.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

from sync.columns.file_columns import Columns
from sync.columns.header import is_secret_name
from sync.columns.rows import TOO_MANY_CELLS
from sync.errors import MappingError
from sync.mappings.column_mapping import ColumnMapping
from sync.mappings.header_keys import column_keys
from sync.mappings.steps import Constant, Copy, Step
from sync.reader import Look, RowReader
from sync.values import Header, Note, Row

MAPPING_USED, MAPPING_USED_ONCE = "mapping_used", "mapping_used_once"
MAPPING_COLUMNS, MAPPING_LEFT_OUT = "mapping_columns", "mapping_left_out"
# What a person is told who starts a run in a shell.
MAPPING_NOTES = (MAPPING_USED, MAPPING_USED_ONCE, MAPPING_COLUMNS, MAPPING_LEFT_OUT)

_Cells = Sequence[str]


class _Output(NamedTuple):
    """A cell of the changed row. Shape: places: of the cells of the file that it needs; name: in lower case"""

    places: tuple[int, ...]
    name: str
    spelled: str
    is_left_out: bool
    cell: Callable[[_Cells], str]

    @property
    def last(self) -> int:
        return max(self.places, default=-1)


class RowMapper:
    """Changes header and rows of one file. The columns stand in the order of the last cell of the file that each needs.

    So a row that ends early has, as it had in the file, no cell for what comes behind.
    Raises: MappingError if the mapping doesn't fit the file, or the file type
    """

    def __init__(self, mapping: ColumnMapping, columns: Columns, header: Header) -> None:
        self._header = header
        keys = column_keys(header.spelled)
        places = {key: place for place, key in enumerate(keys)}
        check_mapping(mapping, columns, keys)
        outputs = [_of_step(step, columns, places) for step in mapping.steps]
        used = {place for output in outputs for place in output.places}
        left_out = {places[key] for key in mapping.left_out if key in places}
        outputs += [_as_it_is(header, place, is_left_out=place in left_out) for place in _rest(keys, used, left_out)]
        _refuse_doubles(outputs, columns, header)
        self._outputs = sorted(outputs, key=lambda output: output.last)
        self._cells = [output.cell for output in self._outputs]
        self._lasts = [output.last for output in self._outputs]

    @property
    def header(self) -> Header:
        """The header as the file type reads it."""
        outputs = self._outputs
        return Header(
            self._header.line,
            self._header.raw,
            tuple(output.name for output in outputs),
            tuple(output.spelled for output in outputs),
            frozenset(place for place, output in enumerate(outputs) if output.is_left_out),
        )

    def sources_of(self, place: int) -> tuple[int, ...]:
        """Return the places in the file of what a cell of a changed row is made from."""
        return self._outputs[place].places

    def row(self, row: Row) -> Row:
        """Return a row with its cells changed."""
        cells, width = row.cells, len(self._header.names)
        fault = row.fault
        if len(cells) < width:
            kept = self._cells[: bisect_left(self._lasts, len(cells))]
        else:
            kept = self._cells
            if fault is None and any(cells[width:]):
                fault = Note(TOO_MANY_CELLS, {"cells": len(cells), "width": width})
        changed = tuple([cell(cells) for cell in kept])
        if fault is None and not row.cell_faults:
            return row._replace(cells=changed)
        return row._replace(
            cells=changed,
            fault=self._fault(fault, len(changed)),
            cell_faults=self._cell_faults(row.cell_faults) if row.cell_faults else row.cell_faults,
        )

    def _fault(self, fault: Note | None, count: int) -> Note | None:
        """Return a fault of a row with the place of the cell that it is about, where that is still known."""
        if fault is None or "place" not in fault.params:
            return fault
        place = bisect_left(self._lasts, fault.params["place"])
        rest = {name: value for name, value in fault.params.items() if name != "place"}
        return Note(fault.code, {**rest, "place": place} if place < count else rest)

    def _cell_faults(self, faults: Mapping[int, Note]) -> dict[int, Note]:
        found = (
            (at, [faults[place] for place in output.places if place in faults])
            for at, output in enumerate(self._outputs)
        )
        return {at: notes[0] for at, notes in found if notes}


def check_mapping(mapping: ColumnMapping, columns: Columns, keys: Sequence[str]) -> None:
    """Raises: MappingError if the mapping needs columns that the file or its type hasn't, or would show passwords"""
    if missing := sorted(mapping.sources.difference(keys)):
        raise MappingError("mapping_source_missing", columns=", ".join(missing))
    for step in mapping.steps:
        found = columns.find(step.target)
        if found is None or found[0].ignored:
            raise MappingError("mapping_target_unknown", column=step.target)
        if is_secret_name(found[1]):
            if not step.sources or step.words:
                raise MappingError("mapping_holds_secret", column=step.target)
        elif secret := [source for source in step.sources if is_secret_name(source)]:
            raise MappingError("mapping_shows_secret", column=secret[0], target=step.target)


def known_by(mapping: ColumnMapping | None, columns: Columns) -> Callable[[str], bool]:
    """Return what tells whether a lower-case name of a header is known, by the file type or by the mapping."""
    if not mapping:
        return columns.knows
    keys = {*mapping.sources, *mapping.left_out}
    return lambda name: columns.knows(name) or column_keys([name])[0] in keys


def mapped_look(mapping: ColumnMapping | None, columns: Columns, look: Look | None) -> Look | None:
    """Return what sees the header and the rows of a file as they are once they are changed."""
    if not mapping or look is None:
        return look

    def look_at(header: Header) -> Callable[[Row], None] | None:
        mapper = RowMapper(mapping, columns, header)
        observe = look(mapper.header)
        return None if observe is None else lambda row: observe(mapper.row(row))

    return look_at


def mapped(mapping: ColumnMapping | None, columns: Columns, reader: RowReader) -> RowReader:
    """Return an opened file with its rows changed. Raises: MappingError; the file is closed then"""
    if not mapping:
        return reader
    try:
        mapper = RowMapper(mapping, columns, reader.header)
    except MappingError:
        reader.close()
        raise
    return reader.changed(mapper.header, mapper.row)


def meant_by(mapping: ColumnMapping | None, columns: Columns, header: Header) -> tuple[str, ...]:
    """Return for each column of a file the first that it becomes; its own name where it becomes none. Raises: MappingError"""
    meant = list(header.names)
    if mapping:
        mapper = RowMapper(mapping, columns, header)
        for at, name in reversed(list(enumerate(mapper.header.names))):
            for place in mapper.sources_of(at):
                meant[place] = name
    found = ((name, columns.find(name)) for name in meant)
    return tuple(name if column is None else column[1] for name, column in found)


def notes_of(mapping: ColumnMapping) -> list[Note]:
    """Return what is said of a file whose columns were mapped: by which mapping, what became of what, and what wasn't read."""
    if mapping.name:
        notes = [Note(MAPPING_USED, {"name": mapping.name, "version": mapping.version})]
    else:
        notes = [Note(MAPPING_USED_ONCE, {})]
    if mapping.steps:
        notes.append(Note(MAPPING_COLUMNS, {"columns": ", ".join(map(_pair_of, mapping.steps))}))
    if mapping.left_out:
        notes.append(Note(MAPPING_LEFT_OUT, {"columns": ", ".join(mapping.left_out)}))
    return notes


def _pair_of(step: Step) -> str:
    source = f"“{step.constant}”" if isinstance(step, Constant) else " + ".join(step.sources)
    return f"{source} → {step.target}"


def _of_step(step: Step, columns: Columns, places: Mapping[str, int]) -> _Output:
    found = columns.find(step.target)
    name = found[1] if found is not None else step.target
    at = tuple(places[source] for source in step.sources)
    if isinstance(step, Copy) and not step.words:
        return _Output(at, name, name, is_left_out=False, cell=itemgetter(at[0]))
    return _Output(at, name, name, is_left_out=False, cell=lambda cells: step.value([cells[place] for place in at]))


def _as_it_is(header: Header, place: int, *, is_left_out: bool) -> _Output:
    # No column is called like this, whoever looks for one.
    name = f"-{header.names[place]}" if is_left_out else header.names[place]
    return _Output((place,), name, header.spelled[place], is_left_out, itemgetter(place))


def _rest(keys: _Cells, used: set[int], left_out: set[int]) -> list[int]:
    """Return the places of what no step takes; what is left out stays there too, so that its passwords stay hidden."""
    return [place for place in range(len(keys)) if place not in used or place in left_out]


def _refuse_doubles(outputs: Sequence[_Output], columns: Columns, header: Header) -> None:
    """Raises: MappingError if two columns become the same one"""
    makers: dict[str, list[str]] = {}
    for output in outputs:
        found = None if output.is_left_out else columns.find(output.name)
        if found is not None:
            makers.setdefault(found[1], []).append(" + ".join(header.spelled[place] for place in output.places) or "=")
    for name, spelled in makers.items():
        if len(spelled) > 1:
            raise MappingError("mapping_two_for_one", target=name, columns=", ".join(spelled))
