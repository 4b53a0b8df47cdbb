"""The pages that look into Moodle: what they find and show, for whom, and what ToolSync changed."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from sync.audit.services import record
from sync.models import AuditKind, MoodleSite, Role, RoleAssignment, RunChunk
from sync.runs.rights import Responsible
from sync.values import Change
from tests.moodle_sites import MoodleSite as Moodle
from tests.web.conftest import MakeRun, person_of


@pytest.fixture
def moodle(sqlite_site: Moodle, settings: Settings) -> Moodle:
    settings.TOOLSYNC_MOODLE_URL = sqlite_site.url
    return sqlite_site


@pytest.fixture
def viewer(client_with: Callable[..., Client]) -> Client:
    """Somebody who may look at people and see who changed what, and run the file type `users`."""
    return client_with("view_people", "view_audit", "run_users")


def test_a_search_finds_people_only_for_those_who_may_look_at_them(
    moodle: Moodle, viewer: Client, users_client: Client
) -> None:
    user = reverse("moodle_user", args=[moodle.ids["ann"]])
    course = reverse("moodle_course", args=[moodle.ids["C1"]])
    query = {"q": "ann"}
    assert user in viewer.get(reverse("moodle_search"), query).text
    assert user not in users_client.get(reverse("moodle_search"), query).text
    assert course in users_client.get(reverse("moodle_search"), {"q": "c1"}).text
    assert users_client.get(user).status_code == 403


@pytest.mark.parametrize(
    ("file_type", "status"), [("courses_check", 403), ("courses_meta", 403), ("groupmembers", 200)]
)
def test_operators_look_at_people_where_their_files_name_some(
    file_type: str, status: int, moodle: Moodle, site: MoodleSite, client_with: Callable[..., Client]
) -> None:
    client = client_with()
    RoleAssignment.objects.create(person=person_of(client), site=site, role=Role.OPERATOR, file_types=[file_type])
    assert client.get(reverse("moodle_user", args=[moodle.ids["ann"]])).status_code == status
    assert client.get(reverse("moodle_list", args=["roles"])).status_code == 200


def test_a_user_is_shown_with_names_to_copy(moodle: Moodle, viewer: Client) -> None:
    moodle.execute("UPDATE {user} SET idnumber = '<b>7</b>', lastaccess = 86400 WHERE id = :id", id=moodle.ids["ann"])
    text = viewer.get(reverse("moodle_user", args=[moodle.ids["ann"]])).text
    assert '<code class="user-select-all">&lt;b&gt;7&lt;/b&gt;</code>' in text
    assert 'datetime="1970-01-02' in text
    assert viewer.get(reverse("moodle_user", args=[999_999])).status_code == 404


def test_changes_are_found_by_every_name_and_undone_with_their_run(
    moodle: Moodle, site: MoodleSite, viewer: Client, make_run: MakeRun
) -> None:
    moodle.execute("UPDATE {user} SET idnumber = 'A-1' WHERE id = :id", id=moodle.ids["ann"])
    run, gone = make_run(), make_run()
    RunChunk.objects.filter(run=run).update(journal_key="kept")
    for shown, user, value in ((run, "ann", "kept-value"), (gone, "a-1", "other-value"), (gone, "bob", "of-bob")):
        record(
            site, AuditKind.RUN, Responsible(None, "kim"), user, [Change("city", "", value)], code="account_updated",
            users=[user], run=shown,
        )  # fmt: skip

    text = viewer.get(reverse("moodle_user", args=[moodle.ids["ann"]])).text

    assert ("kept-value" in text, "other-value" in text, "of-bob" in text) == (True, True, False)
    assert f'action="{reverse("run_undo", args=[run.pk])}"' in text
    assert 'name="line"' not in text, "these entries are of no line"
    assert f'action="{reverse("run_undo", args=[gone.pk])}"' not in text


def test_changes_are_shown_only_to_those_who_may_see_who_changed_what(
    moodle: Moodle, site: MoodleSite, viewer: Client, client_with: Callable[..., Client]
) -> None:
    record(site, AuditKind.APPROVAL, Responsible(None, "kim"), "C1", [Change("x", "", "said")], courses=["idc1"])
    address = reverse("moodle_course", args=[moodle.ids["C1"]])
    assert "said" in viewer.get(address).text
    without = client_with("view_people")
    assert "said" not in without.get(address).text
    assert "What ToolSync changed" not in without.get(address).text


def test_lists_are_paged_and_fields_are_copied_as_columns_are_called(moodle: Moodle, users_client: Client) -> None:
    for number in range(101):
        moodle.insert(
            "course", category=1, shortname=f"L{number:03}", fullname="Listed", idnumber="", sortorder=90_000 + number
        )  # fmt: skip
    address = reverse("moodle_list", args=["courses"])
    first = users_client.get(address, {"q": "listed"}).text
    assert ("L099" in first, "L100" in first) == (True, False)
    last = moodle.one("course", shortname="L099")["id"]
    assert f"after={last}" in first
    assert "L100" in users_client.get(address, {"q": "listed", "after": last}).text
    assert "profile_field_dept" in users_client.get(reverse("moodle_list", args=["user_fields"])).text
    assert users_client.get(reverse("moodle_list", args=["passwords"])).status_code == 404


def test_the_format_help_leads_to_the_lists(users_client: Client) -> None:
    assert reverse("moodle_list", args=["cohorts"]) in users_client.get(reverse("tool", args=["users"])).text
