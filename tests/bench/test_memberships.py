"""`enrolments`, `groupmembers` and `cohorts`: memberships made, found unchanged and taken away."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.bench.figures import QUERIES_PER_1000_ROWS, Line
from tests.bench.fixtures import ToolSyncOn
from tests.bench.kit import REPETITIONS, Floor, Measured, OldPattern, ToolSync
from tests.bench.people import write_people

COURSES = 200
ENROLMENTS = 10_000
COHORT_MEMBERS = 50_000
DELETIONS = 100_000
OLD_ROWS = 300
SERVERS = ("mariadb", "postgresql")


def write_file(path: Path, header: str, rows: Iterable[str]) -> Path:
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return path


def furnish(toolsync: ToolSync, folder: Path, people: int) -> Floor:
    """Put people and courses there; what is given clears them away."""
    tables = (
        "user", "context", "course", "course_sections", "course_format_options", "forum", "course_modules", "enrol",
        "course_categories",
    )  # fmt: skip
    furniture = Floor(toolsync.site, *tables)
    toolsync.run("users", write_people(folder / "people.csv", people))
    courses = (f"BENCH{n};Course {n};Bench" for n in range(COURSES))
    toolsync.run("courses", write_file(folder / "courses.csv", "shortname;fullname;category", courses))
    return furniture


def enrolment_rows(count: int, people: int, command: str, group: str = "") -> Iterable[str]:
    """Everybody in several courses, so that no two rows are alike."""
    for n in range(count):
        course = (n + n // people) % COURSES
        yield f"{command};BENCH{course};kim{n % people:07};student;manual" + (f";gaddcreate;{group}" if group else "")


def enrol_in_the_old_way(old: OldPattern, n: int) -> None:
    """The 14 statements for an enrolment without a group."""
    course = old.select("course", shortname=f"BENCH{n % COURSES}")
    user = old.select("user", username=f"kim{n:07}")
    old.select("role", shortname="student")
    instance = old.select("enrol", courseid=course[0], enrol="manual", status=0)
    old.select("context", contextlevel=50, instanceid=course[0])
    old.select("user_enrolments", enrolid=instance[0], userid=user[0])
    old.insert(
        "user_enrolments", enrolid=instance[0], userid=user[0], status=0, timestart=1, timeend=0, modifierid=2, timecreated=1,
        timemodified=1,
    )  # fmt: skip
    old.select("context", contextlevel=50, instanceid=course[0])
    old.select("user", id=user[0])
    old.select("role_assignments", contextid=instance[0], userid=user[0], roleid=5)
    old.insert(
        "role_assignments", roleid=5, contextid=instance[0], userid=user[0], component="", itemid=0, timemodified=1
    )
    old.select("cache_flags", flagtype="accesslib/dirtyusers", name=str(user[0]))
    old.insert("cache_flags", flagtype="accesslib/dirtyusers", name=str(user[0]), value="1", timemodified=1, expiry=2)
    old.select("forum", course=course[0], forcesubscribe=2)


def join_cohort_in_the_old_way(old: OldPattern, n: int) -> None:
    """The 6 statements for a member of a cohort."""
    cohort = old.select("cohort", idnumber="BENCH")
    user = old.select("user", username=f"kim{n:07}")
    old.select("cohort_members", cohortid=cohort[0], userid=user[0])
    old.insert("cohort_members", cohortid=cohort[0], userid=user[0], timeadded=1)
    old.select("enrol", enrol="cohort", customint1=cohort[0])
    old.select("cohort", id=cohort[0])


@pytest.mark.parametrize("server", SERVERS)
def test_people_are_enrolled_with_groups(
    server: str, toolsync_on: ToolSyncOn, figures: list[Line], tmp_path: Path
) -> None:
    toolsync = toolsync_on(server)
    furniture = furnish(toolsync, tmp_path, ENROLMENTS)
    header = "cmd;cid;uid;rolename;enrol;gcmd;g1"
    with_groups = write_file(
        tmp_path / "groups.csv", header, enrolment_rows(ENROLMENTS, ENROLMENTS, "add", "Bench group")
    )
    plain = write_file(
        tmp_path / "plain.csv", header.removesuffix(";gcmd;g1"), enrolment_rows(ENROLMENTS, ENROLMENTS, "add")
    )
    enrolled, grouped, unchanged, floors, group_floors, old_ways = [], [], [], [], [], []
    for _repetition in range(REPETITIONS):
        floor = Floor(toolsync.site, "user_enrolments", "role_assignments")
        flags = Floor(toolsync.site, "cache_flags", "groups", "groups_members")
        enrolled.append(toolsync.run("enrolments", plain))
        floor.take()
        floor.clear()
        floors.append(enrolled[-1].seconds / floor.write())
        floor.clear()
        flags.clear()
        with_members = Floor(toolsync.site, "user_enrolments", "role_assignments", "groups_members")
        grouped.append(toolsync.run("enrolments", with_groups))
        unchanged.append(toolsync.run("enrolments", with_groups))
        with_members.take()
        with_members.clear()
        group_floors.append(grouped[-1].seconds / with_members.write())
        with_members.clear()
        flags.clear()
        old = OldPattern(toolsync.site)
        seconds = old.seconds_per_row(enrol_in_the_old_way, range(OLD_ROWS))
        old_ways.append(seconds * ENROLMENTS / enrolled[-1].seconds)
        floor.clear()
        flags.clear()
    furniture.clear()

    figures += [
        Line("enrolments", server, enrolled, floors, old_ways, most={"x floor": 2.5}, least={"x old": 30}),
        Line("enrolments with a group", server, grouped, group_floors, most={"x floor": 2.5}),
        Line("enrolments unchanged", server, unchanged, least={"rows/s": 20_000}),
    ]
    _assert_all([*enrolled, *grouped], "created")
    _assert_all(unchanged, "unchanged")


@pytest.mark.parametrize("server", SERVERS)
def test_a_cohort_gets_its_members(server: str, toolsync_on: ToolSyncOn, figures: list[Line], tmp_path: Path) -> None:
    toolsync = toolsync_on(server)
    furniture = furnish(toolsync, tmp_path, COHORT_MEMBERS)
    rows = (f"Bench;BENCH;kim{n:07}" for n in range(COHORT_MEMBERS))
    file = write_file(tmp_path / "cohort.csv", "cname;cidnumber;userid", rows)
    joined, unchanged, floors, old_ways = [], [], [], []
    for _repetition in range(REPETITIONS):
        cohort, floor = Floor(toolsync.site, "cohort"), Floor(toolsync.site, "cohort_members")
        joined.append(toolsync.run("cohorts", file, useridentifier="username"))
        unchanged.append(toolsync.run("cohorts", file, useridentifier="username"))
        floor.take()
        floor.clear()
        floors.append(joined[-1].seconds / floor.write())
        floor.clear()
        seconds = OldPattern(toolsync.site).seconds_per_row(join_cohort_in_the_old_way, range(OLD_ROWS))
        old_ways.append(seconds * COHORT_MEMBERS / joined[-1].seconds)
        floor.clear()
        cohort.clear()
    furniture.clear()

    figures += [
        Line("cohort members", server, joined, floors, old_ways, most={"x floor": 2.5}, least={"x old": 30}),
        Line("cohort members unchanged", server, unchanged, least={"rows/s": 20_000}),
    ]
    _assert_all(unchanged, "unchanged")


@pytest.mark.parametrize("server", SERVERS)
def test_groups_get_their_members(server: str, toolsync_on: ToolSyncOn, figures: list[Line], tmp_path: Path) -> None:
    toolsync = toolsync_on(server)
    furniture = furnish(toolsync, tmp_path, ENROLMENTS)
    dependent_tables = Floor(toolsync.site, "user_enrolments", "role_assignments", "groups", "cache_flags")
    toolsync.run(
        "enrolments",
        write_file(tmp_path / "plain.csv", "cmd;cid;uid;rolename;enrol", enrolment_rows(ENROLMENTS, ENROLMENTS, "add")),
    )
    groups = (f"BENCH{n};Bench group;BG" for n in range(COURSES))
    toolsync.run("groups", write_file(tmp_path / "groups.csv", "courseid;name;idnumber", groups))
    rows = (f"BENCH{(n + n // ENROLMENTS) % COURSES};BG;kim{n:07}" for n in range(ENROLMENTS))
    file = write_file(tmp_path / "members.csv", "courseid;groupid;userid", rows)
    joined, unchanged, floors = [], [], []
    for _repetition in range(REPETITIONS):
        floor = Floor(toolsync.site, "groups_members")
        joined.append(toolsync.run("groupmembers", file))
        unchanged.append(toolsync.run("groupmembers", file))
        floor.take()
        floor.clear()
        floors.append(joined[-1].seconds / floor.write())
        floor.clear()
    dependent_tables.clear()
    furniture.clear()

    figures += [
        Line("group members", server, joined, floors, most={"x floor": 2.5}),
        Line("group members unchanged", server, unchanged, least={"rows/s": 20_000}),
    ]
    _assert_all(unchanged, "unchanged")


def test_many_enrolments_are_taken_away(toolsync_on: ToolSyncOn, figures: list[Line], tmp_path: Path) -> None:
    toolsync = toolsync_on("mariadb")
    people = DELETIONS // 10
    furniture = furnish(toolsync, tmp_path, people)
    dependent_tables = Floor(toolsync.site, "user_enrolments", "role_assignments", "cache_flags")
    header = "cmd;cid;uid;rolename;enrol"
    added = toolsync.run(
        "enrolments", write_file(tmp_path / "add.csv", header, enrolment_rows(DELETIONS, people, "add"))
    )
    undone = toolsync.undo()
    done_again = toolsync.undo()
    deleted = toolsync.run(
        "enrolments", write_file(tmp_path / "del.csv", header, enrolment_rows(DELETIONS, people, "del"))
    )
    dependent_tables.clear()
    furniture.clear()

    figures += [
        Line("enrolments, long file", "mariadb", [added], most={"peak MiB": 256}),
        Line("enrolments taken away", "mariadb", [deleted], most={"peak MiB": 256}),
        # Rows of Moodle's tables, two for each enrolment: as many of these a second is half the speed.
        Line(
            "undo of enrolments",
            "mariadb",
            [undone],
            most={"peak MiB": 256},
            least={"rows/s": added.rows / added.seconds},
        ),
        Line("undo of the undo", "mariadb", [done_again], most={"peak MiB": 256}),
    ]
    _assert_all([deleted], "deleted")
    _assert_all([undone], "deleted")
    _assert_all([done_again], "created")


def _assert_all(runs: list[Measured], action: str) -> None:
    for run in runs:
        assert run.counts == {action: run.rows}
        assert run.executions <= QUERIES_PER_1000_ROWS * run.rows / 1000
