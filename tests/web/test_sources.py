"""The pages where administrators say where files come from."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from sync.errors import SourceError
from sync.models import MoodleSite, Source
from sync.runs.rights import OPERATOR
from sync.runs.source_settings import SourceChoice, address_of, save_source
from sync.schedules.arming import arm_file
from sync.schedules.fetch_files import fetch_files
from tests.source_servers import SheetServer, WebServer
from tests.web.conftest import USERS_CSV, MakeFile
from toolsync_site.storages import storage_from_url

USERS = "/sources/users/"


@pytest.fixture(autouse=True)
def drop(settings: Settings, tmp_path: Path) -> Path:
    settings.TOOLSYNC_DROP_FOLDER = str(tmp_path / "drop")
    settings.TOOLSYNC_SETTLE_SECONDS = 0
    return tmp_path / "drop"


@pytest.fixture
def client(client_with: Callable[..., Client]) -> Client:
    return client_with("manage_sources", "run_users")


def test_the_list_shows_ones_own_tools_and_where_their_files_come_from(client: Client, site: MoodleSite) -> None:
    save_source(site, "users", SourceChoice(location="in/load_*.csv"))
    save_source(site, "enrolments", SourceChoice(location="secret/path.csv"))
    fetch_files(site, "users")
    text = client.get(reverse("sources")).text
    assert "in/load_*.csv" in text
    assert "Nothing is there for “in/load_*.csv”." in text
    assert "secret/path.csv" not in text


def test_the_source_of_a_tool_that_one_may_not_use_is_not_there(client: Client) -> None:
    assert client.get(reverse("source", args=["enrolments"])).status_code == 404
    assert client.post(reverse("source", args=["enrolments"]), {"kind": "area"}).status_code == 404
    assert client.post(reverse("source_look", args=["enrolments"])).status_code == 404


def test_a_source_is_saved_and_shown_again_without_anything_secret(client: Client) -> None:
    form = {"kind": "address", "address": "https://example.org/users.csv?token=geheim", "username": "ann"}
    answer = client.post(USERS, form | {"password": "Safe-1", "take_all": "on"}, follow=True)
    assert "Saved." in answer.text
    source = Source.objects.get()
    assert (source.location, source.username, source.take_all) == ("https://example.org/users.csv", "ann", True)
    assert address_of(source).password == "Safe-1"
    shown = client.get(USERS).text
    assert "https://example.org/users.csv" in shown
    assert "Something secret is kept" in shown
    assert "geheim" not in shown
    assert "Safe-1" not in shown


def test_saving_again_keeps_the_password_and_forgets_it_when_asked(client: Client) -> None:
    form = {"kind": "address", "address": "https://example.org/users.csv", "username": "ann"}
    client.post(USERS, form | {"password": "Safe-1"})
    client.post(USERS, form)
    assert address_of(Source.objects.get()).password == "Safe-1"
    client.post(USERS, form | {"forget_secrets": "on"})
    assert address_of(Source.objects.get()).password == ""


@pytest.mark.parametrize(
    ("form", "field", "said"),
    [
        ({"kind": "area", "paths": "i*/a.csv"}, "paths", "in its folder"),
        ({"kind": "address", "address": "users.csv"}, "address", "Files can&#x27;t be fetched by"),
        (
            {"kind": "address", "address": "sftp://x.org/a.csv", "private_key": "KEYTEXT"},
            "private_key",
            "can&#x27;t be read",
        ),
    ],
)
def test_what_cannot_work_is_said_beside_its_field_and_secrets_are_not_sent_back(
    form: dict[str, str], field: str, said: str, client: Client
) -> None:
    answer = client.post(USERS, form | {"password": "Safe-1"})
    assert answer.context["form"].errors.keys() == {field}
    assert said in answer.text
    assert "Safe-1" not in answer.text
    assert "KEYTEXT" not in answer.text
    assert not Source.objects.exists()


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("gopher://ann:Safe-1@x.org/a.csv", "gopher://ann@x.org/a.csv"),
        ("gopher://ann:Safe-1?a@b/Safe-1@x.org/a.csv", "gopher://ann@x.org/a.csv"),
        ("gopher://x.org:70/a@b.csv?token=Safe-1", "gopher://x.org@b.csv"),
        ("ann:Safe-1@x.org/a.csv", "ann@x.org/a.csv"),
        ("gopher://x.org/a.csv?Safe-1", "gopher://x.org/a.csv"),
        ("gopher://x.org/ä@b.csv", "gopher://x.org/ä@b.csv"),
    ],
)
def test_no_secret_of_an_address_that_can_not_be_is_sent_back(client: Client, typed: str, shown: str) -> None:
    form = {"kind": "address", "address": typed, "token_address": typed, "password": "Safe-1"}
    answer = client.post(USERS, form)
    assert answer.context["form"]["address"].value() == shown
    assert "Safe-1" not in answer.text
    assert "enter it anew" in answer.text


@pytest.mark.parametrize("kind", ["nonsense", "address", ""])
def test_no_secret_is_sent_back_with_a_form_that_is_not_even_looked_at(client: Client, kind: str) -> None:
    answer = client.post(USERS, {"kind": kind, "private_key": "KEYTEXT", "password": "Safe-1", "host_key": "x" * 101})
    assert answer.status_code == 200
    assert "KEYTEXT" not in answer.text
    assert "Safe-1" not in answer.text
    assert "enter it anew" in answer.text
    assert not Source.objects.exists()


def test_a_form_without_secrets_says_nothing_of_them(client: Client) -> None:
    assert "enter it anew" not in client.post(USERS, {"kind": "area", "paths": "i*/a.csv"}).text


def test_an_inbox_is_offered_when_the_operator_has_named_one(
    client: Client, settings: Settings, tmp_path: Path
) -> None:
    assert 'value="inbox"' not in client.get(USERS).text
    folder = tmp_path / "school"
    folder.mkdir()
    (folder / "users.csv").write_bytes(USERS_CSV)
    settings.STORAGES = {**settings.STORAGES, "inbox-school": storage_from_url(folder.as_uri())}
    client.post(USERS, {"kind": "inbox", "inbox": "school", "inbox_files": "users.csv", "remove_taken": "on"})
    look = client.post(reverse("source_look", args=["users"]), headers={"HX-Request": "true"})
    assert "It would be taken if it stays the same for 0 seconds." in look.text
    assert (folder / "users.csv").exists()


def test_look_now_shows_what_is_there_and_what_would_be_taken(
    client: Client, make_file: MakeFile, drop: Path, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    make_file("load_00.csv")
    for name in ("load_01.csv", "load_02.csv"):
        arm_file(make_file(name), "users", OPERATOR)
    drop.mkdir()
    (drop / "new.csv").write_bytes(USERS_CSV)
    (drop / "alock.txt").touch()
    client.post(USERS, {"kind": "area", "paths": "load_*.csv"})
    with django_assert_max_num_queries(20):
        fragment = client.post(reverse("source_look", args=["users"]), headers={"HX-Request": "true"}).text
    assert (
        fragment.index("load_00.csv") < fragment.index("It would be left alone: nobody") < fragment.index("load_01.csv")
    )
    assert fragment.index("load_01.csv") < fragment.index("It would be taken.") < fragment.index("load_02.csv")
    assert "Its turn comes in a later run." in fragment
    assert "alock.txt has said for 0 minutes" in fragment
    assert "new.csv" in fragment
    assert "<html" not in fragment
    page = client.post(reverse("source_look", args=["users"])).text
    assert "<html" in page
    assert "Its turn comes in a later run." in page


def test_a_private_address_is_refused_with_a_sentence(client: Client) -> None:
    client.post(USERS, {"kind": "address", "address": "http://127.0.0.1:1/users.csv"})
    text = client.post(reverse("source_look", args=["users"])).text
    assert "is an address of a private network or of this machine" in text


def test_a_private_sheet_is_set_looked_at_and_fetched(client: Client, site: MoodleSite, settings: Settings) -> None:
    settings.TOOLSYNC_FETCH_HOSTS = ["localhost", "127.0.0.1"]
    web = WebServer()
    sheets = SheetServer(web)
    sheets.put("7", USERS_CSV)
    form = {"kind": "sheet", "address": sheets.url("7"), "username": "x", "password": "Safe-1"}
    for key in ("", "{}"):
        answer = client.post(USERS, form | {"service_key": key})
        assert answer.context["form"].errors.keys() == {"service_key"}
        assert answer.context["form"]["address"].value() == sheets.url("7").replace("?usp=sharing", "")
        assert "Safe-1" not in answer.text
    assert client.post(USERS, form | {"address": "https://x.org", "service_key": "{}"}).context["form"].errors
    assert not Source.objects.exists()
    assert "Saved." in client.post(USERS, form | {"service_key": sheets.key_file}, follow=True).text
    shown = client.get(USERS).text
    assert f"spreadsheets/d/{SheetServer.SHEET}/edit#gid=7" in shown
    assert SheetServer.EMAIL in shown
    assert "PRIVATE" not in shown
    # What is kept is enough to save it again.
    client.post(USERS, form | {"address": sheets.url("7")})
    assert "It would be taken" in client.post(reverse("source_look", args=["users"])).text
    (fetched,) = fetch_files(site, "users")
    assert fetched.sha256 == hashlib.sha256(USERS_CSV).hexdigest()
    sheets.shared = False
    assert SheetServer.EMAIL in client.post(reverse("source_look", args=["users"])).text
    web.stop()


@pytest.mark.parametrize("codename", ["run_users", "manage_files"])
def test_the_menu_leads_to_sources_only_those_who_may_set_them(
    codename: str, client_with: Callable[..., Client]
) -> None:
    link = f'href="{reverse("sources")}"'
    assert link not in client_with(codename).get(reverse("feeds")).text
    assert link in client_with("manage_sources", "run_users").get(reverse("feeds")).text


def test_a_query_is_saved_looked_at_and_fetched_as_a_file(
    client: Client, site: MoodleSite, settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "students.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE s AS SELECT 'ann' AS login, 'Ann' AS fn, 'Ash' AS ln, 'ann@x.org' AS mail")
    connection.close()
    settings.TOOLSYNC_FETCH_HOSTS = [f"sqlite:///{path}"]
    form = {"kind": "sql", "address": f"sqlite:///{path}", "statement": "DELETE FROM s"}
    answer = client.post(USERS, form)
    assert answer.context["form"].errors.keys() == {"statement"}
    statement = "SELECT login AS username, fn AS firstname, ln AS lastname, mail AS email FROM s"
    client.post(USERS, form | {"statement": statement, "leave_same": "on"})
    assert statement in client.get(USERS).text
    assert "It would be taken." in client.post(reverse("source_look", args=["users"])).text

    [file] = fetch_files(site, "users")
    assert (file.path, file.processor) == ("/fetched/users/userimport.csv", "users")
    assert client.get(reverse("sources")).status_code == 200
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM s")
    connection.close()
    with pytest.raises(SourceError, match="source_no_rows"):
        fetch_files(site, "users")
    assert Source.objects.get().notes[0][0] == "source_no_rows"
