"""Servers for files to be fetched from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.authority_fixture import authority, authority_file, trusted
from tests.source_servers import FtpServer, SftpServer, WebServer

__all__ = ["authority", "authority_file", "trusted"]


@pytest.fixture
def web() -> Iterator[WebServer]:
    server = WebServer()
    yield server
    server.stop()


@pytest.fixture
def secure_web(authority: trustme.CA) -> Iterator[WebServer]:
    server = WebServer(authority.issue_cert("localhost"))
    yield server
    server.stop()


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """The folder that the FTP and SFTP servers show."""
    folder = tmp_path / "served"
    (folder / "out").mkdir(parents=True)
    return folder


@pytest.fixture
def ftp(served: Path) -> Iterator[FtpServer]:
    server = FtpServer(served)
    yield server
    server.stop()


@pytest.fixture
def secure_ftp(served: Path, authority: trustme.CA) -> Iterator[FtpServer]:
    server = FtpServer(served, authority.issue_cert("localhost"))
    yield server
    server.stop()


@pytest.fixture
def old_ftp(served: Path) -> Iterator[FtpServer]:
    server = FtpServer(served, is_old=True)
    yield server
    server.stop()


@pytest.fixture
def sftp(served: Path) -> Iterator[SftpServer]:
    server = SftpServer(served)
    yield server
    server.stop()
