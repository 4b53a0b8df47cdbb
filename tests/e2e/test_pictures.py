"""The pictures of the README: taken of the demo by `make pictures`, and held to their size in each run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, ViewportSize

from tests.e2e.conftest import ROOT
from tests.servers import free_port
from tests.waiting import wait_until

IMAGES = ROOT / "docs" / "images"
# Of each: the address in the demo as a pattern of the links of its overview, and how much of the page is shown.
PICTURES = {
    "overview": ("/", 860),
    "plan": (r"/runs/\d+/#decision", 860),
    "mending": (r"/runs/\d+/mend/", 860),
}
WIDTH, LARGEST, COLOURS = 1280, 150_000, 128
_START_SECONDS = 600


def test_the_readme_shows_them_and_they_are_small() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[[^\]]+\]\(docs/images/([a-z]+)\.png\)", readme)
    assert shown == [*PICTURES]
    for name, (_address, height) in PICTURES.items():
        path = IMAGES / f"{name}.png"
        assert path.stat().st_size < LARGEST
        with Image.open(path) as picture:
            assert (picture.format, picture.size) == ("PNG", (WIDTH, height))


@pytest.fixture
def demo(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Return the address of a fresh demo, and the password of its administrator."""
    if not request.config.getoption("pictures"):
        pytest.skip("the pictures of the README are taken by `make pictures`")
    port = free_port()
    environment = {**os.environ, "TOOLSYNC_VAR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "toolsync_site.settings"}
    command = [sys.executable, "manage.py", "demo", "--port", str(port)]
    with (tmp_path / "demo.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT)

        def answers() -> bool:
            assert process.poll() is None, (tmp_path / "demo.log").read_text()
            try:
                connection = HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", "/login/")
                return connection.getresponse().status == 200
            except OSError:
                return False

        wait_until(answers, _START_SECONDS)
        yield f"http://127.0.0.1:{port}", (tmp_path / "demo" / "password.txt").read_text()
        process.terminate()
        process.wait(timeout=60)


@pytest.mark.e2e
@pytest.mark.slow
def test_pictures_are_taken_of_the_demo(page: Page, demo: tuple[str, str]) -> None:
    address, password = demo
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.goto(address)
    page.locator("[name=username]").fill("admin")
    page.locator("[name=password]").fill(password)
    page.locator("main form button").click()
    links = [link.get_attribute("href") or "" for link in page.locator("#needs-you a").all()]
    IMAGES.mkdir(exist_ok=True)
    for name, (pattern, height) in PICTURES.items():
        page.set_viewport_size(ViewportSize(width=WIDTH, height=height))
        found = "/" if pattern == "/" else next(link for link in links if re.fullmatch(pattern, link))
        page.goto(f"{address}{found.partition('#')[0]}", wait_until="networkidle")
        path = IMAGES / f"{name}.png"
        page.screenshot(path=path)
        with Image.open(path) as picture:
            small = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
        small.save(path, optimize=True)
        assert path.stat().st_size < LARGEST, f"{path}: {path.stat().st_size}"
