"""A start of a schedule: its file types one after the other, each when the runs of the one before are over."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

from django.db import DatabaseError, connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from sync.errors import CodedError
from sync.models import (
    Bundle,
    CommandFile,
    Event,
    FreezeWindow,
    MoodleSite,
    RunState,
    Schedule,
    SequenceRun,
    SequenceState,
    SyncRun,
)
from sync.models.run import OVER_STATES
from sync.notifications.digests import keep_entries
from sync.notifications.feed_states import take_recovered
from sync.notifications.services import notify
from sync.processors.registry import REGISTRY
from sync.runs.lease import enqueue, enqueue_sequence
from sync.runs.options import run_limits
from sync.runs.rights import armed_by_of, check_owner, owner_of
from sync.runs.services import RECOVERY_EXPIRES, cancel_run, queue_run
from sync.schedules.arming import armings_of
from sync.schedules.fetch_files import fetch_files
from sync.schedules.zips import Turns

_FAILED_STATES = (RunState.FAILED, RunState.ERRORED, RunState.CANCELLED, RunState.DECLINED, RunState.EXPIRED)

logger = logging.getLogger(__name__)


class Step(NamedTuple):
    """One file type of a sequence run.

    Shape: state: waiting, fetching, under_way, done, nothing_came, failed or left_out; fault: a code and its parameters
    """

    processor: str
    state: str
    runs: list[SyncRun]
    fault: tuple[str, dict[str, Any]] | None


def in_order(processors: Iterable[str]) -> list[str]:
    """Return the file types in the order in which a sequence runs them, each once; unknown ones are left out."""
    wanted = set(processors)
    return [key for key in REGISTRY if key in wanted]


def window_at(site: MoodleSite, moment: datetime) -> FreezeWindow | None:
    """Return the freeze window that a moment falls into, the one that ends last."""
    windows = FreezeWindow.objects.filter(site=site, starts_at__lte=moment, ends_at__gt=moment)
    return windows.order_by("-ends_at").first()


def carry_on_sequence(sequence_id: int) -> None:
    """Carry a sequence on until one of its runs has work to do, a freeze window stops it, or it is over."""
    while _take_step(sequence_id):
        pass


def carry_on_sequences() -> None:
    """Hand the sequences that could go on to the workers: those of which nobody was told that a run is over."""
    _cancel_left()
    # Files that are still collected for a bundle have nothing to do before all of them are there.
    at_work = SyncRun.objects.filter(sequence_run__isnull=False).exclude(state__in=(*OVER_STATES, RunState.PENDING))
    idle = SequenceRun.objects.filter(state=SequenceState.RUNNING).exclude(pk__in=at_work.values("sequence_run"))
    for sequence_id in idle.order_by("pk").values_list("pk", flat=True):
        enqueue_sequence(sequence_id, expires=RECOVERY_EXPIRES)


def _cancel_left() -> None:
    """Cancel the files that were collected by a sequence that is over: whoever ended it died before that was done.

    Those that wait for a file of their bundle that was taken up again stay.
    """
    pending = SyncRun.objects.filter(state=RunState.PENDING, sequence_run__isnull=False)
    at_work = SyncRun.objects.filter(bundle__isnull=False).exclude(state__in=(*OVER_STATES, RunState.PENDING))
    left = pending.exclude(sequence_run__state=SequenceState.RUNNING).exclude(bundle__in=at_work.values("bundle"))
    for run in left.order_by("-pk"):
        cancel_run(run)


def cancel_sequence(sequence: SequenceRun) -> None:
    """Stop a sequence, and its runs that aren't over; one that is over stays as it is."""
    if _end(sequence, SequenceState.CANCELLED):
        for run in sequence.runs.exclude(state__in=OVER_STATES).order_by("-pk"):
            cancel_run(run)
    sequence.refresh_from_db()


def steps_of(sequence: SequenceRun) -> list[Step]:
    """Return how each file type of a sequence fares. Queries: one"""
    runs: dict[str, list[SyncRun]] = {key: [] for key in sequence.processors}
    for run in sequence.runs.select_related("requested_by", "sequence_run").order_by("pk"):
        runs.setdefault(run.processor, []).append(run)
    faults = {key: (code, params) for key, code, params in sequence.faults}
    return [
        Step(key, _step_state(sequence, place, runs[key], key in faults), runs[key], faults.get(key))
        for place, key in enumerate(sequence.processors)
    ]


def _take_step(sequence_id: int) -> bool:
    """Let the next file type have its turn; return False when there is nothing to do now."""
    sequence = (
        SequenceRun.objects.select_related("site", "owner", "bundle", "schedule")
        .filter(pk=sequence_id, state=SequenceState.RUNNING)
        .first()
    )
    if sequence is None or _is_at_work(sequence):
        return False
    is_broken_off = sequence.runs.filter(state__in=_FAILED_STATES).exists()
    has_failed = bool(sequence.faults) or is_broken_off
    is_left = sequence.position < len(sequence.processors) or _collected(sequence).exists()
    # Whoever cancels one of the files that are collected to be planned together has cancelled all of them.
    if is_left and ((has_failed and sequence.stop_on_failure) or (is_broken_off and sequence.together)):
        _stop(sequence)
        return False
    if sequence.position >= len(sequence.processors):
        if not _begin_bundle(sequence):
            _end(sequence, SequenceState.FAILED if has_failed else SequenceState.COMPLETED)
        return False
    # A person may start things at any time.
    if sequence.requested_by_id is None and window_at(sequence.site, timezone.now()):
        return False
    token = uuid.uuid4().hex
    return _claim(sequence, token) and _take_files(sequence, token)


def _take_files(sequence: SequenceRun, token: str) -> bool:
    with _alive(sequence, token):
        files, fault = _files_of(sequence)
    return _queue_runs(sequence, token, files, fault)


def _collected(sequence: SequenceRun) -> QuerySet[SyncRun]:
    """The files that were brought so far to be planned together, none of which has begun."""
    return sequence.runs.filter(state=RunState.PENDING).order_by("pk")


def _is_at_work(sequence: SequenceRun) -> bool:
    """Whether a run of a sequence has something to do, or waits for somebody."""
    left = sequence.runs.exclude(state__in=OVER_STATES)
    return left.exclude(state=RunState.PENDING).exists() if sequence.together else left.exists()


def _begin_bundle(sequence: SequenceRun) -> bool:
    """Let the first of the files go that were brought to be planned together; the others follow it.

    Returns False where there is nothing to be done, or all is
    """
    first = sequence.runs.order_by("pk").first() if sequence.together else None
    if first is None or first.state != RunState.PENDING:
        # Another process may have begun it in this moment.
        return first is not None and _is_at_work(sequence)
    if SyncRun.objects.filter(pk=first.pk, state=RunState.PENDING).update(state=RunState.QUEUED):
        enqueue(first.pk)
    return True


def _stop(sequence: SequenceRun) -> None:
    """End a sequence after a failure; of what was brought to be planned together nothing is begun."""
    first = _collected(sequence).first()
    if _end(sequence, SequenceState.STOPPED) and first is not None:
        cancel_run(first)


def _bundle_of(sequence: SequenceRun) -> Bundle | None:
    """Return the bundle of the files that are planned together, made with the first of them; None where each is by itself."""
    if sequence.together and sequence.bundle is None:
        sequence.bundle = Bundle.objects.create(
            site=sequence.site, name=sequence.name or str(sequence), asks=False, requested_by=sequence.requested_by
        )
        SequenceRun.objects.filter(pk=sequence.pk).update(bundle=sequence.bundle)
    return sequence.bundle


def _claim(sequence: SequenceRun, token: str) -> bool:
    """Take the next file type for this process: two would take a file twice. One that died is followed after the lease."""
    now = timezone.now()
    free = Q(claimed_at=None) | Q(claimed_at__lt=now - run_limits().lease)
    return bool(_still(sequence).filter(free).update(claimed_at=now, claimed_by=token))


@contextmanager
def _alive(sequence: SequenceRun, token: str) -> Iterator[None]:
    """Say every few seconds that somebody fetches, from a thread with a database connection of its own."""
    over = threading.Event()

    def beat() -> None:
        try:
            while not over.wait(run_limits().heartbeat_seconds):
                try:
                    SequenceRun.objects.filter(pk=sequence.pk, claimed_by=token).update(claimed_at=timezone.now())
                except DatabaseError:
                    connection.close()
        finally:
            connection.close()

    thread = threading.Thread(target=beat, name=f"heartbeat of sequence run {sequence.pk}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _files_of(sequence: SequenceRun) -> tuple[list[CommandFile], list[Any] | None]:
    """Return what came for the next file type, or why that can't be told."""
    key = sequence.processors[sequence.position]
    try:
        # Before anything is fetched, and perhaps deleted where it was.
        check_owner(owner_of(sequence), sequence.site, key)
        turns = Turns(sequence.processors[: sequence.position], sequence.processors[sequence.position :])
        return fetch_files(sequence.site, key, turns if sequence.together else None), None
    except CodedError as error:
        return [], [key, error.code, error.params]
    except Exception:
        number = uuid.uuid4().hex[:8].upper()
        logger.exception("sequence run %s, %s: error %s", sequence.pk, key, number)
        return [], [key, "internal_error", {"number": number}]


def _queue_runs(sequence: SequenceRun, token: str, files: list[CommandFile], fault: list[Any] | None) -> bool:
    """Queue a run for each file and note that the file type has had its turn, both or neither."""
    key = sequence.processors[sequence.position]
    mine = _still(sequence).filter(claimed_by=token)
    try:
        with transaction.atomic():
            faults = [*sequence.faults, fault] if fault else sequence.faults
            if not mine.update(position=sequence.position + 1, claimed_at=None, claimed_by="", faults=faults):
                return False
            if fault:
                notify(sequence.site, key, Event.FAILURE, schedule=sequence.schedule, fault=fault[1:])
            armed = armings_of(files, key)
            for file in files:
                # Somebody may have taken it back in this moment.
                if (arming := armed.get(file.pk)) is None:
                    continue
                bundle = _bundle_of(sequence)
                queue_run(
                    site=sequence.site, processor=key, command_file=file, user=sequence.requested_by,
                    owner=owner_of(sequence), armed_by=armed_by_of(arming), origin=sequence.origin, sequence_run=sequence,
                    bundle=bundle, is_pending=bundle is not None,
                )  # fmt: skip
                if bundle is not None:
                    bundle.processors.append(key)
                    bundle.save(update_fields=["processors"])
    except CodedError as error:
        return _queue_runs(sequence, token, [], [key, error.code, error.params])
    return True


def _end(sequence: SequenceRun, state: SequenceState) -> bool:
    """End a sequence, and keep who is to be told of it; return False when somebody else has ended it."""
    running = SequenceRun.objects.filter(pk=sequence.pk, state=SequenceState.RUNNING)
    with transaction.atomic():
        if not running.update(state=state, finished_at=timezone.now(), claimed_at=None, claimed_by=""):
            return False
        keep_entries(sequence, is_over=True)
        if sequence.schedule is not None:
            _notify_of_recovery(sequence, sequence.schedule)
    return True


def _notify_of_recovery(sequence: SequenceRun, schedule: Schedule) -> None:
    """Tell what works again of that which people were told of as failed."""
    steps = steps_of(sequence)
    by_state = {state: {step.processor for step in steps if step.state == state} for state in ("done", "nothing_came")}
    for told in take_recovered(schedule, by_state["done"], by_state["nothing_came"]):
        run = next((step.runs[-1] for step in steps if step.processor == told.processor and step.runs), None)
        notify(sequence.site, told.processor, Event.RECOVERED, run=run, schedule=schedule, since=told.since)


def _still(sequence: SequenceRun) -> Any:
    return SequenceRun.objects.filter(pk=sequence.pk, state=SequenceState.RUNNING, position=sequence.position)


def _step_state(sequence: SequenceRun, place: int, runs: list[SyncRun], has_fault: bool) -> str:
    if has_fault or any(run.state in _FAILED_STATES for run in runs):
        return "failed"
    if place >= sequence.position:
        if sequence.is_over:
            return "left_out"
        return "fetching" if place == sequence.position and sequence.claimed_at else "waiting"
    if not runs:
        return "nothing_came"
    return "done" if all(run.is_over for run in runs) else "under_way"
