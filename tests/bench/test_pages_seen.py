"""How pages look on a ToolSync of some years, and with files of 100,000 rows: pictures for somebody to look at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from time import time
from typing import NamedTuple

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import NoReverseMatch, reverse
from playwright.sync_api import Browser, Page, Response, ViewportSize
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from sync.models import MoodleSite, RunState, SyncRun
from sync.runs import services
from tests.bench.many_rows import MOODLE_USERS, fill
from tests.bench.test_pages import MORE
from tests.e2e import page_faults
from tests.e2e.conftest import LOOKS, RESULTS, Look, allow_the_database_beside_playwright, browser_type_launch_args
from tests.e2e.test_every_page import NOT_PAGES
from tests.moodle_sites import MoodleSite as Moodle
from tests.web.conftest import own_storage
from tests.web.test_query_counts import PAGES

__all__ = ["allow_the_database_beside_playwright", "browser_type_launch_args", "own_storage"]

ROWS = 100_000
# Of a picture: a browser draws no more. Units: CSS pixels
MOST_HEIGHT = 16_384
_HEADER = "username;firstname;lastname;email;auth;country"
# What a row of the long files says, of Moodle's users as many_rows names them and of new ones.
_FILES = {
    "new": ("users", _HEADER, "new{n};Jean-Baptiste;Né{n};new{n}@example.org;nologin;FR"),
    "mistakes": ("users", _HEADER, "new{n};Jean-Baptiste;Né{n};new{n}@example.org;nologin;Frnace"),
    "suspended": ("users_suspend", "username", "many{n}"),
}


class Shown(NamedTuple):
    name: str
    address: str


@pytest.fixture
def pages(
    live_server: LiveServer, sqlite_site: Moodle, settings: Settings, admin_user: User, tmp_path: Path
) -> list[Shown]:
    """A ToolSync of some years, with three plans of 100,000 rows. Return what somebody opens in it."""
    settings.TOOLSYNC_MOODLE_URL = sqlite_site.url
    settings.TOOLSYNC_GUARD = True
    site = MoodleSite.objects.get(slug="main")
    ids = fill(site, sqlite_site, admin_user)
    shown = []
    for name, of, query in [*PAGES, *MORE]:
        if name in NOT_PAGES or {"factor", "scope"} & set(of):
            continue
        try:
            address = reverse(name, args=[ids.get(word, word) for word in of])
        except NoReverseMatch:
            continue
        asked = "&".join(f"{key}={text}" for key, text in query.items())
        shown.append(Shown("-".join([name, *of, *query]), f"{address}?{asked}"))
    for name in _FILES:
        run = planned(name, site, admin_user, tmp_path)
        address = reverse("run", args=[run.pk])
        shown.append(Shown(f"plan-{name}", address))
        shown.append(Shown(f"plan-{name}-search", f"{address}?q=9999"))
        if run.counts.get("rejected"):
            shown.append(Shown(f"plan-{name}-mend", reverse("run_mend", args=[run.pk])))
    return shown


def planned(name: str, site: MoodleSite, root: User, folder: Path) -> SyncRun:
    """Return the plan of a long file, which waits for somebody where it takes much away."""
    key, header, row = _FILES[name]
    path = folder / f"{name}.csv"
    assert ROWS <= MOODLE_USERS
    path.write_text("\n".join([header, *(row.format(n=n) for n in range(1, ROWS + 1))]) + "\n", encoding="utf-8")
    kept = services.receive_path(site=site, path=path, folder="/")
    run = services.queue_run(
        site=site, processor=key, command_file=kept, simulate=name != "suspended", user=root, in_background=False
    )
    run = services.execute_run(run.pk)
    assert run.state == (RunState.HELD if name == "suspended" else run.state), run.error_code
    return run


@pytest.fixture
def seen(browser: Browser, live_server: LiveServer, pages: list[Shown]) -> Iterator[Page]:
    client = Client()
    client.force_login(User.objects.get(is_superuser=True))
    session = client.session
    session["account_authentication_methods"] = [{"method": "password", "at": time(), "username": "admin"}]
    session.save()
    context = browser.new_context(base_url=live_server.url, reduced_motion="reduce")
    context.add_cookies([{"name": "sessionid", "value": str(session.session_key), "url": live_server.url}])
    yield context.new_page()
    context.close()


def test_pages_of_100_000_rows_are_kept_as_pictures(seen: Page, pages: list[Shown]) -> None:
    faults: list[str] = []

    def note_error(response: Response) -> None:
        if response.status >= 500:
            faults.append(f"{response.url} answers {response.status}")

    seen.on("response", note_error)
    for look in (LOOKS["en-1280-light"], LOOKS["fr-375-dark"]):
        for page in pages:
            faults += [f"{look.name} {page.name}: {fault}" for fault in keep(seen, page, look)]
    assert not faults, "\n".join(faults)


def keep(page: Page, shown: Shown, look: Look) -> list[str]:
    """Keep a picture; return what the eye would find."""
    page.set_viewport_size(ViewportSize(width=look.width, height=page_faults.HEIGHT))
    page.emulate_media(color_scheme=look.theme, reduced_motion="reduce")
    page.set_extra_http_headers({"Accept-Language": look.language})
    page.goto(shown.address, wait_until="load")
    folder = RESULTS / "many-rows"
    folder.mkdir(parents=True, exist_ok=True)
    height = page.evaluate("document.documentElement.scrollHeight")
    page.screenshot(
        path=folder / f"{shown.name}-{look.name}.png",
        full_page=True,
        clip={"x": 0, "y": 0, "width": look.width, "height": min(height, MOST_HEIGHT)},
    )
    found = [*page.evaluate(page_faults.WIDER), *page.evaluate(page_faults.CUT), *page_faults.structural_faults(page)]
    if look.language == "fr":
        found += page_faults.english_texts(page, page_faults.english())
    if height > MOST_HEIGHT:
        found.append(f"{height} pixels high")
    return found
