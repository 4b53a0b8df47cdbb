"""A file of another system, as somebody brings it: its columns are mapped once, and known again the next time."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Page, ViewportSize, expect
from pytest_django import Settings

from tests.e2e.conftest import look_at

HEADER = "Code;Nom;Prénom;Adresse électronique perso;Genre;Bureau\n"
FIRST = HEADER + "22001;Lovelace;Ada;ada@example.org;Femme;B1\n22002;Byron;George;no-address;Homme;B2\n"
SECOND = HEADER + "22003;Noel;Anne;anne@example.org;Femme;B3\n"
RUN_TIMEOUT = 60_000

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def hand_in(page: Page, address: str, folder: Path, name: str, content: str) -> None:
    file = folder / name
    file.write_text(content, encoding="utf-8")
    page.goto(f"{address}/imports/new/")
    page.get_by_label("File", exact=True).set_input_files(file)
    page.get_by_role("button", name="Look at the file").click()


def choose(page: Page, field: str, value: str) -> None:
    """Choose in a list with the keyboard's focus in it, and wait until the page has followed."""
    page.locator(f"#{field}").focus()
    with page.expect_response(lambda response: "/imports/" in response.url):
        page.locator(f"#{field}").select_option(value)
    expect(page.locator(f"#{field}")).to_have_value(value)
    expect(page.locator(f"#{field}")).to_be_focused()


def test_columns_are_mapped_once_and_known_again(signed_in: Page, toolsync: str, tmp_path: Path) -> None:
    page = signed_in
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.set_viewport_size(ViewportSize(width=1280, height=900))
    expect(page.get_by_role("link", name="New import").first).to_be_visible()
    hand_in(page, toolsync, tmp_path, "scolarite.csv", FIRST)
    choose(page, "id_file_type", "users")
    expect(page.get_by_text("The file needs the column username.")).to_be_visible()
    page.get_by_label("It is made from the column").focus()
    with page.expect_response(lambda response: "/imports/" in response.url):
        page.get_by_label("It is made from the column").select_option("Code")
    expect(page.locator("#to_0")).to_have_value("username")
    expect(page.locator("#step-columns")).to_be_focused()
    expect(page.get_by_text("The file needs the column")).to_have_count(0)
    for column, target in (("to_3", "email"), ("to_4", "department"), ("to_5", "address")):
        choose(page, column, target)
    # Two rows are looked at, and the cell that is wrong says why.
    expect(page.locator("td.sync-fault")).to_have_count(1)
    expect(page.locator("td.sync-fault")).to_contain_text("no-address")
    expect(page.locator("#announcement")).to_contain_text("1 with faults")
    look_at(page, "import", 1280)
    page.set_viewport_size(ViewportSize(width=375, height=844))
    look_at(page, "import", 375)
    page.get_by_label("Keep this mapping, for files with this header, as").fill("Scolarité")
    page.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("Kept as “Scolarité”, version 1.")).to_be_visible()

    hand_in(page, toolsync, tmp_path, "next.csv", SECOND)
    expect(page.get_by_text("Scolarité (1)")).to_be_visible()
    expect(page.locator("#id_file_type")).to_have_value("users")
    expect(page.locator("#to_3")).to_have_value("email")
    page.get_by_role("button", name="Make the plan").click()
    expect(page.get_by_role("button", name="Apply")).to_be_visible(timeout=RUN_TIMEOUT)
    expect(page.get_by_text("The columns were read by the mapping “Scolarité”, version 1.")).to_be_visible()
    assert trouble == []


def hand_in_bundle(page: Page, address: str, *files: Path) -> None:
    page.goto(f"{address}/bundles/new/")
    page.get_by_label("A zip of command files, or several files").set_input_files(files)
    page.get_by_role("button", name="Make the plan").click()


def test_a_bundle_with_a_workbook_goes_on_to_its_plan_by_itself(
    signed_in: Page, toolsync: str, tmp_path: Path, settings: Settings
) -> None:
    settings.TOOLSYNC_ANSWER_SECONDS = 0
    page, book = signed_in, tmp_path / "people.xlsx"
    expect(page.get_by_role("link", name="New import").first).to_be_visible()
    workbook = openpyxl.Workbook()
    for row in (("username", "firstname", "lastname", "email"), ("nora", "Nora", "New", "nora@example.org")):
        workbook.worksheets[0].append(row)
    workbook.save(book)
    more, cut = tmp_path / "users_more.csv", tmp_path / "cut.xlsx"
    more.write_text("username;firstname;lastname;email\nnils;Nils;New;nils@example.org\n", encoding="utf-8")
    cut.write_bytes(book.read_bytes()[:300])

    hand_in_bundle(page, toolsync, book, more)
    expect(page.get_by_role("heading", name="Waits for your confirmation")).to_be_visible(timeout=RUN_TIMEOUT)
    expect(page.get_by_text("2 users would be created")).to_be_visible()

    hand_in_bundle(page, toolsync, cut, more)
    expect(page.get_by_text("cut.xlsx: The workbook is damaged")).to_be_visible(timeout=RUN_TIMEOUT)
    look_at(page, "bundle-refused", 1280)
    page.set_viewport_size(ViewportSize(width=375, height=844))
    look_at(page, "bundle-refused", 375)
