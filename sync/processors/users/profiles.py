"""Custom profile fields in a users file. Spec: users.md section 5.6"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sync.moodle.users.users import ProfileField
from sync.processors.base.errors import RowError
from sync.processors.base.operations import Ref
from sync.processors.users.chunk_users import ChunkUser, UsersWritePlan
from sync.processors.users.profile_values import profile_value
from sync.processors.users.results import RowResult
from sync.processors.users.state import UsersState
from sync.values import Change


class UserProfiles:
    """The custom profile fields of one chunk; later rows see what earlier ones filled."""

    def __init__(self, state: UsersState, plan: UsersWritePlan) -> None:
        self._state = state
        self._plan = plan
        self._owners = {key: set(owners) for key, owners in state.owners.items()}
        self._deleted: set[int | Ref] = set()

    def values(self, values: Mapping[str, Any], account: ChunkUser | None) -> list[tuple[str, ProfileField, str]]:
        """Convert the custom profile cells of a row. Raises: RowError, also when a value must be unique and isn't"""
        converted = []
        for name, field in self._state.profile_fields.items():
            if name not in values:
                continue
            data = profile_value(field, name, values[name], self._state.rules, self._state.dates.orders_of(name))
            if field.forceunique and data:
                owners = self._owners.get(self._place(field, data), set()) - self._deleted
                if owners - {account.key if account is not None else None}:
                    raise RowError("profile_value_taken", name, value=data)
            converted.append((name, field, data))
        return converted

    def set(self, result: RowResult, account: ChunkUser, profile: Sequence[tuple[str, ProfileField, str]]) -> None:
        """Fill the fields of an account with what `values` gave."""
        for name, field, data in profile:
            key = (account.key, field.id)
            stored = self._data(account, field)
            if stored == data:
                continue
            if field.forceunique:
                # The value that it had is free for later rows.
                self._owners.get(self._place(field, stored or ""), set()).discard(account.key)
                self._owners.setdefault(self._place(field, data), set()).add(account.key)
            self._plan.profile_data[key] = data
            if not result.creates:
                result.changes.append(Change(name, stored or "", data))
                result.touch()

    def delete(self, account: ChunkUser) -> None:
        """Take note that an account goes, and its values with it."""
        self._deleted.add(account.key)

    def columns_to_change(self, account: ChunkUser, profile: Sequence[tuple[str, ProfileField, str]]) -> list[str]:
        """Return the columns of which `set` would change something."""
        return [name for name, field, data in profile if self._data(account, field) != data]

    def _place(self, field: ProfileField, data: str) -> tuple[int, str]:
        return field.id, self._state.folds["profile"](data)

    def _data(self, account: ChunkUser, field: ProfileField) -> str | None:
        key = (account.key, field.id)
        planned = self._plan.profile_data.get(key)
        if planned is None and key in self._state.profile_data:
            return self._state.profile_data[key][1]
        return planned

    def write(self) -> None:
        """Put into the plan what the rows have left in the end."""
        formats = {f.id: int(f.datatype == "textarea") for f in self._state.profile_fields.values()}
        for (key, fieldid), data in self._plan.profile_data.items():
            stored = self._state.profile_data.get((key, fieldid))
            if stored is None:
                row = {"userid": key, "fieldid": fieldid, "data": data, "dataformat": formats[fieldid]}
                self._plan.insert("user_info_data", row)
            elif stored[1] != data:
                self._plan.update("user_info_data", stored[0], {"data": stored[1]}, {"data": data})
