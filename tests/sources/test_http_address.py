"""Fetching from a web server: what comes, and each thing that goes wrong as a sentence of its own."""

from __future__ import annotations

import hashlib
import io
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
import trustme

from sync.errors import CodedError, CommandFileError
from sync.messages import text_of
from sync.sources.guard import FetchRules
from sync.sources.location import parse_address
from sync.sources.opening import open_address
from sync.sources.remote_folder import Entry, copy_whole
from tests.source_servers import WebServer, cut_off, drip, in_chunks, ten_gigabytes, without_end

FILE = b"username;firstname\nann;Ann\n"
RULES = FetchRules(allowed_hosts=frozenset({"localhost"}), max_bytes=5_000_000, seconds=10)


def fetch(url: str, rules: FetchRules = RULES, name: str = "userimport.csv") -> tuple[list[Entry], bytes]:
    """Return what the place lists, and the bytes of its first file."""
    out = io.BytesIO()
    with open_address(parse_address(url), rules, default_name=name) as place:
        entries = place.entries()
        if entries:
            copy_whole(place, entries[0], {entry.name for entry in entries}, out)
    return entries, out.getvalue()


def refusal(url: str, rules: FetchRules = RULES) -> str:
    """Return the code of what is said against an address; its sentence must be one."""
    with pytest.raises(CodedError) as refused:
        fetch(url, rules)
    assert text_of(refused.value.code, refused.value.params).endswith(".")
    return refused.value.code


def test_a_file_is_fetched_with_its_name_and_size(web: WebServer) -> None:
    web.put("/out/users.csv", FILE)
    assert fetch(web.url("/out/users.csv")) == ([Entry("users.csv", len(FILE))], FILE)


def test_an_address_without_a_file_name_gives_the_usual_one_and_keeps_its_query(web: WebServer) -> None:
    web.put("/export?id=3&token=geheim", FILE)
    assert fetch(web.url("/export?id=3&token=geheim")) == ([Entry("userimport.csv", len(FILE))], FILE)


@pytest.mark.usefixtures("trusted")
def test_a_file_is_fetched_over_tls(secure_web: WebServer) -> None:
    secure_web.put("/users.csv", FILE)
    assert fetch(secure_web.url("/users.csv"))[1] == FILE


def test_nothing_at_the_address_is_nothing_that_came(web: WebServer) -> None:
    assert fetch(web.url("/users.csv")) == ([], b"")


def test_a_server_that_answers_head_badly_is_asked_for_the_file(web: WebServer) -> None:
    web.put("/users.csv", FILE)
    good = web.answers["/users.csv"]
    web.answers["/users.csv"] = lambda handler: good(handler) if handler.command == "GET" else handler.send_error(403)
    assert fetch(web.url("/users.csv"))[1] == FILE


@pytest.mark.parametrize(
    ("login", "header"), [("ann:s%40fe@", "Basic YW5uOnNAZmU="), (":token@", "Bearer token"), ("", "")]
)
def test_the_login_is_sent(web: WebServer, login: str, header: str) -> None:
    web.put("/users.csv", FILE)
    fetch(f"http://{login}localhost:{web.port}/users.csv")
    assert ("GET /users.csv", header) in web.asked


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "remote_login_refused"), (403, "remote_login_refused"), (500, "remote_status")],
)
def test_a_refusal_is_told(web: WebServer, status: int, code: str) -> None:
    web.status("/users.csv", status)
    assert refusal(web.url("/users.csv")) == code


def test_a_checksum_beside_the_file_is_verified(web: WebServer) -> None:
    web.put("/users.csv", FILE)
    web.put("/users.csv.sha256", f"{hashlib.sha256(FILE).hexdigest().upper()}  users.csv\n".encode())
    assert fetch(web.url("/users.csv"))[1] == FILE
    web.put("/users.csv.sha256", hashlib.sha256(b"another").hexdigest().encode())
    assert refusal(web.url("/users.csv")) == "source_checksum_differs"


def test_a_redirect_is_followed_and_the_login_stays_with_its_server(web: WebServer) -> None:
    other = WebServer()
    other.put("/there.csv", FILE)
    web.redirect("/users.csv", "/moved.csv")
    web.redirect("/moved.csv", other.url("/there.csv"))
    try:
        entries, content = fetch(f"http://ann:safe@localhost:{web.port}/users.csv")
    finally:
        other.stop()
    assert (entries[0].name, content) == ("users.csv", FILE)
    assert {login for asked, login in web.asked if "sha256" not in asked} == {"Basic YW5uOnNhZmU="}
    assert {login for _asked, login in other.asked} == {""}


def test_redirects_without_end_are_given_up(web: WebServer) -> None:
    web.redirect("/users.csv", "/users.csv")
    assert refusal(web.url("/users.csv")) == "remote_redirects"


@pytest.mark.usefixtures("trusted")
def test_a_redirect_from_https_to_http_is_refused(secure_web: WebServer, web: WebServer) -> None:
    secure_web.redirect("/users.csv", web.url("/users.csv"))
    assert refusal(secure_web.url("/users.csv")) == "remote_redirect_insecure"
    assert web.asked == []


def test_a_redirect_to_a_private_address_is_refused(web: WebServer) -> None:
    inner = WebServer()
    inner.put("/secret.csv", FILE)
    web.redirect("/users.csv", inner.url("/secret.csv", host="127.0.0.1"))
    try:
        assert refusal(web.url("/users.csv")) == "remote_private"
        assert inner.asked == []
    finally:
        inner.stop()


@pytest.mark.parametrize(
    "host",
    ["localhost", "127.0.0.1", "[::1]", "2130706433", "0.0.0.0", "10.1.2.3", "192.168.0.1", "169.254.169.254",
     "100.64.0.1", "[::ffff:127.0.0.1]", "[fd00::1]", "[fe80::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"],
)  # fmt: skip
def test_private_addresses_are_refused_however_they_are_written(web: WebServer, host: str) -> None:
    assert refusal(f"http://{host}:{web.port}/users.csv", FetchRules(frozenset(), 0, 5)) == "remote_private"
    assert web.asked == []


def test_a_host_may_be_allowed_on_one_port_only(web: WebServer) -> None:
    web.put("/users.csv", FILE)
    url = web.url("/users.csv", host="127.0.0.1")
    assert fetch(url, FetchRules(frozenset({f"127.0.0.1:{web.port}"}), 0, 5))[1] == FILE
    assert refusal(url, FetchRules(frozenset({"127.0.0.1:1"}), 0, 5)) == "remote_private"


def test_a_name_that_changes_its_address_meanwhile_gains_nothing(
    web: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever owns a name may answer with a public address first and with a private one later."""
    real: Callable[..., Any] = socket.getaddrinfo
    # The first is public and nobody's (RFC 7526).
    answers = ["192.88.99.1", "127.0.0.1"]
    asked: list[str] = []

    def rebinding(host: str, *args: Any, **kwargs: Any) -> Any:
        if host != "rebind.example":
            return real(host, *args, **kwargs)
        asked.append(answers[min(len(asked), 1)])
        return real(asked[-1], *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    web.put("/users.csv", FILE)
    url = f"http://rebind.example:{web.port}/users.csv"
    rules = FetchRules(frozenset(), 0, 1)
    assert refusal(url, rules) in ("remote_failed", "remote_too_slow", "remote_silent")
    assert refusal(url, rules) == "remote_private"
    assert asked == answers
    assert web.asked == []


def test_a_bad_certificate_is_refused_before_anything_is_sent(secure_web: WebServer) -> None:
    assert refusal(f"https://ann:safe@localhost:{secure_web.port}/users.csv") == "remote_certificate"
    assert secure_web.asked == []


@pytest.mark.usefixtures("trusted")
def test_a_certificate_for_another_name_is_refused(authority: trustme.CA) -> None:
    server = WebServer(authority.issue_cert("example.org"))
    try:
        assert refusal(server.url("/users.csv")) == "remote_certificate"
    finally:
        server.stop()


def test_a_file_that_never_ends_is_given_up(web: WebServer) -> None:
    web.answers["/users.csv"] = drip
    began = time.monotonic()
    assert refusal(web.url("/users.csv"), FetchRules(frozenset({"localhost"}), 0, 1)) == "remote_too_slow"
    assert time.monotonic() - began < 5


def test_headers_that_never_end_are_given_up(web: WebServer) -> None:
    def endless(handler: Any) -> None:
        while True:
            handler.wfile.write(b"H")
            time.sleep(0.02)

    web.answers["/users.csv"] = endless
    assert refusal(web.url("/users.csv"), FetchRules(frozenset({"localhost"}), 0, 1)) == "remote_too_slow"


def test_a_file_of_ten_gigabytes_is_given_up_at_the_limit(web: WebServer) -> None:
    web.answers["/users.csv"] = ten_gigabytes
    assert refusal(web.url("/users.csv")) == "remote_too_large"


def test_a_file_that_says_that_it_is_too_large_is_not_begun(web: WebServer) -> None:
    def large(handler: Any) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(10 * 10**9))
        handler.end_headers()

    web.answers["/users.csv"] = large
    assert refusal(web.url("/users.csv")) == "remote_too_large"


def test_a_file_that_is_cut_off_is_not_taken(web: WebServer) -> None:
    web.answers["/users.csv"] = cut_off
    assert refusal(web.url("/users.csv")) == "remote_cut_off"


def test_an_answer_that_doesnt_tell_its_end_is_taken_only_with_a_checksum_that_agrees(web: WebServer) -> None:
    """Where the connection broke off nobody can see."""
    web.answers["/users.csv"] = without_end(FILE)
    assert refusal(web.url("/users.csv")) == "remote_end_unknown"
    web.put("/users.csv.sha256", hashlib.sha256(FILE).hexdigest().encode())
    assert fetch(web.url("/users.csv"))[1] == FILE
    web.answers["/users.csv"] = without_end(FILE[:-5])
    assert refusal(web.url("/users.csv")) == "source_checksum_differs"
    # A checksum that nobody has listed holds as well.
    with (
        open_address(parse_address(web.url("/users.csv")), RULES, default_name="") as place,
        pytest.raises(CommandFileError, match="source_checksum_differs"),
    ):
        copy_whole(place, Entry("users.csv", -1), set(), io.BytesIO())


def test_chunks_tell_their_end(web: WebServer) -> None:
    web.answers["/users.csv"] = in_chunks(FILE)
    assert fetch(web.url("/users.csv"))[1] == FILE
    web.answers["/users.csv"] = in_chunks(FILE, is_whole=False)
    assert refusal(web.url("/users.csv")) == "remote_failed"


def test_a_checksum_file_without_a_digest_vouches_for_nothing(web: WebServer) -> None:
    web.put("/users.csv", FILE)
    web.put("/users.csv.sha256", b"users.csv\n")
    assert refusal(web.url("/users.csv")) == "source_checksum_missing"


@pytest.mark.parametrize(("host", "code"), [("no-such-host.invalid", "remote_unknown"), ("localhost", "remote_failed")])
def test_a_server_that_is_not_there_is_told(host: str, code: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert refusal(f"http://{host}:{closed.getsockname()[1]}/users.csv") == code


@pytest.mark.parametrize("scheme", ["http", "https", "ftp", "ftps", "sftp"])
def test_a_server_that_says_nothing_is_given_up(scheme: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"{scheme}://ann:safe@localhost:{silent.getsockname()[1]}/users.csv"
        began = time.monotonic()
        assert refusal(url, FetchRules(frozenset({"localhost"}), 0, 0.5)) in ("remote_too_slow", "remote_silent")
        assert time.monotonic() - began < 5


@pytest.mark.parametrize("secret", ["geheim\n1", "geheim\u20ac"])
def test_a_secret_that_cannot_be_sent_is_not_told(web: WebServer, secret: str) -> None:
    address = parse_address(web.url("/users.csv"))._replace(password=secret)
    with pytest.raises(CodedError) as refused, open_address(address, RULES, default_name="") as place:
        place.entries()
    assert refused.value.code == "remote_failed"
    assert "geheim" not in text_of(refused.value.code, refused.value.params)


def test_a_query_with_spaces_is_sent_encoded(web: WebServer) -> None:
    web.put("/users.csv?q=a%20b%C3%A9", FILE)
    assert fetch(web.url("/users.csv?q=a b\u00e9"))[1] == FILE


def test_a_file_of_another_size_than_announced_is_still_growing(web: WebServer) -> None:
    web.put("/users.csv", FILE)
    with open_address(parse_address(web.url("/users.csv")), RULES, default_name="") as place:
        (entry,) = place.entries()
        web.put("/users.csv", FILE + b"bob;Bob\n")
        with pytest.raises(CommandFileError) as growing:
            copy_whole(place, entry, set(), io.BytesIO())
    assert growing.value.code == "source_file_growing"
