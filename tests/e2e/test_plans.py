"""A plan beyond the limits is approved from a phone: uploaded, held, looked at, approved, done."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth.models import Permission, User
from playwright.sync_api import Page, ViewportSize, expect

from tests.e2e.conftest import look_at
from tests.moodle_sites import MoodleSite

RUN_TIMEOUT = 60_000
PHONE = 375

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture
def approver(administrator: User) -> User:
    """Somebody who may delete users, and approve what is beyond the limits."""
    administrator.user_permissions.add(*Permission.objects.filter(codename__in=("run_users_delete", "approve_runs")))
    return administrator


def test_a_held_run_is_approved_from_a_phone(
    signed_in: Page, approver: User, sqlite_site: MoodleSite, tmp_path: Path
) -> None:
    page, file = signed_in, tmp_path / "leavers.csv"
    page.set_viewport_size(ViewportSize(width=PHONE, height=800))
    file.write_text("username\nann\n")
    page.goto(f"{page.url}tools/users_delete/")
    page.get_by_label("Or upload a file").set_input_files(file)
    page.get_by_role("button", name="Run now").click()

    expect(page.get_by_role("heading", name="Held: somebody has to approve it")).to_be_visible(timeout=RUN_TIMEOUT)
    expect(page.get_by_text("1 user deleted: that is")).to_be_visible()
    expect(page.get_by_role("row", name="ann")).to_be_visible()
    look_at(page, "held", PHONE)
    assert sqlite_site.one("user", username="ann")["deleted"] == 0

    page.get_by_label("Reason").fill("asked for by the registry")
    page.get_by_role("button", name="Approve (1)").click()
    expect(page.locator("#run-state")).to_contain_text("Completed", timeout=RUN_TIMEOUT)
    expect(page.get_by_text("asked for by the registry")).to_be_visible()
    look_at(page, "approved", PHONE)
    assert not sqlite_site.rows("user", username="ann", deleted=0)
