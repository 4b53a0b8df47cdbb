"""What a cell that is no date was probably meant to be: the year in two digits, a day that there isn't, a time of day alone."""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from datetime import date, timedelta

from sync.columns.words import MONTHS, folded

Hint = tuple[str, dict[str, str | int]]

# Two digits up to this one are a year of this century, the others of the last one.
_LAST_OF_CENTURY = 69
_CENTURY, _BEFORE = 2000, 1900
_LAST_YEAR = 2285
_MONTHS_OF_A_YEAR, _HOURS_OF_A_DAY, _MINUTES_OF_AN_HOUR = 12, 24, 60

_CLOCK = r"(?:[ T,]{1,2}(?P<hour>\d{1,2})[:h](?P<minute>\d{2})(?::\d{2})?.{0,12})?"
_SHORT_YEAR = re.compile(rf"(\d{{1,2}})([-/. ])(\d{{1,2}})\2'?(\d{{2}}){_CLOCK}")
_SHORT_YEAR_BEHIND_WORD = re.compile(r"(\d{1,2})(?:st|nd|rd|th|er|\.)?[ -]([^\W\d_]+)\.?,?[ -]'?(\d{2})")
_SHORT_YEAR_AT_END = re.compile(r"([^\W\d_]+)\.? (\d{1,2})(?:st|nd|rd|th)?, ?'?(\d{2})")
_NO_YEAR = re.compile(r"\d{1,2}[/.-]\d{1,2}\.?|(?:\d{1,2}(?:st|nd|rd|th|er|\.)?[ -]?)([^\W\d_]+)\.?")
_NO_DAY = re.compile(r"\d{1,2}[/.-]\d{4}|\d{4}[/.-]\d{1,2}|([^\W\d_]+)\.?[ -]\d{4}")
_WORD_AND_NUMBER = re.compile(r"([^\W\d_]+)\.?[ -]'?\d{1,2}")
_ONLY_TIME = re.compile(r"\d{1,2}[:h]\d{2}(?::\d{2})?(?: ?[ap]\.?m\.?)?", re.IGNORECASE)
_NOTHING = re.compile(r"0000[-/]00[-/]00.{0,12}|00[-/.]00[-/.]0000.{0,12}")
_YEAR_FIRST = re.compile(rf"(\d{{4}})([-/.])(\d{{1,2}})\2(\d{{1,2}}){_CLOCK}")
_YEAR_LAST = re.compile(rf"(\d{{1,2}})([-/.])(\d{{1,2}})\2(\d{{4}}){_CLOCK}")


def hint_of(text: str, from_year: int, *, is_month_first: bool) -> Hint | None:
    """Return the code of a text that says what a cell may mean, with its values.

    Shape: text: blanks reduced to single ones; from_year: the first that is possible
    """
    if _NOTHING.fullmatch(text):
        return "date_of_zeros", {}
    if _ONLY_TIME.fullmatch(text):
        return "date_only_time", {}
    if found := _YEAR_FIRST.fullmatch(text):
        return _of_parts((found[1], found[3], found[4]), found, from_year, is_other_order=True)
    if found := _YEAR_LAST.fullmatch(text):
        day, month = (found[3], found[1]) if is_month_first else (found[1], found[3])
        return _of_parts((found[4], month, day), found, from_year)
    return _of_short_year(text, is_month_first=is_month_first) or _of_missing(text)


def _of_parts(
    parts: Sequence[str], found: re.Match[str], from_year: int, *, is_other_order: bool = False
) -> Hint | None:
    """Say what is wrong with year, month and day, or the time behind them."""
    year, month, day = map(int, parts)
    if not from_year <= year <= _LAST_YEAR:
        return "date_year_outside", {"first": from_year, "last": _LAST_YEAR}
    if not 1 <= month <= _MONTHS_OF_A_YEAR:
        meant = _iso(year, day, month) if is_other_order else ""
        return ("date_no_such_month_meant" if meant else "date_no_such_month"), {"month": month, "meant": meant}
    last = calendar.monthrange(year, month)[1]
    if not 1 <= day <= last:
        return "date_no_such_day", {"day": day, "meant": f"{year:04}-{month:02}-{last:02}"}
    return _of_clock(date(year, month, day), found)


def _of_clock(day: date, found: re.Match[str]) -> Hint | None:
    if found["hour"] is None:
        return None
    if int(found["hour"]) == _HOURS_OF_A_DAY and int(found["minute"]) == 0:
        return "date_hour_24", {"meant": f"{day + timedelta(days=1)} 00:00"}
    if int(found["hour"]) < _HOURS_OF_A_DAY and int(found["minute"]) < _MINUTES_OF_AN_HOUR:
        # What stands behind it is at fault.
        return None
    return "date_no_such_time", {"time": f"{found['hour']}:{found['minute']}"}


def _of_short_year(text: str, *, is_month_first: bool) -> Hint | None:
    """Say which dates a year of two digits may mean."""
    meant: list[str] = []
    if found := _SHORT_YEAR.fullmatch(text):
        first, second, third = int(found[1]), int(found[3]), int(found[4])
        day, month = (second, first) if is_month_first else (first, second)
        meant = [_iso(_full_year(third), month, day)]
        if len(found[1]) == len(found[3]) == len(found[4]) and found[2] == "-":
            meant.insert(0, _iso(_full_year(first), second, third))
    elif found := _SHORT_YEAR_BEHIND_WORD.fullmatch(text):
        meant = [_iso(_full_year(int(found[3])), MONTHS.get(folded(found[2]), 0), int(found[1]))]
    elif found := _SHORT_YEAR_AT_END.fullmatch(text):
        meant = [_iso(_full_year(int(found[3])), MONTHS.get(folded(found[1]), 0), int(found[2]))]
    dates = " / ".join(filter(None, meant))
    return ("date_year_short", {"meant": dates}) if dates else None


def _of_missing(text: str) -> Hint | None:
    """Say which part of a date isn't there."""
    if (found := _NO_DAY.fullmatch(text)) and _is_month(found[1]):
        return "date_without_day", {}
    if (found := _WORD_AND_NUMBER.fullmatch(text)) and _is_month(found[1]):
        return "date_day_or_year", {}
    if (found := _NO_YEAR.fullmatch(text)) and _is_month(found[1]):
        return "date_without_year", {}
    return None


def _is_month(word: str | None) -> bool:
    return word is None or folded(word) in MONTHS


def _full_year(two: int) -> int:
    return two + (_CENTURY if two <= _LAST_OF_CENTURY else _BEFORE)


def _iso(year: int, month: int, day: int) -> str:
    """Return a date as YYYY-MM-DD, "" where there is none."""
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return ""
