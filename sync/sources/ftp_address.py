"""Files in a folder of an FTP server, with or without TLS."""

from __future__ import annotations

import ftplib
import socket
import ssl
from collections.abc import Mapping
from typing import Any, BinaryIO

from sync.errors import CommandFileError
from sync.sources.guard import LimitedWriter, Lines
from sync.sources.location import Address
from sync.sources.remote_folder import Entry

# Where TLS begins with the first byte instead of with a command.
_IMPLICIT_PORT = 990


class _Plain(ftplib.FTP):
    """A client that goes out through the guard.

    Its data connections go to the address of the first one: ftplib doesn't believe what a server says about that.
    """

    def __init__(self, lines: Lines, **more: Any) -> None:
        super().__init__(**more)
        self.lines = lines

    def begin(self, address: Address) -> None:
        """Connect and log in."""
        self.host, self.port = address.host, address.port
        line = self.lines.open(address.host, address.port)
        self.af = line.family
        self.sock = self.secured(line)
        self.file = self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()
        self.login(address.username or "anonymous", address.password)

    def secured(self, line: socket.socket) -> socket.socket:
        return line

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        # Not super(): FTP_TLS would secure it without the session.
        line, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321
        self.lines.watch(line)
        return self.secured_data(line), size

    def secured_data(self, line: socket.socket) -> socket.socket:
        return line


class _Secure(_Plain, ftplib.FTP_TLS):
    """The same with TLS on both connections."""

    def __init__(self, lines: Lines) -> None:
        super().__init__(lines, context=ssl.create_default_context())

    def begin(self, address: Address) -> None:
        super().begin(address)
        self.prot_p()

    def secured(self, line: socket.socket) -> socket.socket:
        return self.context.wrap_socket(line, server_hostname=self.host) if self.port == _IMPLICIT_PORT else line

    def secured_data(self, line: socket.socket) -> socket.socket:
        control = self.sock
        # Many servers want to see the session of the control connection again.
        session = control.session if isinstance(control, ssl.SSLSocket) else None
        return self.context.wrap_socket(line, server_hostname=self.host, session=session)


class FtpAddress:
    """The place of the files in one folder of an FTP server."""

    may_grow = True

    def __init__(self, address: Address, lines: Lines) -> None:
        self._address = address
        self._lines = lines
        self._connected: _Plain | None = None
        self._sizes: dict[str, int] = {}
        self._knows_facts = True

    def entries(self) -> list[Entry]:
        """List the folder."""
        with self._lines.translated_errors(self._address.host):
            entries = self._listed(self._ftp())
        self._sizes = {entry.name: entry.size for entry in entries}
        return entries

    def look(self, name: str) -> Entry | None:
        """Return a file as it is now."""
        with self._lines.translated_errors(self._address.host):
            ftp = self._ftp()
            try:
                return self._asked_for(ftp, name)
            except (ftplib.error_perm, StopIteration):
                # Servers have several answers for what isn't there, and for commands that they don't know.
                return next((entry for entry in self._listed(ftp) if entry.name == name), None)

    def copy(self, name: str, out: BinaryIO) -> None:
        """Fetch a file."""
        sink = LimitedWriter(out, name, self._lines.rules)
        sink.expect(self._sizes.get(name, 0))
        with self._lines.translated_errors(self._address.host):
            try:
                self._ftp().retrbinary(f"RETR {self._address.folder}{name}", sink.write)
            except CommandFileError:
                # The server goes on sending; there is no polite way to stop it that all servers understand.
                self.close()
                raise

    def remove(self, name: str) -> None:
        """Delete a file on the server."""
        with self._lines.translated_errors(self._address.host):
            self._ftp().delete(self._address.folder + name)

    def close(self) -> None:
        """Hang up."""
        if self._connected is not None:
            self._connected.close()
            self._connected = None

    def _ftp(self) -> _Plain:
        if self._connected is None:
            ftp = _Secure(self._lines) if self._address.scheme == "ftps" else _Plain(self._lines)
            try:
                ftp.begin(self._address)
            except BaseException:
                ftp.close()
                raise
            self._connected = ftp
        return self._connected

    def _listed(self, ftp: _Plain) -> list[Entry]:
        try:
            listed = list(ftp.mlsd(self._address.folder, ["type", "size", "modify"]))
        except ftplib.error_perm as error:
            if not str(error).startswith(("500", "501", "502", "504")):
                raise
            self._knows_facts = False
            return self._entries_of_old_server(ftp)
        return [_entry(name, facts) for name, facts in listed if facts.get("type", "file") == "file"]

    def _asked_for(self, ftp: _Plain, name: str) -> Entry:
        """Ask about one file. Raises: ftplib.error_perm, StopIteration if the server doesn't say"""
        path = self._address.folder + name
        if not self._knows_facts:
            ftp.voidcmd("TYPE I")
            return Entry(name, _size_of(ftp, path))
        # Source: RFC 3659, 7.2: the facts stand on a line of their own, which begins with a space.
        said = ftp.sendcmd(f"MLST {path}").splitlines()
        return _entry(name, _facts_of(next(line[1:] for line in said if line.startswith(" "))))

    def _entries_of_old_server(self, ftp: _Plain) -> list[Entry]:
        """List the folder on a server that knows no MLSD; what has no size is a folder."""
        entries = []
        names = [path.rpartition("/")[2] for path in ftp.nlst(self._address.folder)]
        # After the list, which is asked for as text: servers give no size then.
        ftp.voidcmd("TYPE I")
        for name in names:
            try:
                entries.append(Entry(name, _size_of(ftp, self._address.folder + name)))
            except ftplib.error_perm:
                continue
        return entries


def _size_of(ftp: ftplib.FTP, path: str) -> int:
    size = ftp.size(path)
    return -1 if size is None else size


def _entry(name: str, facts: Mapping[str, str]) -> Entry:
    return Entry(name, int(facts.get("size", -1)), facts.get("modify", ""))


def _facts_of(line: str) -> dict[str, str]:
    """Return what a server says of one file: "size=26;modify=20261202070000; /out/users.csv"."""
    pairs = (fact.partition("=") for fact in line.partition(" ")[0].split(";"))
    return {name.lower(): value for name, _sign, value in pairs if name}
