"""Groups without members and groupings without groups that nothing in their course needs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterator, Set as AbstractSet
from typing import Any

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.writer import MAX_KEYS, batched
from sync.moodle.groups.groups import fetch_group_members

# Methods that fill the group of their customint2.
_FILLING = ("cohort", "meta")


def fetch_empty_groups(
    moodle: MoodleSession,
    courseids: Collection[int],
    *,
    joined: AbstractSet[int] = frozenset(),
    left: AbstractSet[tuple[int, int]] = frozenset(),
) -> dict[int, str]:
    """Return the groups of courses that have no members and that neither an enrolment nor a restriction of access needs.

    Shape: joined: groups that somebody would be in after a simulation; left: (groupid, userid) of memberships that would be
    gone then; id -> name
    Queries: five per 10,000 courses
    """
    members = _members_by_group(moodle, courseids)
    gone = fetch_group_members(moodle, {groupid for groupid, _ in left}, {userid for _, userid in left})
    members.subtract(groupid for groupid, userid in gone if (groupid, userid) in left)
    groups = moodle.table("groups")
    needed = _filled_groups(moodle, courseids) | _restricting(moodle, courseids, "group") | joined
    found: dict[int, str] = {}
    for part in batched(sorted(courseids), MAX_KEYS):
        statement = sa.select(groups.c.id, groups.c.name, groups.c.enrolmentkey).where(groups.c.courseid.in_(part))
        for row in moodle.fetch(statement.order_by(groups.c.id)):
            if not (members[row.id] or row.enrolmentkey or row.id in needed):
                found[row.id] = row.name
    return found


def fetch_empty_groupings(moodle: MoodleSession, courseids: Collection[int], gone: Collection[int]) -> dict[int, str]:
    """Return the groupings of courses that hold no groups but those of `gone`, and that restrict no access.

    Shape: id -> name
    Queries: four per 10,000 courses
    """
    groupings, bindings = moodle.table("groupings"), moodle.table("groupings_groups")
    needed = _restricting(moodle, courseids, "grouping")
    found: dict[int, str] = {}
    gone = frozenset(gone)
    for part in batched(sorted(courseids), MAX_KEYS):
        bound = sa.select(bindings.c.groupingid, bindings.c.groupid).join(
            groupings, groupings.c.id == bindings.c.groupingid
        )
        held = {
            row.groupingid
            for row in moodle.fetch(bound.where(groupings.c.courseid.in_(part)))
            if row.groupid not in gone
        }
        statement = sa.select(groupings.c.id, groupings.c.name).where(groupings.c.courseid.in_(part))
        found |= {
            row.id: row.name
            for row in moodle.fetch(statement.order_by(groupings.c.id))
            if row.id not in held and row.id not in needed
        }
    return found


def _members_by_group(moodle: MoodleSession, courseids: Collection[int]) -> Counter[int]:
    groups, members = moodle.table("groups"), moodle.table("groups_members")
    counts: Counter[int] = Counter()
    for part in batched(sorted(courseids), MAX_KEYS):
        statement = (
            sa.select(members.c.groupid, sa.func.count())
            .join(groups, groups.c.id == members.c.groupid)
            .where(groups.c.courseid.in_(part))
            .group_by(members.c.groupid)
        )
        counts.update(dict(moodle.fetch(statement)))
    return counts


def _filled_groups(moodle: MoodleSession, courseids: Collection[int]) -> set[int]:
    """The groups that enrolment methods fill."""
    enrol = moodle.table("enrol")
    found: set[int] = set()
    for part in batched(sorted(courseids), MAX_KEYS):
        statement = sa.select(enrol.c.customint2).where(enrol.c.courseid.in_(part), enrol.c.enrol.in_(_FILLING))
        found.update(groupid for (groupid,) in moodle.fetch(statement) if groupid)
    return found


def _restricting(moodle: MoodleSession, courseids: Collection[int], kind: str) -> set[int]:
    """The groups or groupings on which access to activities and sections depends."""
    found: set[int] = set()
    for table in (moodle.table("course_modules"), moodle.table("course_sections")):
        for part in batched(sorted(courseids), MAX_KEYS):
            statement = sa.select(table.c.availability).where(
                table.c.course.in_(part), table.c.availability.like(f'%"{kind}"%')
            )
            for (tree,) in moodle.fetch(statement):
                found.update(_named_in(tree, kind))
    return found


def _named_in(text: str, kind: str) -> Iterator[int]:
    """Return the ids of all conditions of one kind in a tree of conditions. Source: core_availability\\tree"""
    try:
        waiting: list[Any] = [json.loads(text)]
    except ValueError:
        return
    while waiting:
        node = waiting.pop()
        if not isinstance(node, dict):
            continue
        if node.get("type") == kind and node.get("id"):
            yield int(node["id"])
        waiting += node.get("c") or []
