"""A check costs as many questions, and as much memory, of a large Moodle as of a small one."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from sync.moodle.integrity.report import check_content
from tests.moodle.integrity.ground import Ground, make_ground
from tests.moodle_sites import MoodleSite

SMALL, TEN_TIMES = 2_000, 20_000


def fill(ground: Ground, count: int) -> None:
    """Put so many activities, sections and files into the course, and so many courses into the category; most are wrong."""
    numbers = "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < :last)"
    for table, columns, selected in (
        ("course_modules", "course, module, instance, section, deletioninprogress", ":course + i % 100, 1, i, i, 0"),
        ("course_sections", "course, section, sequence", ":course + i % 100, i, i || ',' || i"),
        (
            "files",
            (
                "contenthash, pathnamehash, contextid, component, filearea, itemid, filepath, filename, filesize, timecreated,"
                " timemodified"
            ),
            "'c' || i, 'p' || i, :context, 'mod_page', 'content', 0, '/', i, 5, 1, 1",
        ),
        ("course", "category, sortorder, fullname, shortname", "1, 10002 + i, 'x', 'x' || i"),
    ):
        statement = f"INSERT INTO {{{table}}} ({columns}) {numbers} SELECT {selected} FROM n"
        values: dict[str, Any] = {"last": count + 10, "course": ground.ids["C1"], "context": ground.ids["page context"]}
        used = {name: value for name, value in values.items() if f":{name}" in statement}
        ground.site.execute(statement, **used)


class Cost(NamedTuple):
    """What a check took. Shape: memory: bytes at the highest point; made: checks; blamed: rows"""

    statements: int
    memory: int
    made: int
    blamed: int


def measure(ground: Ground) -> Cost:
    moodle = MoodleDatabase(MoodleConnection(ground.site.url))
    statements: list[str] = []
    sa.event.listen(moodle.engine, "before_cursor_execute", lambda *event: statements.append(event[2]))
    with moodle.session() as session:
        # What the tables are like is read at first use.
        check_content(session)
        statements.clear()
        tracemalloc.start()
        report = check_content(session, pool=ground.pool)
        memory = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    moodle.dispose()
    return Cost(len(statements), memory, report.made, sum(finding.rows for finding in report.findings))


def test_neither_questions_nor_memory_grow_with_the_content(sqlite_site: MoodleSite, tmp_path: Path) -> None:
    ground = make_ground(sqlite_site, tmp_path / "small")
    fill(ground, SMALL)
    small = measure(ground)
    sqlite_site.restore_template()

    ground = make_ground(sqlite_site, tmp_path / "large")
    fill(ground, TEN_TIMES)
    large = measure(ground)

    assert large.blamed > 9 * small.blamed > SMALL
    # The rows that a check blames are counted only where there are more than it names; beside them, the types of activities.
    assert large.made < large.statements <= 2 * large.made + 1
    assert large.memory < 2 * small.memory
