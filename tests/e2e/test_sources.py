"""Saying where files come from, on a screen and on a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Page, ViewportSize, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.e2e.conftest import look_at

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture
def drop(settings: Settings, tmp_path: Path) -> Path:
    settings.TOOLSYNC_DROP_FOLDER = str(tmp_path)
    return tmp_path


@pytest.fixture
def signed_in(page: Page, live_server: LiveServer, administrator: User) -> Page:
    """Without a worker: nothing runs here."""
    client = Client()
    client.force_login(administrator)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    return page


@pytest.mark.parametrize("width", [1280, 390])
def test_a_source_is_chosen_saved_and_looked_at(
    width: int, signed_in: Page, live_server: LiveServer, drop: Path
) -> None:
    page = signed_in
    (drop / "userimport_of_the_whole_school_with_a_long_name.csv").write_text("username\nann\n")
    page.set_viewport_size(ViewportSize(width=width, height=844))
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda message: trouble.append(message.text) if message.type == "error" else None)

    page.goto(f"{live_server.url}/sources/")
    look_at(page, "sources", width)
    page.get_by_role("link", name="Create and update").click()
    expect(page.get_by_label("Files in the file area")).to_be_visible()
    expect(page.get_by_label("Password")).to_be_hidden()
    page.get_by_role("button", name="Look now").click()
    expect(page.get_by_text("userimport_of_the_whole_school")).to_be_visible()
    look_at(page, "source-area", width)

    page.get_by_label("An address on another server").check()
    expect(page.get_by_label("Files in the file area")).to_be_hidden()
    page.get_by_label("Address", exact=True).fill("http://127.0.0.1/users.csv")
    page.get_by_label("Password", exact=True).fill("Safe-1")
    look_at(page, "source-address", width)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved. “Look now”")).to_be_visible()
    expect(page.get_by_label("Password", exact=True)).to_have_value("")
    page.get_by_role("button", name="Look now").click()
    expect(page.get_by_text("is an address of a private network")).to_be_visible()
    look_at(page, "source-looked", width)
    assert trouble == []
