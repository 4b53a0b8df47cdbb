"""One file at an `http` or `https` address."""

from __future__ import annotations

import base64
import http.client
import re
import ssl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import BinaryIO
from urllib.parse import urljoin

from sync.errors import SourceError
from sync.sources.guard import LimitedWriter, Lines
from sync.sources.location import PORTS, Address, parse_address
from sync.sources.remote_folder import CHECKSUM, Entry, check_digest
from sync.whole_files import digest_of

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5
_BLOCK = 1 << 16
_PAGES = ("text/html", "application/xhtml+xml")
_BEGINS_PAGE = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html|head|script)\b", re.IGNORECASE)


class GuardedConnection(http.client.HTTPConnection):
    """A connection that goes out through the guard."""

    def __init__(self, address: Address, lines: Lines) -> None:
        super().__init__(address.host, address.port)
        # Left out of the Host header.
        self.default_port = PORTS[address.scheme]
        self._is_secure = address.scheme == "https"
        self._lines = lines

    def connect(self) -> None:
        line = self._lines.open(self.host, self.port)
        self.sock = (
            ssl.create_default_context().wrap_socket(line, server_hostname=self.host) if self._is_secure else line
        )


class HttpAddress:
    """The place of one file on a web server.

    Shape: name: the one it is kept under; is_table: one that is made when it is asked for: there is no checksum file beside it,
    and a web page in its place (a login, say) is no file
    """

    # What is sent is whole, or was cut off.
    may_grow = False

    def __init__(self, address: Address, lines: Lines, name: str, *, is_table: bool = False) -> None:
        self._address = address
        self._lines = lines
        self._name = name
        self._is_table = is_table

    def entries(self) -> list[Entry]:
        """Return the file if it is there, and its checksum file beside it."""
        found = []
        if file := self._head(self._address, self._name):
            found.append(file)
            if not self._is_table and self._checksum_is_there():
                found.append(Entry(self._name + CHECKSUM, -1))
        return found

    def look(self, name: str) -> Entry:
        """What is fetched is what one answer has sent."""
        return Entry(name, -1)

    def copy(self, name: str, out: BinaryIO) -> None:
        """Fetch the file or its checksum. An answer that doesn't tell its end must have the digest of the checksum beside it."""
        is_checksum = name == self._name + CHECKSUM
        address = self._checksum_address if is_checksum else self._address
        sink = LimitedWriter(out, name, self._lines.rules)
        with self._lines.translated_errors(address.host), self._answer("GET", address) as answer:
            _refuse(answer.status, address)
            self._refuse_page(answer)
            sink.expect(answer.length or 0)
            # Else the connection ends where the file ends, and where it breaks off.
            tells_end = answer.chunked or answer.length is not None
            # read1 gives what is there; read would wait for a whole block from a server that drips.
            while block := answer.read1(_BLOCK):
                if self._is_table and not sink.size and _BEGINS_PAGE.match(block):
                    raise SourceError("remote_page", host=address.host)
                sink.write(block)
            if answer.length:
                raise SourceError("remote_cut_off", host=address.host, missing=answer.length)
        if not tells_end and not is_checksum:
            self._check_end(out)

    def remove(self, _name: str) -> None:
        """A web server keeps what it has."""

    def _check_end(self, out: BinaryIO) -> None:
        if self._is_table or not self._checksum_is_there():
            raise SourceError("remote_end_unknown", host=self._address.host)
        check_digest(self, self._name, self._name + CHECKSUM, digest_of(out)[0])

    @property
    def _checksum_address(self) -> Address:
        return self._address._replace(path=self._address.path + CHECKSUM)

    def _head(self, address: Address, name: str) -> Entry | None:
        """Ask what is there. A server that answers HEAD badly (an address signed for GET, a script) is asked to send it."""
        for method in ("GET",) if self._is_table else ("HEAD", "GET"):
            with self._lines.translated_errors(address.host), self._answer(method, address) as answer:
                if answer.status == 200:
                    self._refuse_page(answer)
                    size = answer.headers.get("Content-Length", "")
                    return Entry(name, int(size) if size.isdecimal() else -1, answer.headers.get("Last-Modified", ""))
                status = answer.status
        if status in (404, 410):
            return None
        _refuse(status, address)
        return None

    def _refuse_page(self, answer: http.client.HTTPResponse) -> None:
        if self._is_table and answer.headers.get_content_type() in _PAGES:
            raise SourceError("remote_page", host=self._address.host)

    def _checksum_is_there(self) -> bool:
        try:
            with (
                self._lines.translated_errors(self._address.host),
                self._answer("HEAD", self._checksum_address) as answer,
            ):
                return answer.status == 200
        except SourceError:
            return False

    @contextmanager
    def _answer(self, method: str, address: Address) -> Iterator[http.client.HTTPResponse]:
        """Ask, and follow where the server sends us. Raises: SourceError."""
        for _step in range(_MOST_REDIRECTS + 1):
            with closing(GuardedConnection(address, self._lines)) as connection:
                target = address.path + (f"?{address.query}" if address.query else "")
                connection.request(method, target, headers=self._headers(address))
                with connection.getresponse() as answer:
                    if answer.status not in _REDIRECTS or "Location" not in answer.headers:
                        yield answer
                        return
                    address = _next_address(address, answer.headers["Location"])
        raise SourceError("remote_redirects", host=self._address.host, count=_MOST_REDIRECTS)

    def _headers(self, address: Address) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity", "User-Agent": "ToolSync"}
        secret = self._authorization()
        first, now = self._address, address
        # Secrets are for the server they were given for; that it sends us on to its own https is fine.
        is_same = now.host == first.host and (now.server == first.server or (now.scheme, now.port) == ("https", 443))
        return headers | ({"Authorization": secret} if secret and is_same else {})

    def _authorization(self) -> str:
        username, password = self._address.username, self._address.password
        if username:
            return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()
        return f"Bearer {password}" if password else ""


def _next_address(address: Address, location: str) -> Address:
    """Return where a redirect leads. Raises: SourceError."""
    target = f"{address.shown}?{address.query}" if address.query else address.shown
    # What a server writes into a redirect is no login of ours.
    following = parse_address(urljoin(target, location))._replace(username="", password="")
    if following.scheme not in ("http", "https") or (address.scheme == "https" and following.scheme == "http"):
        raise SourceError("remote_redirect_insecure", host=address.host, target=following.shown)
    return following


def _refuse(status: int, address: Address) -> None:
    """Raise what a status that isn't 200 means."""
    if status == 200:
        return
    if status in (401, 403):
        raise SourceError("remote_login_refused", host=address.host)
    if status in (404, 410):
        raise SourceError("remote_not_found", address=address.shown)
    raise SourceError("remote_status", host=address.host, status=status)
