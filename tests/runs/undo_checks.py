"""What tests of undoing compare: all tables of a Moodle before a run and after its undo."""

from __future__ import annotations

from typing import Any

from sync.models import SyncRun
from sync.moodle.courses.order import fix_course_order
from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from sync.moodle.db.writer import Writer
from sync.runs import services
from sync.runs.outcome_store import read_rows
from sync.runs.undo import undo_run
from sync.values import Outcome
from tests.installation import Installation
from tests.moodle_sites import MoodleSite, Snapshot

# Moodle's notes to itself: whoever it concerns reads anew, whatever stood there before.
_FLAGS = "cache_flags"
# Ended sessions stay ended.
_SESSIONS = "sessions"
# Goes up once more, so that nobody takes an old copy of the course for the present one.
_REVISION = "cacherev"
_DONE = ("created", "updated", "deleted")


def compared(snapshot: Snapshot) -> Snapshot:
    """Return what an undo must bring back."""
    return {
        table: {rowid: {name: value for name, value in row.items() if name != _REVISION} for rowid, row in rows.items()}
        for table, rows in snapshot.items()
        if table not in (_FLAGS, _SESSIONS)
    }


def bring_in_order(moodle: MoodleSite) -> None:
    """Bring courses and categories in Moodle's order, as a Moodle at work has them."""
    database = MoodleDatabase(MoodleConnection(moodle.url, moodle.prefix))
    with database.session() as session, session.transaction():
        fix_course_order(Writer(session))
    database.dispose()


def differences(before: Snapshot, after: Snapshot) -> dict[str, Any]:
    return MoodleSite.diff(compared(before), compared(after))


def check_same(before: Snapshot, after: Snapshot, *told: object) -> None:
    """Raises: AssertionError that says what differs"""
    if found := differences(before, after):
        shown = {table: {kind: rows[:2] for kind, rows in change.items() if rows} for table, change in found.items()}
        raise AssertionError(f"{str(told)[:2000]}\n{shown}"[:4000])


def undo(run: SyncRun, **given: Any) -> SyncRun:
    """Undo a run in this process."""
    return services.execute_run(undo_run(run, **given).pk)


def outcomes(run: SyncRun) -> list[Outcome]:
    return list(read_rows(run))


def check_round_trip(installation: Installation, run: SyncRun, before: Snapshot) -> None:
    """Undo a run, undo the undo, and undo that one: before, after, before. Every row that the run changed is told of."""
    moodle = installation.moodle
    after = moodle.snapshot()
    assert differences(before, after), "the run changed nothing"
    simulation = undo(run, simulate=True)
    check_same(after, moodle.snapshot(), "a simulation wrote something")
    undone = undo(run)
    assert undone.state == "completed", (undone.state, undone.error_code, undone.error_params)
    check_same(before, moodle.snapshot(), [outcome for outcome in outcomes(undone) if outcome.action not in _DONE])
    assert simulation.counts == undone.counts
    again = undo(undone)
    check_same(after, moodle.snapshot(), [outcome for outcome in outcomes(again) if outcome.action not in _DONE])
    assert undo(again).state == "completed"
    check_same(before, moodle.snapshot())
