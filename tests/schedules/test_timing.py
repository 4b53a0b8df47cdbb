"""The next start: intervals, crontabs, and the two days of a year on which the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.utils.translation import override

from sync.errors import ScheduleError
from sync.schedules.timing import AtTime, ByTheClock, Every, Timing, parse_crontab

PARIS = ZoneInfo("Europe/Paris")
ANCHOR = datetime(2026, 1, 1, tzinfo=UTC)


def at(text: str, fold: int = 0) -> datetime:
    """Return a moment by the clocks of Paris."""
    return datetime.fromisoformat(text).replace(tzinfo=PARIS, fold=fold)


def starts(timing: Timing, after: datetime, count: int) -> list[str]:
    found = []
    for _turn in range(count):
        after = timing.next_after(after)
        found.append(after.astimezone(PARIS).strftime("%m-%d %H:%M%z"))
    return found


@pytest.mark.parametrize(
    ("crontab", "after", "expected"),
    [
        ("0 */6 * * *", "2026-11-23T05:59", ["11-23 06:00+0100", "11-23 12:00+0100", "11-23 18:00+0100", "11-24 00:00+0100"]),
        ("15 2 * * 1-5", "2026-11-20T02:15", ["11-23 02:15+0100", "11-24 02:15+0100"]),
        ("0 12 * * sun", "2026-11-23T00:00", ["11-29 12:00+0100"]),
        ("0 12 * * 0", "2026-11-23T00:00", ["11-29 12:00+0100"]),
        ("30 23 31 * *", "2026-11-23T00:00", ["12-31 23:30+0100", "01-31 23:30+0100", "03-31 23:30+0200"]),
        # A day of the month and a day of the week are alternatives, unless one of them begins with a star.
        ("0 12 13 * 5", "2026-11-01T00:00",
         ["11-06 12:00+0100", "11-13 12:00+0100", "11-20 12:00+0100", "11-27 12:00+0100", "12-04 12:00+0100", "12-11 12:00+0100",
          "12-13 12:00+0100"]),
        ("0 12 1,15 * 1", "2026-11-23T13:00", ["11-30 12:00+0100", "12-01 12:00+0100", "12-07 12:00+0100"]),
        ("0 12 */2 * 1", "2026-11-01T13:00", ["11-09 12:00+0100", "11-23 12:00+0100"]),
        ("0 12 * * 7", "2026-11-23T00:00", ["11-29 12:00+0100"]),
        ("0 12 L * *", "2026-11-23T00:00", ["11-30 12:00+0100", "12-31 12:00+0100"]),
        ("0 12 * * mon#1", "2026-11-23T00:00", ["12-07 12:00+0100"]),
        ("10/20 12 * * *", "2026-11-23T00:00", ["11-23 12:10+0100", "11-23 12:30+0100", "11-23 12:50+0100"]),
        ("0 0 29 2 *", "2026-11-23T00:00", ["02-29 00:00+0100"]),
        # In spring 02:00 to 03:00 is left out: what stands there comes an hour later by the clock, and once.
        ("15 2 * * *", "2026-03-28T03:00", ["03-29 03:15+0200", "03-30 02:15+0200"]),
        ("30 1-3 * * *", "2026-03-29T01:00", ["03-29 01:30+0100", "03-29 03:30+0200", "03-30 01:30+0200"]),
        # In autumn it comes twice: a daily start takes the first, an hourly one both.
        ("15 2 * * *", "2026-10-24T03:00", ["10-25 02:15+0200", "10-26 02:15+0100"]),
        ("15 * * * *", "2026-10-25T01:20", ["10-25 02:15+0200", "10-25 02:15+0100", "10-25 03:15+0100"]),
    ],
)  # fmt: skip
def test_a_crontab_follows_the_clocks_of_the_site(crontab: str, after: str, expected: list[str]) -> None:
    assert starts(ByTheClock(crontab, PARIS), at(after), len(expected)) == expected


@pytest.mark.parametrize("around", ["2026-03-29T00:00", "2026-10-25T00:00"])
@pytest.mark.parametrize(
    ("crontab", "hours"), [("*/20 * * * *", {1 / 3}), ("15 2 * * *", {23, 24, 25}), ("0 */6 * * *", {5, 6, 7})]
)
def test_no_start_comes_twice_or_is_left_out_when_the_clocks_change(
    crontab: str, hours: set[float], around: str
) -> None:
    timing, moment = ByTheClock(crontab, PARIS), at(around) - timedelta(days=2)
    moments = [moment := timing.next_after(moment) for _turn in range(300)]
    assert {(later - earlier) / timedelta(hours=1) for earlier, later in pairwise(moments)} <= hours


@pytest.mark.parametrize(
    ("after", "minutes"), [(ANCHOR, 90), (ANCHOR + timedelta(minutes=89, seconds=59), 90), (ANCHOR + timedelta(minutes=90), 180),
     (ANCHOR + timedelta(minutes=1000), 1080), (ANCHOR - timedelta(days=1), 90)],
)  # fmt: skip
def test_an_interval_keeps_to_its_grid_however_late_the_last_start_was(after: datetime, minutes: int) -> None:
    assert Every(90 * 60, ANCHOR).next_after(after) == ANCHOR + timedelta(minutes=minutes)


def test_an_interval_is_real_time_when_the_clocks_change() -> None:
    timing = Every(6 * 3600, at("2026-10-24T12:00"))
    assert starts(timing, at("2026-10-24T12:00"), 3) == ["10-24 18:00+0200", "10-25 00:00+0200", "10-25 05:00+0100"]


@pytest.mark.parametrize(
    ("timing", "english", "french"),
    [
        (Every(3600, ANCHOR), "Every hour", "Toutes les heures"),
        (Every(6 * 3600, ANCHOR), "Every 6 hours", "Toutes les 6 heures"),
        (Every(90 * 60, ANCHOR), "Every 90 minutes", "Toutes les 90 minutes"),
        (AtTime("15 2 * * *", PARIS), "Every day at 02:15", "Tous les jours à 02:15"),
        (AtTime("5 14 * * 1-5", PARIS), "Monday to Friday at 14:05", "Du lundi au vendredi à 14:05"),
        (ByTheClock("0 */6 * * *", PARIS), "Every 6 hours", "Toutes les 6 heures"),
        (ByTheClock("0 3 * feb sat", PARIS), "At 03:00, only on Saturday, only in February",
         "À 03:00, uniquement le samedi, uniquement en février"),
    ],
)  # fmt: skip
def test_a_rule_is_said_in_words(timing: Timing, english: str, french: str) -> None:
    assert timing.words() == english
    with override("fr"):
        assert timing.words() == french


@pytest.mark.parametrize(
    ("crontab", "code"),
    [
        ("", "crontab_fields"), ("* * * *", "crontab_fields"), ("0 0 * * * *", "crontab_fields"),
        ("60 0 * * *", "crontab_unreadable"), ("0 24 * * *", "crontab_unreadable"), ("a b c d e", "crontab_unreadable"),
        ("*/0 * * * *", "crontab_unreadable"), ("5; 0 * * *", "crontab_unreadable"), ("0 0 0 * *", "crontab_unreadable"),
        ("0 0 31 2 *", "crontab_unreadable"), ("0 0 * * xyz", "crontab_unreadable"), (", 0 * * *", "crontab_unreadable"),
    ],
)  # fmt: skip
def test_what_is_no_crontab_is_refused(crontab: str, code: str) -> None:
    with pytest.raises(ScheduleError) as refused:
        parse_crontab(crontab)
    assert refused.value.code == code


def test_alternative_days_are_said_as_such() -> None:
    timing = ByTheClock("0 3 1 feb sat", PARIS)
    assert timing.words() == (
        "At 03:00, on day 1 of the month, only in February; also: At 03:00, only on Saturday, only in February"
    )
