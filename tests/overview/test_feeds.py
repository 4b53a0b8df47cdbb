"""How each feed does, in one word, and its last starts in numbers."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from sync.models import FreezeWindow, MoodleSite, Schedule, SequenceRun, SequenceState, SyncRun
from sync.notifications.services import RuleChoice, save_rule
from sync.overview.feeds import HISTORY, Feed, FeedState, add_history, feeds_for
from sync.overview.needs import last_night
from sync.schedules.services import ScheduleChoice, save_schedule


@pytest.fixture
def site(db: None) -> MoodleSite:
    Schedule.objects.all().delete()
    return MoodleSite.objects.get()


def make(site: MoodleSite, *processors: str, **choice: Any) -> Schedule:
    return save_schedule(site, ScheduleChoice(processors or ("users",), at=time(2, 15), enabled=True, **choice))


def start(schedule: Schedule, state: str = SequenceState.COMPLETED, **counts: int) -> SequenceRun:
    sequence = SequenceRun.objects.create(
        site=schedule.site, schedule=schedule, processors=schedule.processors, state=state, finished_at=timezone.now()
    )
    SyncRun.objects.create(
        site=schedule.site, processor=schedule.processors[0], sequence_run=sequence, file_path="/a.csv", input_key="a",
        state="completed", counts=counts, origin=SyncRun.Origin.SCHEDULE,
    )  # fmt: skip
    return sequence


def only(user: User, site: MoodleSite) -> Feed:
    (feed,) = feeds_for(user, site)
    return feed


def test_each_state_has_its_word(admin_user: User, site: MoodleSite) -> None:
    schedule = make(site)
    assert only(admin_user, site).state == FeedState.NEW
    sequence = start(schedule)
    assert only(admin_user, site).state == FeedState.ON_TIME

    SequenceRun.objects.update(state=SequenceState.RUNNING)
    assert only(admin_user, site).state == FeedState.RUNNING
    SyncRun.objects.update(state="held", held_at=timezone.now())
    feed = only(admin_user, site)
    assert (feed.state, feed.waiting) == (FeedState.HELD, SyncRun.objects.get(sequence_run=sequence))

    SyncRun.objects.update(state="failed")
    SequenceRun.objects.update(state=SequenceState.STOPPED)
    assert only(admin_user, site).state == FeedState.FAILED
    start(schedule)
    assert only(admin_user, site).state == FeedState.ON_TIME

    late_at = timezone.now() - timedelta(hours=1)
    Schedule.objects.update(next_at=late_at)
    feed = only(admin_user, site)
    assert (feed.state, feed.due_at) == (FeedState.LATE, late_at)
    SequenceRun.objects.update(state=SequenceState.RUNNING)
    assert only(admin_user, site).state == FeedState.RUNNING
    SyncRun.objects.filter(sequence_run__schedule=schedule).update(state="paused")
    assert only(admin_user, site).state == FeedState.LATE
    SequenceRun.objects.update(state=SequenceState.COMPLETED)
    FreezeWindow.objects.create(site=site, starts_at=late_at, ends_at=timezone.now() + timedelta(hours=1))
    assert only(admin_user, site).state == FeedState.PAUSED
    FreezeWindow.objects.all().delete()
    Schedule.objects.update(enabled=False, next_at=None)
    assert only(admin_user, site).state == FeedState.PAUSED


def test_a_feed_whose_file_did_not_come_in_time_is_late(admin_user: User, site: MoodleSite) -> None:
    schedule = make(site)
    start(schedule)
    deadline = (timezone.now() - timedelta(minutes=5)).time().replace(second=0, microsecond=0)
    save_rule(site, "users", RuleChoice({"overdue": ["a@x.org"]}, expected_at=deadline))
    assert only(admin_user, site).state == FeedState.ON_TIME
    SyncRun.objects.update(created_at=timezone.now() - timedelta(days=3))
    feed = only(admin_user, site)
    assert feed.state == FeedState.LATE
    assert feed.due_at is not None
    assert feed.due_at.time() == deadline


def test_counts_and_history_are_those_of_all_runs_of_a_start(admin_user: User, site: MoodleSite) -> None:
    schedule = make(site, "users", "enrolments")
    for number in range(HISTORY + 3):
        sequence = start(schedule, created=number)
        SyncRun.objects.create(
            site=site, processor="enrolments", sequence_run=sequence, file_path="/e.csv", input_key="e",
            state="completed_with_rejections", counts={"updated": 1000, "rejected": 4, "partial": 1},
        )  # fmt: skip
    feed = only(admin_user, site)
    add_history([feed])
    assert feed.last is not None
    assert (feed.last.changed, feed.last.rejected) == (1000 + HISTORY + 2, 5)
    assert [step.counts["created"] for step in feed.history] == list(range(3, HISTORY + 3))
    assert last_night([feed]) == (1, 1000 + HISTORY + 2 + 5, 5)


def test_feeds_of_other_file_types_are_not_there(django_user_model: type[User], site: MoodleSite) -> None:
    make(site, "users", "enrolments")
    assert feeds_for(django_user_model.objects.create_user("nobody"), site) == []


def test_a_hundred_feeds_cost_as_many_queries_as_one(
    admin_user: User, site: MoodleSite, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(100):
        start(make(site, name=f"Feed {number}"), created=1)
    with django_assert_num_queries(6 + 3):
        add_history(feeds_for(admin_user, site))
