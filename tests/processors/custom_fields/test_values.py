"""What values of custom fields may be is what Moodle's forms take; nothing is stored as something else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.moodle_sites import MoodleSite
from tests.processors.custom_fields.fields import add_course_fields
from tests.processors.custom_fields.test_custom_fields import values
from tests.support import RunResult, run_file

pytestmark = pytest.mark.sites("sqlite:5.1", "mariadb:4.5", "postgresql:5.2", "real:m520-seeded", "mariadb:4.1")


def field(site: MoodleSite, kind: str, **config: Any) -> int:
    """Make a field whose short name is thing."""
    add_course_fields(site)
    category = site.one("customfield_category", sortorder=90)["id"]
    return site.insert(
        "customfield_field", shortname="thing", name="thing", type=kind, categoryid=category, sortorder=9, timecreated=1,
        timemodified=1, configdata=json.dumps(config),
    )  # fmt: skip


def fill(site: MoodleSite, *cells: str, **options: Any) -> RunResult:
    """Fill the field of C1 with one value after the other."""
    return run_file(
        site, "custom_fields", "course;field;value\n" + "".join(f"C1;thing;{c}\n" for c in cells), **options
    )


@pytest.mark.parametrize(
    ("options", "cell", "number"),
    [
        # Moodle counts what can be chosen without blank lines, and splits at line feeds alone.
        ("\nLow\r\n\r\n  \nHigh \n", "High", 2), ("Low\nHigh\u2028er\nTop", "Top", 3), ("Low\n\nHigh", "Low", 1),
    ],
)  # fmt: skip
def test_choices_are_counted_as_moodle_counts_them(
    sqlite_site: MoodleSite, options: str, cell: str, number: int
) -> None:
    fieldid = field(sqlite_site, "select", options=options)
    assert fill(sqlite_site, cell).codes == ["custom_field_filled"]
    assert sqlite_site.one("customfield_data", fieldid=fieldid)["intvalue"] == number
    rejected = fill(sqlite_site, "Medium", "0", "2", "low")
    assert {*rejected.codes} == {"value_not_among"}


def test_numbers_are_stored_as_moodle_reads_them(moodle_site: MoodleSite) -> None:
    fieldid = field(moodle_site, "number", minimumvalue="-10", maximumvalue=99999.5, fieldtype="")
    for cell, stored in (
        ("12,50", "12.5"),
        ("-0", "0"),
        ("+7", "7"),
        (".5", "0.5"),
        ("099", "99"),
        ("12.125", "12.125"),
        ("0.500", "0.5"),
        ("0,125", "0.125"),
        ("12.5000", "12.5"),
        ("0.00001", "0.00001"),
    ):
        assert fill(moodle_site, cell).counts.keys() & {"created", "updated"}, cell
        row = moodle_site.one("customfield_data", fieldid=fieldid)
        assert (row["value"], float(row["decvalue"])) == (stored, float(stored)), cell
        assert fill(moodle_site, cell).codes == ["custom_field_unchanged"], cell
    before = moodle_site.snapshot()
    for cell, code in (
        ("1,234", "course_field_number_ambiguous"), ("1.000", "course_field_number_ambiguous"),
        ("-12.500", "course_field_number_ambiguous"), ("1_0", "course_field_not_number"), ("٣", "course_field_not_number"),
        ("1e5", "course_field_not_number"), ("1 234", "course_field_not_number"), ("nan", "course_field_not_number"),
        ("1.234,5", "course_field_not_number"), ("12 %", "course_field_not_number"), ("1.123456", "course_field_decimals"),
        ("-10.5", "value_out_of_range"), ("100000", "value_out_of_range"), ("99999.6", "value_out_of_range"),
    ):  # fmt: skip
        assert fill(moodle_site, cell).codes == [code], cell
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}


def test_a_number_that_the_column_cant_hold_is_rejected(moodle_site: MoodleSite) -> None:
    field(moodle_site, "number")
    result = fill(moodle_site, "9" * 13, "9" * 40)
    assert result.codes == ["value_out_of_range", "course_field_not_number"]


def test_what_moodle_works_out_itself_is_not_filled(sqlite_site: MoodleSite) -> None:
    field(sqlite_site, "number", fieldtype="customfield_number\\local\\numberproviders\\nofactivities")
    assert fill(sqlite_site, "5", "").codes == ["course_field_automatic"] * 2


def test_dates_keep_to_the_bounds_of_their_field_and_to_days(moodle_site: MoodleSite) -> None:
    moodle_site.execute("UPDATE {config} SET value = 'Europe/Paris' WHERE name = 'timezone'")
    # 2026-09-01 12:00 and 2026-09-30 12:00 there: on these days any time counts.
    fieldid = field(moodle_site, "date", includetime="0", mindate=1788256800, maxdate=1790762400)
    result = fill(moodle_site, "2026-08-31", "2026-10-01", "2026-09-01", "2026-09-30 23:59", "")
    assert result.codes == [
        "course_field_date_early", "course_field_date_late", "custom_field_filled", "custom_field_updated",
        "custom_field_updated",
    ]  # fmt: skip
    fill(moodle_site, "2026-09-30 23:59")
    assert moodle_site.one("customfield_data", fieldid=fieldid)["intvalue"] == 1790719200, "the day alone"


def test_a_day_that_is_stored_already_is_left(sqlite_site: MoodleSite) -> None:
    """Moodle stores the midnight of whoever fills in the form: the day of the site is what counts."""
    sqlite_site.execute("UPDATE {config} SET value = 'Europe/Paris' WHERE name = 'timezone'")
    fieldid = field(sqlite_site, "date", includetime="0")
    fill(sqlite_site, "1788242400")
    stored = sqlite_site.one("customfield_data", fieldid=fieldid)["intvalue"]
    assert stored == 1788242400, "2026-09-01 08:00 there"
    assert fill(sqlite_site, "2026-09-01", "2026-09-01 23:00").codes == ["custom_field_unchanged"] * 2
    courses = run_file(
        sqlite_site, "courses", "shortname;fullname;customfield_thing\nC1;Course C1;01.09.2026\n", forceupdate=True
    )
    assert courses.codes == ["course_unchanged"]
    assert sqlite_site.one("customfield_data", fieldid=fieldid)["intvalue"] == stored
    assert fill(sqlite_site, "2026-09-02", "").codes == ["custom_field_updated"] * 2


def test_a_date_with_time_keeps_it(sqlite_site: MoodleSite) -> None:
    sqlite_site.execute("UPDATE {config} SET value = 'UTC' WHERE name = 'timezone'")
    fieldid = field(sqlite_site, "date", includetime="1", maxdate=1790762400)
    assert fill(sqlite_site, "2026-09-30 10:01", "2026-09-30 10:00").codes == [
        "course_field_date_late", "custom_field_filled",
    ]  # fmt: skip
    assert sqlite_site.one("customfield_data", fieldid=fieldid)["intvalue"] == 1790762400


def test_one_date_tells_the_order_of_all(sqlite_site: MoodleSite) -> None:
    """No cell is read as the first of September, and the next as the ninth of January."""
    sqlite_site.execute("UPDATE {config} SET value = 'UTC' WHERE name = 'timezone'")
    add_course_fields(sqlite_site)
    text = "course;field;value\nC1;due;09/01/2026\nC2;due;09/25/2026\nC2;level;nope\n"
    result = run_file(sqlite_site, "custom_fields", text, chunk_rows=1)
    assert result.codes == ["custom_field_filled", "custom_field_filled", "value_not_among"]
    assert values(sqlite_site, "C1")["due"] == "1788220800"
    assert "dates_month_first" in [note.code for note in result.notes]
    assert b"mdy" in (result.tryback or b"")


def test_changes_are_told_as_cells_say_them(sqlite_site: MoodleSite) -> None:
    sqlite_site.execute("UPDATE {config} SET value = 'Europe/Paris' WHERE name = 'timezone'")
    add_course_fields(sqlite_site)
    text = "course;field;value\nC1;level;Bachelor\nC1;level;Master\nC1;due;2026-09-01\nC1;due;2026-09-02\nC1;due;\nC1;open;ja\n"
    result = run_file(sqlite_site, "custom_fields", text)
    assert [(change.old, change.new) for outcome in result.outcomes for change in outcome.changes] == [
        ("", "Bachelor"), ("Bachelor", "Master"), ("", "2026-09-01"), ("2026-09-01", "2026-09-02"), ("2026-09-02", ""), ("", "1"),
    ]  # fmt: skip


def test_a_field_that_moodle_wants_filled_isnt_emptied(sqlite_site: MoodleSite) -> None:
    field(sqlite_site, "text", required="1")
    assert fill(sqlite_site, "a", "").codes == ["custom_field_filled", "course_field_required"]


def test_a_value_that_cant_be_used_empties_nothing(sqlite_site: MoodleSite) -> None:
    """Without it a row says nothing: to leave it out would be to empty the field."""
    add_course_fields(sqlite_site)
    run_file(sqlite_site, "custom_fields", "course;field;value\nC1;level;Master\nC1;open;1\n")
    before = sqlite_site.snapshot()
    text = "course;field;value\nC1;level;Doctor\nC1;open;perhaps\n"
    assert run_file(sqlite_site, "custom_fields", text, skipinvalidcells=True).counts == {"rejected": 2}
    assert sqlite_site.diff(before, sqlite_site.snapshot()) == {}


def test_yes_and_no_in_seven_languages(sqlite_site: MoodleSite) -> None:
    fieldid = field(sqlite_site, "checkbox")
    for yes, no in (("yes", "no"), ("oui", "non"), ("ja", "nein"), ("sí", "no"), ("vrai", "faux"), ("sim", "não")):
        fill(sqlite_site, yes)
        assert sqlite_site.one("customfield_data", fieldid=fieldid)["intvalue"] == 1, yes
        fill(sqlite_site, no)
        assert sqlite_site.one("customfield_data", fieldid=fieldid)["intvalue"] == 0, no
    assert fill(sqlite_site, "2", "perhaps", "#N/A").counts == {"rejected": 3}
