"""Later chunks of a simulation see what earlier ones would have made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sync.processors.base.memory import Memory
from sync.processors.base.operations import Ref
from sync.processors.base.plan import Plan
from sync.processors.memberships.memory import recall
from sync.processors.memberships.state import MembershipState
from sync.processors.users.row_memberships import CourseSet, Memberships
from tests.processors.membership_states import ANN, NOW, begin, make_state

BOB = Ref("user", (1, "bob"))
BOB_ID = -1


@pytest.fixture
def memory() -> Iterator[Memory]:
    memory = Memory()
    yield memory
    memory.close()


def next_chunk(memory: Memory, *userids: int, **changes: Any) -> tuple[Memberships, Plan, MembershipState]:
    state = recall(
        memory,
        make_state(**changes),
        groups=[("C1", "New"), ("C1", "Newer")],
        cohort_names=["Fresh"],
        cohort_idnumbers=["f-1"],
        userids=userids,
    )
    plan = Plan()
    return Memberships(state, plan, now=NOW), plan, state


def carry_out(memberships: Memberships, user: int | Ref, group: str = "New") -> bool:
    results = (
        memberships.apply_course_set(user, CourseSet(1, "C1", "student", "manual", group), 2),
        memberships.add_to_cohort(user, "Fresh", "f-1", 2),
    )
    memberships.finish()
    return any(result.changed for result in results)


def test_a_planned_account_finds_its_memberships_again(memory: Memory) -> None:
    first, _plan = begin()
    assert carry_out(first, BOB)
    first.remember(memory, {BOB: BOB_ID})
    second, plan, _state = next_chunk(memory, BOB_ID)
    assert not carry_out(second, BOB_ID)
    assert plan.is_empty


def test_another_account_joins_the_planned_group_and_cohort(memory: Memory) -> None:
    first, _plan = begin()
    carry_out(first, BOB)
    first.remember(memory, {BOB: BOB_ID})
    second, plan, state = next_chunk(memory, ANN)
    assert carry_out(second, ANN)
    assert "groups" not in plan.inserts
    assert "cohort" not in plan.inserts
    [member] = plan.inserts["groups_members"]
    assert state.groups[member.values["groupid"]].name == "New"


def test_planned_things_of_several_chunks_are_told_apart_and_added_up(memory: Memory) -> None:
    first, _plan = begin()
    carry_out(first, BOB, "New")
    first.remember(memory, {BOB: BOB_ID})
    second, _plan, _state = next_chunk(memory, BOB_ID)
    carry_out(second, BOB_ID, "Newer")
    second.remember(memory, {})
    third, plan, state = next_chunk(memory, BOB_ID)
    assert len([groupid for groupid in state.groups if groupid < 0]) == 2
    assert not carry_out(third, BOB_ID, "New")
    assert not carry_out(third, BOB_ID, "Newer")
    assert plan.is_empty


def test_a_real_run_remembers_nothing(memory: Memory) -> None:
    state = make_state()
    names: dict[str, Any] = {"groups": [("C1", "New")], "cohort_names": ["Fresh"], "cohort_idnumbers": ["f-1"]}
    assert recall(memory, state, **names, userids=[ANN]) is state
