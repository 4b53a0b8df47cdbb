from __future__ import annotations

from pathlib import Path
from unittest.mock import patch

import pytest
from django.contrib.staticfiles import finders
from django.db import DatabaseError, connection
from django.templatetags.static import static
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from sync.processors.registry import REGISTRY
from sync.web.cards import families
from tests.moodle_sites import MoodleSite
from tests.web.conftest import MakeRun


def test_it_shows_only_the_tools_that_one_may_use(users_client: Client) -> None:
    text = users_client.get(reverse("home")).text
    assert reverse("tool", args=["users"]) in text
    assert reverse("tool", args=["users_delete"]) not in text


def test_what_makes_things_stands_before_what_is_done_to_them() -> None:
    keys = [card.key for family in families(REGISTRY.values()) for card in family.file_types]
    assert keys.index("courses") < keys.index("courses_reset") < keys.index("courses_delete")
    assert keys.index("users") < keys.index("users_delete")
    assert sorted(keys) == sorted(REGISTRY)


def test_first_steps_are_shown_until_something_was_run(users_client: Client, make_run: MakeRun) -> None:
    assert "First steps" in users_client.get(reverse("home")).text
    run = make_run()
    text = users_client.get(reverse("home")).text
    assert "First steps" not in text
    assert reverse("run", args=[run.pk]) in text


def test_runs_of_other_tools_stay_hidden(users_client: Client, make_run: MakeRun) -> None:
    run = make_run(processor="users_delete")
    assert reverse("run", args=[run.pk]) not in users_client.get(reverse("home")).text


def test_the_state_of_moodle_names_server_and_release(
    users_client: Client, settings: Settings, sqlite_site: MoodleSite
) -> None:
    settings.TOOLSYNC_MOODLE_URL = sqlite_site.url
    text = users_client.get(reverse("moodle_state")).text
    assert "Connected" in text
    assert "SQLite" in text
    assert "Moodle 4.5" in text


def test_a_moodle_that_is_away_is_said_and_not_an_error(
    users_client: Client, settings: Settings, tmp_path: Path
) -> None:
    settings.TOOLSYNC_MOODLE_URL = f"sqlite:///{tmp_path}/none.sqlite3"
    answer = users_client.get(reverse("moodle_state"))
    assert answer.status_code == 200
    assert "Moodle can't be used" in answer.text
    assert "no such file" in answer.text


def test_the_language_can_be_switched(users_client: Client) -> None:
    home = reverse("home")
    users_client.post(reverse("set_language"), {"language": "fr", "next": home})
    assert '<html lang="fr"' in users_client.get(home).text
    users_client.post(reverse("set_language"), {"language": "en", "next": home})
    assert '<html lang="en"' in users_client.get(home).text


def test_logging_out_needs_a_post_and_works(users_client: Client) -> None:
    assert users_client.get(reverse("logout")).status_code == 405
    users_client.post(reverse("logout"))
    assert users_client.get(reverse("home")).status_code == 302


@pytest.mark.django_db
def test_healthz_says_ok_to_everybody() -> None:
    answer = Client().get(reverse("healthz"))
    assert (answer.status_code, answer.content) == (200, b"ok")


@pytest.mark.django_db
def test_healthz_says_when_our_database_is_away() -> None:
    with patch.object(connection, "cursor", side_effect=DatabaseError):
        assert Client().get(reverse("healthz")).status_code == 503


@pytest.mark.parametrize("name", ["sync/style.css", "sync/page.js", "sync/theme.js", "sync/icon.svg"])
def test_static_files_are_found(name: str) -> None:
    assert finders.find(name)


def test_pages_hold_nothing_that_the_content_security_policy_forbids(users_client: Client, make_run: MakeRun) -> None:
    for url in (reverse("home"), reverse("tool", args=["users"]), reverse("run", args=[make_run().pk])):
        text = users_client.get(url).text
        assert " style=" not in text
        assert "<style" not in text
        assert " onclick=" not in text
        theme = f'<script src="{static("sync/theme.js")}">'
        assert text.count("<script") == text.count("<script defer src=") + text.count('" defer></script>') + 1
        assert theme in text
