"""What a look at the whole file shows of the dates in it."""

from __future__ import annotations

import io

import pytest

from sync.columns.clean import moodle_time, text
from sync.columns.column import OptionalColumn, PrefixedColumn
from sync.columns.dates import DateOrder
from sync.columns.file_columns import Columns
from sync.columns.survey import Survey
from sync.reader import open_rows

COLUMNS = Columns(
    OptionalColumn(text(), name="name"),
    OptionalColumn(moodle_time(), name="start"),
    OptionalColumn(moodle_time(), name="end"),
    PrefixedColumn(text(), name="field_"),
)
DAY, MONTH = DateOrder.DAY_FIRST, DateOrder.MONTH_FIRST


def surveyed(*rows: str, header: str = "name;start;end", date_order: str = "") -> Survey:
    survey = Survey(COLUMNS, date_order)
    file = io.BytesIO("\n".join([header, *rows]).encode())
    reader = open_rows(file, "a.csv", known_name=COLUMNS.knows, look=survey.start)
    assert len(list(reader)) == len(rows)
    return survey


def orders(survey: Survey, *names: str) -> list[DateOrder]:
    return [survey.dates.orders_of(name).usual for name in names]


@pytest.mark.parametrize(
    ("cells", "order", "code"),
    [
        (["09/01/2026", "12/31/2026"], MONTH, "dates_month_first"),
        (["09-01-2026", "12-31-2026 8:00"], MONTH, "dates_month_first"),
        (["09/01/2026", "31/12/2026"], DAY, "dates_day_first"),
        (["09/01/2026", "10/01/2026"], DAY, "dates_order_open"),
        (["31/12/2026", "12/31/2026"], DAY, "dates_order_contradictory"),
        (["01.09.2026", "12/31/2026"], MONTH, "dates_month_first"),
        (["05/06/2026", "Tue 09/01/2026"], MONTH, "dates_month_first"),
        (["05/06/2026", "from mar. 01/09/2026 8:00"], DAY, "dates_day_first"),
        (["05/06/2026", "Wed 09/01/2026"], DAY, "dates_order_open"),
        (["05/06/2026", "Sat 05/12/2026"], DAY, "dates_day_first"),
        (["05/06/2026", "12/31/26"], MONTH, "dates_month_first"),
        (["05/06/2026", "31/12/26"], DAY, "dates_day_first"),
        (["05/06/2026", "31-12-26 8:00"], DAY, "dates_order_open"),
        (["05/06/2026", "31-12-99"], DAY, "dates_day_first"),
        (["01/01/2026", "12/12/2026"], DAY, None),
        (["2026-01-02", "20260901"], DAY, None),
    ],
)
def test_one_cell_that_proves_an_order_decides_for_its_column(
    cells: list[str], order: DateOrder, code: str | None
) -> None:
    survey = surveyed(*(f"x;{cell};" for cell in cells))
    assert orders(survey, "start") == [order]
    assert [note.code for note in survey.dates.notes] == ([code] if code else [])


def test_a_column_that_shows_nothing_follows_those_that_do() -> None:
    survey = surveyed("a;09/01/2026;12/31/2026", "b;09/01/2026;12/11/2026")
    assert orders(survey, "start", "end") == [MONTH, MONTH]
    assert [dict(note.params) for note in survey.dates.notes] == [{"columns": "end, start"}]


def test_columns_that_prove_different_orders_keep_their_own_and_decide_for_no_other() -> None:
    survey = surveyed("a;31/12/2026;12/31/2026;01/02/2026", header="name;start;end;field_birth")
    assert orders(survey, "start", "end", "field_birth") == [DAY, MONTH, DAY]
    codes = {note.params["columns"]: note.code for note in survey.dates.notes}
    assert codes == {"end": "dates_month_first", "field_birth": "dates_order_contradictory"}


def test_a_column_that_shows_both_orders_is_of_no_help_for_another() -> None:
    survey = surveyed("a;31/12/2026;01/02/2026", "b;12/31/2026;")
    assert orders(survey, "start", "end") == [DAY, DAY]
    assert survey.dates.order_cell == "start=dmy"


def test_fields_that_may_be_no_dates_are_asked_last() -> None:
    survey = surveyed("a;31/12/2026;01/02/2026;12/31/2026", header="name;start;end;field_note")
    assert orders(survey, "end") == [DAY]


@pytest.mark.parametrize(
    ("cells", "chosen", "code"),
    [
        (["09.01.2026", "12.31.2026"], "", "dates_month_first"),
        (["31.12.2026", "12.31.2026"], "", "dates_order_contradictory"),
        (["09.01.2026", "10.01.2026"], "mdy", "dates_month_first_chosen"),
        (["09.01.2026", "31.01.2026"], "", None),
        (["09.01.2026", "10.01.2026"], "", None),
        (["09.01.2026", "10.01.2026"], "dmy", None),
    ],
)
def test_the_month_first_is_said_of_dates_with_dots_as_well(cells: list[str], chosen: str, code: str | None) -> None:
    survey = surveyed(*(f"a;{cell};" for cell in cells), date_order=chosen)
    notes = [(note.code, note.params["columns"]) for note in survey.dates.notes]
    assert notes == ([] if code is None else [(code, "start")])


def test_dots_tell_of_dots_only() -> None:
    survey = surveyed("a;31.12.2026;", "b;12/31/2026;", "c;02.01.2026;")
    assert survey.dates.orders_of("start") == (MONTH, DAY)


def test_the_option_decides_before_the_cells() -> None:
    survey = surveyed("a;31/12/2026;", "b;01/02/2026;", date_order="mdy")
    assert orders(survey, "start") == [MONTH]
    assert [note.code for note in survey.dates.notes] == ["dates_month_first_chosen"]


def test_a_tryback_tells_the_order_that_its_rows_may_not_show_any_more() -> None:
    survey = surveyed("a;09/01/2026;31/12/2026", "b;12/31/2026;")
    assert survey.dates.order_cell == "start=mdy"
    again = surveyed("a;09/01/2026;02/01/2026;start=mdy", header="name;start;end;_dateorder")
    assert orders(again, "start", "end") == [MONTH, DAY]
    assert surveyed("a;09/01/2026;31/12/2026").dates.order_cell == ""


def test_the_rows_of_a_contradictory_column_that_come_back_are_read_as_they_were() -> None:
    survey = surveyed("a;13/01/2027;", "b;01/13/2027;", "c;05/06/2027;")
    assert survey.dates.order_cell == "start=dmy"
    again = surveyed("b;01/13/2027;;start=dmy", "c;05/06/2027;;start=dmy", header="name;start;end;_dateorder")
    assert again.dates.orders_of("start") == survey.dates.orders_of("start")


def test_a_clock_is_needed_where_a_date_names_no_zone() -> None:
    assert surveyed("a;2026-09-01;").dates.needs_clock
    assert not surveyed("a;1800000000;2026-09-01T08:00:00Z", "b;0;nonsense").dates.needs_clock


def test_a_file_without_dates_is_not_looked_at() -> None:
    survey = Survey(COLUMNS)
    open_rows(io.BytesIO(b"name\nx\n"), "a.csv", known_name=COLUMNS.knows, look=survey.start)
    assert survey.dates.notes == []
