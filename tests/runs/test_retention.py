"""What runs leave goes when it is old enough, each kind by its own days, and never from under a run. Source: generic.md G10."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import Settings

from sync.commandfiles import storage
from sync.mending.drafts import Draft, save_draft
from sync.models import (
    CommandFile,
    GraceEntry,
    MendDraft,
    Notification,
    Retry,
    RetryRow,
    RunFile,
    RunState,
    SyncRun,
)
from sync.runs import services
from sync.runs.outcome_search import find_outcomes
from sync.runs.retention import prune
from sync.runs.retention_settings import retention_of, save_retention
from tests.installation import Installation

HEADER = "username;firstname;lastname;email\n"
FILE = HEADER + "bob;Bob;King;bob@x.org\neve;Eve;Fox;no-address\n"
STORED: dict[str, Any] = {"storereport": 1, "filearchive": 1, "filefailed": 1, "primaryidentity": "username"}
FOR_EVER: dict[str, Any] = {"reports": 0, "archives": 0, "trybacks": 0, "journals": 0}


@pytest.fixture(autouse=True)
def ninety_days(settings: Settings) -> None:
    settings.TOOLSYNC_KEEP_DAYS = settings.TOOLSYNC_KEEP_JOURNAL_DAYS = 90


def age(run: SyncRun, days: int) -> SyncRun:
    """Let a run, and its tryback, be so many days old."""
    moment = timezone.now() - timedelta(days=days)
    SyncRun.objects.filter(pk=run.pk).update(finished_at=moment)
    for path in run.files.filter(kind=RunFile.Kind.TRYBACK).values_list("path", flat=True):
        CommandFile.objects.filter(name=path.rpartition("/")[2]).update(uploaded_at=moment)
    return run


def own_folders(installation: Installation) -> dict[str, set[str]]:
    root = installation.folder / "main" / "runs"
    return {path.name: {part.name for part in path.iterdir()} for path in root.iterdir()}


def kinds(run: SyncRun) -> set[str]:
    return set(run.files.values_list("kind", flat=True))


def test_g10_what_is_older_than_ninety_days_goes_and_what_is_younger_stays(installation: Installation) -> None:
    young = age(installation.carry_out("/young.csv", FILE, **STORED), 89)
    old = age(installation.carry_out("/old.csv", FILE, **STORED), 91)
    assert len(installation.area()) == 8
    assert prune() == 5  # report, table, archive, tryback, outcomes: what was there already left no before-images
    assert {path for path in installation.area() if "old" in path} == {"/old.csv"}
    assert len(installation.area()) == 5
    assert (kinds(young), kinds(old)) == ({"report", "outcomes", "archive", "tryback"}, set())
    assert own_folders(installation).keys() == {str(young.pk)}
    assert SyncRun.objects.get(pk=old.pk).counts == {"unchanged": 1, "rejected": 1}
    assert prune() == 0


@pytest.mark.parametrize(
    ("days", "left", "parts"),
    [
        (FOR_EVER, {"report", "outcomes", "archive", "tryback"}, {"outcomes", "outcomes.csv", "journal"}),
        (FOR_EVER | {"archives": 5}, {"report", "outcomes", "tryback"}, {"outcomes", "outcomes.csv", "journal"}),
        (FOR_EVER | {"trybacks": 5}, {"report", "outcomes", "archive"}, {"outcomes", "outcomes.csv", "journal"}),
        (FOR_EVER | {"journals": 5}, {"report", "outcomes", "archive", "tryback"}, {"outcomes", "outcomes.csv"}),
        (FOR_EVER | {"reports": 5, "journals": 20}, {"archive", "tryback"}, {"outcomes", "journal"}),
        (FOR_EVER | {"reports": 5, "journals": 5}, {"archive", "tryback"}, set()),
    ],
)
def test_each_kind_has_its_own_days(
    days: dict[str, Any], left: set[str], parts: set[str], installation: Installation
) -> None:
    run = age(installation.carry_out("/in.csv", FILE, **STORED), 10)
    save_retention(installation.site, **days)
    prune()
    assert kinds(run) == left
    assert own_folders(installation).get(str(run.pk), set()) == parts
    assert len(find_outcomes(run).outcomes) == (2 if parts else 0)


def test_drafts_of_mended_rows_go_with_the_trybacks(installation: Installation) -> None:
    run = installation.carry_out("/in.csv", FILE, **STORED)
    for name, days in (("old", 6), ("new", 4)):
        save_draft(run, User.objects.create_user(name), Draft(edits={3: {0: "x"}}))
        MendDraft.objects.filter(user__username=name).update(changed_at=timezone.now() - timedelta(days=days))
    save_retention(installation.site, **FOR_EVER | {"trybacks": 5})
    prune()
    assert [draft.user.username for draft in MendDraft.objects.all()] == ["new"]


def test_what_a_run_under_way_needs_stays(installation: Installation) -> None:
    under_way = age(installation.carry_out("/other.csv", FILE, **STORED), 91)
    path = age(installation.carry_out("/in.csv", FILE, **STORED), 91).files.get(kind="tryback").path
    again = installation.queue(path)
    SyncRun.objects.filter(pk=under_way.pk).update(state=RunState.RUNNING)
    before = own_folders(installation)[str(under_way.pk)]
    prune()
    assert installation.exists(path)
    assert kinds(under_way) == {"report", "outcomes", "archive", "tryback"}
    assert own_folders(installation)[str(under_way.pk)] == before
    SyncRun.objects.filter(pk=again.pk).update(state=RunState.CANCELLED)
    prune()
    assert not installation.exists(path)


def test_a_tryback_that_was_mended_is_a_file_of_its_own(installation: Installation) -> None:
    run = installation.carry_out("/in.csv", FILE, **STORED)
    path = run.files.get(kind="tryback").path
    age(run, 91)
    installation.put(path, HEADER + "eve;Eve;Fox;eve@x.org\n")
    prune()
    assert installation.exists(path)


def test_days_that_nobody_has_set_are_the_operators(installation: Installation, settings: Settings) -> None:
    settings.TOOLSYNC_KEEP_DAYS, settings.TOOLSYNC_KEEP_JOURNAL_DAYS = 7, 5
    assert (retention_of(installation.site).reports, retention_of(installation.site).journals) == (7, 5)
    save_retention(installation.site, **FOR_EVER)
    assert retention_of(installation.site).journals == 0


def test_notices_that_were_told_go_after_a_month_and_others_stay(installation: Installation) -> None:
    for next_try_at in (None, timezone.now()):
        Notification.objects.create(site=installation.site, processor="users", event="success", next_try_at=next_try_at)
    Notification.objects.update(created_at=timezone.now() - timedelta(days=31))
    prune()
    assert Notification.objects.get().next_try_at is not None


def test_what_was_handed_in_for_a_run_goes_when_its_archive_would(installation: Installation) -> None:
    def handed_in(days: int, *ages: int | None) -> CommandFile:
        """Hand a file in so many days ago, with runs of these ages; None isn't over."""
        file = services.receive_for_run(installation.site, BytesIO(FILE.encode()), "in.csv", "users", None)
        for run_days in ages:
            run = services.queue_run(site=installation.site, processor="users", command_file=file, simulate=True)
            if run_days is not None:
                ended = timezone.now() - timedelta(days=run_days)
                SyncRun.objects.filter(pk=run.pk).update(state=RunState.COMPLETED, finished_at=ended)
        CommandFile.objects.filter(pk=file.pk).update(uploaded_at=timezone.now() - timedelta(days=days))
        return file

    stay = {handed_in(*ages).path for ages in ((89, 89), (100, 91, 89), (100, 91, None))}
    # What somebody has only looked at goes the next day.
    stay.add(handed_in(0).path)
    gone = [handed_in(100, 91, 95), handed_in(91), handed_in(2)]
    with_tryback = age(installation.carry_out(handed_in(100).path, **STORED), 10)
    tryback = with_tryback.files.get(kind=RunFile.Kind.TRYBACK).path
    CommandFile.objects.filter(name=tryback.rpartition("/")[2]).update(uploaded_at=timezone.now() - timedelta(days=100))
    old = installation.put("/old.csv", FILE)
    CommandFile.objects.filter(pk=old.pk).update(uploaded_at=timezone.now() - timedelta(days=1000))
    save_retention(installation.site, **FOR_EVER | {"archives": 90})

    prune()

    left = {file.path for file in CommandFile.objects.all()}
    assert left >= stay | {tryback, "/old.csv"}
    assert not left & {file.path for file in gone}


def test_rows_that_are_not_tried_again_any_more_go_with_the_reports(installation: Installation) -> None:
    waiting = {"processor": "enrolments", "useridentifier": "username", "retryruns": 3}
    rows = "cmd;rolename;uid;cid\nadd;student;ann;LATER\n"
    runs = [installation.carry_out(f"/{name}.csv", rows + "\n" * n, **waiting) for n, name in enumerate("abc")]
    retries = [Retry.objects.get(run=run) for run in runs]
    Retry.objects.filter(pk=retries[0].pk).update(state=Retry.State.WAITING)
    Retry.objects.filter(pk=retries[1].pk).update(state=Retry.State.REPLACED)
    Retry.objects.filter(pk=retries[2].pk).update(state=Retry.State.TRIED, retry_run=age(runs[0], 89))
    for run in runs[1:]:
        age(run, 91)

    prune()

    assert set(Retry.objects.values_list("pk", flat=True)) == {retries[0].pk, retries[2].pk}
    assert storage.exists(retries[0].storage_key)
    assert not storage.exists(retries[1].storage_key)
    assert not RetryRow.objects.filter(retry=retries[1].pk).exists()
    # Once the run that has tried them is old as well.
    Retry.objects.filter(pk=retries[0].pk).update(state=Retry.State.REPLACED)
    age(runs[0], 91)
    prune()
    assert not Retry.objects.exists()


def test_rows_that_wait_for_another_try_are_kept_whatever_goes_of_their_run(installation: Installation) -> None:
    waiting = {"processor": "enrolments", "useridentifier": "username", "retryruns": 3}
    run = installation.carry_out("/a.csv", "cmd;rolename;uid;cid\nadd;student;ann;LATER\n", **waiting)
    retry = Retry.objects.get(run=run)
    age(run, 200)

    prune()

    assert not run.chunks.exists()
    assert storage.exists(retry.storage_key)
    assert kinds(run) == {"tryback"}
    Retry.objects.update(state=Retry.State.REPLACED)
    prune()
    assert not storage.exists(retry.storage_key)
    assert kinds(run) == set()


def test_entries_that_left_the_list_of_deletions_go_with_the_reports_and_others_stay(
    installation: Installation,
) -> None:
    run, now = installation.carry_out("/in.csv", FILE, **STORED), timezone.now()
    old, young = now - timedelta(days=91), now - timedelta(days=89)
    ended: dict[str, Any] = {"state": GraceEntry.State.ENDED}
    cases: dict[str, dict[str, Any]] = {
        "open": {"closed": 0, "closed_at": None}, "old": {"closed_at": old, **ended}, "young": {"closed_at": young, **ended},
        "unknown": {"closed_at": None, **ended},
    }  # fmt: skip
    for number, (name, values) in enumerate(cases.items(), 1):
        entry = GraceEntry(
            site=run.site,
            table="user",
            rowid=number,
            name=name,
            run=run,
            line=2,
            day=now.date(),
            **{"closed": number, **values},
        )
        entry.save()
    # Before it was kept when an entry is closed, the day on which it was listed counts.
    GraceEntry.objects.update(listed_at=old)

    prune()

    assert set(GraceEntry.objects.values_list("name", flat=True)) == {"open", "young"}
