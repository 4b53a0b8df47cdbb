"""What was found out about each part is kept in a row, so that pages show it without asking anybody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from django.utils import timezone

from sync.models import HealthRecord

Level = HealthRecord.Level


class Part(StrEnum):
    """What ToolSync needs, in the order in which the page shows it."""

    DATABASE = "database"
    BROKER = "broker"
    WORKER = "worker"
    BEAT = "beat"
    QUEUE = "queue"
    MOODLE = "moodle"
    STORAGE = "storage"
    DISK = "disk"
    MAIL = "mail"
    CLOCK = "clock"
    CACHES = "caches"


class Finding(NamedTuple):
    """How a part is. Shape: code, params: of sync.messages"""

    level: str
    code: str
    params: Mapping[str, Any]


def ok(code: str, **params: Any) -> Finding:
    return Finding(Level.OK, code, params)


def warns(code: str, **params: Any) -> Finding:
    return Finding(Level.WARNING, code, params)


def fails(code: str, **params: Any) -> Finding:
    return Finding(Level.ERROR, code, params)


def save_finding(part: Part, finding: Finding, subject: str = "") -> None:
    """Keep how a part is, and since when. Queries: two"""
    now = timezone.now()
    params = {name: value if isinstance(value, int | str) else str(value) for name, value in finding.params.items()}
    values = {"level": finding.level, "code": finding.code, "params": params, "seen_at": now}
    records = HealthRecord.objects.filter(part=part, subject=subject)
    if records.filter(level=finding.level).update(**values) or records.update(**values, since=now):
        return
    HealthRecord.objects.get_or_create(part=part, subject=subject, defaults={**values, "since": now})


def note_life(part: Part) -> None:
    """Note that a process is alive."""
    save_finding(part, ok(f"health_{part}_alive"))


def was_seen_since(part: Part, subject: str, moment: datetime) -> bool:
    """Whether a part was looked at after a moment, and was no fault then."""
    records = HealthRecord.objects.filter(part=part, subject=subject, seen_at__gt=moment)
    return records.exclude(level=Level.ERROR).exists()


def silence(tick_seconds: int) -> timedelta:
    """Return after how long without a sign of life a process is taken for dead: three ticks and a bit."""
    return timedelta(seconds=3 * tick_seconds + 30)
