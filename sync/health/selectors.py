"""How everything is, from the records alone: at most two queries, whatever is dead."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max
from django.utils import timezone

from sync.health.records import Finding, Level, Part, fails, silence, warns
from sync.messages import text_of, without_addresses
from sync.models import HealthRecord, RunState, SyncRun
from sync.runs.options import tick_seconds

# A look so old says nothing any more, other than that nobody has looked.
_OLD = timedelta(minutes=30)


@dataclass(frozen=True)
class PartState:
    """How a part is. Shape: subject: slug of a site, ""; since: of the level; seen_at: None when nobody has looked"""

    part: Part
    subject: str
    level: str
    code: str
    params: dict[str, Any]
    since: datetime | None
    seen_at: datetime | None

    @property
    def label(self) -> str:
        return text_of(f"health_{self.part}_label")

    @property
    def said(self) -> str:
        """How it is, and what to do."""
        return text_of(self.code, self.params)

    @property
    def said_to_all(self) -> str:
        """The same for people who don't run ToolSync: without addresses."""
        return text_of(self.code, without_addresses(self.code, self.params))

    @property
    def is_dead(self) -> bool:
        return self.level == Level.ERROR

    @property
    def is_old(self) -> bool:
        """Whether the look was so long ago that it says little."""
        return self.seen_at is not None and timezone.now() - self.seen_at > _OLD


def states() -> list[PartState]:
    """Return how every part is, in the order of `Part`. Queries: one, and one more when no worker shows itself"""
    by_part: dict[str, list[HealthRecord]] = {}
    for record in HealthRecord.objects.order_by("subject"):
        by_part.setdefault(record.part, []).append(record)
    beat, worker = (next(iter(by_part.pop(part, [])), None) for part in (Part.BEAT, Part.WORKER))
    found = {part: [_as_kept(part, record) for record in by_part.get(part, [])] or [_unseen(part)] for part in Part}
    found[Part.BEAT], found[Part.WORKER] = [_beat(beat)], [_worker(worker, is_fed=_is_alive(beat))]
    return [state for part in Part for state in found[part]]


def states_of(site: str) -> list[PartState]:
    """Return how every part is that a site needs. Shape: site: its short name. Queries: as of `states`"""
    return [state for state in states() if state.subject in ("", site)]


def worst_level(parts: Collection[PartState]) -> Level:
    """Return the worst of the levels of some parts."""
    levels = {part.level for part in parts}
    return next(level for level in (Level.ERROR, Level.WARNING, Level.OK) if level in levels)


def dead_parts(site: str) -> list[PartState]:
    """Return the parts that are dead, for the strip on every page of a site. Queries: as of `states`"""
    return [state for state in states_of(site) if state.is_dead]


def worker_trouble() -> str:
    """Return why no worker takes any work, "" = one does. Queries: as of `states`"""
    return next((state.said_to_all for state in states() if state.part == Part.WORKER and state.is_dead), "")


def _beat(record: HealthRecord | None) -> PartState:
    if record is not None and _is_alive(record):
        return _as_kept(Part.BEAT, record)
    return _silent(Part.BEAT, fails("health_beat_dead"), record)


def _worker(record: HealthRecord | None, *, is_fed: bool) -> PartState:
    """Return how the workers are: one that is busy with a long run takes no tick, but its run shows that it is alive."""
    if record is not None and _is_alive(record):
        return _as_kept(Part.WORKER, record)
    lately = timezone.now() - silence(tick_seconds())
    running = SyncRun.objects.filter(state=RunState.RUNNING, heartbeat_at__gt=lately)
    if seen_at := running.aggregate(seen=Max("heartbeat_at"))["seen"]:
        since = record.since if record else seen_at
        return PartState(Part.WORKER, "", Level.OK, "health_worker_alive", {}, since, seen_at)
    # A worker to which beat sends nothing can't show itself.
    finding = fails("health_worker_dead") if is_fed or record is None else warns("health_worker_unknown")
    return _silent(Part.WORKER, finding, record)


def _is_alive(record: HealthRecord | None) -> bool:
    return record is not None and timezone.now() - record.seen_at < silence(tick_seconds())


def _silent(part: Part, finding: Finding, record: HealthRecord | None) -> PartState:
    seen_at = record.seen_at if record else None
    return PartState(part, "", finding.level, finding.code, dict(finding.params), seen_at, seen_at)


def _as_kept(part: Part, record: HealthRecord) -> PartState:
    return PartState(part, record.subject, record.level, record.code, record.params, record.since, record.seen_at)


def _unseen(part: Part) -> PartState:
    return PartState(part, "", Level.WARNING, "health_unseen", {}, None, None)
