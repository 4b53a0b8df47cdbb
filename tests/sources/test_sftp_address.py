"""Fetching from an SFTP server, which must be the one of last time."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from sync.errors import CodedError
from sync.sources.guard import FetchRules
from sync.sources.location import Address, parse_address
from sync.sources.opening import open_address
from tests.servers import PASSWORD
from tests.source_servers import USER, SftpServer

FILE = b"username;firstname\nann;Ann\n"
RULES = FetchRules(allowed_hosts=frozenset({"localhost"}), max_bytes=1_000_000, seconds=10)


def address(server: SftpServer, password: str = PASSWORD) -> Address:
    return parse_address(f"sftp://{USER}:{password}@localhost:{server.port}/out/users.csv")


@pytest.fixture(autouse=True)
def files(served: Path) -> None:
    (served / "out" / "users.csv").write_bytes(FILE)
    (served / "out" / "folder.csv").mkdir()


@pytest.mark.parametrize("passphrase", [None, "phrase"])
@pytest.mark.parametrize("with_key", [False, True])
def test_files_are_listed_fetched_and_removed(
    with_key: bool, passphrase: str | None, sftp: SftpServer, served: Path
) -> None:
    out = io.BytesIO()
    key = sftp.key.export_private_key(passphrase=passphrase, rounds=50).decode() if with_key else ""
    where = address(sftp, (passphrase or "") if with_key else PASSWORD)
    with open_address(where, RULES, default_name="", private_key=key, host_key=sftp.fingerprint) as place:
        (entry,) = place.entries()
        place.copy(entry.name, out)
        place.remove(entry.name)
        assert place.entries() == []
    assert (entry.name, entry.size, out.getvalue()) == ("users.csv", len(FILE), FILE)
    assert not (served / "out" / "users.csv").exists()


def refusal(where: Address, rules: FetchRules = RULES, **more: str) -> str:
    with pytest.raises(CodedError) as refused, open_address(where, rules, default_name="", **more) as place:
        place.copy(place.entries()[0].name, io.BytesIO())
    return refused.value.code


def test_a_server_that_shows_another_key_gets_no_password(sftp: SftpServer) -> None:
    assert refusal(address(sftp), host_key="SHA256:another") == "remote_host_key"


def test_a_wrong_password_is_told(sftp: SftpServer) -> None:
    assert refusal(address(sftp, "wrong")) == "remote_login_refused"


def test_a_private_key_that_is_none_is_told(sftp: SftpServer) -> None:
    assert refusal(address(sftp), private_key="no key") == "private_key_unreadable"


def test_a_private_server_is_refused_unless_it_is_allowed(sftp: SftpServer) -> None:
    assert refusal(address(sftp), FetchRules(frozenset(), 0, 5)) == "remote_private"


def test_a_folder_that_is_not_there_is_told(sftp: SftpServer) -> None:
    assert refusal(address(sftp)._replace(path="/nowhere/users.csv")) == "remote_not_found"


def test_a_file_that_is_too_large_is_not_taken(sftp: SftpServer) -> None:
    assert refusal(address(sftp), FetchRules(frozenset({"localhost"}), 10, 5)) == "remote_too_large"
