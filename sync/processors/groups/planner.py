"""What each row of a groups file does, as if the rows were carried out in file order. Spec: groups.md section 1.2."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sync.columns.repeated_values import RepeatedValues
from sync.moodle.courses.courses import Course
from sync.moodle.db.identifiers import is_id
from sync.processors.base.errors import RowError
from sync.processors.base.overlay import ChangedRows, FoundRows, Values
from sync.processors.base.plan import Plan
from sync.processors.base.planner import plan_each
from sync.processors.base.sticky import ChunkSticky, StickyState, kept_notes
from sync.processors.groups.cells import GROUP, GROUPING, GroupCells
from sync.processors.groups.options import GroupsOptions
from sync.processors.memberships.course_columns import find_course
from sync.processors.memberships.course_groups import MAX_NAME
from sync.processors.memberships.enrolment_results import EnrolmentOutcome, accepted
from sync.processors.memberships.state import MembershipState
from sync.values import Action, Change, Note, Outcome, partial_outcome

# What Moodle gives every new row beside what the file says.
_NEW: dict[str, dict[str, Any]] = {
    "groups": {"idnumber": "", "enrolmentkey": None, "picture": 0},
    "groupings": {"idnumber": "", "configdata": None},
}


@dataclass(frozen=True)
class GroupsState:
    """Everything read for one chunk.

    Shape: courses: knows the courses that the rows name; groups, groupings: all of these courses; conversations: of these
    groups; bindings: which groups the groupings hold; elsewhere: values of updateid -> ids of the groups of any course that they
    name in Moodle, where these are numbers or idnumbers; sticky: what rows leave as it is
    Units: now: seconds since epoch
    """

    now: int
    courses: MembershipState
    groups: FoundRows
    conversations: FoundRows
    groupings: FoundRows
    bindings: FoundRows
    elsewhere: Mapping[str, Collection[int]] = field(default_factory=dict)
    sticky: StickyState = field(default_factory=StickyState)


class GroupsSurvey(RepeatedValues):
    """The first line of each value that only one group or grouping of a course may have."""

    unique = ("idnumber",)
    scope = "courseid"


class GroupsPlanner:
    """Plans one chunk, row by row in file order; later rows see what earlier ones did."""

    def __init__(self, state: GroupsState, options: GroupsOptions) -> None:
        self.state = state
        self.options = options
        self.plan = Plan(state.now)
        self.sticky = ChunkSticky(state.sticky, self.plan)
        self._kept: list[str] = []
        self.groups = self.plan.change(state.groups)
        self.groupings = self.plan.change(state.groupings)
        self.conversations = self.plan.change(state.conversations)
        self.bindings = self.plan.change(state.bindings)

    def plan_rows(self, rows: Sequence[GroupCells]) -> Plan:
        self.plan.outcomes.extend(plan_each(rows, self._plan_row, lambda row: f"{row.courseid} / {row.name}"))
        for changed in self.plan.changed_rows:
            changed.write(self.plan)
        return self.plan

    def _plan_row(self, row: GroupCells) -> Outcome:
        self._kept.clear()
        outcome = self._planned(row)
        return outcome._replace(notes=(*outcome.notes, *kept_notes(self._kept)))

    def _planned(self, row: GroupCells) -> Outcome:
        course = accepted(find_course(self.state.courses, row.courseid, "courseid"))
        # The old plugin takes all that isn't called a group for a grouping.
        if row.type in ("", GROUPING):
            return self._grouping(row, course)
        if len(row.name) > MAX_NAME:
            raise RowError("group_name_too_long", "name", limit=MAX_NAME)
        key, done, notes = self._group(row, course)
        outcome = self._into_grouping(row, course, key, done)
        return outcome._replace(notes=(*notes, *outcome.notes))

    def _group(self, row: GroupCells, course: Course) -> tuple[int, EnrolmentOutcome, tuple[Note, ...]]:
        """Make or change the group of a row; one that isn't there is made, as in the old plugin."""
        groups, identifier = self.groups, self.options.groupidentifier
        if row.updateid is None:
            return self._named_group(row, course)
        key = _only_one(groups, course, identifier, row.updateid, "updateid")
        if key is None and (text := row.values.get(identifier)):
            # What this row renames may bear the new name already: the file was sent before.
            key = _only_one(groups, course, identifier, text, identifier)
        if key is None:
            params = {"identifier": identifier, "group": row.updateid}
            if self._is_elsewhere(row.updateid):
                raise RowError("group_unidentified", "updateid", **params)
            key, done, notes = self._named_group(row, course)
            return key, done, (Note("group_made_instead", params), *notes)
        kept = {"idnumber"} if identifier == "idnumber" and not row.idnumber else set()
        done = self._change(groups, course, key, row, kept)
        is_renamed = any(change.field == "name" for change in done.changes)
        return key, done, self._shared_name(row, course) if is_renamed else ()

    def _is_elsewhere(self, updateid: str) -> bool:
        """Tell whether a cell that names no group of its course names one of another course by now."""
        found = self.state.elsewhere.get(updateid, ())
        if self.options.groupidentifier != "idnumber":
            return bool(found)
        return bool(self.groups.find(idnumber=updateid)) or any(key not in self.groups for key in found)

    def _named_group(self, row: GroupCells, course: Course) -> tuple[int, EnrolmentOutcome, tuple[Note, ...]]:
        """Return the group that has the idnumber of a row, or else its name; make it where there is none."""
        groups, idnumber = self.groups, row.idnumber or ""
        by = "idnumber" if idnumber else "name"
        key = _only_one(groups, course, by, idnumber or row.name, by)
        if key is not None:
            name = groups[key]["name"]
            params = {"idnumber": idnumber, "name": name}
            notes = (Note("group_named_otherwise", params),) if name != row.name and idnumber else ()
            kept = _description_kept(row, groups[key])
            return key, EnrolmentOutcome(Action.UNCHANGED, "group_unchanged"), (*notes, *kept)
        key = self._create(groups, course, row)
        return key, EnrolmentOutcome(Action.CREATED, "group_created"), self._shared_name(row, course)

    def _shared_name(self, row: GroupCells, course: Course) -> tuple[Note, ...]:
        """Say that a group shares its name with another. Moodle allows it, but for its own form and import."""
        others = len(self.groups.find_spelled("name", row.name, courseid=course.id)) - 1
        return (Note("group_name_shared", {"group": row.name}),) if others > 0 else ()

    def _grouping(self, row: GroupCells, course: Course) -> Outcome:
        """Make or change the grouping of a row."""
        groupings, identifier = self.groupings, self.options.groupingidentifier
        notes: tuple[Note, ...] = (Note("grouping_in_grouping", {"grouping": row.grouping}),) if row.grouping else ()
        if row.updateid is not None:
            key = _only_one(groupings, course, identifier, row.updateid, "updateid")
            if key is not None:
                return _outcome(row, self._change(groupings, course, key, row, {identifier}), notes)
            notes += (Note("grouping_unidentified", {"identifier": identifier, "grouping": row.updateid}),)
        key = _only_one(groupings, course, "name", row.name, "name")
        if key is not None:
            notes = (
                *notes,
                *self._other_idnumber(row, groupings[key]["idnumber"] or ""),
                *_description_kept(row, groupings[key]),
            )
            return _outcome(row, EnrolmentOutcome(Action.UNCHANGED, "grouping_unchanged"), notes)
        self._create(groupings, course, row)
        if row.updateid is not None and not row.idnumber:
            notes += (Note("grouping_without_idnumber", {}),)
        return _outcome(row, EnrolmentOutcome(Action.CREATED, "grouping_created"), notes)

    def _other_idnumber(self, row: GroupCells, present: str) -> tuple[Note, ...]:
        """Say that a grouping of this name keeps the idnumber that it has. Raises: RowError where it means another one"""
        wanted, fold = row.idnumber or "", self.groupings.table.folded
        if not wanted or fold("idnumber", wanted) == fold("idnumber", present):
            return ()
        if present:
            raise RowError("grouping_name_taken", "name", grouping=row.name, present=present, given=wanted)
        return (Note("grouping_keeps_idnumber", {"idnumber": wanted}),)

    def _create(self, objects: ChangedRows, course: Course, row: GroupCells) -> int:
        self._refuse_taken(objects, course, row.idnumber or "", None)
        row = self.sticky.for_new(row, self._kept)
        key = self._insert(objects, course, {**_given(row), **_described(row.description)}, row.line)
        self.sticky.note(objects.table.name, key, _given(row), row.line)
        return key

    def _insert(self, objects: ChangedRows, course: Course, values: dict[str, Any], line: int) -> int:
        times = {"timecreated": self.plan.now, "timemodified": self.plan.now}
        return objects.insert({"courseid": course.id, **_NEW[objects.table.name], **times, **values}, line)

    def _change(
        self, objects: ChangedRows, course: Course, key: int, row: GroupCells, kept: set[str]
    ) -> EnrolmentOutcome:
        """Bring an object up to what the row gives, apart from the columns `kept`."""
        noun = _noun(objects)
        old = objects[key]
        given = {name: text for name, text in _given(row).items() if name not in kept}
        given = self.sticky.allowed(objects.table.name, old, given, self._kept)
        self._refuse_taken(objects, course, _changed(old, given).get("idnumber", ""), key)
        self.sticky.note(objects.table.name, key, given, row.line)
        given = _changed(old, given)
        if not given:
            return EnrolmentOutcome(Action.UNCHANGED, f"{noun}_unchanged")
        changes = tuple(Change(name, old[name] or "", text) for name, text in given.items())
        if given.get("description"):
            given |= _described(given["description"])
        objects.update(key, given, row.line)
        if objects is self.groups and "name" in given:
            # The conversation of a group is called as the group is.
            for conversation in self.conversations.find(itemid=key):
                self.conversations.update(conversation, {"name": given["name"]}, row.line)
        return EnrolmentOutcome(Action.UPDATED, f"{noun}_updated", changes)

    def _refuse_taken(self, objects: ChangedRows, course: Course, idnumber: str, own: int | None) -> None:
        """Moodle allows an idnumber once among the groups of a course, and once among its groupings."""
        if any(other != own for other in _find(objects, course, "idnumber", idnumber)):
            raise RowError(f"{_noun(objects)}_idnumber_taken", "idnumber", idnumber=idnumber)

    def _into_grouping(self, row: GroupCells, course: Course, group: int, done: EnrolmentOutcome) -> Outcome:
        """Put the group in the grouping that the row names, or else in one of its own name.

        Mirrors: groups_assign_grouping()
        """
        if idnumber := row.grouping:
            found = _find(self.groupings, course, "idnumber", idnumber)
            if len(found) != 1:
                code = "grouping_not_unique" if found else "grouping_unknown"
                params = {"column": "grouping", "grouping": idnumber, "identifier": "idnumber", "count": len(found)}
                # The group is done and stays so; the line goes into the tryback for the grouping.
                return partial_outcome(_outcome(row, done), [Note(code, params)])
            grouping = found[0]
        elif row.selfgrouping:
            grouping = self._own_grouping(course, group, row.line)
        else:
            return _outcome(row, done)
        if (grouping, group) in self.bindings:
            return _outcome(row, done)
        self.bindings.put((grouping, group), {"timeadded": self.plan.now}, row.line)
        change = Change("grouping", "", self.groupings[grouping]["name"])
        if not done.changes and done.action is Action.UNCHANGED:
            done = EnrolmentOutcome(Action.UPDATED, "group_bound")
        return _outcome(row, done._replace(changes=(*done.changes, change)))

    def _own_grouping(self, course: Course, group: int, line: int) -> int:
        """Return the grouping that is called as the group is; make it when it is missing."""
        groupings, model = self.groupings, self.groups[group]
        if found := _find(groupings, course, "name", model["name"]):
            # The oldest, wherever chunks end; temporary ids are below zero.
            return min(found, key=abs)
        values = {name: model[name] for name in ("name", "idnumber", "description", "descriptionformat")}
        if _find(groupings, course, "idnumber", values["idnumber"]):
            values["idnumber"] = ""
        return self._insert(groupings, course, values, line)


def _find(objects: ChangedRows, course: Course, identifier: str, text: str) -> list[int]:
    """Return the objects of a course that a text names; those spelled exactly so, if there are any."""
    if identifier == "id":
        found = objects.get(int(text)) if is_id(text) else None
        return [found["id"]] if found is not None and found["courseid"] == course.id else []
    return objects.find_spelled(identifier, text, courseid=course.id) if text else []


def _only_one(objects: ChangedRows, course: Course, identifier: str, text: str, column: str) -> int | None:
    """Return the object that a cell names, None without one. Raises: RowError where it may mean several"""
    found = _find(objects, course, identifier, text)
    if len(found) > 1:
        noun = _noun(objects)
        raise RowError(f"{noun}_not_unique", column, identifier=identifier, count=len(found), **{noun: text})
    return found[0] if found else None


def _noun(objects: ChangedRows) -> str:
    return GROUP if objects.table.name == "groups" else GROUPING


def _given(row: GroupCells) -> dict[str, Any]:
    return row.given(GroupCells.name, GroupCells.idnumber, GroupCells.description)


def _changed(old: Values, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of the texts that stand otherwise."""
    return {name: text for name, text in given.items() if text != (old[name] or "")}


def _description_kept(row: GroupCells, present: Values) -> tuple[Note, ...]:
    """Say that the description of what is there stays, where the row has another one."""
    is_other = bool(row.description) and row.description != (present["description"] or "")
    return (Note("description_kept", {}),) if is_other else ()


def _described(description: str | None) -> dict[str, Any]:
    """Return a description as Moodle stores it: HTML, NULL where nothing is said of one."""
    return {"description": description, "descriptionformat": 0 if description is None else 1}


def _outcome(row: GroupCells, done: EnrolmentOutcome, notes: tuple[Note, ...] = ()) -> Outcome:
    return Outcome(row.line, done.action, done.code, {}, "", done.changes, notes)
