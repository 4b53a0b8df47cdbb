"""Schedules: what is kept, when they start, what holds them, and that they keep their pace (spec generic.md section 10)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.utils import timezone
from pytest_django import Settings

from sync.apps import make_site_and_permissions
from sync.errors import ScheduleError
from sync.models import FreezeWindow, MoodleSite, Schedule, SequenceRun, SequenceState
from sync.schedules.services import (
    ScheduleChoice,
    add_freeze_window,
    delete_schedule,
    next_start,
    open_windows,
    save_schedule,
    start_due_schedules,
    start_if_due,
    start_now,
    switch_schedule,
    timing_of,
)
from sync.schedules.timing import Timing

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def site(transactional_db: None) -> MoodleSite:
    return MoodleSite.objects.get(slug="main")


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def save(site: MoodleSite, **choice: object) -> Schedule:
    values = {"processors": ["users"], "kind": "every", "every_seconds": 3600, "enabled": True} | choice
    return save_schedule(site, ScheduleChoice(**values))  # type: ignore[arg-type]


def end_all() -> None:
    SequenceRun.objects.update(state=SequenceState.COMPLETED)


def test_everything_is_shipped_switched_off_with_the_times_of_the_old_plugin(site: MoodleSite) -> None:
    shipped = {tuple(schedule.processors): schedule.crontab for schedule in Schedule.objects.filter(site=site)}
    assert shipped[("users",)] == "0 */6 * * *"
    assert shipped[("courses_delete", "courses", "courses_meta")] == "0 */12 * * *"
    assert shipped[("cohorts", "cohort_courses")] == "15 */12 * * *"
    assert shipped[("enrolments",)] == "30 */6 * * *"
    assert ("groups", "groupmembers") in shipped
    everything = max(shipped, key=len)
    order = ("users", "userpictures", "courses", "courses_meta", "cohorts", "groups", "enrolments", "groupmembers")
    assert everything == tuple(key for key in order if key in everything)
    assert len(everything) >= 7
    assert not Schedule.objects.filter(enabled=True).exists()


def test_an_upgrade_changes_no_schedule(site: MoodleSite) -> None:
    save(site)
    before = list(Schedule.objects.values())
    make_site_and_permissions("default")
    assert list(Schedule.objects.values()) == before


def test_the_next_start_follows_what_is_saved(site: MoodleSite, settings: Settings, clock: object) -> None:
    settings.TIME_ZONE = "Europe/Paris"
    schedule = save(site, kind="weekdays", at=time(2, 15))
    assert schedule.next_at == datetime(2026, 11, 24, 1, 15, tzinfo=UTC)

    schedule = save_schedule(site, ScheduleChoice(["users"], kind="every", every_seconds=5400, enabled=True), schedule)
    assert schedule.next_at == START + 1.5 * HOUR

    switch_schedule(schedule, on=False)
    switched_off = Schedule.objects.get(pk=schedule.pk)
    assert (switched_off.next_at, next_start(switched_off, open_windows(site))) == (None, None)
    delete_schedule(schedule)
    assert not Schedule.objects.filter(pk=schedule.pk).exists()


@pytest.mark.parametrize(
    ("choice", "code"),
    [
        ({"processors": []}, "schedule_without_tool"),
        ({"processors": ["shoes"]}, "schedule_without_tool"),
        ({"kind": "daily"}, "schedule_without_time"),
        ({"kind": "crontab", "crontab": "* *"}, "crontab_fields"),
        ({"kind": "crontab", "crontab": "99 0 * * *"}, "crontab_unreadable"),
    ],
)
def test_a_choice_that_cannot_work_is_refused(site: MoodleSite, choice: dict[str, object], code: str) -> None:
    before = Schedule.objects.count()
    with pytest.raises(ScheduleError) as refused:
        save(site, **choice)
    assert refused.value.code == code
    assert Schedule.objects.count() == before


def test_file_types_are_put_in_the_order_of_their_dependency(site: MoodleSite) -> None:
    chosen = ["groupmembers", "enrolments", "courses_meta", "cohorts", "users", "courses", "groups", "users"]
    assert save(site, processors=chosen).processors == [
        "users", "courses", "courses_meta", "cohorts", "groups", "enrolments", "groupmembers"
    ]  # fmt: skip


def test_a_start_is_taken_once_however_often_it_is_told(site: MoodleSite, clock: time_machine.Traveller) -> None:
    schedule = save(site, processors=["users", "enrolments"])
    start_if_due(schedule.pk)
    assert not SequenceRun.objects.exists()
    clock.move_to(START + HOUR)
    for _message in range(3):
        start_if_due(schedule.pk)
        end_all()
    sequence = SequenceRun.objects.get()
    assert (sequence.processors, sequence.requested_by) == (["users", "enrolments"], None)
    schedule.refresh_from_db()
    assert schedule.next_at == START + 2 * HOUR


def test_after_a_time_without_beat_or_worker_one_start_is_made_up_for(
    site: MoodleSite, clock: time_machine.Traveller
) -> None:
    schedule = save(site)
    clock.move_to(START + 5.5 * HOUR)
    for _tick in range(3):
        start_due_schedules()
        end_all()
    assert SequenceRun.objects.count() == 1
    schedule.refresh_from_db()
    # The grid of before, not one that begins with the late start.
    assert schedule.next_at == START + 6 * HOUR


def test_a_start_waits_until_the_one_before_is_over_and_comes_once(
    site: MoodleSite, clock: time_machine.Traveller
) -> None:
    schedule = save(site)
    for hours in (1, 2, 3):
        clock.move_to(START + hours * HOUR)
        start_if_due(schedule.pk)
    assert SequenceRun.objects.count() == 1
    with pytest.raises(ScheduleError) as refused:
        start_now(schedule, None)
    assert refused.value.code == "schedule_under_way"
    end_all()
    for _tick in range(2):
        start_due_schedules()
    assert SequenceRun.objects.count() == 2


def test_a_start_by_hand_in_the_moment_of_a_start_by_itself_is_the_only_one(
    site: MoodleSite, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = save(site)
    clock.move_to(START + HOUR)

    def started_meanwhile(schedule: Schedule) -> Timing:
        """Return the rule of a schedule; somebody starts it right before it starts by itself."""
        start_now(schedule, None)
        return timing_of(schedule)

    with monkeypatch.context() as patch:
        patch.setattr("sync.schedules.services.timing_of", started_meanwhile)
        start_if_due(schedule.pk)
    assert SequenceRun.objects.count() == 1
    end_all()
    start_due_schedules()
    assert SequenceRun.objects.count() == 2, "it comes once the one by hand is over"


@pytest.mark.parametrize(("after_freeze", "starts_at"), [(True, START + 2.5 * HOUR), (False, START + 3 * HOUR)])
def test_a_start_in_a_freeze_window_is_held_and_comes_after_it_if_chosen(
    site: MoodleSite, clock: time_machine.Traveller, after_freeze: bool, starts_at: datetime
) -> None:
    schedule = save(site, after_freeze=after_freeze)
    add_freeze_window(site, START + HOUR / 2, START + 2.5 * HOUR, "Exams")
    assert next_start(schedule, open_windows(site)) == starts_at
    for hours in (1, 2):
        clock.move_to(START + hours * HOUR)
        start_if_due(schedule.pk)
    schedule.refresh_from_db()
    assert not SequenceRun.objects.exists()
    assert (schedule.held_at, next_start(schedule, open_windows(site))) == (START + HOUR, starts_at)
    clock.move_to(starts_at - timedelta(seconds=1))
    start_due_schedules()
    assert not SequenceRun.objects.exists()
    clock.move_to(starts_at)
    start_due_schedules()
    assert SequenceRun.objects.count() == 1
    schedule.refresh_from_db()
    assert schedule.held_at is None


def test_windows_that_follow_each_other_hold_as_one(site: MoodleSite, clock: object) -> None:
    schedule = save(site)
    add_freeze_window(site, START, START + 2 * HOUR, "")
    add_freeze_window(site, START + HOUR, START + 4 * HOUR, "")
    add_freeze_window(site, START + 4 * HOUR, START + 5 * HOUR, "")
    assert next_start(schedule, open_windows(site)) == START + 5 * HOUR
    with pytest.raises(ScheduleError):
        add_freeze_window(site, START, START, "")
    assert FreezeWindow.objects.count() == 3


def test_what_is_off_starts_by_hand_only_and_is_not_made_up_for(
    site: MoodleSite, clock: time_machine.Traveller, django_user_model: type
) -> None:
    schedule = save(site, enabled=False)
    clock.move_to(START + 3.5 * HOUR)
    start_due_schedules()
    assert not SequenceRun.objects.exists()
    add_freeze_window(site, START, START + 10 * HOUR, "")
    ann = django_user_model.objects.create_user("ann")  # type: ignore[attr-defined]
    assert start_now(schedule, ann).requested_by == ann
    switch_schedule(schedule, on=True)
    assert schedule.next_at == timezone.now() + HOUR
    assert timing_of(schedule).words() == "Every hour"


@pytest.mark.parametrize(
    ("starts", "ends", "code"),
    [
        (HOUR, -HOUR, "freeze_window_empty"),
        (HOUR, timedelta(days=101), "freeze_window_too_long"),
        (-timedelta(days=40), -HOUR, "freeze_window_over"),
        (-timedelta(days=700_000), timedelta(days=1), "freeze_window_too_long"),
        (timedelta(days=731), timedelta(days=740), "freeze_window_too_far"),
        (timedelta(days=2_000_000), timedelta(days=2_000_001), "freeze_window_too_far"),
    ],
)
def test_a_freeze_window_has_a_sane_span_however_it_is_made(
    starts: timedelta, ends: timedelta, code: str, site: MoodleSite
) -> None:
    now = timezone.now()
    with pytest.raises(ScheduleError) as refused:
        add_freeze_window(site, now + starts, now + ends, "")
    assert refused.value.code == code
    with pytest.raises(ValidationError):
        FreezeWindow.objects.create(site=site, starts_at=now + starts, ends_at=now + ends)
    assert not FreezeWindow.objects.exists()
