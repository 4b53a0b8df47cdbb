"""Dates as administrators write them: serial numbers, compact dates, American ones, and the clock of Moodle."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.real_files.case import CaseRun, RealCase
from tests.real_files.conftest import ReadCase

DATES_OF = (
    "SELECT ue.timestart, ue.timeend FROM mdl_user_enrolments ue JOIN mdl_user u ON u.id = ue.userid "
    "JOIN mdl_enrol e ON e.id = ue.enrolid JOIN mdl_course c ON c.id = e.courseid "
    "WHERE c.shortname = :course AND u.username = :username"
)
BIRTHS = (
    "SELECT u.username, d.data FROM mdl_user_info_data d JOIN mdl_user u ON u.id = d.userid "
    "JOIN mdl_user_info_field f ON f.id = d.fieldid WHERE u.username LIKE 'b11.%' AND f.shortname = 'BirthDate' ORDER BY 1"
)
BIRTH = "326415600"


def dates(case: RealCase, course: str, username: str) -> list[str]:
    [row] = case.look(DATES_OF, course=course, username=username)
    return [f"{datetime.fromtimestamp(int(second), UTC):%Y-%m-%d %H:%M}" for second in row]


def codes(run: CaseRun) -> dict[int, str]:
    return {outcome.line: outcome.code for outcome in run.outcomes}


def test_008_serial_numbers_of_a_spreadsheet_are_no_moments(real_case: ReadCase) -> None:
    case = real_case("008")
    case.prepare()
    before = case.look(DATES_OF, course="C10", username="user150")

    run = case.run(0)

    assert (run.status, codes(run)) == (1, {2: "value_not_time", 3: "value_not_time"})
    assert "46266" in run.report
    assert "2026-09-01" in run.report
    assert case.look(DATES_OF, course="C10", username="user150") == before


def test_009_compact_dates_are_dates(real_case: ReadCase) -> None:
    case = real_case("009")
    enrolments, courses = case.run_all()

    assert (enrolments.counts, courses.counts) == ({"updated": 1}, {"created": 1})
    assert dates(case, "C10", "user155") == ["2026-08-31 23:00", "2026-12-31 00:00"]
    assert case.look("SELECT startdate, enddate FROM mdl_course WHERE shortname = 'B009'") == [(1819753200, 1845932400)]


def test_011_a_date_of_birth_is_read_or_kept(real_case: ReadCase) -> None:
    case = real_case("011")
    first, second = case.run_all()

    assert first.counts == {"created": 5}
    # The number of a day in a spreadsheet is refused; a negative number is a moment before 1970.
    assert codes(second) == {
        2: "account_unchanged", 3: "account_unchanged", 4: "value_not_time", 5: "account_unchanged", 6: "account_updated",
    }  # fmt: skip
    assert case.look(BIRTHS) == [(f"b11.{letter}", BIRTH) for letter in "abcd"] + [("b11.e", "-300000000")]
    assert b"29347" in second.tryback


def test_013_a_choice_that_there_is_not_leaves_the_stored_one(real_case: ReadCase) -> None:
    case = real_case("013")
    _first, second = case.run_all()

    assert (second.status, codes(second)) == (1, {2: "value_not_among"})
    assert "Did you mean “North”?" in second.report
    query = (
        "SELECT d.data FROM mdl_user_info_data d JOIN mdl_user u ON u.id = d.userid "
        "JOIN mdl_user_info_field f ON f.id = d.fieldid WHERE u.username = 'b13.a' AND f.shortname = 'campus'"
    )
    assert case.look(query) == [("South",)]


@pytest.mark.parametrize("order", ["", "mdy"])
def test_019_one_american_date_shows_the_order_of_all(real_case: ReadCase, order: str) -> None:
    case = real_case("019")
    case.prepare()
    run = case.run(0, f"dateorder={order}")

    assert run.status == 0
    assert dates(case, "C13", "user151") == ["2026-08-31 23:00", "2026-12-31 00:00"]
    assert dates(case, "C13", "user152") == ["2026-08-31 23:00", "2026-12-11 00:00"]
    assert "were read month first in the columns endtime, starttime" in run.report
    assert "by the clock of Europe/London" in run.report


def test_019_the_option_makes_the_day_come_first(real_case: ReadCase) -> None:
    case = real_case("019")
    case.prepare()
    run = case.run(0, "dateorder=dmy")
    assert codes(run)[2] == "value_not_time"
    assert dates(case, "C13", "user152") == ["2026-01-09 00:00", "2026-11-12 00:00"]


def test_023_both_tools_refuse_an_end_before_the_start(real_case: ReadCase) -> None:
    case = real_case("023")
    of_set, same = case.run_all()

    said = "The enrolment would end (2027-06-30) before it starts (2027-09-01)."
    assert said in of_set.report
    assert said in same.report
    assert of_set.status == same.status == 1
    assert b"b23.a" in of_set.tryback
    assert case.look(DATES_OF, course="C14", username="b23.a") == []


def test_027_the_clock_is_said_where_moodle_names_none(real_case: ReadCase) -> None:
    case = real_case("027")
    case.execute("update mdl_config set value='99' where name='timezone'")
    run = case.run(0)

    assert run.counts == {"created": 1}
    assert "Moodle's time zone is “99”" in run.report
    assert "TOOLSYNC_MOODLE_TIME_ZONE" in run.report


def test_027_the_setting_gives_the_clock(real_case: ReadCase, settings: object) -> None:
    settings.TOOLSYNC_MOODLE_TIME_ZONE = "Europe/Paris"  # type: ignore[attr-defined]
    case = real_case("027")
    case.execute("update mdl_config set value='5.5' where name='timezone'")
    run = case.run(0)

    assert "by the clock of Europe/Paris" in run.report
    assert dates(case, "C19", "user70")[0] == "2027-06-30 22:00"


def test_033_dates_with_dots_dashes_and_one_digit_are_read(real_case: ReadCase) -> None:
    case = real_case("033")
    [run] = case.run_all()

    assert codes(run)[6] == "value_not_time"
    assert run.counts["rejected"] == 1
    assert dates(case, "C12", "user150") == dates(case, "C12", "user151") == ["2026-08-31 23:00", "2026-12-31 00:00"]
    assert dates(case, "C12", "user152") == ["2026-09-01 07:30", "2026-12-31 23:59"]
    assert dates(case, "C12", "user153")[0] == "2026-08-31 23:00"


def test_045_messages_show_dates_as_the_file_has_them(real_case: ReadCase) -> None:
    case = real_case("045")
    [run] = case.run_all()

    assert "The enrolment would end (2025-12-31) before it starts (2026-09-01)." in run.report
    assert "to enrol for the whole day, give the next day as the end" in run.report
    assert "1788217200" not in run.report
