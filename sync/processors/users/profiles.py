"""Custom profile fields in a users file. Spec: users.md section 5.6"""

from __future__ import annotations

from collections.abc import Sequence

from sync.moodle.users.users import ProfileField
from sync.processors.base.errors import RowError
from sync.processors.base.sticky import ChunkSticky, Value, is_other
from sync.processors.users.cells import UserCells
from sync.processors.users.chunk_users import ChunkUser, UsersWritePlan
from sync.processors.users.profile_values import profile_value
from sync.processors.users.state import RowResult, UsersState
from sync.processors.users.tables import PROFILE_TABLE
from sync.values import Change


class UserProfiles:
    """The custom profile fields of one chunk; later rows see what earlier ones filled."""

    def __init__(self, state: UsersState, plan: UsersWritePlan, sticky: ChunkSticky) -> None:
        self._state = state
        self._sticky = sticky
        self._rows = plan.change(state.profiles)

    def values(self, row: UserCells, user: ChunkUser | None, kept: list[str]) -> list[tuple[str, ProfileField, str]]:
        """Convert the custom profile cells of a row; `kept` gets the columns that a rule leaves as they are.

        Raises: RowError, also when a value must be unique and isn't
        """
        converted = []
        own = user.key if user is not None else None
        for name, field in self._state.profile_fields.items():
            text: str | None = row.values.get(name)
            if text is None:
                continue
            data = profile_value(field, name, text, self._state.rules, self._state.dates.orders_of(name))
            if user is not None and self._sticky.has_rules and self._keeps(user, name, field, data):
                kept.append(name)
                continue
            if field.forceunique and data:
                holders = self._rows.find(fieldid=field.id, data=data)
                if any(userid != own for userid, _fieldid in holders):
                    raise RowError("profile_value_taken", name, value=data)
            converted.append((name, field, data))
        return converted

    def _keeps(self, user: ChunkUser, name: str, field: ProfileField, data: str) -> bool:
        stored = self._rows.get((user.key, field.id)) or {}
        present = Value(PROFILE_TABLE, stored.get("id"), "data", stored.get("data"))
        is_date = field.datatype == "datetime"
        return is_other(present.value, data) and self._sticky.keeps(name, present, zero_is_none=is_date)

    def set(self, result: RowResult, user: ChunkUser, profile: Sequence[tuple[str, ProfileField, str]]) -> None:
        """Fill the fields of a user with what `values` returned."""
        for name, field, data in profile:
            key = (user.key, field.id)
            stored = self._rows.get(key)
            if stored is None:
                self._rows.put(key, {"data": data, "dataformat": int(field.datatype == "textarea")}, result.line)
            elif stored["data"] != data:
                self._rows.put(key, {**stored, "data": data}, result.line)
            if self._sticky.has_rules:
                self._sticky.note(PROFILE_TABLE, self._rows[key]["id"], {"data": data}, result.line, {"data": name})
            if stored is not None and stored["data"] == data:
                continue
            if not result.creates:
                result.changes.append(Change(name, stored["data"] or "" if stored is not None else "", data))
                result.touch()

    def columns_to_change(self, user: ChunkUser, profile: Sequence[tuple[str, ProfileField, str]]) -> list[str]:
        """Return the columns of which `set` would change something."""
        return [
            name
            for name, field, data in profile
            if (stored := self._rows.get((user.key, field.id))) is None or stored["data"] != data
        ]

    def delete(self, user: ChunkUser, line: int) -> None:
        """Take note that a user goes, and the values with it."""
        for key in self._rows.find(userid=user.key):
            self._rows.foresee(key, None, line)

    def write(self, plan: UsersWritePlan) -> None:
        """Put into the plan what the rows have left in the end."""
        self._rows.write(plan)
