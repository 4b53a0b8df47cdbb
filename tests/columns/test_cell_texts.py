"""What becomes of the texts of cells before they are compared."""

# ruff: noqa: RUF001 - letters of other scripts are what this is about
from __future__ import annotations

import time

import pytest

from sync.columns.cell_texts import CellTexts, without_invisible
from tests.support import MoodleSite, run_file

pytestmark = pytest.mark.sites("sqlite:5.2", "mariadb:4.1", "postgresql:4.5", "real:m51-seeded")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ann\u200b", "ann"),
        ("\u200eA1", "A1"),
        ("MATH\u00ad101", "MATH101"),
        ("\ufeffC1", "C1"),
        ("a\u200db", "ab"),
        ("\u200b", ""),
        ("C1 \u200b", "C1"),
        # Persian and pictures of several people are written with joiners.
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d🔬", "👩\u200d🔬"),
        ("👩\u200d", "👩"),
    ],
)
def test_what_nobody_sees_is_taken_out(text: str, expected: str) -> None:
    assert without_invisible(text) == expected


def test_cells_take_one_normal_form_and_only_keys_lose_signs() -> None:
    texts = CellTexts()
    assert texts.normal("E\u0301te\u0301", "fullname", 2, is_of_one_line=False) == "Été"
    assert texts.normal("a\u200eb", "fullname", 2, is_of_one_line=False) == "a\u200eb"
    assert texts.notes == []
    for line in (3, 4, 4):
        texts.normal("C1\u200b", "shortname", line, is_of_one_line=True)
    (note,) = texts.notes
    assert note.params == {"count": 2, "line": 3, "columns": "shortname"}


def test_a_user_is_found_by_a_name_that_was_copied_from_a_page(sqlite_site: MoodleSite) -> None:
    text = "username;firstname;lastname;city\nann\u200b;Ann;Smith;Rome\n\u200eann;Ann;Smith;Rome\n"
    result = run_file(sqlite_site, "users", text, primaryidentity="username")
    assert result.counts == {"updated": 1, "unchanged": 1}
    assert sqlite_site.one("user", username="ann")["city"] == "Rome"
    note = next(note for note in result.notes if note.code == "invisible_characters")
    assert note.params == {"count": 2, "line": 2, "columns": "username"}


def test_names_that_differ_by_normal_form_are_one_object(moodle_site: MoodleSite) -> None:
    composed, apart = "É-NFC", "E\u0301-NFC"
    first = run_file(moodle_site, "courses", f"shortname;fullname\n{apart};Summer\n{composed};Summer\n")
    assert first.codes == ["course_created", "course_exists"]
    assert [row["shortname"] for row in moodle_site.rows("course") if row["fullname"] == "Summer"] == [composed]
    # Moodle may have it in the other form.
    moodle_site.execute("UPDATE {course} SET shortname = :name WHERE fullname = 'Summer'", name=apart)
    again = run_file(moodle_site, "courses", f"shortname;fullname\n{composed};Summer\n{apart};Summer\n")
    assert again.codes == ["course_exists", "course_exists"]


def test_a_letter_with_a_hundred_thousand_marks_takes_no_time() -> None:
    text = "a" + "\u0301\u0316" * 100_000
    began = time.process_time()
    assert CellTexts().normal(text, "summary", 2, is_of_one_line=False) == text
    assert time.process_time() - began < 2
    composed = "e\u0301" * 1000
    assert CellTexts().normal(composed, "summary", 2, is_of_one_line=False) == "\u00e9" * 1000


@pytest.mark.parametrize(
    ("cell", "name"),
    [("Jean\tPaul", "Jean Paul"), ("Jean \r\n Paul", "Jean Paul"), ("Jean\u2028Paul", "Jean Paul"), ("J\u00adohn", "John"),
     ("Jean\x0bPaul\n\nII", "Jean Paul II")],
)  # fmt: skip
def test_a_name_has_one_line_and_nothing_hidden(cell: str, name: str) -> None:
    texts = CellTexts()
    assert texts.normal(cell, "firstname", 2, is_of_one_line=True) == name
    assert [note.code for note in texts.notes] == ["invisible_characters"]
    assert texts.normal(cell, "description", 2, is_of_one_line=False) == cell


def test_names_of_people_groups_and_courses_are_kept_without_ends_of_lines(sqlite_site: MoodleSite) -> None:
    text = "username;firstname;lastname;address;description;course1;enrol1;group1\n"
    text += 'one.line;"An\tna";Sm\u00adith;"Street 1\nTown";"a\nb";C1;manual;"G\t1"\n'
    result = run_file(sqlite_site, "users", text)
    assert result.codes == ["account_created"]
    user = sqlite_site.one("user", username="one.line")
    assert (user["firstname"], user["lastname"]) == ("An na", "Smith")
    assert (user["address"], user["description"]) == ("Street 1 Town", "a\nb")
    assert len(sqlite_site.rows("groups", name="G 1")) == 1
    said = {note.code: note.params for note in result.notes}["invisible_characters"]
    assert said["columns"] == "address, firstname, group1, lastname"


@pytest.mark.parametrize("blank", ["\u00a0", "\u202f", "\u2009"])
def test_blanks_that_look_like_others_are_said_of_what_moodle_knows_things_by(
    sqlite_site: MoodleSite, blank: str
) -> None:
    text = f"shortname;fullname\nM{blank}1;Title{blank}: one\nM 2;Title{blank}: two\nM{blank}3;Three\n"
    result = run_file(sqlite_site, "courses", text)
    assert result.codes == ["course_created"] * 3
    said = {note.code: note.params for note in result.notes}["look_alike_characters"]
    assert said == {"count": 2, "line": 2, "columns": "shortname"}
    assert len(sqlite_site.rows("course", shortname=f"M{blank}1")) == 1


def test_a_hyphen_that_breaks_no_line_is_said_and_a_usual_one_isn_t() -> None:
    texts = CellTexts()
    assert texts.normal("A\u20111", "idnumber", 2, is_of_one_line=True, is_key=True) == "A\u20111"
    assert texts.normal("Ä-1", "idnumber", 3, is_of_one_line=True, is_key=True) == "Ä-1"
    assert [(note.code, note.params["count"]) for note in texts.notes] == [("look_alike_characters", 1)]
