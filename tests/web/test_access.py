"""Who gets which answer from every address of the site."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta
from typing import NamedTuple

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from sync.models import FreezeWindow, MoodleSite, SequenceRun
from sync.runs.scheduling import ScheduleChoice, save_schedule
from sync.web.urls import urlpatterns
from tests.web.conftest import MakeFile, MakeRun, keep_run_file


class Place(NamedTuple):
    """One address.

    Shape: needs: the permission that opens it; also: others that it takes; closed: the answer without; opened: with them
    """

    name: str
    args: tuple[str, ...] = ()
    needs: str = "run_users"
    also: tuple[str, ...] = ()
    method: str = "get"
    closed: int = 404
    opened: int = 200


PLACES = (
    Place("home", closed=403),
    Place("moodle_state", closed=403),
    Place("files", needs="manage_files", closed=403),
    Place("file_download", ("file",), needs="manage_files", closed=403),
    Place("file_use", ("file",), needs="manage_files", closed=403),
    Place("file_delete", ("file",), needs="manage_files", closed=403),
    Place("tool", ("users",)),
    Place("tool_preview", ("users",)),
    Place("tool_template", ("users",)),
    Place("tool_sample", ("users",)),
    # There is no Moodle here: the page says so.
    Place("courses", needs="run_courses_delete", opened=503),
    Place("courses_choose", needs="run_courses_delete", method="post", opened=302),
    Place("course_file", ("courses_delete",), needs="run_courses_delete", opened=302),
    Place("empty_categories", needs="run_categories_delete", opened=503),
    Place("sources", needs="manage_sources", closed=403),
    Place("source", ("users",), needs="manage_sources", also=("run_users",), closed=403),
    Place("source_look", ("users",), needs="manage_sources", also=("run_users",), method="post", closed=403),
    Place("schedules", needs="manage_schedules", closed=403),
    Place("schedule_new", needs="manage_schedules", closed=403),
    Place("schedule", ("schedule",), needs="manage_schedules", also=("run_users",), closed=403),
    *(
        Place(name, (of,), needs="manage_schedules", also=("run_users",), method="post", closed=403, opened=302)
        for name, of in (
            ("schedule_switch", "schedule"),
            ("schedule_start", "schedule"),
            ("schedule_delete", "schedule"),
            ("unfreeze", "window"),
        )
    ),
    Place("freeze", needs="manage_schedules", method="post", closed=403),
    Place("tellings", needs="manage_telling", closed=403),
    Place("telling", ("users",), needs="manage_telling", also=("run_users",), closed=403),
    Place(
        "telling_delete", ("users",), needs="manage_telling", also=("run_users",), method="post", closed=403, opened=302
    ),
    # They concern every tool, and this person may use one.
    Place("webhook", needs="manage_telling", also=("run_users",), method="post", closed=403, opened=404),
    Place("webhook_delete", needs="manage_telling", also=("run_users",), method="post", closed=403, opened=404),
    Place("settings", needs="manage_retention", closed=403),
    Place("sequence_run", ("sequence",)),
    Place("sequence_cancel", ("sequence",), method="post", opened=302),
    Place("runs", closed=200),
    Place("run", ("run",)),
    Place("run_progress", ("run",)),
    Place("run_outcomes", ("run",)),
    Place("run_report", ("run",)),
    Place("run_file", ("run", "tryback")),
    Place("run_cancel", ("run",), method="post", opened=302),
    Place("run_resume", ("run",), method="post", opened=302),
    Place("run_for_real", ("run",), method="post", opened=302),
)
PUBLIC = {"healthz"}


def without_a_person(site: MoodleSite) -> dict[str, int]:
    schedule = save_schedule(site, ScheduleChoice(["users"], at=time(2, 15)))
    now = timezone.now()
    window = FreezeWindow.objects.create(site=site, starts_at=now, ends_at=now + timedelta(hours=1))
    sequence = SequenceRun.objects.create(site=site, processors=["users"])
    return {"schedule": schedule.pk, "window": window.pk, "sequence": sequence.pk}


Ask = Callable[[Client, Place], int]
each_place = pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)


@pytest.fixture
def ask(site: MoodleSite, make_file: MakeFile, make_run: MakeRun) -> Ask:
    file, run = make_file(), make_run()
    keep_run_file(run, "report")
    keep_run_file(run, "tryback")
    ids = {"file": file.pk, "run": run.pk, **without_a_person(site)}

    def ask(client: Client, place: Place) -> int:
        url = reverse(place.name, args=[ids.get(arg, arg) for arg in place.args])
        answer = getattr(client, place.method)(url)
        answer.close()
        return answer.status_code

    return ask


def test_the_matrix_knows_every_address() -> None:
    assert {pattern.name for pattern in urlpatterns} == {place.name for place in PLACES} | PUBLIC


@each_place
def test_a_stranger_is_sent_to_the_login(place: Place, ask: Ask) -> None:
    assert ask(Client(), place) == 302


@each_place
def test_without_the_permission_it_is_closed(place: Place, ask: Ask, client_with: Callable[..., Client]) -> None:
    assert ask(client_with(), place) == place.closed


@each_place
def test_with_the_permission_it_opens(place: Place, ask: Ask, client_with: Callable[..., Client]) -> None:
    assert ask(client_with(place.needs, *place.also), place) == place.opened


@pytest.mark.parametrize("name", ["tool", "tool_preview", "tool_template", "tool_sample"])
def test_the_permission_for_one_tool_doesnt_open_another(name: str, users_client: Client) -> None:
    assert users_client.get(reverse(name, args=["users_delete"])).status_code == 404


@pytest.mark.parametrize("kind", ["report", "tryback", "archive"])
def test_files_of_a_run_are_only_for_people_of_its_tool(
    kind: str, make_run: MakeRun, users_client: Client, client_with: Callable[..., Client]
) -> None:
    run = make_run(processor="users_delete")
    keep_run_file(run, kind)
    url = reverse("run_file", args=[run.pk, kind])
    assert users_client.get(url).status_code == 404
    answer = client_with("run_users_delete").get(url)
    answer.close()
    assert answer.status_code == 200


def test_the_journal_of_a_run_is_never_handed_out(make_run: MakeRun, users_client: Client) -> None:
    run = make_run()
    keep_run_file(run, "journal")
    assert users_client.get(reverse("run_file", args=[run.pk, "journal"])).status_code == 404


@pytest.mark.parametrize("name", ["run_cancel", "run_resume", "run_for_real"])
def test_what_changes_something_needs_a_post(name: str, make_run: MakeRun, users_client: Client) -> None:
    assert users_client.get(reverse(name, args=[make_run().pk])).status_code == 405


@pytest.mark.parametrize("name", ["tool", "files"])
def test_a_post_without_csrf_token_is_refused(name: str, full_client: Client) -> None:
    strict = Client(enforce_csrf_checks=True, headers={})
    strict.cookies = full_client.cookies
    assert strict.post(reverse(name, args=["users"] if name == "tool" else [])).status_code == 403


def test_a_fragment_asks_for_the_whole_page_once_the_session_has_ended(make_run: MakeRun) -> None:
    answer = Client().get(reverse("run_progress", args=[make_run("running").pk]), headers={"HX-Request": "true"})
    assert answer.headers["HX-Refresh"] == "true"


def test_somebody_without_any_permission_is_told_whom_to_ask(
    client_with: Callable[..., Client], django_user_model: type
) -> None:
    django_user_model.objects.create_superuser("root", email="root@example.org", first_name="Grace", last_name="Hopper")
    answer = client_with().get(reverse("home"))
    assert answer.status_code == 403
    assert "Grace Hopper" in answer.text
    assert "root@example.org" in answer.text
