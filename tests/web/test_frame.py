"""What stands around every page, and the pages that only lead on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from sync.health.records import Part, fails, note_life, ok, save_finding
from tests.web.conftest import MakeRun

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "sync"
# What leads to all others, and so has no way back.
TOP = {"home", "help", "feeds", "files", "runs", "moodle", "settings"}


def test_every_page_below_a_section_has_a_way_back() -> None:
    pages = {page.stem: page.read_text() for page in TEMPLATES.glob("[!_]*.html")}
    whole = {name for name, text in pages.items() if 'extends "base.html"' in text}
    assert {name for name in whole if "{% block breadcrumb %}" not in pages[name]} == TOP


def test_the_menu_shows_the_sections_in_which_there_is_something(client_with: Callable[..., Client]) -> None:
    text = client_with("view_audit").get(reverse("runs")).text
    menu = text[text.index('aria-label="Main"') : text.index("</nav>")]
    shown = [name for name in ("home", "feeds", "files", "runs", "moodle", "settings") if f'"{reverse(name)}"' in menu]
    assert shown == ["home", "feeds", "runs", "settings"]
    assert menu.count('aria-current="page"') == 1
    landing = client_with("run_users_delete").get(reverse("moodle")).text
    assert f'href="{reverse("deletions")}"' in landing
    assert f'href="{reverse("courses")}"' not in landing


def test_the_bell_counts_what_waits_for_a_person(users_client: Client, make_run: MakeRun) -> None:
    note_life(Part.BEAT)
    note_life(Part.WORKER)
    assert "0 things need you" in users_client.get(reverse("runs")).text
    make_run("held")
    make_run("held", processor="users_delete")
    assert "1 thing needs you" in users_client.get(reverse("runs")).text


def test_a_step_back_is_no_link_to_a_section_that_is_closed(client_with: Callable[..., Client]) -> None:
    run = client_with("run_users").get(reverse("source", args=["users"]))
    assert run.status_code == 403
    text = client_with("run_users", "manage_sources").get(reverse("source", args=["users"])).text
    assert f'<li class="breadcrumb-item"><a href="{reverse("feeds")}">Feeds</a></li>' in text


def test_theme_and_zone_are_kept_in_the_browser(users_client: Client, settings: Settings, make_run: MakeRun) -> None:
    settings.TIME_ZONE = "UTC"
    back = reverse("run", args=[make_run().pk])
    assert 'data-theme="auto"' in users_client.get(back).text
    answer = users_client.post(reverse("preferences"), {"theme": "dark", "next": back})
    assert answer.headers["Location"] == back
    users_client.post(reverse("preferences"), {"theme": "dark", "zone": "Asia/Kathmandu"})
    text = users_client.get(back).text
    assert 'data-bs-theme="dark"' in text
    assert "Times are those of Asia/Kathmandu." in text
    assert "+05:45" in text
    # Schedules start by the clock of the site, and the theme alone changes no zone.
    users_client.post(reverse("preferences"), {"theme": "light", "next": back})
    assert "+05:45" in users_client.get(back).text


@pytest.mark.parametrize("back", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)"])
def test_nobody_is_sent_elsewhere(back: str, users_client: Client) -> None:
    answer = users_client.post(reverse("preferences"), {"theme": "dark", "next": back})
    assert answer.headers["Location"] == reverse("preferences")


def test_what_a_cookie_says_is_not_trusted(users_client: Client) -> None:
    users_client.cookies["toolsync_theme"] = "<b>"
    users_client.cookies["toolsync_zone"] = "../../etc/passwd"
    text = users_client.get(reverse("runs")).text
    assert 'data-theme="auto"' in text
    assert "Times are those of UTC." in text
    assert users_client.post(reverse("preferences"), {"zone": "Mars/Base"}).context["form"].errors.keys() == {"zone"}


def test_schedules_are_read_by_the_clock_of_the_site(admin_client: Client, settings: Settings) -> None:
    settings.TIME_ZONE = "Europe/Paris"
    admin_client.post(reverse("preferences"), {"zone": "Asia/Kathmandu"})
    assert "Times are those of Europe/Paris." in admin_client.get(reverse("feeds")).text
    assert "Times are those of Asia/Kathmandu." in admin_client.get(reverse("runs")).text


def test_a_strip_on_every_page_says_what_is_dead_since_when_and_what_to_do(
    users_client: Client, make_run: MakeRun
) -> None:
    note_life(Part.BEAT)
    note_life(Part.WORKER)
    pages = [reverse("home"), reverse("run", args=[make_run().pk]), reverse("help")]
    assert [page for page in pages if "sync-strip" in users_client.get(page).text] == []
    save_finding(Part.STORAGE, fails("health_storage_fails", reason="read-only file system"))
    for page in pages:
        text = users_client.get(page).text
        assert "Storage of files" in text
        assert "Look whether the place is there" in text
        assert "since" in text


def test_addresses_of_servers_are_for_those_who_set_something_of_the_site(
    users_client: Client, client_with: Callable[..., Client]
) -> None:
    save_finding(Part.MAIL, fails("health_mail_away", server="mail.inner.example", reason="10.1.2.3 refused"))
    save_finding(Part.DATABASE, ok("health_database_answers", server="MariaDB", version="10.11", milliseconds=1))
    manager = client_with("manage_limits", "run_users")
    for page in ("home", "health", "help"):
        text = users_client.get(reverse(page)).text
        assert "The mail server … doesn" in text
        assert "inner.example" not in text
        assert "10.1.2.3" not in text
        assert "mail.inner.example" in manager.get(reverse(page)).text
    assert "MariaDB 10.11 answers" in users_client.get(reverse("health")).text


def test_health_is_looked_at_when_somebody_asks_who_may_set_something(
    users_client: Client, client_with: Callable[..., Client]
) -> None:
    assert "Nobody has looked yet" in users_client.get(reverse("health")).text
    assert users_client.post(reverse("health")).status_code == 403
    text = client_with("manage_limits", "run_users").post(reverse("health"), follow=True).text
    assert "A file was written, read and deleted." in text
    assert "No worker takes any work" in text
    assert "No Moodle command line is set" in text


@pytest.mark.parametrize(("fault", "status"), [(OperationalError, 503), (ValueError, 500)])
def test_a_database_that_is_away_is_said_and_other_faults_are_ours(
    fault: type[Exception], status: int, users_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_args: object, **_named: object) -> None:
        raise fault

    users_client.raise_request_exception = False
    monkeypatch.setattr("sync.web.views.frame.families", fail)
    assert '<html lang="fr"' in users_client.get(reverse("help"), headers={"Accept-Language": "fr"}).text
    answer = users_client.get(reverse("help"))
    assert answer.status_code == status
    assert "sync/style.css" in answer.text
    assert ("The database of ToolSync doesn&#x27;t answer" in answer.text.replace("'", "&#x27;")) == (status == 503)
