"""Reads of users, custom profile fields and preferences, whole sets at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from django.utils.functional import cached_property

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.identifiers import fetch_rows_of_values, is_id, named
from sync.moodle.db.writer import MAX_KEYS, batched
from sync.moodle.enrolments.roles import fetch_configurers
from sync.moodle.site.time_zone import Clock, clock_of
from sync.moodle.users.passwords import HashFormat, format_for
from sync.values import Moment

# Authentication plugins whose users can change a password, and those whose settings say so. Source: can_change_password()
_CHANGING = frozenset(("manual", "email", "none"))
_CHANGING_ELSEWHERE = frozenset(("ldap", "db", "shibboleth"))
# Authentication plugins that never keep a password in Moodle. Source: prevent_local_passwords() of each plugin
_NEVER_CACHED = frozenset(("cas", "shibboleth", "oauth2", "mnet"))


@dataclass(frozen=True)
class ProfileField:
    """A custom profile field. Source: Moodle table user_info_field."""

    id: int
    shortname: str
    datatype: str
    defaultdata: str
    param1: str
    param2: str
    param3: str
    forceunique: bool


class SiteRules:
    """What a site's settings say about users. Source: spec generic.md section 16.

    Shape: unknown_tables: of the site, in which rows of users may stand; asked for where users are deleted
    """

    def __init__(self, moodle: MoodleSession, unknown_tables: tuple[str, ...] = ()) -> None:
        self._moodle = moodle
        self.unknown_tables = unknown_tables
        config = moodle.config
        self.mnethostid = int(config.get("mnet_localhost_id") or 1)
        self.allows_same_email = config.get("allowaccountssameemail", "0") == "1"
        self.extended_usernames = config.get("extendedusernamechars", "0") == "1"
        self.deletes_tokens = config.get("passwordchangetokendeletion", "0") == "1"
        self.hash_format: HashFormat = format_for(moodle.version)
        self.peppers: tuple[str, ...] = moodle.database.settings.peppers
        self.password_expires = moodle.plugin_config("auth_manual").get("expiration") == "1"

    def read_protected(self) -> None:
        """Read who is protected, for those who may not ask later. Queries: a few"""
        _ = self.protected_ids

    @cached_property
    def protected_ids(self) -> frozenset[int]:
        """Users that a file can't delete, suspend or rename: guest, site administrators, the operator.

        Administrators by a role are administrators, too. Queries: one
        """
        config = self._moodle.config
        named_ids = [*config.get("siteadmins", "").split(","), config.get("siteguest", "")]
        ids = {int(text) for text in map(str.strip, named_ids) if is_id(text)}
        return frozenset((*ids, self._moodle.operatorid, *fetch_configurers(self._moodle)))

    @cached_property
    def untouchable_ids(self) -> frozenset[int]:
        """Users of which a file can't change anything: the protected ones, unless the operator allows it.

        Mirrors: tool_uploaduser, which passes over site administrators and refuses the guest
        """
        return frozenset() if self._moodle.database.settings.changes_protected_accounts else self.protected_ids

    @cached_property
    def defaults(self) -> dict[str, Any]:
        """The values of a new user that the file doesn't give.

        Source: spec users.md sections 2 and 5.1
        """
        config = self._moodle.config
        return {
            "auth": "manual",
            "confirmed": 1,
            "password": "",
            "idnumber": "",
            "email": "",
            "city": config.get("defaultcity", ""),
            "country": config.get("country", "") if config.get("country", "") != "0" else "",
            "lang": config.get("lang") or "en",
            "calendartype": config.get("calendartype") or "gregorian",
            "timezone": config.get("timezone") or "99",
            "maildisplay": _number(config.get("defaultpreference_maildisplay"), 2),
            "maildigest": _number(config.get("defaultpreference_maildigest"), 0),
            "mailformat": _number(config.get("defaultpreference_mailformat"), 1),
            "autosubscribe": _number(config.get("defaultpreference_autosubscribe"), 1),
            "trackforums": _number(config.get("defaultpreference_trackforums"), 0),
        }

    def changes_passwords(self, auth: str) -> bool:
        """Whether users of this plugin are surely able to change a password, in Moodle or where the plugin sends them.

        Mirrors: auth_plugin_base::can_change_password() of Moodle's own plugins
        """
        if auth in _CHANGING or (auth == "db" and self.keeps_passwords(auth)):
            return True
        config = self._moodle.plugin_config(f"auth_{auth}") if auth in _CHANGING_ELSEWHERE else {}
        return bool(config.get("changepasswordurl")) or config.get("stdchangepassword", "0") not in ("", "0")

    def keeps_passwords(self, auth: str) -> bool:
        """Whether users of this plugin may have a password hash in Moodle."""
        if auth in _NEVER_CACHED:
            return False
        if auth == "db":
            return self._moodle.plugin_config("auth_db").get("passtype") == "internal"
        if auth == "ldap":
            return self._moodle.plugin_config("auth_ldap").get("preventpassindb", "0") != "1"
        return True

    def has_auth_plugin(self, auth: str) -> bool:
        return "version" in self._moodle.plugin_config(f"auth_{auth}")

    @cached_property
    def languages(self) -> frozenset[str] | None:
        """Installed languages; None when the data folder isn't configured, so that nobody can tell."""
        dataroot = self._moodle.database.settings.dataroot
        if dataroot is None:
            return None
        folder = dataroot / "lang"
        installed = {entry.name for entry in folder.iterdir() if entry.is_dir()} if folder.is_dir() else set()
        return frozenset({"en", *installed})

    @cached_property
    def site_name(self) -> str:
        course = self._moodle.table("course")
        rows = self._moodle.fetch(sa.select(course.c.fullname).where(course.c.category == 0))
        return str(rows[0][0]) if rows else ""

    @cached_property
    def mnethostids(self) -> frozenset[int]:
        hosts = self._moodle.table("mnet_host")
        return frozenset(int(hostid) for (hostid,) in self._moodle.fetch(sa.select(hosts.c.id)))

    def seconds(self, moment: Moment) -> int:
        """Return a cell's moment as seconds since epoch: dates are on the site's clock."""
        value = moment.value
        return value if isinstance(value, int) else int(value.replace(tzinfo=self.clock.zone).timestamp())

    def local_time(self, seconds: int) -> datetime:
        """Return what the site's clock shows at a moment, also before 1970."""
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).astimezone(self.clock.zone)

    def start_of_day(self, seconds: int) -> int:
        """Return the midnight, on the site's clock, of the day that a moment is in."""
        day = self.local_time(seconds).replace(hour=0, minute=0, second=0, microsecond=0)
        return int(day.timestamp())

    def shown_time(self, seconds: int) -> str:
        """Return a moment as people write it, on the site's clock: "2026-09-01", "2026-09-01 08:30"; 0 stays 0."""
        if not seconds:
            return "0"
        moment = self.local_time(seconds)
        return f"{moment:%Y-%m-%d %H:%M:%S}".removesuffix(":00").removesuffix(" 00:00")

    @cached_property
    def clock(self) -> Clock:
        """The clock of dates in files."""
        return clock_of(self._moodle)


def fetch_users_by(
    moodle: MoodleSession,
    columns: Sequence[str],
    by: Mapping[str, Collection[Any]],
    *,
    hostids: Collection[int],
    every: str = "",
    deleted: bool = False,
) -> dict[int, dict[str, Any]]:
    """Read users by any of several identifiers: id -> user.

    Shape: columns: what to read, "id" and the identifiers included; by: column -> values (usernames, idnumbers, emails,
    ids); hostids: MNet hosts to look in, without which Moodle's index on usernames is of no use; every: the
    identifier of which every holder is wanted; of the others, a value that a user found before holds isn't looked up
    again
    Queries: one per identity and 10,000 values, and one for users that the first identity doesn't find
    """
    user = moodle.table("user")
    wanted = [user.c[name] for name in columns]
    found: dict[int, dict[str, Any]] = {}
    further: set[int] = set()
    for name, values in by.items():
        # Most rows name the same user by every identity: the first query reads it, the others only its id.
        selected = [user.c.id] if found else wanted
        held = {row[name] for row in found.values()} if name != every else set()
        for part in batched([value for value in values if value not in held], MAX_KEYS):
            is_meant = moodle.in_clause(user.c.id, part) if name == "id" else named(moodle, "user", name, part)
            rows = moodle.fetch(
                sa.select(*selected).where(user.c.mnethostid.in_(hostids), is_meant, user.c.deleted == int(deleted))
            )
            if selected is wanted:
                found.update((row[0], dict(zip(columns, row, strict=True))) for row in rows)
            else:
                further.update(rowid for (rowid,) in rows)
    for part in batched(sorted(further - found.keys()), MAX_KEYS):
        rows = moodle.fetch(sa.select(*wanted).where(moodle.in_clause(user.c.id, part)))
        found.update((row[0], dict(zip(columns, row, strict=True))) for row in rows)
    return found


def fetch_profile_fields(moodle: MoodleSession) -> dict[str, ProfileField]:
    """Read the site's custom profile fields: shortname -> field."""
    field = moodle.table("user_info_field")
    columns = ("id", "shortname", "datatype", "defaultdata", "param1", "param2", "param3", "forceunique")
    rows = moodle.fetch(sa.select(*(field.c[name] for name in columns)).order_by(field.c.id))
    return {
        row.shortname: ProfileField(
            row.id, row.shortname, row.datatype, row.defaultdata or "", row.param1 or "", row.param2 or "", row.param3 or "",
            bool(row.forceunique),
        )
        for row in rows
    }  # fmt: skip


def fetch_profile_data(
    moodle: MoodleSession, userids: Collection[int], fieldids: Collection[int]
) -> dict[tuple[int, int], dict[str, Any]]:
    """Read stored custom fields: (userid, fieldid) -> id and data. Queries: one per 10,000 users."""
    data = moodle.table("user_info_data")
    return _fetch_stored(moodle, userids, data.c.fieldid, fieldids, data.c.data)


def fetch_profile_data_by_value(
    moodle: MoodleSession, values_by_fieldid: Mapping[int, Collection[str]]
) -> dict[tuple[int, int], dict[str, Any]]:
    """Read who holds these values of unique custom fields: (userid, fieldid) -> id and data. Queries: one per field."""
    found = fetch_rows_of_values(moodle, "user_info_data", "userid", "data", values_by_fieldid)
    return {(userid, fieldid): row for (fieldid, userid), row in found.items()}


def fetch_auths(moodle: MoodleSession, userids: Collection[int]) -> dict[int, dict[str, Any]]:
    """Return by which plugin users log in: id -> id and auth. Queries: one per 10,000 users"""
    user = moodle.table("user")
    found: dict[int, dict[str, Any]] = {}
    for part in batched(list(userids), MAX_KEYS):
        statement = sa.select(user.c.id, user.c.auth).where(moodle.in_clause(user.c.id, part))
        found |= {userid: {"id": userid, "auth": auth} for userid, auth in moodle.fetch(statement)}
    return found


def fetch_preferences(
    moodle: MoodleSession, userids: Collection[int], names: Sequence[str]
) -> dict[tuple[int, str], dict[str, Any]]:
    """Read preferences: (userid, name) -> id and value. Queries: one per 10,000 users."""
    preference = moodle.table("user_preferences")
    return _fetch_stored(moodle, userids, preference.c.name, names, preference.c.value)


def _fetch_stored(
    moodle: MoodleSession, userids: Collection[int], key: sa.Column[Any], keys: Collection[Any], value: sa.Column[Any]
) -> dict[tuple[int, Any], dict[str, Any]]:
    """Return what is stored for users in the table of these columns: (userid, key) -> id and value."""
    table = key.table
    found = {}
    for part in batched(list(userids), MAX_KEYS):
        is_meant = (moodle.in_clause(table.c.userid, part), key.in_(keys))
        for userid, name, rowid, text in moodle.fetch(
            sa.select(table.c.userid, key, table.c.id, value).where(*is_meant)
        ):
            found[(userid, name)] = {"id": rowid, value.name: text}
    return found


def _number(text: str | None, default: int) -> int:
    return int(text) if text is not None and text.isdigit() else default
