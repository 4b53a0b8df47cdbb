"""Courses made from nothing, made like the course of every activity, and deleted again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.figures import Line
from tests.bench.fixtures import ToolSyncOn
from tests.bench.kit import REPETITIONS, Floor, Measured, OldPattern, ToolSync
from tests.bench.test_memberships import SERVERS, write_file
from tests.pictures import data_folder
from tests.real_sites import RealSites, needs_moodle_data

COURSES = 1_000
OLD_COURSES = 100
COPIES = 100
FEW_COPIES = 10
# Every table that a course made from nothing has rows in.
TABLES = (
    "course", "context", "course_sections", "course_format_options", "course_modules", "forum", "enrol", "course_categories",
    "block_instances",
)  # fmt: skip
# What a course may cost before the queries are said to follow the courses: chunks end before 50,000 rows of content.
MOST_QUERIES = 1_000


def make_course_in_the_old_way(old: OldPattern, n: int) -> None:
    """The 67 statements for a course: 11 inserts, 10 updates, 46 reads."""
    category = old.select("course_categories", id=1)[0]
    courseid = old.insert(
        "course", category=category, shortname=f"OLD{n}", fullname=f"Old course {n}", summary="", timecreated=1,
        timemodified=1, format="topics",
    )  # fmt: skip
    contextid = old.insert("context", contextlevel=50, instanceid=courseid, depth=3)
    old.update("context", contextid, path=f"/1/2/{contextid}")
    for name in ("hiddensections", "coursedisplay"):
        old.select("course_format_options", courseid=courseid, format="topics", sectionid=0, name=name)
        old.insert("course_format_options", courseid=courseid, format="topics", sectionid=0, name=name, value="0")
    for section in range(2):
        old.select("course_sections", course=courseid, section=section)
        old.insert("course_sections", course=courseid, section=section, summary="", sequence="", timemodified=1)
    for place, method in enumerate(("manual", "guest", "self")):
        old.select("enrol", courseid=courseid, enrol=method)
        old.insert("enrol", courseid=courseid, enrol=method, sortorder=place, timecreated=1, timemodified=1)
    forum = old.insert("forum", course=courseid, type="news", name="Announcements", intro="", timemodified=1)
    old.insert("course_modules", course=courseid, module=9, instance=forum, section=1, added=1)
    # The order of courses and the caches, after each course.
    for sortorder in range(9):
        old.update("course", courseid, sortorder=10_000 + sortorder)
    for table in ("course", "context", "course_categories"):
        for _read in range(12):
            old.select(table, id=courseid)
    old.select("context", contextlevel=50, instanceid=courseid)
    old.select("course", shortname=f"OLD{n}")


@pytest.mark.parametrize("server", SERVERS)
def test_courses_are_made_from_nothing(
    server: str, toolsync_on: ToolSyncOn, figures: list[Line], tmp_path: Path
) -> None:
    toolsync = toolsync_on(server)
    rows = (f"NEW{n};New course {n};Bench / Group {n % 10}" for n in range(COURSES))
    file = write_file(tmp_path / "courses.csv", "shortname;fullname;category", rows)
    made, old_ways = [], []
    for _repetition in range(REPETITIONS):
        furniture = Floor(toolsync.site, *TABLES)
        made.append(toolsync.run("courses", file))
        furniture.clear()
        old = OldPattern(toolsync.site)
        seconds = old.seconds_per_row(make_course_in_the_old_way, range(OLD_COURSES))
        assert old.statements == 67 * OLD_COURSES
        old_ways.append(seconds * COURSES / made[-1].seconds)
        furniture.clear()

    figures.append(Line("courses from nothing", server, made, old=old_ways, least={"x old": 10}))
    assert all(run.counts == {"created": COURSES} for run in made)


@pytest.mark.parametrize("name", [pytest.param("m45-seeded", marks=needs_moodle_data)])
def test_rich_courses_are_copied_and_deleted(
    name: str, real_site: RealSites, figures: list[Line], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, site = data_folder(tmp_path / "moodledata"), real_site(name)
    monkeypatch.setenv("TOOLSYNC_MOODLE_DATAROOT", str(data))
    # Files come back only where their contents are.
    for contenthash in {row["contenthash"] for row in site.rows("files")}:
        place = data / "filedir" / contenthash[:2] / contenthash[2:4]
        place.mkdir(parents=True, exist_ok=True)
        (place / contenthash).touch()
    toolsync = ToolSync(site, tmp_path)

    few = [_copy(toolsync, tmp_path, FEW_COPIES), _delete(toolsync, tmp_path, FEW_COPIES)]
    many = [_copy(toolsync, tmp_path, COPIES), _delete(toolsync, tmp_path, COPIES)]

    for work, (less, more) in zip(("copied", "deleted"), zip(few, many, strict=True), strict=True):
        figures.append(Line(f"rich courses {work}, {FEW_COPIES}", "mariadb", [less]))
        figures.append(Line(f"rich courses {work}", "mariadb", [more], most={"peak MiB": 256}))
        # Queries follow the tables, and a little the bytes: some statements are cut.
        assert more.executions < min(MOST_QUERIES, 2 * less.executions)
        assert more.peak_mib < 256
    undone = toolsync.undo()
    # Half the speed of the deletion, counted in rows of Moodle's tables.
    half = undone.rows / (2 * many[1].seconds)
    figures.append(
        Line("undo of deleted rich courses", "mariadb", [undone], most={"peak MiB": 256}, least={"rows/s": half})
    )


def _copy(toolsync: ToolSync, folder: Path, count: int) -> Measured:
    rows = (f"COPY{n};Copy {n};Bench;TEMPLATE" for n in range(count))
    measured = toolsync.run(
        "courses", write_file(folder / f"copies{count}.csv", "shortname;fullname;category;template", rows)
    )
    assert measured.counts == {"created": count}
    return measured


def _delete(toolsync: ToolSync, folder: Path, count: int) -> Measured:
    file = folder / f"gone{count}.csv"
    file.write_text("\n".join(f"COPY{n}" for n in range(count)))
    measured = toolsync.run("courses_delete", file)
    assert measured.counts == {"deleted": count}
    return measured
