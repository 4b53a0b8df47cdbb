"""The lease of a run and of a site, with its heartbeat.

One process works on a run, and one writing run on a site, in the order in which they were asked for.

Everything is a conditional UPDATE, so a task may be delivered twice and two workers may reach for the same run.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import DatabaseError, connection, transaction
from django.db.models import Count, Exists, F, Max, Min, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from sync.errors import LeaseLost, RunNotClaimable
from sync.models import FreezeWindow, MoodleSite, RunState, SyncRun
from sync.models.run import CLAIMED_STATES, ORIGINS_BY_THEMSELVES, OVER_STATES
from sync.runs.options import RunLimits, run_limits, runs_per_site
from sync.task_queue import QueueUnavailable, send_task

RUN_TASK = "sync.run"
SEQUENCE_TASK = "sync.carry_on_sequence"
# So many workers may die on the same chunk before the run is given up.
MAX_ATTEMPTS = 5

logger = logging.getLogger(__name__)


def enqueue(run_id: int, *, expires: float | None = None) -> None:
    """Hand a run to the workers. A broker that is away is not the person's trouble: the run is found later."""
    try:
        send_task(RUN_TASK, run_id, expires=expires)
    except QueueUnavailable:
        logger.warning("the broker doesn't answer; run %s stays queued", run_id)


def enqueue_sequence(sequence_id: int, *, expires: float | None = None) -> None:
    """Hand a sequence to the workers, who find its next files. One that gets lost is found later."""
    try:
        send_task(SEQUENCE_TASK, sequence_id, expires=expires)
    except QueueUnavailable:
        logger.warning("the broker doesn't answer; sequence run %s waits", sequence_id)


def claim_run(run_id: int, token: str) -> SyncRun:
    """Take a run for one process, and for a run that writes its site as well.

    Raises: RunNotClaimable if it is over, somebody works on it, or it has to wait for its turn
    """
    limits = run_limits()
    now = timezone.now()
    with transaction.atomic():
        run = SyncRun.objects.select_related("site").filter(pk=run_id).first()
        if run is None:
            raise RunNotClaimable(f"there is no run {run_id}")
        if not run.simulate and not _take_lease(run):
            raise RunNotClaimable(f"run {run_id} waits for its turn")
        claimed = SyncRun.objects.filter(_free(now - limits.lease), pk=run_id).update(
            state=RunState.RUNNING,
            worker=token,
            heartbeat_at=now,
            started_at=Coalesce(F("started_at"), now),
            attempts=F("attempts") + 1,
            not_before=None,
        )
        if not claimed:
            raise RunNotClaimable(f"run {run_id} is over or somebody works on it")
        if run.simulate and run.last_line and not run.carried_out:
            _start_again(run)
    return SyncRun.objects.select_related(
        "site", "command_file", "requested_by", "owner", "armed_by", "plan", "decided_by", "bundle"
    ).get(pk=run_id)


def release_lease(run: SyncRun) -> None:
    """Let the next run write."""
    MoodleSite.objects.filter(pk=run.site_id, lease_run=run).update(lease_run=None)


def start_next(site_id: int) -> None:
    """Hand the run that may write next on this site to the workers, if there is one and nobody writes."""
    site = MoodleSite.objects.select_related("lease_run").get(pk=site_id)
    if site.lease_run is not None and not site.lease_run.is_over:
        return
    run_id = _waiting_runs(site=site_id).values_list("pk", flat=True).first()
    if run_id is not None:
        enqueue(run_id)


def dead_runs(limits: RunLimits) -> list[SyncRun]:
    """Return the runs whose worker has given no sign of life for too long."""
    stale = timezone.now() - limits.lease
    return list(SyncRun.objects.filter(_is_dead(stale)).order_by("pk"))


def waiting_run_ids() -> list[int]:
    """Return the queued runs that could begin: every simulation, the first writing run of each free site, and of a site whose run
    was put back that one. Queries: three
    """
    return [run_id for run_id, _site_id in _startable()]


def fair_run_ids() -> list[int]:
    """Return the queued runs that could begin, in the order in which sites have their turn.

    A site on which less is at work comes first, then one on which nothing was begun for longer; with several sites none has more
    workers than the operator allows. Queries: five
    """
    startable = _startable()
    sites = MoodleSite.objects.filter(in_use=True).count()
    begun = SyncRun.objects.filter(site__in={site_id for _run_id, site_id in startable}).exclude(
        origin=SyncRun.Origin.PLAN
    )
    alive = Q(state__in=CLAIMED_STATES, heartbeat_at__gt=timezone.now() - run_limits().lease)
    turns = {
        found["site"]: found
        for found in begun.values("site").annotate(busy=Count("pk", filter=alive), last=Max("started_at")).order_by()
    }
    long_ago = timezone.now() - timedelta(days=36_500)
    order = []
    for run_id, site_id in startable:
        turn = turns.get(site_id)
        busy, last = (turn["busy"], turn["last"]) if turn else (0, None)
        if sites < 2 or busy < runs_per_site():
            order.append((busy, last or long_ago, run_id))
    return [run_id for _busy, _last, run_id in sorted(order)]


def do_others_wait(site_id: int) -> bool:
    """Tell whether runs of other sites could begin if there were a worker. Queries: three"""
    return any(other != site_id for _run_id, other in _startable())


def _startable() -> list[tuple[int, int]]:
    """Return runs that could begin, and their sites. Queries: three"""
    now = timezone.now()
    simulations = SyncRun.objects.filter(_is_due(now), state=RunState.QUEUED, simulate=True, site__in_use=True)
    found = list(simulations.order_by("pk").values_list("pk", "site_id"))
    free = MoodleSite.objects.filter(Q(lease_run=None) | Q(lease_run__state__in=OVER_STATES))
    first = _waiting_runs(site__in=free).order_by().values("site_id").annotate(first=Min("pk"))
    found += sorted((each["first"], each["site_id"]) for each in first)
    # A run that was put back has kept its site.
    holders = MoodleSite.objects.filter(lease_run__state=RunState.QUEUED).values("lease_run")
    return found + list(_waiting_runs(pk__in=holders).filter(_is_due(now)).values_list("pk", "site_id"))


def _is_due(now: datetime) -> Q:
    return Q(not_before=None) | Q(not_before__lte=now)


class Heartbeat:
    """Says every few seconds that the run is alive, from a thread with a database connection of its own.

    A run that could not be told of for long may have been claimed by others: each chunk asks again (`RunRecorder.prepare`).
    """

    def __init__(self, run_id: int, token: str, limits: RunLimits) -> None:
        self._run_id = run_id
        self._token = token
        self._limits = limits
        self._stop = threading.Event()
        self._taken = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat of run {run_id}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def check(self) -> None:
        """Raises: LeaseLost if it is known already that the run isn't ours any more."""
        if self._taken.is_set():
            raise LeaseLost(f"run {self._run_id}")

    def _beat(self) -> None:
        try:
            while not self._stop.wait(self._limits.heartbeat_seconds):
                try:
                    ours = SyncRun.objects.filter(pk=self._run_id, worker=self._token).update(
                        heartbeat_at=timezone.now()
                    )
                except DatabaseError:
                    connection.close()
                    continue
                if not ours:
                    self._taken.set()
                    return
        finally:
            connection.close()


def _is_dead(stale: datetime) -> Q:
    # A plan of a run is made by the process that has claimed the run.
    is_stale = Q(heartbeat_at__lt=stale) | Q(heartbeat_at=None)
    return Q(state__in=CLAIMED_STATES) & is_stale & ~Q(origin=SyncRun.Origin.PLAN)


def _free(stale: datetime) -> Q:
    return Q(state=RunState.QUEUED) | (_is_dead(stale) & Q(attempts__lt=MAX_ATTEMPTS))


def _waiting_runs(**of: Any) -> QuerySet[SyncRun]:
    """The runs that may write as soon as it is their turn, in their order."""
    now = timezone.now()
    windows = FreezeWindow.objects.filter(site=OuterRef("site"), starts_at__lte=now, ends_at__gt=now)
    # A person may start things at any time, and what has begun goes on.
    by_itself = Q(requested_by=None, origin__in=ORIGINS_BY_THEMSELVES, started_at=None)
    waiting = SyncRun.objects.filter(state=RunState.QUEUED, simulate=False, site__in_use=True, **of)
    return waiting.exclude(by_itself & Q(Exists(windows))).order_by("pk")


def _take_lease(run: SyncRun) -> bool:
    """Take the site, unless a run that isn't over holds it, an older one waits or a freeze window keeps it from beginning.

    A dead run keeps its lease until it was taken up again: what comes after it may build on it.
    """
    if run.state == RunState.QUEUED and not _waiting_runs(pk=run.pk).exists():
        return False
    older = _waiting_runs(site=OuterRef("pk"), pk__lt=run.pk)
    over = SyncRun.objects.filter(pk=OuterRef("lease_run_id"), state__in=OVER_STATES)
    ours_or_free = Q(lease_run=run) | ((Q(lease_run=None) | Exists(over)) & ~Exists(older))
    return bool(MoodleSite.objects.filter(ours_or_free, pk=run.site_id).update(lease_run=run))


def _start_again(run: SyncRun) -> None:
    """Forget what a simulation found: what it had made so far was known to the dead process only."""
    run.chunks.all().delete()
    SyncRun.objects.filter(pk=run.pk).update(
        last_line=0, rows_done=0, bytes_read=0, counts={}, partial_counts={}, closing_counts={}, totals={}, scoped_totals={},
        kept={},
    )  # fmt: skip
