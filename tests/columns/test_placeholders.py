"""Cells in which a program wrote a word, or a number, in place of the value: nothing is called so."""

# ruff: noqa: RUF001 (dashes and quotes that look alike)

from __future__ import annotations

import datetime
from typing import Any

import pytest

from tests.processors.custom_fields.fields import add_course_fields
from tests.reader.test_workbook import xlsx
from tests.support import MoodleSite, run_file

WORDS = ("None", "nan", "NaN", "n/a", "N/A", "null", "undefined", "-", "–", "?", "TRUE", "FALSCH", "(leer)", "<NA>",
         "Loading...", "Wird geladen…", "System.Object[]", "System.Collections.Hashtable", "[object Object]",
         "Microsoft.ActiveDirectory.Management.ADPropertyValueCollection",
         ".", "Infinity", "Optional[12]", "Optional.empty",
         "b'12'", "Decimal('12')",
         "datetime.date(2026, 9, 1)", "java.lang.Object@1b2c3d", "HASH(0x55d0)", "Resource id #3")  # fmt: skip


@pytest.mark.parametrize("column", ["idnumber", "cohort", "cohortid", "cohort1", "group1"])
def test_no_group_or_cohort_or_idnumber_is_called_so(sqlite_site: MoodleSite, column: str) -> None:
    before = [len(sqlite_site.rows(table)) for table in ("user", "cohort", "groups")]
    rows = "".join(f"p{place};Ann;Lee;C1;manual;{word}\n" for place, word in enumerate(WORDS))
    result = run_file(sqlite_site, "users", f"username;firstname;lastname;course1;enrol1;{column}\n{rows}")
    assert result.codes == ["cell_is_placeholder"] * len(WORDS)
    assert [len(sqlite_site.rows(table)) for table in ("user", "cohort", "groups")] == before


@pytest.mark.parametrize("cell", ["5;#Mathematics", "12;#i:0#.f|membership|ann@example.org", "i:0#.w|EXAMPLE\\ann"])
def test_what_sharepoint_keeps_of_an_entry_names_nothing(sqlite_site: MoodleSite, cell: str) -> None:
    result = run_file(sqlite_site, "users", f"username,firstname,lastname,cohort1\np1,Ann,Lee,{cell}\n")
    assert result.codes == ["cell_is_placeholder"]
    result = run_file(sqlite_site, "users", f"username,firstname,lastname,department\np1,Ann,Lee,{cell}\n")
    assert result.codes == ["account_created"]
    assert "cells_perhaps_placeholders" in [note.code for note in result.notes]


@pytest.mark.parametrize("word", ["None", "n/a", "N/A", "undefined", "NaN", "null"])
def test_no_person_is_called_so(sqlite_site: MoodleSite, word: str) -> None:
    result = run_file(sqlite_site, "users", f"username;firstname;lastname\np1;{word};Lee\np2;Ann;{word}\n")
    assert result.codes == ["cell_is_placeholder"] * 2


@pytest.mark.parametrize("name", ["Null", "nan", "Nan", "-", ".", "?", "NA", "Na", "True", "FALSE", "None of"])
def test_people_are_called_so(sqlite_site: MoodleSite, name: str) -> None:
    result = run_file(sqlite_site, "users", f"username;firstname;lastname\np1;{name};Lee\n")
    assert result.codes == ["account_created"]
    assert sqlite_site.one("user", username="p1")["firstname"] == name


def test_elsewhere_it_is_kept_and_said(sqlite_site: MoodleSite) -> None:
    text = "username;firstname;lastname;department;phone1;city\np1;Ann;Lee;nan;33612345678.0;N/A\np2;Bo;Lee;-;-;-\n"
    result = run_file(sqlite_site, "users", text)
    assert result.codes == ["account_created"] * 2
    assert sqlite_site.one("user", username="p1")["department"] == "nan"
    said = {note.code: note.params for note in result.notes}
    assert said["cells_perhaps_placeholders"] == {
        "count": 1, "line": 2, "value": "nan", "columns": "city, department, phone1",
    }  # fmt: skip


def test_na_is_said_where_it_names_somebody(sqlite_site: MoodleSite) -> None:
    text = "username;firstname;lastname;idnumber;department;country\np1;Ann;NA;NA;NA;NA\n"
    result = run_file(sqlite_site, "users", text)
    assert result.codes == ["account_created"]
    said = {note.code: note.params["columns"] for note in result.notes}
    assert said["cells_perhaps_placeholders"] == "idnumber, lastname"


@pytest.mark.parametrize(
    ("idnumber", "meant"),
    [
        ("12345.0", "12345"),
        ("2026001,0", "2026001"),
        ("1.234,00", "1234"),
        ("12,345.0", "12345"),
        ("12 345,00", "12345"),
        ("1001.00", "1001"),
    ],
)
def test_an_identifier_has_no_decimals(sqlite_site: MoodleSite, idnumber: str, meant: str) -> None:
    result = run_file(sqlite_site, "users", f"username;firstname;lastname;idnumber\np1;Ann;Lee;{idnumber}\n")
    assert result.codes == ["cell_is_decimal"]
    assert result.outcomes[0].params["meant"] == meant


@pytest.mark.parametrize("idnumber", ["1.0", "TD 2026.0", "12345.5", "2026.01", "1.2.0", "12.345", "1.234.000"])
def test_versions_and_sections_have_decimals(sqlite_site: MoodleSite, idnumber: str) -> None:
    result = run_file(sqlite_site, "users", f"username;firstname;lastname;idnumber\np1;Ann;Lee;{idnumber}\n")
    assert result.codes == ["account_created"]


def test_an_optional_cell_may_be_left_out(sqlite_site: MoodleSite) -> None:
    text = "username;firstname;lastname;email\np1;Ann;Lee;N/A\n"
    result = run_file(sqlite_site, "users", text, skipinvalidcells=True)
    assert result.codes == ["account_created"]
    assert sqlite_site.one("user", username="p1")["email"] == ""


@pytest.mark.parametrize("cell", ["'Ann'", "“Ann”", "„Ann“", "« Ann »", "‘Ann’", "`Ann´"])
def test_quotes_of_other_programs_are_part_of_no_name(sqlite_site: MoodleSite, cell: str) -> None:
    result = run_file(sqlite_site, "users", f"username;firstname;lastname\np1;{cell};Lee\n")
    assert [(o.code, o.params["meant"]) for o in result.outcomes] == [("cell_quoted_otherwise", "Ann")]


@pytest.mark.parametrize(
    ("cell", "meant"),
    [('"""Ann"""', "Ann"), ('"Robert "Bob""', 'Robert "Bob"'), ('"""Robert ""Bob"""""', 'Robert "Bob"')],
)
def test_quotes_around_a_name_are_no_part_of_it(sqlite_site: MoodleSite, cell: str, meant: str) -> None:
    result = run_file(sqlite_site, "users", f'username;firstname;lastname\np1;{cell};Lee\np2;"Ann" or "Anna";Lee\n')
    assert [(o.code, o.params.get("meant")) for o in result.outcomes] == [
        ("cell_in_quotes", meant), ("account_created", None),
    ]  # fmt: skip


def test_a_group_may_be_called_in_quotes_but_not_in_apostrophes(sqlite_site: MoodleSite) -> None:
    result = run_file(sqlite_site, "groups", "courseid;name\nC1;«TD»\nC1;'Team A'\nC1;L'an 'un'\n")
    assert result.codes == ["group_created", "cell_quoted_otherwise", "group_created"]


@pytest.mark.parametrize(
    "password",
    [
        "n/a",
        "None",
        "-",
        "********",
        "•••••",
        "none",
        "Loading...",
        "[object Object]",
        "System.Security.SecureString",
        "NA",
        "@{password=Abc}",
        "[B@6d06d69c",
        "character(0)",
        "np.str_('Ann')",
        "null null",
        "System.Collections.Generic.List`1[System.String]",
    ],
)
def test_no_password_is_one_of_these(sqlite_site: MoodleSite, password: str) -> None:
    result = run_file(sqlite_site, "users", f"username;firstname;lastname;password\np1;Ann;Lee;{password}\n")
    assert [(o.code, o.params["value"]) for o in result.outcomes] == [("cell_is_placeholder", "…")]


@pytest.mark.parametrize(
    "value", [datetime.date(2026, 1, 5), datetime.datetime.fromisoformat("2026-01-05 08:30"), datetime.time(8, 30)]
)
def test_no_password_is_a_date_of_a_workbook(sqlite_site: MoodleSite, value: Any) -> None:
    rows = [["username", "firstname", "lastname", "password", "department"], ["p1", "Ann", "Lee", value, "x"],
            ["p2", "Bo", "Kim", "Secret#1", value]]  # fmt: skip
    result = run_file(sqlite_site, "users", xlsx(rows), filename="in.xlsx")
    assert [(o.code, o.params.get("column")) for o in sorted(result.outcomes)] == [
        ("cell_is_date", "password"), ("account_created", None),
    ]  # fmt: skip
    assert sqlite_site.rows("user", username="p1") == []


@pytest.mark.parametrize(
    "password",
    [
        "*NOPASS*",
        "None-of-1",
        "***a",
        "aaa",
        "'Secret#1'",
        "1234567.0",
        "System.7!",
        "Microsoft.2026",
        "[object]",
        "Loading",
    ],
)
def test_these_are_passwords(sqlite_site: MoodleSite, password: str) -> None:
    result = run_file(sqlite_site, "users", f"username;firstname;lastname;password\np1;Ann;Lee;{password}\n")
    assert result.codes == ["account_created"]


def test_a_new_category_is_not_called_like_a_number_of_a_spreadsheet(sqlite_site: MoodleSite) -> None:
    result = run_file(sqlite_site, "categories", "category\n2026.0\n2026\n")
    assert result.codes == ["cell_is_decimal", "category_created"]


@pytest.mark.parametrize(
    ("columns", "count", "names"),
    [
        ("TRUE;WAHR;FAUX", 1, "department, firstname"),
        ("Ann;FALSE;Lyon", 1, "department"),
        ("FAUX;Vero;True", 0, ""),
        ("VRAI;FAUX;x", 1, "department, firstname"),
    ],
)
def test_what_a_spreadsheet_writes_for_yes_and_no_is_said_where_a_text_is_wanted(
    sqlite_site: MoodleSite, columns: str, count: int, names: str
) -> None:
    result = run_file(sqlite_site, "users", f"username;lastname;firstname;department;city\np1;Lee;{columns}\n")
    assert result.codes == ["account_created"]
    said = [note.params for note in result.notes if note.code == "cells_perhaps_truth"]
    assert [(params["count"], params["columns"]) for params in said] == ([(count, names)] if count else [])


@pytest.mark.parametrize(
    ("datatype", "is_said"), [("text", True), ("textarea", True), ("social", True), ("checkbox", False)]
)
def test_in_profile_fields_it_is_said_where_they_want_a_text(
    sqlite_site: MoodleSite, datatype: str, is_said: bool
) -> None:
    sqlite_site.execute("UPDATE {user_info_field} SET datatype = :datatype WHERE shortname = 'dept'", datatype=datatype)
    header = "username;firstname;lastname;description;profile_field_dept"
    result = run_file(sqlite_site, "users", f"{header}\np1;Ann;Lee;Text;WAHR\np2;Bo;Lee;VRAI;FALSE\n")
    assert result.codes == ["account_created"] * 2
    said = [
        (note.params["count"], note.params["columns"]) for note in result.notes if note.code == "cells_perhaps_truth"
    ]
    assert said == ([(2, "description, profile_field_dept")] if is_said else [(1, "description")])


def test_in_fields_of_courses_it_is_said_where_they_want_a_text(sqlite_site: MoodleSite) -> None:
    add_course_fields(sqlite_site)
    header = "shortname;fullname;customfield_open;customfield_note;customfield_code;summary;topic1"
    result = run_file(sqlite_site, "courses", f"{header}\nN;N;TRUE;WAHR;FALSO;VRAI;TRUE\n")
    assert [note.params for note in result.notes if note.code == "cells_perhaps_truth"] == [
        {"count": 1, "line": 2, "value": "WAHR", "columns": "customfield_code, customfield_note, summary, topic1"}
    ]
    rows = ("C1;open;TRUE", "C1;note;WAHR", "C1;code;FAUX", "C2;code;FAUX", "C2;level;TRUE", "C2;code;True")
    result = run_file(sqlite_site, "custom_fields", "\n".join(("course;field;value", *rows)), chunk_rows=1)
    said = [note.params for note in result.notes if note.code == "custom_field_truth_in_rows"]
    assert said == [{"count": 2, "line": 3}]


LOGICAL: dict[str, tuple[list[list[Any]], list[str]]] = {
    "courses": (
        [
            ["shortname", "fullname", "customfield_open", "customfield_note"],
            ["N1", "N", True, "x"],
            ["N2", "N", "1", True],
        ],
        ["course_created", "cell_is_boolean"],
    ),
    "custom_fields": (
        [["course", "field", "value"], ["C1", "open", True], ["C1", "note", False]],
        ["custom_field_filled", "custom_field_filled"],
    ),
}


@pytest.mark.parametrize("key", LOGICAL)
def test_logical_values_of_a_workbook_are_read_or_rejected_by_the_type_of_the_field(
    sqlite_site: MoodleSite, key: str
) -> None:
    add_course_fields(sqlite_site)
    rows, codes = LOGICAL[key]
    result = run_file(sqlite_site, key, xlsx(rows), filename="in.xlsx")
    assert result.codes == codes
    assert {row["value"] for row in sqlite_site.rows("customfield_data")} == {"1", "x" if key == "courses" else "FALSE"}
    said = [note.params for note in result.notes if note.code == "custom_field_truth_in_rows"]
    assert said == ([{"count": 1, "line": 3}] if key == "custom_fields" else [])


@pytest.mark.parametrize(("datatype", "code"), [("checkbox", "account_created"), ("text", "cell_is_boolean")])
def test_logical_values_go_into_no_profile_field_that_wants_a_text(
    sqlite_site: MoodleSite, datatype: str, code: str
) -> None:
    sqlite_site.execute("UPDATE {user_info_field} SET datatype = :to WHERE shortname = 'dept'", to=datatype)
    rows: list[list[Any]] = [["username", "firstname", "lastname", "profile_field_dept"], ["p1", "A", "B", True]]
    assert run_file(sqlite_site, "users", xlsx(rows), filename="in.xlsx").codes == [code]


@pytest.mark.parametrize("word", ["VRAI", "VERDADERO", "ONWAAR"])
def test_no_thing_is_called_like_a_yes_or_no_in_other_languages(sqlite_site: MoodleSite, word: str) -> None:
    result = run_file(sqlite_site, "cohorts", f"cidnumber;cname\n{word};Cohort\n")
    assert result.codes == ["cell_is_placeholder"]
    assert not sqlite_site.rows("cohort", idnumber=word)


@pytest.mark.parametrize(
    ("name", "is_said"),
    [
        ("1-Mar", True), ("Mar-02", True), ("01. Mrz", True), ("févr.-26", True), ("12-AOÛT", True), ("2026-03-01", True),
        ("01/03/2026", True), ("1/3/26", True), ("01.03.2026", True), ("1:30:00", True), ("1:30 PM", True),
        ("3/4", False), ("1:30", False), ("1.2.3", False), ("10.20.30.40", False), ("03/2026", False),
        ("TD-02", False), ("Max-02", False), ("1-3", False), ("March-2026", False),
    ],
)  # fmt: skip
def test_days_in_place_of_identifiers_are_said(sqlite_site: MoodleSite, name: str, is_said: bool) -> None:
    result = run_file(sqlite_site, "groups", f"courseid;name\nC1;{name}\n")
    assert result.codes == ["group_created"]
    assert [note.code for note in result.notes] == (["cells_perhaps_days"] if is_said else [])


@pytest.mark.parametrize(
    ("name", "is_said"),
    [("1,234", True), ("12'345'678", True), ("1 234", True), ("1.2345", False), ("1,23", False), ("TD 1 234", False)],
)
def test_numbers_with_separators_in_place_of_identifiers_are_said(
    sqlite_site: MoodleSite, name: str, is_said: bool
) -> None:
    result = run_file(sqlite_site, "groups", f"courseid;name;idnumber\nC1;Group A;{name}\n")
    assert result.codes == ["group_created"]
    assert [note.code for note in result.notes] == (["cells_perhaps_grouped"] if is_said else [])


@pytest.mark.parametrize("cell", ["2026-03-01 00:00:00", "2026-03-01T00:00:00.000", "2026-03-01 00:00:00+00:00"])
def test_a_day_as_programs_write_it_is_no_identifier(sqlite_site: MoodleSite, cell: str) -> None:
    text = f"username;firstname;lastname;idnumber\np1;Ann;Lee;{cell}\n"
    assert run_file(sqlite_site, "users", text).codes == ["cell_is_midnight"]
    assert run_file(sqlite_site, "groups", f"courseid;name\nC1;{cell}\n").codes == ["cell_is_midnight"]
