from __future__ import annotations

from collections.abc import Callable
from datetime import time
from pathlib import Path
from unittest.mock import patch

import pytest
from django.contrib.staticfiles import finders
from django.db import DatabaseError, connection
from django.templatetags.static import static
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from sync.demo.story import make_late_feed
from sync.health.records import Part, note_life, ok, save_finding
from sync.models import MoodleSite, Schedule, SequenceRun, SyncRun
from sync.processors.registry import REGISTRY
from sync.schedules.services import ScheduleChoice, save_schedule
from sync.web.cards import families
from tests.moodle_sites import MoodleSite as Moodle
from tests.web.conftest import MakeRun


def test_only_the_file_types_that_one_may_use_can_be_chosen(users_client: Client) -> None:
    text = users_client.get(reverse("help")).text
    assert reverse("tool", args=["users"]) in text
    assert reverse("tool", args=["users_delete"]) not in text


def test_what_makes_things_stands_before_what_is_done_to_them() -> None:
    keys = [card.key for family in families(REGISTRY.values()) for card in family.file_types]
    assert keys.index("courses") < keys.index("courses_reset") < keys.index("courses_delete")
    assert keys.index("users") < keys.index("users_delete")
    assert sorted(keys) == sorted(REGISTRY)


def test_first_steps_are_shown_until_they_are_done(
    client_with: Callable[..., Client], make_run: MakeRun, site: MoodleSite
) -> None:
    client = client_with("run_users", "manage_schedules")
    text = client.get(reverse("home")).text
    assert [step in text for step in ("Connect Moodle", "Try a file", "Switch on a feed")] == [True] * 3
    assert "sync-step is-done" not in text
    run = make_run()
    text = client.get(reverse("home")).text
    assert text.count("sync-step is-done") == 1
    assert reverse("run", args=[run.pk]) in text
    save_finding(Part.MOODLE, ok("check_release", release="4.5", version="1", prefix="mdl_"), site.slug)
    save_schedule(site, ScheduleChoice(["users"], at=time(2, 15), enabled=True))
    assert "First steps" not in client.get(reverse("home")).text


def test_nothing_needs_anybody_and_last_night_in_numbers(
    users_client: Client, make_run: MakeRun, site: MoodleSite
) -> None:
    note_life(Part.BEAT)
    note_life(Part.WORKER)
    assert "Nothing needs you." in users_client.get(reverse("home")).text
    schedule = save_schedule(site, ScheduleChoice(["users"], at=time(2, 15), enabled=True))
    sequence = SequenceRun.objects.create(site=site, schedule=schedule, processors=["users"], state="completed")
    run = make_run(sequence_run=sequence, origin="schedule")
    SyncRun.objects.filter(pk=run.pk).update(counts={"created": 12477, "rejected": 4})
    text = users_client.get(reverse("home")).text
    assert "Nothing needs you." in text
    assert "Last night: 1 feed, 12,481 rows, 4 rejected." in " ".join(text.split())


def test_what_needs_somebody_is_said_with_what_can_be_done_at_most_five_at_once(
    client_with: Callable[..., Client], make_run: MakeRun
) -> None:
    note_life(Part.BEAT)
    note_life(Part.WORKER)
    client = client_with("run_users", "approve_runs")
    runs = [make_run("held", held_at=timezone.now(), finished_at=None) for _number in range(7)]
    text = client.get(reverse("home")).text
    assert text.count('value="approve"') == 5
    assert "2 more things need you" in text
    assert client.get(reverse("home"), {"needs": "all"}).text.count('value="approve"') == 7
    client.post(reverse("run_decide", args=[runs[0].pk]), {"decision": "decline"})
    assert "1 more thing needs you" in client.get(reverse("home")).text


def test_a_hundred_feeds_are_narrowed_sorted_and_paged(admin_client: Client, site: MoodleSite) -> None:
    Schedule.objects.all().delete()
    for number in range(60):
        save_schedule(
            site, ScheduleChoice(["users"], name=f"Feed {number:02}", at=time(2, 15), enabled=number % 2 == 0)
        )
    text = admin_client.get(reverse("feeds"), {"sort": "name"}).text
    assert text.index("Feed 00") < text.index("Feed 01") < text.index("Feed 24")
    assert "Feed 25" not in text
    assert "Page 1 of 3" in text
    paused = admin_client.get(reverse("feeds"), {"state": "paused", "q": "feed 1"}).text
    assert "Feed 11" in paused
    assert "Feed 10" not in paused
    assert "Feed 01" not in paused
    # Those that are switched off are no news.
    assert "Feed 01" not in admin_client.get(reverse("home"), {"sort": "name"}).text


@pytest.mark.parametrize("asked", [{"page": "99"}, {"page": "x"}, {"sort": "nonsense"}, {"state": "nonsense"}])
def test_what_nobody_offers_is_no_error(asked: dict[str, str], admin_client: Client) -> None:
    assert admin_client.get(reverse("feeds"), asked).status_code == 200
    assert admin_client.get(reverse("home"), asked).status_code == 200


def test_runs_of_other_tools_stay_hidden(users_client: Client, make_run: MakeRun) -> None:
    run = make_run(processor="users_delete")
    assert reverse("run", args=[run.pk]) not in users_client.get(reverse("home")).text


def test_the_state_of_moodle_names_server_and_release(
    users_client: Client, settings: Settings, sqlite_site: Moodle
) -> None:
    settings.TOOLSYNC_MOODLE_URL = sqlite_site.url
    text = users_client.get(reverse("moodle_state")).text
    assert "Connected" in text
    assert "SQLite" in text
    assert "Moodle 4.5" in text


def test_a_moodle_that_is_away_is_said_and_not_an_error(
    users_client: Client, admin_client: Client, settings: Settings, tmp_path: Path
) -> None:
    settings.TOOLSYNC_MOODLE_URL = f"sqlite:///{tmp_path}/none.sqlite3"
    answer = users_client.get(reverse("moodle_state"))
    assert answer.status_code == 200
    assert "Moodle can't be used" in answer.text
    # What the server said is for those who set something of the site: it may name addresses.
    assert "no such file" not in answer.text
    assert "no such file" in admin_client.get(reverse("moodle_state")).text


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


def test_the_overview_of_the_demo_has_a_tour_until_its_three_steps_are_done(
    client_with: Callable[..., Client], make_run: MakeRun, site: MoodleSite, settings: Settings
) -> None:
    client = client_with("run_users", "run_users_delete", "run_enrolments", "manage_schedules", "approve_runs")
    assert "A tour in three steps" not in client.get(reverse("home")).text
    settings.TOOLSYNC_DEMO = True
    wrong = make_run("completed_with_rejections", counts={"rejected": 7})
    held = make_run("held", processor="users_delete", held_at=timezone.now(), finished_at=None)
    last = make_run(processor="enrolments", started_at=timezone.now())
    feed = make_late_feed(site, last)
    assert make_late_feed(site, last) == feed
    text = client.get(reverse("home")).text
    assert "A tour in three steps" in text
    assert "First steps" not in text
    assert text.count("sync-step is-done") == 0
    for name, run in (("run", wrong), ("run", held)):
        assert reverse(name, args=[run.pk]) in text
    client.post(reverse("run_decide", args=[held.pk]), {"decision": "decline"})
    make_run(mends=wrong)
    assert client.get(reverse("home")).text.count("sync-step is-done") == 2
    make_run(processor="enrolments")
    assert "A tour in three steps" not in client.get(reverse("home")).text
