"""The way out to other servers: only to public addresses, and not for ever.

A name is resolved once, and the very address that was checked is connected to: there is no second look-up that somebody who
owns the name could answer differently (DNS rebinding). Redirects come through here like everything else.
"""

from __future__ import annotations

import ftplib
import http.client
import ipaddress
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Self

from sync.errors import CommandFileError, SourceError

MEGABYTE = 1_000_000
# For one answer of a server; the whole has a limit of its own.
_SILENCE_SECONDS = 30.0
# What isn't the public internet, by name: what Python calls global differs from one of its versions to the next.
# Source: IANA, IPv4 and IPv6 Special-Purpose Address Registries; multicast; what is reserved
_SPECIAL_IPV4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
            "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
            "224.0.0.0/4", "240.0.0.0/4",
        ),
    )
)  # fmt: skip
# All public addresses lie in here, apart from these.
_GLOBAL_IPV6 = ipaddress.IPv6Network("2000::/3")
_SPECIAL_IPV6 = tuple(map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


@dataclass(frozen=True)
class FetchRules:
    """What the operator allows.

    Shape: allowed_hosts: "host" or "host:port", lower case; max_bytes, max_rows: 0 = unlimited
    """

    allowed_hosts: frozenset[str]
    max_bytes: int
    seconds: float
    max_rows: int = 0


class Lines:
    """The connections of one fetch. When its time is over they are cut, whatever they are waiting for."""

    def __init__(self, rules: FetchRules) -> None:
        self.rules = rules
        self.is_cut = False
        self._watched: list[socket.socket] = []
        self._timer = threading.Timer(rules.seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _value: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        for line in self._watched:
            line.close()

    def open(self, host: str, port: int) -> socket.socket:
        """Connect to a server. Raises: SourceError if it is a private one; OSError if it doesn't answer."""
        is_allowed = not self.rules.allowed_hosts.isdisjoint((host, f"{host}:{port}"))
        refused: OSError | None = None
        for family, kind, protocol, _name, target in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            if not is_allowed and not is_public(str(target[0])):
                raise SourceError("remote_private", host=host)
            line = socket.socket(family, kind, protocol)
            self.watch(line)
            try:
                line.connect(target)
            except OSError as error:
                line.close()
                refused = error
            else:
                return line
        raise refused or OSError("no address")

    def watch(self, line: socket.socket) -> None:
        """Cut this connection too when the time is over. Raises: TimeoutError if it is already."""
        if self.is_cut:
            line.close()
            raise TimeoutError
        line.settimeout(min(_SILENCE_SECONDS, self.rules.seconds))
        # A handle of our own: TLS takes the original's away.
        self._watched.append(line.dup())

    @contextmanager
    def translated_errors(self, host: str) -> Iterator[None]:
        """Turn what goes wrong on the way into a sentence. Raises: SourceError."""
        try:
            yield
        except SourceError:
            raise
        except _network_errors() as error:
            if not self.is_cut:
                # What can't be sent stands in the error, a password too: no log shows where it came from.
                raise _sentence(error, host) from (error if _is_from_outside(error) else None)
        if self.is_cut:
            raise SourceError("remote_too_slow", host=host, seconds=round(self.rules.seconds))

    def _cut(self) -> None:
        self.is_cut = True
        for line in list(self._watched):
            try:
                line.shutdown(socket.SHUT_RDWR)
            except OSError:
                # Over already.
                continue


class LimitedWriter:
    """Takes what comes in and stops where it becomes too much."""

    def __init__(self, out: BinaryIO, name: str, rules: FetchRules) -> None:
        self._out = out
        self._name = name
        self._limit = rules.max_bytes
        self.size = 0

    def expect(self, size: int) -> None:
        """Refuse a file that says beforehand that it is too large. Raises: CommandFileError."""
        if self._limit and size > self._limit:
            raise CommandFileError("remote_too_large", name=self._name, limit=self._limit // MEGABYTE)

    def write(self, block: bytes) -> None:
        """Keep a block. Raises: CommandFileError."""
        self.size += len(block)
        self.expect(self.size)
        self._out.write(block)


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, looking through the ways to write an IPv4 as an IPv6."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is None:
            return ip in _GLOBAL_IPV6 and not any(ip in network for network in _SPECIAL_IPV6)
        ip = inner
    return not any(ip in network for network in _SPECIAL_IPV4)


def _network_errors() -> tuple[type[Exception], ...]:
    """Return what can go wrong on the way, of all kinds of servers. That of SFTP takes long to load: only where one was met."""
    return OSError, EOFError, ValueError, http.client.HTTPException, ftplib.Error, *_ssh_errors()


def _ssh_errors() -> tuple[type[Exception], ...]:
    # What isn't loaded can't have raised anything.
    paramiko = sys.modules.get("paramiko")
    return (paramiko.SSHException,) if paramiko else ()


def _is_from_outside(error: Exception) -> bool:
    """Tell whether a server or the network has said so. Other errors quote what they can't send."""
    return isinstance(error, (OSError, ftplib.Error, *_ssh_errors()))


def _refuses_login(error: Exception) -> bool:
    if isinstance(error, ftplib.error_perm):
        return str(error).startswith("530")
    paramiko = sys.modules.get("paramiko")
    return paramiko is not None and isinstance(error, paramiko.AuthenticationException)


def _sentence(error: Exception, host: str) -> SourceError:
    reason = (_is_from_outside(error) and str(error)) or type(error).__name__
    if _refuses_login(error):
        return SourceError("remote_login_refused", host=host)
    match error:
        case ssl.SSLCertVerificationError():
            return SourceError("remote_certificate", host=host, reason=error.verify_message)
        case socket.gaierror():
            return SourceError("remote_unknown", host=host)
        case TimeoutError():
            return SourceError("remote_silent", host=host, seconds=round(_SILENCE_SECONDS))
    return SourceError("remote_failed", host=host, reason=reason[:200])
