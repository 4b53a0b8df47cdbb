"""Files in a folder of an SFTP server."""

from __future__ import annotations

import base64
import hashlib
import io
import stat
from typing import BinaryIO

import paramiko

from sync.errors import SourceError
from sync.sources.guard import LimitedWriter, Lines
from sync.sources.location import Address
from sync.sources.remote_folder import Entry

_ANSWER_SECONDS = 30
_BLOCK = 1 << 15
_KEY_KINDS: tuple[type[paramiko.PKey], ...] = (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey)


class SftpAddress:
    """The place of the files in one folder of an SFTP server.

    Shape: host_key: fingerprint as ssh shows it ("SHA256:…"); empty at first, then the one that was met
    """

    may_grow = True

    def __init__(self, address: Address, lines: Lines, *, private_key: str, host_key: str) -> None:
        self.host_key = host_key
        self._address = address
        self._lines = lines
        self._private_key = private_key
        self._transport: paramiko.Transport | None = None
        self._client: paramiko.SFTPClient | None = None

    def entries(self) -> list[Entry]:
        """List the folder."""
        with self._lines.translated_errors(self._address.host):
            try:
                listed = self._sftp().listdir_attr(self._address.folder)
            except FileNotFoundError:
                raise SourceError("remote_not_found", address=self._address.shown) from None
            return [
                _entry(file.filename, file) for file in listed if file.st_mode is None or stat.S_ISREG(file.st_mode)
            ]

    def look(self, name: str) -> Entry | None:
        """Return a file as it is now."""
        with self._lines.translated_errors(self._address.host):
            try:
                return _entry(name, self._sftp().lstat(self._address.folder + name))
            except FileNotFoundError:
                return None

    def copy(self, name: str, out: BinaryIO) -> None:
        """Fetch a file."""
        sink = LimitedWriter(out, name, self._lines.rules)
        with (
            self._lines.translated_errors(self._address.host),
            self._sftp().open(self._address.folder + name, "rb") as file,
        ):
            size = file.stat().st_size or 0
            sink.expect(size)
            file.prefetch(size, max_concurrent_requests=64)
            while block := file.read(_BLOCK):
                sink.write(block)

    def remove(self, name: str) -> None:
        """Delete a file on the server."""
        with self._lines.translated_errors(self._address.host):
            self._sftp().remove(self._address.folder + name)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def _sftp(self) -> paramiko.SFTPClient:
        if self._client is None:
            self._transport = paramiko.Transport(self._lines.open(self._address.host, self._address.port))
            self._transport.start_client(timeout=_ANSWER_SECONDS)
            self._check_host_key(self._transport.get_remote_server_key())
            self._log_in(self._transport)
            self._client = paramiko.SFTPClient.from_transport(self._transport)
            if self._client is None:
                raise SourceError("remote_login_refused", host=self._address.host)
        return self._client

    def _check_host_key(self, key: paramiko.PKey) -> None:
        """Refuse a server that isn't the one of last time: it would get the password."""
        met = "SHA256:" + base64.b64encode(hashlib.sha256(key.asbytes()).digest()).decode().rstrip("=")
        if self.host_key and self.host_key != met:
            raise SourceError("remote_host_key", host=self._address.host, known=self.host_key, met=met)
        self.host_key = met

    def _log_in(self, transport: paramiko.Transport) -> None:
        username, password = self._address.username, self._address.password
        if self._private_key:
            transport.auth_publickey(username, read_private_key(self._private_key, password))
        else:
            transport.auth_password(username, password)


def _entry(name: str, file: paramiko.SFTPAttributes) -> Entry:
    size, time = file.st_size, file.st_mtime
    return Entry(name, -1 if size is None else size, "" if time is None else str(time))


def read_private_key(text: str, passphrase: str) -> paramiko.PKey:
    """Return a private key. Raises: SourceError if it isn't one that we can read."""
    for kind in _KEY_KINDS:
        try:
            return kind.from_private_key(io.StringIO(text), passphrase or None)
        except (paramiko.SSHException, ValueError):
            continue
    raise SourceError("private_key_unreadable")
