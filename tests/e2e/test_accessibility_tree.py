"""What a screen reader is given: names, headings, tables and what is read out, as Chromium's accessibility tree has them.

No screen reader runs here. What one says of these pages follows from this tree; how it says it doesn't: docs/three-days.md has
what Orca said when it was tried.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import BrowserContext, Page, ViewportSize, expect

from sync.models import RunState, SyncRun
from tests.e2e.ax_tree import faults_of, live_regions, tree_of
from tests.e2e.page_faults import HEIGHT
from tests.e2e.test_every_page import addresses, open_context, session
from tests.web.conftest import MakeRun, make_file, make_run, own_storage, site
from tests.web.test_query_counts import Site, filled, moodle

__all__ = [
    "addresses", "filled", "make_file", "make_run", "moodle", "open_context", "own_storage", "session", "site",
]  # fmt: skip
pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture
def pages(addresses: list[str], filled: Site, make_run: MakeRun) -> dict[str, str]:
    """The pages that people spend their time on. Shape: name -> address"""
    running = make_run(RunState.RUNNING, rows_expected=200)
    plan = make_run("completed", simulate=True)
    return {
        "home": reverse("home"),
        "feeds": reverse("feeds"),
        "import": reverse("import_file", args=[filled.ids["file"]]),
        "plan": reverse("run", args=[plan.pk]),
        "mend": reverse("run_mend", args=[filled.ids["failed"]]),
        "run": reverse("run", args=[filled.ids["run"]]),
        "progress": reverse("run", args=[running.pk]),
        "files": reverse("files"),
    }


@pytest.mark.parametrize(("language", "width"), [("en", 1280), ("fr", 375)])
def test_everything_has_a_name_and_its_place(
    open_context: Callable[..., BrowserContext], pages: dict[str, str], language: str, width: int
) -> None:
    page = open_context(language).new_page()
    page.set_viewport_size(ViewportSize(width=width, height=HEIGHT))
    faults: list[str] = []
    for name, address in pages.items():
        page.goto(address, wait_until="load")
        faults += [f"{name}: {fault}" for fault in faults_of(tree_of(page))]
    assert not faults, "\n".join(faults)


def region_of(page: Page) -> list[tuple[str, str]]:
    return [(region.role, str(region.properties["live"])) for region in live_regions(tree_of(page))]


def test_progress_is_read_out_when_its_sentence_changes(
    open_context: Callable[..., BrowserContext], pages: dict[str, str]
) -> None:
    page = open_context("en").new_page()
    page.goto(pages["progress"])
    said: list[str] = []

    def hear(text: str) -> None:
        said.append(text)

    page.expose_function("hear", hear)
    page.evaluate(
        """() => new MutationObserver(() => hear(document.getElementById("announcement").textContent))
             .observe(document.getElementById("announcement"), { childList: true, characterData: true, subtree: true })"""
    )
    assert ("status", "polite") in region_of(page)
    bar = next(node for node in tree_of(page).walk() if node.role in ("progressbar", "ProgressIndicator"))
    assert bar.name == "Progress"
    run = SyncRun.objects.get(pk=int(pages["progress"].strip("/").split("/")[-1]))
    for _poll in range(3):
        with page.expect_response(lambda answer: answer.url.endswith("/progress/")):
            pass
    # The same sentence isn't read out again.
    assert len(said) == 1
    SyncRun.objects.filter(pk=run.pk).update(state=RunState.QUEUED)
    expect(page.locator("#announcement")).not_to_have_text(said[0])
    assert len(said) == 2


def test_a_cell_that_is_to_be_mended_says_its_line_its_column_and_its_reason(
    open_context: Callable[..., BrowserContext], pages: dict[str, str]
) -> None:
    page = open_context("en").new_page()
    page.goto(pages["mend"])
    cells: list[Any] = [node for node in tree_of(page).walk() if node.role == "textbox"]
    assert cells
    assert all(cell.name.startswith("line ") for cell in cells)
    faulty = [cell for cell in cells if cell.properties.get("invalid") == "true"]
    assert faulty
    described = page.locator("[aria-invalid=true]").first.get_attribute("aria-describedby")
    assert described
    expect(page.locator(f"#{described}")).not_to_be_empty()
