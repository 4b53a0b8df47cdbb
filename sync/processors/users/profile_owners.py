"""Who holds the values of custom profile fields that must be unique, also as a simulation would have left it."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sync.moodle.db.database import MoodleSession
from sync.moodle.users.users import ProfileField, fetch_owners_of_profile_values
from sync.processors.base.memory import Memory
from sync.processors.base.operations import Ref
from sync.processors.users.chunk_users import Fold, UsersWritePlan
from sync.processors.users.store import remembered_profile_data

_KIND = "profile owner"

Owners = dict[tuple[int, str], set[int]]


def fetch_profile_owners(
    moodle: MoodleSession, memory: Memory, wanted: Mapping[int, Collection[str]], fold: Fold
) -> Owners:
    """Return who holds these values: (fieldid, folded value) -> userids.

    Shape: wanted: fieldid -> values
    Queries: one per field; none without fields
    """
    owners = fetch_owners_of_profile_values(moodle, wanted) if wanted else {}
    if memory.is_empty:
        return owners
    names = {f"{fieldid} {fold(text)}": (fieldid, fold(text)) for fieldid, texts in wanted.items() for text in texts}
    for name, userids in memory.get_many(_KIND, list(names)).items():
        owners.setdefault(names[name], set()).update(userids)
    everybody = sorted({userid for userids in owners.values() for userid in userids})
    data = remembered_profile_data(memory, everybody, sorted(wanted))
    accounts = memory.get_many("account", list(map(str, everybody)))
    gone = {int(userid) for userid, values in accounts.items() if values["deleted"]}
    return {
        (fieldid, text): {
            userid
            for userid in userids - gone
            if (userid, fieldid) not in data or fold(data[userid, fieldid][1]) == text
        }
        for (fieldid, text), userids in owners.items()
    }


def remember_profile_owners(
    memory: Memory, plan: UsersWritePlan, fields: Collection[ProfileField], fold: Fold, ids: Mapping[Ref, int]
) -> None:
    """Keep who would hold which value after a chunk of a simulation. Shape: ids: those that stand for planned accounts"""
    unique = {field.id for field in fields if field.forceunique}
    holders: dict[str, set[int]] = {}
    for (key, fieldid), data in plan.profile_data.items():
        if fieldid in unique and data:
            userid = ids[key] if isinstance(key, Ref) else key
            holders.setdefault(f"{fieldid} {fold(data)}", set()).add(userid)
    known = memory.get_many(_KIND, list(holders))
    memory.put_many(_KIND, {name: sorted({*userids, *known.get(name, ())}) for name, userids in holders.items()})
    # The values of an account go with it, also where it comes back.
    gone = {f"{deleted.id} {field.id}": "" for deleted in plan.deleted for field in fields}
    memory.put_many("profile", gone)
