"""Logging in by OpenID Connect, with a provider on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from allauth.mfa.totp.internal.auth import TOTP
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from sync.models import Machine, MoodleSite
from tests.openid_provider import CLIENT_ID, CLIENT_SECRET, Provider, openid_provider

EVE = {"sub": "eve-1", "email": "Eve@example.org", "email_verified": True}


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with openid_provider() as provider:
        yield provider


@pytest.fixture
def provider(running: Provider, settings: Settings, db: None) -> Provider:
    running.claims = dict(EVE)
    app = {
        "provider_id": "oidc", "name": "University", "client_id": CLIENT_ID, "secret": CLIENT_SECRET,
        "settings": {"server_url": running.address},
    }  # fmt: skip
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [app]}}
    settings.TOOLSYNC_OIDC_ISSUER, settings.TOOLSYNC_OIDC_NAME = running.address, "University"
    return running


def log_in(client: Client) -> Any:
    """Follow the link of the page of login to the provider and back."""
    page = client.get("/login/?next=/runs/")
    assert "Log in with University" in page.text
    away = client.get("/login/oidc/?next=/runs/")
    assert away.status_code == 302
    back = requests.get(away.headers["Location"], allow_redirects=False, timeout=10)
    return client.get(back.headers["Location"].removeprefix("http://testserver"), follow=True)


def test_who_is_vouched_for_is_the_user_with_this_address_from_then_on(provider: Provider) -> None:
    eve = User.objects.create_user("eve", email="eve@example.org")
    client = Client()
    assert log_in(client).redirect_chain == [("/runs/", 302)]
    assert client.session["_auth_user_id"] == str(eve.pk)
    assert {"code_challenge", "state"} <= provider.asked[-1].keys()
    # The provider's name for a person counts now, whatever address it has for them.
    provider.claims["email"] = "another@example.org"
    client = Client()
    log_in(client)
    assert client.session["_auth_user_id"] == str(eve.pk)


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "stranger@example.org"},
        {"email_verified": False},
        {"email_verified": None},
        {"email": "two@example.org"},
        {"email": ""},
    ],
)
def test_nobody_else_gets_in_and_nobody_is_made(claims: dict[str, Any], provider: Provider) -> None:
    for name in ("eve", "two", "second"):
        User.objects.create_user(name, email="eve@example.org" if name == "eve" else "two@example.org")
    provider.claims |= claims
    client = Client()
    answer = log_in(client)
    assert "Ask an administrator to invite you" in answer.text
    assert "_auth_user_id" not in client.session
    assert User.objects.count() == 3
    assert not SocialAccount.objects.exists()


def test_nobody_logs_in_as_a_machine_whatever_address_it_was_given(provider: Provider) -> None:
    site = MoodleSite.objects.get(slug="main")
    machine = User.objects.create_user("machine-sis", email="eve@example.org")
    Machine.objects.create(user=machine, site=site, made_by_name="root")
    client = Client()
    assert "Ask an administrator to invite you" in log_in(client).text
    assert "_auth_user_id" not in client.session
    eve = User.objects.create_user("eve", email="eve@example.org")
    log_in(client)
    assert client.session["_auth_user_id"] == str(eve.pk)


def test_an_operator_may_trust_addresses_of_which_nothing_is_said(provider: Provider, settings: Settings) -> None:
    User.objects.create_user("eve", email="eve@example.org")
    settings.TOOLSYNC_OIDC_TRUST_ADDRESSES = True
    provider.claims["email_verified"] = False
    client = Client()
    log_in(client)
    assert "_auth_user_id" not in client.session
    del provider.claims["email_verified"]
    log_in(client)
    assert "_auth_user_id" in client.session


@pytest.mark.parametrize("claims", [{"aud": "another-site"}, {"iss": "https://elsewhere.example"}, {"exp": 1}])
def test_a_token_that_isnt_for_us_logs_nobody_in(claims: dict[str, Any], provider: Provider) -> None:
    User.objects.create_user("eve", email="eve@example.org")
    provider.claims |= claims
    client = Client()
    assert "University did not log you in" in log_in(client).text
    assert "_auth_user_id" not in client.session


def test_an_answer_that_nobody_asked_for_logs_nobody_in(provider: Provider) -> None:
    User.objects.create_user("eve", email="eve@example.org")
    client = Client()
    answer = client.get("/login/oidc/back/", {"code": "code", "state": "made-up"}, follow=True)
    assert "University did not log you in" in answer.text
    assert "_auth_user_id" not in client.session


def test_who_is_switched_off_stays_out(provider: Provider) -> None:
    User.objects.create_user("eve", email="eve@example.org", is_active=False)
    client = Client()
    assert "This user is switched off" in log_in(client).text
    assert "_auth_user_id" not in client.session


def test_a_second_factor_that_somebody_has_set_up_is_asked_for_here_too(provider: Provider) -> None:
    eve = User.objects.create_user("eve", email="eve@example.org")
    TOTP.activate(eve, "JBSWY3DPEHPK3PXP")
    client = Client()
    assert log_in(client).redirect_chain[-1][0] == "/login/code/"
    assert "_auth_user_id" not in client.session


def test_who_was_vouched_for_needs_no_second_factor_of_ours(provider: Provider, settings: Settings) -> None:
    settings.TOOLSYNC_SECOND_FACTOR = "everybody"
    User.objects.create_user("eve", email="eve@example.org")
    client = Client()
    assert log_in(client).redirect_chain == [("/runs/", 302)]


def test_without_a_provider_there_is_no_such_way(db: None) -> None:
    assert "Log in with" not in Client().get("/login/").text
    assert Client().get("/login/oidc/").status_code == 404
    assert Client().get("/login/oidc/back/").status_code == 404
