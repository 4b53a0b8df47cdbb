"""Fetching from an FTP server, in the clear and with TLS."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from sync.errors import CodedError, CommandFileError
from sync.sources.guard import FetchRules
from sync.sources.location import Address, parse_address
from sync.sources.opening import open_address
from sync.sources.remote_folder import Entry
from tests.servers import PASSWORD
from tests.source_servers import USER, FtpServer

FILE = b"username;firstname\nann;Ann\n"
RULES = FetchRules(allowed_hosts=frozenset({"localhost"}), max_bytes=1_000_000, seconds=10)


def address(server: FtpServer, scheme: str = "ftp", password: str = PASSWORD) -> Address:
    return parse_address(f"{scheme}://{USER}:{password}@localhost:{server.port}/out/users_*.csv")


@pytest.fixture(autouse=True)
def files(served: Path) -> None:
    (served / "out" / "users_01.csv").write_bytes(FILE)
    (served / "out" / "folder.csv").mkdir()


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize(("fixture", "scheme"), [("ftp", "ftp"), ("secure_ftp", "ftps")])
def test_files_are_listed_fetched_and_removed(
    fixture: str, scheme: str, served: Path, request: pytest.FixtureRequest
) -> None:
    server = request.getfixturevalue(fixture)
    out = io.BytesIO()
    with open_address(address(server, scheme), RULES, default_name="") as place:
        (entry,) = place.entries()
        place.copy(entry.name, out)
        place.remove(entry.name)
        assert place.entries() == []
    assert (entry.name, entry.size, out.getvalue()) == ("users_01.csv", len(FILE), FILE)
    assert not (served / "out" / "users_01.csv").exists()


def test_an_old_server_that_lists_names_only_is_asked_for_each_size(old_ftp: FtpServer, served: Path) -> None:
    """A list of names is sent as text, and then servers give no size until they are told otherwise."""
    (served / "out" / "users_02.csv").write_bytes(FILE * 2)
    with open_address(address(old_ftp), RULES, default_name="") as place:
        assert place.entries() == [Entry("users_01.csv", len(FILE)), Entry("users_02.csv", 2 * len(FILE))]
        assert place.look("users_02.csv") == Entry("users_02.csv", 2 * len(FILE))
        assert place.look("none.csv") is None


def refusal(where: Address, rules: FetchRules = RULES) -> str:
    with pytest.raises(CodedError) as refused, open_address(where, rules, default_name="") as place:
        place.copy(place.entries()[0].name, io.BytesIO())
    return refused.value.code


def test_a_wrong_password_is_told(ftp: FtpServer) -> None:
    assert refusal(address(ftp, password="wrong")) == "remote_login_refused"


def test_a_private_server_is_refused_unless_it_is_allowed(ftp: FtpServer) -> None:
    assert refusal(address(ftp), FetchRules(frozenset(), 0, 5)) == "remote_private"


def test_a_bad_certificate_is_refused(secure_ftp: FtpServer) -> None:
    assert refusal(address(secure_ftp, "ftps")) == "remote_certificate"


def test_a_file_that_is_too_large_is_not_begun(ftp: FtpServer) -> None:
    assert refusal(address(ftp), FetchRules(frozenset({"localhost"}), 10, 5)) == "remote_too_large"


def test_after_a_file_that_grew_too_large_the_next_one_is_fetched_all_the_same(ftp: FtpServer, served: Path) -> None:
    rules = FetchRules(frozenset({"localhost"}), 1000, 5)
    out = io.BytesIO()
    with open_address(address(ftp), rules, default_name="") as place:
        place.entries()
        (served / "out" / "large.csv").write_bytes(b"x" * 3_000_000)
        with pytest.raises(CommandFileError):
            place.copy("large.csv", io.BytesIO())
        place.copy("users_01.csv", out)
    assert out.getvalue() == FILE
