"""Private Google Sheets: what is signed and sent, what comes, and each thing that goes wrong as a sentence."""

from __future__ import annotations

import io
import json
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from sync.errors import CodedError, SourceError
from sync.messages import text_of
from sync.sources import oauth, queries
from sync.sources.guard import FetchRules
from sync.sources.opening import open_query
from sync.sources.service_account import read_service_key
from sync.sources.sheet_address import sheet_address, sheet_shown
from tests.source_servers import SheetServer, WebServer, drip, pem_of, ten_gigabytes, without_end

RULES = FetchRules(allowed_hosts=frozenset({"localhost", "127.0.0.1"}), max_bytes=5_000_000, seconds=10)
TABLE = b"username,firstname\nann,Ann\n"
GOOGLE = "https://docs.google.com/spreadsheets"
SHEET = SheetServer.SHEET


@pytest.fixture(autouse=True)
def no_token_of_before() -> None:
    oauth._tokens.clear()


@pytest.fixture
def sheets(web: WebServer) -> SheetServer:
    server = SheetServer(web)
    server.put("0", TABLE)
    return server


def fetch(url: str, key: str, rules: FetchRules = RULES) -> bytes:
    address = queries.server_address(queries.SHEET, url)
    out = io.BytesIO()
    with open_query(queries.SHEET, address, {}, rules, default_name="userimport.csv", private_key=key) as place:
        for entry in place.entries():
            assert entry.name == "userimport.csv"
            place.copy(entry.name, out)
    return out.getvalue()


def refusal(url: str, key: str, rules: FetchRules = RULES) -> str:
    """Return the code of what is said; its sentence must be one, without the key."""
    with pytest.raises(CodedError) as refused:
        fetch(url, key, rules)
    text = text_of(refused.value.code, refused.value.params)
    assert text.endswith(".")
    assert "PRIVATE" not in text
    return refused.value.code


def test_a_sheet_is_fetched_for_a_request_that_is_signed(web: WebServer, sheets: SheetServer) -> None:
    assert fetch(sheets.url(), sheets.key_file) == TABLE
    assert len(sheets.seen) == 1
    assert abs(sheets.seen[0]["iat"] - time.time()) < 60
    # The key stays here, and the token goes to the server of the sheet only.
    assert "PRIVATE" not in web.bodies[0]
    shown = {asked for asked, authorization in web.asked if authorization}
    assert shown == {f"GET /spreadsheets/d/{SHEET}/export?format=csv&gid=0"}
    assert ("GET /export/signed", "") in web.asked


def test_the_tab_of_the_address_is_the_one_that_is_fetched(sheets: SheetServer) -> None:
    sheets.put("77", b"idnumber\n7\n")
    assert fetch(sheets.url("77"), sheets.key_file) == b"idnumber\n7\n"
    assert refusal(sheets.url("78"), sheets.key_file) == "sheet_not_shared"


def test_a_token_lasts_for_several_sheets_and_is_replaced_once_it_isnt_taken(sheets: SheetServer) -> None:
    for _time in range(2):
        fetch(sheets.url(), sheets.key_file)
    assert len(sheets.seen) == 1
    sheets.token = "another"
    assert fetch(sheets.url(), sheets.key_file) == TABLE
    assert len(sheets.seen) == 2


def test_a_sheet_that_isnt_shared_is_said_with_the_address_to_share_it_with(sheets: SheetServer) -> None:
    sheets.shared = False
    with pytest.raises(SourceError) as refused:
        fetch(sheets.url(), sheets.key_file)
    assert refused.value.params["email"] == SheetServer.EMAIL


@pytest.mark.parametrize(
    "content", [b"<!DOCTYPE html><title>Sign in</title>", b"\xef\xbb\xbf\n <HTML><body>", b"<script nonce=1>"]
)
@pytest.mark.parametrize("kind", ["text/html; charset=utf-8", "text/csv", ""])
def test_a_login_page_is_no_table(web: WebServer, sheets: SheetServer, content: bytes, kind: str) -> None:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        if kind:
            handler.send_header("Content-Type", kind)
        handler.end_headers()
        handler.wfile.write(content)

    web.answers["/export/signed"] = answer
    assert refusal(sheets.url(), sheets.key_file) == "sheet_not_shared"


def test_a_key_of_somebody_else_is_given_no_token(sheets: SheetServer) -> None:
    other = pem_of(rsa.generate_private_key(public_exponent=65537, key_size=2048))
    assert refusal(sheets.url(), sheets.altered(private_key=other)) == "service_key_refused"
    assert refusal(sheets.url(), sheets.altered(client_email="other@example.org")) == "service_key_refused"


@pytest.mark.parametrize(
    "answer", [b"<html>", b"[]", b"{}", b'{"access_token": 5}', b'{"access_token": "a\\r\\nX: y"}']
)
def test_what_is_no_token_is_refused(web: WebServer, sheets: SheetServer, answer: bytes) -> None:
    def give(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(answer)

    web.answers["/token"] = give
    code = refusal(sheets.url(), sheets.key_file)
    assert code in ("service_key_refused", "remote_failed")
    assert not [asked for asked, _authorization in web.asked if "spreadsheets" in asked]


def keys_that_cant_sign() -> list[Any]:
    small = pem_of(rsa.generate_private_key(public_exponent=65537, key_size=1024))
    curve = pem_of(ec.generate_private_key(ec.SECP256R1()))
    changes: list[dict[str, Any]] = [
        {"type": "authorized_user"}, {"type": None}, {"private_key": "none"}, {"private_key": None}, {"private_key": ["a"]},
        {"private_key": small}, {"private_key": curve}, {"private_key": "\0"}, {"private_key": "\ud800"},
        {"client_email": "no address"}, {"client_email": 5}, {"client_email": "a\0@b"}, {"client_email": "a@b\r\nX: y"},
        {"client_email": "a@" + "b" * 300}, {"client_email": ""}, {"token_uri": None}, {"private_key_id": 5},
        {"private_key_id": "k\0"}, {"private_key_id": "x" * 300},
    ]  # fmt: skip
    return changes


@pytest.mark.parametrize("change", keys_that_cant_sign(), ids=lambda change: ascii(change)[:40])
def test_a_key_that_cant_sign_is_none(web: WebServer, sheets: SheetServer, change: dict[str, Any]) -> None:
    assert refusal(sheets.url(), sheets.altered(**change)) == "service_key_unreadable"
    assert web.asked == []


@pytest.mark.parametrize("text", ["", "none", "[]", "5", "null", '"x"', "[" * 100_000, "{" * 5, '{"type": NaN}', "\0"])
def test_what_is_no_key_file_is_none(text: str) -> None:
    with pytest.raises(SourceError, match="service_key_unreadable"):
        read_service_key(text)


@pytest.mark.parametrize(
    ("address", "code"),
    [("", "address_scheme"), ("ftp://example.org/t", "address_scheme"), ("https://ex\0ample.org/t", "address_unreadable"),
     ("file:///etc/passwd", "address_scheme"), ("https:///t", "address_unreadable")],
)  # fmt: skip
def test_an_address_of_the_token_that_is_none_is_said(sheets: SheetServer, address: str, code: str) -> None:
    assert refusal(sheets.url(), sheets.altered(token_uri=address)) == code


def test_nothing_goes_out_in_the_clear_to_a_server_that_isnt_named(web: WebServer, sheets: SheetServer) -> None:
    rules = replace(RULES, allowed_hosts=frozenset({"localhost"}))
    elsewhere = sheets.altered(token_uri=web.url("/token", "127.0.0.1"))
    assert refusal(sheets.url(), elsewhere, rules) == "oauth_insecure"
    assert refusal(sheets.url().replace("localhost", "127.0.0.1"), sheets.key_file, rules) == "oauth_insecure"
    assert web.asked == []


def test_servers_of_private_networks_are_refused_also_behind_a_redirect(web: WebServer, sheets: SheetServer) -> None:
    rules = replace(RULES, allowed_hosts=frozenset({"localhost"}))
    assert (
        refusal(sheets.url(), sheets.altered(token_uri=f"https://127.0.0.1:{web.port}/token"), rules)
        == "remote_private"
    )
    assert refusal(f"https://127.0.0.1:{web.port}/spreadsheets/d/{SHEET}", sheets.key_file, rules) == "remote_private"
    assert refusal(sheets.url(), sheets.key_file, rules) == "remote_private"
    assert ("GET /export/signed", "") not in web.asked


def test_a_sheet_that_never_ends_is_given_up(web: WebServer, sheets: SheetServer) -> None:
    web.answers["/export/signed"] = drip
    assert refusal(sheets.url(), sheets.key_file, replace(RULES, seconds=0.5)) == "remote_too_slow"
    web.answers["/export/signed"] = ten_gigabytes
    assert refusal(sheets.url(), sheets.key_file) == "remote_too_large"


def test_a_sheet_whose_end_isnt_told_is_not_taken(web: WebServer, sheets: SheetServer) -> None:
    web.answers["/export/signed"] = without_end(TABLE)
    assert refusal(sheets.url(), sheets.key_file) == "remote_end_unknown"


@pytest.mark.parametrize(
    ("text", "tab"),
    [
        (f"{GOOGLE}/d/{SHEET}/edit#gid=5", 5), (f"{GOOGLE}/d/{SHEET}/edit?gid=5#gid=5", 5), (f" {GOOGLE}/d/{SHEET} ", 0),
        (f"{GOOGLE}/u/1/d/{SHEET}/edit?usp=sharing", 0), (f"{GOOGLE}/d/{SHEET}/edit?usp=drive&gid=9", 9),
        (f"{GOOGLE}/d/{SHEET}/edit#gid=5&range=A1:B2", 5), (f"{GOOGLE}/d/{SHEET}/export?format=xlsx&gid=3", 3),
    ],
)  # fmt: skip
def test_the_address_that_a_browser_shows_is_understood(text: str, tab: int) -> None:
    address = sheet_address(text)
    assert f"{address.shown}?{address.query}" == f"{GOOGLE}/d/{SHEET}/export?format=csv&gid={tab}"
    shown = sheet_shown(text)
    assert shown == f"{GOOGLE}/d/{SHEET}/edit#gid={tab}"
    assert sheet_shown(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "https://docs.google.com/document/d/" + SHEET, f"{GOOGLE}/d/e/2PACX-1vQxxxxxxxxxxxxxxxxxxxx/pub?output=csv",
        f"{GOOGLE}/d/short", f"{GOOGLE}/d/{'x' * 300}", f"{GOOGLE}/d/{SHEET}%2F..%2Fa", f"sftp://example.org/spreadsheets/d/{SHEET}",
        f"https://example.org/a/../spreadsheets/d/{SHEET}", f"{GOOGLE}/", "",
    ],
)  # fmt: skip
def test_other_addresses_are_no_sheet(text: str) -> None:
    with pytest.raises(SourceError) as refused:
        sheet_address(text)
    assert refused.value.code in ("sheet_address_unreadable", "address_scheme")


def test_the_key_file_of_the_tests_is_one_of_google(sheets: SheetServer) -> None:
    account = read_service_key(sheets.key_file)
    assert (account.email, account.key_id) == (SheetServer.EMAIL, "k1")
    assert json.loads(sheets.key_file)["private_key"] == account.private_key
