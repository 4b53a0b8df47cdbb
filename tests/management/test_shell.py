"""The commands around a run: plan, apply, runs, showrun, retryrun, outcomes, schedules, sources, sites."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from pytest_django import Settings

from sync.models import CommandFile, GuardLimits, MoodleSite, RunState, Schedule, SequenceRun, SyncRun
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


def test_a_file_is_planned_and_applied_on_several_sites_or_on_none(installation: Installation, here: Path) -> None:
    north = MoodleSite.objects.create(slug="north", name="North")
    MoodleSite.objects.create(slug="old", name="Old", in_use=False)
    both = ("--site", "main", "--site", "north")
    kept = set(Path(storages["files"].location).rglob("*"))  # type: ignore[attr-defined]
    for wrong in (
        ("--site", "main", "--site", "old"), ("--site", "main", "--site", "main"), ("--site", "nowhere"),
        (*both, "--mapping", "5"), (*both, "--mapping", "old=none"), (*both, "--mapping", "north=9999999999999999999999"),
        (*both, "--also", "north"),
    ):  # fmt: skip
        assert call("plan", "users", str(here), *wrong)[0] == 3, wrong
        assert not SyncRun.objects.exists()
        assert not CommandFile.objects.exists()
    assert {path for path in Path(storages["files"].location).rglob("*") if path.is_file()} <= kept  # type: ignore[attr-defined]

    # The second one has no connection of its own, so it is the same Moodle.
    status, text = call("plan", "users", str(here), *both, "--mapping", "north=none")
    main, other = SyncRun.objects.order_by("pk")
    assert (status, main.state, other.site, other.mapping) == (1, RunState.COMPLETED_WITH_REJECTIONS, north, {})
    assert "North:" in text
    SyncRun.objects.filter(pk=other.pk).update(state=RunState.ERRORED)
    assert call("apply", str(main.pk), *both)[0] == 3
    assert call("apply", str(main.pk), "--site", "main", "--number", "north=3")[0] == 3
    assert not SyncRun.objects.filter(simulate=False).exists()
    SyncRun.objects.filter(pk=other.pk).update(state=RunState.COMPLETED_WITH_REJECTIONS)
    assert call("apply", str(main.pk), *both)[0] >= 1
    assert SyncRun.objects.get(plan=main).counts == {"created": 1, "rejected": 1}
    assert SyncRun.objects.get(plan=other).site == north


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
    assert call("schedules", "--on", number, "--tell-nobody")[0] == 0
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


@pytest.fixture
def feed(installation: Installation) -> Schedule:
    return Schedule.objects.filter(site=installation.site, processors=["users"])[0]


def switched_on(feed: Schedule, *words: str) -> tuple[int, str, str]:
    """Switch a feed on; return status, what was said to who stands there, and who is told by then."""
    out, err = io.StringIO(), io.StringIO()
    status = 0
    try:
        call_command("schedules", "--on", str(feed.pk), *words, stdout=out, stderr=err)
    except CommandError as error:
        status = error.returncode
        err.write(str(error))
    feed.refresh_from_db()
    return status, err.getvalue(), ", ".join(feed.recipients)


def test_a_feed_is_not_switched_on_before_it_is_said_who_is_told(feed: Schedule) -> None:
    status, said, _told = switched_on(feed, "--no-input")
    assert (status, feed.enabled) == (3, False)
    assert "--tell ADDRESS, --tell-nobody" in said
    status, said, addresses = switched_on(feed, "--tell", "a@x.org, b@x.org", "--tell", "c@x.org", "--digest", "06:30")
    assert (status, feed.enabled, addresses) == (0, True, "a@x.org, b@x.org, c@x.org")
    assert f"Schedule {feed.pk} is on. Told: a@x.org, b@x.org, c@x.org. The digest comes at 06:30." in said
    found = next(facts for facts in told("schedules") if facts["schedule"] == feed.pk)
    assert (found["recipients"], found["digest"], found["attach_report"]) == (feed.recipients, "06:30", False)
    # It was said once: the next time it needs no answer, and one is a change.
    call("schedules", "--off", str(feed.pk))
    assert switched_on(feed, "--no-input")[0] == 0
    status, said, addresses = switched_on(feed, "--digest", "end", "--attach-report")
    assert (status, addresses, feed.digest_at_end, feed.attach_report) == (0, "a@x.org, b@x.org, c@x.org", True, True)
    assert "as soon as a start is over, with the reports" in said
    status, said, addresses = switched_on(feed, "--tell-nobody")
    assert (status, addresses) == (0, "")
    assert "Nobody is told of it." in said


@pytest.mark.parametrize(
    "words",
    [
        ("--tell", "no address"), ("--tell", "a@x.org", "--digest", "25:00"), ("--digest", "end"),
        ("--tell", "a@x.org", "--tell-nobody"),
    ],
)  # fmt: skip
def test_an_answer_that_can_not_be_switches_nothing_on(feed: Schedule, words: tuple[str, ...]) -> None:
    assert switched_on(feed, *words)[0] != 0
    assert not feed.enabled
    assert call("schedules", *words)[0] != 0


def test_who_stands_there_is_asked_as_the_page_asks(
    feed: Schedule, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TOOLSYNC_GUARD = False
    asked: list[str] = []
    answers = iter(["it@x.org", "end", "y", ""])

    def answer(question: str) -> str:
        asked.append(question)
        return next(answers)

    monkeypatch.setattr("builtins.input", answer)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    status, said, addresses = switched_on(feed)
    assert (status, addresses, feed.digest_at_end, feed.attach_report) == (0, "it@x.org", True, True)
    assert len(asked) == 4
    assert "Nothing is ever held of: Users" in said
    assert GuardLimits.objects.get(site=feed.site, processor="users").is_on
    # It is on: nothing is asked again.
    assert switched_on(feed)[0] == 0
    assert len(asked) == 4


def test_limits_are_left_as_they_are_when_that_is_said(feed: Schedule, settings: Settings) -> None:
    settings.TOOLSYNC_GUARD = False
    status, said, _told = switched_on(feed, "--tell-nobody", "--limits", "leave")
    assert status == 0
    assert "Nothing is ever held of: Users" in said
    assert not GuardLimits.objects.exists()


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
