"""What each page costs on a ToolSync of some years: seconds of the processor, and queries."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import NoReverseMatch, reverse
from pytest_django import Settings

from sync.models import MoodleSite
from tests.bench.many_rows import fill
from tests.moodle_sites import MoodleSite as Moodle
from tests.web.conftest import own_storage
from tests.web.test_query_counts import PAGES

__all__ = ["own_storage"]

TARGET = 0.5
# Besides the pages of the table: those that somebody asks for who looks for something.
MORE: list[tuple[str, tuple[str, ...], dict[str, str]]] = [
    ("import_file", ("wide",), {}),
    ("runs", (), {"page": "2000"}),
    ("runs", (), {"state": "failed"}),
    ("runs", (), {"processor": "users", "origin": "person", "simulate": "false"}),
    ("run", ("run",), {"show": "rejected"}),
    ("run", ("run",), {"q": "u999999"}),
    ("run_outcomes", ("run",), {"q": "u5"}),
    ("run_outcomes", ("run",), {"q": "nobody"}),
    ("run_outcomes", ("run",), {"after": "999000"}),
    ("moodle_search", (), {"q": "many99999"}),
    ("moodle_list", ("courses",), {}),
    ("audit", (), {"kind": "rights"}),
    ("audit", (), {"user": "nobody"}),
    ("people", (), {"page": "30"}),
    ("files", (), {"q": "in1999"}),
    ("files", (), {"page": "300"}),
]
# What is handed out as a file of all rows, not as a page.
FILES = {"run_workbook", "export_file"}


@pytest.fixture
def ids(db: None, sqlite_site: Moodle, settings: Settings, admin_user: User) -> dict[str, int]:
    settings.TOOLSYNC_MOODLE_URL = sqlite_site.url
    return fill(MoodleSite.objects.get(slug="main"), sqlite_site, admin_user)


def test_pages(ids: dict[str, int], admin_client: Client, tmp_path: Path) -> None:
    for _ in admin_client.get(reverse("home")):
        pass  # templates and Moodle's tables are read once in a process
    lines, slow = [], []
    for name, of, query in [*PAGES, *MORE]:
        if name in FILES or {"factor", "scope"} & set(of):
            continue
        try:
            address = reverse(name, args=[ids.get(word, word) for word in of])
        except NoReverseMatch:
            continue
        begun, wall = time.process_time(), time.perf_counter()
        with CaptureQueriesContext(connection) as captured:
            answer = admin_client.get(address, query)
            size = len(answer.getvalue())
        seconds, passed = time.process_time() - begun, time.perf_counter() - wall
        asked = f"{name} {' '.join(f'{key}={text}' for key, text in query.items())}".strip()
        lines.append(
            (seconds, f"| {asked} | {answer.status_code} | {seconds:.2f} | {passed:.2f} | {len(captured)} | {size:,} |")
        )
        if seconds >= TARGET:
            slow += [
                asked,
                *(f"   {found['time']} {found['sql'][:400]}" for found in captured if float(found["time"]) > 0.05),
            ]
    table = "\n| page | status | CPU s | s | queries | bytes |\n|---|---|---|---|---|---|\n"
    sys.stdout.write(table + "\n".join([*(line for _seconds, line in sorted(lines, reverse=True)), *slow, ""]))
