"""Switching a feed on asks who is told and what is held; preferences of mails; the list at the bell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from sync.health.records import Part, note_life
from sync.models import AuditKind, AuditRecord, GuardLimits, MailPreferences, MoodleSite, Schedule, SyncRun
from sync.notifications.readers import readers_of
from sync.schedules.services import ScheduleChoice, save_schedule
from tests.web.conftest import MakeRun

MORNING = {"digest": "morning"}


@pytest.fixture
def schedule(site: MoodleSite) -> Schedule:
    return save_schedule(site, ScheduleChoice(["users"], name="Night", at=time(2, 15)))


@pytest.fixture
def client(client_with: Callable[..., Client]) -> Client:
    return client_with("manage_schedules", "manage_telling", "manage_limits", "run_users")


def test_a_feed_is_switched_on_only_after_it_was_asked_who_is_told(
    client: Client, schedule: Schedule, settings: Settings
) -> None:
    settings.TOOLSYNC_GUARD = True
    page = reverse("schedule_on", args=[schedule.pk])
    assert client.post(reverse("schedule_switch", args=[schedule.pk]), {"on": "1"}).headers["Location"] == page
    text = client.get(page).text
    assert "What it takes" in text
    assert "what is beyond the limits is held" in text
    for sent, said in (
        ({}, "Name somebody, or say that nobody is to be told."),
        ({"recipients": "it@x.org, nonsense"}, "“nonsense” is not a mail address."),
        ({"recipients": "it@x.org", "digest": "time"}, "This field is required."),
    ):
        assert said in client.post(page, MORNING | sent).text
    schedule.refresh_from_db()
    assert (schedule.enabled, schedule.recipients) == (False, [])

    sent = {"recipients": "it@x.org; IT@x.org b@x.org", "digest": "time", "digest_at": "06:30", "attach_report": "on"}
    assert client.post(page, sent, follow=True).status_code == 200
    schedule.refresh_from_db()
    assert (schedule.enabled, schedule.recipients) == (True, ["IT@x.org", "b@x.org"])
    assert (schedule.digest_at, schedule.attach_report) == (time(6, 30), True)
    assert AuditRecord.objects.filter(kind=AuditKind.SCHEDULE).count() >= 3
    text = client.get(reverse("schedule", args=[schedule.pk])).text
    assert "The digest comes each day at 06:30." in text
    assert "b@x.org" in text

    client.post(reverse("schedule_recipients", args=[schedule.pk]), MORNING | {"nobody": "on"})
    schedule.refresh_from_db()
    assert (schedule.enabled, schedule.recipients, schedule.digest_at) == (True, [], None)


def test_a_new_feed_that_is_to_be_on_is_asked_about_first(client: Client, site: MoodleSite) -> None:
    entered = {"processors": ["users"], "kind": "daily", "at": "02:15", "unit": "hours", "every": "6", "enabled": "on"}
    answer = client.post(reverse("schedule_new"), entered)
    made = Schedule.objects.latest("pk")
    assert answer.headers["Location"] == reverse("schedule_on", args=[made.pk])
    assert not made.enabled


def test_where_nothing_is_held_an_answer_is_wanted(client: Client, schedule: Schedule, settings: Settings) -> None:
    settings.TOOLSYNC_GUARD = False
    page = reverse("schedule_on", args=[schedule.pk])
    sent = MORNING | {"nobody": "on"}
    assert "This field is required." in client.post(page, sent).text
    assert not GuardLimits.objects.exists()
    client.post(page, sent | {"limits": "hold"})
    limits = GuardLimits.objects.get()
    assert (limits.processor, limits.is_on) == ("users", True)
    schedule.refresh_from_db()
    assert schedule.enabled


def test_who_may_not_say_who_is_told_sees_who_is_and_switches_on(
    client_with: Callable[..., Client], schedule: Schedule
) -> None:
    client = client_with("manage_schedules", "run_users")
    page = reverse("schedule_on", args=[schedule.pk])
    assert "Only people who may set who is told can change that." in client.get(page).text
    client.post(page, {"recipients": "me@x.org", "digest": "morning"})
    schedule.refresh_from_db()
    assert (schedule.enabled, schedule.recipients) == (True, [])
    assert client.get(reverse("schedule_recipients", args=[schedule.pk])).status_code == 403


def test_somebody_chooses_when_and_how_their_mails_come(users_client: Client) -> None:
    page = reverse("preferences")
    users_client.post(page, {"zone": "Asia/Kathmandu"})
    assert users_client.get(page).context["mails"].initial["mail_zone"] == "Asia/Kathmandu"
    sent = {"language": "fr", "mail_zone": "Europe/Paris", "digest_at": "06:15"}
    assert "Saved." in users_client.post(page, sent, follow=True).text
    chosen = MailPreferences.objects.get()
    User.objects.filter(pk=chosen.person_id).update(email="Kim@x.org")
    reader = readers_of(["kim@X.org"])["kim@x.org"]
    assert (reader.language, reader.zone.key, reader.digest_at) == ("fr", "Europe/Paris", time(6, 15))
    assert users_client.post(page, sent | {"mail_zone": "Mars/Base"}).context["mails"].errors.keys() == {"mail_zone"}
    User.objects.create_user("second", "kim@x.org")
    assert readers_of(["kim@x.org"])["kim@x.org"].person is None


def test_the_bell_lists_what_the_overview_does_with_links_only_to_what_is_open(
    client_with: Callable[..., Client], make_run: MakeRun
) -> None:
    note_life(Part.BEAT)
    note_life(Part.WORKER)
    client = client_with("run_users", "run_users_delete")
    held = make_run("held", processor="users_delete")
    failed = make_run("completed_with_rejections")
    SyncRun.objects.filter(pk=failed.pk).update(counts={"rejected": 4})
    text = client.get(reverse("runs")).text
    bell = text[text.index('id="bell"') : text.index("</details>", text.index('id="bell"'))]
    assert bell.index(f'href="{reverse("run", args=[held.pk])}"') < bell.index(
        f'href="{reverse("run", args=[failed.pk])}?show=rejected"'
    )
    assert "4 rows were rejected or done in part, and were not sent again." in bell
    assert "All of it on the overview (2)" in bell
