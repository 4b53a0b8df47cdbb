"""Servers for files to be fetched from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.source_servers import FtpServer, SftpServer, WebServer


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the authority of the tests, as an operator would who has one of his own."""
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    monkeypatch.setenv("SSL_CERT_FILE", str(path))


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
def sftp(served: Path) -> Iterator[SftpServer]:
    server = SftpServer(served)
    yield server
    server.stop()
