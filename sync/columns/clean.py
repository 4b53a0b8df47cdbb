"""Text -> value. A kind cleans one cell, or says in one code what is wrong with it.

Texts arrive trimmed and never empty: what an empty cell means is declared on the column.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Label = str | Promise
Clean = Callable[[str], Any]

TRUE_WORDS = frozenset(("1", "yes", "true", "y", "on", "oui"))
FALSE_WORDS = frozenset(("0", "no", "false", "n", "off", "non"))

_TAG = re.compile(r"</?[A-Za-z!][^>]*>")
_WHOLE_NUMBER = re.compile(r"[+-]?[0-9]+")
# No bound that a column declares has more; Python refuses to read numbers of thousands of digits.
_LONGEST_NUMBER = 20
_CLOCK = r"(?:[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?"
# The year first, as ISO 8601 has it, or the day first; the place of year, month and day among the groups.
_DATES = (
    (re.compile(rf"(\d{{4}})-(\d{{1,2}})-(\d{{1,2}}){_CLOCK}(Z|[+-]\d\d:?\d\d)?"), (0, 1, 2)),
    (re.compile(rf"(\d{{1,2}})/(\d{{1,2}})/(\d{{4}}){_CLOCK}()"), (2, 1, 0)),
)
_EMAIL = re.compile(r"[^@\s<>()\[\],;:\\\"]+@[^@\s<>()\[\],;:\\\"]+\.?[^@\s<>()\[\],;:\\\"]*")
# The furthest second that Moodle's 10-digit columns hold, and the whole years until then.
LATEST_TIME = 9_999_999_999
_YEARS = range(1970, 2286)
_LONGEST_VALUE_SHOWN = 100


class CellError(Exception):
    """A cell can't be used: a code of `sync.messages` and its parameters."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


class Kind(ABC):
    """What a column's cells may hold."""

    @abstractmethod
    def cleaner(self) -> Clean:
        """Give the function that cleans one cell; it raises CellError."""

    @abstractmethod
    def describe(self) -> Label:
        """Say in a few words what a cell may hold."""

    def limited(self, _length: int | None) -> Kind:
        """Give the same kind for a database column that holds so many characters."""
        return self


@dataclass(frozen=True)
class TextKind(Kind):
    """Text of limited length. Shape: limit: characters, None = unlimited; plain: markup is taken out."""

    limit: int | None
    lower: bool = False
    upper: bool = False
    plain: bool = False

    def cleaner(self) -> Clean:
        change = self._change()
        limit = self.limit

        def clean(text: str) -> str:
            if change is not None:
                text = change(text)
            if limit is not None and len(text) > limit:
                raise CellError("value_too_long", length=len(text), limit=limit)
            return text

        return clean

    def _change(self) -> Clean | None:
        if self.lower:
            return str.lower
        if self.upper:
            return str.upper
        if self.plain:
            return without_tags
        return None

    def describe(self) -> Label:
        if self.limit is None:
            return _("text")
        return _("text of at most %(limit)d characters") % {"limit": self.limit}

    def limited(self, length: int | None) -> Kind:
        return self if length is None else replace(self, limit=length)


@dataclass(frozen=True)
class IntegerKind(Kind):
    """A whole number within bounds."""

    least: int
    most: int

    def cleaner(self) -> Clean:
        def clean(text: str) -> int:
            if not _WHOLE_NUMBER.fullmatch(text):
                raise CellError("value_not_number", value=_shown(text))
            if len(text) > _LONGEST_NUMBER or not self.least <= int(text) <= self.most:
                raise CellError("value_out_of_range", value=_shown(text), least=self.least, most=self.most)
            return int(text)

        return clean

    def describe(self) -> Label:
        return _("whole number from %(least)d to %(most)d") % {"least": self.least, "most": self.most}


@dataclass(frozen=True)
class FlagKind(Kind):
    """Yes or no."""

    def cleaner(self) -> Clean:
        def clean(text: str) -> int:
            word = text.lower()
            if word in TRUE_WORDS:
                return 1
            if word in FALSE_WORDS:
                return 0
            raise CellError("value_not_flag", value=_shown(text))

        return clean

    def describe(self) -> Label:
        return _("0 or 1 (no or yes)")


@dataclass(frozen=True)
class OneOfKind(Kind):
    """One of a few words, in any case. Shape: values: word -> value."""

    values: Mapping[str, Any]

    def cleaner(self) -> Clean:
        def clean(text: str) -> Any:
            try:
                return self.values[text.lower()]
            except KeyError:
                raise CellError("value_not_among", value=_shown(text), allowed=", ".join(self.values)) from None

        return clean

    def describe(self) -> Label:
        return ", ".join(self.values)


@dataclass(frozen=True)
class TimeKind(Kind):
    """A moment: seconds since epoch as int, or a date (and time) on the site's clock as naive datetime."""

    def cleaner(self) -> Clean:
        def clean(text: str) -> int | datetime:
            try:
                moment = _seconds(text) if text.isascii() and text.isdigit() else _date(text)
            except ValueError:
                raise CellError("value_not_time", value=_shown(text)) from None
            return moment

        return clean

    def describe(self) -> Label:
        return _("YYYY-MM-DD or DD/MM/YYYY, also with hh:mm:ss, or seconds since 1970; 0 = none")


@dataclass(frozen=True)
class EmailKind(TextKind):
    """An e-mail address. The old plugin's words NO MAIL and NOMAIL pass: they mean "no notification"."""

    def cleaner(self) -> Clean:
        as_text = super().cleaner()

        def clean(text: str) -> str:
            value: str = as_text(text)
            if ("@" in value and _EMAIL.fullmatch(value)) or "NOMAIL" in value.upper().replace(" ", ""):
                return value
            raise CellError("value_not_email", value=_shown(text))

        return clean

    def describe(self) -> Label:
        return _("e-mail address")


def _seconds(digits: str) -> int:
    """Read seconds since epoch. Raises: ValueError."""
    if len(digits) > _LONGEST_NUMBER or int(digits) > LATEST_TIME:
        raise ValueError(digits)
    return int(digits)


def _date(text: str) -> int | datetime:
    """Read a date (and time): on the site's clock, or seconds since epoch where it names its zone. Raises: ValueError."""
    found = next(((match, places) for pattern, places in _DATES if (match := pattern.fullmatch(text))), None)
    if found is None:
        raise ValueError(text)
    match, places = found
    *numbers, zone = match.groups()
    year, month, day = (int(numbers[place]) for place in places)
    hour, minute, second = (int(number or 0) for number in numbers[3:])
    if year not in _YEARS:
        raise ValueError(text)
    moment = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the site's clock, not ours
    return int(datetime.fromisoformat(f"{moment.isoformat()}{zone}").timestamp()) if zone else moment


def _shown(text: str) -> str:
    """Cut a cell to what is still worth reading in a message; it may hold megabytes."""
    return text if len(text) <= _LONGEST_VALUE_SHOWN else text[: _LONGEST_VALUE_SHOWN - 1] + "…"


def text(limit: int | None = None, *, lower: bool = False, upper: bool = False, plain: bool = False) -> Kind:
    return TextKind(limit, lower=lower, upper=upper, plain=plain)


def integer(least: int = 0, most: int = 9_999_999_999) -> Kind:
    return IntegerKind(least, most)


def flag() -> Kind:
    return FlagKind()


def one_of(values: Iterable[str] | Mapping[str, Any], *more: str) -> Kind:
    """One of the words; give a mapping when words stand for values."""
    if isinstance(values, Mapping):
        return OneOfKind(dict(values))
    words = (values, *more) if isinstance(values, str) else tuple(values)
    return OneOfKind({word: word for word in words})


def moodle_time() -> Kind:
    return TimeKind()


def email(limit: int = 100) -> Kind:
    return EmailKind(limit)


def without_tags(value: str) -> str:
    """Take markup out of a text; a lone "<" stays.

    Mirrors: what PARAM_NOTAGS does to names and institutions
    """
    return _TAG.sub("", value).strip() if "<" in value else value
