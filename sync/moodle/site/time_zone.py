"""The clock by which dates of files are read: Moodle's time zone, where Moodle names one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sync.moodle.db.database import MoodleSession


@dataclass(frozen=True)
class Clock:
    """A clock of dates without a zone.

    Shape: zone: None = the clock of this machine; name: of the zone; moodle_zone: Moodle's own setting; is_known: the zone is
    Moodle's or was set for it, not a stopgap
    """

    zone: ZoneInfo | None
    name: str
    moodle_zone: str
    is_known: bool


def clock_of(moodle: MoodleSession) -> Clock:
    """Return the clock of a site: Moodle's time zone where it names one, else the one that was set for it here.

    Moodle's "99" means the zone of its web server, and a number the zone that its PHP makes of it: neither can be seen here.
    """
    moodle_zone = moodle.config.get("timezone", "")
    for name in (moodle_zone, moodle.database.settings.time_zone):
        if (zone := zone_named(name)) is not None:
            return Clock(zone, name, moodle_zone, True)
    return Clock(None, time.tzname[0], moodle_zone, False)


def zone_named(name: str) -> ZoneInfo | None:
    """Return the time zone of a name; None where there is none."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
