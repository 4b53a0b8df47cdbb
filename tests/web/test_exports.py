"""The pages of exports: what they offer to whom, and that a file comes."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from sync.models import MoodleSite, ProcessorSettings
from sync.processors.registry import REGISTRY
from sync.runs.exports import sampler_of
from tests.moodle_sites import MoodleSite as Moodle
from tests.support import run_file


@pytest.fixture
def moodle(sqlite_site: Moodle, settings: Settings) -> Moodle:
    settings.TOOLSYNC_MOODLE_URL = sqlite_site.url
    return sqlite_site


def test_people_are_exported_only_by_those_who_may_look_at_them(
    moodle: Moodle, users_client: Client, client_with: Callable[..., Client]
) -> None:
    export = reverse("export", args=["users"])
    assert export not in users_client.get(reverse("exports")).text
    assert export not in users_client.get(reverse("tool", args=["users"])).text
    both = client_with("run_users", "view_people")
    assert export in both.get(reverse("exports")).text
    assert export in both.get(reverse("tool", args=["users"])).text
    assert reverse("export", args=["courses"]) in client_with("run_courses").get(reverse("exports")).text


def test_a_file_is_exported_as_the_stored_options_say(
    moodle: Moodle, site: MoodleSite, client_with: Callable[..., Client]
) -> None:
    values: dict[str, Any] = {"courseidentifier": "idnumber", "separator": ","}
    ProcessorSettings.objects.create(site=site, processor="groups", values=values)
    moodle.insert("groups", courseid=moodle.ids["C1"], name="Blue, light", idnumber="B")
    client = client_with("run_groups")
    assert "<code>idnumber</code>" in client.get(reverse("export", args=["groups"])).text

    answer = client.get(reverse("export_file", args=["groups"]), {"courses": "C*"})

    content = answer.getvalue()
    assert 'filename="groups_export_' in answer["Content-Disposition"]
    assert content.decode("utf-8-sig").splitlines()[1] == 'group,IDC1,"Blue, light",B,B,,0,'
    again = run_file(moodle, "groups", content, simulate=True, **values)
    assert again.counts == {"unchanged": 1}


def test_a_sample_of_this_moodle_works_in_it(moodle: Moodle, client_with: Callable[..., Client]) -> None:
    for number in range(9):
        moodle.insert("groups", courseid=moodle.ids["C1"], name=f"G{number}", idnumber=f"I{number}")
    moodle.execute("UPDATE {user} SET suspended = 1 WHERE id = :id", id=moodle.ids["ann"])
    without = {key for key, processor in REGISTRY.items() if sampler_of(processor) is None}
    assert without == {"users_delete", "courses_delete", "categories_delete", "userpictures"}
    keys = REGISTRY.keys() - without
    client = client_with("view_people", *(f"run_{key}" for key in REGISTRY))
    counts = {}
    for key in keys:
        content = client.get(reverse("moodle_sample", args=[key])).getvalue()
        counts[key] = run_file(moodle, key, content).counts
    assert all(found in ({}, {"unchanged": found.get("unchanged")}) for found in counts.values()), counts
    assert (counts["groups"], counts["users_suspend"]) == ({"unchanged": 5}, {"unchanged": 1})
    assert all(counts[key] for key in ("users", "users_restore", "courses", "courses_check", "courses_reset"))
    assert client.get(reverse("moodle_sample", args=["users_delete"])).status_code == 404


def test_the_shell_writes_the_same_file(moodle: Moodle, site: MoodleSite, tmp_path: Path) -> None:
    out, err = tmp_path / "users.csv", StringIO()
    call_command("export", "users", str(out), auth="manual", stderr=err)
    assert b"ann" in out.read_bytes()
    assert "rows written, 0 left out" in err.getvalue()
    with pytest.raises(CommandError, match="category"):
        call_command("export", "users", str(out), category=1)
