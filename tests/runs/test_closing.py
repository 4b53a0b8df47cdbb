"""What comes after the last row: about one object at a time, those that were planned, and one that is kept costs no other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pytest
from pytest_django import Settings

from sync.models import RunState, SyncRun
from sync.moodle.courses.order import Misplaced
from sync.processors.cohorts.processor import Cohorts
from sync.processors.courses.processor import Courses
from sync.runs import decisions, services
from sync.runs.outcome_store import read_rows
from sync.runs.rights import OPERATOR
from sync.values import Action
from tests.installation import Installation
from tests.keeping_triggers import KEPT, kept_row
from tests.moodle_sites import MoodleSite
from tests.runs.test_interruptions import die_at
from tests.runs.undo_checks import undo

EVERYWHERE = pytest.mark.sites("sqlite:4.5", "mariadb:5.2", "postgresql:4.5")
NAMES = ["A", "B", "C", "D", "E"]
BY_NAMES = {"courseidentifier": "shortname", "groupidentifier": "name", "useridentifier": "username"}


@pytest.fixture(autouse=True)
def small_chunks(settings: Settings) -> None:
    settings.TOOLSYNC_CHUNK_ROWS = 3
    settings.TOOLSYNC_GUARD = False


def told(run: SyncRun) -> list[tuple[int, str, str, str]]:
    return [(outcome.line, outcome.action.value, outcome.code, outcome.subject) for outcome in read_rows(run)]


def closed(run: SyncRun, rows: int) -> list[tuple[str, str]]:
    """Return what became of the objects after the last row of a file."""
    return [(code, subject) for line, _action, code, subject in told(run) if line > rows + 1]


def add_cohorts(moodle: MoodleSite, names: Sequence[str] = NAMES, *, users: Sequence[str] = ("ann",)) -> dict[str, int]:
    """Add cohorts with members."""
    system = moodle.one("context", contextlevel=10)["id"]
    ids = {}
    for name in names:
        ids[name] = moodle.insert(
            "cohort", contextid=system, name=name, idnumber=f"K{name}", descriptionformat=1, component="", timecreated=1,
            timemodified=1,
        )  # fmt: skip
        for user in users:
            moodle.insert(
                "cohort_members", cohortid=ids[name], userid=moodle.one("user", username=user)["id"], timeadded=1
            )
    return ids


def add_groups(moodle: MoodleSite, names: Sequence[str] = NAMES) -> None:
    """Add groups without members, each in a grouping of its own, in a course in which ann is."""
    course = moodle.ids["C1"]
    enrol(moodle, "ann")
    for name in names:
        group = moodle.insert("groups", courseid=course, name=name, descriptionformat=1, timecreated=1, timemodified=1)
        grouping = moodle.insert(
            "groupings", courseid=course, name=f"of {name}", descriptionformat=1, timecreated=1, timemodified=1
        )
        moodle.insert("groupings_groups", groupingid=grouping, groupid=group, timeadded=1)


def enrol(moodle: MoodleSite, username: str) -> None:
    moodle.insert(
        "user_enrolments", enrolid=moodle.ids["C1 manual"], userid=moodle.one("user", username=username)["id"], status=0,
        timestart=1, timeend=0, timecreated=1, timemodified=1,
    )  # fmt: skip


def add_people(moodle: MoodleSite, names: Sequence[str] = NAMES) -> None:
    for name in names:
        moodle.insert(
            "user", auth="ldap", confirmed=1, mnethostid=1, username=name.lower(), firstname="First", lastname="Last"
        )


def leave_all(names: Sequence[str] = NAMES) -> str:
    return "cmd;cidnumber;userid\n" + "".join(f"del;K{name};ann\n" for name in names)


def check_rejected(installation: Installation, run: SyncRun, code: str, *names: str) -> None:
    """Check that objects are rejected, counted, said first in the report, and in no tryback."""
    assert (run.state, run.error_code) == (RunState.COMPLETED_WITH_REJECTIONS, "")
    assert run.counts["rejected"] == len(names)
    assert run.failed_rows == 0
    assert [(o.code, o.subject) for o in read_rows(run, Action.REJECTED)] == [(code, name) for name in names]
    report = installation.own_file(run, "report")
    needs = report[report.index("What needs you") :]
    assert f"[{code}]" in needs.splitlines()[1]
    assert KEPT in report
    assert not run.files.filter(kind="tryback").exists()


# --- what the database keeps ------------------------------------------------------------------------------------------


@EVERYWHERE
def test_an_emptied_cohort_that_the_database_keeps_costs_no_other(installation_everywhere: Installation) -> None:
    installation, moodle = installation_everywhere, installation_everywhere.moodle
    add_cohorts(moodle)
    with kept_row(moodle, "DELETE", "cohort", "OLD.name IN ('B', 'E')"):
        run = installation.carry_out(
            "/in.csv", leave_all(), processor="cohorts", syncdelete=1, useridentifier="username"
        )

    check_rejected(installation, run, "emptied_left_refused", "B", "E")
    assert closed(run, len(NAMES)) == [
        (("emptied_left_refused" if name in "BE" else "cohort_deleted_empty"), name) for name in NAMES
    ]
    assert {row["name"] for row in moodle.rows("cohort")} & set(NAMES) == {"B", "E"}
    assert dict(run.notes)["cohorts_deleted_empty"] == {"count": 3, "names": "A, C, D"}
    assert run.counts == {"deleted": len(NAMES) + 3, "rejected": 2}


@EVERYWHERE
@pytest.mark.parametrize(
    ("key", "text", "options"),
    [
        ("groupmembers", "cmd;courseid;groupid;userid\ndel;C1;A;ann\n", BY_NAMES),
        ("enrolments", "cmd;cid;uid;rolename;enrol\nadd;C1;ann;student;manual\n", {}),
    ],
)
def test_an_empty_group_that_the_database_keeps_stays_with_its_grouping(
    installation_everywhere: Installation, key: str, text: str, options: dict[str, str]
) -> None:
    installation, moodle = installation_everywhere, installation_everywhere.moodle
    add_groups(moodle)
    with kept_row(moodle, "DELETE", "groups", "OLD.name = 'C'"):
        run = installation.carry_out("/in.csv", text, processor=key, purgeemptygroups=2, **options)

    check_rejected(installation, run, "emptied_left_refused", "C")
    # A real site has groups of its own.
    assert {row["name"] for row in moodle.rows("groups")} & set(NAMES) == {"C"}
    assert [row["name"] for row in moodle.rows("groupings") if row["name"].startswith("of ")] == ["of C"]
    purged = {code: dict(run.notes)[code]["names"].split(", ") for code in ("groups_purged", "groupings_purged")}
    assert [name for name in purged["groups_purged"] if name in NAMES] == ["A", "B", "D", "E"]
    assert [name for name in purged["groupings_purged"] if name.startswith("of ")] == ["of A", "of B", "of D", "of E"]
    assert [line for line, *_rest in told(run)] == list(range(2, 4 + sum(map(len, purged.values()))))


class Absent(NamedTuple):
    """A complete file, what is absent from it, and which row of that the database keeps."""

    key: str
    text: str
    options: Mapping[str, Any]
    kept: tuple[str, str, str]
    subject: str


ABSENT = {
    "users suspended": Absent(
        "users", "username;firstname;lastname\na;First;Last\n",
        {"absent": "suspend", "absentscope": "auth", "absentname": "ldap", "primaryidentity": "username"},
        ("UPDATE", "user", "OLD.username = 'c'"), "c",
    ),
    "users deleted": Absent(
        "users", "username;firstname;lastname\na;First;Last\n",
        {"absent": "delete", "absentscope": "auth", "absentname": "ldap", "primaryidentity": "username"},
        ("UPDATE", "user", "OLD.username = 'c'"), "c",
    ),
    "members": Absent(
        "cohorts", "cidnumber;userid\nKA;a\n",
        {"absent": "remove", "absentscope": "named", "useridentifier": "username"},
        ("DELETE", "cohort_members", "OLD.userid = (SELECT id FROM {user} WHERE username = 'c')"), "c / KA",
    ),
    "enrolments suspended": Absent(
        "enrolments", "cmd;cid;uid;rolename;enrol\nadd;C1;a;student;manual\n", {"absent": "suspend", "absentscope": "named"},
        ("UPDATE", "user_enrolments", "OLD.userid = (SELECT id FROM {user} WHERE username = 'c')"), "c / C1",
    ),
    "enrolments deleted": Absent(
        "enrolments", "cmd;cid;uid;rolename;enrol\nadd;C1;a;student;manual\n", {"absent": "unenrol", "absentscope": "named"},
        ("DELETE", "user_enrolments", "OLD.userid = (SELECT id FROM {user} WHERE username = 'c')"), "c / C1",
    ),
    "courses hidden": Absent(
        "courses", "shortname;fullname\nC1;Course C1\n",
        {"absent": "hide", "absentscope": "pattern", "absentname": "C*", "absentall": 1},
        ("UPDATE", "course", "OLD.shortname = 'C2'"), "C2",
    ),
}  # fmt: skip


def furnish(moodle: MoodleSite) -> None:
    add_people(moodle)
    people = [name.lower() for name in NAMES]
    add_cohorts(moodle, ["A"], users=people)
    for user in people:
        enrol(moodle, user)


@EVERYWHERE
@pytest.mark.parametrize("name", ABSENT)
def test_an_absentee_whom_the_database_keeps_is_rejected_and_the_others_are_done(
    installation_everywhere: Installation, name: str
) -> None:
    installation, moodle, case = installation_everywhere, installation_everywhere.moodle, ABSENT[name]
    furnish(moodle)
    event, table, where = case.kept
    with kept_row(moodle, event, table, where.format(user=f"{moodle.prefix}user")):
        run = installation.carry_out("/in.csv", case.text, processor=case.key, **case.options)

    check_rejected(installation, run, "absent_left_refused", case.subject)
    done = [o.subject for o in read_rows(run, Action.UPDATED, Action.DELETED) if o.line > 2]
    # A real site has people of its own in its courses.
    ours = [subject for subject in done if subject.partition(" / ")[0] in ("b", "d", "e")]
    assert len(ours) == (0 if case.key == "courses" else 3), done
    (params,) = [params for code, params in run.notes if code.startswith("absent_")]
    # Others of a real site are suspended already.
    assert params["count"] - params["done"] >= 1


ORDER = {
    "courses": "shortname;fullname;category\nNEW1;New;New\nNEW2;New;New\n",
    "categories": "cmd;category;name;parent\nadd;New;;\nadd;Other;;\n",
}


@EVERYWHERE
@pytest.mark.parametrize("key", ORDER)
def test_a_course_that_the_database_keeps_at_its_place_costs_no_other(
    installation_everywhere: Installation, key: str
) -> None:
    installation, moodle = installation_everywhere, installation_everywhere.moodle
    moodle.execute("UPDATE {course} SET sortorder = 0 WHERE shortname = 'C1' OR shortname = 'C2'")
    with kept_row(moodle, "UPDATE", "course", "OLD.shortname = 'C1'"):
        run = installation.carry_out("/in.csv", ORDER[key], processor=key)

    check_rejected(installation, run, "place_left_refused", "C1")
    assert run.counts["created"] == 2
    assert moodle.one("course", shortname="C1")["sortorder"] == 0
    assert moodle.one("course", shortname="C2")["sortorder"] > 0
    places = [row["sortorder"] for row in moodle.rows("course_categories")]
    assert 0 not in places
    assert len(set(places)) == len(places)


@EVERYWHERE
def test_courses_are_deleted_and_undone_beside_one_that_is_kept_at_its_place(
    installation_everywhere: Installation,
) -> None:
    installation, moodle = installation_everywhere, installation_everywhere.moodle
    moodle.execute("UPDATE {course} SET sortorder = 0 WHERE shortname = 'C1'")
    with kept_row(moodle, "UPDATE", "course", "OLD.shortname = 'C1' AND NEW.sortorder <> OLD.sortorder"):
        run = installation.carry_out("/in.csv", "C2\n", processor="courses_delete")
        undone = undo(run)

    check_rejected(installation, run, "place_left_refused", "C1")
    check_rejected(installation, undone, "place_left_refused", "C1")
    assert moodle.one("course", shortname="C2")


def test_the_order_of_a_category_that_goes_is_left_to_the_others(installation: Installation) -> None:
    moodle = installation.moodle
    category = moodle.insert("course_categories", name="Gone", parent=0, sortorder=0, depth=1, path="/99")
    context = moodle.insert("context", contextlevel=40, instanceid=category, depth=2)
    moodle.execute("UPDATE {context} SET path = :path WHERE id = :id", path=f"/1/{context}", id=context)
    moodle.execute("UPDATE {course} SET sortorder = 0 WHERE shortname = 'C1'")
    with kept_row(moodle, "UPDATE", "course", "OLD.shortname = 'C1'"):
        run = installation.carry_out("/in.csv", f"categoryid;path\n{category};Gone\n", processor="categories_delete")

    check_rejected(installation, run, "place_left_refused", "C1")
    assert moodle.rows("course_categories", name="Gone") == []


def test_a_fault_of_ours_over_one_object_costs_no_other(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ids = add_cohorts(installation.moodle)
    original = Cohorts.prepare

    def faulty(self: Cohorts, plan: Any) -> None:
        if any(delete.id == ids["D"] for delete in plan.deletes.get("cohort", ())):
            raise ValueError("a fault")
        original(self, plan)

    monkeypatch.setattr(Cohorts, "prepare", faulty)
    run = installation.carry_out("/in.csv", leave_all(), processor="cohorts", syncdelete=1, useridentifier="username")

    assert run.state == RunState.COMPLETED_WITH_REJECTIONS
    (rejected,) = read_rows(run, Action.REJECTED)
    assert (rejected.code, rejected.subject) == ("object_internal_error", "D")
    assert rejected.params["number"] in caplog.text
    assert {row["name"] for row in installation.moodle.rows("cohort")} & set(NAMES) == {"D"}


def stumble_over(monkeypatch: pytest.MonkeyPatch, name: str, subject: str) -> None:
    """Let a function of cohorts that looks for the next objects stumble where one of them is this."""
    original = getattr(Cohorts, name)

    def faulty(self: Cohorts, end: Any) -> Any:
        plan = original(self, end)
        if plan is not None and any(outcome.subject == subject for outcome in plan.outcomes):
            raise KeyError("a fault")
        return plan

    monkeypatch.setattr(Cohorts, name, faulty)


MEMBERS = {"absent": "remove", "absentscope": "named", "useridentifier": "username", "syncdelete": 1}


def members_file(installation: Installation) -> str:
    """Make cohorts of which one is emptied by rows, and one has members who are absent; return the file."""
    moodle = installation.moodle
    add_people(moodle)
    add_cohorts(moodle, ["A"], users=[name.lower() for name in NAMES])
    add_cohorts(moodle, ["B"])
    return "cmd;cidnumber;userid\nadd;KA;a\ndel;KB;ann\n"


def check_part_ended(installation: Installation, run: SyncRun, code: str) -> str:
    """Check that a part of what comes after the last row ended with a line that is counted and said first; return its number."""
    assert (run.state, run.error_code, run.failed_rows) == (RunState.COMPLETED_WITH_REJECTIONS, "", 0)
    (rejected,) = read_rows(run, Action.REJECTED)
    assert (rejected.code, rejected.subject, run.counts["rejected"]) == (code, "", 1)
    report = installation.own_file(run, "report")
    needs = report[report.index("What needs you") :].splitlines()
    assert f"[{code}]" in needs[1]
    assert rejected.params["number"] in report
    assert not run.files.filter(kind="tryback").exists()
    return str(rejected.params["number"])


def test_a_fault_of_ours_while_looking_for_who_is_absent_ends_that_part_and_no_other(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    text = members_file(installation)
    stumble_over(monkeypatch, "next_closing_plan", "d / KA")
    run = installation.carry_out("/in.csv", text, processor="cohorts", **MEMBERS)

    assert check_part_ended(installation, run, "absent_internal_error") in caplog.text
    assert [subject for code, subject in closed(run, 2) if code == "absent_member_removed"] == ["b / KA", "c / KA"]
    assert closed(run, 2)[-1] == ("cohort_deleted_empty", "B")
    assert [line for line, *_rest in told(run)] == list(range(2, len(told(run)) + 2))
    # Without the fault the same file does the rest.
    monkeypatch.undo()
    again = installation.carry_out("/in.csv", text.partition("del")[0], processor="cohorts", **MEMBERS)
    assert [subject for _code, subject in closed(again, 1)] == ["d / KA", "e / KA"]


def test_a_fault_of_ours_while_looking_for_what_is_empty_ends_that_part(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_cohorts(installation.moodle)
    stumble_over(monkeypatch, "next_emptied_plan", "C")
    run = installation.carry_out("/in.csv", leave_all(), processor="cohorts", syncdelete=1, useridentifier="username")

    check_part_ended(installation, run, "emptied_internal_error")
    assert {row["name"] for row in installation.moodle.rows("cohort")} & set(NAMES) == {"C", "D", "E"}


def test_what_a_plan_could_not_look_for_is_not_done_when_it_is_applied(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = members_file(installation)
    stumble_over(monkeypatch, "next_closing_plan", "d / KA")
    plan = installation.carry_out("/in.csv", text, processor="cohorts", simulate=True, **MEMBERS)
    number = check_part_ended(installation, plan, "absent_internal_error")
    monkeypatch.undo()
    run = services.execute_run(decisions.apply_plan(plan, OPERATOR).pk)

    # It says once more what the plan has said.
    assert check_part_ended(installation, run, "absent_internal_error") == number
    left = dict(run.notes)
    assert left["absent_left_changed"] == {"count": 2, "names": "d / KA, e / KA"}
    assert "planned_objects_left" not in left
    members = {
        installation.moodle.one("user", id=row["userid"])["username"]
        for row in installation.moodle.rows("cohort_members")
    }
    assert {"a", "d", "e"} <= members
    assert not members & {"b", "c"}


@pytest.mark.parametrize("call", range(1, 5))
@pytest.mark.parametrize("place", [("prepare", False), ("confirm", True)])
def test_a_run_killed_beside_a_part_that_ended_ends_like_an_undisturbed_one(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, place: tuple[str, bool], call: int
) -> None:
    run = installation.queue("/in.csv", members_file(installation), in_background=False, processor="cohorts", **MEMBERS)
    stumble_over(monkeypatch, "next_closing_plan", "d / KA")
    die_at(monkeypatch, run, place[0], call, before=place[1])
    ended = services.execute_run(run.pk)

    check_part_ended(installation, ended, "absent_internal_error")
    assert [subject for _code, subject in closed(ended, 2)] == ["b / KA", "c / KA", "", "B"]


def test_a_fault_of_ours_while_the_order_is_looked_at_costs_no_row(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.moodle.execute("UPDATE {course} SET sortorder = 0 WHERE shortname = 'C1' OR shortname = 'C2'")
    original = Courses.final_plan

    def faulty(self: Courses, places: Sequence[Misplaced] | None = None) -> Any:
        if places is None or any(
            place.table == "course" and place.change.id == installation.moodle.ids["C1"] for place in places
        ):
            raise KeyError("a fault")
        return original(self, places)

    monkeypatch.setattr(Courses, "final_plan", faulty)
    run = installation.carry_out("/in.csv", ORDER["courses"], processor="courses")

    assert run.state == RunState.COMPLETED_WITH_REJECTIONS
    (rejected,) = read_rows(run, Action.REJECTED)
    assert (rejected.code, rejected.subject) == ("object_internal_error", "C1")
    assert installation.moodle.one("course", shortname="C2")["sortorder"] > 0


@pytest.mark.parametrize("call", range(1, 7))
@pytest.mark.parametrize("place", [("prepare", True), ("prepare", False), ("confirm", True)])
def test_a_run_killed_beside_an_object_that_is_kept_ends_like_an_undisturbed_one(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, place: tuple[str, bool], call: int
) -> None:
    add_cohorts(installation.moodle)
    options = {"processor": "cohorts", "syncdelete": 1, "useridentifier": "username"}
    run = installation.queue("/in.csv", leave_all(), in_background=False, **options)
    with kept_row(installation.moodle, "DELETE", "cohort", "OLD.name = 'B'"):
        die_at(monkeypatch, run, place[0], call, before=place[1])
        ended = services.execute_run(run.pk)

    check_rejected(installation, ended, "emptied_left_refused", "B")
    assert closed(ended, len(NAMES)) == [
        (("emptied_left_refused" if name == "B" else "cohort_deleted_empty"), name) for name in NAMES
    ]
    assert dict(ended.notes)["cohorts_deleted_empty"] == {"count": 4, "names": "A, C, D, E"}


def test_rows_that_failed_are_in_the_tryback_and_objects_are_not(installation: Installation) -> None:
    add_cohorts(installation.moodle)
    with kept_row(installation.moodle, "DELETE", "cohort", "OLD.name = 'B'"):
        run = installation.carry_out(
            "/in.csv", leave_all() + "del;KA;nobody\n", processor="cohorts", syncdelete=1, useridentifier="username"
        )

    assert (run.counts["rejected"], run.failed_rows) == (2, 1)
    tryback = installation.own_file(run, "tryback")
    assert "nobody" in tryback
    assert "KB" not in tryback
    report = installation.own_file(run, "report")
    assert report.index("[emptied_left_refused]") < report.index("1 row, line 7 [")
    assert "in no tryback" in report


# --- what has changed since the plan ----------------------------------------------------------------------------------


def plan_and_apply(installation: Installation, text: str, *statements: str, **options: Any) -> SyncRun:
    """Simulate a file, let somebody change Moodle by hand, and apply the simulation. Shape: statements: of these changes"""
    planned = installation.carry_out("/in.csv", text, simulate=True, **options)
    assert planned.state == RunState.COMPLETED, (planned.state, planned.error_code, planned.error_params)
    for statement in statements:
        installation.moodle.execute(statement)
    return services.execute_run(decisions.apply_plan(planned, OPERATOR).pk)


def names_in(run: SyncRun, code: str) -> set[str]:
    return set(str(dict(run.notes).get(code, {}).get("names", "")).split(", ")) - {""}


NEW_USER = (
    "INSERT INTO {{user}} (auth, confirmed, mnethostid, username, firstname, lastname) "
    "VALUES ('ldap', 1, 1, '{name}', 'First', 'Last')"
)


@pytest.mark.parametrize("absent", ["suspend", "delete"])
def test_users_renamed_and_replaced_since_the_plan_are_left_and_named(installation: Installation, absent: str) -> None:
    moodle = installation.moodle
    add_people(moodle)
    case = ABSENT["users suspended"]
    ids = {user["username"]: user["id"] for user in moodle.rows("user", auth="ldap")}

    run = plan_and_apply(
        installation, case.text,
        # c becomes somebody else, and somebody else becomes c; d is done by hand; f comes.
        "UPDATE {user} SET username = 'renamed' WHERE username = 'c'", NEW_USER.format(name="c"),
        "UPDATE {user} SET suspended = 1, deleted = 1 WHERE username = 'd'", NEW_USER.format(name="f"),
        **{**case.options, "absent": absent},
    )  # fmt: skip

    assert run.state == RunState.COMPLETED_WITH_REJECTIONS
    assert [(o.code, o.subject) for o in read_rows(run, Action.REJECTED)] == [("object_changed_since_plan", "renamed")]
    code = "absent_user_suspended" if absent == "suspend" else "absent_user_deleted"
    assert [each for each in closed(run, 1) if each[0] == code] == [(code, "b"), (code, "e")]
    assert names_in(run, "absent_left_changed") == {"c", "f"}
    assert names_in(run, "planned_objects_left") == {"d"}
    left = [user for user in moodle.rows("user") if not user["suspended"] and not user["deleted"]]
    assert {"renamed", "c", "f"} <= {user["username"] for user in left}
    assert ids["c"] in {user["id"] for user in left}


def test_members_put_in_anew_and_cohorts_renamed_since_the_plan_are_left_and_named(installation: Installation) -> None:
    moodle = installation.moodle
    furnish(moodle)
    add_cohorts(moodle, ["B"], users=["b", "c"])
    case = ABSENT["members"]

    run = plan_and_apply(
        installation, "cidnumber;userid\nKA;a\nKB;a\n",
        "UPDATE {user} SET username = 'renamed' WHERE username = 'c'", NEW_USER.format(name="c"),
        "INSERT INTO {cohort_members} (cohortid, userid, timeadded) SELECT cohort.id, person.id, 1 FROM {cohort} cohort, "
        "{user} person WHERE cohort.idnumber = 'KA' AND person.username = 'c'",
        "DELETE FROM {cohort_members} WHERE userid = (SELECT id FROM {user} WHERE username = 'd')",
        processor="cohorts", **case.options,
    )  # fmt: skip

    assert [(o.code, o.subject) for o in read_rows(run, Action.REJECTED)] == [
        ("object_changed_since_plan", "renamed / KA"), ("object_changed_since_plan", "renamed / KB"),
    ]  # fmt: skip
    assert {o.subject for o in read_rows(run, Action.DELETED)} == {"b / KA", "b / KB", "e / KA"}
    assert names_in(run, "absent_left_changed") == {"c / KA"}
    assert names_in(run, "planned_objects_left") == {"d / KA"}
    new = moodle.one("user", username="c")["id"]
    assert len(moodle.rows("cohort_members", userid=new)) == 1


def test_enrolments_made_anew_since_the_plan_are_left_and_named(installation: Installation) -> None:
    moodle = installation.moodle
    furnish(moodle)
    case = ABSENT["enrolments deleted"]
    manual = moodle.ids["C1 manual"]

    run = plan_and_apply(
        installation, case.text,
        # Taken out and put in again by hand: it is another enrolment.
        "DELETE FROM {user_enrolments} WHERE userid = (SELECT id FROM {user} WHERE username = 'b')",
        "INSERT INTO {user_enrolments} (id, enrolid, userid, status, timestart, timeend, timecreated, timemodified) "
        f"SELECT 9000, {manual}, id, 0, 1, 0, 1, 1 FROM {{user}} WHERE username = 'b'",
        "UPDATE {user} SET username = 'renamed' WHERE username = 'c'",
        processor=case.key, **case.options,
    )  # fmt: skip

    assert [(o.code, o.subject) for o in read_rows(run, Action.REJECTED)] == [
        ("object_changed_since_plan", "renamed / C1")
    ]
    assert {o.subject for o in read_rows(run, Action.DELETED)} == {"d / C1", "e / C1"}
    assert names_in(run, "absent_left_changed") == {"b / C1"}
    assert names_in(run, "planned_objects_left") == {"b / C1"}


def test_courses_replaced_since_the_plan_are_left_and_named(installation: Installation) -> None:
    case = ABSENT["courses hidden"]
    moodle = installation.moodle

    run = plan_and_apply(
        installation, case.text,
        "UPDATE {course} SET shortname = 'COLD' WHERE shortname = 'C2'",
        "INSERT INTO {course} (category, shortname, fullname, visible, visibleold) VALUES (1, 'C2', 'A new one', 1, 1)",
        "INSERT INTO {context} (contextlevel, instanceid, depth, path) SELECT 50, id, 3, '/1/3/9999' FROM {course} "
        "WHERE shortname = 'C2'",
        processor=case.key, **case.options,
    )  # fmt: skip

    assert [(o.code, o.subject) for o in read_rows(run, Action.REJECTED)] == [("object_changed_since_plan", "COLD")]
    assert names_in(run, "absent_left_changed") == {"C2"}
    assert moodle.rows("course", visible=0) == []


def test_emptied_cohorts_renamed_replaced_and_filled_since_the_plan_are_left_and_named(
    installation: Installation,
) -> None:
    moodle = installation.moodle
    add_cohorts(moodle)

    run = plan_and_apply(
        installation, leave_all() + "add;KNEW;ann\ndel;KNEW;ann\n",
        "UPDATE {cohort} SET name = 'Renamed' WHERE name = 'B'",
        "INSERT INTO {cohort_members} (cohortid, userid, timeadded) SELECT id, 2, 1 FROM {cohort} WHERE name = 'D'",
        processor="cohorts", syncdelete=1, useridentifier="username",
    )  # fmt: skip

    assert [(o.code, o.subject) for o in read_rows(run, Action.REJECTED)] == [("object_changed_since_plan", "Renamed")]
    emptied = [subject for code, subject in closed(run, len(NAMES) + 2) if code == "cohort_deleted_empty"]
    assert sorted(emptied) == ["A", "C", "E", "KNEW"]
    assert names_in(run, "planned_objects_left") == {"D"}
    assert {row["name"] for row in moodle.rows("cohort")} & {*NAMES, "Renamed"} == {"Renamed", "D"}


def test_groups_that_became_empty_since_the_plan_are_left_and_named(installation: Installation) -> None:
    moodle = installation.moodle
    add_groups(moodle, ["A", "B"])
    course = moodle.ids["C1"]

    run = plan_and_apply(
        installation, "cmd;courseid;groupid;userid\ndel;C1;A;ann\n",
        # B is another one by now, of the same name.
        "DELETE FROM {groupings_groups} WHERE groupid = (SELECT id FROM {groups} WHERE name = 'B')",
        "UPDATE {groups} SET id = 9000 WHERE name = 'B'",
        f"INSERT INTO {{groups}} (courseid, name, idnumber, timecreated, timemodified) VALUES ({course}, 'C', '', 1, 1)",
        processor="groupmembers", purgeemptygroups=2, **BY_NAMES,
    )  # fmt: skip

    assert run.state == RunState.COMPLETED
    assert closed(run, 1) == [("group_purged", "A"), ("grouping_purged", "of A"), ("grouping_purged", "of B")]
    assert names_in(run, "emptied_left_unplanned") == {"B", "C"}
    assert names_in(run, "planned_objects_left") == {"B"}
    assert {row["name"] for row in moodle.rows("groups")} == {"B", "C"}


def test_what_a_plan_has_shown_is_what_is_done_where_nothing_has_changed(installation: Installation) -> None:
    add_cohorts(installation.moodle)
    run = plan_and_apply(installation, leave_all(), processor="cohorts", syncdelete=1, useridentifier="username")

    assert run.plan is not None
    assert told(run) == told(run.plan)
    assert dict(run.notes) == dict(run.plan.notes)
