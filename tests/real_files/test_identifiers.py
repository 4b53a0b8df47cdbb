"""What names a user, a course, a category: the same for us as for the server and for Moodle."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sync.values import Action
from tests.real_files.case import RealCase, shell_run
from tests.real_files.conftest import ReadCase


def is_exact(case: RealCase) -> bool:
    """Whether the server tells case, accents and blanks at the end apart."""
    return case.installation.moodle.engine_name == "postgresql"


def test_a_short_name_without_its_accents_is_the_course_that_has_them(real_case: ReadCase) -> None:
    case = real_case("014")
    (run,) = case.run_all()
    names = case.look("select shortname from mdl_course where shortname in ('Été-B14', 'Ete-B14')")
    if is_exact(case):
        assert run.counts == {"created": 2}
        assert len(names) == 2
    else:
        assert run.actions() == {2: Action.CREATED, 3: Action.UNCHANGED}
        assert names == [("Été-B14",)]


def test_an_idnumber_with_a_blank_behind_it_has_its_owner(real_case: ReadCase) -> None:
    case = real_case("017")
    users, enrolments = case.run_all()
    if is_exact(case):
        assert (users.counts, enrolments.counts) == ({"created": 1}, {"created": 1})
        return
    # Users are told apart by their idnumber: it is user101's, whatever blanks Moodle keeps behind it.
    (refused,) = users.outcomes
    assert (refused.action, refused.code) == (Action.REJECTED, "username_differs")
    assert refused.params["present"] == "user101"
    assert enrolments.counts == {"created": 1}
    enrolled = case.look(
        "select u.username from mdl_user_enrolments ue join mdl_user u on u.id = ue.userid"
        " join mdl_enrol e on e.id = ue.enrolid join mdl_course c on c.id = e.courseid"
        " where c.shortname = 'C18' and u.username in ('user101', 'b17.new')"
    )
    assert enrolled == [("user101",)]


def test_a_username_with_capitals_stays_as_it_is(real_case: ReadCase) -> None:
    case = real_case("022")
    (run,) = case.run_all()
    assert (run.status, run.counts) == (0, {"updated": 1})
    assert run.outcome(2).code == "account_updated"
    stored = case.look("select username, auth, department from mdl_user where idnumber = 'TT1'")
    assert stored == [("Tina.Turner@Corp.org", "oidc", "Music")]


def test_a_user_with_capitals_is_found_by_idnumber_and_by_address(real_case: ReadCase) -> None:
    case = real_case("037")
    runs = case.run_all()
    assert [(run.status, run.counts) for run in runs] == [(0, {"updated": 1}), (0, {"unchanged": 1})]
    assert case.look("select username, department from mdl_user where idnumber = 'TT37'") == [
        ("Tina.B37@Corp.org", "Music")
    ]


def test_digits_are_the_name_of_a_category_that_is_called_so(real_case: ReadCase) -> None:
    case = real_case("040")
    made, used = case.run_all()
    assert (made.status, used.status) == (0, 0)
    placed = case.look(
        "select c.shortname, cc.name from mdl_course c join mdl_course_categories cc on cc.id = c.category"
        " where c.shortname like 'B40_' order by 1"
    )
    assert placed == [("B40A", "2026"), ("B40B", "003"), ("B40C", "2026"), ("B40D", "003")]


def test_digits_that_are_an_id_and_a_username_name_no_teacher(real_case: ReadCase) -> None:
    case = real_case("077")
    case.prepare()
    assert len(case.look("select id from mdl_user where id = 158 or username = '158'")) == 2
    run = case.run(0)
    assert [(o.action, o.code) for o in run.outcomes] == [
        (Action.REJECTED, "teacher_ambiguous"),
        (Action.CREATED, "course_created"),
    ]
    teachers = case.look(
        "select c.shortname, u.username from mdl_role_assignments ra"
        " join mdl_context x on x.id = ra.contextid and x.contextlevel = 50 join mdl_course c on c.id = x.instanceid"
        " join mdl_user u on u.id = ra.userid where c.shortname like 'B77_'"
    )
    assert teachers == [("B77B", "00159")]


def test_a_category_whose_name_holds_a_slash_is_found(real_case: ReadCase) -> None:
    case = real_case("034")
    before = case.look("select count(*) from mdl_course_categories")
    (run,) = case.run_all()
    assert run.counts == {"created": 2}
    placed = case.look(
        "select cc.name from mdl_course c join mdl_course_categories cc on cc.id = c.category"
        " where c.shortname like 'B34_'"
    )
    assert placed == [("Section / A",), ("Section / A",)]
    assert case.look("select count(*) from mdl_course_categories") == before


OLD_TABLES = ("user", "course", "groups", "cohort", "course_categories")


@pytest.fixture
def without_emoji(real_case: ReadCase) -> Iterator[RealCase]:
    """The tables of a site that was installed before Moodle 3.3 and never converted."""
    case = real_case("031")
    for table in OLD_TABLES:
        case.execute(f"ALTER TABLE mdl_{table} CONVERT TO CHARACTER SET utf8mb3 COLLATE utf8mb3_unicode_ci")
    yield case
    for table in OLD_TABLES:
        case.execute(f"ALTER TABLE mdl_{table} CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci")


@pytest.mark.mariadb
def test_what_a_column_cannot_hold_is_a_matter_of_its_row(without_emoji: RealCase) -> None:
    runs = without_emoji.run_all()
    assert [(run.status, run.counts) for run in runs[1:]] == [(1, {"created": 1, "rejected": 1})] * 4
    # The enrolment goes with the group that can't be made.
    assert runs[0].status == 1
    assert runs[0].outcome(3).action is Action.UPDATED
    assert runs[0].outcome(2).action is Action.REJECTED
    assert without_emoji.look("select username from mdl_user where username like 'b31.%'") == [("b31.b",)]


# File type, file, options, what becomes of its two rows: the first holds what the tables have no place for, or no text at all.
EMOJI_FILES = [
    ("enrolments", "cmd;cid;uid;rolename;enrol\nadd;C1;user90🚀;student;manual\nadd;C3;user91;student;manual\n", ()),
    ("groups", "courseid;name\nC1;Rocket 🚀\nC1;Plain\n", ()),
    ("groups", "courseid;name;updateid\nC1🚀;X;Y\nC1;Plain;NOPE\n", ()),
    ("groupmembers", "courseid;groupid;userid\nC1;🚀;user1\nC1;nope;user1\n", ()),
    ("cohort_courses", "cohort;course\n🚀;C1\nNOPE;C1\n", ()),
    ("courses_meta", "cmd;master;meta\nadd;C1🚀;C2\nadd;NOPE;C2\n", ()),
    ("courses", "shortname;fullname;category;teacher1_account\nE1;x;1;user🚀\nE2;x;1;user1\n", ()),
    ("courses", "shortname;fullname;category\nE3;x;Space 🚀\nE4;x;1\n", ()),
    ("users_suspend", "username\nuser🚀\nuser77\n", ("primaryidentity=username",)),
]


@pytest.mark.mariadb
@pytest.mark.parametrize(("key", "text", "options"), EMOJI_FILES)
def test_no_file_type_takes_a_value_for_the_servers_fault(
    without_emoji: RealCase, tmp_path: Path, key: str, text: str, options: tuple[str, ...]
) -> None:
    file = tmp_path / "in.csv"
    file.write_text(text, encoding="utf-8")
    run = shell_run(key, file, *options)
    assert run.status == 1, run.said
    first, second = run.outcomes
    assert first.action is Action.REJECTED
    assert second.code not in ("moodle_refused", "moodle_unavailable")
    assert "NOPE" in text or "nope" in text or second.action is not Action.REJECTED
