"""Rows told without ids: what two Moodles hold that are alike, though each numbers its rows in its own way."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from tests.effects.references import path_table, referenced_table
from tests.moodle_sites import MoodleSite, Snapshot

Row = Mapping[str, Any]
Told = dict[str, dict[str, list[Any]]]

# Logs, Moodle's own caches, and when somebody was last seen: no part of what a call is asked for.
_LEFT_OUT = frozenset((
    "cache_flags", "external_tokens", "logstore_standard_log", "sessions", "task_log", "task_scheduled", "user_lastaccess",
))  # fmt: skip
_DAYS_OF_THE_BASE = 3 * 86_400
_SELDOM_ALIKE = frozenset(("id", "modifierid"))
_NAMED_BY: Mapping[str, str] = {
    "user": "username", "course": "shortname", "role": "shortname", "cohort": "idnumber", "groups": "name",
    "course_categories": "idnumber", "course_modules": "idnumber", "modules": "name",
}  # fmt: skip
_LEVELS = {30: "user", 40: "course_categories", 50: "course", 70: "course_modules"}


class Teller:
    """Tells what changed between two looks into one Moodle. Shape: began, ended: when it changed. Units: seconds since epoch"""

    def __init__(self, before: Snapshot, after: Snapshot, began: int, ended: int) -> None:
        self._before, self._after = before, after
        self._began, self._ended = began, ended
        self._modules = {rowid: row["name"] for rowid, row in after.get("modules", {}).items()}

    def changes(self) -> Told:
        """Return the rows by table, in an order of their own."""
        told: Told = {}
        for table, change in MoodleSite.diff(self._before, self._after).items():
            if table in _LEFT_OUT:
                continue
            rows = {
                "inserted": [self._row(table, row) for row in change["inserted"]],
                "updated": [self._update(table, update) for update in change["updated"]],
                "deleted": [self._row(table, row) for row in change["deleted"]],
            }
            told[table] = {kind: sorted(found, key=_as_text) for kind, found in rows.items() if found}
        return told

    def name(self, table: str, rowid: int) -> str:
        """Return what a row is called among people, its id where it isn't there."""
        row = self._after.get(table, {}).get(rowid) or self._before.get(table, {}).get(rowid)
        if row is None:
            return str(rowid)
        if table in _NAMED_BY:
            return f"{table} {row[_NAMED_BY[table]]}"
        return _NAMERS[table](self, row) if table in _NAMERS else f"a row of {table}"

    def _update(self, table: str, update: Row) -> dict[str, Any]:
        new = self._after[table][update["id"]]
        old = self._row(table, self._before[table][update["id"]])
        told = self._row(table, new)
        changed = {column: told[column] for column in update["after"] if column in told}
        return {"row": {**old, **dict.fromkeys(changed, "…")}, "after": changed}

    def _row(self, table: str, row: Row) -> dict[str, Any]:
        return {column: self._value(table, column, row) for column in row if column not in _SELDOM_ALIKE}

    def _value(self, table: str, column: str, row: Row) -> Any:
        value = row[column]
        if value is None or value == "":
            return value
        if target := path_table(table, column, row):
            return "/".join(self.name(target, int(part)) for part in str(value).split("/") if part)
        if table == "enrol" and column == "customint1" and row["enrol"] == "cohort":
            return self.name("cohort", value)
        if (target := referenced_table(table, column, row, self._modules)) and value:
            return self.name(target, int(value))
        return self._moment(value) if isinstance(value, int) else value

    def _moment(self, value: int) -> Any:
        """Return when something was, where the number is a time of the call, or of the base."""
        if self._began <= value <= self._ended:
            return "<now>"
        return "<before>" if self._began - _DAYS_OF_THE_BASE < value < self._began else value


def _enrol(teller: Teller, row: Row) -> str:
    cohort = f" for {teller.name('cohort', row['customint1'])}" if row["enrol"] == "cohort" else ""
    return f"enrol {row['enrol']} of {teller.name('course', row['courseid'])}{cohort}"


def _context(teller: Teller, row: Row) -> str:
    level = _LEVELS.get(row["contextlevel"])
    return f"context of {teller.name(level, row['instanceid'])}" if level else f"context {row['contextlevel']}"


_NAMERS: Mapping[str, Callable[[Teller, Row], str]] = {"enrol": _enrol, "context": _context}


def _as_text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
