"""Which releases of Moodle there are, how their version numbers tell them apart, and what each has.

The one place that knows releases and version numbers. A new release takes a line in RELEASES, the captured schema, its
tables in the course graph, and a line in Feature for each thing that changed without showing in its tables.
Source: Moodle's version.php and lib/upgrade.txt; the releases of https://moodledev.io/general/releases
"""

from __future__ import annotations

from enum import Enum, StrEnum
from typing import NamedTuple

# context.contextlevel. Source: Moodle's lib/classes/context
CONTEXT_SYSTEM, CONTEXT_USER, CONTEXT_COURSECAT, CONTEXT_COURSE, CONTEXT_MODULE, CONTEXT_BLOCK = 10, 30, 40, 50, 70, 80


class Support(StrEnum):
    """How well a release is known."""

    # Too old: only its backups may be read.
    OLD = "old"
    # Works as the captured release before it.
    BETWEEN = "between"
    # Its tables are captured, and its effects recorded.
    CAPTURED = "captured"
    # Read from Moodle's upgrade steps, not yet tried on a release.
    UNTRIED = "untried"
    # Newer than all that is known here: only read, unless the operator allows more.
    UNKNOWN = "unknown"


class Release(NamedTuple):
    """A release of Moodle. Shape: first: config.version of its first release, 0 where there is none yet"""

    name: str
    first: int
    support: Support


RELEASES = (
    Release("4.0", 2022041900, Support.OLD),
    Release("4.1", 2022112800, Support.CAPTURED),
    Release("4.2", 2023042400, Support.BETWEEN),
    Release("4.3", 2023100900, Support.BETWEEN),
    Release("4.4", 2024042200, Support.BETWEEN),
    Release("4.5", 2024100700, Support.CAPTURED),
    Release("5.0", 2025041400, Support.BETWEEN),
    Release("5.1", 2025100600, Support.CAPTURED),
    Release("5.2", 2026042000, Support.CAPTURED),
    Release("5.3", 2026100500, Support.UNTRIED),
)
CAPTURED = tuple(release.name for release in RELEASES if release.support is Support.CAPTURED)
OLDEST, NEWEST = CAPTURED[0], RELEASES[-1].name
# Older backups keep questions without bank entries.
OLDEST_BACKUP = RELEASES[0].first
_UNKNOWN = Release("", 0, Support.UNKNOWN)


class Feature(Enum):
    """What a Moodle does since some version where its tables don't show it.

    Shape: value: the first config.version, and what it is
    """

    SHA512_PASSWORDS = (2023100900, "passwords are hashed with SHA-512 crypt, by bcrypt before (MDL-67390)")
    QUESTION_FILTERS = (2023100900, "random questions hold filters of core\\output\\datafilter")
    # Named in course_content/restore/backup_links.json.
    BADGES_INDEX = (2024042200, "the badges of a course have one page for managing and viewing")
    SINGLE_ACTIVITY_MENU = (2025100600, "a course of a single activity begins with a menu block")
    REGRADE_TASKS = (2025100600, "a restore queues a task that works out the grades")
    EVIDENCE_GOES_WITH_ACTIVITY = (2025100600.05, "evidence of competencies goes with the activity that it stands in")
    LINEAR_NAVIGATION = (2026100500, "courses in sections say whether they are gone through one by one; not yet tried")

    def is_in(self, version: float) -> bool:
        """Return whether a Moodle of this version (config.version) has it."""
        return version >= self.value[0]


def release_of(version: float) -> Release:
    """Return the release that a version number (config.version) belongs to; a number before a release is its development.

    The first eight digits are the day on which a release began; those of its updates differ behind them only, so that a later
    day belongs to the next release. Source: Moodle's version.php; https://moodledev.io/general/development/process
    """
    day = int(version) // 100
    return next((release for release in RELEASES if day <= release.first // 100), _UNKNOWN)


def captured_for(version: float) -> str:
    """Return the captured release that fits a version number best: its own, or else the newest that isn't newer."""
    found = release_of(version)
    upto = RELEASES if found is _UNKNOWN else RELEASES[: RELEASES.index(found) + 1]
    fitting = [release.name for release in upto if release.name in CAPTURED]
    return fitting[-1] if fitting else OLDEST
