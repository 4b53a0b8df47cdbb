"""Later chunks of a plan that isn't carried out see what earlier ones would have made."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

import pytest

from sync.moodle.db.database import MoodleConnection, MoodleDatabase, MoodleSession
from sync.processors.base.overlay import Overlay, is_temporary, temporary_id
from sync.processors.base.plan import Plan
from sync.processors.memberships.fetch import fetch_memberships
from sync.processors.memberships.state import MembershipState
from sync.processors.users.row_memberships import CourseSet, Memberships
from tests.moodle_sites import MoodleSite

BOB = temporary_id(1, 1)
Chunk = Callable[[int, str], tuple[bool, Plan, MembershipState]]


@pytest.fixture
def moodle(sqlite_site: MoodleSite) -> Iterator[MoodleSession]:
    database = MoodleDatabase(MoodleConnection(sqlite_site.url, sqlite_site.prefix))
    with database.session() as session:
        yield session
    database.dispose()


@pytest.fixture
def plan_chunk(moodle: MoodleSession) -> Iterator[Chunk]:
    """Plan that a user is enrolled, joins a group and a cohort; what comes of it is there for the next chunk."""
    overlay = Overlay()
    lines = iter(range(2, 1_000))

    def plan_chunk(user: int, group: str) -> tuple[bool, Plan, MembershipState]:
        state = _state(moodle, overlay, [user], group)
        plan, line = Plan(), next(lines)
        memberships = Memberships(state, plan, now=1_700_000_000)
        results = (
            memberships.apply_course_set(user, CourseSet(1, "C1", "student", "manual", group), line),
            memberships.add_to_cohort(user, "Fresh", "f-1", line),
        )
        memberships.finish()
        for rows in plan.changed_rows:
            overlay.keep(rows)
        return any(result.changed for result in results), plan, state

    yield plan_chunk
    overlay.close()


def _state(moodle: MoodleSession, overlay: Overlay, userids: Collection[int], group: str) -> MembershipState:
    return fetch_memberships(
        moodle, overlay, courses=["C1"], groups=[("C1", group)], cohort_names=["Fresh"], cohort_idnumbers=["f-1"],
        userids=userids,
    )  # fmt: skip


def test_a_planned_user_finds_the_memberships_again(plan_chunk: Chunk) -> None:
    assert plan_chunk(BOB, "New")[0]

    changed, plan, _state = plan_chunk(BOB, "New")

    assert not changed
    assert plan.is_empty


def test_another_user_joins_the_planned_group_and_cohort(plan_chunk: Chunk, sqlite_site: MoodleSite) -> None:
    plan_chunk(BOB, "New")

    changed, plan, state = plan_chunk(sqlite_site.ids["ann"], "New")

    assert changed
    assert "groups" not in plan.inserts
    assert "cohort" not in plan.inserts
    [member] = plan.inserts["groups_members"]
    assert is_temporary(member.values["groupid"])
    assert state.groups.rows[member.values["groupid"]]["name"] == "New"


def test_planned_things_of_several_chunks_are_told_apart_and_added_up(plan_chunk: Chunk) -> None:
    plan_chunk(BOB, "New")
    plan_chunk(BOB, "Newer")

    changed, plan, state = plan_chunk(BOB, "New")

    assert len([groupid for groupid in state.groups.rows if is_temporary(groupid)]) == 2
    assert not changed
    assert plan.is_empty
    assert not plan_chunk(BOB, "Newer")[0]
