"""A ToolSync of some years: 100,000 runs, a million outcomes, and much of all the rest, written in bulk. For SQLite."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import time

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model
from django.utils import timezone

from sync.audit.services import record
from sync.commandfiles import storage
from sync.models import (
    AuditKind,
    AuditName,
    AuditRecord,
    Bundle,
    ChunkIndex,
    CommandFile,
    GraceEntry,
    MoodleSite,
    Notification,
    RoleAssignment,
    RunChunk,
    RunFile,
    SequenceRun,
    SyncRun,
)
from sync.outcomes.outcome_codec import PartHeader, count_codes, encode_outcomes
from sync.outcomes.outcome_index import facts_of, pack_facts, pack_names
from sync.runs.rights import Responsible
from sync.schedules.services import ScheduleChoice, save_schedule
from sync.values import Action, Change, Outcome
from tests.moodle_sites import MoodleSite as Moodle

RUNS, OUTCOMES, CHUNK = 100_000, 1_000_000, 5_000
FILES, PEOPLE, FEEDS, STARTS, BUNDLES = 20_000, 2_000, 100, 20_000, 1_000
COLUMNS = 3_000
GRACE, NOTIFICATIONS, RECORDS, MOODLE_USERS, MOODLE_COURSES = 50_000, 50_000, 100_000, 100_000, 10_000
_TYPES = ("users", "enrolments", "courses", "cohorts", "groups", "users_suspend")
_TYPE = "CASE i % 6 " + " ".join(f"WHEN {place} THEN '{key}'" for place, key in enumerate(_TYPES)) + " END"


def fill(site: MoodleSite, moodle: Moodle, root: User) -> dict[str, int]:
    """Write all of it; return the ids of what pages are about, by the words of test_query_counts."""
    now, by = timezone.now(), Responsible.of(root)
    file = CommandFile.objects.create(
        site=site, name="in0.csv", size=26, sha256="0" * 64, processor="users", uploaded_by=root, uploaded_at=now
    )
    storage.save(storage.key_of_path(site.slug, "/in0.csv"), io.BytesIO(b"username,firstname\nann,Ann\n"))
    multiply(file, FILES, name="'in' || i || '.csv'", processor=_TYPE)
    feeds = [
        save_schedule(site, ScheduleChoice([key], name=f"Feed {n}", at=time(n % 24, 15), enabled=True), owner=by)
        for n in range(FEEDS)
        for key in [_TYPES[n % 6]]
    ]
    start = SequenceRun.objects.create(
        site=site, schedule=feeds[0], processors=["users"], state="completed", finished_at=now
    )
    multiply(start, STARTS, schedule_id=f"{feeds[0].pk} + i % {FEEDS}")
    bundle = Bundle.objects.create(site=site, name="in.zip", processors=["users"], requested_by=root)
    multiply(bundle, BUNDLES)
    run = _runs(site, root, file, start, bundle)
    long = _new_run(site, root, file)
    for first in range(2, OUTCOMES + 2, CHUNK):
        _chunk(long, [_outcome(line) for line in range(first, first + CHUNK)])
    failed = _new_run(site, root, file)
    _chunk(failed, [Outcome(2, Action.REJECTED, "value_too_long", {"length": 300, "limit": 100, "column": "lastname"})])
    person = User.objects.create(username="person0", email="p@x.org")
    multiply(person, PEOPLE, username="'person' || i")
    multiply(
        RoleAssignment.objects.create(site=site, person=person, role="operator", file_types=["users"]),
        PEOPLE,
        person_id=f"{person.pk} + i",
    )
    multiply(
        GraceEntry.objects.create(site=site, table="user", rowid=0, name="u0", run=run, line=2, day=now.date()),
        GRACE,
        rowid="i",
        name="'u' || i",
        run_id=f"{run.pk} + i",
    )
    multiply(
        Notification.objects.create(
            site=site, processor="users", event="failure", channel="mail", run=run, sent_at=now, recipients=["a@x.org"]
        ),
        NOTIFICATIONS,
        run_id=f"{run.pk} + i",
    )
    _audit(site, by)
    _moodle(moodle)
    return {
        "wide": _wide_file(site, root),
        "file": file.pk, "run": long.pk, "failed": failed.pk, "schedule": feeds[0].pk, "sequence": start.pk,
        "bundle": bundle.pk, "person": person.pk,
    }  # fmt: skip


def _wide_file(site: MoodleSite, root: User) -> int:
    """Return a file with more columns than anybody reads."""
    header = ";".join(["username", *(f"column {n}" for n in range(COLUMNS))])
    content = "\n".join([header, *(";".join([f"u{n}", *["x"] * COLUMNS]) for n in range(50))]).encode()
    storage.save(storage.key_of_path(site.slug, "/wide.csv"), io.BytesIO(content))
    return CommandFile.objects.create(
        site=site,
        name="wide.csv",
        size=len(content),
        sha256="f" * 64,
        processor="users",
        uploaded_by=root,
        uploaded_at=timezone.now(),
    ).pk


def multiply(made: Model, count: int, **differing: str) -> None:
    """Insert copies of a record. Shape: differing: column -> its expression in SQL, `i` goes from 1 to the count"""
    meta = made._meta
    columns = [field.column or "" for field in meta.concrete_fields if not field.primary_key]
    taken = ", ".join(differing.get(column, f't."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{meta.db_table}" ({names}) WITH RECURSIVE n(i) AS '
            f'(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT {taken} FROM n, "{meta.db_table}" t '
            f'WHERE t."{meta.pk.column}" = {made.pk}'
        )


def _runs(site: MoodleSite, root: User, file: CommandFile, start: SequenceRun, bundle: Bundle) -> SyncRun:
    """Runs of ten rows, half of them of feeds, each with one chunk and a report."""
    run = _new_run(site, root, file)
    SyncRun.objects.filter(pk=run.pk).update(counts={"created": 5, "updated": 3, "rejected": 2}, rows_done=10)
    multiply(
        run, RUNS, processor=_TYPE, command_file_id=f"{file.pk} + i % {FILES}", file_path="'/in' || i || '.csv'",
        state="CASE WHEN i % 5 THEN 'completed' ELSE 'completed_with_rejections' END",
        origin="CASE WHEN i % 2 THEN 'schedule' ELSE 'person' END",
        sequence_run_id=f"CASE WHEN i % 2 THEN {start.pk} + i % {STARTS} END",
        bundle_id=f"CASE WHEN i % 1000 = 0 THEN {bundle.pk} END",
    )  # fmt: skip
    chunk = RunChunk.objects.create(run=run, first_line=2, last_line=11, counts=run.counts, outcomes_key="x")
    multiply(chunk, RUNS, run_id=f"{run.pk} + i")
    report = RunFile.objects.create(
        run=run, kind="report", name="0.txt", path="/reports/0.txt", storage_key="0", size=9
    )
    multiply(report, RUNS, run_id=f"{run.pk} + i", path="'/reports/' || i || '.txt'", storage_key="'reports/' || i")
    return run


def _new_run(site: MoodleSite, root: User, file: CommandFile) -> SyncRun:
    now = timezone.now()
    return SyncRun.objects.create(
        site=site, processor="users", command_file=file, file_path=file.path, state="completed_with_rejections", started_at=now,
        requested_by=root, carried_out=True, input_key=storage.key_of_path(site.slug, file.path), finished_at=now,
    )  # fmt: skip


def _outcome(line: int) -> Outcome:
    if line % 100 == 0:
        return Outcome(
            line, Action.REJECTED, "email_taken", {"email": f"u{line}@x.org", "owner": "ann", "column": "email"}
        )
    if line % 3 == 0:
        return Outcome(line, Action.UPDATED, "account_updated", {}, f"u{line}", (Change("department", "Old", "New"),))
    return Outcome(line, Action.CREATED, "account_created", {}, f"u{line}")


def _chunk(run: SyncRun, outcomes: Sequence[Outcome]) -> None:
    counts: dict[str, int] = {}
    for outcome in outcomes:
        counts[outcome.action.value] = counts.get(outcome.action.value, 0) + 1
    first, last = outcomes[0].line, outcomes[-1].line
    codes, key = count_codes(outcomes), storage.outcomes_key(run.site.slug, run.pk, last)
    header = PartHeader(first, last, counts, codes, last, has_journal=False)
    storage.save(key, io.BytesIO(encode_outcomes(header, outcomes)))
    chunk = RunChunk.objects.create(
        run=run, first_line=first, last_line=last, counts=counts, codes=codes, outcomes_key=key
    )
    ChunkIndex.objects.create(chunk=chunk, names=pack_names(outcomes), facts=pack_facts(facts_of(outcomes)))
    for action, count in counts.items():
        run.counts[action] = run.counts.get(action, 0) + count
    run.rows_done, run.last_line = run.rows_done + len(outcomes), last
    run.save()


def _audit(site: MoodleSite, by: Responsible) -> None:
    """Records like one that was written in earnest; a twentieth of them names the user that pages are about."""
    change = Change("role", "", "operator")
    real = record(site, AuditKind.RIGHTS, by, "person0", [change], users=["person0", "admin"])
    assert real is not None
    multiply(real, RECORDS, sequence=f"{real.sequence} + i")
    table = AuditName._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{table}" (name, record_id) SELECT n.name, r.id FROM "{table}" n, "{AuditRecord._meta.db_table}" r '
            f"WHERE n.record_id = {real.pk} AND r.id > {real.pk} AND r.id % 20 = 0"
        )


def _moodle(moodle: Moodle) -> None:
    """Users and courses like those that are there."""
    of_users, of_courses = ("username", "idnumber", "email"), ("shortname", "idnumber")
    for table, most, unique in (("user", MOODLE_USERS, of_users), ("course", MOODLE_COURSES, of_courses)):
        columns = sorted(moodle.columns(table) - {"id"})
        taken = ", ".join("'many' || n.i" if column in unique else f't."{column}"' for column in columns)
        quoted = ", ".join(f'"{column}"' for column in columns)
        moodle.execute(
            f"INSERT INTO {{{table}}} ({quoted}) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
            f"WHERE i < {most}) SELECT {taken} FROM n, {{{table}}} t WHERE t.id = (SELECT MAX(id) FROM {{{table}}})"
        )
