"""The pages that say who is told and how long things are kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from sync.models import MoodleSite, Notification, NotificationRule, Retention, Webhook
from sync.notifications.services import RuleChoice, save_rule
from sync.processors.registry import REGISTRY
from tests.web.conftest import MakeRun

USERS = "/notices/users/"
HOOK = {
    "address": "https://example.org/hooks/geheim",
    "key": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "events": ["failure"],
}


@pytest.fixture
def client(client_with: Callable[..., Client]) -> Client:
    return client_with("manage_telling", "run_users")


@pytest.fixture
def everyones(client_with: Callable[..., Client]) -> Client:
    """Somebody who may use every file type."""
    return client_with("manage_telling", *(f"run_{key}" for key in REGISTRY))


def test_a_rule_is_saved_and_shown_again(client: Client) -> None:
    form = {"failure": "a@x.org; b@x.org,a@x.org", "overdue": "c@x.org", "attach_report": "on", "language": "fr"}
    answer = client.post(USERS, form | {"expected_at": "06:00", "weekdays_only": "on"}, follow=True)
    assert "Failure: a@x.org, b@x.org" in answer.text
    assert "06:00, Monday to Friday" in answer.text
    rule = NotificationRule.objects.get()
    assert rule.recipients == {"failure": ["a@x.org", "b@x.org"], "overdue": ["c@x.org"]}
    assert (rule.attach_report, rule.language, rule.expected_at, rule.weekdays_only) == (True, "fr", time(6), True)
    assert rule.due_at is not None
    assert rule.due_at > timezone.now()
    shown = client.get(USERS).context["form"]
    assert shown["failure"].value() == "a@x.org, b@x.org"
    client.post(reverse("notification_rule_delete", args=["users"]))
    assert not NotificationRule.objects.exists()


def test_what_is_no_mail_address_is_said_beside_its_field(client: Client) -> None:
    answer = client.post(USERS, {"failure": "a@x.org", "rejections": "somebody", "language": "en"})
    assert answer.context["form"].errors == {"rejections": ["“somebody” is not a mail address."]}
    assert not NotificationRule.objects.exists()


def test_what_concerns_every_file_type_is_for_those_who_may_use_them_all(
    client: Client, everyones: Client, site: MoodleSite
) -> None:
    save_rule(site, "", RuleChoice({"failure": ["all@x.org"]}))
    save_rule(site, "courses", RuleChoice({"failure": ["courses@x.org"]}))
    assert "x.org" not in client.get(reverse("notification_rules")).text
    assert client.get("/notices/all/").status_code == 404
    assert client.get("/notices/courses/").status_code == 404
    assert client.post(reverse("webhook"), HOOK).status_code == 404
    shown = everyones.get(reverse("notification_rules")).text
    assert "all@x.org" in shown
    assert "courses@x.org" in shown
    everyones.post("/notices/all/", {"success": "new@x.org", "language": "en", "expected_at": "06:00"})
    common = NotificationRule.objects.get(processor="")
    assert (common.recipients, common.expected_at) == ({"success": ["new@x.org"]}, None)


def test_a_webhook_is_saved_changed_and_taken_away_and_its_secrets_stay_inside(everyones: Client) -> None:
    answer = everyones.post(reverse("webhook"), HOOK, follow=True)
    assert "A program at https://example.org is notified about every file type." in answer.text
    before = Webhook.objects.get()
    answer = everyones.post(reverse("webhook"), {"events": ["failure", "overdue"]}, follow=True)
    after = Webhook.objects.get()
    assert (after.host, after.events, after.pk) == (before.host, ["failure", "overdue"], before.pk)
    refused = everyones.post(reverse("webhook"), HOOK | {"key": "Short-1"})
    assert refused.context["webhook_form"].errors.keys() == {"key"}
    for text in (answer.text, refused.text):
        assert "geheim" not in text
        assert "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" not in text
        assert "Short-1" not in text
    everyones.post(reverse("webhook_delete"))
    assert not Webhook.objects.exists()


def test_the_list_says_what_was_told_last_and_what_went_wrong(
    client: Client, site: MoodleSite, make_run: MakeRun, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    params = {"recipients": "a@x.org", "reason": "550 no such person"}
    about = {"site": site, "event": "failure", "channel": "mail", "run": make_run("errored")}
    for _number in range(5):
        Notification.objects.create(processor="users", error_code="mail_not_sent", error_params=params, **about)
    Notification.objects.create(processor="users", next_try_at=timezone.now() + timedelta(hours=1), **about)
    Notification.objects.create(processor="courses", sent_at=timezone.now(), **about)
    with django_assert_max_num_queries(20):
        text = client.get(reverse("notification_rules")).text
    assert text.count("550 no such person") == 5
    assert text.count("given up") == 5
    assert text.count("waits for a retry") == 1
    assert ">sent<" not in text


def test_days_are_saved_and_nonsense_is_refused(client_with: Callable[..., Client], settings: Settings) -> None:
    settings.TOOLSYNC_KEEP_DAYS = settings.TOOLSYNC_KEEP_JOURNAL_DAYS = 90
    client, url = client_with("manage_retention"), reverse("retention")
    assert client.get(url).text.count('value="90"') == 4
    days = {"reports": 30, "archives": 0, "trybacks": 60, "journals": 365}
    assert client.post(url, days | {"reports": -1}).context["form"].errors.keys() == {"reports"}
    assert client.post(url, days | {"reports": 40_000}).context["form"].errors.keys() == {"reports"}
    assert not Retention.objects.exists()
    client.post(url, days)
    assert {name: getattr(Retention.objects.get(), name) for name in days} == days
    assert not Retention.objects.get().trashes_at_once
    client.post(url, days | {"trashes_at_once": "on"})
    assert Retention.objects.get().trashes_at_once


def test_settings_show_what_one_may_set(client: Client, client_with: Callable[..., Client]) -> None:
    page = client.get(reverse("settings")).text
    assert reverse("notification_rules") in page
    assert "How long things are kept" not in page
    assert client.post(reverse("retention"), {}).status_code == 403
    page = client_with("manage_retention").get(reverse("settings")).text
    assert reverse("retention") in page
    assert reverse("notification_rules") not in page


def test_health_says_whether_caches_are_purged_and_not_by_which_command(client: Client, settings: Settings) -> None:
    assert "No Moodle command line is set" in client.post(reverse("health"), follow=True).text
    settings.TOOLSYNC_MOODLE_CLI = ["php", "/srv/secret/place"]
    page = client.post(reverse("health"), follow=True).text
    assert "command line purges its caches" in page
    assert "/srv/secret" not in page
