from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from sync.models import CommandFile, MoodleSite, ProcessorSettings, SyncRun
from sync.runs.services import execute_run
from tests.moodle_sites import MoodleSite as Moodle
from tests.processors.categories.test_categories_delete import add_category

PAGE = "/categories/empty/"


@pytest.fixture
def moodle(sqlite_site: Moodle, settings: Settings) -> Moodle:
    settings.TOOLSYNC_MOODLE_URL = sqlite_site.url
    return sqlite_site


@pytest.fixture
def categories_client(client_with: Callable[..., Client]) -> Client:
    return client_with("run_categories_delete")


def names(moodle: Moodle) -> set[str]:
    return {row["name"] for row in moodle.rows("course_categories")}


def test_what_would_go_is_shown_and_why_the_rest_stays(moodle: Moodle, categories_client: Client) -> None:
    a = add_category(moodle, "A <1>")
    add_category(moodle, "B", a)

    leaves = categories_client.get(PAGE).text
    branches = categories_client.get(PAGE, {"branches": "on"}).text

    assert "A &lt;1&gt; / B</th>" in leaves
    assert "Delete 1 category" in leaves
    assert "It holds 1 other category: B." in leaves
    assert "It holds 2 courses." in leaves
    assert "Delete 2 categories" in branches
    assert '<a class="nav-link active" href="/moodle/" aria-current="true">Moodle</a>' in branches
    assert {"A <1>", "B"} <= names(moodle)


def test_what_was_confirmed_goes_and_what_was_filled_or_emptied_meanwhile_stays(
    moodle: Moodle, categories_client: Client, site: MoodleSite
) -> None:
    ProcessorSettings.objects.create(site=site, processor="categories_delete", values={"separator": ","})
    going, filled, filled_late, new = (add_category(moodle, name) for name in ("Größe; x", "F", "L", "N"))
    moodle.execute("UPDATE {course} SET category = :filled WHERE shortname = 'C1'", filled=filled)

    answer = categories_client.post(f"{PAGE}?branches=on", {"categories": f"{filled_late},{going},{filled}"})

    run = SyncRun.objects.get()
    assert answer.headers["Location"] == f"/runs/{run.pk}/"
    file = CommandFile.objects.get()
    assert (file.processor, run.processor, run.simulate) == ("categories_delete", "categories_delete", False)
    moodle.execute("UPDATE {course} SET category = :late WHERE shortname = 'C2'", late=filled_late)
    run = execute_run(run.pk)
    assert run.counts == {"deleted": 1, "rejected": 1}
    assert {"report", "tryback"} <= {kept.kind for kept in run.files.all()}
    assert names(moodle) >= {"F", "L", "N"}
    assert moodle.rows("course_categories", id=going) == []
    assert moodle.rows("course_categories", id=new) != []


def test_without_anything_left_to_delete_the_page_says_so(moodle: Moodle, categories_client: Client) -> None:
    answer = categories_client.post(PAGE, {"categories": "1,x,"}, follow=True)
    assert "Nothing of what was shown is empty any more." in answer.text
    assert "There is no empty category here." in answer.text
    assert not SyncRun.objects.exists()


def test_an_unknown_start_shows_nothing_to_delete(moodle: Moodle, categories_client: Client) -> None:
    add_category(moodle, "A")
    assert "Delete" not in categories_client.get(PAGE, {"start": "77"}).text


def test_a_moodle_that_is_away_is_said_in_a_sentence(
    categories_client: Client, settings: Settings, tmp_path: Path
) -> None:
    settings.TOOLSYNC_MOODLE_URL = f"sqlite:///{tmp_path}/none.sqlite3"
    answer = categories_client.post(PAGE)
    assert answer.status_code == 503
    assert "answer (…)" in answer.text
