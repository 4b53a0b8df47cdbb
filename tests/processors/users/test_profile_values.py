"""Cells of custom profile fields: what can't be read refuses the row, and what is stored stays."""

from __future__ import annotations

import pytest

from tests.moodle_sites import MoodleSite
from tests.support import RunResult, run_file

HEADER = "username;firstname;lastname;profile_field_dept"


@pytest.fixture
def site(sqlite_site: MoodleSite) -> MoodleSite:
    sqlite_site.execute("DELETE FROM {config} WHERE name = 'timezone'")
    sqlite_site.execute("INSERT INTO {config} (name, value) VALUES ('timezone', 'Europe/Paris')")
    return sqlite_site


def field_is(site: MoodleSite, datatype: str, param1: str = "", param2: str = "", *, default: str = "") -> None:
    site.execute(
        "UPDATE {user_info_field} SET datatype = :datatype, param1 = :param1, param2 = :param2, param3 = '', "
        "defaultdata = :default WHERE shortname = 'dept'",
        datatype=datatype, param1=param1, param2=param2, default=default,
    )  # fmt: skip


def run(site: MoodleSite, *cells: str) -> RunResult:
    rows = "".join(f"p{number};A;B;{cell}\n" for number, cell in enumerate(cells))
    return run_file(site, "users", f"{HEADER}\n{rows}", primaryidentity="username")


def stored(site: MoodleSite, username: str = "p0") -> str:
    userid = site.one("user", username=username)["id"]
    return str(site.one("user_info_data", userid=userid, fieldid=site.ids["dept"])["data"])


@pytest.mark.parametrize(
    "cell",
    [
        "06/05/1980",
        "6.5.1980",
        "6 May 1980",
        "mardi 6 mai 1980",
        "19800506",
        "1980/05/06",
        "6 May 1980, 10:30 AM",
        "326412000",
    ],
)
def test_a_date_is_read_in_every_form_that_columns_take(site: MoodleSite, cell: str) -> None:
    field_is(site, "datetime", "1930", "2030")
    assert run(site, "1980-05-06").counts == {"created": 1}

    assert run(site, cell).counts == {"unchanged": 1}

    assert stored(site) == "326412000"


@pytest.mark.parametrize("param1", ["1990", "1930"])
def test_0_means_none_whatever_years_a_field_takes(site: MoodleSite, param1: str) -> None:
    field_is(site, "datetime", param1, "2030")
    assert run(site, "1995-05-06").counts == {"created": 1}
    assert run(site, "0").counts == {"updated": 1}
    assert stored(site) == "0"


@pytest.mark.parametrize(
    ("cell", "code"),
    [("29347", "value_not_time"), ("n/a", "value_not_time"), ("1929-12-31", "profile_year_out_of_range")],
)
def test_what_is_no_date_leaves_the_stored_one(site: MoodleSite, cell: str, code: str) -> None:
    field_is(site, "datetime", "1930", "2030")
    run(site, "1980-05-06")

    result = run(site, cell)

    assert result.codes == [code]
    assert cell in result.report
    assert stored(site) == "326412000"


def test_dates_before_1970_and_numbers_for_them_are_kept(site: MoodleSite) -> None:
    field_is(site, "datetime", "1930", "2030")
    assert run(site, "-300000000", "24/12/1951", "-3600").counts == {"created": 3}
    assert [stored(site, name) for name in ("p0", "p1", "p2")] == ["-300000000", "-568774800", "-3600"]


@pytest.mark.parametrize(
    ("field", "good", "bad", "code"),
    [
        (("menu", "North\nSouth"), "South", "north", "value_not_among"),
        (("menu", "North\nSouth"), "South", "West", "value_not_among"),
        (("checkbox",), "1", "perhaps", "value_not_flag"),
        (("text", "30", "5"), "Maths", "Mathematics", "value_too_long"),
    ],
)
def test_what_a_field_cannot_take_leaves_what_is_stored(
    site: MoodleSite, field: tuple[str] | tuple[str, str, str], good: str, bad: str, code: str
) -> None:
    field_is(site, *field, default="No")
    run(site, good)

    result = run(site, bad)

    assert result.codes == [code]
    assert stored(site) == good


def test_a_choice_that_is_nearly_right_is_suggested(site: MoodleSite) -> None:
    field_is(site, "menu", "North\nSouth")
    assert "Did you mean “North”?" in run(site, "north").report


@pytest.mark.parametrize(("word", "data"), [("WAHR", "1"), ("oui", "1"), ("não", "0"), ("ONWAAR", "0"), ("", "0")])
def test_a_checkbox_takes_the_words_for_yes_and_no(site: MoodleSite, word: str, data: str) -> None:
    field_is(site, "checkbox")
    run(site, word)
    assert stored(site) == data


def test_the_whole_file_decides_the_order_of_a_field_whatever_the_chunks(site: MoodleSite) -> None:
    field_is(site, "datetime", "1930", "2030")
    rows = "p0;A;B;05/06/1980\np1;A;B;12/31/1981\n"
    result = run_file(site, "users", f"{HEADER}\n{rows}", primaryidentity="username", chunk_rows=1)
    assert result.counts == {"created": 2}
    assert stored(site) == "326412000"
    assert "month first in the columns profile_field_dept" in result.report


def test_a_tryback_of_american_dates_is_read_as_its_file_was(site: MoodleSite) -> None:
    field_is(site, "datetime", "1930", "2030")
    text = f"{HEADER};country\np0;A;B;05/06/1980;Nowhere\np1;A;B;12/31/1981;FR\n"
    result = run_file(site, "users", text, primaryidentity="username")
    assert result.codes == ["country_unknown", "account_created"]
    assert result.tryback is not None
    assert result.tryback.splitlines()[0].endswith(b";_dateorder;_line;_code;_reason")

    again = run_file(site, "users", result.tryback, primaryidentity="username")
    assert again.codes == ["country_unknown"]
    assert again.tryback is not None
    assert again.tryback.count(b"_dateorder") == 1
    mended = again.tryback.replace(b"Nowhere;", b"FR;")
    assert run_file(site, "users", mended, primaryidentity="username").counts == {"created": 1}
    assert stored(site) == "326412000"
