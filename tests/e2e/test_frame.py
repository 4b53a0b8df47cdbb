"""The frame of every page: on a phone without scripts, and on a screen in French, in the dark, by the keyboard."""

from __future__ import annotations

from datetime import time

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from sync.models import MoodleSite
from sync.schedules.services import ScheduleChoice, save_schedule
from tests.e2e.conftest import PASSWORD, look_at

LONG = "Utilisateurs, inscriptions et groupes de la faculté des sciences et de la santé"

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture
def address(live_server: LiveServer, administrator: User) -> str:
    site = MoodleSite.objects.get(slug="main")
    save_schedule(site, ScheduleChoice(["users"], name=LONG, at=time(2, 15), enabled=True))
    return live_server.url


def log_in(page: Page, address: str) -> None:
    page.goto(f"{address}/login/")
    page.locator("[name=username]").fill("ada")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main button").last.click()


def test_the_menu_opens_on_a_phone_without_any_script(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False, viewport=ViewportSize(width=375, height=800))
    page = context.new_page()
    log_in(page, address)
    expect(page.locator(".sync-strip").get_by_text("No worker takes any work")).to_be_visible()
    look = page.locator("html").bounding_box()
    assert look is not None
    assert look["width"] <= 375
    expect(page.get_by_role("link", name="Runs", exact=True)).to_be_hidden()
    page.locator("#bell > summary").click()
    expect(page.locator("#bell").get_by_role("link", name="Worker")).to_be_visible()
    look_at(page, "bell", 375)
    page.locator("#bell > summary").click()
    page.locator("summary", has_text="Menu").click()
    page.get_by_role("link", name="Feeds", exact=True).click()
    expect(page.get_by_role("heading", level=1, name="Feeds")).to_be_visible()
    expect(page.get_by_text(LONG)).to_be_visible()
    context.close()


def test_french_fits_the_dark_suits_and_the_keyboard_is_enough(browser: Browser, address: str) -> None:
    context = browser.new_context(
        locale="fr", color_scheme="dark", viewport=ViewportSize(width=1280, height=800), base_url=address
    )
    page = context.new_page()
    log_in(page, address)
    # Nobody has chosen a theme, so it is that of the system.
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    for path in ("/", "/feeds/", "/settings/health/", "/help/", "/preferences/"):
        page.goto(path)
        look_at(page, f"frame{path.replace('/', '-')}fr", 1280)
    bell = page.locator("#bell")
    bell.locator("summary").focus()
    page.keyboard.press("Enter")
    look_at(page, "bell-fr", 1280)
    page.keyboard.press("Tab")
    expect(bell.get_by_role("link").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(bell).not_to_have_attribute("open", "")
    person = page.locator("details.sync-menu:not(#bell):visible")
    person.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(page.locator("a.sync-menu-link[href='/preferences/']:visible")).to_be_visible()
    page.keyboard.press("Escape")
    expect(person).not_to_have_attribute("open", "")
    assert page.evaluate("document.activeElement.tagName") == "SUMMARY"
    # A way past the menu comes first.
    page.goto("/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    context.close()
