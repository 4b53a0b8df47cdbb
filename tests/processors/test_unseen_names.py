"""Names of which nobody would see anything make nothing and change nothing: markup, blanks, characters without width."""

from __future__ import annotations

import pytest

from sync.columns.cell_texts import is_unseen
from tests.moodle_sites import MoodleSite
from tests.support import run_file

UNSEEN = (
    "<b></b>", "<br>", "<p>&nbsp;</p>", "&nbsp;", "&#160;", "&amp;nbsp;", "&#8203;", "&zwnj;", "<!-- x -->", "<b> </b>", "\u200b",
    "\u2060\u200d", "\u00ad", "\u3164", "\u2800", "\ufe0f", "\u034f", "\u200b<i>\u00a0</i>",
)  # fmt: skip
SEEN = (
    "<",
    "<b>a</b>",
    "a<b></b>",
    "&",
    "R&D",
    "\u00e9",
    "\u0645\u200c\u0645",
    "..",
    "-1",
    "\U0001f600",
    "&amp;",
    "< >",
)
# File type, header, row with the name, table and column that must be left.
PLACES = [
    ("users", "username;firstname;lastname", "p1;{};Lee", "user"),
    ("users", "username;firstname;lastname", "p1;Ann;{}", "user"),
    ("users", "username;firstname;lastname;middlename", "p1;Ann;Lee;{}", "user"),
    ("users", "username;firstname;lastname;cohort1", "p1;Ann;Lee;{}", "cohort"),
    ("courses", "shortname;fullname", "S1;{}", "course"),
    ("courses", "shortname;fullname", "{};Full", "course"),
    ("courses", "shortname;fullname;idnumber", "S1;Full;{}", "course"),
    ("groups", "courseid;name", "C1;{}", "groups"),
    ("groups", "type;courseid;name", "grouping;C1;{}", "groupings"),
    ("cohorts", "cidnumber;cname", "K-1;{}", "cohort"),
    ("cohorts", "cidnumber;cname", "{};Name", "cohort"),
    ("categories", "category;name", "New;{}", "course_categories"),
    ("categories", "category", "{}", "course_categories"),
    ("enrolments", "cmd;cid;uid;rolename;enrol;gcmd;g1", "add;C1;ann;student;manual;gaddcreate;{}", "groups"),
    ("enrolment_methods", "course;enrol;name", "C1;self;{}", "enrol"),
]


def test_what_is_seen_and_what_is_not() -> None:
    assert [text for text in UNSEEN if not is_unseen(text)] == []
    assert [text for text in SEEN if is_unseen(text)] == []


@pytest.mark.parametrize("place", range(len(PLACES)))
def test_a_name_that_nobody_sees_rejects_its_row(sqlite_site: MoodleSite, place: int) -> None:
    key, header, row, table = PLACES[place]
    before = sqlite_site.rows(table)
    rows = "".join(row.format(f'"{text}"') + "\n" for text in UNSEEN)
    result = run_file(sqlite_site, key, f"{header}\n{rows}")
    assert result.codes == ["cell_unseen"] * len(UNSEEN)
    assert sqlite_site.rows(table) == before
    assert "“[U+3164]”" in result.report


@pytest.mark.parametrize("name", ["&amp;nbsp;", "\u3164", "\u2800", "<br>", "<!-- x -->"])
@pytest.mark.parametrize(("key", "header"), [("courses", "shortname;fullname;category"), ("categories", "category")])
def test_no_category_of_a_path_has_such_a_name(sqlite_site: MoodleSite, key: str, header: str, name: str) -> None:
    row = f'"Category 1/{name}"'
    text = f"{header}\n{row}\n" if key == "categories" else f"{header}\nS1;Full;{row}\nS2;Full;"
    if key == "courses":
        text += f'"{name}/Below"\n'
    before = sqlite_site.rows("course_categories")
    result = run_file(sqlite_site, key, text)
    assert {*result.codes} == {"cell_unseen"}
    assert sqlite_site.rows("course_categories") == before


@pytest.mark.parametrize(
    "path", ["Category 1/<b></b>", "Category 1/<b>Maths</b>", "<i>Maths</i>", "Category 1/Maths<br/>"]
)
@pytest.mark.parametrize(("key", "header"), [("courses", "category;shortname;fullname"), ("categories", "category")])
def test_the_slashes_of_markup_part_no_names(sqlite_site: MoodleSite, key: str, header: str, path: str) -> None:
    before = sqlite_site.rows("course_categories")
    result = run_file(sqlite_site, key, f"{header}\n{path}" + (";S1;Full\n" if key == "courses" else "\n"))
    assert result.codes == ["category_path_markup"]
    assert sqlite_site.rows("course_categories") == before


def test_a_new_name_of_a_category_has_one_line_and_nothing_hidden(sqlite_site: MoodleSite) -> None:
    result = run_file(sqlite_site, "categories", 'category;name\nCategory 1;"Arts\u200b\nand Crafts"\n')
    assert result.codes == ["category_updated"]
    assert sqlite_site.one("course_categories", id=1)["name"] == "Arts and Crafts"
    assert [note.code for note in result.notes] == ["invisible_characters"]
