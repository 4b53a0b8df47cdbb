"""How each part is, found out by asking it. Slow; never asked by a page of its own accord: what was found is kept in records."""

from __future__ import annotations

import shutil
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path
from smtplib import SMTPException

from django.core.files.storage import FileSystemStorage
from django.core.mail import get_connection
from django.core.mail.backends import smtp
from django.db import connection
from django.db.models import Min
from django.utils import timezone

from sync.commandfiles import storage
from sync.errors import CodedError, MoodleError
from sync.health.records import Finding, Level, Part, fails, ok, save_finding, warns, was_seen_since
from sync.models import MoodleSite, RunState, SyncRun
from sync.moodle.integrity.connection_check import ConnectionFinding, ConnectionLevel, check_connection
from sync.runs.connections import connection_of, moodle_of
from sync.runs.options import moodle_command, upload_folder

# What costs others something is asked more seldom, as long as it is well.
_SELDOM = timedelta(minutes=10)
_BROKER_SECONDS = _MAIL_SECONDS = 5
# Below so much free space somebody should look; below the second nothing can be kept any more.
_SPACE_SHORT, _SPACE_GONE = 0.1, 0.01
_GIGABYTE = 1 << 30
_QUEUE_SLOW = timedelta(minutes=15)
_CLOCK_OFF, _CLOCK_WRONG = 10, 120


def check_health(*, at_once: bool = False) -> None:
    """Look at every part and keep what was found. Shape: at_once: also at what was looked at a moment ago"""
    for part, check, is_slow in _CHECKS:
        if at_once or not (is_slow and _is_fresh(part)):
            save_finding(part, check())
    for site in MoodleSite.objects.filter(in_use=True):
        if at_once or not _is_fresh(Part.MOODLE, site.slug):
            save_finding(Part.MOODLE, check_moodle(site), site.slug)
        save_finding(Part.CACHES, check_caches(site), site.slug)


def check_database() -> Finding:
    """Ask our own database for its version and how long an answer takes."""
    begun = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    milliseconds = max(1, round(1000 * (time.perf_counter() - begun)))
    version = ".".join(map(str, connection.get_database_version()))
    return ok("health_database_answers", server=connection.display_name, version=version, milliseconds=milliseconds)


def check_broker(url: str | None = None) -> Finding:
    """Ask the broker how many messages wait. Shape: url: of another one than that of the settings"""
    from kombu.exceptions import KombuError

    from toolsync_site.celery import app

    try:
        with app.connection_for_write(url) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, interval_step=0, timeout=_BROKER_SECONDS)
            queue = app.conf.task_default_queue
            waiting = broker.default_channel.queue_declare(queue, durable=True).message_count
    except (KombuError, OSError) as failure:
        return fails("health_broker_away", reason=_said(failure))
    return ok("health_broker_answers", count=waiting)


def check_queue() -> Finding:
    """Look at the runs that wait for a worker. Queries: two"""
    queued = SyncRun.objects.filter(state=RunState.QUEUED)
    count, oldest = queued.count(), queued.aggregate(oldest=Min("created_at"))["oldest"]
    if oldest is None:
        return ok("health_queue_empty")
    minutes = round((timezone.now() - oldest) / timedelta(minutes=1))
    is_moving = SyncRun.objects.filter(state=RunState.RUNNING).exists()
    if timezone.now() - oldest < _QUEUE_SLOW or is_moving:
        return ok("health_queue_moves", count=count, minutes=minutes)
    return warns("health_queue_stands", count=count, minutes=minutes)


def check_storage() -> Finding:
    """Write a file, read it and delete it again."""
    key, content = f"health/{uuid.uuid4().hex}", b"ToolSync was here"
    try:
        storage.save(key, BytesIO(content))
        with storage.file_storage().open(key, "rb") as kept:
            is_same = kept.read() == content
        storage.file_storage().delete(key)
    except Exception as failure:  # noqa: BLE001 - each kind of storage has errors of its own
        return fails("health_storage_fails", reason=_said(failure))
    return ok("health_storage_keeps") if is_same else fails("health_storage_garbles")


def check_disk() -> Finding:
    """Look at the space of every folder that files are written to, and tell of the one with least."""
    folders = [upload_folder()]
    if isinstance(files := storage.file_storage(), FileSystemStorage):
        folders.append(Path(files.location))
    try:
        found = min((_space(folder) for folder in folders), key=lambda space: space[0])
    except OSError as failure:
        return fails("health_storage_fails", reason=_said(failure))
    share, free, folder = found
    params = {"free": round(free / _GIGABYTE, 1), "percent": round(100 * share), "folder": folder}
    if share < _SPACE_GONE:
        return fails("health_disk_full", **params)
    return warns("health_disk_short", **params) if share < _SPACE_SHORT else ok("health_disk_free", **params)


def check_mail() -> Finding:
    """Call the mail server, without sending anything."""
    mails = get_connection()
    if not isinstance(mails, smtp.EmailBackend):
        return warns("health_mail_unset")
    mails.timeout = _MAIL_SECONDS
    try:
        mails.open()
        mails.close()
    except (SMTPException, OSError) as failure:
        return fails("health_mail_away", server=mails.host, reason=_said(failure))
    return ok("health_mail_answers", server=mails.host)


def check_clock() -> Finding:
    """Compare the clock of this machine with that of our database."""
    seconds = {
        "sqlite": "SELECT CAST(strftime('%s', 'now') AS INTEGER)",
        "mysql": "SELECT UNIX_TIMESTAMP()",
        "postgresql": "SELECT EXTRACT(EPOCH FROM clock_timestamp())",
    }.get(connection.vendor)
    if seconds is None:
        return ok("health_clock_unknown")
    with connection.cursor() as cursor:
        cursor.execute(seconds)
        apart = abs(round(time.time() - float(cursor.fetchone()[0])))
    if apart < _CLOCK_OFF:
        return ok("health_clock_right")
    return (fails if apart >= _CLOCK_WRONG else warns)("health_clock_off", seconds=apart)


def check_moodle(site: MoodleSite) -> Finding:
    """Check a site's Moodle; return the worst that was found, or its release."""
    findings = moodle_findings(site)
    worst = max(findings, key=lambda finding: list(ConnectionLevel).index(finding.level))
    if worst.level == ConnectionLevel.OK:
        worst = next((finding for finding in findings if finding.code == "check_release"), worst)
    return Finding(Level(worst.level), worst.code, worst.params)


def moodle_findings(site: MoodleSite) -> list[ConnectionFinding]:
    """Return everything that is found when a site's Moodle is looked at."""
    try:
        moodle = moodle_of(site)
    except MoodleError as failure:
        return [ConnectionFinding(ConnectionLevel.ERROR, failure.code, failure.params)]
    try:
        return check_connection(moodle)
    finally:
        moodle.dispose()


def check_caches(site: MoodleSite) -> Finding:
    """Say whether Moodle's caches are purged after runs, or a person has to."""
    try:
        command = moodle_command(connection_of(site))
    except CodedError as failure:
        return fails(failure.code, **failure.params)
    return warns("health_caches_by_hand") if command is None else ok("health_caches_purged")


_CHECKS: tuple[tuple[Part, Callable[[], Finding], bool], ...] = (
    (Part.DATABASE, check_database, False),
    (Part.BROKER, check_broker, False),
    (Part.QUEUE, check_queue, False),
    (Part.STORAGE, check_storage, False),
    (Part.DISK, check_disk, False),
    (Part.MAIL, check_mail, True),
    (Part.CLOCK, check_clock, False),
)


def _is_fresh(part: Part, subject: str = "") -> bool:
    return was_seen_since(part, subject, timezone.now() - _SELDOM)


def _space(folder: Path) -> tuple[float, int, str]:
    usage = shutil.disk_usage(folder)
    return usage.free / usage.total, usage.free, str(folder)


def _said(failure: Exception) -> str:
    """Return what an error says, without addresses in it that may hold a password."""
    return type(failure).__name__ if "://" in str(failure) else str(failure)[:200]
