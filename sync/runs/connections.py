"""From a site to the way into its Moodle. Connections of sites other than `main` are kept encrypted."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken

from sync.errors import MoodleUnavailable
from sync.models import MoodleSite
from sync.moodle.database import MoodleConnection, MoodleDatabase
from sync.runs.options import main_connection, secret_key


def moodle_of(site: MoodleSite) -> MoodleDatabase:
    """Give the door to a site's Moodle; nothing is opened yet."""
    return MoodleDatabase(connection_of(site))


def connection_of(site: MoodleSite) -> MoodleConnection:
    """Give the connection of a site. Raises: MoodleUnavailable if it can't be decrypted."""
    if not site.connection:
        return main_connection()
    try:
        values = json.loads(_cipher().decrypt(bytes(site.connection)))
    except InvalidToken:
        raise MoodleUnavailable("moodle_connection_unreadable", site=site.name) from None
    return MoodleConnection(
        url=values["url"],
        prefix=values["prefix"],
        dataroot=Path(values["dataroot"]) if values["dataroot"] else None,
        operator=values["operator"],
        peppers=tuple(values["peppers"]),
    )


def sealed(connection: MoodleConnection) -> bytes:
    """Give a connection as it may be stored."""
    values = {
        "url": connection.url,
        "prefix": connection.prefix,
        "dataroot": str(connection.dataroot or ""),
        "operator": connection.operator,
        "peppers": list(connection.peppers),
    }
    return _cipher().encrypt(json.dumps(values).encode())


def _cipher() -> Fernet:
    key = hashlib.sha256(b"toolsync site connections" + secret_key().encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
