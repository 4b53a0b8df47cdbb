"""The commands around a run: plan, apply, runs, showrun, retryrun, outcomes, schedules, sources, sites."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from sync.models import MoodleSite, RunState, Schedule, SequenceRun, SyncRun
from sync.processors.registry import KEYS
from sync.runs import services
from tests.installation import Installation

HEADER = "username;firstname;lastname;email\n"
GOOD = "bob;Bob;King;bob@x.org\n"
BAD = "eve;Eve;Fox;no\n"


def call(*words: str) -> tuple[int, str]:
    """Return the exit status of a command and what it wrote to standard output."""
    out = io.StringIO()
    try:
        call_command(*words, stdout=out, stderr=io.StringIO())
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


def told(*words: str) -> Any:
    """Return the JSON of a command."""
    return json.loads(call(*words, "--json")[1].splitlines()[-1])


@pytest.fixture
def here(tmp_path: Path) -> Path:
    path = tmp_path / "in.csv"
    path.write_text(HEADER + GOOD + BAD)
    return path


def test_a_plan_writes_nothing_and_is_applied_once(installation: Installation, here: Path) -> None:
    before = installation.moodle.snapshot()
    status, text = call("plan", "users", str(here))
    plan = SyncRun.objects.get()
    assert (status, plan.simulate, plan.origin) == (1, True, SyncRun.Origin.SHELL)
    assert "1 user created" in text
    assert installation.moodle.diff(before, installation.moodle.snapshot()) == {}

    # Another file of this name doesn't take the place of the one that was planned.
    here.write_text(HEADER + "amy;Amy;Ash;amy@x.org\n")
    call("plan", "users", str(here))
    assert call("apply", str(plan.pk))[0] == 1
    run = SyncRun.objects.get(plan=plan)
    assert run.counts == {"created": 1, "rejected": 1}
    status, text = call("apply", str(plan.pk))
    assert (status, f"run {run.pk}" in text) == (3, True)


def test_what_takes_away_much_is_applied_with_its_number(installation: Installation, here: Path) -> None:
    people = [f"u{number}" for number in range(25)]
    installation.carry_out("/in.csv", HEADER + "".join(f"{name};U;N;{name}@x.org\n" for name in people))
    here.write_text("username\n" + "\n".join(people))
    plan = told("plan", "users_delete", str(here), "--option", "primaryidentity=username")["run"]
    assert call("apply", str(plan))[0] == 3
    assert call("apply", str(plan), "--number", "25")[0] == 0
    assert SyncRun.objects.get(plan=plan).counts == {"deleted": 25}


@pytest.mark.parametrize("command", ["apply", "showrun", "retryrun", "outcomes"])
def test_an_unknown_run_is_said(installation: Installation, command: str) -> None:
    assert call(command, "4711") == (3, "There is no run 4711.")


def test_a_plan_that_isnt_one_is_not_applied(installation: Installation) -> None:
    run = installation.carry_out("/in.csv", HEADER + GOOD)
    assert call("apply", str(run.pk))[0] == 3


def test_runs_are_listed_the_last_one_first(installation: Installation) -> None:
    first = installation.carry_out("/in.csv", HEADER + GOOD + BAD)
    second = installation.carry_out("/two.csv", HEADER + GOOD, simulate=True)
    lines = call("runs")[1].splitlines()
    assert [line.split("\t")[0] for line in lines] == [f"plan {second.pk}", f"run {first.pk}"]
    assert lines[1].split("\t")[5] == "1 created, 1 rejected"
    assert [run["run"] for run in told("runs", "--plans")] == [second.pk]
    assert [run["run"] for run in told("runs", "--state", "completed_with_rejections")] == [first.pk]
    assert told("runs", "--type", "courses") == []
    assert len(told("runs", "--most", "1")) == 1


def test_one_run_is_shown_with_its_numbers_and_files(installation: Installation) -> None:
    run = installation.carry_out("/in.csv", HEADER + GOOD + BAD)
    status, text = call("showrun", str(run.pk))
    assert (status, "Completed with rejections" in text, "1 created, 1 rejected" in text) == (0, True, True)
    assert call("showrun", str(run.pk), "--follow")[0] == 1
    facts = told("showrun", str(run.pk))
    assert (facts["type"], facts["site"], facts["rows_done"], facts["file"]) == ("users", "main", 2, "/in.csv")
    assert Path(facts["tryback"]).exists()


def test_a_run_that_waits_says_why(installation: Installation, settings: Settings) -> None:
    settings.TOOLSYNC_GUARD = True
    people = [f"u{number}" for number in range(30)]
    installation.carry_out("/in.csv", HEADER + "".join(f"{name};U;N;{name}@x.org\n" for name in people))
    run = installation.carry_out("/gone.csv", "username\n" + "\n".join(people), processor="users_delete")
    assert run.state == RunState.HELD
    status, text = call("showrun", str(run.pk), "--follow")
    assert (status, "30 users deleted: that is" in text) == (4, True)


def test_a_cancelled_run_goes_on_and_failed_rows_are_sent_again(installation: Installation) -> None:
    run = installation.queue("/in.csv", HEADER + GOOD + BAD)
    services.cancel_run(run)
    assert call("retryrun", str(run.pk))[0] == 1
    run.refresh_from_db()
    assert run.counts == {"created": 1, "rejected": 1}

    assert call("retryrun", str(run.pk))[0] == 1
    again = SyncRun.objects.latest("pk")
    assert (again.pk != run.pk, again.counts) == (True, {"rejected": 1})


def test_a_run_without_failed_rows_has_nothing_to_retry(installation: Installation) -> None:
    run = installation.carry_out("/in.csv", HEADER + GOOD)
    status, text = call("retryrun", str(run.pk))
    assert (status, "has no tryback" in text) == (3, True)


def test_outcomes_are_searched(installation: Installation) -> None:
    run = installation.carry_out("/in.csv", HEADER + GOOD + BAD)
    lines = call("outcomes", str(run.pk))[1].splitlines()
    assert [line.split("\t")[:3] for line in lines] == [
        ["2", "created", "account_created"],
        ["3", "rejected", "value_not_email"],
    ]
    facts = [
        json.loads(line) for line in call("outcomes", str(run.pk), "--action", "rejected", "--json")[1].splitlines()
    ]
    assert [(row["line"], row["subject"], row["changes"]) for row in facts] == [(3, "eve", [])]
    assert call("outcomes", str(run.pk), "--text", "bob", "--column", "email")[1].count("\n") <= 1
    assert call("outcomes", str(run.pk), "--most", "1")[1].count("\n") == 1


def test_schedules_are_switched_and_started(installation: Installation) -> None:
    schedule = Schedule.objects.filter(site=installation.site).first()
    assert schedule is not None
    number = str(schedule.pk)
    assert {facts["on"] for facts in told("schedules")} == {False}
    assert call("schedules", "--on", number)[0] == 0
    found = next(facts for facts in told("schedules") if facts["schedule"] == schedule.pk)
    assert (found["on"], found["next_start"] is not None) == (True, True)
    call("schedules", "--off", number)
    schedule.refresh_from_db()
    assert (schedule.enabled, schedule.next_at) == (False, None)
    assert call("schedules", "--start", number)[0] == 0
    assert SequenceRun.objects.get().schedule_id == schedule.pk
    # It is under way.
    assert call("schedules", "--start", number)[0] == 3
    assert call("schedules", "--on", "4711")[0] == 3


def test_sources_are_listed_and_looked_at(installation: Installation) -> None:
    installation.put("/userimport.csv", HEADER + GOOD)
    listed = {facts["type"]: facts["kind"] for facts in told("sources")}
    assert (listed["users"], len(listed)) == ("area", len(KEYS))
    assert call("sources", "users")[1].startswith("taken\t/userimport.csv\t")
    assert "Nothing is there" in call("sources", "courses")[1]
    assert SyncRun.objects.count() == 0


def test_sites_are_listed_and_checked(installation: Installation) -> None:
    MoodleSite.objects.create(slug="other", name="Other")
    assert [facts["site"] for facts in told("sites")] == ["main", "other"]
    assert call("sites", "--check")[0] == 0


def test_a_site_that_doesnt_answer_is_status_one(
    installation: Installation, settings: Settings, tmp_path: Path
) -> None:
    settings.TOOLSYNC_MOODLE_URL = f"sqlite:///{tmp_path}/away.sqlite3"
    status, text = call("sites", "--check")
    assert (status, "doesn't answer" in text) == (1, True)


@pytest.mark.parametrize("command", ["plan", "runs", "schedules", "sources"])
def test_an_unknown_site_is_named_with_those_there_are(installation: Installation, here: Path, command: str) -> None:
    more = ("users", str(here)) if command == "plan" else ()
    status, text = call(command, *more, "--site", "moon")
    assert (status, "Sites: main" in text) == (3, True)
