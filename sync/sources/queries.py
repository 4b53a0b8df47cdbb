"""What is asked of a server that gives rows, as an administrator writes it: checked before it is kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sync.errors import SourceError
from sync.sources.guard import FetchRules
from sync.sources.ldap_source import attributes_of
from sync.sources.location import DATABASE_PORTS, LDAP_PORTS, Address, parse_address, parse_server
from sync.sources.oauth import check_secure
from sync.sources.oneroster import COLUMNS
from sync.sources.other_moodle import statement_for
from sync.sources.sheet_address import sheet_address
from sync.sources.sql_source import check_allowed, check_options
from sync.sources.sql_statement import checked_statement

SQL, LDAP, ONEROSTER, TOKEN, MOODLE, SHEET = "sql", "ldap", "oneroster", "oauth", "moodle", "sheet"
KINDS = (SQL, LDAP, ONEROSTER, TOKEN, MOODLE, SHEET)
COLLECTIONS = tuple(COLUMNS)
# What each kind keeps of a choice.
FIELDS: Mapping[str, tuple[str, ...]] = {
    SQL: ("statement",),
    LDAP: ("base", "filter", "attributes"),
    ONEROSTER: ("token_address", "scope", "collection"),
    TOKEN: ("token_address", "scope"),
    MOODLE: ("table_prefix",),
    SHEET: (),
}
_EVERY_ENTRY = "(objectClass=*)"


def server_address(kind: str, text: str) -> Address:
    """Return the address of a server of a kind. Raises: SourceError"""
    if kind in (SQL, MOODLE):
        address = parse_server(text, DATABASE_PORTS)
        check_options(address)
        return address
    if kind == LDAP:
        return parse_server(text, LDAP_PORTS)
    if kind == SHEET:
        return sheet_address(text)
    address = parse_address(text)
    if address.scheme not in ("http", "https"):
        raise SourceError("address_scheme", scheme=address.scheme, schemes="https, http")
    return address


def checked_query(
    kind: str, address: Address, query: Mapping[str, Any], processor: str, rules: FetchRules
) -> dict[str, str]:
    """Return what is kept of what somebody has written. Raises: SourceError"""
    kept = {name: str(query.get(name, "")).strip() for name in FIELDS[kind]}
    if kind in (SQL, LDAP, MOODLE):
        check_allowed(address, rules)
    if kind == SQL:
        kept["statement"] = checked_statement(kept["statement"])
    elif kind == MOODLE:
        kept["statement"] = statement_for(processor, kept["table_prefix"])
    elif kind == LDAP:
        kept["attributes"] = ", ".join(attributes_of(kept["attributes"]))
        kept["filter"] = kept["filter"] or _EVERY_ENTRY
    elif kind == SHEET:
        check_secure(address, rules)
    else:
        # The token goes there, and people's data comes back.
        check_secure(address, rules)
        kept["token_address"] = parse_address(kept["token_address"]).shown
        if kind == ONEROSTER and kept["collection"] not in COLLECTIONS:
            raise SourceError("oneroster_unreadable", host=address.host, collection=kept["collection"])
    return kept
