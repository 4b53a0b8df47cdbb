"""From an address to the place that it names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

from sync.sources.ftp_address import FtpAddress
from sync.sources.guard import FetchRules, Lines
from sync.sources.http_address import HttpAddress
from sync.sources.location import Address
from sync.sources.sftp_address import SftpAddress

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
                name = address.name if address.name.lower().endswith(_FILE_ENDINGS) else default_name
                yield HttpAddress(address, lines, name)
            case "sftp":
                with closing(SftpAddress(address, lines, private_key=private_key, host_key=host_key)) as sftp:
                    yield sftp
            case _:
                with closing(FtpAddress(address, lines)) as ftp:
                    yield ftp
