"""A passkey, with the authenticator that Chromium has for tests; and the pages of people on two screens."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from sync.models import Invitation, MoodleSite, Role, RoleAssignment
from tests.e2e.conftest import PASSWORD, look_at

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
LONG = "a-name-that-no-screen-has-room-for@" + "subdomain." * 10 + "example.org"


def log_in(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/login/")
    page.fill("[name=username]", name)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")


def test_a_passkey_is_added_and_asked_for_at_the_next_login(
    page: Page, live_server: LiveServer, transactional_db: None
) -> None:
    User.objects.create_superuser("root", password=PASSWORD)
    site = MoodleSite.objects.get(slug="main")
    person = User.objects.create_user(LONG, email=LONG)
    for role in (Role.OPERATOR, Role.APPROVER):
        RoleAssignment.objects.create(person=person, site=site, role=role, file_types=["users", "enrolments"])
    Invitation.objects.create(
        site=site, role="viewer", email=LONG, invited_by=User.objects.get(username="root"), host="x", language="en"
    )
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    # Browsers give passkeys to names, not to numbers.
    address = live_server.url.replace("127.0.0.1", "localhost")
    log_in(page, address, "root")
    page.goto(f"{address}/second-factor/passkey/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    page.get_by_label("Name, to tell it from others").fill("Laptop")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.context.clear_cookies()
    log_in(page, address, "root")
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    page.goto(f"{address}/runs/")
    expect(page.get_by_role("heading", name="Log in")).to_be_visible()
    page.goto(f"{address}/login/code/")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{address}/")
    for width in (1280, 375):
        page.set_viewport_size(ViewportSize(width=width, height=844))
        for name in (
            "second-factor",
            "second-factor/codes",
            "sessions",
            "people",
            "people/invite",
            f"people/{person.pk}",
        ):
            page.goto(f"{address}/{name}/")
            look_at(page, f"people-{name.replace('/', '-')}", width)
