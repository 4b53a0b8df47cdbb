"""Groups and groupings of courses as a chunk leaves them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sync.moodle.db.identifiers import is_id
from sync.processors.base.operations import Ref
from sync.processors.base.plan import Plan

ObjectKey = int | Ref
Object = dict[str, Any]
Fold = Callable[[str], str]

INDEXED = ("name", "idnumber")


class CourseObjects:
    """All groups, or all groupings, of some courses; what one row makes or renames is found so by the next.

    Shape: table: groups or groupings; rows: as `fetch_described_groups` or `fetch_groupings` give them; folds: column ->
    function under which two texts become equal when the server takes them for the same
    """

    def __init__(self, table: str, rows: Iterable[Mapping[str, Any]], folds: Mapping[str, Fold], plan: Plan) -> None:
        self.table = table
        self._before: dict[ObjectKey, Mapping[str, Any]] = {row["id"]: row for row in rows}
        self._now: dict[ObjectKey, Object] = {key: dict(row) for key, row in self._before.items()}
        self._folds = folds
        self._plan = plan
        self._lines: dict[ObjectKey, list[int]] = {}
        self._index: dict[tuple[str, int, str], dict[ObjectKey, None]] = {}
        for key in self._now:
            self._enter(key)

    def __iter__(self) -> Iterator[Object]:
        return iter(self._now.values())

    def __getitem__(self, key: ObjectKey) -> Object:
        return self._now[key]

    def find(self, courseid: int, identifier: str, text: str) -> list[ObjectKey]:
        """Return the objects of a course that a text names; those spelled exactly so, if there are any."""
        if identifier == "id":
            key = int(text) if is_id(text) else 0
            return [key] if key in self._now and self._now[key]["courseid"] == courseid else []
        if not text:
            return []
        alike = list(self._index.get((identifier, courseid, self._folds[identifier](text)), ()))
        return [key for key in alike if self._now[key][identifier] == text] or alike

    def create(self, courseid: int, values: Mapping[str, Any], line: int) -> Ref:
        """Make an object; a row makes at most one of each kind."""
        ref = Ref(self.table, (courseid, line))
        self._now[ref] = {
            "id": ref,
            "courseid": courseid,
            "idnumber": "",
            "description": None,
            "descriptionformat": 0,
            "timemodified": self._plan.now,
            **values,
        }
        self._lines[ref] = [line]
        self._enter(ref)
        return ref

    def change(self, key: ObjectKey, values: Mapping[str, Any], line: int) -> None:
        """Return an object other values."""
        for name in INDEXED:
            del self._index[self._place(key, name)][key]
        self._now[key].update(values)
        self._lines.setdefault(key, []).append(line)
        self._enter(key)

    @property
    def made(self) -> list[Ref]:
        """The objects that this chunk makes."""
        return [key for key in self._lines if isinstance(key, Ref)]

    def finish(self, made: Mapping[str, Any]) -> None:
        """Put the difference to what is there into the plan. Shape: made: further columns of new rows"""
        now = self._plan.now
        for key, lines in self._lines.items():
            row = self._now[key]
            if isinstance(key, Ref):
                values = {name: value for name, value in row.items() if name != "id"}
                self._plan.insert(self.table, {**values, **made, "timecreated": now}, *lines, key=key.key)
            else:
                self._update(self._before[key], row, lines)

    def _update(self, old: Mapping[str, Any], new: Object, lines: Iterable[int]) -> None:
        after = {name: value for name, value in new.items() if old[name] != value}
        if not after:
            return
        now = self._plan.now
        before = {name: old[name] for name in after}
        self._plan.update(
            self.table,
            old["id"],
            {**before, "timemodified": old["timemodified"]},
            {**after, "timemodified": now},
            *lines,
        )
        if "name" in after and old.get("talk_id") is not None:
            # The conversation of a group is called as the group is.
            talk = {"name": old["talk_name"], "timemodified": old["talk_time"]}
            renamed = {"name": new["name"], "timemodified": now}
            self._plan.update("message_conversations", old["talk_id"], talk, renamed, *lines)

    def _enter(self, key: ObjectKey) -> None:
        for name in INDEXED:
            self._index.setdefault(self._place(key, name), {})[key] = None

    def _place(self, key: ObjectKey, name: str) -> tuple[str, int, str]:
        row = self._now[key]
        return name, row["courseid"], self._folds[name](row[name])


class GroupingMembers:
    """Which groupings hold which groups. Shape: pairs: (groupingid, groupid)"""

    def __init__(self, pairs: Iterable[tuple[ObjectKey, ObjectKey]], plan: Plan) -> None:
        self.pairs = set(pairs)
        self._plan = plan

    def add(self, grouping: ObjectKey, group: ObjectKey, line: int) -> bool:
        """Put a group in a grouping; tell whether that is new. Mirrors: groups_assign_grouping()"""
        if (grouping, group) in self.pairs:
            return False
        self.pairs.add((grouping, group))
        values = {"groupingid": grouping, "groupid": group, "timeadded": self._plan.now}
        self._plan.insert("groupings_groups", values, line)
        return True
