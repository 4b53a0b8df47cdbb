"""Courses are reset as their lines say: what people did goes, what teachers made stays. Spec: courses.md section 4."""

from __future__ import annotations

from typing import Any

import pytest

from sync.errors import HeaderError
from sync.values import Action
from tests.moodle.course_content.furniture import furnish, insert
from tests.moodle_sites import MoodleSite
from tests.soundness import assert_sound, faults_of
from tests.support import RunResult, run_file

pytestmark = pytest.mark.sites("sqlite:5.1", "mariadb:5.2", "postgresql:4.1", "real:m45pg-seeded")

HEADER = "shortname;events;logs;notes;grades;roles;local_roles;groups;groupings;modules"
OPTIONAL = ";blog_associations;comments;completion;competency_ratings"
NOTHING = "no;no;no;no;no;no;no;no"
STUDENT, TEACHER = 5, 3


def reset(site: MoodleSite, *lines: str, header: str = HEADER, **options: Any) -> RunResult:
    return run_file(site, "courses_reset", "\n".join((header, *lines)) + "\n", **options)


def activity(site: MoodleSite, module: str, course: str = "C1", **values: object) -> int:
    """Add an activity with its course module and context, and return the id of its instance."""
    instance = insert(site, module, {"course": site.ids[course], **values})
    cm = insert(
        site, "course_modules",
        {"course": site.ids[course], "module": site.one("modules", name=module)["id"], "instance": instance},
    )  # fmt: skip
    path = site.one("context", id=site.ids[f"{course} context"])["path"]
    context = site.insert("context", contextlevel=70, instanceid=cm, depth=4)
    site.execute("UPDATE {context} SET path = :path WHERE id = :id", path=f"{path}/{context}", id=context)
    return instance


def enrol(site: MoodleSite, username: str, *roles: int) -> int:
    userid = insert(site, "user", {"username": username, "mnethostid": 1})
    insert(site, "user_enrolments", {"enrolid": site.ids["C1 manual"], "userid": userid, "status": 0})
    for role in roles:
        insert(
            site, "role_assignments",
            {"contextid": site.ids["C1 context"], "userid": userid, "roleid": role, "component": "", "itemid": 0},
        )  # fmt: skip
    return userid


def graded_quiz(site: MoodleSite, course: str = "C1") -> tuple[int, int]:
    """Return the ids of the quiz and of its grade item; ann has an attempt and a grade."""
    quiz = activity(site, "quiz", course)
    insert(site, "quiz_attempts", {"quiz": quiz, "userid": site.ids["ann"], "uniqueid": 1_000_000 + quiz})
    item = insert(
        site, "grade_items",
        {"courseid": site.ids[course], "itemtype": "mod", "itemmodule": "quiz", "iteminstance": quiz, "itemnumber": 0,
         "needsupdate": 0, "scaleid": None},
    )  # fmt: skip
    insert(
        site,
        "grade_grades",
        {"itemid": item, "userid": site.ids["ann"], "rawgrade": 5, "finalgrade": 7, "overridden": 9},
    )
    return quiz, item


def test_everything_goes_that_people_did_and_nothing_of_another_course(moodle_site: MoodleSite) -> None:
    ours = furnish(moodle_site, moodle_site.ids["C1"], moodle_site.ids["C1 context"])
    others = furnish(moodle_site, moodle_site.ids["C2"], moodle_site.ids["C2 context"])
    for table, column, value in (
        ("question_usages", "component", "mod_quiz"), ("comments", "commentarea", "page_comments"),
        ("event", "modulename", ""), ("workshop_submissions", "example", 0),
    ):  # fmt: skip
        moodle_site.execute(f"UPDATE {{{table}}} SET {column} = :value", value=value)
    before, faults = moodle_site.snapshot(), faults_of(moodle_site)
    line = "C1;yes;yes;yes;all;all;all;all;all;all;yes;yes;yes;yes"

    result = reset(moodle_site, line, header=HEADER + OPTIONAL)

    assert result.codes == ["course_reset"], result.report
    change = moodle_site.diff(before, moodle_site.snapshot())
    gone = {name: {row["id"] for row in changes["deleted"]} for name, changes in change.items()}
    assert {name for name, ids in others.items() if gone.get(name, set()) & set(ids)} == set()
    graded = {"grade_categories", "grade_items", "grade_outcomes", "grade_outcomes_courses", "scale", "grade_settings"}
    for name in ("groups", "groupings", "forum_posts", "quiz_attempts", "choice_answers", "role_capabilities", *graded):
        assert set(ours[name]) <= gone.get(name, set()), name
    for name in ("forum", "quiz", "question", "course_sections", "block_instances", "enrol", "files"):
        assert not set(ours[name]) & gone.get(name, set()), name
    assert "The column “logs” has no effect" in result.report

    assert_sound(moodle_site, but=faults)
    again = moodle_site.snapshot()
    assert reset(moodle_site, line, header=HEADER + OPTIONAL).codes == ["course_reset_nothing"]
    assert moodle_site.diff(again, moodle_site.snapshot()) == {}


def test_example_2_and_3_only_the_activities_that_are_named(moodle_site: MoodleSite) -> None:
    quiz, item = graded_quiz(moodle_site)
    choice, forum = activity(moodle_site, "choice"), activity(moodle_site, "forum", type="general")
    insert(moodle_site, "choice_answers", {"choiceid": choice, "userid": moodle_site.ids["ann"]})
    insert(moodle_site, "forum_discussions", {"course": moodle_site.ids["C1"], "forum": forum})

    result = reset(moodle_site, f"C1;{NOTHING};quiz choice")

    assert [(change.field, change.old) for change in result.outcomes[0].changes] == [
        ("choice", "1"),
        ("quiz_attempts", "2"),
    ]
    assert moodle_site.rows("quiz_attempts", quiz=quiz) == moodle_site.rows("choice_answers", choiceid=choice) == []
    assert moodle_site.rows("grade_grades", itemid=item) == []
    assert moodle_site.one("grade_items", id=item)["needsupdate"] == 1
    assert [row["source"] for row in moodle_site.rows("grade_grades_history", itemid=item)] == ["reset"]
    assert len(moodle_site.rows("forum_discussions", forum=forum)) == 1
    for cell in ("-forum", "no", "none", "0"):
        assert reset(moodle_site, f"C1;{NOTHING};{cell}").codes == ["course_reset_nothing"]
    assert reset(moodle_site, f"C1;{NOTHING};yes").codes == ["course_reset"]
    assert moodle_site.rows("forum_discussions", forum=forum) == []


def test_example_5_and_6_people_leave_by_their_roles(moodle_site: MoodleSite) -> None:
    faults = faults_of(moodle_site)
    pupil, both, nobody = (
        enrol(moodle_site, "pupil", STUDENT),
        enrol(moodle_site, "both", STUDENT, TEACHER),
        enrol(moodle_site, "nobody"),
    )

    result = reset(moodle_site, "C1;no;no;no;no;student ghost;no;no;no;")

    assert result.counts == {"partial": 1}
    assert "C1: updated, but not everybody was unenrolled: There is no role “ghost”" in result.report
    left = {row["userid"] for row in moodle_site.rows("user_enrolments", enrolid=moodle_site.ids["C1 manual"])}
    assert left & {pupil, both, nobody} == {both, nobody}
    assert [row["roleid"] for row in moodle_site.rows("role_assignments", userid=both)] == [TEACHER]
    assert moodle_site.rows("role_assignments", userid=pupil) == []
    flagged = {row["name"] for row in moodle_site.rows("cache_flags", flagtype="accesslib/dirtyusers")}
    assert {str(pupil), str(both)} <= flagged
    reset(moodle_site, "C1;no;no;no;no;none;no;no;no;")
    left = {row["userid"] for row in moodle_site.rows("user_enrolments", enrolid=moodle_site.ids["C1 manual"])}
    assert nobody not in left
    assert_sound(moodle_site, but=faults)


@pytest.mark.parametrize("cell", ["grades", "items", "all"])
def test_grades_that_activities_gave_stay_as_these_gave_them(cell: str, moodle_site: MoodleSite) -> None:
    _quiz, item = graded_quiz(moodle_site)
    manual = insert(
        moodle_site,
        "grade_items",
        {"courseid": moodle_site.ids["C1"], "itemtype": "manual", "itemmodule": None, "scaleid": None},
    )
    insert(moodle_site, "grade_grades", {"itemid": manual, "userid": moodle_site.ids["ann"], "finalgrade": 3})

    result = reset(moodle_site, f"C1;no;no;no;{cell};no;no;no;no;")

    assert result.codes == ["course_reset"]
    items = {row["id"]: row for row in moodle_site.rows("grade_items", courseid=moodle_site.ids["C1"])}
    (grade,) = [row for row in moodle_site.rows("grade_grades") if row["itemid"] in items]
    assert (float(grade["finalgrade"]), grade["overridden"]) == (5, 0)
    assert items[grade["itemid"]]["itemmodule"] == "quiz"
    assert (manual in items, item in items) == ((True, True) if cell == "grades" else (False, False))
    again = moodle_site.snapshot()
    assert reset(moodle_site, f"C1;no;no;no;{cell};no;no;no;no;").codes == ["course_reset_nothing"]
    assert moodle_site.diff(again, moodle_site.snapshot()) == {}


def test_a_column_of_an_option_counts_before_the_column_modules(sqlite_site: MoodleSite) -> None:
    graded_quiz(sqlite_site)
    override = insert(sqlite_site, "quiz_overrides", {"quiz": 1, "userid": sqlite_site.ids["ann"]})
    sqlite_site.execute("UPDATE {quiz_overrides} SET quiz = (SELECT max(id) FROM {quiz})")

    result = reset(sqlite_site, f"C1;{NOTHING};quiz;0;1", header=f"{HEADER};quiz_attempts;quiz_user_overrides")

    assert [change.field for change in result.outcomes[0].changes] == ["quiz_user_overrides"]
    assert sqlite_site.rows("quiz_overrides", id=override) == []
    assert len(sqlite_site.rows("quiz_attempts")) == 1


def test_a_simulation_says_what_a_run_does_and_writes_nothing(moodle_site: MoodleSite) -> None:
    graded_quiz(moodle_site)
    enrol(moodle_site, "pupil", STUDENT)
    before = moodle_site.snapshot()
    line = "C1;yes;no;yes;all;student;all;all;all;all"

    simulated = reset(moodle_site, line, simulate=True)

    assert moodle_site.diff(before, moodle_site.snapshot()) == {}
    assert simulated.outcomes == reset(moodle_site, line).outcomes


BAD = {
    "ZZ": ("ZZ", "", "course_unknown"),
    "the site": ("", "", "course_reset_site"),
    "no activity": ("C1", "quizz", "course_reset_module_unknown"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_line_is_a_sentence_and_the_others_are_done(case: str, moodle_site: MoodleSite) -> None:
    graded_quiz(moodle_site, "C2")
    name, modules, code = BAD[case]
    name = name or moodle_site.one("course", category=0)["shortname"]

    result = reset(moodle_site, f"{name};{NOTHING};{modules}", f"C2;{NOTHING};quiz")

    assert result.codes == [code, "course_reset"]
    assert result.tryback is not None
    mended = result.tryback.decode().replace(f"{name};{NOTHING};{modules}", f"C1;{NOTHING};all")
    assert run_file(moodle_site, "courses_reset", mended).codes == ["course_reset_nothing"]


def test_the_same_course_twice_finds_the_second_time_what_the_first_left(sqlite_site: MoodleSite) -> None:
    graded_quiz(sqlite_site)

    assert reset(sqlite_site, *[f"C1;{NOTHING};quiz"] * 2).codes == ["course_reset", "course_reset_nothing"]


def test_several_courses_of_one_name_are_refused(sqlite_site: MoodleSite) -> None:
    sqlite_site.execute("UPDATE {course} SET idnumber = 'same' WHERE shortname IN ('C1', 'C2')")

    result = reset(
        sqlite_site, f"same;{NOTHING};all", header=HEADER.replace("shortname", "idnumber"), courseidentifier="idnumber"
    )

    assert result.codes == ["course_ambiguous"]


@pytest.mark.parametrize(
    "header", [HEADER.replace(";groupings", ""), HEADER.removeprefix("shortname;"), HEADER + ";quizz"]
)
def test_example_7_a_file_without_its_columns_is_refused_as_a_whole(header: str, moodle_site: MoodleSite) -> None:
    with pytest.raises(HeaderError):
        reset(moodle_site, f"C1;{NOTHING};all", header=header)


def test_an_activity_that_we_dont_know_is_named_unless_it_stays(sqlite_site: MoodleSite) -> None:
    foreign = sqlite_site.insert("modules", name="hvp", cron=0, search="", visible=1)
    insert(
        sqlite_site,
        "course_modules",
        {"course": sqlite_site.ids["C1"], "module": foreign, "instance": 1, "deletioninprogress": 0},
    )

    result = reset(sqlite_site, f"C1;{NOTHING};all", f"C1;{NOTHING};quiz")

    assert result.codes == ["course_reset_plugins", "course_reset_nothing"]
    assert "mod_hvp" in result.report


def test_the_number_of_queries_doesnt_grow_with_courses(sqlite_site: MoodleSite) -> None:
    numbers = []
    for count in (1, 5):
        names = [f"Q{count}{n}" for n in range(count)]
        for name in names:
            course = insert(sqlite_site, "course", {"category": 1, "shortname": name})
            context = sqlite_site.insert("context", contextlevel=50, instanceid=course, depth=2)
            sqlite_site.execute("UPDATE {context} SET path = :path WHERE id = :id", path=f"/1/{context}", id=context)
            sqlite_site.ids |= {name: course, f"{name} context": context}
            graded_quiz(sqlite_site, name)
        result = reset(sqlite_site, *(f"{name};yes;no;yes;all;all;all;all;all;all" for name in names))
        assert {outcome.action for outcome in result.outcomes} == {Action.UPDATED}
        numbers.append(result.queries)

    assert numbers[0] == numbers[1]


def metacourse(site: MoodleSite, *users: tuple[int, int], action: str = "", **values: object) -> int:
    """Let C2 take its people from C1. Shape: users: (id, role) of those that it has taken. Return the id of the method"""
    site.execute("UPDATE {config} SET value = 'manual,guest,self,cohort,meta' WHERE name = 'enrol_plugins_enabled'")
    site.execute("DELETE FROM {config_plugins} WHERE plugin = 'enrol_meta'")
    for name, value in {"unenrolaction": action, **values}.items():
        site.insert("config_plugins", plugin="enrol_meta", name=name, value=str(value))
    method = site.insert(
        "enrol", enrol="meta", status=0, courseid=site.ids["C2"], sortorder=9, customint1=site.ids["C1"]
    )
    for userid, role in users:
        site.insert("user_enrolments", enrolid=method, userid=userid, status=0, modifierid=0, timemodified=1)
        site.insert(
            "role_assignments", roleid=role, contextid=site.ids["C2 context"], userid=userid, component="enrol_meta",
            itemid=method, timemodified=1,
        )  # fmt: skip
    return method


def copied(site: MoodleSite, method: int, userid: int) -> tuple[list[int], list[int]]:
    """Return the states of the copied enrolment, and the roles that came with it."""
    roles = site.rows("role_assignments", userid=userid, component="enrol_meta", itemid=method)
    enrolments = site.rows("user_enrolments", enrolid=method, userid=userid)
    return [row["status"] for row in enrolments], [row["roleid"] for row in roles]


@pytest.mark.parametrize(
    ("action", "left"),
    [("", ([1], [])), ("3", ([1], [])), ("2", ([1], [STUDENT])), ("1", ([0], [STUDENT])), ("0", ([], []))],
)
def test_who_is_unenrolled_from_a_master_course_leaves_its_metacourses_as_the_site_says(
    sqlite_site: MoodleSite, action: str, left: tuple[list[int], list[int]]
) -> None:
    pupil, other = enrol(sqlite_site, "pupil", STUDENT), enrol(sqlite_site, "other", TEACHER)
    method = metacourse(sqlite_site, (pupil, STUDENT), (other, TEACHER), action=action)
    group = insert(sqlite_site, "groups", {"courseid": sqlite_site.ids["C2"], "name": "Copied"})
    insert(
        sqlite_site, "groups_members",
        {"groupid": group, "userid": pupil, "component": "enrol_meta", "itemid": method},
    )  # fmt: skip

    result = reset(sqlite_site, "C1;no;no;no;no;STUDENT;no;no;no;no")

    assert result.codes == ["course_reset"], result.report
    assert copied(sqlite_site, method, pupil) == left
    assert copied(sqlite_site, method, other) == ([0], [TEACHER])
    assert len(sqlite_site.rows("groups_members", groupid=group)) == int(action != "0")
    flags = {row["name"] for row in sqlite_site.rows("cache_flags", flagtype="accesslib/dirtyusers")}
    assert {str(pupil)} <= flags
    assert str(other) not in flags


def test_a_disabled_metacourse_keeps_who_stays_without_roles(sqlite_site: MoodleSite) -> None:
    both = enrol(sqlite_site, "both", STUDENT, TEACHER)
    method = metacourse(sqlite_site, (both, TEACHER))
    sqlite_site.execute("UPDATE {enrol} SET status = 1 WHERE id = :id", id=method)
    reset(sqlite_site, "C1;no;no;no;no;student;no;no;no;no")
    assert copied(sqlite_site, method, both) == ([0], [])


@pytest.mark.parametrize(("copies_all", "status"), [(1, 0), (0, 1)])
def test_who_loses_a_role_of_two_loses_it_in_metacourses(sqlite_site: MoodleSite, copies_all: int, status: int) -> None:
    both = enrol(sqlite_site, "both", STUDENT, TEACHER)
    method = metacourse(sqlite_site, (both, STUDENT), syncall=copies_all, nosyncroleids=TEACHER)

    reset(sqlite_site, "C1;no;no;no;no;Student;no;no;no;no")

    assert copied(sqlite_site, method, both) == ([status], [])


def test_who_stays_by_another_method_stays_in_metacourses_with_its_dates(sqlite_site: MoodleSite) -> None:
    pupil = enrol(sqlite_site, "pupil", STUDENT)
    other = sqlite_site.insert("enrol", enrol="cohort", status=0, courseid=sqlite_site.ids["C1"], sortorder=5)
    insert(
        sqlite_site, "user_enrolments", {"enrolid": other, "userid": pupil, "status": 0, "timestart": 7, "timeend": 9}
    )
    method = metacourse(sqlite_site, (pupil, STUDENT))

    reset(sqlite_site, "C1;no;no;no;no;student;no;no;no;no")

    assert copied(sqlite_site, method, pupil) == ([0], [STUDENT])
    row = sqlite_site.one("user_enrolments", enrolid=method, userid=pupil)
    assert (row["timestart"], row["timeend"]) == (7, 9)


def test_roles_are_named_in_any_case_and_one_spelled_alike_goes_before(sqlite_site: MoodleSite) -> None:
    own = insert(sqlite_site, "role", {"shortname": "STUDENT", "name": "", "sortorder": 99})
    pupil, other = enrol(sqlite_site, "pupil", STUDENT), enrol(sqlite_site, "other", own)

    reset(sqlite_site, "C1;no;no;no;no;STUDENT;no;no;no;no")
    assert [len(sqlite_site.rows("user_enrolments", userid=userid)) for userid in (pupil, other)] == [1, 0]

    reset(sqlite_site, "C1;no;no;no;no;Student;no;no;no;no")
    assert sqlite_site.rows("user_enrolments", userid=pupil) == []


@pytest.mark.parametrize(
    ("cell", "kept"), [("oui", 0), ("WAHR", 0), ("all", 0), ("x", 0), ("non", 1), ("none", 1), ("FALSCH", 1)]
)
def test_yes_and_no_are_read_in_every_language(sqlite_site: MoodleSite, cell: str, kept: int) -> None:
    insert(sqlite_site, "event", {"courseid": sqlite_site.ids["C1"], "name": "E", "description": "", "timemodified": 1})

    result = reset(sqlite_site, f"C1;{cell};no;no;no;no;no;no;no;no")

    assert result.codes == ["course_reset_nothing" if kept else "course_reset"]
    assert len(sqlite_site.rows("event", courseid=sqlite_site.ids["C1"])) == kept


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ("no;no;no;oui;no;no;no;no;no", "value_not_among"),
        ("no;no;no;no;no;no;yes;no;no", "value_not_among"),
        ("no;no;no;no;no;no;no;x;no", "value_not_among"),
        ("no;no;no;no;no;1;no;no;no", "value_not_among"),
        ("no;no;no;no;no;no;member;no;no", "value_not_among"),
        ("no;no;no;no;ja;no;no;no;no", "course_reset_roles_yes"),
        ("no;perhaps;no;no;no;no;no;no;no", "value_not_flag"),
    ],
)
def test_a_cell_that_would_do_nothing_rejects_its_row(sqlite_site: MoodleSite, cells: str, code: str) -> None:
    assert reset(sqlite_site, f"C1;{cells}").codes == [code]


def test_no_is_read_in_every_language_where_a_column_has_words_of_its_own(sqlite_site: MoodleSite) -> None:
    result = reset(sqlite_site, "C1;NEIN;non;0;falso;nein;none;nee;não;faux")
    assert result.codes == ["course_reset_nothing"]


def test_several_words_may_stand_in_a_cell(sqlite_site: MoodleSite) -> None:
    group = insert(sqlite_site, "groups", {"courseid": sqlite_site.ids["C1"], "name": "G"})
    insert(sqlite_site, "groups_members", {"groupid": group, "userid": sqlite_site.ids["ann"]})

    result = reset(sqlite_site, "C1;no;no;no;grades, items;no;no;members groups;no;quiz,choice")

    assert result.codes == ["course_reset"]
    assert sqlite_site.rows("groups", id=group) == []


@pytest.mark.parametrize(
    ("columns", "cells"), [("", "C1;maybe;no;no"), (";chat", f"C1;{NOTHING};;2"), (";completion", f"C1;{NOTHING};;-")]
)
def test_what_is_neither_yes_nor_no_rejects_the_row(sqlite_site: MoodleSite, columns: str, cells: str) -> None:
    assert reset(sqlite_site, cells, header=HEADER + columns).codes == ["value_not_flag"]


LATER_LINES = [
    ("all;no;all;all;all;all;all;all;all", "all;no;all;all;all;all;all;all;all"),
    ("no;no;no;no;student;no;no;no;no", "no;no;no;grades;student editingteacher;all;members;no;forum"),
    ("no;no;no;no;no;no;all;no;no", "no;no;no;no;no;no;members;members;quiz assign"),
    ("no;no;no;no;no;no;no;no;quiz", "no;no;no;grades;no;no;no;no;quiz choice"),
    ("no;no;no;grades;no;no;no;no;no", "no;no;no;all;no;no;no;no;quiz"),
    ("no;no;no;grades;no;no;no;no;no", "no;no;no;grades;no;no;no;no;no"),
]


@pytest.mark.parametrize(("first", "second"), LATER_LINES)
def test_a_simulation_knows_what_an_earlier_line_took(sqlite_site: MoodleSite, first: str, second: str) -> None:
    for name in ("one", "two"):
        userid = enrol(sqlite_site, name, STUDENT)
        group = insert(sqlite_site, "groups", {"courseid": sqlite_site.ids["C1"], "name": name})
        insert(sqlite_site, "groups_members", {"groupid": group, "userid": userid})
    enrol(sqlite_site, "both", STUDENT, TEACHER)
    quiz, _item = graded_quiz(sqlite_site)
    insert(sqlite_site, "quiz_overrides", {"quiz": quiz, "groupid": group, "userid": None})
    insert(sqlite_site, "event", {"courseid": sqlite_site.ids["C1"], "name": "E", "description": "", "timemodified": 1})

    simulated = reset(sqlite_site, f"C1;{first}", f"C1;{second}", simulate=True)
    done = reset(sqlite_site, f"C1;{first}", f"C1;{second}")

    assert [outcome.changes for outcome in simulated.outcomes] == [outcome.changes for outcome in done.outcomes]
    assert simulated.codes == done.codes
