"""What a simulation remembers of groups, cohorts and memberships that earlier chunks would have made."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from sync.moodle.cohorts.cohorts import Cohort
from sync.moodle.enrolments.enrolments import EnrolInstance
from sync.moodle.groups.groups import Group
from sync.processors.base.memory import Memory
from sync.processors.base.operations import Ref
from sync.processors.base.table_view import TableView
from sync.processors.memberships.state import MembershipState

# A row that a simulation would have inserted: it has no id, and no write will ever ask for it.
_NO_ID = -1


class PlannedGroup(NamedTuple):
    """A group that this chunk makes."""

    id: Ref
    courseid: int
    name: str


class PlannedCohort(NamedTuple):
    """A cohort that this chunk makes."""

    id: Ref
    contextid: int
    name: str
    idnumber: str


class PlannedInstance(NamedTuple):
    """An enrolment method that this chunk adds; the fields of `EnrolInstance`."""

    id: Ref
    courseid: int
    enrol: str
    status: int
    roleid: int
    customint1: Any
    customint2: Any
    sortorder: int
    timemodified: int


Instance = EnrolInstance | PlannedInstance


class ChunkCreations(NamedTuple):
    """What this chunk makes that isn't a membership. Shape: instances: courseid -> methods, where they change."""

    groups: list[PlannedGroup]
    cohorts: list[PlannedCohort]
    instances: Mapping[int, list[Instance]]


def recall(
    memory: Memory,
    state: MembershipState,
    *,
    groups: Collection[tuple[str, str]],
    cohort_names: Collection[str],
    cohort_idnumbers: Collection[str],
    userids: Collection[int] | None,
) -> MembershipState:
    """Add to the state what earlier chunks of this simulation would have made; nothing in a real run."""
    group_keys = {
        _group_key(state, course.id, name) for text, name in groups for course in state.courses_named.get(text, ())
    }
    found_groups = list(memory.get_many("planned group", group_keys).values())
    found_cohorts = memory.get_many("planned cohort name", {state.fold_cohort(name) for name in cohort_names}) | {
        f"idnumber {key}": cohort
        for key, cohort in memory.get_many(
            "planned cohort idnumber", {state.fold_cohort(idnumber) for idnumber in cohort_idnumbers}
        ).items()
    }
    if userids is None:
        remembered = memory.get_all("memberships")
    else:
        remembered = memory.get_many("memberships", [str(userid) for userid in userids])
    # Of groups that nobody names here, those that the users are in.
    found_groups += memory.get_many("planned group by id", _planned_groupids(remembered)).values()
    instances = memory.get_many("instances", [str(courseid) for courseid in state.courses])
    if not (found_groups or found_cohorts or remembered or instances):
        return state
    return replace(
        state,
        groups={
            **state.groups,
            **{groupid: Group(groupid, courseid, name, 0) for groupid, courseid, name in found_groups},
        },
        cohorts=(*state.cohorts, *{Cohort(*cohort) for cohort in found_cohorts.values()}),
        instances={
            **state.instances,
            **{int(courseid): tuple(EnrolInstance(*i) for i in methods) for courseid, methods in instances.items()},
        },
        rows=_with_remembered(state.rows, remembered),
        remembered=remembered,
    )


def remember(
    memory: Memory, state: MembershipState, views: Iterable[TableView], made: ChunkCreations, ids: Mapping[Ref, int]
) -> dict[Ref, int]:
    """Keep what this chunk would have made, and give the negative ids that stand for it.

    Shape: ids: those of the accounts that it creates
    """
    instances = [instance for methods in made.instances.values() for instance in methods]
    refs = [group.id for group in made.groups] + [cohort.id for cohort in made.cohorts]
    refs += [instance.id for instance in instances if isinstance(instance.id, Ref)]
    numbers = {**ids, **_new_ids(memory, refs)}
    groups = {group: [numbers[group.id], *group[1:]] for group in made.groups}
    memory.put_many("planned group", {_group_key(state, g.courseid, g.name): fact for g, fact in groups.items()})
    memory.put_many("planned group by id", {str(groupid): [groupid, *rest] for groupid, *rest in groups.values()})
    cohorts = [Cohort(numbers[cohort.id], *cohort[1:]) for cohort in made.cohorts]
    memory.put_many("planned cohort name", {state.fold_cohort(cohort.name): cohort for cohort in cohorts})
    memory.put_many(
        "planned cohort idnumber", {state.fold_cohort(cohort.idnumber): cohort for cohort in cohorts if cohort.idnumber}
    )
    memory.put_many(
        "instances",
        {
            str(courseid): [[numbers[x] if isinstance(x, Ref) else x for x in method] for method in methods]
            for courseid, methods in made.instances.items()
        },
    )
    memory.put_many("memberships", _membership_facts(state, views, numbers))
    return numbers


def _membership_facts(
    state: MembershipState, views: Iterable[TableView], numbers: Mapping[Ref, int]
) -> dict[str, dict[str, dict[str, Any]]]:
    """Shape: userid -> table -> natural key as JSON -> id and other columns, None for a row that goes."""
    facts: dict[str, dict[str, dict[str, Any]]] = {}
    for view in views:
        user_place = view.key_columns.index("userid")
        for key, values in view.changed():
            if not all(part in numbers for part in key if isinstance(part, Ref)):
                # It hung on what the chunk itself made and took away again.
                continue
            plain = [numbers[part] if isinstance(part, Ref) else part for part in key]
            user = str(plain[user_place])
            tables = facts.setdefault(user, {**state.remembered.get(user, {})})
            rows = tables[view.table] = {**tables.get(view.table, {})}
            rows[json.dumps(plain)] = None if values is None else {"id": _NO_ID, **values}
    return facts


def _planned_groupids(remembered: Mapping[str, Any]) -> set[str]:
    memberships = (json.loads(key) for tables in remembered.values() for key in tables.get("groups_members", {}))
    return {str(groupid) for groupid, _userid in memberships if groupid < 0}


def _with_remembered(rows: Mapping[str, Any], remembered: Mapping[str, Any]) -> dict[str, Any]:
    merged = {table: dict(by_key) for table, by_key in rows.items()}
    for tables in remembered.values():
        for table, by_key in tables.items():
            rows = merged.setdefault(table, {})
            for text, values in by_key.items():
                rows[tuple(json.loads(text))] = values
    return {
        table: {key: values for key, values in by_key.items() if values is not None} for table, by_key in merged.items()
    }


def _new_ids(memory: Memory, refs: Collection[Ref]) -> dict[Ref, int]:
    """Return ids that no row of Moodle has."""
    lowest = memory.get_many("lowest membership id", ["id"]).get("id", 0)
    numbers = {ref: lowest - place for place, ref in enumerate(refs, start=1)}
    if numbers:
        memory.put_many("lowest membership id", {"id": min(numbers.values())})
    return numbers


def _group_key(state: MembershipState, courseid: int, name: str) -> str:
    return f"{courseid} {state.fold_group(name)}"
