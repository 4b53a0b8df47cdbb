"""Text -> value. A kind cleans one cell, or says in one code what is wrong with it.

Texts arrive trimmed and never empty: what an empty cell means is declared on the column.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any, Generic, TypeVar, overload

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sync.columns.dates import DAY_FIRST, DateOrders, NotAMoment, parse_moment
from sync.columns.words import folded, truth
from sync.values import Moment, Spelled

Label = str | Promise
Value = TypeVar("Value")
Value_co = TypeVar("Value_co", covariant=True)
Clean = Callable[[str], Value]

_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+")
# No bound that a column declares has more; Python refuses to read numbers of thousands of digits.
_LONGEST_NUMBER = 20
_EMAIL = re.compile(r"[^@\s<>()\[\],;:\\\"]+@[^@\s<>()\[\],;:\\\"]+")
# Source: spec users.md section 2
_NO_MAIL = re.compile(r"(?<![\w.@+-])NO\s*MAIL(?![\w.@+-])", re.IGNORECASE)
# Address books write 'name@example.org'; no address begins or ends so. (An empty text has none either.)
_APOSTROPHES = ("'", "\u2018", "\u2019", "`", "\u00b4")
LONGEST_VALUE_SHOWN = 100


class CellError(Exception):
    """A cell can't be used: a code of `sync.messages` and its parameters."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


class ValueKind(ABC, Generic[Value_co]):
    """What a column's cells may hold, and the type that they get."""

    @abstractmethod
    def cleaner(self) -> Clean[Value_co]:
        """Return the function that cleans one cell; it raises CellError."""

    @abstractmethod
    def describe(self) -> Label:
        """Say in a few words what a cell may hold."""

    def limited(self, _length: int | None) -> ValueKind[Value_co]:
        """Return the same kind for a database column that holds so many characters."""
        return self

    def ordered(self, _orders: DateOrders) -> ValueKind[Value_co]:
        """Return the same kind for a column whose dates have these orders of day and month."""
        return self


@dataclass(frozen=True)
class TextKind(ValueKind[str]):
    """Text of limited length. Shape: limit: characters, None = unlimited; plain: markup is taken out."""

    limit: int | None
    lower: bool = False
    upper: bool = False
    plain: bool = False

    def cleaner(self) -> Clean[str]:
        change = self._change()
        limit = self.limit

        def clean(cell: str) -> str:
            text = cell if change is None else change(cell)
            if limit is not None and len(text) > limit:
                raise CellError("value_too_long", length=len(text), limit=limit, value=shown(cell), hint="cell_holds")
            return text

        return clean

    def _change(self) -> Clean[str] | None:
        if self.lower:
            return lambda text: Spelled.of(text.lower(), text)
        if self.upper:
            return str.upper
        if self.plain:
            return without_tags
        return None

    def describe(self) -> Label:
        if self.limit is None:
            return _("text")
        return _("text of at most %(limit)d characters") % {"limit": self.limit}

    def limited(self, length: int | None) -> ValueKind[str]:
        return self if length is None else replace(self, limit=length)


@dataclass(frozen=True)
class IntegerKind(ValueKind[int]):
    """A whole number within bounds."""

    least: int
    most: int

    def cleaner(self) -> Clean[int]:
        def clean(text: str) -> int:
            if not _WHOLE_NUMBER.fullmatch(text):
                raise CellError("value_not_number", value=shown(text))
            if len(text) > _LONGEST_NUMBER or not self.least <= int(text) <= self.most:
                raise CellError("value_out_of_range", value=shown(text), least=self.least, most=self.most)
            return int(text)

        return clean

    def describe(self) -> Label:
        return _("whole number from %(least)d to %(most)d") % {"least": self.least, "most": self.most}


@dataclass(frozen=True)
class FlagKind(ValueKind[int]):
    """Yes or no."""

    def cleaner(self) -> Clean[int]:
        def clean(text: str) -> int:
            value = truth(text)
            if value is None:
                raise CellError("value_not_flag", value=shown(text))
            return int(value)

        return clean

    def describe(self) -> Label:
        return _("0 or 1 (no or yes)")


@dataclass(frozen=True)
class OneOfKind(ValueKind[Value]):
    """One of a few words, in any case. Shape: values: word -> value; exact: the case counts."""

    values: Mapping[str, Value]
    exact: bool = False

    def cleaner(self) -> Clean[Value]:
        def clean(text: str) -> Value:
            try:
                return self.values[text if self.exact else text.lower()]
            except KeyError:
                raise CellError(
                    "value_not_among", value=shown(text), allowed=", ".join(self.values), **nearest(text, self.values)
                ) from None

        return clean

    def describe(self) -> Label:
        return ", ".join(self.values)


@dataclass(frozen=True)
class TimeKind(ValueKind[Moment]):
    """A moment: seconds since epoch, or a date (and time) on the site's clock, with the text of the cell.

    Shape: orders: of day and month, as the column has them; from_year: the first that is possible
    """

    orders: DateOrders = DAY_FIRST
    from_year: int = 1970

    def cleaner(self) -> Clean[Moment]:
        def clean(text: str) -> Moment:
            try:
                value = parse_moment(text, self.orders, from_year=self.from_year)
            except NotAMoment as error:
                raise CellError("value_not_time", value=shown(text), hint=error.code, **error.params) from None
            return Moment(value, shown(text))

        return clean

    def ordered(self, orders: DateOrders) -> ValueKind[Moment]:
        return replace(self, orders=orders)

    def describe(self) -> Label:
        return _(
            "YYYY-MM-DD, DD/MM/YYYY or DD.MM.YYYY, also with hh:mm:ss, a date in words, or seconds since 1970; 0 = none"
        )


@dataclass(frozen=True)
class EmailKind(TextKind):
    """An e-mail address. The old plugin's words NO MAIL and NOMAIL pass: they mean "no notification"."""

    def cleaner(self) -> Clean[str]:
        as_text = super().cleaner()

        def clean(text: str) -> str:
            value = as_text(text)
            if value[:1] in _APOSTROPHES or value[-1:] in _APOSTROPHES:
                raise CellError("value_not_email", value=shown(text), hint="value_in_apostrophes")
            if _EMAIL.fullmatch(value) or is_no_mail(value):
                return value
            raise CellError("value_not_email", value=shown(text))

        return clean

    def describe(self) -> Label:
        return _("e-mail address")


def is_no_mail(text: str) -> bool:
    """Tell whether a cell has the old plugin's words for "no mails": by themselves, or beside an address, never within one."""
    return _NO_MAIL.search(text) is not None and not _EMAIL.fullmatch(text)


def shown(text: str) -> str:
    """Cut a cell to what is still worth reading in a message; it may hold megabytes."""
    return text if len(text) <= LONGEST_VALUE_SHOWN else text[: LONGEST_VALUE_SHOWN - 1] + "…"


def text(limit: int | None = None, *, lower: bool = False, upper: bool = False, plain: bool = False) -> ValueKind[str]:
    return TextKind(limit, lower=lower, upper=upper, plain=plain)


def integer(least: int = 0, most: int = 9_999_999_999) -> ValueKind[int]:
    return IntegerKind(least, most)


def flag() -> ValueKind[int]:
    return FlagKind()


@overload
def one_of(values: Mapping[str, Value], *, exact: bool = False) -> ValueKind[Value]: ...
@overload
def one_of(values: Sequence[str], *more: str, exact: bool = False) -> ValueKind[str]: ...
def one_of(values: Sequence[str] | Mapping[str, Any], *more: str, exact: bool = False) -> ValueKind[Any]:
    """One of the words; return a mapping when words stand for values. Shape: exact: the case of letters counts"""
    if isinstance(values, Mapping):
        return OneOfKind(dict(values), exact)
    words = (values, *more) if isinstance(values, str) else tuple(values)
    return OneOfKind({word: word for word in words}, exact)


def moodle_time(orders: DateOrders = DAY_FIRST, from_year: int = 1970) -> ValueKind[Moment]:
    return TimeKind(orders, from_year)


def email(limit: int = 100) -> ValueKind[str]:
    return EmailKind(limit)


def nearest(text: str, words: Iterable[str]) -> dict[str, str]:
    """Return what a message needs to suggest the word that was probably meant, {} when none is near."""
    by_fold = {folded(word): word for word in words}
    found = get_close_matches(folded(shown(text)), by_fold, 1, 0.75)
    return {"hint": "did_you_mean", "nearest": by_fold[found[0]]} if found else {}


def without_tags(value: str) -> str:
    """Take markup out of a text; a lone "<" stays.

    Mirrors: what PARAM_NOTAGS does to names and institutions
    """
    if "<" not in value:
        return value
    # Behind the last ">" no tag ends: looking for its end there again and again would take minutes on a hostile text.
    end = value.rfind(">")
    kept: list[str] = []
    position = 0
    while 0 <= (start := value.find("<", position)) < end:
        is_tag = _begins_tag(value[start + 1 : start + 3])
        kept.append(value[position : start if is_tag else start + 1])
        position = value.index(">", start) + 1 if is_tag else start + 1
    return "".join((*kept, value[position:])).strip()


def _begins_tag(two: str) -> bool:
    """Tell whether the two characters behind a "<" are those of a tag."""
    first = two.removeprefix("/")[:1]
    return first == "!" or (first.isascii() and first.isalpha())
