"""Cells that another program wrote in its own way."""

# ruff: noqa: RUF001 (apostrophes that look alike)
from __future__ import annotations

import pytest

from sync.columns.clean import CellError
from sync.columns.escaped_cells import EscapedCells, Place
from tests.support import MoodleSite, run_file


def names_after(site: MoodleSite, *cells: str) -> tuple[list[str], list[str], list[str]]:
    """Return the codes, the last names that are stored, and the codes of the notes, of users with these last names."""
    rows = "".join(f'esc{place};Ann;"{cell}";e{place}@example.org\n' for place, cell in enumerate(cells))
    result = run_file(site, "users", f"username;firstname;lastname;email\n{rows}", primaryidentity="username")
    stored = [row["lastname"] for row in site.rows("user") if row["username"].startswith("esc")]
    return result.codes, stored, [note.code for note in result.notes]


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ("Jos%C3%A9", "José"), ("Jos%c3%a9%20Mar%C3%ADa", "José María"), ("Jos\\u00e9", "José"), ("Jos\\xe9", "José"),
        ("O\\u0027Brien", "O'Brien"), ("Jos<U+00E9>", "José"), ("Jos=C3=A9", "José"), ("Jos&eacute;", "José"),
        ("Jos&#233;", "José"), ("Jos&#xE9;", "José"), ("O&#039;Brien", "O'Brien"),
        ("=?UTF-8?Q?Jos=C3=A9?=", "José"), ("&Eacute;mile", "Émile"),
        ("Jean_x000D__x000A_Paul", "Jean Paul"), ("Smith &amp; Jones", "Smith & Jones"),
        ("O\\'Brien", "O'Brien"), ("O''Brien", "O'Brien"), ("O%27Brien", "O'Brien"), ("Jean%20Paul", "Jean Paul"),
        ("Jean%2dPaul", "Jean-Paul"), ("Jos\\303\\251", "José"), ("Jos\\C3\\A9 Mar\\c3\\ada", "José María"),
        ("D\\341\\273\\251c", "Dức"),
    ],
)  # fmt: skip
def test_escapes_with_one_meaning_are_decoded_and_noted(sqlite_site: MoodleSite, cell: str, name: str) -> None:
    codes, stored, notes = names_after(sqlite_site, cell)
    assert codes == ["account_created"]
    assert stored == [name]
    assert "escapes_decoded" in notes


def test_letters_of_seven_bits_are_decoded() -> None:
    cells = EscapedCells()
    assert cells.meant("Jos+AOk-", "lastname", 2, Place.PERSON) == "José"
    assert [note.code for note in cells.notes] == ["escapes_decoded"]


@pytest.mark.parametrize(
    ("cell", "code"),
    [
        ("Jos?", "cell_letters_replaced"), ("?cole", "cell_letters_replaced"), ("M?ller", "cell_letters_replaced"),
        ("????", "cell_letters_replaced"), ("Jos%E9", "cell_is_escaped"), ("%C9mile", "cell_is_escaped"),
        ("Jos=E9", "cell_is_escaped"),
        ("Jean\\nPaul", "cell_is_escaped"), ("Paul\\r", "cell_is_escaped"),
        ("Jos&eacute", "cell_entity_cut"), ("Jos&#233", "cell_entity_cut"),
        ("A&amp", "cell_entity_cut"), ("L&rsquo", "cell_entity_cut"),
    ],
)  # fmt: skip
def test_what_has_lost_letters_is_rejected(sqlite_site: MoodleSite, cell: str, code: str) -> None:
    codes, stored, _notes = names_after(sqlite_site, cell)
    assert (codes, stored) == ([code], [])


@pytest.mark.parametrize(
    "name",
    ["Rock & Roll", "100%", "A=B", "O'Brien", "Why ?", "?", "C:\\users", "AT&T", "70%CACAO", "'t Hooft", "a+A-b"],
)
def test_other_names_are_stored_as_they_are(sqlite_site: MoodleSite, name: str) -> None:
    codes, stored, notes = names_after(sqlite_site, name)
    assert (codes, stored) == (["account_created"], [name])
    assert not {"escapes_decoded", "cells_perhaps_escaped", "letters_perhaps_replaced"} & set(notes)


def test_names_of_things_are_rejected_or_said(sqlite_site: MoodleSite) -> None:
    text = "shortname;fullname;summary\nE1%C3%A9;One;\nE2;Math?matiques;\n"
    text += 'E3;Jos%C3%A9;"Jos&eacute; <a href=\'?a=b\'>"\nE4;"R&amp;D";\n'
    result = run_file(sqlite_site, "courses", text)
    assert result.codes == ["cell_is_escaped", *["course_created"] * 3]
    assert sqlite_site.one("course", shortname="E3")["fullname"] == "José"
    assert sqlite_site.one("course", shortname="E3")["summary"] == "Jos&eacute; <a href='?a=b'>"
    assert sqlite_site.one("course", shortname="E4")["fullname"] == "R&amp;D"
    said = {note.code: note.params for note in result.notes}
    assert said["letters_perhaps_replaced"] == {"count": 1, "line": 3, "value": "Math?matiques", "columns": "fullname"}
    assert said["escapes_decoded"]["line"] == 4
    assert said["cells_perhaps_escaped"] == {"count": 1, "line": 5, "value": "R&amp;D", "columns": "fullname"}


def test_passwords_and_addresses_are_what_they_are(sqlite_site: MoodleSite) -> None:
    text = (
        "username;firstname;lastname;email;password;url\n"
        "pw;Ann;Lee;pw@example.org;Jos?Jos%C3%A9-9a;https://example.org/?q=Jos%C3%A9\n"
    )
    result = run_file(sqlite_site, "users", text, primaryidentity="username")
    assert result.codes == ["account_created"]
    assert not {note.code for note in result.notes} & {"escapes_decoded", "cells_perhaps_escaped"}


@pytest.mark.parametrize("cell", ["'0012", "’0012", "'0012'", '="0012"', '"\t0012"', "\u00a00012\u00a0", "'=0012"])
def test_digits_that_were_kept_as_a_text_are_the_digits(sqlite_site: MoodleSite, cell: str) -> None:
    cell = cell.replace('="0012"', '"=""0012"""')
    result = run_file(sqlite_site, "courses", f"shortname;fullname;idnumber\nT1;x;{cell}\n")
    assert result.codes == ["course_created"]
    assert sqlite_site.one("course", shortname="T1")["idnumber"] == "0012"
    assert ("text_marks_taken_out" in [note.code for note in result.notes]) == (cell[0] in "'’")


@pytest.mark.parametrize("cell", ['=T("0012")', '="0012"&""', "=0012", "=+12", '=TEXT(12,"0000")'])
def test_formulas_are_no_identifiers(sqlite_site: MoodleSite, cell: str) -> None:
    cell = '"' + cell.replace('"', '""') + '"'
    assert run_file(sqlite_site, "courses", f"shortname;fullname;idnumber\nT1;x;{cell}\n").codes == ["cell_is_formula"]


@pytest.mark.parametrize(
    "cell",
    ["=B2", "=Table1[Name]", "=[1]Sheet!A1", "=#REF!+1", "= A1", "=R[-1]C", "{=SUM(A1:A3)}", '=IF(A1="x"'],
)
@pytest.mark.parametrize("column", ["firstname", "lastname", "idnumber"])
def test_nobody_is_called_like_a_formula_or_a_part_of_one(sqlite_site: MoodleSite, column: str, cell: str) -> None:
    values = {"username": "p1", "firstname": "Ann", "lastname": "Lee", "idnumber": "P1", column: cell}
    cells = ";".join('"' + value.replace('"', '""') + '"' for value in values.values())
    assert run_file(sqlite_site, "users", f"{';'.join(values)}\n{cells}\n").codes == ["cell_is_formula"]


@pytest.mark.parametrize("name", ["= Archive =", "=Archive", "=== TD ===", "=", "a=b", "-> TD", "=> TD ="])
def test_ornaments_are_no_formulas(sqlite_site: MoodleSite, name: str) -> None:
    assert run_file(sqlite_site, "groups", f'courseid;name\nC1;"{name}"\n').codes == ["group_created"]


def test_telephone_numbers_lose_the_mark_too(sqlite_site: MoodleSite) -> None:
    text = "username;firstname;lastname;email;phone1;city\ntel;Ann;Lee;tel@example.org;'+33 1 23;'s-Gravenhage\n"
    run_file(sqlite_site, "users", text, primaryidentity="username")
    user = sqlite_site.one("user", username="tel")
    assert (user["phone1"], user["city"]) == ("+33 1 23", "'s-Gravenhage")


@pytest.mark.parametrize("cell", ["'ann@example.org'", "'ann@example.org", "ann@example.org’"])
def test_an_address_in_apostrophes_is_rejected(sqlite_site: MoodleSite, cell: str) -> None:
    text = f"username;firstname;lastname;email\napo;Ann;Lee;{cell}\n"
    (outcome,) = run_file(sqlite_site, "users", text, primaryidentity="username").outcomes
    assert (outcome.code, outcome.params["hint"]) == ("value_not_email", "value_in_apostrophes")


def test_entities_that_a_separator_cuts_reject_their_row(sqlite_site: MoodleSite) -> None:
    result = run_file(sqlite_site, "groups", "courseid;name;idnumber\nC1;A&amp;B\nC1;Caf&eacute;\nC1;R&D;\n")
    assert result.codes == ["cell_entity_cut", "cell_entity_cut", "group_created"]


@pytest.mark.parametrize(
    ("name", "is_said"), [("Jos?", True), ("?cole", True), ("Quoi de neuf ?", False), ("Who am I?", False)]
)
def test_question_marks_of_names_of_things_are_said(sqlite_site: MoodleSite, name: str, is_said: bool) -> None:
    result = run_file(sqlite_site, "groups", f"courseid;name\nC1;{name}\n")
    assert result.codes == ["group_created"]
    assert ("letters_perhaps_replaced" in [note.code for note in result.notes]) == is_said


@pytest.mark.parametrize(
    ("text", "place", "meant"),
    [
        ("'@team", Place.KEY, "@team"), ("'+49 C", Place.KEY, "+49 C"), ("’-B", Place.PERSON, "-B"),
        ("'-50 %", Place.TEXT, "-50 %"), ("'-A' and B", Place.TEXT, "'-A' and B"), ("'=Archive", Place.KEY, "=Archive"),
        ("'-A", Place.FREE, "'-A"),
    ],
)  # fmt: skip
def test_an_apostrophe_before_what_might_be_a_formula_is_taken_out(text: str, place: Place, meant: str) -> None:
    cells = EscapedCells()
    assert cells.meant(text, "name", 2, place) == meant
    assert [note.code for note in cells.notes] == (["text_marks_taken_out"] if meant != text else [])


@pytest.mark.parametrize(
    ("text", "place", "code"),
    [
        ("'-", Place.KEY, "cell_is_placeholder"), ("'=VLOOKUP(A2;B:C;2;0)", Place.KEY, "cell_is_formula"),
        ("'=Passw0rd", Place.HIDDEN, "password_after_apostrophe"), ("'-", Place.HIDDEN, "password_after_apostrophe"),
        ("0", Place.HIDDEN, "cell_is_placeholder"), ("Jos\\C3\\A9", Place.KEY, "cell_is_escaped"),
    ],
)  # fmt: skip
def test_what_stands_behind_such_an_apostrophe_may_be_no_value(text: str, place: Place, code: str) -> None:
    with pytest.raises(CellError) as error:
        EscapedCells().meant(text, "name", 2, place)
    assert error.value.code == code


def test_a_nought_is_no_name_of_a_person_and_no_password(sqlite_site: MoodleSite) -> None:
    head = "username;firstname;lastname;email;password"
    rows = [
        "n1;0;B;n1@example.org;Secret-1",
        "n2;A;0;n2@example.org;Secret-1",
        "n3;A;B;n3@example.org;0",
        "0;A;B;n4@example.org;",
    ]
    result = run_file(sqlite_site, "users", "\n".join([head, *rows, "n5;A;B;n5@example.org;Secret-1"]) + "\n")
    assert result.codes == ["cell_is_placeholder"] * 4 + ["account_created"]


@pytest.mark.parametrize("text", ["Apples%20", "C:\\new", "50%2B", "l''etat", "a\\'b"])
def test_texts_that_name_nobody_keep_their_signs(text: str) -> None:
    assert EscapedCells().meant(text, "department", 2, Place.TEXT) == text


@pytest.mark.parametrize(
    ("cell", "name"), [("'C1", "C1"), ("'MATH-101", "MATH-101"), ("'68 und wir", "'68 und wir"), ("'t", "'t")]
)
def test_the_mark_goes_from_names_with_digits_alone(sqlite_site: MoodleSite, cell: str, name: str) -> None:
    run_file(sqlite_site, "groups", f"courseid;name\nC2;{cell}\n")
    assert [row["name"] for row in sqlite_site.rows("groups", courseid=sqlite_site.ids["C2"])] == [name]
