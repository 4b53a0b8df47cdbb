"""From the address in `TOOLSYNC_STORAGE` to an entry of Django's `STORAGES`."""

from __future__ import annotations

from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def storage_from_url(url: str, setting: str = "TOOLSYNC_STORAGE") -> dict[str, Any]:
    """Return the backend and its options for `file://`, `s3://` or `sftp://`.

    Shape: file:///folder ; s3://key:secret@bucket/prefix?endpoint_url=...&region_name=... ;
    sftp://user:password@host:port/folder?key_filename=...
    Raises: ImproperlyConfigured if the address is none of these
    """
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        # It would quote what stands where a port should be: the rest of a password with a slash, say.
        raise ImproperlyConfigured(unreadable(setting)) from None
    match parts.scheme:
        case "file" if parts.path and not parts.netloc:
            return _folder(unquote(parts.path))
        case "s3" if parts.hostname:
            return _bucket(parts)
        case "sftp" if parts.hostname:
            return _sftp(parts)
    # The address may hold a password: name the setting, not its value.
    raise ImproperlyConfigured(f"{setting} must look like file:///folder, s3://bucket/prefix or sftp://host/folder.")


def unreadable(setting: str) -> str:
    """Return what is said of an address that can't be read, without a part of it: it may hold a password."""
    return (
        f"{setting} can't be read as an address. Signs like @ : / ? # in a password are written as %40 %3A %2F %3F %23."
    )


def _folder(location: str) -> dict[str, Any]:
    # Command files, trybacks and archives hold clear passwords: nobody else on the machine may read them.
    return {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": location, "file_permissions_mode": 0o600, "directory_permissions_mode": 0o700},
    }


def _bucket(parts: SplitResult) -> dict[str, Any]:
    options: dict[str, Any] = {
        "bucket_name": parts.netloc.rpartition("@")[2],
        "location": unquote(parts.path).strip("/"),
        "default_acl": None,
        "file_overwrite": False,
        # What is read goes through a temporary file; the default would be all of it in memory.
        "max_memory_size": 4 << 20,
        **dict(parse_qsl(parts.query)),
    }
    if parts.username and parts.password:
        options |= {"access_key": unquote(parts.username), "secret_key": unquote(parts.password)}
    return {"BACKEND": "toolsync_site.s3_storage.ReplacingS3Storage", "OPTIONS": options}


def _sftp(parts: SplitResult) -> dict[str, Any]:
    params: dict[str, Any] = {"port": parts.port or 22, "timeout": 30.0, **dict(parse_qsl(parts.query))}
    if parts.username:
        params["username"] = unquote(parts.username)
    if parts.password:
        params["password"] = unquote(parts.password)
    options = {
        "host": parts.hostname,
        "root_path": unquote(parts.path) or "/",
        "params": params,
        "file_mode": 0o600,
        "dir_mode": 0o700,
    }
    return {"BACKEND": "toolsync_site.sftp_storage.LastingSFTPStorage", "OPTIONS": options}
