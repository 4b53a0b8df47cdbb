"""The list of deletions, and rows that wait for another try, on a screen and on a phone."""

from __future__ import annotations

from datetime import date

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page, ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from sync.models import GraceEntry, MoodleSite, Retry, RetryRow, RunState, SyncRun
from tests.e2e.conftest import look_at

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
LONG = "a.very.long.name.of.somebody.who.left.the.university@students.example.org"


@pytest.mark.parametrize("width", [1200, 375])
def test_somebody_is_taken_off_the_list(width: int, page: Page, live_server: LiveServer) -> None:
    root = User.objects.create_superuser("root")
    client = Client()
    client.force_login(root)
    page.context.add_cookies(
        [{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}]
    )
    page.set_viewport_size(ViewportSize(width=width, height=844))
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda message: trouble.append(message.text) if message.type == "error" else None)
    site = MoodleSite.objects.get()
    run = SyncRun.objects.create(site=site, processor="users_delete", file_path="/gone.csv", state=RunState.COMPLETED)
    about = {"site": site, "run": run, "line": 1234, "day": date(2026, 12, 30)}
    GraceEntry.objects.create(table="user", rowid=7, name=LONG, label="Ada Lovelace", **about)
    GraceEntry.objects.create(
        table="course", rowid=8, name="C1", label="Algebra " * 20, state="held", task_run=run, **about
    )
    retry = Retry.objects.create(
        run=run, site=site, processor="users_delete", most=3, storage_key="x", seen_at=timezone.now()
    )
    RetryRow.objects.create(retry=retry, line=2, code="account_unknown", subject=LONG)

    page.goto(f"{live_server.url}/deletions/")
    look_at(page, "deletions", width)
    page.get_by_label("Ada Lovelace").check()
    page.get_by_role("button", name="Take the chosen off the list").click()
    expect(page.get_by_text("takes them off the list.")).to_be_visible()
    assert GraceEntry.objects.get(rowid=7).state == "ending"
    look_at(page, "deletions_taken_off", width)

    page.goto(f"{live_server.url}/runs/{run.pk}/")
    expect(page.get_by_text("1 row waits for another try,")).to_be_visible()
    look_at(page, "run_retry", width)
    assert trouble == []
