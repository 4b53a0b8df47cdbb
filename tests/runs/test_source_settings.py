"""What is set about a source: secrets go in, and never come out or go to another server."""

from __future__ import annotations

import json

import asyncssh
import pytest
from django.core.management import call_command
from pytest_django import Settings

from sync.errors import SourceError
from sync.models import MoodleSite, Source
from sync.runs.source_settings import SourceChoice, address_of, has_secrets, private_key_of, query_of, save_source
from tests.source_servers import key_of_account

ADDRESS = "https://ann:Safe-1@example.org/users.csv?token=geheim"


@pytest.fixture
def site(db: None) -> MoodleSite:
    return MoodleSite.objects.get(slug="main")


def save(site: MoodleSite, location: str, **more: object) -> Source:
    return save_source(site, "users", SourceChoice(kind="address", location=location, **more))  # type: ignore[arg-type]


def test_what_is_secret_in_an_address_is_kept_apart_and_encrypted(site: MoodleSite) -> None:
    source = save(site, ADDRESS)
    assert (source.location, source.username) == ("https://example.org/users.csv", "ann")
    row = repr(Source.objects.values().get())
    assert "Safe-1" not in row
    assert "geheim" not in row
    address = address_of(Source.objects.get())
    assert (address.username, address.password, address.query) == ("ann", "Safe-1", "token=geheim")


def test_secrets_stay_when_they_are_not_entered_again(site: MoodleSite) -> None:
    source = save(site, ADDRESS)
    address = address_of(save(site, source.location, username="ann"))
    assert (address.password, address.query) == ("Safe-1", "token=geheim")
    address = address_of(save(site, "https://example.org/other.csv", password="New-2"))
    assert (address.password, address.query) == ("New-2", "")


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/users.csv", "http://example.org/users.csv", "https://example.org:8443/users.csv",
     "sftp://example.org/users.csv"],
)  # fmt: skip
def test_secrets_are_never_taken_along_to_another_server(elsewhere: str, site: MoodleSite) -> None:
    save(site, ADDRESS)
    source = save(site, elsewhere, username="ann", host_key="")
    assert not has_secrets(source)
    assert save_source(site, "users", SourceChoice(location="in.csv")).secret == b""


def test_secrets_are_forgotten_when_asked(site: MoodleSite) -> None:
    assert has_secrets(save(site, ADDRESS))
    assert not has_secrets(save(site, "https://example.org/users.csv", forget_secrets=True))


def test_secrets_under_another_key_are_told(site: MoodleSite, settings: Settings) -> None:
    settings.TOOLSYNC_CREDENTIALS_KEY = "k" * 50
    source = save(site, ADDRESS)
    settings.SECRET_KEY = "s" * 50
    assert address_of(source).password == "Safe-1"
    settings.TOOLSYNC_CREDENTIALS_KEY = ""
    with pytest.raises(SourceError) as refused:
        address_of(source)
    assert refused.value.code == "source_secret_unreadable"
    call_command("verifyaudit", new_keys=True)
    assert address_of(save(site, ADDRESS)).password == "Safe-1"


def test_a_private_key_is_looked_at_before_it_is_kept(site: MoodleSite) -> None:
    with pytest.raises(SourceError) as refused:
        save(site, "sftp://ann@example.org/users.csv", private_key="no key")
    assert refused.value.code == "private_key_unreadable"
    key = asyncssh.generate_private_key("ssh-rsa", key_size=2048).export_private_key().decode()
    assert private_key_of(save(site, "sftp://ann@example.org/users.csv", private_key=key)) == key


def test_the_key_of_one_server_is_not_expected_of_another(site: MoodleSite) -> None:
    source = save(site, "sftp://ann@example.org/users.csv", host_key="SHA256:one")
    assert source.host_key == "SHA256:one"
    assert save(site, "sftp://ann@example.net/users.csv", host_key="SHA256:one").host_key == ""
    assert save(site, "sftp://ann@example.org/users.csv", host_key="SHA256:two").host_key == "SHA256:two"


@pytest.mark.parametrize(
    ("choice", "code"),
    [
        (SourceChoice(location="in/*/a.csv"), "wildcard_in_folder"),
        (SourceChoice(kind="address", location="users.csv"), "address_scheme"),
        (SourceChoice(kind="inbox", inbox="none", location="a.csv"), "inbox_unknown"),
    ],
)
def test_a_choice_that_cannot_work_is_refused(choice: SourceChoice, code: str, site: MoodleSite) -> None:
    with pytest.raises(SourceError) as refused:
        save_source(site, "users", choice)
    assert refused.value.code == code
    assert not Source.objects.exists()


TOKEN = {"token_address": "https://login.example.org/token", "scope": "", "collection": "users"}


def save_rows(site: MoodleSite, kind: str, location: str, **more: object) -> Source:
    return save_source(site, "users", SourceChoice(kind=kind, location=location, **more))  # type: ignore[arg-type]


def test_a_client_keeps_its_secret_as_long_as_both_servers_are_the_same(site: MoodleSite) -> None:
    address = "https://roster.example.org/ims/oneroster/rostering/v1p2"
    source = save_rows(site, "oneroster", address, username="us", password="Safe-1", query=TOKEN)
    assert "Safe-1" not in repr(Source.objects.values().get())
    assert (source.location, source.query, address_of(source).password) == (address, TOKEN, "Safe-1")
    assert address_of(save_rows(site, "oneroster", address, username="us", query=TOKEN)).password == "Safe-1"

    # The secret goes to the server of the token: whoever may set that must not get to see it.
    elsewhere = TOKEN | {"token_address": "https://evil.example/token"}
    assert not has_secrets(save_rows(site, "oneroster", address, username="us", query=elsewhere))


def test_what_stands_behind_the_address_of_a_token_is_kept_as_a_secret(site: MoodleSite) -> None:
    address = "https://roster.example.org/v1p2?filter=geheim-1"
    with_key = TOKEN | {"token_address": f"{TOKEN['token_address']}?tenant=geheim-2"}
    source = save_rows(site, "oneroster", address, username="us", password="Safe-1", query=with_key)
    assert source.query == TOKEN
    assert "geheim" not in repr(Source.objects.values().get())
    assert (query_of(source), address_of(source).query) == (with_key, "filter=geheim-1")
    assert query_of(save_rows(site, "oneroster", source.location, username="us", query=TOKEN)) == with_key

    elsewhere = TOKEN | {"token_address": "https://login.example.org/other"}
    assert query_of(save_rows(site, "oneroster", source.location, username="us", query=elsewhere)) == elsewhere
    save_rows(site, "oneroster", address, username="us", query=with_key)
    forgotten = save_rows(site, "oneroster", source.location, username="us", query=TOKEN, forget_secrets=True)
    assert query_of(forgotten) == TOKEN


def test_a_secret_of_one_kind_of_source_is_none_of_another(site: MoodleSite) -> None:
    save_rows(site, "oauth", "https://example.org/users.csv", username="us", password="Safe-1", query=TOKEN)
    assert not has_secrets(save(site, "https://example.org/users.csv", username="us"))


@pytest.mark.parametrize(
    ("kind", "location", "code"),
    [
        ("sql", "postgresql://db.example.org/students", "source_server_not_named"),
        ("ldap", "ldaps://ldap.example.org", "source_server_not_named"),
        ("oneroster", "https://example.org/v1p2", "source_no_username"),
        ("oneroster", "sftp://example.org/v1p2", "address_scheme"),
        ("moodle", "postgresql://db.example.org/moodle", "source_server_not_named"),
    ],
)
def test_a_source_of_rows_that_cannot_work_is_not_kept(site: MoodleSite, kind: str, location: str, code: str) -> None:
    with pytest.raises(SourceError) as refused:
        save_rows(site, kind, location, query=TOKEN)
    assert refused.value.code == code
    assert not Source.objects.exists()


def test_another_moodle_is_a_source_of_cohorts_only(site: MoodleSite, settings: Settings) -> None:
    settings.TOOLSYNC_FETCH_HOSTS = ["db.example.org"]
    choice = SourceChoice(kind="moodle", location="mysql://db.example.org/moodle", query={"table_prefix": "mdl_"})
    assert "FROM mdl_cohort " in save_source(site, "cohorts", choice).query["statement"]
    with pytest.raises(SourceError, match="other_moodle_not_for_type"):
        save_source(site, "users", choice)
    with pytest.raises(SourceError, match="source_not_for_pictures"):
        save_source(site, "userpictures", choice)


class TestSheets:
    SHEET = "https://docs.google.com/spreadsheets/d/1mHIwMNPNhCmZGPkJ2P0Xg0Zs3YgBpBVN7m4Yk0aBcDe"

    @pytest.fixture
    def key(self) -> str:
        return key_of_account()

    def test_the_key_is_kept_encrypted_and_names_its_account(self, site: MoodleSite, key: str) -> None:
        source = save_rows(
            site, "sheet", f"{self.SHEET}/edit?usp=sharing#gid=7", private_key=key, username="x", password="y"
        )
        assert (source.location, source.username) == (
            f"{self.SHEET}/edit#gid=7",
            "feeds@school.iam.gserviceaccount.com",
        )
        assert "PRIVATE" not in repr(Source.objects.values().get())
        address = address_of(Source.objects.get())
        assert (f"{address.shown}?{address.query}", address.password) == (f"{self.SHEET}/export?format=csv&gid=7", "")
        assert private_key_of(Source.objects.get()) == key

    def test_the_key_stays_for_another_sheet_and_goes_with_another_server(self, site: MoodleSite, key: str) -> None:
        save_rows(site, "sheet", self.SHEET, private_key=key)
        assert private_key_of(save_rows(site, "sheet", f"{self.SHEET}x/edit#gid=1")) == key
        elsewhere = self.SHEET.replace("docs.google.com", "evil.example")
        for kind, location in (("sheet", elsewhere), ("sheet", self.SHEET.replace("https", "http"))):
            with pytest.raises(SourceError):
                save_rows(site, kind, location)
        assert private_key_of(Source.objects.get()) == key
        with pytest.raises(SourceError, match="service_key_missing"):
            save_rows(site, "sheet", self.SHEET, forget_secrets=True)
        assert not has_secrets(save(site, f"{self.SHEET}/export"))

    def test_what_cannot_work_is_not_kept(self, site: MoodleSite, key: str) -> None:
        insecure = json.dumps(json.loads(key) | {"token_uri": "http://example.org/token"})
        for location, given, code in (
            (self.SHEET, "", "service_key_missing"),
            (self.SHEET, "none", "service_key_unreadable"),
            (self.SHEET, insecure, "oauth_insecure"),
            ("https://example.org/users.csv", key, "sheet_address_unreadable"),
            (self.SHEET.replace("https", "http"), key, "oauth_insecure"),
        ):
            with pytest.raises(SourceError, match=code):
                save_rows(site, "sheet", location, private_key=given)
        with pytest.raises(SourceError, match="source_not_for_pictures"):
            save_source(site, "userpictures", SourceChoice(kind="sheet", location=self.SHEET, private_key=key))
        assert not Source.objects.exists()
