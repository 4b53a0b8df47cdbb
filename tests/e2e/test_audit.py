"""The audit on a telephone and on a screen."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from sync.audit.services import record
from sync.models import AuditKind, MoodleSite
from sync.runs.rights import Responsible
from sync.values import Change
from tests.audit.kit import faults
from tests.e2e.conftest import PASSWORD, look_at

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
LONG = "a-name-that-no-screen-has-room-for@" + "subdomain." * 15 + "example.org"


@pytest.mark.parametrize("width", [1280, 375])
def test_somebody_looks_for_a_person_and_erases_what_is_said_of_her(
    width: int, page: Page, live_server: LiveServer, transactional_db: None
) -> None:
    root = User.objects.create_superuser("root", password=PASSWORD)
    site = MoodleSite.objects.get(slug="main")
    for name in ("ada", "bob"):
        changes = [Change("email", LONG, f"{name}@x.org"), Change("lastname", "King", "")]
        record(site, AuditKind.APPROVAL, Responsible.of(root), name, changes, users=[name, LONG])
    page.set_viewport_size(ViewportSize(width=width, height=844))
    page.goto(f"{live_server.url}/login/")
    page.fill("[name=username]", "root")
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.goto(f"{live_server.url}/audit/")
    look_at(page, "audit", width)

    page.get_by_label("User", exact=True).fill("ada")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("ada@x.org")).to_be_visible()
    expect(page.get_by_text("bob@x.org")).to_have_count(0)
    page.get_by_role("link", name="Erase what is said of this person").click()
    look_at(page, "audit-erase", width)
    page.get_by_role("button", name="Erase").click()
    expect(page.get_by_text("1 entry was erased.")).to_be_visible()
    look_at(page, "audit-erased", width)
    assert faults(site) == []
