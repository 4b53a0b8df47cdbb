"""What needs a person: each kind, the worst first, and gone once it is done."""

from __future__ import annotations

from datetime import time, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from sync.health.records import Part, fails, note_life, save_finding
from sync.models import MoodleSite, RunMail, Schedule, SequenceRun, SequenceState, SyncRun
from sync.notifications.services import RuleChoice, save_rule
from sync.overview.needs import Kind, needs_of
from sync.schedules.services import ScheduleChoice, save_schedule


@pytest.fixture
def site(db: None) -> MoodleSite:
    Schedule.objects.all().delete()
    note_life(Part.BEAT)
    note_life(Part.WORKER)
    return MoodleSite.objects.get()


def make_run(site: MoodleSite, state: str, processor: str = "users", **values: Any) -> SyncRun:
    values = {"finished_at": timezone.now()} | values
    return SyncRun.objects.create(
        site=site, processor=processor, state=state, file_path="/a.csv", input_key="a", **values
    )


def kinds(user: User, site: MoodleSite) -> list[Kind]:
    return [need.kind for need in needs_of(user, site)]


def test_everything_that_needs_somebody_is_there_the_worst_first(admin_user: User, site: MoodleSite) -> None:
    assert kinds(admin_user, site) == []
    make_run(site, "completed_with_rejections", counts={"rejected": 4, "partial": 1})
    mailed = make_run(site, "completed", "users_suspend")
    RunMail.objects.create(run=mailed, part_key="p", address="a@x.org", state=RunMail.State.BEGUN)
    RunMail.objects.create(run=mailed, part_key="p", address="b@x.org", state=RunMail.State.FAILED)
    RunMail.objects.create(run=mailed, part_key="p", address="c@x.org", state=RunMail.State.SENT)
    make_run(site, "completed", "courses", created_at=timezone.now())
    SyncRun.objects.filter(processor="courses").update(created_at=timezone.now() - timedelta(days=3))
    save_rule(site, "courses", RuleChoice({}, expected_at=(timezone.now() - timedelta(minutes=5)).time()))
    late = save_schedule(site, ScheduleChoice(["groups"], at=time(2), enabled=True))
    Schedule.objects.filter(pk=late.pk).update(next_at=timezone.now() - timedelta(hours=1))
    failed = save_schedule(site, ScheduleChoice(["cohorts"], at=time(2), enabled=True))
    SequenceRun.objects.create(site=site, schedule=failed, processors=["cohorts"], state=SequenceState.FAILED)
    paused = make_run(site, "paused", "users_delete", finished_at=None)
    held = make_run(site, "held", "users_delete", held_at=timezone.now(), finished_at=None)
    save_finding(Part.MAIL, fails("health_mail_away", server="mx", reason="no"))

    needs = needs_of(admin_user, site)
    assert [need.kind for need in needs] == list(Kind)
    by_kind = {need.kind: need for need in needs}
    assert by_kind[Kind.HELD].subject == held
    assert by_kind[Kind.FAILED].subject == failed
    assert by_kind[Kind.PAUSED].subject == paused
    assert by_kind[Kind.LATE].subject == late
    assert (by_kind[Kind.MAILS].subject, by_kind[Kind.MAILS].count) == (mailed, 2)
    assert by_kind[Kind.REJECTED].count == 5


def test_what_was_sent_again_or_is_long_ago_needs_nobody(admin_user: User, site: MoodleSite) -> None:
    first = make_run(site, "completed_with_rejections", counts={"rejected": 4})
    assert kinds(admin_user, site) == [Kind.REJECTED]
    make_run(site, "completed", simulate=True)
    assert kinds(admin_user, site) == [Kind.REJECTED]
    make_run(site, "completed")
    assert kinds(admin_user, site) == []
    SyncRun.objects.exclude(pk=first.pk).delete()
    SyncRun.objects.update(finished_at=timezone.now() - timedelta(days=20))
    assert kinds(admin_user, site) == []


def test_a_failed_night_is_over_once_the_next_goes_well_or_the_feed_is_switched_off(
    admin_user: User, site: MoodleSite
) -> None:
    schedule = save_schedule(site, ScheduleChoice(["users"], at=time(2), enabled=True))
    SequenceRun.objects.create(site=site, schedule=schedule, processors=["users"], state=SequenceState.STOPPED)
    assert kinds(admin_user, site) == [Kind.FAILED]
    SequenceRun.objects.create(site=site, schedule=schedule, processors=["users"], state=SequenceState.COMPLETED)
    assert kinds(admin_user, site) == []
    SequenceRun.objects.create(site=site, schedule=schedule, processors=["users"], state=SequenceState.FAILED)
    Schedule.objects.update(enabled=False)
    assert kinds(admin_user, site) == []


def test_what_is_of_other_file_types_needs_somebody_else(django_user_model: type[User], site: MoodleSite) -> None:
    clerk = django_user_model.objects.create_user("clerk")
    clerk.user_permissions.add(Permission.objects.get(codename="run_courses"))
    run = make_run(site, "held", "users_delete", held_at=timezone.now())
    make_run(site, "completed_with_rejections", counts={"rejected": 4})
    RunMail.objects.create(run=run, part_key="p", address="a@x.org", state=RunMail.State.FAILED)
    schedule = save_schedule(site, ScheduleChoice(["users"], at=time(2), enabled=True))
    SequenceRun.objects.create(site=site, schedule=schedule, processors=["users"], state=SequenceState.FAILED)
    assert kinds(clerk, site) == []


def test_a_thousand_runs_cost_as_many_queries_as_none(
    admin_user: User, site: MoodleSite, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    admin_user.has_perm("sync.run_users")
    for _number in range(200):
        make_run(site, "held", held_at=timezone.now())
        make_run(site, "completed_with_rejections", counts={"rejected": 4})
    with django_assert_max_num_queries(10):
        needs_of(admin_user, site)
