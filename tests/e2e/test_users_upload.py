"""The first path through the product, as a person walks it: hand in, simulate, run, look, fetch the tryback."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.e2e.conftest import look_at
from tests.moodle_sites import MoodleSite

USERS_CSV = (
    "username;firstname;lastname;email\n"
    "dora;Dora;Mann;dora@example.org\n"
    "erik;Erik;Nord;erik@example.org\n"
    "bad name;Fay;Orr;fay@example.org\n"
)
RUN_TIMEOUT = 60_000

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.mark.parametrize("width", [1280, 390])
def test_a_file_goes_from_the_browser_to_moodle_and_comes_back_as_tryback(
    width: int, signed_in: Page, sqlite_site: MoodleSite, tmp_path: Path
) -> None:
    page = signed_in
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda message: trouble.append(message.text) if message.type == "error" else None)
    page.set_viewport_size(ViewportSize(width=width, height=844))
    expect(page.get_by_text("First steps")).to_be_visible()
    look_at(page, "home", width)
    start = page.url
    page.goto(f"{start}moodle/")
    expect(page.get_by_text("Connected")).to_be_visible(timeout=RUN_TIMEOUT)
    page.goto(f"{start}help/")

    page.get_by_role("link", name="Users: create and update", exact=True).click()
    file = tmp_path / "people.csv"
    file.write_text(USERS_CSV)
    page.get_by_label("Or upload a file").set_input_files(file)
    expect(page.get_by_text("people.csv")).to_be_visible()
    page.get_by_label("Users are recognised by").select_option("username")
    look_at(page, "tool", width)
    page.get_by_role("button", name="Simulate").click()

    expect(page.get_by_role("button", name="Apply")).to_be_visible(timeout=RUN_TIMEOUT)
    expect(page.get_by_role("row", name="dora").get_by_text("user added")).to_be_visible()
    look_at(page, "simulation", width)
    assert not sqlite_site.rows("user", username="dora")

    page.get_by_role("button", name="Apply").click()
    expect(page.locator("#run-state")).to_have_text("!Completed with rejections", timeout=RUN_TIMEOUT)
    expect(page.get_by_role("navigation", name="Runs that belong together")).to_contain_text("Simulation")
    assert sqlite_site.one("user", username="dora")["lastname"] == "Mann"
    assert sqlite_site.one("user", username="erik")["email"] == "erik@example.org"

    page.get_by_role("navigation", name="Outcomes").get_by_role("link", name="rejected").click()
    expect(page.locator("#outcomes-list tbody").get_by_text("is not a valid username")).to_be_visible()
    expect(page.locator("#outcomes-list tbody").get_by_text("user added")).to_have_count(0)
    look_at(page, "run", width)

    with page.expect_download() as download:
        page.locator("a[download]", has_text="Tryback").click()
    lines = download.value.path().read_text().splitlines()
    assert lines[0] == "username;firstname;lastname;email;_line;_code;_reason"
    assert [line.split(";")[:6] for line in lines[1:]] == [
        ["bad name", "Fay", "Orr", "fay@example.org", "4", "username_invalid"]
    ]
    assert trouble == []
