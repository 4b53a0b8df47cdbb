"""Rows of OneRoster servers and of directories, files behind tokens: what comes, and each thing that goes wrong as a sentence."""

from __future__ import annotations

import io
import re
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme

from sync.errors import CodedError, SourceError
from sync.mappings.shipped import SHIPPED
from sync.messages import text_of
from sync.sources import oauth, queries
from sync.sources.guard import FetchRules
from sync.sources.opening import open_query
from tests.ldap_server import BASE, READER, SUFFIX, LdapServer
from tests.servers import PASSWORD
from tests.source_servers import USER, TokenServer, WebServer, drip, without_end

RULES = FetchRules(allowed_hosts=frozenset({"localhost"}), max_bytes=5_000_000, seconds=10, max_rows=5_000)
FILE = b"username;firstname\nann;Ann\n"
SERVICE = "/ims/oneroster/rostering/v1p2"
LOGIN = (READER, PASSWORD)


PEOPLE = [{"sourcedId": f"p{number:04}", "username": f"u{number}"} for number in range(2500)]


@pytest.fixture(autouse=True)
def no_token_of_before() -> None:
    oauth._tokens.clear()


@pytest.fixture
def tokens(web: WebServer) -> TokenServer:
    return TokenServer(web)


def fetch(
    kind: str, url: str, query: dict[str, str], rules: FetchRules = RULES, *, login: tuple[str, str] = (USER, PASSWORD)
) -> bytes:
    address = queries.server_address(kind, url)._replace(username=login[0], password=login[1])
    kept = queries.checked_query(kind, address, query, "users", rules)
    out = io.BytesIO()
    with open_query(kind, address, kept, rules, default_name="userimport.csv") as place:
        for entry in place.entries():
            place.copy(entry.name, out)
    return out.getvalue()


def refusal(*args: Any, **more: Any) -> str:
    """Return the code of what is said; its sentence must be one, without the secret."""
    with pytest.raises(CodedError) as refused:
        fetch(*args, **more)
    text = text_of(refused.value.code, refused.value.params)
    assert text.endswith(".")
    assert PASSWORD not in text
    return refused.value.code


class TestToken:
    def query(self, web: WebServer, **more: str) -> dict[str, str]:
        return {"token_address": web.url("/token"), "scope": "", **more}

    def test_a_file_is_fetched_with_a_token_that_is_asked_for_once(self, web: WebServer, tokens: TokenServer) -> None:
        tokens.put("/users.csv", FILE)
        for _time in range(2):
            assert fetch(queries.TOKEN, web.url("/users.csv"), self.query(web, scope="a b")) == FILE
        assert tokens.tokens == 1
        assert web.bodies == ["grant_type=client_credentials&scope=a+b"]

    def test_a_token_that_isnt_taken_any_more_is_replaced_once(self, web: WebServer, tokens: TokenServer) -> None:
        tokens.put("/users.csv", FILE)
        fetch(queries.TOKEN, web.url("/users.csv"), self.query(web))
        tokens.tokens += 5
        assert fetch(queries.TOKEN, web.url("/users.csv"), self.query(web)) == FILE
        assert tokens.tokens == 7

    def test_a_token_that_has_ended_is_not_used(self, web: WebServer) -> None:
        tokens = TokenServer(web, lasts=20)
        tokens.put("/users.csv", FILE)
        for _time in range(2):
            fetch(queries.TOKEN, web.url("/users.csv"), self.query(web))
        assert tokens.tokens >= 2

    @pytest.mark.parametrize("lasts", [10**400, float("nan"), float("inf"), -1, True])
    def test_what_is_no_time_that_a_token_lasts_is_not_taken_for_one(
        self, web: WebServer, monkeypatch: pytest.MonkeyPatch, lasts: float
    ) -> None:
        tokens = TokenServer(web, lasts=lasts)
        tokens.put("/users.csv", FILE)
        assert fetch(queries.TOKEN, web.url("/users.csv"), self.query(web)) == FILE
        (ends_at,) = [ends_at for _token, ends_at in oauth._tokens.values()]
        assert ends_at < time.monotonic() + 3600

    def test_a_file_whose_end_isnt_told_is_not_taken(self, web: WebServer, tokens: TokenServer) -> None:
        web.answers["/users.csv"] = without_end(FILE)
        assert refusal(queries.TOKEN, web.url("/users.csv"), self.query(web)) == "remote_end_unknown"

    def test_a_wrong_secret_is_said_without_it(self, web: WebServer, tokens: TokenServer) -> None:
        assert refusal(queries.TOKEN, web.url("/users.csv"), self.query(web), login=(USER, "wrong")) == "oauth_refused"

    @pytest.mark.parametrize(
        "answer",
        [b"<html>", b"[]", b"[" * 200_000, b'{"access_token": 5}', b'{"access_token": "x", "token_type": "mac"}'],
        ids=["a page", "a list", "too deep", "a number", "another kind"],
    )
    def test_what_is_no_token_is_refused(self, web: WebServer, answer: bytes) -> None:
        web.put("/token", answer)
        real = web.answers["/token"]

        def give(handler: Any) -> None:
            handler.command = "GET"
            real(handler)

        web.answers["/token"] = give
        assert refusal(queries.TOKEN, web.url("/users.csv"), self.query(web)) == "oauth_refused"

    def test_a_secret_never_goes_out_in_the_clear_to_a_server_that_isnt_named(self, web: WebServer) -> None:
        query = {"token_address": web.url("/token", "127.0.0.1"), "scope": ""}
        assert refusal(queries.TOKEN, web.url("/users.csv"), query) == "oauth_insecure"
        assert web.asked == []

    def test_a_token_never_goes_out_in_the_clear_to_a_server_that_isnt_named(self, web: WebServer) -> None:
        query = self.query(web)
        assert refusal(queries.TOKEN, web.url("/users.csv", "127.0.0.1"), query) == "oauth_insecure"
        assert web.asked == []

    def test_a_token_server_on_a_private_network_is_refused(self, web: WebServer) -> None:
        query = {"token_address": f"https://127.0.0.1:{web.port}/token", "scope": ""}
        assert refusal(queries.TOKEN, web.url("/users.csv"), query) == "remote_private"

    def test_the_token_of_one_client_isnt_used_by_another(self, web: WebServer, tokens: TokenServer) -> None:
        tokens.put("/users.csv", FILE)
        fetch(queries.TOKEN, web.url("/users.csv"), self.query(web))
        assert refusal(queries.TOKEN, web.url("/users.csv"), self.query(web), login=(USER, "guess")) == "oauth_refused"


class TestOneRoster:
    def query(self, web: WebServer, collection: str = "users") -> dict[str, str]:
        return {"token_address": web.url("/token"), "scope": "", "collection": collection}

    def page(self, collection: str, offset: int) -> str:
        return f"{SERVICE}/{collection}?limit=1000&offset={offset}&sort=sourcedId&orderBy=asc"

    def serve(
        self, tokens: TokenServer, people: list[dict[str, str]], *, most: int = 1000, total: int | None = None
    ) -> None:
        """Let the server have users, so many on a page. Shape: total: what it says that there are, None = nothing"""
        for offset in range(len(people)):
            tokens.put_json(self.page("users", offset), {"users": people[offset : offset + most]}, total=total)

    def fetch(self, web: WebServer, collection: str = "users") -> list[str]:
        return fetch(queries.ONEROSTER, web.url(SERVICE), self.query(web, collection)).decode().splitlines()

    @pytest.mark.parametrize(
        ("most", "total"), [(1000, 2500), (1000, None), (100, None), (100, 2500), (100, 100), (1, None)]
    )
    def test_all_pages_are_fetched_whatever_the_server_says_of_them(
        self, web: WebServer, tokens: TokenServer, most: int, total: int | None
    ) -> None:
        people = PEOPLE if most > 1 else PEOPLE[:1]
        self.serve(tokens, people, most=most, total=total)
        lines = self.fetch(web)
        assert ([line.partition(",")[0] for line in lines[1:]], tokens.tokens) == (
            [each["sourcedId"] for each in people],
            1,
        )

    def test_a_server_that_knows_no_pages_gives_all_of_it_at_once(self, web: WebServer, tokens: TokenServer) -> None:
        for offset in (0, 29):
            tokens.put_json(self.page("users", offset), {"users": PEOPLE[:30]})
        assert len(self.fetch(web)) == 31

    @pytest.mark.parametrize(("count", "total"), [(1001, None), (2500, 2500), (1000, 1000)])
    def test_so_does_one_with_more_records_than_are_asked_for(
        self, web: WebServer, tokens: TokenServer, count: int, total: int | None
    ) -> None:
        for offset in (0, count - 1):
            tokens.put_json(self.page("users", offset), {"users": PEOPLE[:count]}, total=total)
        assert len(self.fetch(web)) == count + 1

    def test_a_server_that_knows_where_to_end_but_not_to_begin_brings_no_file(
        self, web: WebServer, tokens: TokenServer
    ) -> None:
        for offset in (0, 999):
            tokens.put_json(self.page("users", offset), {"users": PEOPLE[:1000]})
        assert refusal(queries.ONEROSTER, web.url(SERVICE), self.query(web)) == "oneroster_changed"

    @pytest.mark.parametrize(
        "then", ["one goes", "one comes", "one goes and one comes", "the order changes", "the same again"]
    )
    def test_records_that_change_between_two_pages_bring_no_file(
        self, web: WebServer, tokens: TokenServer, then: str
    ) -> None:
        self.serve(tokens, PEOPLE)
        left = {
            "one goes": PEOPLE[1:], "one comes": [{"sourcedId": "a"}, *PEOPLE],
            "one goes and one comes": [*PEOPLE[1:1500], {"sourcedId": "p1499a"}, *PEOPLE[1500:]],
            "the order changes": PEOPLE[::-1], "the same again": [*PEOPLE[:1000], *PEOPLE[:500]],
        }[then]  # fmt: skip
        tokens.put_json(self.page("users", 999), {"users": left[999:1999]})
        assert refusal(queries.ONEROSTER, web.url(SERVICE), self.query(web)) == "oneroster_changed"

    def test_what_stands_behind_the_address_is_sent_along(self, web: WebServer, tokens: TokenServer) -> None:
        for offset in (0, 29):
            pages = f"limit=1000&offset={offset}&sort=sourcedId&orderBy=asc"
            tokens.put_json(f"{SERVICE}/users?filter=status%3D'active'&key=x&{pages}", {"users": PEOPLE[:30]}, total=30)
        own = "?filter=status%3D'active'&limit=5&key=x&Offset=7&sort=name&orderBy=desc"
        lines = fetch(queries.ONEROSTER, web.url(SERVICE + own), self.query(web)).decode().splitlines()
        assert len(lines) == 31

    def test_links_and_lists_become_cells(self, web: WebServer, tokens: TokenServer) -> None:
        record = {
            "sourcedId": "e1", "status": "active", "class": {"sourcedId": "c1", "type": "class"}, "user": {"sourcedId": "p1"},
            "role": "student", "primary": False, "beginDate": "2026-09-01",
        }  # fmt: skip
        tokens.put_json(self.page("enrollments", 0), {"enrollments": [record]}, total=1)
        names, row = (line.split(",") for line in self.fetch(web, "enrollments"))
        found = dict(zip(names, row, strict=True))
        assert (found["classSourcedId"], found["userSourcedId"], found["primary"]) == ("c1", "p1", "false")

    @pytest.mark.parametrize(
        ("collection", "mapping"),
        [("users", "OneRoster users.csv"), ("classes", "OneRoster classes.csv"), ("courses", "OneRoster courses.csv"),
         ("enrollments", "OneRoster enrollments.csv")],
    )  # fmt: skip
    def test_the_columns_are_those_that_a_shipped_mapping_reads(
        self, web: WebServer, tokens: TokenServer, collection: str, mapping: str
    ) -> None:
        tokens.put_json(self.page(collection, 0), {collection: [{"sourcedId": "a"}]}, total=1)
        names = self.fetch(web, collection)[0].split(",")
        assert [shipped.name for shipped in SHIPPED if shipped.fits(names)] == [mapping]

    @pytest.mark.parametrize(
        "document",
        [
            [], {"user": []}, {"users": {}}, {"users": ["a"]}, {"users": [{"username": "a"}]}, {"users": [{"sourcedId": ["a"]}]},
            {"users": [{"sourcedId": "a", "roles": 5}]}, {"users": [{"sourcedId": "a", "roles": "student"}]},
        ],
    )  # fmt: skip
    def test_another_server_is_not_taken_for_one(self, web: WebServer, tokens: TokenServer, document: Any) -> None:
        tokens.put_json(self.page("users", 0), document)
        assert refusal(queries.ONEROSTER, web.url(SERVICE), self.query(web)) == "oneroster_unreadable"

    def test_what_no_program_reads_is_said(self, web: WebServer, tokens: TokenServer) -> None:
        tokens.put(self.page("users", 0), b'{"users":' + b"[" * 200_000)
        assert refusal(queries.ONEROSTER, web.url(SERVICE), self.query(web)) == "oneroster_unreadable"
        tokens.put(self.page("users", 0), b'{"users": [{"sourcedId": "a"}]}', {"X-Total-Count": "9" * 5000})
        tokens.put_json(self.page("users", 0), {"users": [{"sourcedId": "a"}]})
        assert len(self.fetch(web)) == 2

    def test_fewer_records_than_were_promised_bring_no_file(self, web: WebServer, tokens: TokenServer) -> None:
        self.serve(tokens, PEOPLE[:1], total=9)
        assert refusal(queries.ONEROSTER, web.url(SERVICE), self.query(web)) == "oneroster_cut_off"

    def test_nobody_at_all_brings_no_file(self, web: WebServer, tokens: TokenServer) -> None:
        tokens.put_json(self.page("users", 0), {"users": []}, total=0)
        assert refusal(queries.ONEROSTER, web.url(SERVICE), self.query(web)) == "source_no_rows"

    def test_more_rows_than_are_taken_bring_no_file(self, web: WebServer, tokens: TokenServer) -> None:
        tokens.put_json(self.page("users", 0), {"users": PEOPLE[:50]}, total=50)
        rules = replace(RULES, max_rows=49)
        assert refusal(queries.ONEROSTER, web.url(SERVICE), self.query(web), rules) == "source_too_many_rows"

    def test_a_server_that_drips_is_given_up(self, web: WebServer, tokens: TokenServer) -> None:
        web.answers[self.page("users", 0)] = drip
        rules = replace(RULES, seconds=0.5)
        assert refusal(queries.ONEROSTER, web.url(SERVICE), self.query(web), rules) == "remote_too_slow"

    def test_what_isnt_there_is_said(self, web: WebServer, tokens: TokenServer) -> None:
        assert refusal(queries.ONEROSTER, web.url("/elsewhere"), self.query(web)) == "remote_not_found"


@pytest.fixture(scope="module")
def directory(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LdapServer]:
    people = [{"uid": [f"u{number}"], "sn": ["Ké"], "mail": [f"u{number}@x.org", "b@x.org"]} for number in range(1203)]
    people[-1]["title"] = ["Dr"]
    people[3]["jpegPhoto:"] = [b64encode(b"\xff\xd8\xff").decode()]
    server = LdapServer(tmp_path_factory.mktemp("directory") / "slapd", authority.issue_cert("localhost"), people)
    yield server
    server.stop()


@pytest.fixture(scope="module")
def limited(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LdapServer]:
    """One that gives no more than 500 entries of a search, as OpenLDAP does unless it is told otherwise."""
    people = [{"uid": [f"u{number}"], "sn": ["Lee"]} for number in range(501)]
    folder = tmp_path_factory.mktemp("limited") / "slapd"
    server = LdapServer(folder, authority.issue_cert("localhost"), people, most=500)
    yield server
    server.stop()


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("scheme", ["ldaps", "ldap"])
class TestLdap:
    def query(self, **more: str) -> dict[str, str]:
        return {"base": BASE, "filter": "", "attributes": "uid, sn, mail, dn, title", **more}

    def fetch(self, url: str, query: dict[str, str]) -> list[str]:
        return fetch(queries.LDAP, url, query, login=LOGIN).decode().splitlines()

    def refusal(
        self, url: str, query: dict[str, str], rules: FetchRules = RULES, *, login: tuple[str, str] = LOGIN
    ) -> str:
        return refusal(queries.LDAP, url, query, rules, login=login)

    def test_all_pages_are_fetched_in_order(self, directory: LdapServer, scheme: str) -> None:
        with directory.asked() as asked:
            lines = self.fetch(directory.url(scheme), self.query(filter="(objectClass=person)"))
        assert lines[:2] == ["uid,sn,mail,dn,title", f'u0,Ké,"u0@x.org, b@x.org","uid=u0,{BASE}",']
        assert [line.partition(",")[0] for line in lines[1:]] == [f"u{number}" for number in range(1203)]
        assert (asked.pages, asked.logins) == ([500, 500, 203], [READER])

    def test_a_filter_and_nobody_at_all(self, directory: LdapServer, scheme: str) -> None:
        url = directory.url(scheme)
        assert self.fetch(url, self.query(filter="(uid=u7)", attributes="uid")) == ["uid", "u7"]
        assert self.refusal(url, self.query(filter="(uid=nobody)")) == "source_no_rows"

    def test_an_attribute_that_no_entry_has_brings_no_file(self, directory: LdapServer, scheme: str) -> None:
        url = directory.url(scheme)
        assert self.refusal(url, self.query(attributes="uid, mial, sn")) == "ldap_attribute_missing"
        with pytest.raises(SourceError, match="ldap_attribute_missing") as refused:
            self.fetch(url, self.query(filter="(uid=u7)", attributes="uid, title, mobile"))
        assert refused.value.params["attributes"] == "title, mobile"
        assert self.fetch(url, self.query(filter="(uid=u1202)", attributes="UID, Title")) == ["UID,Title", "u1202,Dr"]

    @pytest.mark.parametrize(
        ("more", "code"),
        [
            ({"filter": "(&(uid=u7"}, "ldap_filter_unreadable"), ({"base": f"ou=nowhere,{SUFFIX}"}, "ldap_base_unknown"),
            ({"base": "ou=people,dc=elsewhere"}, "ldap_base_unknown"), ({"base": "people"}, "ldap_base_unknown"),
            ({"attributes": "uid, u d"}, "ldap_attribute_unreadable"), ({"attributes": "uid, UID"}, "ldap_attributes_wrong"),
            ({"attributes": ""}, "ldap_attributes_wrong"),
        ],
    )  # fmt: skip
    def test_what_is_wrong_is_said(self, directory: LdapServer, scheme: str, more: dict[str, str], code: str) -> None:
        assert self.refusal(directory.url(scheme), self.query(**more)) == code

    @pytest.mark.parametrize(
        ("login", "code"),
        [
            ((READER, "wrong"), "remote_login_refused"), ((READER, ""), "remote_login_refused"),
            ((f"cn=nobody,{SUFFIX}", PASSWORD), "remote_login_refused"), (("feeder", PASSWORD), "ldap_login_unreadable"),
            # A directory doesn't say of what it hides that it is there.
            (("", ""), "ldap_base_unknown"),
        ],
    )  # fmt: skip
    def test_a_login_that_isnt_taken_is_said(
        self, directory: LdapServer, scheme: str, login: tuple[str, str], code: str
    ) -> None:
        assert self.refusal(directory.url(scheme), self.query(), login=login) == code

    def test_too_many_entries_bring_no_file(self, directory: LdapServer, scheme: str) -> None:
        rules = replace(RULES, max_rows=600)
        assert self.refusal(directory.url(scheme), self.query(), rules) == "source_too_many_rows"

    def test_fewer_entries_than_there_are_bring_no_file(self, limited: LdapServer, scheme: str) -> None:
        assert self.refusal(limited.url(scheme), self.query()) == "ldap_limit"
        assert self.fetch(limited.url(scheme), self.query(filter="(uid=u7)", attributes="uid")) == ["uid", "u7"]

    def test_a_picture_is_no_cell(self, directory: LdapServer, scheme: str) -> None:
        assert self.refusal(directory.url(scheme), self.query(attributes="uid, jpegPhoto")) == "source_binary_cell"

    def test_what_a_directory_keeps_for_itself_can_be_asked_for(self, directory: LdapServer, scheme: str) -> None:
        _names, row = self.fetch(
            directory.url(scheme), self.query(filter="(uid=u7)", attributes="uid, createTimestamp")
        )
        assert re.fullmatch(r"u7,20\d{12}Z", row)

    @pytest.mark.parametrize("certified", ["unknown authority", "another host"])
    def test_no_password_goes_to_a_server_without_a_valid_certificate(
        self, scheme: str, certified: str, authority: trustme.CA, tmp_path: Path
    ) -> None:
        certificate = (
            trustme.CA().issue_cert("localhost")
            if certified == "unknown authority"
            else authority.issue_cert("other.example")
        )
        server = LdapServer(tmp_path / "slapd", certificate)
        with server.asked() as asked:
            assert self.refusal(server.url(scheme), self.query()) == "remote_certificate"
        server.stop()
        assert asked.logins == []


def test_a_directory_that_the_operator_hasnt_named_is_not_asked() -> None:
    query = {"base": BASE, "filter": "", "attributes": "uid"}
    assert refusal(queries.LDAP, "ldaps://example.org", query) == "source_server_not_named"
