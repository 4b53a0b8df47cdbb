"""A folder of an SFTP server that may go away and come back."""

from __future__ import annotations

import paramiko
from storages.backends.sftpstorage import SFTPStorage

# For one answer of the server; without it, a server that vanishes is waited for until the end of time.
_SILENCE_SECONDS = 60.0


class LastingSFTPStorage(SFTPStorage):
    """Connects anew after a try that failed; django-storages 1.14 then asks a connection that was never there, for ever."""

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
