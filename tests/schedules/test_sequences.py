"""Sequences: the file types in order, what came for them, failures, and the turn that each run waits for."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from sync.errors import RunNotClaimable
from sync.models import CommandFile, FreezeWindow, ProcessorSettings, RunState, SequenceRun, SequenceState, SyncRun
from sync.processors.registry import REGISTRY
from sync.runs import services
from sync.runs.lease import claim_run
from sync.runs.source_settings import SourceChoice, save_source
from sync.schedules.sequences import (
    _files_of,
    cancel_sequence,
    carry_on_sequence,
    carry_on_sequences,
    in_order,
    steps_of,
)
from tests.installation import Installation

USERS = "username;firstname;lastname;email\nkim;Kim;Lee;kim@x.org\n"
ENROLMENTS = "cmd;rolename;uid;cid\nadd;student;kim;C1\n"
BROKEN = "nothing;that;is;known\n1;2;3;4\n"
TOOLS = ["users", "cohorts", "enrolments"]


@pytest.fixture(autouse=True)
def drop(settings: Settings, tmp_path: Path) -> None:
    settings.TOOLSYNC_DROP_FOLDER = str(tmp_path / "drop")
    (tmp_path / "drop").mkdir()
    settings.TOOLSYNC_SETTLE_SECONDS = 0


def start(installation: Installation, processors: list[str] | None = None, **values: Any) -> SequenceRun:
    return SequenceRun.objects.create(site=installation.site, processors=processors or TOOLS, **values)


def work(sequence: SequenceRun) -> None:
    """Do what the workers do, until there is nothing to do."""
    while True:
        carry_on_sequence(sequence.pk)
        run = sequence.runs.filter(state=RunState.QUEUED).order_by("pk").first()
        if run is None:
            break
        services.execute_run(run.pk)
    sequence.refresh_from_db()


def fates(sequence: SequenceRun) -> dict[str, str]:
    return {step.processor: step.state for step in steps_of(sequence)}


def test_the_order_is_that_of_the_dependencies() -> None:
    assert in_order(reversed(list(REGISTRY))) == list(REGISTRY)
    assert in_order(["enrolments", "unknown", "users", "users"]) == ["users", "enrolments"]


def test_each_tool_begins_when_the_one_before_is_over_and_sees_what_it_made(installation: Installation) -> None:
    installation.put("/userimport.csv", USERS)
    installation.put("/enrols.csv", ENROLMENTS)
    sequence = start(installation)
    carry_on_sequence(sequence.pk)
    carry_on_sequence(sequence.pk)
    run = sequence.runs.get()
    assert (run.processor, run.state, run.origin) == ("users", "queued", SyncRun.Origin.SEQUENCE)
    assert fates(SequenceRun.objects.get()) == {"users": "under_way", "cohorts": "waiting", "enrolments": "waiting"}
    work(sequence)
    assert sequence.state == SequenceState.COMPLETED
    assert sequence.finished_at is not None
    assert fates(sequence) == {"users": "done", "cohorts": "nothing_came", "enrolments": "done"}
    assert [(run.processor, run.counts) for run in sequence.runs.order_by("pk")] == [
        ("users", {"created": 1}), ("enrolments", {"created": 1})
    ]  # fmt: skip


def test_a_schedule_of_one_tool_takes_all_its_files_in_order(installation: Installation) -> None:
    for number in (2, 1):
        installation.put(f"/load_{number}.csv", USERS.replace("kim", f"kim{number}"))
    save_source(installation.site, "users", SourceChoice(location="load_*.csv", take_all=True))
    sequence = start(installation, ["users"])
    work(sequence)
    assert [(run.file_name, run.origin) for run in sequence.runs.order_by("pk")] == [
        ("load_1.csv", "schedule"), ("load_2.csv", "schedule")
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("stop", "state", "enrolments"),
    [(True, SequenceState.STOPPED, "left_out"), (False, SequenceState.FAILED, "done")],
)
def test_a_failure_stops_the_sequence_or_not_as_chosen(
    installation: Installation, stop: bool, state: str, enrolments: str
) -> None:
    installation.put("/userimport.csv", BROKEN)
    installation.put("/enrols.csv", ENROLMENTS.replace("kim", "nobody"))
    sequence = start(installation, stop_on_failure=stop)
    work(sequence)
    assert sequence.state == state
    assert fates(sequence)["users"] == "failed"
    assert fates(sequence)["enrolments"] == enrolments


def test_what_came_for_all_tools_is_planned_and_judged_together(
    installation: Installation, settings: Settings, tmp_path: Path
) -> None:
    settings.TOOLSYNC_GUARD = True
    for name, text in (("userimport.csv", USERS), ("enrols.csv", ENROLMENTS)):
        (tmp_path / "drop" / name).write_text(text)
    sequence = start(installation, together=True)
    carry_on_sequence(sequence.pk)
    users, enrolments = sequence.runs.order_by("pk")
    assert (users.state, enrolments.state) == (RunState.QUEUED, RunState.PENDING)
    assert fates(SequenceRun.objects.get()) == {
        "users": "under_way",
        "cohorts": "nothing_came",
        "enrolments": "under_way",
    }
    # Another worker that was told of it as well.
    carry_on_sequence(sequence.pk)
    carry_on_sequences()
    assert [run.state for run in sequence.runs.order_by("pk")] == [RunState.QUEUED, RunState.PENDING]

    users = services.execute_run(users.pk)

    enrolments.refresh_from_db()
    assert enrolments.plan is not None
    assert enrolments.plan.counts == {"created": 1}, "the user whom the other file makes is known"
    assert users.bundle is not None
    assert (users.bundle_id, users.bundle.processors) == (enrolments.bundle_id, ["users", "enrolments"])
    work(sequence)
    assert sequence.state == SequenceState.COMPLETED
    assert [run.counts for run in sequence.runs.order_by("pk")] == [{"created": 1}, {"created": 1}]


@pytest.mark.parametrize("stop", [True, False])
def test_of_files_that_are_planned_together_nothing_is_begun_where_another_can_t_be_brought(
    installation: Installation, stop: bool
) -> None:
    installation.put("/userimport.csv", USERS)
    ProcessorSettings.objects.create(site=installation.site, processor="enrolments", values={"useridentifier": "shoe"})
    installation.put("/enrols.csv", ENROLMENTS)
    sequence = start(installation, together=True, stop_on_failure=stop)
    work(sequence)
    assert sequence.state == (SequenceState.STOPPED if stop else SequenceState.FAILED)
    assert sequence.runs.get().state == (RunState.CANCELLED if stop else RunState.COMPLETED)
    assert bool(installation.moodle.rows("user", username="kim")) is not stop


@pytest.mark.parametrize("stop", [True, False])
def test_cancelling_a_collected_file_ends_the_sequence_and_leaves_no_file_waiting(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, stop: bool
) -> None:
    installation.put("/userimport.csv", USERS)
    installation.put("/enrols.csv", ENROLMENTS)
    sequence = start(installation, together=True, stop_on_failure=stop)

    def cancelled_meanwhile(sequence: SequenceRun) -> tuple[list[CommandFile], list[Any] | None]:
        """Fetch what a file type has; somebody cancels what was collected before it comes."""
        for run in sequence.runs.all():
            services.cancel_run(run)
        return _files_of(sequence)

    monkeypatch.setattr("sync.schedules.sequences._files_of", cancelled_meanwhile)
    work(sequence)
    assert sequence.state == SequenceState.STOPPED
    assert {run.state for run in sequence.runs.all()} == {RunState.CANCELLED}
    assert fates(sequence)["enrolments"] == "left_out"


def test_files_left_by_a_sequence_that_is_over_are_cancelled_but_not_those_that_are_taken_up_again(
    installation: Installation,
) -> None:
    installation.put("/userimport.csv", USERS)
    installation.put("/enrols.csv", ENROLMENTS)
    left, again = (start(installation, together=True) for _number in range(2))
    for sequence in (left, again):
        carry_on_sequence(sequence.pk)
        SequenceRun.objects.filter(pk=sequence.pk).update(state=SequenceState.STOPPED)
        SyncRun.objects.update(command_file=None)
    left.runs.update(state=RunState.PENDING)
    again.runs.filter(processor="users").update(state=RunState.PAUSED)
    carry_on_sequences()
    assert {run.state for run in left.runs.all()} == {RunState.CANCELLED}
    assert [run.state for run in again.runs.order_by("pk")] == [RunState.PAUSED, RunState.PENDING]


def test_files_that_were_collected_are_found_again_after_their_worker_died(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.put("/userimport.csv", USERS)
    sequence = start(installation, ["users", "cohorts"], together=True)
    with monkeypatch.context() as patch:
        patch.setattr("sync.schedules.sequences._begin_bundle", lambda _sequence: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            carry_on_sequence(sequence.pk)
    assert sequence.runs.get().state == RunState.PENDING
    told: list[int] = []
    monkeypatch.setattr("sync.schedules.sequences.enqueue_sequence", lambda pk, **_more: told.append(pk))
    carry_on_sequences()
    assert told == [sequence.pk]
    work(sequence)
    assert sequence.state == SequenceState.COMPLETED


def test_rejected_rows_are_no_failure(installation: Installation) -> None:
    installation.put("/userimport.csv", USERS + "eve;Eve;Fox;no\n")
    sequence = start(installation)
    work(sequence)
    assert sequence.runs.get().state == RunState.COMPLETED_WITH_REJECTIONS
    assert sequence.state == SequenceState.COMPLETED


def test_settings_that_cannot_be_used_are_a_failure_that_is_told(installation: Installation) -> None:
    installation.put("/userimport.csv", USERS)
    ProcessorSettings.objects.create(site=installation.site, processor="users", values={"primaryidentity": "shoe"})
    sequence = start(installation)
    work(sequence)
    assert (sequence.state, sequence.runs.count()) == (SequenceState.STOPPED, 0)
    step = steps_of(sequence)[0]
    assert step.state == "failed"
    assert step.fault is not None
    assert step.fault[0] == "option_not_choice"


def test_a_run_of_a_sequence_waits_for_its_turn(installation: Installation) -> None:
    first = installation.queue("/before.csv", USERS.replace("kim", "ann"))
    claim_run(first.pk, "alive")
    installation.put("/userimport.csv", USERS)
    sequence, other = start(installation, ["users"]), start(installation, ["enrolments"])
    installation.put("/enrols.csv", ENROLMENTS)
    carry_on_sequence(sequence.pk)
    carry_on_sequence(other.pk)
    for run in SyncRun.objects.exclude(pk=first.pk):
        with pytest.raises(RunNotClaimable):
            services.execute_run(run.pk)
    SyncRun.objects.filter(pk=first.pk).update(state=RunState.CANCELLED)
    with pytest.raises(RunNotClaimable):
        services.execute_run(other.runs.get().pk)
    assert services.execute_run(sequence.runs.get().pk).counts == {"created": 1}
    assert services.execute_run(other.runs.get().pk).counts == {"created": 1}


def test_a_freeze_window_holds_the_next_tool_back_unless_a_person_started_it(
    installation: Installation, django_user_model: Any
) -> None:
    installation.put("/userimport.csv", USERS)
    now = timezone.now()
    window = FreezeWindow.objects.create(site=installation.site, starts_at=now, ends_at=now + timedelta(hours=1))
    by_hand = start(installation, requested_by=django_user_model.objects.create_user("ann"))
    sequence = start(installation)
    work(sequence)
    assert (sequence.position, sequence.state) == (0, SequenceState.RUNNING)
    work(by_hand)
    assert by_hand.state == SequenceState.COMPLETED
    window.delete()
    work(sequence)
    assert sequence.state == SequenceState.COMPLETED


def test_what_a_dead_worker_was_fetching_is_fetched_again_but_not_too_soon(
    installation: Installation, settings: Settings
) -> None:
    installation.put("/userimport.csv", USERS)
    sequence = start(installation, ["users"], claimed_at=timezone.now())
    work(sequence)
    assert (sequence.position, fates(sequence)) == (0, {"users": "fetching"})
    SequenceRun.objects.update(claimed_at=timezone.now() - timedelta(seconds=2 * settings.TOOLSYNC_FETCH_SECONDS + 60))
    work(sequence)
    assert sequence.state == SequenceState.COMPLETED


def test_cancelling_stops_the_run_and_what_would_follow(installation: Installation) -> None:
    installation.put("/userimport.csv", USERS)
    sequence = start(installation)
    carry_on_sequence(sequence.pk)
    cancel_sequence(sequence)
    work(sequence)
    assert (sequence.state, sequence.runs.get().state) == (SequenceState.CANCELLED, RunState.CANCELLED)
    assert fates(sequence)["enrolments"] == "left_out"


def test_a_sequence_whose_message_was_lost_is_found(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation.put("/userimport.csv", USERS)
    handed_on: list[int] = []
    monkeypatch.setattr("sync.schedules.sequences.enqueue_sequence", lambda pk, **_more: handed_on.append(pk))
    lost, busy = start(installation), start(installation)
    carry_on_sequence(busy.pk)
    start(installation, state=SequenceState.COMPLETED)
    carry_on_sequences()
    assert handed_on == [lost.pk]
