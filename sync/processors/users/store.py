"""What the account processors read and write in the same way: present accounts, revivable ones, plans, simulations."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.identifiers import folding
from sync.moodle.users.deletion import md5_of
from sync.moodle.users.users import fetch_accounts
from sync.processors.base.memory import Memory
from sync.processors.base.operations import Ref
from sync.processors.users.chunk_users import ClearPassword, Fold, UsersWritePlan


def fetch_users_by_identity(
    moodle: MoodleSession,
    memory: Memory,
    fields: Sequence[str],
    identities: Mapping[str, Collection[Any]],
    *,
    hostids: Collection[int],
    identity: str,
    folds: Mapping[str, Fold],
) -> list[dict[str, Any]]:
    """Read the accounts that aren't deleted and have one of the identities, as a simulation would have left them so far.

    Shape: identities: "username", "idnumber", "email", "id" -> values; identity: the one by which rows name accounts, of
    which every holder is read; folds: identity -> what makes texts equal that Moodle takes for the same
    Queries: one per identity
    """
    accounts = fetch_accounts(moodle, fields, identities, hostids=hostids, every=identity)
    if memory.is_empty:
        return list(accounts.values())
    remembered_ids = {
        str(userid)
        for identity, values in identities.items()
        if identity in folds
        for userids in memory.get_many(identity, {folds[identity](value) for value in values}).values()
        for userid in userids
    }
    remembered_ids |= {str(userid) for userid in identities.get("id", ())}
    remembered = memory.get_many("account", remembered_ids | {str(userid) for userid in accounts})
    accounts.update((int(userid), values) for userid, values in remembered.items())
    return [account for account in accounts.values() if not account["deleted"]]


def fetch_revivable_users(
    moodle: MoodleSession, memory: Memory, fields: Sequence[str], usernames: Collection[str], hostids: Collection[int]
) -> dict[tuple[int, str], dict[str, Any]]:
    """Read deleted accounts that once had these usernames: (host, former username) -> account, the newest if several.

    Deletion leaves md5(username) in the e-mail address. Source: spec users.md sections 6 and 8
    """
    username_by_digest = {md5_of(username): username for username in usernames}
    found = fetch_accounts(moodle, fields, {"email": list(username_by_digest)}, hostids=hostids, deleted=True)
    revivable = {
        (account["mnethostid"], username_by_digest[account["email"]]): account for _id, account in sorted(found.items())
    }
    for username, account in memory.get_many("deleted username", usernames).items():
        revivable[(account["mnethostid"], username)] = account
    return revivable


class SimulatedPasswords:
    """Stands in for password hashes between the chunks of a simulation, which hashes nothing.

    Values are keyed with a secret of this run, so even the private temporary file holds no clear password.
    """

    _PREFIX = "simulated$"

    def __init__(self) -> None:
        self._secret = secrets.token_bytes(32)

    def stored(self, clear: str) -> str:
        return self._PREFIX + hmac.new(self._secret, clear.encode(), "sha256").hexdigest()

    def made(self, stored: str) -> bool:
        return stored.startswith(self._PREFIX)

    def matches(self, clear: str, stored: str) -> bool:
        return self.made(stored) and hmac.compare_digest(self.stored(clear), stored)


def identity_folds(moodle: MoodleSession) -> dict[str, Fold]:
    """Return for each identity of accounts that is a text what makes texts equal that Moodle takes for the same."""
    return {identity: folding(moodle, "user", identity) for identity in ("username", "idnumber", "email")}


def remember_users(
    plan: UsersWritePlan, memory: Memory, passwords: SimulatedPasswords, folds: Mapping[str, Fold]
) -> dict[Ref, int]:
    """Keep what a chunk of a simulation would have made of accounts; new ones get negative ids, which are given back."""
    ids: dict[Ref, int] = {}
    kept: dict[str, dict[str, Any]] = {}
    for account in plan.book.accounts.values():
        if not account.lines:
            continue
        if isinstance(account.key, Ref):
            ids[account.key] = -account.lines[0]
        userid = ids[account.key] if isinstance(account.key, Ref) else account.key
        values = {**account.values, "id": userid}
        if isinstance(values["password"], ClearPassword):
            values["password"] = passwords.stored(values["password"].text)
        kept[str(userid)] = values
    gone = {deleted.username: {**plan.book.accounts[deleted.id].values, "deleted": 1} for deleted in plan.deleted}
    memory.put_many("deleted username", gone)
    memory.put_many("account", kept | {str(values["id"]): values for values in gone.values()})
    for identity, fold in folds.items():
        holders: dict[str, list[int]] = {}
        for values in kept.values():
            if values.get(identity):
                holders.setdefault(fold(values[identity]), []).append(values["id"])
        known = memory.get_many(identity, holders)
        memory.put_many(identity, {key: sorted({*ids_of, *known.get(key, ())}) for key, ids_of in holders.items()})
    _remember_values(plan, memory, ids)
    return ids


def _remember_values(plan: UsersWritePlan, memory: Memory, ids: Mapping[Ref, int]) -> None:
    facts = {}
    for (key, fieldid), data in plan.profile_data.items():
        facts[f"{ids[key] if isinstance(key, Ref) else key} {fieldid}"] = data
    memory.put_many("profile", facts)
    memory.put_many(
        "preference",
        {
            f"{ids[key] if isinstance(key, Ref) else key} {name}": value
            for (key, name), value in plan.preferences.items()
        },
    )


def remembered_preferences(
    memory: Memory, userids: Sequence[int], names: Sequence[str]
) -> dict[tuple[int, str], tuple[int, str]]:
    """Return the preferences that a simulation would have set: (userid, name) -> (0, value)."""
    if memory.is_empty:
        return {}
    keys = {f"{userid} {name}": (userid, name) for userid in userids for name in names}
    return {keys[key]: (0, value) for key, value in memory.get_many("preference", list(keys)).items()}


def remembered_profile_data(
    memory: Memory, userids: Sequence[int], fieldids: Sequence[int]
) -> dict[tuple[int, int], tuple[int, str]]:
    """Return the custom fields that a simulation would have set: (userid, fieldid) -> (0, data)."""
    if memory.is_empty:
        return {}
    names = {f"{userid} {fieldid}": (userid, fieldid) for userid in userids for fieldid in fieldids}
    return {names[name]: (0, data) for name, data in memory.get_many("profile", list(names)).items()}
