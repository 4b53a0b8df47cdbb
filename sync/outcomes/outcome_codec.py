"""The outcomes of a chunk <-> bytes: compressed JSON, some hundred of them a line.

The first line tells what the part holds, so that it can be counted without being read. An outcome is an array in the order
of `Outcome`'s fields, without the empty ones at its end.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, BinaryIO, NamedTuple

from sync.values import STICKY_KEPT, Action, Change, Note, Outcome

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode

# What gzip and JSON say about a part that is cut off or overwritten.
DAMAGES = (EOFError, gzip.BadGzipFile, zlib.error, ValueError, TypeError, StopIteration)

# A call of the encoder or decoder costs as much as some outcomes.
_A_LINE = 500
_EMPTY_END: tuple[Any, ...] = ("", (), (), None)


class PartHeader(NamedTuple):
    """What a part holds. Shape: counts: action -> rows; codes: outcome code -> rows; partial_counts: what was done of the
    partial rows, action -> rows; after_commit: what the chunk owes once it is committed, in the words of its own type;
    is_closing: it is what an option wants done after the last row, so that what it counts are no rows of the file; totals: kind
    of object and what becomes of it -> how many; writes: whether anything is done at all; named: line, users, courses of the rows
    that changed something; scoped_totals: totals of scopes with limits, by the key of the scope; kept: column -> rows in which a
    rule left it as it was; about: where it is closing, table and id of what each outcome is about; touched: of a dry run, by
    line, the objects that it changes or takes away"""

    first_line: int
    last_line: int
    counts: dict[str, int]
    codes: dict[str, int]
    bytes_read: int
    has_journal: bool
    partial_counts: Mapping[str, int] = {}
    after_commit: Mapping[str, Any] = {}
    is_closing: bool = False
    totals: Mapping[str, int] = {}
    writes: bool = True
    named: Sequence[tuple[int, Sequence[str], Sequence[str]]] = ()
    scoped_totals: Mapping[str, Mapping[str, int]] = {}
    kept: Mapping[str, int] = {}
    about: Sequence[tuple[str, int]] = ()
    touched: Sequence[tuple[int, Sequence[str]]] = ()


def encode_outcomes(header: PartHeader, outcomes: Iterable[Outcome]) -> bytes:
    """Write the outcomes of a chunk."""
    remaining = iter(outcomes)
    lines = [_encode(header._asdict())]
    while part := [_without_empty_end(outcome) for outcome in islice(remaining, _A_LINE)]:
        lines.append(_encode(part))
    return gzip.compress("\n".join(lines).encode(), compresslevel=1, mtime=0)


def count_codes(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Count the rows of each code."""
    return dict(Counter([outcome.code for outcome in outcomes]))


def count_partial(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Count the partial rows by what was done of them."""
    return dict(Counter([outcome.done.value for outcome in outcomes if outcome.done]))


def count_kept(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Count the rows that left a column as it is because of a rule, for each such column."""
    kept = [note.params["columns"] for outcome in outcomes for note in outcome.notes if note.code == STICKY_KEPT]
    return dict(Counter(name for columns in kept for name in columns.split(", ")))


def read_header(stream: BinaryIO) -> PartHeader:
    """Read what a part holds, and no more of it."""
    with gzip.open(stream, "rt", encoding="utf-8") as lines:
        header = PartHeader(**json.loads(lines.readline()))
    return header._replace(
        named=tuple([(line, users, courses) for line, users, courses in header.named]),
        about=tuple([(table, rowid) for table, rowid in header.about]),
        touched=tuple([(line, objects) for line, objects in header.touched]),
    )


def read_outcomes(stream: BinaryIO) -> Iterator[Outcome]:
    """Read the outcomes of a part, in line order."""
    with gzip.open(stream, "rt", encoding="utf-8") as lines:
        if not next(lines, ""):
            raise EOFError("no header")
        for line in lines:
            yield from map(_outcome, json.loads(line))


def read_numbered(stream: BinaryIO, numbers: Collection[int]) -> Iterator[tuple[int, Outcome]]:
    """Read some outcomes of a part, by their numbers from 0; what stands between them isn't decoded."""
    wanted = {number // _A_LINE for number in numbers}
    with gzip.open(stream, "rt", encoding="utf-8") as lines:
        if not next(lines, ""):
            raise EOFError("no header")
        for batch, line in enumerate(lines):
            if batch in wanted:
                decoded = json.loads(line)
                yield from (
                    (batch * _A_LINE + place, _outcome(fields))
                    for place, fields in enumerate(decoded)
                    if batch * _A_LINE + place in numbers
                )


def _without_empty_end(outcome: Outcome) -> tuple[object, ...]:
    if outcome.done:
        return outcome
    if outcome.notes:
        return outcome[:7]
    if outcome.changes:
        return outcome[:6]
    return outcome[:5] if outcome.subject else outcome[:4]


def _outcome(fields: list[Any]) -> Outcome:
    line, action, code, params, *rest = fields
    subject, changes, notes, done = (*rest, *_EMPTY_END[len(rest) :])
    return Outcome(
        line,
        Action(action),
        code,
        params,
        subject,
        tuple([Change(*change) for change in changes]),
        tuple([Note(*note) for note in notes]),
        Action(done) if done else None,
    )
