"""The pages of schedules, freeze windows and sequence runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from sync.models import FreezeWindow, MoodleSite, Schedule, SequenceRun, Source, SyncRun
from sync.notifications.services import RuleChoice, save_rule
from sync.notifications.webhooks import WebhookChoice, save_webhook
from sync.processors.users.processor import Users
from sync.schedules.services import ScheduleChoice, save_schedule
from tests.notification_servers import HookServer, MailServer
from tests.web.conftest import MakeRun

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ENTERED = {"processors": ["users"], "kind": "daily", "at": "02:15", "unit": "hours", "every": "6", "after_freeze": "on"}


@pytest.fixture
def client(client_with: Callable[..., Client]) -> Client:
    return client_with("manage_schedules", "manage_all_schedules", "run_users", "run_enrolments")


def newest() -> Schedule:
    return Schedule.objects.latest("pk")


def save(site: MoodleSite, *processors: str, **choice: object) -> Schedule:
    return save_schedule(site, ScheduleChoice(processors or ("users",), at=time(2, 15), **choice))  # type: ignore[arg-type]


def test_the_list_says_rule_and_next_run_by_the_clock_of_the_site(
    client: Client, site: MoodleSite, settings: Settings
) -> None:
    settings.TIME_ZONE = "Europe/Paris"
    with time_machine.travel(NOW, tick=False):
        save(site, "users", enabled=True)
        save(site, "courses", enabled=True, name="Secret courses")
        text = client.get(reverse("feeds")).text
    assert "Every day at 02:15" in text
    assert "24 Nov 2026, 02:15" in text
    assert "in 15\xa0hours, 15\xa0minutes" in text
    assert "Times are those of Europe/Paris." in text
    assert "Every 6 hours" in text
    assert "Secret courses" not in text


def test_the_list_asks_little(
    client: Client, site: MoodleSite, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _number in range(5):
        save(site, enabled=True)
    with django_assert_max_num_queries(40):
        client.get(reverse("feeds"))


@pytest.mark.parametrize(
    ("entered", "kept"),
    [
        ({}, {"kind": "daily", "at": time(2, 15), "enabled": False, "stop_on_failure": False, "after_freeze": True}),
        ({"kind": "every", "every": "90", "unit": "minutes"}, {"kind": "every", "every_seconds": 5400}),
        ({"kind": "weekdays", "enabled": "on"}, {"kind": "weekdays", "enabled": False}),
        ({"kind": "crontab", "crontab": " 15  2 * * 1-5 "}, {"kind": "crontab", "crontab": "15 2 * * 1-5"}),
        ({"processors": ["enrolments", "users"], "name": "Night"}, {"processors": ["users", "enrolments"], "name": "Night"}),
    ],
)  # fmt: skip
def test_a_schedule_is_entered_in_plain_words(
    client: Client, entered: dict[str, object], kept: dict[str, object]
) -> None:
    assert client.post(reverse("schedule_new"), ENTERED | entered).status_code == 302
    assert {name: getattr(newest(), name) for name in kept} == kept
    page = client.get(reverse("schedule", args=[newest().pk]))
    assert {name: page.context["form"].initial[name] for name in kept if name != "every_seconds"} == {
        name: value for name, value in kept.items() if name != "every_seconds"
    }


@pytest.mark.parametrize(
    ("entered", "said"),
    [
        ({"processors": []}, "No file type is chosen."),
        ({"at": ""}, "No time is given."),
        ({"at": "25:00"}, "Enter a valid time."),
        ({"kind": "every", "every": ""}, "This field is required."),
        ({"kind": "every", "every": "0"}, "greater than or equal to 1"),
        ({"kind": "crontab", "crontab": "61 * * * *"}, "is not a crontab"),
        ({"kind": "crontab", "crontab": ""}, "it takes five fields"),
        ({"processors": ["courses"]}, "Select a valid choice."),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(client: Client, entered: dict[str, object], said: str) -> None:
    before = Schedule.objects.count()
    answer = client.post(reverse("schedule_new"), ENTERED | entered)
    assert answer.status_code == 200
    assert said in answer.text.replace("&quot;", '"')
    assert Schedule.objects.count() == before


def test_a_schedule_is_switched_started_and_deleted(client: Client, site: MoodleSite) -> None:
    schedule = save(site)
    for name, is_on in (("schedule_on", True), ("schedule_switch", False), ("schedule_on", True)):
        client.post(reverse(name, args=[schedule.pk]), {"on": "0"})
        schedule.refresh_from_db()
        assert (schedule.enabled, schedule.next_at is not None) == (is_on, is_on)
    client.post(reverse("schedule_start", args=[schedule.pk]))
    sequence = SequenceRun.objects.get()
    assert sequence.requested_by is not None
    again = client.post(reverse("schedule_start", args=[schedule.pk]), follow=True)
    assert "under way already" in again.text
    client.post(reverse("schedule_delete", args=[schedule.pk]))
    sequence.refresh_from_db()
    assert sequence.schedule is None


def test_a_schedule_with_another_tool_is_not_there(client: Client, site: MoodleSite) -> None:
    schedule = save(site, "users", "courses")
    assert client.get(reverse("schedule", args=[schedule.pk])).status_code == 404
    for name in ("schedule_switch", "schedule_start", "schedule_delete"):
        assert client.post(reverse(name, args=[schedule.pk])).status_code == 404
    assert newest() == schedule


def test_a_freeze_window_is_entered_by_the_clock_of_the_site_and_shown_to_hold(
    client: Client, site: MoodleSite, settings: Settings
) -> None:
    settings.TIME_ZONE = "Europe/Paris"
    with time_machine.travel(NOW, tick=False):
        schedule = save(site, enabled=True)
        entered = {"starts_at": "2026-11-23T11:00", "ends_at": "2026-11-25T08:00", "reason": "Exams"}
        client.post(reverse("freeze"), entered)
        window = FreezeWindow.objects.get()
        assert (window.starts_at, window.ends_at) == (NOW, datetime(2026, 11, 25, 7, 0, tzinfo=UTC))
        Schedule.objects.filter(pk=schedule.pk).update(held_at=NOW)
        text = client.get(reverse("feeds")).text
        assert "Nothing starts by itself until 25 Nov 2026, 08:00" in text
        assert "Exams" in text
        assert "held since 23 Nov 2026, 11:00" in text
        backwards = client.post(reverse("freeze"), entered | {"ends_at": "2026-11-22T08:00"})
        assert "The window ends before it begins." in backwards.text
        client.post(reverse("unfreeze", args=[window.pk]))
    assert not FreezeWindow.objects.exists()


def test_a_sequence_run_shows_each_of_its_runs_to_those_who_may_see_them(
    client: Client, users_client: Client, site: MoodleSite, make_run: MakeRun
) -> None:
    tools = ["users", "courses", "enrolments"]
    sequence = SequenceRun.objects.create(
        site=site, processors=tools, position=2, name="Night", faults=[["courses", "internal_error", {"number": "AB12"}]]
    )  # fmt: skip
    run = make_run(sequence_run=sequence, origin=SyncRun.Origin.SEQUENCE)
    url = reverse("sequence_run", args=[sequence.pk])
    text = client.get(url).text
    assert reverse("run", args=[run.pk]) in text
    assert "waits for its turn" in text
    assert "AB12" not in text
    fragment = client.get(url, headers={"HX-Request": "true"}).text
    assert "<html" not in fragment
    assert 'hx-trigger="every 2s"' in fragment
    assert users_client.post(reverse("sequence_cancel", args=[sequence.pk])).status_code == 404
    SequenceRun.objects.update(processors=["users", "enrolments"])
    client.post(reverse("sequence_cancel", args=[sequence.pk]))
    assert 'hx-trigger="every 2s"' not in client.get(url).text
    sequence.refresh_from_db()
    assert sequence.state == "cancelled"


def test_the_list_of_runs_tells_what_started_each(
    users_client: Client, site: MoodleSite, make_run: MakeRun, django_user_model: type
) -> None:
    ann = django_user_model.objects.create_user("ann")  # type: ignore[attr-defined]
    sequence = SequenceRun.objects.create(site=site, processors=["users", "courses"], name="Night")
    alone = SequenceRun.objects.create(site=site, processors=["users"])
    make_run(requested_by=ann)
    make_run(origin="shell")
    make_run(origin="sequence", sequence_run=sequence)
    make_run(origin="schedule", sequence_run=alone)
    text = users_client.get(reverse("runs")).text
    for said in (", ann", ", Command line", "Sequence: Night</a>", f"Schedule: {Users.label}</a>"):
        assert said in text, said
    assert reverse("sequence_run", args=[sequence.pk]) in text
    narrowed = users_client.get(reverse("runs"), {"origin": "shell"}).context["runs"]
    assert [run.origin for run in narrowed] == ["shell"]


def test_a_start_that_was_long_ago_says_nothing_wrong(client: Client, site: MoodleSite) -> None:
    schedule = save(site, enabled=True)
    Schedule.objects.filter(pk=schedule.pk).update(next_at=timezone.now() - timedelta(minutes=1))
    assert client.get(reverse("feeds")).status_code == 200


def test_the_page_of_a_feed_has_everything_about_it(
    client_with: Callable[..., Client], site: MoodleSite, settings: Settings, make_run: MakeRun
) -> None:
    settings.TIME_ZONE = "Europe/Paris"
    settings.TOOLSYNC_GUARD = True
    client = client_with("manage_schedules", "manage_sources", "manage_telling", "manage_limits", "run_users")
    Source.objects.create(site=site, processor="users", kind=Source.Kind.AREA, location="/night/in.csv")
    by_hand = make_run(options={"allowrename": True})
    save_rule(site, "users", RuleChoice({"failure": ["it@example.org"]}))
    with time_machine.travel(NOW, tick=False):
        schedule = save(site, enabled=True, name="Night")
        starts = NOW.replace(hour=20) + timedelta(days=1)
        FreezeWindow.objects.create(site=site, starts_at=starts, ends_at=starts + timedelta(days=1))
        sequence = SequenceRun.objects.create(site=site, schedule=schedule, processors=["users"], state="failed")
        text = client.get(reverse("schedule", args=[schedule.pk])).text
    assert "/night/in.csv" in text
    assert f"run {by_hand.pk} by hand: on" in text
    assert [f"{day} Nov 2026, 02:15" in text for day in range(24, 30)] == [True] * 5 + [False]
    assert "frozen until 25 Nov 2026, 21:00" in text
    assert "Users deleted: 10 %, 50" in text
    assert "it@example.org" in text
    assert reverse("sequence_run", args=[sequence.pk]) in text


def test_a_test_mail_and_a_test_of_the_webhook_are_sent_at_once(
    admin_client: Client, site: MoodleSite, settings: Settings
) -> None:
    schedule = save(site, name="Night")
    url = reverse("schedule_test", args=[schedule.pk])
    assert "Nobody is named" in admin_client.post(url, {"way": "mail"}, follow=True).text
    assert "Nobody is named" in admin_client.post(url, {"way": "webhook"}, follow=True).text
    save_rule(site, "users", RuleChoice({"failure": ["it@example.org"], "held": ["it@example.org", "a@example.org"]}))
    server = MailServer()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    try:
        assert "A test was sent" in admin_client.post(url, {"way": "mail"}, follow=True).text
        assert [address for address, _mail in server.received] == ["it@example.org", "a@example.org"]
        assert server.received[0][1]["Subject"] == "ToolSync, a test: Night"
        server.refused.add("a@example.org")
        assert "550 no such person" in admin_client.post(url, {"way": "mail"}, follow=True).text
    finally:
        server.stop()
    settings.TOOLSYNC_FETCH_HOSTS = ["localhost"]
    hook = HookServer()
    try:
        save_webhook(site, WebhookChoice(hook.address, "k" * 32, ["failure"]))
        assert "A test was sent" in admin_client.post(url, {"way": "webhook"}, follow=True).text
        assert b'"event": "test"' in hook.received[0][1]
    finally:
        hook.stop()
