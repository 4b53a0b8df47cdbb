"""Files as spreadsheets, databases and people write them: what is read, what is rejected, what is said."""

from __future__ import annotations

import pytest

from sync.values import Action
from tests.real_files.case import CaseRun
from tests.real_files.conftest import ReadCase


def codes(run: CaseRun) -> dict[int, str]:
    """Return line -> code of what was rejected."""
    return {outcome.line: outcome.code for outcome in run.outcomes if outcome.action is Action.REJECTED}


def test_018_a_number_shown_with_zeros_is_what_the_sheet_shows(real_case: ReadCase) -> None:
    case = real_case("018")
    (run,) = case.run_all()
    assert (run.status, run.counts) == (0, {"created": 1})
    assert run.outcome(2).subject.startswith("00045")
    enrolled = case.look(
        "SELECT u.username FROM mdl_user_enrolments ue JOIN mdl_enrol e ON e.id = ue.enrolid JOIN mdl_user u ON u.id = ue.userid "
        "JOIN mdl_course c ON c.id = e.courseid WHERE c.shortname = 'C16' AND u.username IN ('user121', 'user122')"
    )
    assert enrolled == [("user121",)]


def test_020_a_header_that_stands_there_again_is_passed_over(real_case: ReadCase) -> None:
    case = real_case("020")
    users, courses = case.run_all()
    assert [(run.status, run.counts) for run in (users, courses)] == [(0, {"created": 2})] * 2
    assert "The header stands in the file again and was passed over there (lines: 3)." in users.report
    assert case.look("SELECT COUNT(*) FROM mdl_user WHERE username = 'username'") == [(0,)]
    assert case.look("SELECT COUNT(*) FROM mdl_course_categories WHERE name = 'category'") == [(0,)]


def test_021_a_blank_may_stand_before_a_quote(real_case: ReadCase) -> None:
    case = real_case("021")
    (run,) = case.run_all()
    assert (run.status, run.counts) == (0, {"created": 2})
    names = case.look("SELECT firstname, lastname FROM mdl_user WHERE username LIKE 'b21.%' ORDER BY username")
    assert names == [("Ann", "Smith"), ("Bo", "Smith, Jr")]


def test_024_lines_that_begin_like_comments_are_not_nothing(real_case: ReadCase) -> None:
    case = real_case("024")
    blank, paren = case.run_all()
    assert (blank.status, blank.counts) == (0, {"created": 2})
    assert (paren.status, paren.counts) == (1, {"created": 1, "rejected": 2})
    assert codes(paren) == {2: "comment_like_row", 4: "comment_like_row"}
    needs = paren.report.splitlines().index("What needs you: 2 rows were rejected.")
    assert "comment_like_row" in paren.report.splitlines()[needs + 1]
    assert b"\n(AQ) Business;B24AQ;1;2;comment_like_row;" in paren.tryback
    assert b"\n#Me too: history;B24ME;1;4;comment_like_row;" in paren.tryback


def test_025_errors_of_formulas_are_rejected(real_case: ReadCase) -> None:
    case = real_case("025")
    (run,) = case.run_all()
    assert (run.status, run.counts) == (1, {"rejected": 4})
    assert set(codes(run).values()) == {"cell_is_formula_error"}
    assert case.look("SELECT COUNT(*) FROM mdl_user WHERE username LIKE 'b25.%'") == [(0,)]


def test_032_the_line_that_names_the_separator_is_passed_over(real_case: ReadCase) -> None:
    (run,) = real_case("032").run_all()
    assert (run.status, run.counts) == (0, {"created": 1})


def test_039_the_header_below_a_title_is_named(real_case: ReadCase) -> None:
    (run,) = real_case("039").run_all()
    assert run.status == 2
    assert "Line 1 holds no column name, but line 2 does" in run.said


def test_069_a_quote_closed_nowhere_is_a_matter_of_its_own_line(real_case: ReadCase) -> None:
    case = real_case("069")
    run = case.run("quote.csv")
    assert (run.status, run.counts) == (0, {"created": 2})
    names = case.look("SELECT firstname FROM mdl_user WHERE username IN ('b69.f', 'b69.g') ORDER BY username")
    assert names == [('"Ann',), ("Bo",)]


@pytest.mark.parametrize(
    ("number", "username", "encoding", "names"),
    [
        ("001", "enc.gr", "Windows-1253", ("Γεώργιος", "Παπαδόπουλος")),
        ("003", "enc.ar", "windows-1256", ("محمد", "الهاشمي")),
        ("006", "enc.jp", "SJIS", ("太郎", "山田")),
    ],
)
def test_001_003_006_names_in_other_encodings_are_asked_about(
    real_case: ReadCase, number: str, username: str, encoding: str, names: tuple[str, str]
) -> None:
    case = real_case(number)
    (refused,) = case.run_all()
    assert refused.status == 2
    assert names[0] in refused.said
    assert "Encoding" in refused.said
    read = case.run(0, f"encoding={encoding}")
    assert (read.status, read.counts) == (0, {"created": 1})
    found = case.look("SELECT firstname, lastname FROM mdl_user WHERE username = :username", username=username)
    assert found == [names]


def test_041_a_flat_file_of_moodle_is_recognised_and_read_when_told_so(real_case: ReadCase) -> None:
    case = real_case("041")
    refused = case.run("flat.csv")
    assert refused.status == 2
    assert "flat file of Moodle" in refused.said
    assert "flatfile=1" in refused.said
    read = case.run("flat.csv", "flatfile=1")
    assert (read.status, read.counts) == (0, {"created": 2})
    found = case.look(
        "SELECT u.idnumber, r.shortname, ue.timestart, ue.timeend FROM mdl_user_enrolments ue "
        "JOIN mdl_enrol e ON e.id = ue.enrolid JOIN mdl_course c ON c.id = e.courseid JOIN mdl_user u ON u.id = ue.userid "
        "JOIN mdl_context x ON x.contextlevel = 50 AND x.instanceid = c.id "
        "JOIN mdl_role_assignments a ON a.contextid = x.id AND a.userid = u.id JOIN mdl_role r ON r.id = a.roleid "
        "WHERE c.idnumber = 'CID12' AND u.idnumber IN ('UID60', 'UID61') ORDER BY u.idnumber"
    )
    assert [row[:2] for row in found] == [("UID60", "student"), ("UID61", "editingteacher")]
    assert found[1][2:] == (1735689600, 1751328000)


@pytest.mark.parametrize(("file", "kind"), [("table.csv", "HTML"), ("book.csv", "XML")])
def test_048_pages_and_xml_are_named(real_case: ReadCase, file: str, kind: str) -> None:
    run = real_case("048").run(file)
    assert run.status == 2
    assert f"its content is {kind}" in run.said
