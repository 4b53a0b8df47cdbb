"""What storages raise when they can't be reached: local folders, S3 and SFTP."""

from __future__ import annotations

from functools import cache


@cache
def storage_errors() -> tuple[type[Exception], ...]:
    """Return the exceptions of all kinds of storages, for an `except` clause, which asks only once something was raised.

    The libraries of S3 and SFTP take a third of a second to load, and most installations keep their files in a folder.
    """
    import paramiko
    from botocore.exceptions import BotoCoreError, ClientError

    return OSError, EOFError, BotoCoreError, ClientError, paramiko.SSHException
