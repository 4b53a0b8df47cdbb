"""A private Google Sheet as CSV, for a service account that it is shared with."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from sync.errors import SourceError
from sync.sources.guard import Lines
from sync.sources.http_address import HttpAddress
from sync.sources.location import Address, parse_address
from sync.sources.oauth import forget_token, token_of
from sync.sources.remote_folder import Entry

if TYPE_CHECKING:
    from sync.sources.service_account import ServiceAccount

# Of a sheet that is published to everybody the number is "e" and something else follows.
_SHEET = re.compile(r"(/spreadsheets/)(?:u/[0-9]{1,3}/)?(d/[A-Za-z0-9_-]{16,200})(?:/.*)?")
_TAB = re.compile(r"(?:.*&)?gid=([0-9]{1,20})(?:&.*)?")
# What a server answers that doesn't let the account in, or has no such sheet.
_NOT_SHARED = ("remote_login_refused", "remote_not_found", "remote_page")


class SheetAddress:
    """The place of the one tab of a sheet. Shape: address: of its export; name: the one that it is kept under"""

    may_grow = False

    def __init__(self, address: Address, account: ServiceAccount, lines: Lines, name: str) -> None:
        self._address = address
        self._account = account
        self._lines = lines
        self._name = name

    def entries(self) -> list[Entry]:
        """Return the sheet as a file. A token that isn't taken any more is replaced once. Raises: SourceError"""
        try:
            return self._listed()
        except SourceError as error:
            if error.code != "remote_login_refused":
                raise self._said(error) from None
        forget_token(self._account)
        try:
            return self._listed()
        except SourceError as error:
            raise self._said(error) from None

    def look(self, name: str) -> Entry:
        """What is fetched is what one answer has sent."""
        return Entry(name, -1)

    def copy(self, name: str, out: BinaryIO) -> None:
        """Fetch the sheet. Raises: SourceError, also for a page in place of a table; CommandFileError"""
        try:
            self._with_token().copy(name, out)
        except SourceError as error:
            raise self._said(error) from None

    def remove(self, _name: str) -> None:
        """The sheet stays."""

    def _listed(self) -> list[Entry]:
        if found := self._with_token().entries():
            return found
        raise SourceError("remote_not_found", address=self._address.shown)

    def _with_token(self) -> HttpAddress:
        address = self._address._replace(username="", password=token_of(self._account, self._lines))
        return HttpAddress(address, self._lines, self._name, is_table=True)

    def _said(self, error: SourceError) -> SourceError:
        if error.code in _NOT_SHARED:
            return SourceError("sheet_not_shared", host=self._address.host, email=self._account.email)
        return error


def sheet_address(text: str) -> Address:
    """Return the address of the CSV of a sheet for the one that a browser shows. Raises: SourceError

    Source: Google's export of a sheet, /export?format=csv&gid=…
    """
    found, address = _parsed(text)
    return address._replace(path=f"{found[1]}{found[2]}/export", query=f"format=csv&gid={_tab_of(text)}")


def sheet_shown(text: str) -> str:
    """Return the address of a sheet as it is kept and shown: with its tab, without anything else. Raises: SourceError"""
    found, address = _parsed(text)
    return f"{address._replace(path=f'{found[1]}{found[2]}/edit', query='').shown}#gid={_tab_of(text)}"


def _parsed(text: str) -> tuple[re.Match[str], Address]:
    address = parse_address(text)
    found = _SHEET.fullmatch(address.path)
    if found is None or address.scheme not in ("http", "https"):
        raise SourceError("sheet_address_unreadable")
    return found, address._replace(username="", password="")


def _tab_of(text: str) -> str:
    """Return the number of the tab that an address names: behind the #, else behind the ?, else the first."""
    parts = urlsplit(text.strip())
    for part in (parts.fragment, parts.query):
        if found := _TAB.fullmatch(part):
            return found[1]
    return "0"
