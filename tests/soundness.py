"""What the checker of content says of a Moodle of the tests: what we write must leave it sound."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from sync.moodle.courses.courses import fetch_courses
from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from sync.moodle.files.file_pool import FilePool
from sync.moodle.integrity.check import IntegrityFinding, IntegrityLevel
from sync.moodle.integrity.report import ContentReport, check_content
from tests.moodle_sites import MoodleSite


def report_of(site: MoodleSite, *shortnames: str, pool: FilePool | None = None) -> ContentReport:
    """Check some courses, or the whole site."""
    moodle = _moodle(site.url, site.prefix)
    try:
        with moodle.session() as session:
            courses = fetch_courses(session, "shortname", shortnames)
            assert set(shortnames) == courses.keys()
            return check_content(session, [course for found in courses.values() for course in found], pool)
    finally:
        moodle.dispose()


def faults_of(site: MoodleSite) -> list[IntegrityFinding]:
    """Return what isn't sound to begin with, to be left out by `assert_sound`."""
    return report_of(site).faults


def assert_sound(
    site: MoodleSite, *shortnames: str, but: Collection[IntegrityFinding] = (), pool: FilePool | None = None
) -> None:
    """Assert that some courses, or the whole site, have no faults but those that were there before."""
    known = {(fault.code, fault.table): fault.rows for fault in but}
    found = report_of(site, *shortnames, pool=pool).findings
    new = [f for f in found if f.level is IntegrityLevel.ERROR and f.rows > known.get((f.code, f.table), 0)]
    assert not new, "\n".join(map(str, new))


@cache
def _moodle(url: str, prefix: str) -> MoodleDatabase:
    """What the tables are like is read once: the tests ask the same few sites again and again."""
    return MoodleDatabase(MoodleConnection(url, prefix))
