"""Files as administrators make them by accident: which rows are done, which come back, and with which reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from sync.errors import HeaderError
from tests.moodle_sites import build_site
from tests.processors.random_files import furnish
from tests.support import MoodleSite, run_file

NAMES = "username;firstname;lastname"
BY_NAME = {"primaryidentity": "username"}
LISTS = f"""{NAMES};course1;enrol1;group1;cohort;cohort1
z1;A;B;C1;manual;GA;K1;K2
z2;A;B;C1;manual;GB;;
z3;A;B;C1;manual;GA, GB;;
z4;A;B;;;;K1|K2;
z5;A;B;;;;;K1, K2
z6;A;B;;;;K1, K9;
z7;A;B;C1;manual;GA/GB;;
"""
# What it is about -> file type, file, options, code of each outcome in line order.
FILES: dict[str, tuple[str, str, Mapping[str, Any], list[str]]] = {
    "a footer": ("users", f"{NAMES}\nz1;A;B\n;;\nTotal: 1;;\n1 row\n", {}, ["account_created", "cell_empty", "cell_empty"]),
    "a line that explains the header": (
        "users", f"{NAMES};email\nUser name;First name;Last name;Address\nz1;A;B;z1@x.org\n", {},
        ["row_of_labels", "account_created"],
    ),
    "another header further down": (
        "users", f"{NAMES}\nz1;A;B\nlastname;firstname;username\nB;A;z2\n", {},
        ["account_created", "row_under_other_header", "row_under_other_header"],
    ),
    "what psql prints": (
        "users", " username | firstname | lastname\n----------+-----------+----------\n z1       | A         | B\n(1 row)\n", {},
        ["account_created"],
    ),
    "a separator line in quotes": ("users", f'"sep=;"\n{NAMES}\nz1;A;B\n', {}, ["account_created"]),
    "line ends of three systems": (
        "users", f"{NAMES}\r\nz1;A;B\rz2;A;B\nz3;A;B\r\r\nz4;A;B\x1a", {}, ["account_created"] * 4
    ),
    "rows in another separator": (
        "users", "username,firstname,lastname\nz1,A;B,C\nz2;A;B\n", {}, ["account_created", "cell_empty"]
    ),
    "a whole row in quotes": ("users", f'{NAMES}\n"z1;A;B"\nz2;A;B\n', {}, ["row_in_quotes", "account_created"]),
    "names handed on": (
        "users", f"{NAMES};oldusername\ntmp;A;B;u1\nu1;A;B;u2\nu2;A;B;tmp\n", {**BY_NAME, "allowrename": True},
        ["account_renamed"] * 3,
    ),
    "names exchanged": (
        "users", f"{NAMES};oldusername\nu2;A;B;u1\nu1;A;B;u2\n", {**BY_NAME, "allowrename": True},
        ["rename_target_exists"] * 2,
    ),
    "one user renamed twice": (
        "users", f"{NAMES};oldusername\nx1;A;B;u1\nx2;A;B;u1\n", {**BY_NAME, "allowrename": True},
        ["account_renamed", "rename_source_missing"],
    ),
    "idnumbers exchanged": ("users", f"{NAMES};idnumber\nu1;A;B;U2\nu2;A;B;U1\n", BY_NAME, ["idnumber_taken"] * 2),
    "deleted and made again": (
        "users", f"{NAMES};idnumber;deleted\nu1;A;B;U1;1\nu1;C;D;U1;0\n", {}, ["account_deleted", "account_created"]
    ),
    "words for a deletion": (
        "users", f"{NAMES};deleted\nu1;F1;L1;no\nu2;F2;L2;nein\nu3;F3;L3;2\nu4;F4;L4;X\n", BY_NAME,
        ["account_unchanged", "account_unchanged", "value_not_flag", "account_deleted"],
    ),
    "methods that are none": (
        "users", f"{NAMES};course1;enrol1\nu3;F3;L3;C1;cohort\nu4;F4;L4;C1;yes\n", BY_NAME,
        ["enrol_method_refused", "enrol_method_inactive"],
    ),
    "seconds in place of days": (
        "users", f"{NAMES};course1;enrol1;enrolperiod1\nu3;F3;L3;C1;manual;864000\nu4;F4;L4;C1;manual;10.5\n", BY_NAME,
        ["value_out_of_range", "value_not_number"],
    ),
    "a role given twice and taken once": (
        "enrolments",
        "cmd;cid;uid;rolename;enrol\nadd;C2;u4;student;manual\ndel;C2;u4;student;manual\nadd;C2;u4;teacher;manual\nadd;C2;u4;student;manual\n",
        {}, ["enrolment_created", "enrolment_deleted", "enrolment_created", "enrolment_updated"],
    ),
    "numbers for categories": (
        "courses", "shortname;fullname;category\nN1;a;01\nN2;a;1.0\nN3;a;999\nN4;a;-1\nN5;a;Sci//Maths\nN6;a;Sci/ /Maths\n", {},
        ["category_digits_unknown", "category_number_unclear", "category_digits_unknown", "category_number_unclear",
         "category_path_gap", "category_path_gap"],
    ),
    "wildcards for teachers": (
        "courses", "shortname;fullname;category;teacher1_account\nN1;a;1;%\nN2;a;1;u_\nN3;a;1;F\nN4;a;1;u1, u2\n", {},
        ["teacher_unknown", "teacher_unknown", "teacher_ambiguous", "teacher_unknown"],
    ),
    "wildcards and lists for deletions": (
        "courses_delete", "C*\nC%\nC1,C2\nC1 C2\nshortname\n", {}, ["course_delete_unknown"] * 5
    ),
    "leavers with the names of others": (
        "users_suspend", f"{NAMES}\nu1;F1;L1\nu2;Other;Person\nu3;L3;F3\nu4;f4;l4\n", BY_NAME,
        ["account_suspended", "account_of_another_person", "account_of_another_person", "account_suspended"],
    ),
    "lists of groups and cohorts where one is meant": (
        "users", LISTS, {}, [*["account_created"] * 2, "group_list", *["cohort_list"] * 3, "account_created"],
    ),
    "groups of other courses": (
        "groupmembers", "courseid;groupid;userid\nC1;nope;u1\nC1;G1;u3\nC1;G1;nobody\nC1;G1;u2\n", {},
        ["group_unidentified", "group_not_enrolled", "account_unknown", "group_member_added"],
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MoodleSite]:
    path: Path = tmp_path_factory.mktemp("awkward") / "moodle.sqlite3"
    site = build_site(f"sqlite:///{path}", "sqlite", "4.5")
    furnish(site)
    site.keep_as_template()
    yield site
    site.engine.dispose()


@pytest.mark.parametrize("about", FILES)
def test_each_row_comes_to_what_it_says(site: MoodleSite, about: str) -> None:
    key, text, options, codes = FILES[about]
    site.restore_template()
    result = run_file(site, key, text, **options)
    assert [outcome.code for outcome in sorted(result.outcomes)] == codes
    rejected = [outcome.line for outcome in result.outcomes if outcome.action.value in ("rejected", "partial")]
    assert (result.tryback is not None) == bool(rejected)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("username;firstname;FirstName ;lastname", "header_duplicate_column"),
        ("username;firstname;lastname;start1;enroltimestart1", "header_duplicate_column"),
        ("username;firstname;;lastname", "header_empty_name"),
        ("username;firstname;lastname;course01", "header_unknown_column_near"),
        ("username*;firstname*;lastname*", "header_unknown_column_near"),
        ("Students of 2026;;\nusername;firstname;lastname", "header_below"),
    ],
)
def test_a_header_that_may_mean_two_things_is_refused(site: MoodleSite, header: str, code: str) -> None:
    with pytest.raises(HeaderError) as caught:
        run_file(site, "users", f"{header}\nz1;A;B;C;D\n")
    assert caught.value.code == code
