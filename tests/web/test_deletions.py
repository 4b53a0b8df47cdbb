"""The page of what is to be deleted once its days of grace are over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from sync.models import CommandFile, GraceEntry, MoodleSite, SyncRun
from sync.web.views import deletions
from tests.web.conftest import MakeRun, person_of

PAGE, TAKE_OFF = "/deletions/", "/deletions/take-off/"
FIRST = date(2026, 12, 1)
MakeEntry = Callable[..., GraceEntry]


@pytest.fixture
def make_entry(site: MoodleSite, make_run: MakeRun) -> MakeEntry:
    def make_entry(name: str, rowid: int, *, days: int = 0, table: str = "user", **more: Any) -> GraceEntry:
        run = SyncRun.objects.first() or make_run(processor="users_delete")
        day = FIRST + timedelta(days=days)
        return GraceEntry.objects.create(
            site=site, table=table, rowid=rowid, name=name, run=run, line=7, day=day, **more
        )  # fmt: skip

    return make_entry


@pytest.fixture
def deletions_client(client_with: Callable[..., Client]) -> Client:
    return client_with("run_users_delete", "run_courses_delete", "end_grace")


def test_the_page_says_who_since_when_by_which_line_and_until_when(
    deletions_client: Client, make_entry: MakeEntry
) -> None:
    entry = make_entry("ann", 1234, label="Ann <Lee>")
    held = make_entry("C1", 5, days=1, table="course", label="Algebra", state="held", task_run=entry.run)
    make_entry("old", 9, state="deleted", closed=1)

    page = deletions_client.get(PAGE).text

    assert "Ann &lt;Lee&gt;" in page
    assert "user ann, 1234" in page
    assert "2026-12-01" in page
    assert f'<a href="/runs/{entry.run_id}/">run {entry.run_id}, line 7</a>' in page
    assert f'Not deleted, <a href="/runs/{held.task_run_id}/">' in page
    assert "old" not in page
    assert '<a class="nav-link active" href="/moodle/" aria-current="true">Moodle</a>' in page


def test_who_may_not_delete_courses_sees_none_of_them(
    client_with: Callable[..., Client], make_entry: MakeEntry
) -> None:
    make_entry("ann", 1)
    make_entry("C1", 2, table="course")
    page = client_with("run_users_delete").get(PAGE).text
    assert "user ann" in page
    assert "course C1" not in page
    assert "Take all off the list" not in page


@pytest.mark.parametrize(
    ("text", "found"),
    [("AN", {"ann", "hans"}), ("12", {"bob"}), ("Smith", {"ann"}), ("1" * 50, set()), ("²", set()), ("%", set())],
)
def test_names_and_numbers_are_found(
    deletions_client: Client, make_entry: MakeEntry, text: str, found: set[str]
) -> None:
    make_entry("ann", 1, label="Ann Smith")
    make_entry("bob", 12)
    make_entry("hans", 3)
    page = deletions_client.get(PAGE, {"q": text}).text
    assert {name for name in ("ann", "bob", "hans") if f"user {name}," in page} == found


def test_pages_go_on_behind_what_was_shown_though_entries_came_and_went(
    deletions_client: Client, make_entry: MakeEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletions, "_ENTRIES_PER_PAGE", 2)
    entries = [make_entry(f"u{number}", number, days=number // 2) for number in range(5)]

    def shown(after: str) -> list[str]:
        page = deletions_client.get(PAGE, {"after": after}).text
        return [entry.name for entry in entries if f"user {entry.name}," in page]

    assert shown("") == ["u0", "u1"]
    after = f"{entries[1].day},{entries[1].pk}"
    entries[0].delete()
    assert shown(after) == ["u2", "u3"]
    assert shown(f"{entries[3].day},{entries[3].pk}") == ["u4"]
    assert shown("nonsense") == shown("2026-99-99,1") == shown("2026-12-01," + "9" * 40) == ["u1", "u2"]


def test_what_is_ticked_is_taken_off_by_a_run_in_ones_own_name(deletions_client: Client, make_entry: MakeEntry) -> None:
    ann, bob = make_entry("ann", 1), make_entry("bob", 2)
    deleting = make_entry("eve", 3, state="deleting")

    answer = deletions_client.post(
        TAKE_OFF, {"entry": [ann.pk, deleting.pk, "x"], "do": "chosen", "q": "", "after": "2026-11-01,3"}, follow=True
    )  # fmt: skip

    run = SyncRun.objects.get(origin="grace_end")
    assert answer.redirect_chain[-1][0] == "/deletions/?after=2026-11-01%2C3"
    assert f'<a href="/runs/{run.pk}/">Run {run.pk}</a> takes them off the list.' in answer.text
    assert (run.owner, run.requested_by) == (person_of(deletions_client), person_of(deletions_client))
    assert (run.processor, run.options["primaryidentity"], run.options["gracedays"]) == ("users_delete", "id", 0)
    assert CommandFile.objects.get(runs=run).processor == "users_delete"
    states = {entry.name: entry.state for entry in GraceEntry.objects.all()}
    assert states == {"ann": "ending", "bob": "waiting", "eve": "deleting"}
    assert bob.is_open


def test_all_that_were_found_are_taken_off_by_one_run_of_each_file_type(
    deletions_client: Client, make_entry: MakeEntry
) -> None:
    make_entry("ann", 1)
    make_entry("hans", 2)
    make_entry("AN1", 3, table="course")
    make_entry("bob", 4)
    deletions_client.post(TAKE_OFF, {"do": "all", "q": "an"})
    assert {run.processor for run in SyncRun.objects.filter(origin="grace_end")} == {"users_delete", "courses_delete"}
    assert [entry.name for entry in GraceEntry.objects.filter(state="waiting")] == ["bob"]


def test_what_a_run_is_about_to_end_can_t_be_taken_off(deletions_client: Client, make_entry: MakeEntry) -> None:
    entry = make_entry("ann", 1, state="deleting")
    answer = deletions_client.post(TAKE_OFF, {"entry": [entry.pk]}, follow=True)
    assert "It is not on the list any more, or a run is about to delete it" in answer.text
    nothing = deletions_client.post(TAKE_OFF, {"do": "chosen"}, follow=True)
    assert "Choose first what is to be taken off the list." in nothing.text
    assert not SyncRun.objects.filter(origin="grace_end").exists()


def test_taking_off_needs_a_right_of_its_own(client_with: Callable[..., Client], make_entry: MakeEntry) -> None:
    entry = make_entry("ann", 1)
    course = make_entry("C1", 2, table="course")
    assert client_with("run_users_delete").post(TAKE_OFF, {"entry": [entry.pk]}).status_code == 403
    client_with("run_users_delete", "end_grace").post(TAKE_OFF, {"entry": [course.pk]})
    assert not SyncRun.objects.filter(origin="grace_end").exists()


def test_the_command_shows_the_list_and_takes_off(make_entry: MakeEntry, capsys: pytest.CaptureFixture[str]) -> None:
    entry = make_entry("ann", 1)
    make_entry("C1", 2, table="course")
    call_command("deletions", table="user")
    assert capsys.readouterr().out == f"2026-12-01\tuser\t1\tann\twaiting\trun {entry.run_id}, line 7\n"
    call_command("deletions", search="ann", take_off=True)
    run = SyncRun.objects.get(origin="grace_end")
    assert (run.processor, run.owner_name, run.requested_by) == ("users_delete", "", None)
    assert capsys.readouterr().out.startswith(f"Run {run.pk} takes off")
