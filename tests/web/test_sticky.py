"""The page of sticky fields, and what the page of a run says of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from sync.models import AuditRecord, MoodleSite
from sync.runs.sticky import rules_of, save_rules
from tests.web.conftest import MakeRun

PermittedClient = Callable[..., Client]


@pytest.fixture
def client_of(db: None) -> PermittedClient:
    def make(*permissions: str) -> Client:
        user = User.objects.create_user(f"user{User.objects.count()}")
        user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
        client = Client()
        client.force_login(user)
        return client

    return make


def everything_as_it_comes(client: Client, key: str) -> dict[str, str]:
    """Return what the form sends when nothing is changed on it."""
    form = client.get(reverse("sticky", args=[key])).context["form"]
    return {name: str(form[name].value() or "") for name in form.fields}


def test_rules_are_set_and_shown_and_audited(client_of: PermittedClient, site: MoodleSite) -> None:
    client = client_of("manage_sticky", "run_users")
    assert client.get(reverse("settings")).text.count(reverse("sticky_fields")) == 1
    assert client.get(reverse("sticky_fields")).headers["Location"] == reverse("sticky", args=["users"])
    sent = everything_as_it_comes(client, "users")
    assert "rule_username" not in sent, "rows are recognised by it"
    assert "rule_idnumber" not in sent

    client.post(reverse("sticky", args=["users"]), {**sent, "rule_email": "person", "rule_city": "empty"})

    assert rules_of(site, "users") == {"city": "empty", "email": "person"}
    saved = everything_as_it_comes(client, "users")
    assert (saved["rule_email"], saved["rule_city"], saved["rule_lang"]) == ("person", "empty", "always")
    record = AuditRecord.objects.get(kind="settings")
    assert (record.person, record.entries) == ("user0", 1)
    client.post(reverse("sticky", args=["users"]), saved)
    assert AuditRecord.objects.filter(kind="settings").count() == 1, "nothing was changed"
    client.post(reverse("sticky", args=["users"]), sent)
    assert rules_of(site, "users") == {}


def test_one_custom_field_has_a_rule_of_its_own(client_of: PermittedClient, site: MoodleSite) -> None:
    client = client_of("manage_sticky", "run_users")
    url, sent = reverse("sticky", args=["users"]), everything_as_it_comes(client, "users")
    more = {"rule_profile_field_": "never", "more_name": "Profile_Field_Dept", "more_rule": "always"}

    client.post(url, {**sent, **more})

    assert rules_of(site, "users") == {"profile_field_": "never", "profile_field_dept": "always"}
    assert "profile_field_dept" in client.get(url).text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("profle_field_dept", "There is no column “profle_field_dept” that can be sticky."),
        ("username", "The column “username” can&#x27;t be sticky: rows are recognised by it."),
        ("course1", "The column “course1” can&#x27;t be sticky: it is no single value that a file changes"),
        ("suspended2", "There is no column “suspended2”"),
    ],
)
def test_a_column_that_can_t_be_sticky_is_refused(
    client_of: PermittedClient, site: MoodleSite, name: str, said: str
) -> None:
    client = client_of("manage_sticky", "run_users")
    sent = everything_as_it_comes(client, "users")

    answer = client.post(reverse("sticky", args=["users"]), {**sent, "more_name": name, "more_rule": "never"})

    assert said in answer.text
    assert rules_of(site, "users") == {}


def test_a_rule_that_doesn_t_exist_is_refused(client_of: PermittedClient, site: MoodleSite) -> None:
    client = client_of("manage_sticky", "run_users")

    for field, rule in (("rule_city", "sometimes"), ("rule_firstname", "never"), ("rule_password", "person")):
        sent = {**everything_as_it_comes(client, "users"), field: rule}
        assert "Select a valid choice" in client.post(reverse("sticky", args=["users"]), sent).text

    assert rules_of(site, "users") == {}


def test_rules_are_set_by_who_may_and_for_what_they_may_use(client_of: PermittedClient, site: MoodleSite) -> None:
    assert client_of("run_users").get(reverse("sticky", args=["users"])).status_code == 403
    client = client_of("manage_sticky", "run_courses")
    assert client.get(reverse("sticky", args=["users"])).status_code == 404
    assert client.get(reverse("sticky", args=["courses"])).status_code == 200
    assert "None of the file types" in client_of("manage_sticky", "run_users_delete").get(reverse("sticky_fields")).text


def test_the_page_of_a_run_says_what_was_kept(client_of: PermittedClient, site: MoodleSite, make_run: MakeRun) -> None:
    save_rules(site, "users", {"email": "never"})
    run = make_run(kept={"email": 3, "city": 1})

    text = client_of("run_users").get(reverse("run", args=[run.pk])).text

    assert "Sticky field email: what stands in Moodle was kept in 3 rows" in text
    assert "Sticky field city: what stands in Moodle was kept in 1 row " in text
