"""What the tests of enrolments have in common: two people, rows to look at, and what earlier runs have made."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sync.processors.base.context import CreatedRows
from tests.moodle_sites import BEGAN, MoodleSite
from tests.support import RunResult

STUDENT, EDITING_TEACHER = 5, 3
HEADER = "cmd;cid;uid;rolename;enrol\n"


def add_people(site: MoodleSite, *usernames: str) -> None:
    for name in usernames:
        site.ids[name] = site.insert(
            "user", auth="manual", confirmed=1, mnethostid=1, username=name, idnumber=f"I-{name}", firstname=name.title(),
            lastname="Person", email=f"{name}@example.org", lang="en", timezone="99", timecreated=BEGAN, timemodified=BEGAN,
        )  # fmt: skip


def enrol(site: MoodleSite, username: str, course: str = "C1", role: int | None = STUDENT, **values: Any) -> int:
    """Enrol somebody by the manual method of a course, and return the id of the enrolment."""
    userid = site.ids[username]
    if role is not None:
        give_role(site, username, course, role)
    return site.insert(
        "user_enrolments",
        **{"enrolid": site.ids[f"{course} manual"], "userid": userid, "status": 0, "timestart": 100, "timeend": 200,
           "modifierid": 2, "timecreated": BEGAN, "timemodified": BEGAN, **values},
    )  # fmt: skip


def give_role(site: MoodleSite, username: str, course: str, role: int, **owner: Any) -> int:
    """Shape: owner: component and itemid, where a method gives the role"""
    return site.insert(
        "role_assignments", roleid=role, contextid=site.ids[f"{course} context"], userid=site.ids[username],
        timemodified=BEGAN, modifierid=2, **owner,
    )  # fmt: skip


def add_group(site: MoodleSite, name: str, course: str = "C1") -> int:
    return site.insert("groups", courseid=site.ids[course], name=name, timecreated=BEGAN, timemodified=BEGAN)


def join_group(site: MoodleSite, username: str, groupid: int, component: str = "", itemid: int = 0) -> int:
    return site.insert(
        "groups_members",
        groupid=groupid,
        userid=site.ids[username],
        timeadded=BEGAN,
        component=component,
        itemid=itemid,
    )


def roles(site: MoodleSite, username: str, course: str = "C1") -> list[tuple[int, str, int]]:
    found = site.rows("role_assignments", userid=site.ids[username], contextid=site.ids[f"{course} context"])
    return sorted((row["roleid"], row["component"], row["itemid"]) for row in found)


def groups(site: MoodleSite, username: str) -> dict[str, str]:
    """Return the groups of somebody: name -> component of the membership."""
    memberships = site.rows("groups_members", userid=site.ids[username])
    return {site.one("groups", id=row["groupid"])["name"]: row["component"] for row in memberships}


def dirty_users(site: MoodleSite) -> set[str]:
    return {row["name"] for row in site.rows("cache_flags", flagtype="accesslib/dirtyusers")}


class RecordsOf:
    """What earlier runs have inserted, from their before-images."""

    def __init__(self, *results: RunResult) -> None:
        self.results = results

    def inserted_by_us(self, table: str, ids: Collection[int]) -> set[int]:
        inserted = {
            image.id
            for result in self.results
            for image in result.before_images
            if (image.kind, image.table) == ("insert", table)
        }
        return {rowid for rowid in ids if rowid in inserted}

    def created(self, table: str) -> CreatedRows:
        raise AssertionError(f"nobody asks for all rows of {table}")
