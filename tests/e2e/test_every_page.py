"""Every page that a GET shows, as a manager sees it: for the eye, for the keyboard, on a phone, and in French."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import time
from http import HTTPStatus
from time import time as now

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Browser, BrowserContext, Error as BrowserError, Page, Response, ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from sync.models import RunState, SyncRun
from sync.runs.site_files import input_of
from sync.schedules.services import ScheduleChoice, save_schedule
from tests.e2e import page_faults
from tests.web.conftest import MakeFile, MakeRun, make_file, make_run, own_storage, site
from tests.web.test_query_counts import FEW, PAGES, Site, filled, moodle

__all__ = ["filled", "make_file", "make_run", "moodle", "own_storage", "site"]
pytestmark = [pytest.mark.e2e, pytest.mark.slow]

# What is handed out as a file, and what is a part of a page.
NOT_PAGES = {
    "file_download", "tool_template", "tool_sample", "tool_preview", "moodle_state", "course_file", "export_file",
    "moodle_sample", "mfa_download_recovery_codes", "bundle_report", "bundle_trybacks", "run_progress", "run_outcomes",
    "run_workbook", "run_report_pdf", "run_file",
}  # fmt: skip
LONG = "Utilisateurs-inscriptions-et-groupes-de-la-faculté-des-sciences-et-de-la-santé-" * 2
# In which states a run is looked at, besides the ended one of the table.
STATES = (
    RunState.QUEUED,
    RunState.RUNNING,
    RunState.PAUSED,
    RunState.HELD,
    RunState.FAILED,
    RunState.ERRORED,
    RunState.UNCONFIRMED,
)
# CSS pixels; the second is a screen of 1,280 at 400 %.
PHONE, ZOOMED, SCREEN = 375, 320, 1280

Check = Callable[[Page], list[str]]


@pytest.fixture
def addresses(filled: Site, moodle: None, make_file: MakeFile, make_run: MakeRun) -> list[str]:
    """A site with some of everything, and names that no screen has room for. Shape: paths of its pages"""
    filled.grow(FEW)
    root = User.objects.get(is_superuser=True)
    User.objects.create_user(LONG[:150], email=f"{LONG[:60]}@example.org")
    save_schedule(filled.site, ScheduleChoice(["users"], name=LONG[:100], at=time(4, 5)))
    rows = "".join(f"u{line},First,Last,u{line}@example.org\n" for line in range(2, 10))
    file = make_file(f"{LONG[:90]}.csv", f"username,firstname,lastname,email\n{rows}".encode())
    shown = [
        f"{reverse(name, args=[filled.ids.get(word, word) for word in of])}?{query_of(query)}"
        for name, of, query in PAGES
        if name not in NOT_PAGES
    ]
    runs = [make_run(state, requested_by=root) for state in STATES]
    SyncRun.objects.filter(pk__in=[run.pk for run in runs]).update(**input_of(file))
    return [*shown, "/nowhere/", *(reverse("run", args=[run.pk]) for run in runs)]


def query_of(query: dict[str, str]) -> str:
    return "&".join(f"{name}={text}" for name, text in query.items())


@pytest.fixture
def session(addresses: list[str]) -> str:
    """The session of a manager who has just given the password."""
    client = Client()
    client.force_login(User.objects.get(is_superuser=True))
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": now(), "username": "admin"}]
    session.save()
    return str(session.session_key)


@pytest.fixture
def open_context(browser: Browser, live_server: LiveServer, session: str) -> Iterator[Callable[..., BrowserContext]]:
    contexts = []

    def open_context(language: str) -> BrowserContext:
        context = browser.new_context(
            locale=language,
            reduced_motion="reduce",
            base_url=live_server.url,
            viewport=ViewportSize(width=SCREEN, height=page_faults.HEIGHT),
        )
        context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
        contexts.append(context)
        return context

    yield open_context
    for context in contexts:
        context.close()


def expect_no_faults(page: Page, addresses: list[str], check: Check) -> None:
    """Visit every page before failing, and say all that is wrong, parts that a page asks for later included."""
    faults: list[str] = []

    def note_error(response: Response) -> None:
        if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            faults.append(f"{response.url} answers {response.status}")

    page.on("response", note_error)
    for address in addresses:
        try:
            page.goto(address, wait_until="load")
            # What a page asks for once it is there belongs to it.
            expect(page.locator(".htmx-request")).to_have_count(0)
            found = [*page_faults.structural_faults(page), *check(page)]
        except (BrowserError, AssertionError) as error:
            found = [str(error)]
        faults += [f"{address} {fault}" for fault in found]
    assert not faults, "\n".join(faults)


def test_pages_are_accessible_in_light_and_dark_and_by_keyboard(
    open_context: Callable[..., BrowserContext], addresses: list[str]
) -> None:
    page = open_context("en").new_page()
    page_faults.load_axe(page)

    def check(page: Page) -> list[str]:
        found = page_faults.serious_faults(page_faults.in_theme(page, "light"))
        dark = page_faults.serious_faults(page_faults.in_theme(page, "dark"), "color-contrast")
        found += [f"dark: {fault}" for fault in dark]
        return [*found, *page_faults.keyboard_faults(page)]

    expect_no_faults(page, addresses, check)


def test_pages_fit_a_phone_and_a_zoomed_screen_and_are_french(
    open_context: Callable[..., BrowserContext], addresses: list[str]
) -> None:
    page = open_context("fr").new_page()

    def check(page: Page) -> list[str]:
        return [
            *page_faults.overflow(page, PHONE),
            *page_faults.overflow(page, ZOOMED),
            *page_faults.english_texts(page, page_faults.english()),
        ]

    expect_no_faults(page, addresses, check)


def test_the_focus_outlives_every_swap_and_what_is_new_is_said(
    open_context: Callable[..., BrowserContext], addresses: list[str], filled: Site
) -> None:
    page = open_context("en").new_page()
    said = page.locator("#announcement")
    page.goto(reverse("run", args=[filled.ids["run"]]))
    tile, show = page.locator("#tile-created"), page.locator("#show")
    tile.focus()
    page.keyboard.press("Enter")
    expect(said).to_have_text("2 rows, from line 2")
    expect(tile).to_be_focused()
    show.focus()
    page.keyboard.press("ArrowDown")
    expect(page).to_have_url(re.compile("show=account_created"))
    expect(show).to_be_focused()

    page.goto(reverse("import_file", args=[filled.ids["file"]]))
    file_type = page.locator("[name=file_type]")
    file_type.focus()
    with page.expect_response(lambda answer: "/imports/" in answer.url):
        page.keyboard.press("ArrowDown")
    expect(file_type).to_be_focused()

    page.goto(reverse("courses"))
    course = page.locator("[name=course]").first
    course.focus()
    page.keyboard.press("Space")
    expect(page.locator("#chosen")).to_contain_text("1 course chosen")
    expect(course).to_be_focused()

    # The list of runs is swapped by itself while one of them is at work.
    page.clock.install()
    page.goto(reverse("runs"))
    link = page.locator("#runs a").nth(2)
    link.focus()
    with page.expect_response(lambda answer: answer.url.endswith(reverse("runs"))):
        page.clock.fast_forward(6_000)
    expect(page.locator("#runs.htmx-settling")).to_have_count(0)
    expect(link).to_be_focused()
