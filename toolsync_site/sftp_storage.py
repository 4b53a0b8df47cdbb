"""A folder of an SFTP server that may go away and come back."""

from __future__ import annotations

import posixpath
import secrets
from contextlib import suppress
from typing import IO

import paramiko
from django.core.files.base import File
from storages.backends.sftpstorage import SFTPStorage

# For one answer of the server; without it, a server that vanishes is waited for until the end of time.
_SILENCE_SECONDS = 60.0


class LastingSFTPStorage(SFTPStorage):
    """Connects anew after a try that failed; django-storages 1.14 then asks a connection that was never there, for ever."""

    # Of a process that is killed while it writes (sync/commandfiles/left_drafts.py).
    leaves_drafts = True
    _ssh: paramiko.SSHClient | None
    _sftp: paramiko.SFTPClient | None

    def _connect(self) -> None:
        super()._connect()
        if self._sftp is not None and (channel := self._sftp.get_channel()) is not None:
            channel.settimeout(_SILENCE_SECONDS)

    @property
    def sftp(self) -> paramiko.SFTPClient:
        if self._ssh is not None and self._ssh.get_transport() is None:
            self._sftp = None
        return super().sftp

    def delete(self, name: str) -> None:
        """Delete a file; what isn't there is gone already. Unlike django-storages 1.14, raises OSError where it stays."""
        with suppress(FileNotFoundError):
            self.sftp.remove(self._remote_path(name))

    def replace(self, name: str, content: IO[bytes]) -> None:
        """Keep a content under exactly this name: written beside, and renamed once it is whole."""
        draft = posixpath.join(posixpath.dirname(name), f".{secrets.token_hex(8)}.part")
        try:
            self._save(draft, File(content))
            self._rename(self._remote_path(draft), self._remote_path(name))
        except Exception:
            self._forget(draft)
            raise

    def _rename(self, draft: str, path: str) -> None:
        try:
            self.sftp.posix_rename(draft, path)
        except OSError as error:
            # Without a number: the server doesn't know how, as its own words tell.
            if error.errno is not None:
                raise
            if self._path_exists(path):
                self.sftp.remove(path)
            self.sftp.rename(draft, path)

    def _forget(self, draft: str) -> None:
        try:
            self.delete(draft)
        except (OSError, EOFError, paramiko.SSHException):
            # The server is away; what is left there is hidden and in nobody's way.
            return
