"""A second factor is set up, asked for at every login, counted, and taken away from who has lost it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from sync.audit.selectors import AuditQuery, find_entries
from sync.models import MoodleSite, Role, RoleAssignment
from sync.people.second_factor import CODES_PER_USER
from sync.runs.key_rotation import rotate_keys

PASSWORD = "Right-1#word"


@pytest.fixture(autouse=True)
def clock(db: None) -> Iterator[time_machine.Traveller]:
    cache.clear()
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        yield traveller


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann", password=PASSWORD)


def code_now(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def with_password(user: User) -> Client:
    client = Client()
    client.post("/login/", {"username": user.username, "password": PASSWORD})
    return client


def set_up(user: User) -> tuple[Client, str]:
    """Set up an app as a person does; return the browser and the key of the app."""
    client = with_password(user)
    again = client.get("/second-factor/app/", follow=True)
    assert again.redirect_chain[0][0].startswith("/login/again/")
    form = client.post("/login/again/", {"password": PASSWORD, "next": "/second-factor/app/"}, follow=True)
    secret = form.context["form"].secret
    assert "data:image/svg+xml" in form.text
    done = client.post("/second-factor/app/", {"code": code_now(secret)}, follow=True)
    assert done.redirect_chain[-1][0] == "/second-factor/codes/"
    return client, secret


def logged_in(client: Client) -> bool:
    return client.get("/password/").status_code == 200


def test_after_the_password_the_code_is_asked_for(ann: User, clock: time_machine.Traveller) -> None:
    browser, secret = set_up(ann)
    assert logged_in(browser)
    stored = Authenticator.objects.get(type="totp").data["secret"]
    assert secret not in stored
    clock.shift(60)
    client = Client()
    asked = client.post("/login/?next=/runs/", {"username": "ann", "password": PASSWORD, "next": "/runs/"})
    assert asked.headers["Location"] == "/login/code/"
    assert not logged_in(client)
    assert "Incorrect code" in client.post("/login/code/", {"code": "000000"}).text
    assert not logged_in(client)
    done = client.post("/login/code/", {"code": code_now(secret)})
    assert done.headers["Location"] == "/runs/"
    assert logged_in(client)
    # Whoever looked over the shoulder has the code and perhaps the password; another process forgot what this one knows.
    cache.clear()
    thief = with_password(ann)
    assert "used already" in thief.post("/login/code/", {"code": code_now(secret)}).text
    assert not logged_in(thief)


def test_codes_cant_be_guessed(ann: User, clock: time_machine.Traveller) -> None:
    _browser, secret = set_up(ann)
    clock.shift(600)
    for _try in range(CODES_PER_USER):
        # Neither another browser nor another process counts anew.
        cache.clear()
        with_password(ann).post("/login/code/", {"code": "000000"})
    client = with_password(ann)
    assert "Too many" in client.post("/login/code/", {"code": code_now(secret)}).text
    assert not logged_in(client)
    clock.shift(301)
    client = with_password(ann)
    client.post("/login/code/", {"code": code_now(secret)})
    assert logged_in(client)


def test_recovery_codes_log_in_once_each(ann: User, clock: time_machine.Traveller) -> None:
    browser, _secret = set_up(ann)
    codes = browser.get("/second-factor/codes/file/").text.split()
    assert len(codes) == 10
    for logs_in in (True, False):
        client = with_password(ann)
        client.post("/login/code/", {"code": codes[0]})
        assert logged_in(client) == logs_in
    assert "9 codes are left" in browser.get("/second-factor/").text
    clock.shift(600)
    browser.post("/login/again/", {"password": PASSWORD, "next": "/second-factor/codes/new/"})
    browser.post("/second-factor/codes/new/")
    client = with_password(ann)
    client.post("/login/code/", {"code": codes[1]})
    assert not logged_in(client)


def test_a_factor_is_removed_only_by_who_shows_the_password_again(ann: User, clock: time_machine.Traveller) -> None:
    browser, _secret = set_up(ann)
    clock.shift(600)
    assert browser.post("/second-factor/app/remove/").headers["Location"].startswith("/login/again/")
    assert Authenticator.objects.filter(type="totp").exists()
    assert "correct" in browser.post("/login/again/", {"password": "wrong", "next": "/second-factor/app/remove/"}).text
    browser.post("/login/again/", {"password": PASSWORD, "next": "/second-factor/app/remove/"})
    browser.post("/second-factor/app/remove/")
    assert not Authenticator.objects.exists()
    assert logged_in(with_password(ann))


def test_no_other_page_of_login_leaves_the_second_factor_out(ann: User, clock: time_machine.Traveller) -> None:
    User.objects.filter(pk=ann.pk).update(is_superuser=True)
    set_up(ann)
    client = Client()
    answer = client.post("/admin/login/", {"username": "ann", "password": PASSWORD}, follow=True)
    assert answer.redirect_chain[-1][0].startswith("/login/")
    client.post("/login/?next=/admin/", {"username": "ann", "password": PASSWORD, "next": "/admin/"})
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("rule", ["administrators", "everybody"])
def test_the_operator_wants_one_of_some_or_all(rule: str, ann: User, settings: Settings) -> None:
    settings.TOOLSYNC_SECOND_FACTOR = rule
    site = MoodleSite.objects.get(slug="main")
    RoleAssignment.objects.create(person=ann, site=site, role=Role.VIEWER, file_types=[])
    chief = User.objects.create_user("chief", password=PASSWORD)
    RoleAssignment.objects.create(person=chief, site=site, role=Role.ADMINISTRATOR, file_types=[])
    viewer = with_password(ann)
    assert viewer.get("/runs/").status_code == (302 if rule == "everybody" else 200)
    client = with_password(chief)
    said = client.get("/people/", follow=True)
    assert said.redirect_chain == [("/second-factor/", 302)]
    assert "Set up a second factor first" in said.text
    assert client.get("/people/", headers={"HX-Request": "true"}).headers["HX-Redirect"] == "/second-factor/"
    assert client.post("/people/invite/", {"email": "x@y.org"}).status_code == 302
    browser, _secret = set_up(chief)
    assert browser.get("/people/").status_code == 200


def test_an_administrator_takes_it_from_who_has_lost_it(ann: User) -> None:
    set_up(ann)
    root = Client()
    root.force_login(User.objects.create_superuser("root"))
    page = f"/people/{ann.pk}/"
    assert "authenticator app" in root.get(page).text
    assert "was taken away" in root.post(f"{page}second-factor/take/", follow=True).text
    assert logged_in(with_password(ann))
    lines = find_entries(MoodleSite.objects.get(slug="main"), AuditQuery(kind="rights")).lines
    entries = [(line.record.person, line.entry.code, line.entry.subject) for line in lines if line.entry is not None]
    told = sorted(entry for entry in entries if "audit_login" in entry[1])
    assert told == [
        ("ann", "audit_login_created", "ann"),
        ("ann", "audit_login_created", "ann"),
        ("root", "audit_login_deleted", "ann"),
        ("root", "audit_login_deleted", "ann"),
    ]


def test_its_secrets_are_brought_under_a_new_key(ann: User, settings: Settings, clock: time_machine.Traveller) -> None:
    browser, secret = set_up(ann)
    codes = browser.get("/second-factor/codes/file/").text.split()
    settings.TOOLSYNC_CREDENTIALS_KEY = "k" * 50
    assert rotate_keys().unreadable == ()
    clock.shift(600)
    secret_key, settings.SECRET_KEY = settings.SECRET_KEY, "x" * 50
    client = with_password(ann)
    client.post("/login/code/", {"code": code_now(secret)})
    assert logged_in(client)
    # Without the key no code fits, least of all one that could be computed.
    settings.TOOLSYNC_CREDENTIALS_KEY = ""
    clock.shift(600)
    client = with_password(ann)
    for code in (code_now(secret), code_now(""), codes[0]):
        client.post("/login/code/", {"code": code})
        assert not logged_in(client)
    settings.SECRET_KEY = secret_key
