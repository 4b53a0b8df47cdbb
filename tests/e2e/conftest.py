"""A whole ToolSync for a real browser: web server, Celery worker, and a Moodle in SQLite."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest
from django.conf import settings as project_settings
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.utils import translation
from playwright.sync_api import Browser, Page, Response, ViewportSize
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.e2e import page_faults
from tests.moodle_sites import MoodleSite

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "test-results"
PASSWORD = "correct horse battery"

_CHROMIUM_ARGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


class Look(NamedTuple):
    """How pages are looked at. Units: width: CSS pixels"""

    language: str
    width: int
    theme: Literal["light", "dark"]

    @property
    def name(self) -> str:
        return f"{self.language}-{self.width}-{self.theme}"

    def say(self, text: str, **params: object) -> str:
        """Return a text of ours in the language that is looked at."""
        with translation.override(self.language):
            said = translation.gettext(text)
        return said % params if params else said


LOOKS = {
    look.name: look
    for language in ("en", "fr")
    for width in (1280, 375)
    for look in (Look(language, width, "light"), Look(language, width, "dark"))
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let a test that takes `look` look as its mark says, and in the matrix in every way."""
    if "look" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("looks")
        if mark is None:
            raise pytest.UsageError(
                f'{metafunc.definition.nodeid}: say how it looks: pytest.mark.looks("en-1280-light")'
            )
        names = [*LOOKS] if metafunc.config.getoption("every_site") else mark.args
        metafunc.parametrize("look", [pytest.param(LOOKS[name], id=name) for name in names])


def look_at(page: Page, name: str, width: int) -> None:
    """Keep a picture, and see that nothing hangs over the edge of the screen."""
    RESULTS.mkdir(exist_ok=True)
    page.screenshot(path=RESULTS / f"{name}-{width}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.fixture(scope="session", autouse=True)
def allow_the_database_beside_playwright() -> Iterator[None]:
    """Playwright's own event loop runs in the thread of the tests; nothing of ours runs in it."""
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    yield
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_type_launch_args, "executable_path": "/usr/bin/chromium", "args": list(_CHROMIUM_ARGS)}


@pytest.fixture
def administrator(transactional_db: None) -> User:
    """Somebody who may manage files and sources, and use the file type for users."""
    user = User.objects.create_user("ada", password=PASSWORD)
    user.user_permissions.set(Permission.objects.filter(codename__in=("manage_files", "manage_sources", "run_users")))
    return user


@pytest.fixture
def worker(transactional_db: None, sqlite_site: MoodleSite, tmp_path: Path) -> Iterator[None]:
    """A real worker in a process of its own, on the database, the storage and the broker of the tests."""
    if connection.vendor != "sqlite":
        pytest.skip("the worker of this test is joined to the SQLite database of the tests")
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "toolsync_site.settings",
        "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
        "SECRET_KEY": project_settings.SECRET_KEY,
        "TOOLSYNC_VAR": str(project_settings.VAR_DIR),
        "TOOLSYNC_MOODLE_URL": sqlite_site.url,
    }
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "toolsync_site",
        "worker",
        "--pool",
        "solo",
        "--loglevel",
        "WARNING",
    ]
    with (tmp_path / "worker.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)
        yield
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.fixture
def toolsync(
    live_server: LiveServer, administrator: User, worker: None, sqlite_site: MoodleSite, settings: Settings
) -> str:
    """Return the address of a ToolSync in which everything is at work."""
    settings.TOOLSYNC_MOODLE_URL = sqlite_site.url
    return live_server.url


@pytest.fixture
def signed_in(page: Page, toolsync: str) -> Page:
    page.goto(toolsync)
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Log in").click()
    return page


class Screen:
    """A page as somebody looks at it; each screen is kept as a picture, and its faults are collected."""

    def __init__(self, page: Page, look: Look) -> None:
        self.page = page
        self.look = look
        self.faults: list[str] = []
        page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        page.on("response", self._note)

    def _note(self, response: Response) -> None:
        if response.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self.faults.append(f"{response.status} {response.url}")

    def keep(self, name: str) -> None:
        """Keep a picture, and look for what the eye would find."""
        RESULTS.mkdir(exist_ok=True)
        self.page.screenshot(path=RESULTS / f"{name}-{self.look.name}.png", full_page=True)
        found = [
            *self.page.evaluate(page_faults.WIDER),
            *self.page.evaluate(page_faults.CUT),
            *page_faults.structural_faults(self.page),
            *page_faults.serious_faults(self.page),
        ]
        if self.look.language == "fr":
            found += page_faults.english_texts(self.page, page_faults.english())
        self.faults += [f"{name}: {fault}" for fault in found]

    def said(self) -> str:
        """Return what was read out last."""
        return self.page.locator("#announcement").inner_text()


@pytest.fixture
def screen(browser: Browser, toolsync: str, look: Look) -> Iterator[Screen]:
    context = browser.new_context(
        locale=look.language, color_scheme=look.theme, reduced_motion="reduce", base_url=toolsync,
        viewport=ViewportSize(width=look.width, height=page_faults.HEIGHT),
    )  # fmt: skip
    page = context.new_page()
    page_faults.load_axe(page)
    shown = Screen(page, look)
    yield shown
    context.close()
    assert not shown.faults, "\n".join(shown.faults)
