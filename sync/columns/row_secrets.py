"""Passwords of a row in what is said of it: whoever types one into another column must not find it in a report."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sync.columns.clean import shown
from sync.columns.header import is_secret_name
from sync.values import FAILED_ACTIONS, Change, Note, Outcome, Row

HIDDEN = "••••"

# A password of so many characters is found inside of other text as well; shorter ones are words and parts of names.
_FOUND_WITHIN = 8
_SHORTEST_GUESSED = 6
# Between the cells of a line that became one cell.
_SEPARATORS = frozenset(",;|\t")
# Signs that names, addresses, dates, paths and time zones have.
_USUAL_SIGNS = frozenset("._-@+/:,;'")


def looks_like_password(text: str) -> bool:
    """Return whether a text is of the kind that policies of passwords want: small and capital letters, digits, signs."""
    if len(text) < _SHORTEST_GUESSED or any(map(str.isspace, text)):
        return False
    return (
        _has_sign(text) + any(map(str.islower, text)) + any(map(str.isupper, text)) + any(map(str.isdigit, text))
    ) > 2


class RowSecrets:
    """The passwords in the rows of one file. A file without a column of passwords has none that can be known.

    Shape: names: of all columns of the header, in file order
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._width = len(names)
        self._places = tuple(place for place, name in enumerate(names) if is_secret_name(name))

    def shown_row(self, row: Row) -> Row:
        """Return a row as a page may show it: without passwords, and without cells that may be some."""
        if not self._places:
            return row
        secrets = {cell.casefold() for cell in (*self._known(row), *self._joined(row))}
        return row._replace(
            cells=tuple(
                HIDDEN if cell and self._is_hidden(place, cell, secrets) else cell
                for place, cell in enumerate(row.cells)
            )
        )

    def _is_hidden(self, place: int, cell: str, secrets: Collection[str]) -> bool:
        # A cell too many: nobody knows which of them is the password then.
        is_known = place in self._places or place >= self._width or _cover(cell, secrets) == HIDDEN
        return is_known or looks_like_password(cell)

    @property
    def are_possible(self) -> bool:
        return bool(self._places)

    def not_secret(self, named: Sequence[Sequence[str]], subject: str, row: Row) -> list[list[str]]:
        """Return lists of names without those that are passwords of the row; its subject is none, as `hide` has it."""
        known = {text.casefold() for cell in self._known(row) for text in (cell, shown(cell))}
        known.discard(subject.casefold())
        return [[name for name in names if name.casefold() not in known] for names in named]

    def hide(self, outcomes: Iterable[Outcome], rows: Sequence[Row]) -> Iterable[Outcome]:
        """Return the outcomes with nothing in them that is a password of their rows."""
        if not self._places:
            return outcomes
        row_of = {row.line: row for row in rows}
        return [self._hidden(outcome, row_of[outcome.line]) for outcome in outcomes]

    def _known(self, row: Row) -> list[str]:
        return [row.cells[place] for place in self._places if place < len(row.cells) and row.cells[place]]

    def _joined(self, row: Row) -> list[str]:
        """Return the cells of a row that has no cell for a password, in which several may be: a whole line in quotes, say."""
        if all(place < len(row.cells) for place in self._places):
            return []
        return [cell for cell in row.cells if not _SEPARATORS.isdisjoint(cell)]

    def _hidden(self, outcome: Outcome, row: Row) -> Outcome:
        known = {text.casefold() for cell in self._known(row) for text in (cell, shown(cell))}
        # That somebody's password is the own username would be told by hiding it.
        known.discard(outcome.subject.casefold())
        joined = {text.casefold() for cell in self._joined(row) for text in (cell, shown(cell))}
        guessed = {shown(cell).casefold() for cell in row.cells if looks_like_password(cell)} | joined
        is_failed = outcome.action in FAILED_ACTIONS
        unusual = {cell for cell in guessed if is_failed and _has_sign(cell)} | joined
        if not known and not guessed:
            return outcome
        return outcome._replace(
            subject=_cover(outcome.subject, known, unusual),
            params=_cover(outcome.params, known, guessed if is_failed else ()),
            changes=tuple(
                Change(change.field, _cover(change.old, known), _cover(change.new, known)) for change in outcome.changes
            ),
            notes=tuple(Note(note.code, _cover(note.params, known, guessed)) for note in outcome.notes),
        )


def _has_sign(text: str) -> bool:
    return any(not char.isalnum() and not char.isspace() and char not in _USUAL_SIGNS for char in text)


def _cover(value: Any, known: Iterable[str], guessed: Iterable[str] = ()) -> Any:
    """Return texts, or what is made of texts, with those hidden that are or hold a password."""
    if isinstance(value, str):
        folded = value.casefold()
        is_secret = folded in known or any(len(secret) >= _FOUND_WITHIN and secret in folded for secret in known)
        return HIDDEN if is_secret or folded in guessed else value
    if isinstance(value, Mapping):
        return {key: _cover(part, known, guessed) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_cover(part, known, guessed) for part in value]
    return value
