"""Every form of a date that has one meaning is read; what has none is refused, with what it may be."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sync.columns.clean import CellError, moodle_time
from sync.columns.dates import FROM_ANY_YEAR, DateOrder, DateOrders
from sync.messages import text_of

DAY_FIRST = DateOrders(DateOrder.DAY_FIRST, DateOrder.DAY_FIRST)
MONTH_FIRST = DateOrders(DateOrder.MONTH_FIRST, DateOrder.DAY_FIRST)


def local(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC).replace(tzinfo=None)  # type: ignore[misc, arg-type]


def refusal(cell: str, from_year: int = 1970) -> str:
    with pytest.raises(CellError) as error:
        moodle_time(from_year=from_year).cleaner()(cell)
    assert error.value.code == "value_not_time"
    return text_of(error.value.code, error.value.params)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1700000000", 1_700_000_000),
        ("@1800000000", 1_800_000_000),
        ("0", 0),
        ("2025-3-4", local(2025, 3, 4)),
        ("2025-03-04T09:12", local(2025, 3, 4, 9, 12)),
        ("2025-03-04 09:12:05", local(2025, 3, 4, 9, 12, 5)),
        ("2025-03-04T09:12:05.250Z", 1_741_079_525),
        ("2025-03-04T09:12:05+01:00", 1_741_075_925),
        ("2025-03-04  09:12:05 UTC", 1_741_079_525),
        ("4/3/2025 9:12", local(2025, 3, 4, 9, 12)),
        ("31.12.2026", local(2026, 12, 31)),
        ("1.9.2026 8:05", local(2026, 9, 1, 8, 5)),
        ("2026/09/01", local(2026, 9, 1)),
        ("01-09-2026", local(2026, 9, 1)),
        ("20260901", local(2026, 9, 1)),
        ("20260901083000", local(2026, 9, 1, 8, 30)),
        ("20260901T083000Z", 1_788_251_400),
        ("2026-09-01-08-30-00", local(2026, 9, 1, 8, 30)),
        ("1 September 2027", local(2027, 9, 1)),
        ("Sep 1 2027", local(2027, 9, 1)),
        ("September 1st, 2027 2:30 PM", local(2027, 9, 1, 14, 30)),
        ("Mar 5 2027", local(2027, 3, 5)),
        ("1-Sep-2027", local(2027, 9, 1)),
        ("Wed, 01 Sep 2027 08:00:00 +0000", 1_819_785_600),
        ("1er février 2027", local(2027, 2, 1)),
        ("mercredi 1 sept. 2027 à 8h30", local(2027, 9, 1, 8, 30)),
        ("1. März 2027", local(2027, 3, 1)),
        ("1 de septiembre de 2027", local(2027, 9, 1)),
        ("from 2027-01-05 08:00:00", local(2027, 1, 5, 8)),
        ("2027-01-05\u00a008:00", local(2027, 1, 5, 8)),
        ("01.09.2026 08:30 Uhr", local(2026, 9, 1, 8, 30)),
        ("Dienstag, den 1. September 2026, 8.30 Uhr", local(2026, 9, 1, 8, 30)),
        ("1 de septiembre de 2026, a las 8:30 p. m.", local(2026, 9, 1, 20, 30)),
        ("01/09/2026 8:30\u202fa.\u00a0m.", local(2026, 9, 1, 8, 30)),
        ("September 1, 2026 at 2 PM", local(2026, 9, 1, 14)),
        ("ter., 1 de set. de 2026 às 8h30", local(2026, 9, 1, 8, 30)),
        ("mar 1 sett 2026 alle ore 8.30.15", local(2026, 9, 1, 8, 30, 15)),
        ("1 september 2026 om 8:30 uur", local(2026, 9, 1, 8, 30)),
        ("1 sept. 2026 à 8 h 30", local(2026, 9, 1, 8, 30)),
        ("31/Dec/2026", local(2026, 12, 31)),
        ("2026-Dec-31", local(2026, 12, 31)),
        ("1st of September 2026", local(2026, 9, 1)),
        ("Tue 01/09/2026", local(2026, 9, 1)),
        ("di 01/09/2026", local(2026, 9, 1)),
        ("di 06/09/2026", local(2026, 9, 6)),
    ],
)
def test_a_date_of_one_meaning_is_read(cell: str, value: Any) -> None:
    moment = moodle_time().cleaner()(cell)
    assert (moment.value, moment.text) == (value, cell)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("6 May 1980", local(1980, 5, 6)),
        ("Tuesday, 6 May 1980, 12:00 AM", local(1980, 5, 6)),
        ("mardi 6 mai 1980, 00:00", local(1980, 5, 6)),
        ("06/05/1929", local(1929, 5, 6)),
        ("19290506", local(1929, 5, 6)),
        ("-300000000", -300_000_000),
        ("-3600", -3600),
    ],
)
def test_a_date_of_birth_may_lie_before_1970(cell: str, value: Any) -> None:
    assert moodle_time(from_year=FROM_ANY_YEAR).cleaner()(cell).value == value


def test_a_day_beyond_the_years_of_moodle_is_not_called_a_small_number() -> None:
    assert refusal("99991231") == refusal("9999-12-31").replace("9999-12-31", "99991231")


@pytest.mark.parametrize("cell", ["1980050612", "2004022923"])
def test_ten_digits_may_be_a_day_of_birth_and_an_hour(cell: str) -> None:
    assert "or seconds" in refusal(cell, FROM_ANY_YEAR)


@pytest.mark.parametrize("cell", ["1980050612", "2026133108", "2026093124", "2026023008", "2126090108", "@2026090108"])
def test_other_ten_digits_are_seconds(cell: str) -> None:
    assert moodle_time().cleaner()(cell).value == int(cell.lstrip("@"))


@pytest.mark.parametrize("cell", ["-1", "-30"])
def test_a_small_negative_number_is_no_date_of_birth(cell: str) -> None:
    with pytest.raises(CellError, match="value_not_time"):
        moodle_time(from_year=FROM_ANY_YEAR).cleaner()(cell)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("46266", "2026-09-01"),
        ("46266.35", "2026-09-01"),
        ("30", "number of days"),
        ("99999999", "before 1973"),
        ("@46266", "spreadsheet"),
        ("1788217200000", "milliseconds"),
        ("2026090108", "2026-09-01 08:00"),
        ("2026123123", "@2026123123"),
        ("12/31/2026", "dmy"),
    ],
)
def test_a_number_that_is_no_moment_is_refused_with_what_it_probably_is(cell: str, said: str) -> None:
    assert said in refusal(cell)


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("1.9.26", "2026-09-01"), ("1/9/26", "2026-09-01"), ("1 Sep 26", "2026-09-01"), ("Sept 1, 26", "2026-09-01"),
        ("31.12.99 08:00", "1999-12-31"), ("26-09-01", "2026-09-01 / 2001-09-26"), ("1/9", "year is missing"),
        ("1. September", "year is missing"), ("31/12", "year is missing"), ("Sept 2026", "day is missing"),
        ("2026-09", "day is missing"), ("09/2026", "day is missing"), ("Sept 26", "without a year"),
        ("2027", "a year"), ("31.02.2026", "2026-02-28"), ("29/02/2027", "2027-02-28"), ("2026-13-01", "2026-01-13"),
        ("13/13/2026", "no month 13"), ("24:00", "without a day"), ("00:60", "without a day"), ("8h30", "without a day"),
        ("2026-12-31 24:00", "2027-01-01 00:00"), ("2026-09-01 00:60", "no time 00:60"), ("1.9.2026 25:00", "25:00"),
        ("0000-00-00 00:00:00", "leave the cell empty"), ("1970-01-01", "for no date"),
        ("1.1.1970 01:00", "for no date"), ("1970-01-01T00:00:00Z", "for no date"),
        ("31/12/9999", "2285"), ("1.1.1900", "1970"), ("Wed 09/01/2026", "2026-01-09 doesn't have"),
        ("Monday 1 September 2026", "2026-09-01 doesn't have"), ("Tue 09/01/2026", "“dmy”"),
    ],
)  # fmt: skip
def test_a_date_that_cannot_be_read_is_refused_with_what_it_probably_means(cell: str, said: str) -> None:
    assert said in refusal(cell)


@pytest.mark.parametrize("cell", ["2027-09-01 8:30 CET", "01/09/2027 13:00 PM"])
def test_a_time_that_there_is_is_not_called_impossible(cell: str) -> None:
    assert "no time" not in refusal(cell)


def test_a_year_of_two_digits_follows_the_order_of_the_column() -> None:
    with pytest.raises(CellError) as caught:
        moodle_time(MONTH_FIRST).cleaner()("9/1/26")
    assert caught.value.params["meant"] == "2026-09-01"


@pytest.mark.parametrize(
    "cell",
    [
        "tomorrow", "now", "+1 week", "last day of june 2027", "first monday of january 2027", "2027", "September 2027",
        "31.12.26", "2026-12-31 24:00", "32.1.2026", "29 February 2027", "-300000000", "1 Brumaire 2027", "01/09-2027",
        "2026-09-01-05", "2026-09-01-05:00", "2026-09-01+02", "01/09/2026 8", "01/09/2026 08:30.25",
        "2026-09-01 8:5", "13:00 PM 1 May 2027", "1 May 2027 13:00 PM",
    ],
)  # fmt: skip
def test_everything_else_is_refused(cell: str) -> None:
    assert refusal(cell)


def test_the_order_of_the_column_decides_and_dots_have_their_own() -> None:
    clean = moodle_time(MONTH_FIRST).cleaner()
    assert clean("09/01/2026").value == clean("09-01-2026").value == local(2026, 9, 1)
    assert clean("01.09.2026").value == local(2026, 9, 1)
    with pytest.raises(CellError):
        clean("31/12/2026")
    assert moodle_time(DAY_FIRST).cleaner()("09/01/2026").value == local(2026, 1, 9)


def test_the_first_day_of_1970_may_be_a_date_of_birth() -> None:
    assert moodle_time(from_year=FROM_ANY_YEAR).cleaner()("1970-01-01").value == local(1970, 1, 1)


@pytest.mark.parametrize("cell", ["1900-01-01", "01.01.1900 00:00", "12/30/1899", "1753-01-01T00:00:00", "1601-01-01"])
def test_days_that_programs_write_for_none_are_no_dates_of_birth(cell: str) -> None:
    clean = moodle_time(DateOrders(DateOrder.MONTH_FIRST, DateOrder.DAY_FIRST), FROM_ANY_YEAR).cleaner()
    with pytest.raises(CellError) as raised:
        clean(cell)
    assert "where there is no date" in text_of(raised.value.code, raised.value.params)
    assert clean("1900-01-02").value == local(1900, 1, 2)
