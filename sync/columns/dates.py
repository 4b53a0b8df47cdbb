"""Text -> moment: every form of a date that has one meaning.

Day and month of 01/09/2026 have none by themselves: the order is decided for the whole column (`sync.columns.survey`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
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
# The first days that Excel, Windows, SQL Server and directories know: their programs write them where there is none.
_DAYS_OF_NONE = frozenset({(1601, 1, 1), (1753, 1, 1), (1899, 12, 30), (1899, 12, 31), (1900, 1, 1)})
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
# Ten digits, as those of seconds.
_DAY_AND_HOUR = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])[0-3]\d(?:[01]\d|2[0-3])")
_BEFORE_TIME = r"(?:,? (?:à |um |às |as |a las? |om |at |alle |(?:alle )?ore )?|T)"
_HALF = r"(?P<half>[ap])\.? ?m\.?"
# 8:30, 8.30, 8h30, 8 h 30; without minutes where what stands behind it says that it is a time.
_TIME = (
    rf"(?:{_BEFORE_TIME}(?P<hour>\d{{1,2}})"
    r"(?:(?P<colon>[:.]| ?h ?)(?P<minute>\d{2})(?:(?::|(?P=colon))(?P<second>\d{2})(?:[.,]\d+)?)?|(?= ?(?:h|uhr|uur|[ap]\.? ?m)))"
    rf"(?: ?(?:h|uhr|uur|{_HALF}))?)?"
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
_ORDINAL = r"(?:st|nd|rd|th|er|e|\.?º|\.|°)?"
_WORD = r"[^\W\d_]+"
_OF = r"(?:de |del |of )?"
_DAY_MONTH = re.compile(
    rf"(?P<day>\d{{1,2}}){_ORDINAL}[ ./-]{_OF}(?P<month>{_WORD})\.?,?[ ./-]{_OF}(?P<year>\d{{4}}){_TIME}{_ZONE}",
    re.IGNORECASE,
)
_MONTH_DAY = re.compile(
    rf"(?P<month>{_WORD})\.?[ /-](?P<day>\d{{1,2}}){_ORDINAL}(?:, ?|[ /-])(?P<year>\d{{4}}){_TIME}{_ZONE}",
    re.IGNORECASE,
)
_YEAR_MONTH = re.compile(
    rf"(?P<year>\d{{4}})(?P<mark>[ /-])(?P<month>{_WORD})\.?(?P=mark)(?P<day>\d{{1,2}}){_TIME}{_ZONE}", re.IGNORECASE
)
# Without a time, 2026-09-01-05:00 may be a time; XML writes days with zones. Source: https://www.w3.org/TR/xmlschema11-2/#date
_ZONE_OF_DAY = re.compile(r"Z|UTC|GMT|\+\d\d:\d\d", re.IGNORECASE)
_SHORT_YEAR = re.compile(r"(?P<one>\d{1,2})(?P<mark>[-/.])(?P<other>\d{1,2})(?P=mark)'?(?P<year>\d{2})(?:[ T,].*)?")
_MOST_DAYS = 31
_OPENING = re.compile(rf"(?P<word>{_WORD}(?:-{_WORD})?)(?:[.,]{{1,2}} ?| )(?P<rest>.*)")
# They stand before a date in files of the old plugin, which looked for the date somewhere in the cell, and behind the name of
# the day (Dienstag, den 1. September).
_FILLERS = frozenset((
    "from", "until", "till", "since", "on", "the", "du", "au", "le", "vom", "bis", "am", "den", "el", "il", "op",
))  # fmt: skip


_ANY = frozenset(range(7))


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


def _written(text: str, orders: DateOrders, from_year: int, weekdays: Collection[int] = _ANY) -> int | datetime:
    """Read a date that is more than a number. Shape: weekdays: those that it may be on. Raises: NotAMoment"""
    if match := _YEAR_FIRST.fullmatch(text):
        return _at(_parts(match, int(match["month"]), int(match["day"])), from_year, weekdays)
    if match := _YEAR_LAST.fullmatch(text):
        return _at(_parts(match, *_month_and_day(match, orders, weekdays)), from_year, weekdays)
    if match := _DAY_MONTH.fullmatch(text) or _MONTH_DAY.fullmatch(text) or _YEAR_MONTH.fullmatch(text):
        return _at(_parts(match, MONTHS.get(folded(match["month"]), 0), int(match["day"])), from_year, weekdays)
    if match := _COMPACT.fullmatch(text):
        return _at(_compact_parts(match), from_year, weekdays)
    named, rest = _without_opening(text)
    if rest:
        return _written(rest, orders, from_year, named.intersection(weekdays))
    raise NotAMoment


def _month_and_day(match: re.Match[str], orders: DateOrders, weekdays: Collection[int]) -> tuple[int, int]:
    """Return month and day in the order of the column. Raises: NotAMoment where they stand in the other one for certain"""
    year, first, second = int(match["year"]), int(match["one"]), int(match["other"])
    order = orders.dotted if match["mark"] == "." else orders.usual
    month, day = (first, second) if order is DateOrder.MONTH_FIRST else (second, first)
    if month > _MONTHS_OF_A_YEAR >= day:
        raise NotAMoment("date_order_other", order=order)
    if _weekday(year, month, day) not in weekdays and _weekday(year, day, month) in weekdays:
        raise NotAMoment("date_order_weekday", order=order)
    return month, day


def _weekday(year: int, month: int, day: int) -> int | None:
    """Return the number of a day in its week, None for a day that there isn't."""
    try:
        return date(year, month, day).weekday()
    except ValueError:
        return None


def order_shown(text: str) -> tuple[str, DateOrder | None] | None:
    """Return the mark and the order that a cell such as 12/31/2026 proves; None for cells of another form.

    The order is None where both are possible and mean different days. The name of a day before it proves one of them.
    """
    if len(text) > _LONGEST:
        return None
    rest, weekdays = " ".join(text.split()), _ANY
    while rest:
        if match := _YEAR_LAST.fullmatch(rest):
            return _order_of_whole(match, weekdays)
        if match := _SHORT_YEAR.fullmatch(rest):
            return _order_of_short(match)
        named, rest = _without_opening(rest)
        weekdays &= named
    return None


def _order_of_whole(match: re.Match[str], weekdays: Collection[int]) -> tuple[str, DateOrder | None] | None:
    """Return what a date with the whole year shows, as `order_shown`."""
    first, second, year = int(match["one"]), int(match["other"]), int(match["year"])
    if first == second or min(first, second) > _MONTHS_OF_A_YEAR:
        return None
    days = {DateOrder.DAY_FIRST: (second, first), DateOrder.MONTH_FIRST: (first, second)}
    possible = [order for order, (month, _day) in days.items() if month <= _MONTHS_OF_A_YEAR]
    if weekdays != _ANY:
        possible = [order for order in possible if _weekday(year, *days[order]) in weekdays]
        if not possible:
            return None
    return match["mark"], possible[0] if len(possible) == 1 else None


def _order_of_short(match: re.Match[str]) -> tuple[str, DateOrder] | None:
    """Return what a date proves whose year has two digits, as `order_shown`; the year may stand first where dashes are."""
    first, second, year = int(match["one"]), int(match["other"]), int(match["year"])
    if first <= _MONTHS_OF_A_YEAR < second <= _MOST_DAYS:
        return match["mark"], DateOrder.MONTH_FIRST
    is_year_last = match["mark"] != "-" or year > _MOST_DAYS
    if second <= _MONTHS_OF_A_YEAR < first <= _MOST_DAYS and is_year_last:
        return match["mark"], DateOrder.DAY_FIRST
    return None


def _number(text: str, number: int, from_year: int) -> int | datetime:
    if number == 0:
        return 0
    if number <= -_LEAST_BEFORE_1970 and from_year < _FIRST_YEAR:
        return number
    if (match := _COMPACT.fullmatch(text)) and len(text) in (8, 12, 14):
        try:
            return _at(_compact_parts(match), from_year)
        except NotAMoment:
            if len(text) == 8 and int(match[1]) > _LAST_YEAR and _is_day(int(match[2]), int(match[3])):
                raise NotAMoment("date_year_outside", first=str(from_year), last=str(_LAST_YEAR)) from None
    if number < _LEAST_SECONDS:
        raise _not_seconds(number)
    if number > LATEST_TIME:
        raise NotAMoment("value_in_milliseconds") if len(text) == _MILLISECOND_DIGITS else NotAMoment
    if meant := _day_and_hour(text, from_year):
        raise NotAMoment("value_perhaps_day_and_hour", meant=meant, seconds=f"@{text}")
    return number


def _day_and_hour(text: str, from_year: int) -> str:
    """Return the moment of YYYYMMDDHH, which as seconds lies between 2029 and 2037; "" where digits are seconds for certain.

    Not before 2000 for what isn't bound to a life: those seconds lie before May 2033, and are the more likely.
    """
    if not _DAY_AND_HOUR.fullmatch(text) or (from_year == _FIRST_YEAR and text < "2"):
        return ""
    try:
        day = date(int(text[:4]), int(text[4:6]), int(text[6:8]))
    except ValueError:
        return ""
    return f"{day} {text[8:]}:00"


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


def _without_opening(text: str) -> tuple[frozenset[int], str]:
    """Return the days that the word before a date names, and the date without it or without a word like "from"; "" = no such."""
    match = _OPENING.fullmatch(text)
    if match is None:
        return _ANY, ""
    named = WEEKDAYS.get(folded(match["word"]), _ANY)
    return named, match["rest"] if named != _ANY or match["word"].casefold() in _FILLERS else ""


class _Parts(NamedTuple):
    """A date as it is written. Shape: day: year, month, day; clock: hour, minute, second; zone: "" = the site's"""

    day: tuple[int, int, int]
    clock: Sequence[int]
    zone: str


def _compact_parts(match: re.Match[str]) -> _Parts:
    year, month, day, *clock = (int(match[place] or 0) for place in range(1, 7))
    return _Parts((year, month, day), clock, match[7] or "")


def _parts(match: re.Match[str], month: int, day: int) -> _Parts:
    """Return the parts of a date of which month and day are known. Raises: NotAMoment"""
    hour, minute, second = (int(match[name] or 0) for name in ("hour", "minute", "second"))
    if half := match["half"]:
        if not 1 <= hour <= _HOURS_OF_A_HALF:
            raise NotAMoment
        hour = hour % _HOURS_OF_A_HALF + (_HOURS_OF_A_HALF if half.lower() == "p" else 0)
    zone = match["zone"] or ""
    if zone and match["hour"] is None and not _ZONE_OF_DAY.fullmatch(zone):
        raise NotAMoment
    return _Parts((int(match["year"]), month, day), (hour, minute, second), zone)


def _at(parts: _Parts, from_year: int, weekdays: Collection[int] = _ANY) -> int | datetime:
    """Return the moment of a date. Shape: weekdays: those that it may be on. Raises: NotAMoment"""
    day, clock, zone = parts
    if not from_year <= day[0] <= _LAST_YEAR:
        raise NotAMoment
    if from_year == _FIRST_YEAR and day == _FIRST_DAY:
        raise NotAMoment("date_of_second_zero")
    if day in _DAYS_OF_NONE:
        raise NotAMoment("date_of_program")
    try:
        moment = datetime(*day, *clock)  # type: ignore[arg-type]  # noqa: DTZ001 - the site's clock, not ours
    except ValueError:
        raise NotAMoment from None
    if moment.weekday() not in weekdays:
        raise NotAMoment("date_weekday_other", meant=f"{moment:%Y-%m-%d}")
    return _in_zone(moment, zone) if zone else moment


def _in_zone(moment: datetime, zone: str) -> int:
    """Return the seconds since epoch of a moment in a zone, as it is written. Raises: NotAMoment"""
    offset = "+00:00" if zone.upper() in ("Z", "UTC", "GMT") else zone
    try:
        return int(datetime.fromisoformat(f"{moment.isoformat()}{offset}").timestamp())
    except (ValueError, OverflowError):
        raise NotAMoment from None
