"""From a site to the way into its Moodle. Connections of sites other than `main` are kept encrypted."""

from __future__ import annotations

import re
from dataclasses import replace

from sync.encryption import Unreadable, decrypt, encrypt
from sync.errors import MoodleUnavailable
from sync.models import MoodleSite
from sync.moodle.db.database import MoodleConnection, MoodleDatabase, data_place
from sync.runs.options import main_connection, operator_permits, run_limits

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
    """Return the way into a Moodle; nothing is opened yet. Raises: MoodleUnavailable if its address can't be read."""
    if not connection.url.startswith(_FILE) and not _CLEAR_ADDRESS.fullmatch(connection.url):
        raise MoodleUnavailable("moodle_url_invalid")
    # Longer than a worker at work lets a transaction rest: storing the parts of a chunk on a far server may last.
    idle_seconds = max(15, round(6 * run_limits().lease.total_seconds()))
    return MoodleDatabase(replace(connection, idle_seconds=idle_seconds))


def connection_of(site: MoodleSite) -> MoodleConnection:
    """Return the connection of a site. Raises: MoodleUnavailable if it can't be decrypted."""
    if not site.connection:
        return main_connection()
    try:
        values = decrypt(PURPOSE, site.connection)
    except Unreadable:
        raise MoodleUnavailable("moodle_connection_unreadable", site=site.name) from None
    return MoodleConnection(
        url=values["url"],
        prefix=values["prefix"],
        **data_place(values["dataroot"]),
        operator=values["operator"],
        peppers=tuple(values["peppers"]),
        command_line=tuple(values.get("command_line", ())),
        time_zone=values.get("time_zone", ""),
        **operator_permits(),
    )


def sealed(connection: MoodleConnection) -> bytes:
    """Return a connection as it may be stored."""
    values = {
        "url": connection.url,
        "prefix": connection.prefix,
        "dataroot": str(connection.dataroot or connection.data_url),
        "operator": connection.operator,
        "peppers": list(connection.peppers),
        "command_line": list(connection.command_line),
        "time_zone": connection.time_zone,
    }
    return encrypt(PURPOSE, values)
