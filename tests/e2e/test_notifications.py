"""Saying who is told and how long things are kept, on a screen and on a phone."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from sync.models import MoodleSite, Notification
from sync.processors.registry import REGISTRY
from tests.e2e.conftest import look_at

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.mark.parametrize("width", [1280, 390])
def test_people_a_webhook_and_days_are_set(
    width: int, page: Page, live_server: LiveServer, administrator: User
) -> None:
    every_file_type = [f"run_{key}" for key in REGISTRY]
    wanted = Permission.objects.filter(codename__in=["manage_telling", "manage_retention", *every_file_type])
    administrator.user_permissions.add(*wanted)
    client = Client()
    client.force_login(administrator)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.set_viewport_size(ViewportSize(width=width, height=844))
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda message: trouble.append(message.text) if message.type == "error" else None)
    about = {"site": MoodleSite.objects.get(), "processor": "users", "channel": "mail"}
    Notification.objects.create(event="success", sent_at=timezone.now(), **about)
    params = {"recipients": "a-very-long-name-of-somebody@example.org", "reason": "550 no such person"}
    Notification.objects.create(event="failure", error_code="mail_not_sent", error_params=params, **about)

    page.goto(f"{live_server.url}/settings/retention/")
    page.get_by_label("Reports").fill("30")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Reports")).to_have_value("30")
    look_at(page, "retention", width)

    page.goto(f"{live_server.url}/settings/")
    page.get_by_role("main").get_by_role("link", name="Notifications").click()
    page.get_by_role("link", name="Users: create and update").click()
    page.get_by_label("Failure").fill("a-very-long-name-of-somebody@example.org, another-name@example.org")
    page.get_by_label("A file is expected by").fill("06:00")
    look_at(page, "recipients", width)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("06:00", exact=False)).to_be_visible()

    page.get_by_label("Address").fill("https://example.org/hooks/geheim")
    page.get_by_label("Key").fill("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    page.locator("section", has_text="Webhook").get_by_role("button", name="Save").click()
    expect(page.get_by_text("A program at https://example.org")).to_be_visible()
    look_at(page, "notification_rules", width)
    assert trouble == []
