"""One file at an `https` address that wants a token by OAuth 2 client credentials."""

from __future__ import annotations

from typing import BinaryIO

from sync.errors import SourceError
from sync.sources.guard import Lines
from sync.sources.http_address import HttpAddress
from sync.sources.location import Address
from sync.sources.oauth import Client, forget_token, token_of
from sync.sources.remote_folder import Entry

_REFUSED = "remote_login_refused"


class TokenAddress:
    """The place of one file on a web server that wants a token. Shape: name: the one that it is kept under"""

    may_grow = False

    def __init__(self, address: Address, client: Client, lines: Lines, name: str) -> None:
        self._address = address
        self._client = client
        self._lines = lines
        self._name = name

    def entries(self) -> list[Entry]:
        """Return the file if it is there. A token that isn't taken any more is replaced once."""
        try:
            return self._with_token().entries()
        except SourceError as error:
            if error.code != _REFUSED:
                raise
        forget_token(self._client)
        return self._with_token().entries()

    def look(self, name: str) -> Entry:
        """What is fetched is what one answer has sent."""
        return Entry(name, -1)

    def copy(self, name: str, out: BinaryIO) -> None:
        """Fetch the file or its checksum."""
        self._with_token().copy(name, out)

    def remove(self, _name: str) -> None:
        """A web server keeps what it has."""

    def _with_token(self) -> HttpAddress:
        address = self._address._replace(username="", password=token_of(self._client, self._lines))
        return HttpAddress(address, self._lines, self._name)
