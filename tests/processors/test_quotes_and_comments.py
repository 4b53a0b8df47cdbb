"""Quotes and comments as files of the old plugin have them, carried out on tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.real_sites import moodle_data
from tests.support import MoodleSite, run_file

MANY = (
    'username;firstname;lastname;city\nmany.a;A;One;"La Villa\n'
    + "".join(f"many.r{number};R;Row{number};Nantes\n" for number in range(30))
    + 'many.b;B;Two;"Le Port\nmany.c;C;Three;Brest\n'
)


def cities(site: MoodleSite) -> dict[str, str]:
    return {row["username"]: row["city"] for row in site.rows("user") if "." in row["username"]}


def test_users_between_two_stray_quotes_are_all_made(sqlite_site: MoodleSite) -> None:
    result = run_file(sqlite_site, "users", MANY, primaryidentity="username")
    assert result.counts == {"created": 33}
    made = cities(sqlite_site)
    assert (made["many.a"], made["many.r29"], made["many.b"]) == ('"La Villa', "Nantes", '"Le Port')


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "Windows-1252"])
def test_stray_quotes_in_every_encoding_and_line_end(sqlite_site: MoodleSite, end: str, encoding: str) -> None:
    codec = {"Windows-1252": "cp1252"}.get(encoding, encoding)
    data = MANY.replace("Le Port", "Le Pré").replace("\n", end).encode(codec)
    assert run_file(sqlite_site, "users", data, primaryidentity="username").counts == {"created": 33}


def test_a_doubtful_row_is_rejected_with_both_readings_and_comes_back(sqlite_site: MoodleSite) -> None:
    text = 'username;lastname;firstname\nx;y;"Dear all\nred;green;blue"\nbob;B;Bob\n'
    result = run_file(sqlite_site, "users", text, primaryidentity="username")
    assert result.counts == {"created": 1, "rejected": 1}
    assert result.outcomes[0].code == "quotes_doubtful"
    assert "lines 2 to 3 are one row of 3 cells" in result.report
    assert result.tryback is not None
    assert b'x;y;"Dear all\nred;green;blue";2;quotes_doubtful;' in result.tryback
    mended = result.tryback.replace(b"red;green;blue", b"red, green, blue")
    assert run_file(sqlite_site, "users", mended, primaryidentity="username").counts == {"created": 1}


@pytest.mark.parametrize(
    ("text", "subject", "told"),
    [
        (
            'username;lastname;firstname\nx.y;Y;"Dear all\nred;green;blue"\n',
            "x.y",
            '“firstname”, and begins so: "Dear all',
        ),
        ('lastname;firstname;username\n"One\nX;Y;Z\ntwo";Y;x.y\n', "", '“lastname”, and begins so: "One'),
        ('firstname;username;lastname\nX;"x.y\nb;c;d\ne";Y\n', "x.y", '“username”, and begins so: "x.y'),
        (
            'username;password;lastname;firstname\nx.y;"Geheim-77\nb;c;d;e\nf";Y;Z\n',
            "x.y",
            "“password”, and begins so: …",
        ),
    ],
)
def test_a_doubtful_row_names_whom_it_is_about_and_its_cell(
    sqlite_site: MoodleSite, text: str, subject: str, told: str
) -> None:
    result = run_file(sqlite_site, "users", text, primaryidentity="username")
    (outcome,) = [outcome for outcome in result.outcomes if outcome.code == "quotes_doubtful"]
    assert outcome.subject == subject
    assert told in result.report
    assert "Geheim" not in result.report


def test_a_tryback_of_stray_quotes_reads_back(sqlite_site: MoodleSite) -> None:
    text = MANY.replace(";One;", ";;").replace(";Two;", ";;")
    result = run_file(sqlite_site, "users", text, primaryidentity="username")
    assert result.counts == {"created": 31, "rejected": 2}
    assert result.tryback is not None
    again = run_file(sqlite_site, "users", result.tryback, primaryidentity="username")
    assert [outcome.code for outcome in again.outcomes] == ["cell_empty", "cell_empty"]
    mended = result.tryback.replace(b";A;;", b";A;One;").replace(b";B;;", b";B;Two;")
    assert run_file(sqlite_site, "users", mended, primaryidentity="username").counts == {"created": 2}
    assert cities(sqlite_site)["many.a"] == '"La Villa'


def test_spreadsheet_cells_are_decoded_or_rejected(sqlite_site: MoodleSite) -> None:
    text = (
        "username;firstname;lastname;idnumber;city;department\n"
        'a.one;A;One;="0012";\\N;x\n'
        'a.two;A;Two;"=""0013""";Paris;\n'
        "a.three;A;Three;2,026E+07;Paris;\n"
        "a.four;A;Four;2.026E+07;Paris;\n"
        "a.five;A;Five;1E+15;Paris;\n"
        "a.six;A;Six;1e3;Paris;E=mc2\n"
        "a.seven;A;Seven;123456789012345000;Paris;\n"
        "a.eight;A;Eight;8;Paris;=VLOOKUP(A2,B:C,2)\n"
        "a.nine;A;Nine;9;#BEZUG!;\n"
        "a.ten;A;Ten;123456789012345678;Err:502;\n"
        "a.eleven;A;Eleven;1234567890123450;#1 street;\n"
    )
    result = run_file(sqlite_site, "users", text, primaryidentity="username")
    assert result.counts == {"created": 4, "rejected": 7}
    idnumbers = {row["username"]: row["idnumber"] for row in sqlite_site.rows("user") if "a." in row["username"]}
    assert idnumbers == {"a.one": "0012", "a.two": "0013", "a.six": "1e3", "a.eleven": "1234567890123450"}
    assert [outcome.code for outcome in result.outcomes if outcome.action == "rejected"] == [
        *["cell_is_rounded"] * 3, "cell_lost_digits", "cell_is_formula", *["cell_is_formula_error"] * 2,
    ]  # fmt: skip
    top = result.report.partition("What needs you")[0]
    assert "Column idnumber: 3 rows hold rounded numbers" in top


def test_what_stands_in_an_ignored_column_does_not_matter(sqlite_site: MoodleSite) -> None:
    text = "username;firstname;lastname;note\na.one;A;One;#N/A\n"
    assert run_file(sqlite_site, "users", text, invalidnamesnocheck=True).counts == {"created": 1}


def test_rows_under_another_header_are_rejected(sqlite_site: MoodleSite) -> None:
    text = (
        "username;firstname;lastname\na.one;A;One\nUsername;FirstName;LastName\na.two;A;Two\n"
        "username;lastname;firstname\na.three;Three;A\n"
    )
    result = run_file(sqlite_site, "users", text, primaryidentity="username")
    assert result.counts == {"created": 2, "rejected": 2}
    assert [note.code for note in result.notes if note.code == "header_repeated"] == ["header_repeated"]
    assert result.codes[2:] == ["row_under_other_header"] * 2


@pytest.mark.parametrize(
    ("case", "key", "created"),
    [
        ("users/users-quote-opens-only", "users", 2),
        ("users/users-quote-opens-twice", "users", 4),
        ("users/users-quote-swallows-many", "users", 33),
        ("users/users-leading-blank-row", "users", 2),
        ("users/users-comments-and-blanks", "users", 3),
        ("courses/courses-quote-unclosed", "courses", 2),
    ],
)
def test_files_of_the_old_plugin(sqlite_site: MoodleSite, case: str, key: str, created: int) -> None:
    folder: Path = moodle_data().parent / "cases" / "old_plugin" / case
    if not folder.is_dir():
        pytest.skip("needs ../shared/cases")
    (file,) = folder.glob("*.csv")
    options: dict[str, Any] = {"primaryidentity": "username"} if key == "users" else {}
    result = run_file(sqlite_site, key, file.read_bytes(), **options)
    assert result.counts["created"] == created
    assert result.counts.get("rejected", 0) == (3 if case.endswith("comments-and-blanks") else 0)


@pytest.mark.parametrize(
    "rows",
    [
        "username;lastname;firstname\ntwo;Smith;Bob\n",
        "username;lastname;firstname;city\ntwo;Smith;Bob;Bern\n",
        'one;O;"N\ntwo;A;B"\n',
        '#one;O;N\n',
        'one;O;N;x\n',
    ],
)  # fmt: skip
def test_a_row_that_could_not_be_read_is_not_carried_out_because_it_comes_again(
    sqlite_site: MoodleSite, rows: str
) -> None:
    first = run_file(sqlite_site, "users", f"username;firstname;lastname\n{rows}", primaryidentity="username")
    assert first.counts == {"rejected": len(first.outcomes)}
    assert first.tryback is not None
    before = sqlite_site.snapshot()

    again = run_file(sqlite_site, "users", first.tryback, primaryidentity="username")

    assert again.codes == first.codes
    assert sqlite_site.diff(before, sqlite_site.snapshot()) == {}


def test_a_doubtful_quote_of_a_tryback_is_read_once_it_is_mended(sqlite_site: MoodleSite) -> None:
    first = run_file(
        sqlite_site, "users", 'username;firstname;lastname\none;O;"N\ntwo;A;B"\n', primaryidentity="username"
    )
    assert first.tryback is not None

    mended = first.tryback.replace(b"two;A;B", b"two A B")
    assert run_file(sqlite_site, "users", mended, primaryidentity="username").codes == ["account_created"]
