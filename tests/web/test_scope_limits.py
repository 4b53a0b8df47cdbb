"""The pages of limits of a category and of cohorts."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from sync.models import AuditRecord, MoodleSite, ScopeLimits
from tests.moodle_sites import MoodleSite as Moodle


@pytest.fixture
def moodle(sqlite_site: Moodle, settings: Settings) -> Moodle:
    settings.TOOLSYNC_MOODLE_URL = sqlite_site.url
    sqlite_site.execute("UPDATE {course_categories} SET idnumber = 'ARTS' WHERE id = 1")
    return sqlite_site


@pytest.fixture
def client(client_with: Callable[..., Client]) -> Client:
    return client_with("manage_limits", "run_users", "run_courses")


def new(kind: str, key: str = "all") -> str:
    return reverse("limits_scope_new", args=[key, kind])


def test_limits_of_a_category_are_set_changed_and_given_up(client: Client, site: MoodleSite, moodle: Moodle) -> None:
    assert 'value="10"' in client.get(new("category")).text
    sent = {"name": "ARTS", "courses_deleted_percent": "12.5", "enrolments_deleted_number": "3"}

    said = client.post(new("category"), sent, follow=True).text

    stored = ScopeLimits.objects.get(site=site)
    assert (stored.processor, stored.kind, stored.name) == ("", "category", "ARTS")
    assert stored.values["courses.deleted"] == [12.5, None]
    assert stored.values["roles.deleted"] == [None, None]
    assert "Saved. In it are now:" in said
    assert "2 courses" in said
    assert "Category “ARTS”" in said
    assert "courses deleted: at most 12.5 % · enrolments taken away: at most 3" in said

    page = reverse("limits_scope", args=["all", stored.pk])
    assert 'value="12.5"' in client.get(page).text
    client.post(page, {**sent, "courses_deleted_percent": ""})
    stored.refresh_from_db()
    assert stored.values["courses.deleted"] == [None, None]
    client.post(reverse("limits_scope_delete", args=["all", stored.pk]))
    assert not ScopeLimits.objects.exists()
    assert AuditRecord.objects.filter(kind="settings").count() == 3


@pytest.mark.parametrize(
    ("kind", "sent", "said"),
    [
        ("category", {"name": "nothing"}, "No category has the idnumber or number “nothing”."),
        ("cohorts", {"name": "YEAR-"}, "No cohort has an idnumber that begins with “YEAR-”"),
        ("category", {"name": ""}, "This field is required."),
        ("category", {"name": "ARTS", "courses_deleted_percent": "101"}, "less than or equal to 100"),
        ("category", {"name": "ARTS", "courses_deleted_number": "1e400"}, "Enter a whole number."),
    ],
)
def test_a_scope_that_can_t_be_meant_is_a_sentence_in_the_form(
    client: Client, moodle: Moodle, kind: str, sent: dict[str, str], said: str
) -> None:
    answer = client.post(new(kind), sent)

    assert answer.status_code == 200
    assert said in answer.text
    assert not ScopeLimits.objects.exists()


def test_two_sets_of_limits_of_one_scope_are_refused(client: Client, site: MoodleSite, moodle: Moodle) -> None:
    ScopeLimits.objects.create(site=site, kind="category", name="ARTS")

    assert "There are limits of this scope already." in client.post(new("category"), {"name": "ARTS"}).text
    client.post(new("category", "users"), {"name": "ARTS"})

    assert ScopeLimits.objects.filter(processor="users").count() == 1


def test_a_moodle_that_is_away_is_a_sentence_in_the_form(client: Client, settings: Settings) -> None:
    settings.TOOLSYNC_MOODLE_URL = "sqlite:////nowhere/at/all.db"

    answer = client.post(new("category"), {"name": "ARTS"})

    assert answer.status_code == 200
    assert "Moodle" in answer.context["form"].errors["name"][0]


def test_stored_limits_that_can_t_be_read_are_said_and_can_be_mended(
    client: Client, site: MoodleSite, moodle: Moodle
) -> None:
    stored = ScopeLimits.objects.create(
        site=site, kind="category", name="ARTS", values={"courses.deleted": ["many"], "x": 1}
    )
    assert "Category “ARTS”" in client.get(reverse("limits", args=["all"])).text
    page = reverse("limits_scope", args=["all", stored.pk])
    # What is said is said once.
    assert "can&#x27;t be read" in client.get(page).text

    client.post(page, {"name": "ARTS", "courses_deleted_number": "5"})

    stored.refresh_from_db()
    assert stored.values["courses.deleted"] == [None, 5]


def test_what_is_no_scope_is_not_there(client: Client, site: MoodleSite, moodle: Moodle) -> None:
    stored = ScopeLimits.objects.create(site=site, processor="users", kind="category", name="ARTS")

    assert client.get(new("country")).status_code == 404
    assert client.get(reverse("limits_scope", args=["all", stored.pk])).status_code == 404
    assert client.get(reverse("limits_scope", args=["users_delete", stored.pk])).status_code == 404
