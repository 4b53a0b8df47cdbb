"""Roles in every context: given, taken away and shifted, found by every identifier, and those that no file gives."""

from __future__ import annotations

from typing import Any

import pytest

from tests.moodle_sites import BEGAN, MoodleSite
from tests.processors.enrolment_people import add_people, dirty_users, give_role
from tests.soundness import assert_sound, faults_of
from tests.support import RunResult, run_file

pytestmark = pytest.mark.sites("sqlite:4.5", "mariadb:5.1", "postgresql:5.2", "real:m41-seeded")

HEADER = "cmd;context;instance;course;userid;role;component\n"
TEACHER, EDITING_TEACHER, STUDENT = 4, 3, 5
EVERYWHERE = (
    "add;system;;;bob;coursecreator;\n"
    "add;category;MATHS;;bob;coursecreator;\n"
    "add;course;C1;;bob;teacher;\n"
    "add;activity;{cmid};;bob;teacher;\n"
    "add;activity;ESSAY;C1;bob;editingteacher;\n"
    "add;user;ann;;bob;parent;\n"
)


@pytest.fixture
def site(moodle_site: MoodleSite) -> MoodleSite:
    return prepare(moodle_site)


@pytest.fixture
def small(sqlite_site: MoodleSite) -> MoodleSite:
    return prepare(sqlite_site)


def prepare(site: MoodleSite) -> MoodleSite:
    """bob has no role; the first category is MATHS; C1 has the activity ESSAY; parent is a role over users."""
    add_people(site, "bob")
    site.execute("UPDATE {course_categories} SET idnumber = 'MATHS' WHERE id = 1")
    module = site.one("modules", name="label")["id"]
    site.ids["cmid"] = add_activity(site, "C1", module, "ESSAY")
    site.ids["parent"] = site.insert(
        "role", name="Parent", shortname="parent", description="", archetype="", sortorder=99
    )
    site.insert("role_context_levels", roleid=site.ids["parent"], contextlevel=30)
    return site


def add_activity(site: MoodleSite, course: str, module: int, idnumber: str) -> int:
    label = site.insert("label", course=site.ids[course], name=idnumber, intro="", introformat=1, timemodified=BEGAN)
    section = site.rows("course_sections", course=site.ids[course], section=0)
    sectionid = section[0]["id"] if section else site.insert("course_sections", course=site.ids[course], section=0)
    cmid = site.insert(
        "course_modules", course=site.ids[course], module=module, instance=label, section=sectionid, idnumber=idnumber,
        added=BEGAN,
    )  # fmt: skip
    held = str(section[0]["sequence"] or "") if section else ""
    site.execute(
        "UPDATE {course_sections} SET sequence = :ids WHERE id = :id", ids=f"{held},{cmid}".strip(","), id=sectionid
    )
    path = site.one("context", id=site.ids[f"{course} context"])["path"]
    context = site.insert("context", contextlevel=70, instanceid=cmid, depth=path.count("/") + 1)
    site.execute("UPDATE {context} SET path = :path WHERE id = :id", path=f"{path}/{context}", id=context)
    return cmid


def run(site: MoodleSite, rows: str, **more: Any) -> RunResult:
    return run_file(site, "roles", HEADER + rows, **more)


def held(site: MoodleSite, username: str = "bob") -> list[tuple[int, int, str, str]]:
    """Return what somebody holds. Shape: (level, instance, short name of the role, component)"""
    names = {row["id"]: row["shortname"] for row in site.rows("role")}
    found = []
    for row in site.rows("role_assignments", userid=site.ids[username]):
        context = site.one("context", id=row["contextid"])
        found.append((context["contextlevel"], context["instanceid"], names[row["roleid"]], row["component"]))
    return sorted(found)


def test_roles_are_given_in_every_context_once_and_taken_away_again(site: MoodleSite) -> None:
    faults = faults_of(site)
    before = site.snapshot()
    text = EVERYWHERE.format(cmid=site.ids["cmid"])

    given = run(site, text)

    assert given.counts == {"created": 6}, given.report
    assert held(site) == [
        (10, 0, "coursecreator", ""), (30, site.ids["ann"], "parent", ""), (40, 1, "coursecreator", ""),
        (50, site.ids["C1"], "teacher", ""), (70, site.ids["cmid"], "editingteacher", ""), (70, site.ids["cmid"], "teacher", ""),
    ]  # fmt: skip
    row = site.rows("role_assignments", userid=site.ids["bob"])[0]
    assert (row["itemid"], row["sortorder"]) == (0, 0)
    assert row["timemodified"] == pytest.approx(given.started, abs=5)
    assert str(site.ids["bob"]) in dirty_users(site)
    assert_sound(site, but=faults)

    after = site.snapshot()
    assert run(site, text).counts == {"unchanged": 6}
    assert site.diff(after, site.snapshot()) == {}

    taken = run(site, text.replace("add;", "del;"))
    assert taken.counts == {"deleted": 6}
    assert site.diff(before, site.snapshot()).keys() <= {"cache_flags"}
    assert run(site, text.replace("add;", "unassign;")).codes == ["role_not_held"] * 6


def test_shift_leaves_one_role_of_those_that_people_gave(site: MoodleSite) -> None:
    give_role(site, "bob", "C1", STUDENT)
    give_role(site, "bob", "C1", EDITING_TEACHER)
    give_role(site, "bob", "C1", STUDENT, component="enrol_cohort", itemid=77)
    give_role(site, "bob", "C2", STUDENT)

    result = run(site, "shift;course;C1;;bob;teacher;\n")

    assert (result.counts, result.codes) == ({"updated": 1}, ["role_replaced"])
    c1, c2 = site.ids["C1"], site.ids["C2"]
    assert [(place, name, component) for _level, place, name, component in held(site)] == sorted([
        (c1, "student", "enrol_cohort"), (c1, "teacher", ""), (c2, "student", ""),
    ])  # fmt: skip
    assert run(site, "shiftrole;course;C1;;bob;teacher;\n").codes == ["role_held_already"]
    assert run(site, "shift;category;MATHS;;bob;coursecreator;\n").codes == ["role_assigned"]


def test_a_component_minds_its_own_roles(small: MoodleSite) -> None:
    give_role(small, "bob", "C1", STUDENT)
    assert run(small, "add;course;C1;;bob;student;enrol_sync\n").codes == ["role_assigned"]
    assert [each[3] for each in held(small)] == ["", "enrol_sync"]
    assert run(small, "del;course;C1;;bob;*;enrol_sync\n").codes == ["roles_taken_away"]
    assert [each[3] for each in held(small)] == [""]
    assert run(small, "add;course;C1;;bob;student;sync\n").codes == ["role_component_invalid"]


def test_all_roles_of_a_context_go_at_once(small: MoodleSite) -> None:
    give_role(small, "bob", "C1", STUDENT)
    give_role(small, "bob", "C1", TEACHER)
    give_role(small, "bob", "C2", TEACHER)
    result = run(small, "del;course;C1;;bob;*;\n")
    assert (result.counts, len(result.outcomes[0].changes)) == ({"deleted": 1}, 2)
    assert [each[1] for each in held(small)] == [small.ids["C2"]]
    assert run(small, "add;course;C1;;bob;*;\n").codes == ["role_all_only_taken"]


def test_names_are_what_the_options_say(small: MoodleSite) -> None:
    rows = (
        f"add;50;{small.ids['C1']};;I-bob;{TEACHER};\n"
        "add;coursecat;1;;I-bob;2;\n"
        f"add;module;ESSAY;{small.ids['C1']};I-bob;{TEACHER};\n"
        f"add;user;A1;;I-bob;{small.ids['parent']};\n"
    )
    options = {
        "useridentifier": "idnumber", "roleidentifier": "id", "courseidentifier": "id", "categoryidentifier": "id",
    }  # fmt: skip
    result = run(small, rows, **options)
    assert result.counts == {"created": 4}, result.report
    assert [level for level, *_rest in held(small)] == [30, 40, 50, 70]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("add;system;C1;;bob;coursecreator;", "role_context_unneeded"),
        ("add;course;C1;C1;bob;teacher;", "role_course_unneeded"),
        ("add;course;;;bob;teacher;", "cell_empty"),
        ("add;course;C9;;bob;teacher;", "course_unknown"),
        ("add;category;ARTS;;bob;coursecreator;", "category_unknown"),
        ("add;activity;999999;;bob;teacher;", "activity_unknown"),
        ("add;activity;NOPE;C1;bob;teacher;", "activity_unknown_in_course"),
        ("add;activity;ESSAY;C2;bob;teacher;", "activity_unknown_in_course"),
        ("add;activity;ESSAY;C9;bob;teacher;", "course_unknown"),
        ("add;activity;TWICE;C1;bob;teacher;", "activity_ambiguous"),
        ("add;activity;GOING;C1;bob;teacher;", "activity_unknown_in_course"),
        ("add;user;nobody;;bob;parent;", "account_unknown"),
        ("add;user;bob;;ann;parent;", "role_context_missing"),
        ("add;course;C1;;nobody;teacher;", "account_unknown"),
        ("add;course;C1;;bob;chef;", "role_unknown"),
        ("add;course;C1;;bob;parent;", "role_not_for_context"),
        ("add;user;ann;;bob;teacher;", "role_not_for_context"),
        ("add;system;;;bob;student;", "role_not_for_context"),
        ("add;system;;;bob;manager;", "role_hands_out_roles"),
        ("add;system;;;admin;coursecreator;", "account_protected"),
        ("add;user;admin;;bob;parent;", "account_protected"),
        ("add;course;C1;;guest;student;", "account_protected"),
        ("add;user;guest;;bob;parent;", "account_protected"),
        ("boom;course;C1;;bob;teacher;", "value_not_among"),
        ("add;block;1;;bob;teacher;", "value_not_among"),
    ],
)
def test_a_row_that_cant_be_carried_out_changes_nothing(small: MoodleSite, row: str, code: str) -> None:
    module = small.one("modules", name="label")["id"]
    for idnumber in ("TWICE", "TWICE", "GOING"):
        add_activity(small, "C1", module, idnumber)
    small.execute("UPDATE {course_modules} SET deletioninprogress = 1 WHERE idnumber = 'GOING'")
    before = small.snapshot()
    result = run(small, f"{row}\n")
    assert (result.codes, result.counts) == ([code], {"rejected": 1}), result.report
    assert small.diff(before, small.snapshot()) == {}


def test_a_protected_user_is_named_in_the_column_that_names_it(small: MoodleSite) -> None:
    result = run(small, "add;user;admin;;bob;parent;\nadd;system;;;admin;coursecreator;\n")
    assert [(outcome.params["column"], outcome.params["username"]) for outcome in result.outcomes] == [
        ("instance", "admin"), ("userid", "admin"),
    ]  # fmt: skip


def test_a_role_that_configures_the_site_is_given_nowhere_unless_the_operator_allows_it(small: MoodleSite) -> None:
    chief = small.insert("role", name="Chief", shortname="chief", description="", archetype="", sortorder=98)
    small.insert(
        "role_capabilities", contextid=1, roleid=chief, capability="moodle/site:config", permission=1, timemodified=0,
        modifierid=0,
    )  # fmt: skip
    for level in (10, 40, 50, 70):
        small.insert("role_context_levels", roleid=chief, contextlevel=level)
    rows = EVERYWHERE.format(cmid=small.ids["cmid"]).splitlines(keepends=True)[:5]
    text = (
        "".join(rows).replace("coursecreator", "chief").replace("editingteacher", "chief").replace("teacher", "chief")
    )
    assert run(small, text).codes == ["role_configures_site"] * 5
    assert run(small, text, permits={"assigns_configuring_roles": True}).counts == {"created": 4, "unchanged": 1}
    # Who has it for the whole site is protected now: nobody takes it away by a file, but it may go elsewhere.
    assert run(small, "del;course;C1;;bob;chief;\ndel;system;;;bob;chief;\n").codes == [
        "roles_taken_away", "account_protected"
    ]  # fmt: skip


def test_the_number_of_queries_is_constant(small: MoodleSite) -> None:
    counts: list[int] = []
    for number in (2, 40, 40):
        names = [f"q{number}x{len(counts)}n{each}" for each in range(number)]
        add_people(small, *names)
        rows = "".join(f"add;{place};;{name};teacher;\n" for name in names for place in ("course;C1", "course;C2"))
        counts.append(run(small, rows).queries)
    assert counts[2] <= counts[1] <= counts[0]


def test_a_simulation_sees_what_earlier_chunks_give(small: MoodleSite) -> None:
    rows = "add;course;C1;;bob;teacher;\nadd;course;C1;;bob;teacher;\nshift;course;C1;;bob;student;\ndel;course;C1;;bob;*;\n"
    codes = ["role_assigned", "role_held_already", "role_replaced", "roles_taken_away"]
    before = small.snapshot()
    for chunk_rows in (1, 100):
        assert run(small, rows, simulate=True, chunk_rows=chunk_rows).codes == codes
    assert small.diff(before, small.snapshot()) == {}
    assert run(small, rows, chunk_rows=1).codes == codes
    assert held(small) == []
