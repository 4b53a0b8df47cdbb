"""Calls leave the rows that the old plugin itself left, recorded as it answered the same client (see docs/web-services.md)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.contrib.auth.models import User
from pytest_django.live_server_helper import LiveServer

from sync.api.moodle_protocol.registry import FUNCTIONS
from sync.models import RoleAssignment, Scope
from sync.people.tokens import make_token
from sync.takeover.findings import Fate
from sync.takeover.options import option_items
from sync.takeover.places import source_items
from tests.api.moodle_client import MoodleClient
from tests.api.plugin_calls import CASES, Calls, add_base_of_calls, carry_out
from tests.installation import Installation
from tests.installation_fixture import installation_everywhere
from tests.moodle_sites import MoodleSite
from tests.processors.enrolment_people import STUDENT, roles

__all__ = ["installation_everywhere"]

# The version that was recorded.
ON_RECORDED_VERSION = pytest.mark.parametrize("moodle_site", ["sqlite:4.1"], indirect=True)

ANSWERS = "answers"
# Of methods that are bound: written here as Moodle's own API writes them, while the plugin leaves them out.
LEFT_OUT_BY_THE_PLUGIN = frozenset(("name", "sortorder", "timecreated", "timemodified", "customint3", "customint4"))


@cache
def recorded() -> dict[str, dict[str, Any]]:
    """Return what the plugin did, by the name of the case.

    Shape: answers, rows; by_next_task: rows once Moodle's next task had run; mended: the same of the plugin without the fault
    that `fault` names
    """
    found: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("plugin_rows.json").read_text())
    return found


@pytest.fixture
def moodle(installation_everywhere: Installation) -> Iterator[MoodleSite]:
    """The Moodle with the people, courses and cohorts of the calls; put back after each of them."""
    site = installation_everywhere.moodle
    add_base_of_calls(site)
    with site.template_kept():
        site.keep_as_template()
        yield site


@pytest.fixture
def client(
    installation_everywhere: Installation, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> MoodleClient:
    monkeypatch.setattr(current_app.conf, "task_always_eager", True)
    person = User.objects.create_user("caller")
    ours = installation_everywhere.site
    RoleAssignment.objects.create(person=person, site=ours, role="administrator", file_types=[])
    made = make_token(person, ours, person, name="old script", scopes=tuple(Scope), file_types=(), days=30)
    return MoodleClient(live_server.url, made.secret)


@ON_RECORDED_VERSION
@pytest.mark.parametrize("function", [name.removeprefix("tool_sync_") for name in FUNCTIONS])
def test_calls_leave_the_rows_of_the_plugin(moodle: MoodleSite, client: MoodleClient, function: str) -> None:
    wrong: dict[str, Any] = {}
    for case in CASES:
        if case.steps[-1][0] == function:
            found = differences(case, *carry_out(case, moodle, client))
            if not (ANSWERS in found if "everything" in case.differs else found.keys() == case.differs.keys()):
                wrong[case.name] = found or f"no difference in {[*case.differs]}"
            moodle.restore_template()
    assert not wrong, json.dumps(wrong, indent=1)


def differences(case: Calls, answers: list[Any], rows: dict[str, Any]) -> dict[str, Any]:
    """Return the tables whose rows are others, with the plugin's and ours; "answers" where these are."""
    done = recorded()[case.name]
    done = done.get("mended", done)
    theirs = {**comparable(done.get("by_next_task", done["rows"])), ANSWERS: done[ANSWERS]}
    ours = {**comparable(rows), ANSWERS: answers}
    return {
        part: {"plugin": theirs.get(part), "ours": ours.get(part)}
        for part in sorted({*theirs, *ours})
        if theirs.get(part) != ours.get(part)
    }


def comparable(rows: dict[str, Any]) -> dict[str, Any]:
    methods = rows.get("enrol", {})
    if "inserted" not in methods:
        return rows
    bound = [
        {column: value for column, value in row.items() if column not in LEFT_OUT_BY_THE_PLUGIN}
        for row in methods["inserted"]
    ]
    return {**rows, "enrol": {**methods, "inserted": bound}}


@ON_RECORDED_VERSION
def test_settings_are_those_that_would_be_taken_over(
    moodle: MoodleSite, client: MoodleClient, installation_everywhere: Installation
) -> None:
    fates: dict[str, set[Fate]] = {}
    for done in recorded().values():
        for row in done["rows"].get("config_plugins", {}).get("inserted", ()):
            service, _line, key = row["name"].partition("_")
            client.call("tool_sync_set_config", service=service, confkey=key, confvalue=row["value"])
            setting, ours = {row["name"]: row["value"]}, installation_everywhere.site
            items = [*option_items(ours, setting)[0], *source_items(ours, setting)[0]]
            fates[row["name"]] = {item.fate for item in items if item.name == row["name"]}
    assert len(fates) == 17
    assert fates.pop("cohorts_syncdelete") == {Fate.LEFT}
    assert {name for name, found in fates.items() if found != {Fate.SAME}} == set()


@pytest.mark.parametrize("moodle_site", ["mariadb:4.1"], indirect=True)
def test_names_are_compared_as_the_server_of_moodle_does(moodle: MoodleSite, client: MoodleClient) -> None:
    capitals = {
        "roleidsource": "shortname", "roleid": "Student", "useridsource": "username", "userid": "BOB",
        "courseidsource": "shortname", "courseid": "c1",
    }  # fmt: skip
    assert client.call("tool_sync_enrol_user_enrol", **capitals) is True
    assert roles(moodle, "bob") == [(STUDENT, "", 0)]


def test_every_function_is_compared() -> None:
    assert {f"tool_sync_{step[0]}" for case in CASES for step in case.steps} == {*FUNCTIONS}
    assert [case.name for case in CASES] == [*recorded()]
