"""What is said of a plan, or of a run that stopped, before it goes on over a newer file of its feed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from sync.models import Bundle, RunState, Schedule, SequenceRun, SyncRun
from sync.runs.newer_files import newer_files, warnings_of
from tests.installation import Installation

pytestmark = pytest.mark.django_db

MakeRun = Callable[..., SyncRun]
DONE = RunState.COMPLETED


@pytest.fixture
def made(installation: Installation) -> MakeRun:
    def make(state: str, path: str = "/in/users.csv", sha256: str = "a", **values: Any) -> SyncRun:
        return SyncRun.objects.create(
            site=installation.site, processor=values.pop("processor", "users"), state=state, file_path=path,
            file_sha256=sha256, finished_at=timezone.now(), **values,
        )  # fmt: skip

    return make


def start(schedule: Schedule) -> SequenceRun:
    return SequenceRun.objects.create(site=schedule.site, schedule=schedule, processors=["users"])


@pytest.mark.parametrize(
    "older",
    [
        {"state": RunState.HELD}, {"state": RunState.UNCONFIRMED}, {"state": RunState.PAUSED, "last_line": 4},
        {"state": RunState.ERRORED, "last_line": 4}, {"state": DONE, "simulate": True},
    ],
)  # fmt: skip
@pytest.mark.parametrize("newer", [{"state": DONE}, {"state": RunState.CANCELLED, "last_line": 3}])
def test_a_newer_file_of_the_same_name_is_said(made: MakeRun, older: dict[str, Any], newer: dict[str, Any]) -> None:
    run = made(**older)
    made(DONE, sha256="b")
    last = made(path="/upload/users.csv", sha256="c", **newer)
    (warning,) = warnings_of(run)
    assert (warning.code, warning.params) == ("newer_file_done", {"run": last.pk, "name": "users.csv"})


@pytest.mark.parametrize(
    "newer",
    [
        {"sha256": "a"}, {"path": "/in/others.csv"}, {"processor": "courses"}, {"simulate": True}, {"state": RunState.FAILED},
        {"state": RunState.RUNNING}, {"origin": "retry"}, {"origin": "grace"},
    ],
)  # fmt: skip
def test_what_is_no_newer_file_is_not_said(made: MakeRun, newer: dict[str, Any]) -> None:
    run = made(RunState.HELD)
    made(**{"state": DONE, "sha256": "b", **newer})
    assert warnings_of(run) == []


def test_an_older_file_and_one_that_was_undone_are_not_said(made: MakeRun) -> None:
    made(DONE, sha256="b")
    run = made(RunState.HELD)
    undone = made(DONE, sha256="c")
    assert [warning.params["run"] for warning in warnings_of(run)] == [undone.pk]
    made(DONE, path="undo.csv", sha256="d", undoes=undone, last_line=2)
    assert warnings_of(run) == []


def test_a_newer_file_of_the_same_schedule_is_said_whatever_its_name(made: MakeRun, installation: Installation) -> None:
    schedule = Schedule.objects.create(site=installation.site)
    first = start(schedule)
    run = made(RunState.HELD, "/in/users_0901.csv", sequence_run=first)
    made(DONE, "/in/users_0901_b.csv", sha256="b", sequence_run=first)
    assert warnings_of(run) == [], "of the same start"
    last = made(DONE, "/in/users_0902.csv", sha256="c", sequence_run=start(schedule))
    assert [warning.params["run"] for warning in warnings_of(run)] == [last.pk]


def test_a_run_is_as_old_as_the_simulation_that_it_applies(made: MakeRun) -> None:
    simulated = made(DONE, simulate=True)
    newer = made(DONE, sha256="b")
    run = made(RunState.HELD, plan=simulated)
    assert [warning.params["run"] for warning in warnings_of(run)] == [newer.pk]
    assert warnings_of(simulated) == [], "it is applied"


def test_of_files_of_a_bundle_the_one_is_named(made: MakeRun, installation: Installation) -> None:
    bundle = Bundle.objects.create(site=installation.site, name="term.zip")
    runs = [
        made(RunState.HELD, "/in/users.csv", bundle=bundle),
        made(RunState.PENDING, "/in/enrols.csv", processor="enrolments", bundle=bundle),
    ]
    last = made(DONE, "/in/enrols.csv", sha256="b", processor="enrolments")
    assert [note.params for note in newer_files(runs)] == [{"run": last.pk, "name": "enrols.csv", "file": "enrols.csv"}]


def test_an_old_plan_is_said_of_a_run_that_has_begun(made: MakeRun) -> None:
    plan = made(DONE, simulate=True, origin=SyncRun.Origin.PLAN)
    run = made(RunState.PAUSED, plan=plan, last_line=3)
    assert warnings_of(run) == []
    SyncRun.objects.filter(pk=plan.pk).update(finished_at=timezone.now() - timedelta(days=3))
    run = SyncRun.objects.get(pk=run.pk)
    assert [warning.code for warning in warnings_of(run)] == ["plan_old_on_resume"]
