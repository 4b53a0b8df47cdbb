"""A late feed is told of once, and once more when it is on time again; digests say what was tried again and is deleted soon."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User

from sync.models import Event, FreezeWindow, GraceEntry, Notification, NotifiedFailure, Schedule, SequenceRun, SyncRun
from sync.notifications.compose import payload_of
from sync.notifications.services import RuleChoice, save_rule
from sync.notifications.webhooks import WebhookChoice, save_webhook
from sync.overview.late_feeds import notify_of_late_feeds
from sync.overview.need_texts import Reads, need_text
from sync.overview.needs import Kind, needs_of
from sync.retries.services import start_retries
from sync.runs import services
from sync.schedules.sequences import carry_on_sequence
from sync.schedules.services import start_due_schedules, switch_schedule
from tests.installation import Installation
from tests.notification_servers import MailServer
from tests.notifications.test_digests import (
    GOOD,
    HEADER,
    NIGHT,
    body,
    clock,
    feed,
    give_up,
    mail,
    send_all,
    start,
    subjects,
)

__all__ = ["clock", "mail"]


def ticks(clock: Any, count: int = 4) -> None:
    """Do what the workers do each minute, but for starting feeds."""
    for _tick in range(count):
        notify_of_late_feeds()
        send_all()
        clock.shift(timedelta(minutes=1))


def make_late(schedule: Schedule) -> None:
    Schedule.objects.filter(pk=schedule.pk).update(next_at=NIGHT - timedelta(hours=1))


def test_a_late_feed_is_told_of_once_and_once_when_it_is_on_time_again(
    installation: Installation, mail: MailServer, clock: Any
) -> None:
    save_rule(installation.site, "", RuleChoice({"failure": ["boss@x.org", "it@x.org"]}))
    choice = WebhookChoice("https://hooks.example.org/1", "whsec_" + "A" * 32, [Event.FAILURE])
    save_webhook(installation.site, choice)
    users = feed(installation, "users", name="Night users")
    other = feed(installation, "courses", name="Courses")
    make_late(users)
    ticks(clock, 8)
    assert sorted(subjects(mail)) == [("boss@x.org", "Night users: late"), ("it@x.org", "Night users: late")]
    said = body(mail)
    assert "It should have started, and hasn't." in said
    assert "Since: 24 Nov 2026, 01:15" in said
    assert f"https://sync.example.org/schedules/{users.pk}/" in said
    hook = Notification.objects.get(channel="webhook")
    told = payload_of(hook)
    assert (told["event"], told["feed"]) == ("late", {"id": users.pk, "name": "Night users"})
    assert told["since"] == (NIGHT - timedelta(hours=1)).isoformat()
    assert not NotifiedFailure.objects.filter(schedule=other).exists()

    Schedule.objects.filter(pk=users.pk).update(next_at=NIGHT + timedelta(days=1))
    ticks(clock)
    assert sorted(subjects(mail)[2:]) == [
        ("boss@x.org", "Night users: on time again"),
        ("it@x.org", "Night users: on time again"),
    ]
    assert "It was late since 24 Nov 2026, 01:15." in body(mail)
    assert not NotifiedFailure.objects.exists()
    make_late(users)
    ticks(clock)
    assert len(subjects(mail)) == 6


def test_a_late_feed_that_nobody_could_be_told_of_is_told_of_again(
    installation: Installation, mail: MailServer, clock: Any
) -> None:
    make_late(feed(installation, "users", name="Night users"))
    mail.refused = {"it@x.org"}
    ticks(clock)
    give_up(clock)
    mail.refused = set()
    ticks(clock, 8)
    assert subjects(mail) == [("it@x.org", "Night users: late")]


def test_what_starts_within_two_ticks_is_never_told_of(
    installation: Installation, mail: MailServer, clock: Any
) -> None:
    """As after a pause of beat: the tick that sees it late starts it as well."""
    users = feed(installation, "users")
    make_late(users)
    ticks(clock, 1)
    Schedule.objects.filter(pk=users.pk).update(next_at=NIGHT + timedelta(days=1))
    ticks(clock)
    assert subjects(mail) == []


def test_a_feed_without_its_file_is_late_and_who_is_told_of_the_file_hears_it_once(
    installation: Installation, mail: MailServer, clock: Any
) -> None:
    users = feed(installation, "users", name="Night users", recipients=["it@x.org", "data@x.org"])
    installation.put("/userimport.csv", HEADER + GOOD)
    start(users)
    clock.move_to(NIGHT + timedelta(days=1))
    save_rule(installation.site, "users", RuleChoice({"overdue": ["data@x.org"]}, expected_at=time(2)))
    SyncRun.objects.update(created_at=NIGHT - timedelta(days=2))
    Schedule.objects.filter(pk=users.pk).update(next_at=NIGHT + timedelta(days=2))
    ticks(clock, 8)
    late = [pair for pair in subjects(mail) if "late" in pair[1]]
    assert late == [("it@x.org", "Night users: late")]
    assert "The file of this file type was to have come by then" in body(mail)
    assert "File type: Users: create and update" in body(mail)
    installation.put("/userimport.csv", HEADER + GOOD)
    start(users)
    ticks(clock)
    assert ("it@x.org", "Night users: on time again") in subjects(mail)


def test_a_feed_whose_run_is_paused_is_late_and_says_so(
    installation: Installation, mail: MailServer, clock: Any
) -> None:
    users = feed(installation, "users", name="Night users")
    installation.put("/userimport.csv", HEADER + GOOD)
    sequence = SequenceRun.objects.create(site=users.site, schedule=users, processors=["users"])
    carry_on_sequence(sequence.pk)
    run = sequence.runs.get()
    services.pause_run(run)
    make_late(users)

    ticks(clock, 8)

    assert subjects(mail) == [("it@x.org", "Night users: late")]
    assert "a run of its last start is paused" in body(mail)
    (need,) = (need for need in needs_of(User.objects.create_superuser("root"), users.site) if need.kind == Kind.PAUSED)
    assert "its feed doesn't start again" in need_text(need, Reads()).said
    services.resume_run(run)
    services.execute_run(run.pk)
    carry_on_sequence(sequence.pk)
    start_due_schedules()
    ticks(clock)
    assert ("it@x.org", "Night users: on time again") in subjects(mail)


@pytest.mark.parametrize("reason", ["freeze", "off", "running"])
def test_nothing_is_late_that_is_not_to_start(
    installation: Installation, mail: MailServer, clock: Any, reason: str
) -> None:
    users = feed(installation, "users")
    make_late(users)
    if reason == "freeze":
        FreezeWindow.objects.create(
            site=installation.site, starts_at=NIGHT - timedelta(hours=2), ends_at=NIGHT + timedelta(hours=2)
        )
    if reason == "off":
        switch_schedule(users, on=False)
    if reason == "running":
        users.sequence_runs.create(site=installation.site, processors=["users"])
    ticks(clock)
    assert subjects(mail) == []


def test_a_late_feed_that_is_switched_off_is_not_on_time_again(
    installation: Installation, mail: MailServer, clock: Any
) -> None:
    users = feed(installation, "users", name="Night users")
    make_late(users)
    ticks(clock)
    switch_schedule(users, on=False)
    ticks(clock)
    assert subjects(mail) == [("it@x.org", "Night users: late")]
    assert not NotifiedFailure.objects.exists()


def test_a_mail_that_comes_too_late_is_not_sent(installation: Installation, mail: MailServer, clock: Any) -> None:
    users = feed(installation, "users", name="Night users")
    make_late(users)
    for _tick in range(4):
        notify_of_late_feeds()
        clock.shift(timedelta(minutes=1))
    Schedule.objects.filter(pk=users.pk).update(next_at=NIGHT + timedelta(days=1))
    notify_of_late_feeds()
    send_all()
    assert subjects(mail) == [("it@x.org", "Night users: on time again")]


def test_the_digest_says_what_was_tried_again_and_what_is_deleted_soon(
    installation: Installation, mail: MailServer, clock: Any
) -> None:
    User.objects.create_superuser("boss", "boss@x.org", "x")
    site = installation.site
    enrolments = "cmd;cid;uid;rolename;enrol\nadd;C1;zoe;student;manual\n"
    first = installation.carry_out("/e.csv", enrolments, processor="enrolments", retryruns=2)
    installation.carry_out("/u.csv", "username;firstname;lastname\nzoe;F;L\n", primaryidentity="username")
    start_retries()
    again = services.execute_run(SyncRun.objects.get(origin=SyncRun.Origin.RETRY).pk)
    for number, day in enumerate((date(2026, 11, 27), date(2026, 11, 27), date(2026, 12, 24))):
        GraceEntry.objects.create(
            site=site, table="user", rowid=900 + number, name=f"gone{number}", run=first, line=2 + number, day=day
        )
    installation.put("/userimport.csv", HEADER + GOOD)
    nightly = feed(installation, "users", name="Night users", recipients=["boss@x.org", "it@x.org"])
    start(nightly)
    clock.move_to(datetime(2026, 11, 24, 6, 1, tzinfo=UTC))
    send_all()
    assert len(mail.received) == 2
    said = {recipient: body(mail, number) for number, (recipient, _mail) in enumerate(mail.received)}
    assert "Rows that were tried again by themselves:\n- Enrolments, " in said["boss@x.org"]
    assert ": 1 created\n" in said["boss@x.org"]
    assert f"https://sync.example.org/runs/{again.pk}/\n" in said["boss@x.org"]
    assert "To be deleted within 7 days:\n- 27 Nov 2026: 2 users\n" in said["boss@x.org"]
    assert "https://sync.example.org/deletions/" in said["boss@x.org"]
    assert "24 Dec" not in said["boss@x.org"]
    assert "gone0" not in said["boss@x.org"]
    # Who has no login is told of the feeds that name them, and these rows came by hand.
    assert "tried again" not in said["it@x.org"]
    assert "To be deleted" not in said["it@x.org"]

    sequence = nightly.sequence_runs.get()
    SyncRun.objects.filter(pk=first.pk).update(sequence_run=sequence)
    installation.put("/userimport.csv", HEADER + GOOD)
    clock.move_to(datetime(2026, 11, 25, 1, 15, tzinfo=UTC))
    start(nightly)
    clock.move_to(datetime(2026, 11, 25, 6, 1, tzinfo=UTC))
    send_all()
    said = {recipient: body(mail, number) for number, (recipient, _mail) in enumerate(mail.received)}
    # Said once; what is to come is said again.
    assert "tried again" not in said["boss@x.org"]
    assert "27 Nov 2026: 2 users" in said["boss@x.org"]
    assert "27 Nov 2026: 2 users" in said["it@x.org"]
    assert "/deletions/" not in said["it@x.org"]
