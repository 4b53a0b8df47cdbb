"""An authority for certificates of our own; folders whose tests need it name it in their conftest."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def authority_file(authority: trustme.CA, tmp_path: Path) -> Path:
    path = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture
def trusted(authority_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the authority of the tests, as an operator would who has one of his own."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority_file))
