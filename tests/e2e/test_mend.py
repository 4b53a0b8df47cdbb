"""Forty mistakes in a file are mended in the browser, with the keyboard alone, and applied."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, Route, ViewportSize, expect

from tests.e2e.conftest import look_at
from tests.moodle_sites import MoodleSite

RUN_TIMEOUT = 90_000
MEND_SCRIPT = re.compile(r"/sync/mend\b[^/]*\.js")
ROWS = 120
HEADER = ("username", "firstname", "lastname", "email", "auth", "country", "timezone", "course1", "role1")
# Line of the first mistake of a kind -> how many, the column, and what stands there.
MISTAKES = (
    (12, 10, "course1", "C1x"),
    (32, 8, "country", "Frnace"),
    (52, 6, "role1", "studnet"),
    (72, 5, "timezone", "Europe/Pariss"),
    (92, 8, "email", "u{line} @example.org"),
    (112, 3, "username", "us er{line}"),
)

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def file_with_mistakes() -> str:
    rows = {
        line: {
            "username": f"u{line}", "firstname": "First", "lastname": f"Last{line}", "email": f"u{line}@example.org",
            "auth": "nologin", "country": "FR", "timezone": "Europe/Paris", "course1": "C1", "role1": "student",
        }
        for line in range(2, ROWS + 2)
    }  # fmt: skip
    for first, count, column, text in MISTAKES:
        for line in range(first, first + count):
            rows[line][column] = text.format(line=line)
    return "\n".join([";".join(HEADER), *(";".join(row.values()) for row in rows.values())]) + "\n"


# What a browser does with Ctrl+V, without the clipboard of the machine.
PASTE = """text => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text", text);
  document.activeElement.dispatchEvent(new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true}));
}"""

# What is said of the draft as soon as a letter is typed.
TYPE_D = """cell => {
  cell.value = "D";
  cell.dispatchEvent(new InputEvent("input", {bubbles: true}));
  return document.getElementById("mend-saved").textContent;
}"""


class Keys:
    """Somebody without a mouse; each key counts, a pasted range as one."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.count = 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
        self.count += len(keys)

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.count += len(text)

    def paste(self, text: str) -> None:
        self.page.evaluate(PASTE, text)
        self.count += 1

    def tab_to(self, wanted: Locator, most: int = 12) -> None:
        for _step in range(most):
            if wanted.evaluate("element => element === document.activeElement"):
                return
            self.press("Tab")
        raise AssertionError(f"{wanted} isn't reached by the Tab key")


def cell(page: Page, line: int, column: str) -> Locator:
    return page.get_by_label(f"line {line}, {column}", exact=True)


def test_forty_mistakes_are_mended_with_the_keyboard_and_applied(
    signed_in: Page, sqlite_site: MoodleSite, tmp_path: Path
) -> None:
    page, file = signed_in, tmp_path / "people.csv"
    page.set_viewport_size(ViewportSize(width=1280, height=900))
    file.write_text(file_with_mistakes())
    page.goto(f"{page.url}tools/users/")
    page.get_by_label("Or upload a file").set_input_files(file)
    page.get_by_label("Users are recognised by").select_option("username")
    page.get_by_role("button", name="Run now").click()
    mend = page.get_by_role("link", name="Mend 40 rows here")
    expect(mend).to_be_visible(timeout=RUN_TIMEOUT)
    # What was meant comes into the list by itself.
    expect(page.get_by_role("button", name="C1 in 10 rows")).to_be_visible()
    look_at(page, "reasons", 1280)
    mend.click()
    expect(page.locator("#mend-state")).to_contain_text("40 rows are to be mended")
    look_at(page, "mend", 1280)
    page.set_viewport_size(ViewportSize(width=375, height=800))
    look_at(page, "mend", 375)
    page.set_viewport_size(ViewportSize(width=1280, height=900))

    keys = Keys(page)
    for line, column, suggested in (
        (12, "course1", "C1 in 10 rows"), (32, "country", "FR in 8 rows"), (52, "role1", "student in 6 rows"),
        (72, "timezone", "Europe/Paris in 5 rows"),
    ):  # fmt: skip
        cell(page, line, column).focus()
        keys.tab_to(page.locator("td", has=cell(page, line, column)).get_by_role("button", name=suggested))
        keys.press("Enter")
        expect(cell(page, line, column)).to_be_focused()
        expect(page.get_by_role("button", name=suggested)).to_have_count(0)

    cell(page, 92, "email").focus()
    keys.paste("\n".join(f"u{line}@example.org" for line in range(92, 100)) + "\n")
    expect(cell(page, 99, "email")).to_have_value("u99@example.org")
    keys.press("Control+z")
    expect(cell(page, 99, "email")).to_have_value("u99 @example.org")
    keys.paste("\n".join(f"u{line}@example.org" for line in range(92, 100)) + "\n")
    cell(page, 112, "username").focus()
    for line in range(112, 115):
        keys.press("Control+a")
        keys.type(f"user{line}")
        keys.press("Enter")
    expect(page.locator("#mend-saved")).to_have_text("Saved")
    page.reload()
    expect(cell(page, 114, "username")).to_have_value("user114")

    keys.tab_to(page.get_by_role("button", name="Check again"), most=400)
    keys.press("Enter")
    apply = page.get_by_role("button", name="Apply 40 rows")
    expect(apply).to_be_visible(timeout=RUN_TIMEOUT)
    expect(page.get_by_text("Nothing is left to be mended.")).to_be_visible()
    look_at(page, "mended", 1280)
    apply.focus()
    keys.press("Enter")

    expect(page.locator("#run-state")).to_contain_text("Completed", timeout=RUN_TIMEOUT)
    expect(page.get_by_role("navigation", name="Runs that belong together")).to_contain_text("Mended rows, checked")
    assert len(sqlite_site.rows("user", auth="nologin", country="FR")) == ROWS
    assert keys.count <= 70, "58 as it stands"


def test_what_was_typed_is_there_after_going_away_at_once(
    signed_in: Page, sqlite_site: MoodleSite, tmp_path: Path
) -> None:
    page, file = signed_in, tmp_path / "people.csv"
    file.write_text("\n".join(file_with_mistakes().splitlines()[:1] + file_with_mistakes().splitlines()[31:33]) + "\n")
    page.goto(f"{page.url}tools/users/")
    page.get_by_label("Or upload a file").set_input_files(file)
    page.get_by_role("button", name="Run now").click()
    page.get_by_role("link", name="Mend 2 rows here").click(timeout=RUN_TIMEOUT)
    expect(page.locator("#mend-state")).to_contain_text("2 rows are to be mended")
    address = page.url

    cell(page, 2, "country").fill("FR")
    expect(page.locator("#mend-saved")).to_have_text("Saved")
    # What was saved before says nothing of what is typed now.
    assert cell(page, 3, "country").evaluate(TYPE_D) == ""
    cell(page, 3, "country").press("End")
    page.keyboard.type("E")
    page.goto("about:blank")
    page.wait_for_timeout(500)
    page.goto(address)
    expect(cell(page, 2, "country")).to_have_value("FR")
    expect(cell(page, 3, "country")).to_have_value("DE")

    # Nor is what is typed while the server doesn't answer.
    page.route("**/mend/**", lambda route: route.abort())
    cell(page, 3, "country").fill("FR")
    expect(page.locator("#mend-saved")).to_contain_text("Not saved")
    page.unroute("**/mend/**")
    expect(page.locator("#mend-saved")).to_have_text("Saved", timeout=10_000)


def test_what_is_typed_before_the_script_is_there_is_kept(
    signed_in: Page, sqlite_site: MoodleSite, tmp_path: Path
) -> None:
    page, file = signed_in, tmp_path / "people.csv"
    file.write_text("\n".join(file_with_mistakes().splitlines()[:1] + file_with_mistakes().splitlines()[31:33]) + "\n")
    page.goto(f"{page.url}tools/users/")
    page.get_by_label("Or upload a file").set_input_files(file)
    page.get_by_role("button", name="Run now").click()
    scripts: list[Route] = []

    def hold(script: Route) -> None:
        scripts.append(script)

    page.route(MEND_SCRIPT, hold)
    page.get_by_role("link", name="Mend 2 rows here").click(timeout=RUN_TIMEOUT, no_wait_after=True)
    cell(page, 2, "country").fill("DE")
    leave_out = page.get_by_label("leave line 3 out")
    leave_out.check()
    assert scripts, "the script was there before anything was typed"

    scripts[0].continue_()
    page.unroute(MEND_SCRIPT, hold)

    expect(page.locator("#mend-saved")).to_have_text("Saved")
    page.reload()
    expect(cell(page, 2, "country")).to_have_value("DE")
    expect(leave_out).to_be_checked()


def test_what_was_changed_in_another_tab_stays(signed_in: Page, sqlite_site: MoodleSite, tmp_path: Path) -> None:
    page, file = signed_in, tmp_path / "people.csv"
    file.write_text("\n".join(file_with_mistakes().splitlines()[:1] + file_with_mistakes().splitlines()[31:33]) + "\n")
    page.goto(f"{page.url}tools/users/")
    page.get_by_label("Or upload a file").set_input_files(file)
    page.get_by_role("button", name="Run now").click()
    page.get_by_role("link", name="Mend 2 rows here").click(timeout=RUN_TIMEOUT)
    cell(page, 2, "country").fill("DE")
    expect(page.locator("#mend-saved")).to_have_text("Saved")

    other = page.context.new_page()
    other.goto(page.url)
    cell(other, 2, "country").fill("AT")
    expect(other.locator("#mend-saved")).to_have_text("Saved")

    cell(page, 3, "country").fill("FR")
    expect(page.locator("#mend-saved")).to_have_text("")
    expect(page.locator("#mend-saved")).to_have_text("Saved")
    page.reload()
    expect(cell(page, 2, "country")).to_have_value("AT")
    expect(cell(page, 3, "country")).to_have_value("FR")
