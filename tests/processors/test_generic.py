"""The acceptance examples G3 to G6, G11 and G12 of the generic specification, and files that are refused.

G1 and G2 are about what a run leaves in the file area: tests/runs/test_life_cycle.py. What holds for every file type is in
tests/processors/contract.
"""

from __future__ import annotations

import io

import openpyxl
import pytest

from sync.errors import CommandFileError
from sync.messages import text_of
from sync.values import Action
from tests.support import MoodleSite, run_file

pytestmark = pytest.mark.every_site


def test_g3_byte_order_mark_comments_blank_lines_and_spaced_names(moodle_site: MoodleSite) -> None:
    text = "\ufeff# first\r\n\r\n// second\r\nUsername; FirstName;lastname\r\n\r\nbob;Bob;King\r\n"

    result = run_file(moodle_site, "users", text, primaryidentity="username")

    assert result.counts == {"created": 1}
    assert result.outcomes[0].line == 6
    assert moodle_site.one("user", username="bob")["lastname"] == "King"


def test_g4_latin_1_is_decoded_once(moodle_site: MoodleSite) -> None:
    data = "username;firstname;lastname\nbob;Amélie;King\n".encode("iso-8859-1")

    run_file(moodle_site, "users", data, primaryidentity="username", encoding="ISO-8859-1")

    assert moodle_site.one("user", username="bob")["firstname"] == "Amélie"


GENDER = "username;firstname;lastname;gender\nbob;Bob;King;m\n"


def test_g5_an_unknown_column_refuses_the_file(moodle_site: MoodleSite) -> None:
    before = moodle_site.snapshot()

    with pytest.raises(CommandFileError) as refused:
        run_file(moodle_site, "users", GENDER)

    assert "gender" in text_of(refused.value.code, refused.value.params)
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}


def test_g6_unknown_columns_may_be_accepted_and_are_ignored(moodle_site: MoodleSite) -> None:
    result = run_file(moodle_site, "users", GENDER, primaryidentity="username", invalidnamesnocheck=True)

    assert result.counts == {"created": 1}
    assert [(note.code, note.params) for note in result.notes] == [("columns_ignored", {"columns": "gender"})]


def test_g11_lines_that_look_like_comments_are_counted_and_probable_data_is_rejected(moodle_site: MoodleSite) -> None:
    text = 'username;firstname;lastname\n# note\n(old) x\n"bob";Bob;King\n-cid;Cid;King\n'

    result = run_file(moodle_site, "users", text, primaryidentity="username")

    assert result.counts == {"created": 1, "rejected": 1}
    assert result.skipped_count == 2
    assert [(o.line, o.code) for o in result.outcomes if o.action is Action.REJECTED] == [(5, "comment_like_row")]
    assert result.tryback is not None
    assert b"\n-cid;Cid;King;5;comment_like_row;" in result.tryback


def test_g12_every_file_twice_writes_nothing_the_second_time(moodle_site: MoodleSite) -> None:
    text = (
        "username;idnumber;firstname;lastname;email;password;city;country;profile_field_dept;profile_field_col;cohort;"
        "cohortid;course1;role1;enrol1;group1;course2;role2;suspended\n"
        "bob;B1;Bob;King;bob@x.org;Secret#1;Paris;FR;Maths;Red;CO1;c-1;C1;student;manual;G1;C2;student;0\n"
        "ann;A1;Ann;Smith;;;Rome;;;;CO1;c-1;C1;student;manual;G1;;;1\n"
    )
    first = run_file(moodle_site, "users", text)
    assert first.counts == {"created": 1, "updated": 1}
    before = moodle_site.snapshot()

    second = run_file(moodle_site, "users", text)

    assert moodle_site.diff(before, moodle_site.snapshot()) == {}
    assert second.counts == {"unchanged": 2}


@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        (b"", "file_empty", []),
        (b"\n# nothing but a comment\n", "file_without_header", []),
        (b"username;firstname;lastnam\nx;y;z\n", "header_unknown_column_near", ["lastnam", "lastname"]),
        (b"username;firstname\nx;y\n", "header_missing_column", ["lastname"]),
        (b"ada;Ada;Lovelace;Secret#1\n", "header_without_known_column", ["Line 1", "username"]),
        (b"username^firstname^lastname\nx^y^z\n", "header_without_known_column", ["separator"]),
        (b"username;username;firstname;lastname\nx;x;y;z\n", "header_duplicate_column", ["username"]),
        (b"username;;firstname;lastname\nx;;y;z\n", "header_empty_name", ["2"]),
        (b"username;firstname;lastname\n\x89PNG\x00\x01;y;z\n", "file_binary", []),
        ("username;firstname;lastname\né;y;z\n".encode() + b"x;\xe9;z\n", "byte_undecodable", ["3", "0xE9"]),
        (b"PK\x03\x04 some other archive", "file_not_csv", []),
    ],
)
def test_a_bad_file_never_starts_and_says_what_to_do(
    sqlite_site: MoodleSite, data: bytes, code: str, said: list[str]
) -> None:
    before = sqlite_site.snapshot()

    with pytest.raises(CommandFileError) as refused:
        run_file(sqlite_site, "users", data, filename="in.csv")

    text = text_of(refused.value.code, refused.value.params)
    assert refused.value.code == code
    assert text != code
    assert all(part in text for part in said), text
    assert "Secret#1" not in text
    assert sqlite_site.diff(before, sqlite_site.snapshot()) == {}


def test_a_truncated_workbook_is_refused(sqlite_site: MoodleSite) -> None:
    whole = io.BytesIO()
    openpyxl.Workbook().save(whole)

    with pytest.raises(CommandFileError) as refused:
        run_file(sqlite_site, "users", whole.getvalue()[:-2000], filename="in.xlsx")

    assert refused.value.code == "workbook_broken"


def test_the_wrong_separator_is_named(sqlite_site: MoodleSite) -> None:
    with pytest.raises(CommandFileError) as refused:
        run_file(sqlite_site, "users", "username,firstname,lastname\nx,y,z\n", separator=";")

    assert refused.value.code == "header_wrong_separator"


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "iso-8859-15"])
def test_separators_and_encodings_are_detected(sqlite_site: MoodleSite, separator: str, encoding: str) -> None:
    text = "username;firstname;lastname\nbob;Zoé;Gâteau\n".replace(";", separator)

    result = run_file(sqlite_site, "users", text.encode(encoding), primaryidentity="username")

    assert result.counts == {"created": 1}
    assert sqlite_site.one("user", username="bob")["firstname"] == "Zoé"


def test_a_workbook_is_read_like_a_file(sqlite_site: MoodleSite) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in (
        ("username", "firstname", "lastname", "idnumber"),
        ("bob", "Zoé", "King", 42),
        ("bad name", "B", "N", 43),
    ):
        sheet.append(row)
    out = io.BytesIO()
    workbook.save(out)

    result = run_file(sqlite_site, "users", out.getvalue(), filename="in.xlsx", primaryidentity="username")

    assert result.codes == ["account_created", "username_invalid"]
    assert sqlite_site.one("user", username="bob")["idnumber"] == "42"
    assert result.tryback is not None
    assert "bad name;B;N;43;3;username_invalid;" in result.tryback.decode("utf-8-sig")
