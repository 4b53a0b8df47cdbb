"""From a site to the way into its Moodle. Connections of sites other than `main` are kept encrypted.

Those that were set on a page lead only where the operator lets pages lead, asked each time (`sync.runs.site_reach`).
"""

from __future__ import annotations

import re
from dataclasses import replace

from sync.encryption import Unreadable, decrypt, encrypt
from sync.errors import MoodleUnavailable
from sync.models import MoodleSite
from sync.moodle.db.database import MoodleConnection, MoodleDatabase, data_place
from sync.runs.options import main_connection, operator_permits, run_limits, site_rules
from sync.runs.site_reach import allowed_folder, reachable

PURPOSE = "site connections"

# An address that can be read in one way only. With an @ in the password, what follows it would be taken for the host, and
# errors name hosts.
_CLEAR_ADDRESS = re.compile(
    r"[\w+]+://(?:[^@]*@)?(?:\[[0-9A-Fa-f:.%]+\]|[^\[\]@:/?]*)(?::[0-9]+)?(?:/[^@?]*)?(?:\?[^@]*)?"
)
_FILE = "sqlite:"


def moodle_of(site: MoodleSite) -> MoodleDatabase:
    """Return the way into a site's Moodle; nothing is opened yet. Raises: MoodleUnavailable if its address can't be read."""
    return moodle_at(connection_of(site))


def moodle_at(connection: MoodleConnection) -> MoodleDatabase:
    """Return the way into a Moodle; nothing is opened yet.

    Raises: MoodleUnavailable if its address can't be read, or its server has none; MoodleNotAllowed if it leads where pages may
    not lead
    """
    if not connection.url.startswith(_FILE) and not _CLEAR_ADDRESS.fullmatch(connection.url):
        raise MoodleUnavailable("moodle_url_invalid")
    if connection.is_guarded:
        connection = replace(connection, url=reachable(connection.url))
    # Longer than a worker at work lets a transaction rest: storing the parts of a chunk on a far server may last.
    idle_seconds = max(15, round(6 * run_limits().lease.total_seconds()))
    return MoodleDatabase(replace(connection, idle_seconds=idle_seconds))


def connection_of(site: MoodleSite) -> MoodleConnection:
    """Return the connection of a site.

    Raises: MoodleUnavailable if it can't be decrypted; MoodleNotAllowed if its data folder lies where pages may not choose
    """
    if not site.connection:
        return main_connection()
    try:
        values = decrypt(PURPOSE, site.connection)
    except Unreadable:
        raise MoodleUnavailable("moodle_connection_unreadable", site=site.name) from None
    is_guarded = values.get("is_guarded", False)
    command = values.get("command", "")
    return MoodleConnection(
        url=values["url"],
        prefix=values["prefix"],
        **data_place(allowed_folder(values["dataroot"]) if is_guarded else values["dataroot"]),
        operator=values["operator"],
        peppers=tuple(values["peppers"]),
        command_line=site_rules().commands.get(command, ()) if command else tuple(values.get("command_line", ())),
        time_zone=values.get("time_zone", ""),
        is_guarded=is_guarded,
        **operator_permits(),
    )


def command_of(site: MoodleSite) -> str:
    """Return the name of the command line that was chosen on a page, "" = none. Raises: MoodleUnavailable as `connection_of`"""
    if not site.connection:
        return ""
    try:
        return str(decrypt(PURPOSE, site.connection).get("command", ""))
    except Unreadable:
        raise MoodleUnavailable("moodle_connection_unreadable", site=site.name) from None


def sealed(connection: MoodleConnection, command: str = "") -> bytes:
    """Return a connection as it may be stored. Shape: command: name of its command line, of those that pages choose from"""
    values = {
        "url": connection.url,
        "prefix": connection.prefix,
        "dataroot": str(connection.dataroot or connection.data_url),
        "operator": connection.operator,
        "peppers": list(connection.peppers),
        "command_line": [] if command else list(connection.command_line),
        "command": command,
        "is_guarded": connection.is_guarded,
        "time_zone": connection.time_zone,
    }
    return encrypt(PURPOSE, values)
