"""Make all checks of a Moodle's content, and tell what they found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from sync.moodle.course_content.graph.scope import fetch_scope
from sync.moodle.courses.courses import Course
from sync.moodle.db.database import MoodleSession
from sync.moodle.files.file_pool import FilePool
from sync.moodle.integrity import categories, contexts, enrolments, files, grades, groups, questions, sections
from sync.moodle.integrity.check import Check, CheckContext, IntegrityFinding, IntegrityLevel

_CHECKS: tuple[Check, ...] = tuple(
    chain.from_iterable(
        area.CHECKS for area in (contexts, categories, sections, enrolments, groups, grades, questions, files)
    )
)


class ContentReport(NamedTuple):
    """What came of it. Shape: made: how many checks were made"""

    made: int
    findings: list[IntegrityFinding]

    @property
    def faults(self) -> list[IntegrityFinding]:
        return [finding for finding in self.findings if finding.level is IntegrityLevel.ERROR]


def check_content(
    session: MoodleSession, courses: Sequence[Course] = (), pool: FilePool | None = None
) -> ContentReport:
    """Check the content of some courses, or of the whole site. Writes nothing.

    Shape: pool: where Moodle's files are; without it their contents aren't looked for
    Queries: at most two for each check and each type of activity, whatever the site holds
    """
    look = CheckContext(session, fetch_scope(session, courses) if courses else None, pool)
    checks = [check for check in checks_of(look) if check.is_for(look)]
    found: dict[tuple[str, str], IntegrityFinding] = {}
    for check in checks:
        finding = check.make(look)
        session.release()
        if finding is not None:
            place = finding.code, finding.table
            found[place] = found[place].plus(finding) if place in found else finding
    return ContentReport(len(checks), list(found.values()))


def checks_of(look: CheckContext) -> Iterator[Check]:
    """Return all checks, with those for each type of activity of the site."""
    yield from _CHECKS
    yield from sections.checks_of_modules(look)
    yield from grades.checks_of_modules(look)
