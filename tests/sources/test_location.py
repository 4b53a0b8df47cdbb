"""Paths, lists, wildcards and addresses as administrators write them."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given, strategies as st

from sync.errors import SourceError
from sync.sources.location import check_paths, items_of, matching, parse_address

NAMES = ["load_02.csv", "load_01.csv", "load_01_tryback_20250304-091205.csv", "load_00-tryback-failed.csv", "x.csv"]


@pytest.mark.parametrize(
    ("item", "names"),
    [
        ("in/load_*.csv", ["load_01.csv", "load_02.csv"]),
        ("*", ["load_01.csv", "load_02.csv", "x.csv"]),
        ("x.csv", ["x.csv"]),
        ("load_00-tryback-failed.csv", ["load_00-tryback-failed.csv"]),
        ("?.csv", []),
    ],
)
def test_a_wildcard_means_files_in_order_but_none_that_runs_have_left(item: str, names: list[str]) -> None:
    assert matching(NAMES, item) == names


@given(st.text("ab*", max_size=8), st.text("ab", max_size=8))
def test_a_wildcard_means_what_it_means_to_a_shell(item: str, name: str) -> None:
    assert matching([name], f"*{item}") == [name for _once in [1] if fnmatchcase(name, f"*{item}")]


def test_a_list_is_taken_apart() -> None:
    assert items_of(" a.csv, in/b_*.csv,, ") == ["a.csv", "in/b_*.csv"]


@pytest.mark.parametrize(
    ("location", "code"),
    [("i*/a.csv", "wildcard_in_folder"), ("in/", "path_unreadable"), ("../a.csv", "path_unreadable")],
)
def test_a_path_that_cannot_be_one_is_refused(location: str, code: str) -> None:
    with pytest.raises(SourceError) as refused:
        check_paths(f"good.csv, {location}")
    assert refused.value.code == code


def test_an_address_is_taken_apart_and_shown_without_its_secrets() -> None:
    address = parse_address(" HTTPS://ann:s%40fe@Example.ORG:8443/a b/users.csv?token=1 ")
    assert (address.username, address.password, address.query) == ("ann", "s@fe", "token=1")
    assert (address.scheme, address.host, address.port, address.name) == ("https", "example.org", 8443, "users.csv")
    assert address.shown == "https://example.org:8443/a%20b/users.csv"
    assert parse_address(address.shown)._replace(username="", password="", query="").server == address.server


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("users.csv", "address_scheme"),
        ("file:///etc/passwd", "address_scheme"),
        ("gopher://example.org/x", "address_scheme"),
        ("https:///users.csv", "address_unreadable"),
        ("https://example.org:port/x", "address_unreadable"),
        ("ftp://example.org/a%0d%0aDELE%20b.csv", "address_unreadable"),
        ("https://example.org/users_*.csv", "address_wildcard"),
        ("sftp://example.org/*/users.csv", "wildcard_in_folder"),
        ("sftp://example.org/out/", "address_without_file"),
    ],
)
def test_an_address_that_cannot_be_one_is_refused(text: str, code: str) -> None:
    with pytest.raises(SourceError) as refused:
        parse_address(text)
    assert refused.value.code == code
