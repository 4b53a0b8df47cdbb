"""From an address, and what is asked of the server there, to the place that it names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

from sync.sources.ftp_address import FtpAddress
from sync.sources.guard import FetchRules, Lines
from sync.sources.http_address import HttpAddress
from sync.sources.location import Address, parse_address
from sync.sources.oauth import Client, check_secure
from sync.sources.remote_folder import RemoteFolder
from sync.sources.sftp_address import SftpAddress
from sync.sources.sheet_address import SheetAddress
from sync.sources.token_address import TokenAddress

_FILE_ENDINGS = (".csv", ".txt", ".xlsx", ".ods", ".zip")


@contextmanager
def open_address(
    address: Address, rules: FetchRules, *, default_name: str, private_key: str = "", host_key: str = ""
) -> Iterator[HttpAddress | FtpAddress | SftpAddress]:
    """Open the way to an address for as long as the rules allow.

    Shape: default_name: for what an address like "…/export?id=3" gives
    """
    with Lines(rules) as lines:
        match address.scheme:
            case "http" | "https":
                yield HttpAddress(address, lines, _name_of(address, default_name))
            case "sftp":
                with closing(SftpAddress(address, lines, private_key=private_key, host_key=host_key)) as sftp:
                    yield sftp
            case _:
                with closing(FtpAddress(address, lines)) as ftp:
                    yield ftp


@contextmanager
def open_query(
    kind: str,
    address: Address,
    query: Mapping[str, str],
    rules: FetchRules,
    *,
    default_name: str,
    private_key: str = "",
) -> Iterator[RemoteFolder]:
    """Open a source of rows, or of a file behind a token, for as long as the rules allow.

    Shape: kind: as of the model of sources; query: as `sync.sources.queries` has checked it; default_name: of the file made;
    private_key: of a service account, the file
    """
    if kind in ("sql", "moodle"):
        # Each loads a library that others have no use for.
        from sync.sources.sql_source import SqlSource

        with closing(SqlSource(address, query["statement"], rules, default_name)) as rows:
            yield rows
        return
    if kind == "ldap":
        from sync.sources.ldap_source import LdapSearch, LdapSource, attributes_of

        wanted = LdapSearch(query["base"], query["filter"], attributes_of(query["attributes"]))
        with closing(LdapSource(address, wanted, rules, default_name)) as rows:
            yield rows
        return
    if kind == "sheet":
        from sync.sources.service_account import read_service_key

        check_secure(address, rules)
        with Lines(rules) as lines:
            yield SheetAddress(address, read_service_key(private_key), lines, default_name)
        return
    check_secure(address, rules)
    client = Client(parse_address(query["token_address"]), address.username, address.password, query.get("scope", ""))
    with Lines(rules) as lines:
        if kind == "oneroster":
            from sync.sources.oneroster import OneRosterSource

            with closing(OneRosterSource(address, query["collection"], client, lines, default_name)) as rows:
                yield rows
        else:
            yield TokenAddress(address, client, lines, _name_of(address, default_name))


def _name_of(address: Address, default_name: str) -> str:
    return address.name if address.name.lower().endswith(_FILE_ENDINGS) else default_name
