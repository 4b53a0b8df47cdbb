"""Text -> moment: every form of a date that has one meaning.

Day and month of 01/09/2026 have none by themselves: the order is decided for the whole column (`sync.columns.survey`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from sync.columns.date_hints import hint_of
from sync.columns.words import MONTHS, WEEKDAYS, folded

# The furthest second that Moodle's 10-digit columns hold, and the whole years until then.
LATEST_TIME = 9_999_999_999
_FIRST_YEAR, _LAST_YEAR = 1970, 2285
# What 0, which means none, becomes in a program that takes it for a moment.
_FIRST_DAY = (_FIRST_YEAR, 1, 1)
# The first year of what isn't bound to the life of a computer, such as dates of birth.
FROM_ANY_YEAR = 1000
_MONTHS_OF_A_YEAR = 12
_HOURS_OF_A_HALF = 12
# Of a cell that may be a date. Python refuses to read numbers of thousands of digits.
_LONGEST = 100
_MILLISECOND_DIGITS = 13
# Smaller numbers are something else: days, serial dates of spreadsheets, compact dates. (10^8 is March 1973.)
_LEAST_SECONDS = 100_000_000
# The first midnight of 1970 lies before 0 east of Greenwich, by quarters of an hour; -1 is a sign for "none".
_LEAST_BEFORE_1970 = 900
_SERIALS = range(10_000, 100_000)
_SERIAL_ZERO = date(1899, 12, 30)
_DAYS = range(1, 4000)
_YEARS = range(1900, 2101)

_NUMBER = re.compile(r"@?(-?\d+)")
_SERIAL_WITH_TIME = re.compile(r"(\d{5})[.,]\d+")
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(\d\d)?)?(Z)?")
_TIME = (
    r"(?:(?:,? |T| à | um )(?P<hour>\d{1,2})[:h](?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?"
    r"(?: ?(?P<half>[ap])\.?m\.?)?)?"
)
# As Moodle's profile fields take it: 2026-09-01-08-30-00
_ALL_DASHES = re.compile(r"(\d{4}-\d{1,2}-\d{1,2})-(\d{1,2})-(\d{1,2})(?:-(\d{1,2}))?")
_ZONE = r"(?: ?(?P<zone>Z|UTC|GMT|[+-]\d\d(?::?\d\d)?))?"
_YEAR_FIRST = re.compile(
    rf"(?P<year>\d{{4}})(?P<mark>[-/.])(?P<month>\d{{1,2}})(?P=mark)(?P<day>\d{{1,2}}){_TIME}{_ZONE}", re.IGNORECASE
)
_YEAR_LAST = re.compile(
    rf"(?P<one>\d{{1,2}})(?P<mark>[-/.])(?P<other>\d{{1,2}})(?P=mark)(?P<year>\d{{4}}){_TIME}{_ZONE}", re.IGNORECASE
)
_ORDINAL = r"(?:st|nd|rd|th|er|\.|º|°)?"
_WORD = r"[^\W\d_]+"
_DAY_MONTH = re.compile(
    rf"(?P<day>\d{{1,2}}){_ORDINAL}[ -](?:de )?(?P<month>{_WORD})\.?,?[ -](?:de )?(?P<year>\d{{4}}){_TIME}{_ZONE}",
    re.IGNORECASE,
)
_MONTH_DAY = re.compile(
    rf"(?P<month>{_WORD})\.? (?P<day>\d{{1,2}}){_ORDINAL},? (?P<year>\d{{4}}){_TIME}{_ZONE}", re.IGNORECASE
)
_OPENING = re.compile(rf"(?P<word>{_WORD}(?:-{_WORD})?)[.,]{{0,2}} (?P<rest>.*)")
# They stand before a date in files of the old plugin, which looked for the date somewhere in the cell.
_FILLERS = frozenset(("from", "until", "till", "since", "du", "au", "le", "vom", "bis", "am"))


class DateOrder(StrEnum):
    """What comes first in 01/09/2026."""

    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


class DateOrders(NamedTuple):
    """The orders of one column. Shape: usual: of dates with slashes and dashes; dotted: of dates with dots."""

    usual: DateOrder
    dotted: DateOrder


DAY_FIRST = DateOrders(DateOrder.DAY_FIRST, DateOrder.DAY_FIRST)


class NotAMoment(ValueError):
    """A cell that is no moment. Shape: code: of a text that says what it may be instead, "" = unknown; params: its values."""

    def __init__(self, code: str = "", **params: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


@lru_cache(maxsize=4096)
def parse_moment(text: str, orders: DateOrders = DAY_FIRST, *, from_year: int = _FIRST_YEAR) -> int | datetime:
    """Read a moment: seconds since epoch, also where the cell names its zone, else a time on the site's clock.

    Shape: from_year: the first that is possible; before 1970 numbers may be negative
    Raises: NotAMoment
    """
    if len(text) > _LONGEST:
        raise NotAMoment
    text = " ".join(text.split())
    try:
        return _moment_of(text, orders, from_year)
    except NotAMoment as error:
        order = orders.dotted if "." in text else orders.usual
        hint = None if error.code else hint_of(text, from_year, is_month_first=order is DateOrder.MONTH_FIRST)
        if hint is None:
            raise
        raise NotAMoment(hint[0], **hint[1]) from None


def _moment_of(text: str, orders: DateOrders, from_year: int) -> int | datetime:
    """Read a moment from a text with single blanks. Raises: NotAMoment"""
    if number := _NUMBER.fullmatch(text):
        return _number(text, int(number[1]), from_year)
    if serial := _SERIAL_WITH_TIME.fullmatch(text):
        raise _not_seconds(int(serial[1]))
    if dashes := _ALL_DASHES.fullmatch(text):
        day, *clock = dashes.groups(default="0")
        text = f"{day} {':'.join(part.zfill(2) for part in clock)}"
    return _written(text, orders, from_year)


def _written(text: str, orders: DateOrders, from_year: int) -> int | datetime:
    """Read a date that is more than a number. Raises: NotAMoment"""
    if match := _YEAR_FIRST.fullmatch(text):
        return _moment(match, int(match["month"]), int(match["day"]), from_year)
    if match := _YEAR_LAST.fullmatch(text):
        first, second = int(match["one"]), int(match["other"])
        order = orders.dotted if match["mark"] == "." else orders.usual
        month, day = (first, second) if order is DateOrder.MONTH_FIRST else (second, first)
        if month > _MONTHS_OF_A_YEAR >= day:
            raise NotAMoment("date_order_other", order=order)
        return _moment(match, month, day, from_year)
    if match := _DAY_MONTH.fullmatch(text) or _MONTH_DAY.fullmatch(text):
        return _moment(match, MONTHS.get(folded(match["month"]), 0), int(match["day"]), from_year)
    if match := _COMPACT.fullmatch(text):
        return _compact(match, from_year)
    if rest := _without_opening(text):
        return _written(rest, orders, from_year)
    raise NotAMoment


def order_shown(text: str) -> tuple[str, DateOrder | None] | None:
    """Return the mark and the order that a cell such as 12/31/2026 proves; None for cells of another form.

    The order is None where both are possible and mean different days.
    """
    if len(text) > _LONGEST:
        return None
    text = " ".join(text.split())
    match = _YEAR_LAST.fullmatch(text) or _YEAR_LAST.fullmatch(_without_opening(text))
    if match is None:
        return None
    first, second = int(match["one"]), int(match["other"])
    if first == second or min(first, second) > _MONTHS_OF_A_YEAR:
        return None
    if max(first, second) > _MONTHS_OF_A_YEAR:
        return match["mark"], DateOrder.DAY_FIRST if first > second else DateOrder.MONTH_FIRST
    return match["mark"], None


def _number(text: str, number: int, from_year: int) -> int | datetime:
    if number == 0:
        return 0
    if number <= -_LEAST_BEFORE_1970 and from_year < _FIRST_YEAR:
        return number
    if (match := _COMPACT.fullmatch(text)) and len(text) in (8, 12, 14):
        try:
            return _compact(match, from_year)
        except NotAMoment:
            if len(text) == 8 and int(match[1]) > _LAST_YEAR and _is_day(int(match[2]), int(match[3])):
                raise NotAMoment("date_year_outside", first=str(from_year), last=str(_LAST_YEAR)) from None
    if number < _LEAST_SECONDS:
        raise _not_seconds(number)
    if number > LATEST_TIME:
        raise NotAMoment("value_in_milliseconds") if len(text) == _MILLISECOND_DIGITS else NotAMoment
    return number


def _is_day(month: int, day: int) -> bool:
    return 1 <= month <= _MONTHS_OF_A_YEAR and 1 <= day <= 31


def _not_seconds(number: int) -> NotAMoment:
    """Say what a number that is too small to be a moment was probably meant to be."""
    if number in _SERIALS:
        meant = _SERIAL_ZERO + timedelta(days=number)
        return NotAMoment("value_serial_date", meant=meant.isoformat())
    if number in _YEARS:
        return NotAMoment("date_only_year")
    return NotAMoment("value_perhaps_days") if number in _DAYS else NotAMoment("value_too_small_for_seconds")


def _without_opening(text: str) -> str:
    """Return a date without the name of the day, or a word like "from", before it; "" where there is none."""
    match = _OPENING.fullmatch(text)
    if match and (match["word"].casefold() in _FILLERS or folded(match["word"]) in WEEKDAYS):
        return match["rest"]
    return ""


def _compact(match: re.Match[str], from_year: int) -> int | datetime:
    year, month, day, *clock = (int(match[place] or 0) for place in range(1, 7))
    return _at((year, month, day), clock, match[7] or "", from_year)


def _moment(match: re.Match[str], month: int, day: int, from_year: int) -> int | datetime:
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    if half := match["half"]:
        if not 1 <= hour <= _HOURS_OF_A_HALF:
            raise NotAMoment
        hour = hour % _HOURS_OF_A_HALF + (_HOURS_OF_A_HALF if half.lower() == "p" else 0)
    return _at((int(match["year"]), month, day), (hour, minute, second), match["zone"] or "", from_year)


def _at(day: tuple[int, int, int], clock: Sequence[int], zone: str, from_year: int) -> int | datetime:
    if not from_year <= day[0] <= _LAST_YEAR:
        raise NotAMoment
    if from_year == _FIRST_YEAR and day == _FIRST_DAY:
        raise NotAMoment("date_of_second_zero")
    try:
        moment = datetime(*day, *clock)  # type: ignore[arg-type]  # noqa: DTZ001 - the site's clock, not ours
        if not zone:
            return moment
        offset = "+00:00" if zone.upper() in ("Z", "UTC", "GMT") else zone
        return int(datetime.fromisoformat(f"{moment.isoformat()}{offset}").timestamp())
    except (ValueError, OverflowError):
        raise NotAMoment from None
