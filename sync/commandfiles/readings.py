"""Workbooks that pages ask about: a worker reads them and keeps how a sheet begins; the web server never opens one.

A reading is asked for by whatever needs it, the sheet that a file type means included, and is made again when it is gone.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any, BinaryIO

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from sync.commandfiles import storage
from sync.errors import CodedError, CommandFileError, WorkbookUnread
from sync.models import CommandFile, WorkbookReading
from sync.reader.file_kind import ZIP_MARKS
from sync.reader.picture_zip import holds_pictures
from sync.reader.workbook import ReadSheet, looks_like_workbook
from sync.reader.workbook_process import SheetHead, SheetRows, read_sheet
from sync.task_queue import QueueUnavailable, send_task

READ_TASK = "sync.read_workbook"
# So much of a sheet is kept: some ten thousand rows.
KEPT_BYTES = 4 * 1024 * 1024
LATE = "workbook_reading_late"
# After so long nobody waits any more: the page says so, and asks anew when it is told to.
WAITING_LIMIT = timedelta(minutes=10)
# Longer than the reading of the largest workbook may take by the clock (`WorkbookLimits`).
_READING_LIMIT = timedelta(minutes=9)
_MOST_ATTEMPTS = 3
_KEPT_FOR = timedelta(days=1)
_RESEND = timedelta(seconds=50)
# Course backups are zips as well, and no workbooks.
BACKUP_SUFFIX = ".mbz"

State = WorkbookReading.State
logger = logging.getLogger(__name__)


def is_workbook(stream: BinaryIO, name: str) -> bool:
    """Return whether a file has to be read as a workbook: by its first bytes; a zip of pictures is none, nor a backup."""
    stream.seek(0)
    is_zip = stream.read(4).startswith(ZIP_MARKS)
    found = is_zip and not name.lower().endswith(BACKUP_SUFFIX) and not holds_pictures(stream)
    stream.seek(0)
    return found


def ask_for_reading(file: CommandFile, place: int = 0, *, again: bool = False) -> WorkbookReading:
    """Return the reading of a sheet, which a worker is asked for where there is none of these bytes.

    Shape: again: also where there is one that failed, or that nobody has taken for too long
    Queries: one where it is there
    """
    reading = WorkbookReading.objects.filter(file=file, place=place).first()
    if reading is not None and reading.sha256 == file.sha256 and not (again and _is_over(reading)):
        return reading
    with transaction.atomic():
        values = {
            "sha256": file.sha256, "state": State.WAITING, "code": "", "params": {}, "is_cut": False, "attempts": 0,
            "asked_at": timezone.now(), "begun_at": None,
        }  # fmt: skip
        reading, _made = WorkbookReading.objects.update_or_create(file=file, place=place, defaults=values)
        transaction.on_commit(lambda: _send(reading.pk))
    return reading


def is_late(reading: WorkbookReading) -> bool:
    """Return whether a reading has waited for so long that nobody should wait for it."""
    return reading.state == State.WAITING and reading.asked_at < timezone.now() - WAITING_LIMIT


def trouble_of(reading: WorkbookReading) -> CommandFileError | None:
    """Return why a workbook can't be read, None = nothing is against it."""
    if is_late(reading):
        return CommandFileError(LATE, minutes=int(WAITING_LIMIT.total_seconds() // 60))
    return CommandFileError(reading.code, **reading.params) if reading.state == State.FAILED else None


def kept_sheets(file: CommandFile) -> ReadSheet:
    """Return what opens the sheets of a workbook from what workers have kept; a sheet that nobody has read is asked for."""

    def read(
        _stream: BinaryIO, /, *, is_meant: bool, choose: Callable[[Sequence[SheetHead]], int]  # noqa: ARG001 (as read_sheet)
    ) -> SheetRows:  # fmt: skip
        rows = _kept_rows(ask_for_reading(file))
        place = choose(rows.heads)
        return _kept_rows(ask_for_reading(file, place)) if place else rows

    return read


def readings_of(files: Iterable[CommandFile]) -> dict[int, WorkbookReading]:
    """Return the reading of the first sheet of each workbook of which there is one, by the key of its file. Queries: one"""
    shas = {file.pk: file.sha256 for file in files}
    found = WorkbookReading.objects.filter(file__in=shas, place=0)
    return {reading.file_id: reading for reading in found if reading.sha256 == shas[reading.file_id]}


def read_again(file: CommandFile) -> None:
    """Ask anew for the sheets whose reading failed, or that nobody has taken for too long."""
    for place in WorkbookReading.objects.filter(file=file).values_list("place", flat=True):
        ask_for_reading(file, place, again=True)


def is_cut(file: CommandFile) -> bool:
    """Return whether a sheet has more rows than are kept of it. Queries: one"""
    return WorkbookReading.objects.filter(file=file, sha256=file.sha256, is_cut=True).exists()


def keep_reading(reading_id: int) -> CommandFile | None:
    """Read a sheet and keep its beginning; return the file, None where somebody else reads it or it can't be read."""
    now = timezone.now()
    free = Q(begun_at=None) | Q(begun_at__lt=now - _READING_LIMIT)
    waiting = WorkbookReading.objects.filter(free, pk=reading_id, state=State.WAITING, attempts__lt=_MOST_ATTEMPTS)
    if not waiting.update(begun_at=now, attempts=F("attempts") + 1):
        return None
    reading = WorkbookReading.objects.select_related("file__site").get(pk=reading_id)
    found: dict[str, Any] = {"state": State.READ}
    try:
        found["is_cut"] = _keep(reading)
    except (CodedError, FileNotFoundError) as error:
        coded = error if isinstance(error, CodedError) else CommandFileError("file_not_found", path=reading.file.path)
        found = {"state": State.FAILED, "code": coded.code, "params": dict(coded.params)}
    mine = WorkbookReading.objects.filter(pk=reading_id, sha256=reading.file.sha256)
    done = mine.filter(begun_at=now).update(**found)
    if not done and not mine.exists():
        # The file went, or was replaced, while it was read.
        storage.delete(_key(reading))
    return reading.file if done and found["state"] == State.READ else None


def follow_readings() -> None:
    """Send again what no worker has taken, and end what workers have died of."""
    now = timezone.now()
    waiting = WorkbookReading.objects.filter(state=State.WAITING)
    stuck = waiting.filter(attempts__gte=_MOST_ATTEMPTS, begun_at__lt=now - _READING_LIMIT)
    stuck.update(state=State.FAILED, code="workbook_reading_died")
    free = Q(begun_at=None, asked_at__lt=now - _RESEND) | Q(begun_at__lt=now - _READING_LIMIT)
    for reading_id in waiting.filter(free).values_list("pk", flat=True):
        _send(reading_id, expires=_RESEND.total_seconds())


def forget_readings() -> None:
    """Delete what was read a day ago; a page that needs it has it read again."""
    old = WorkbookReading.objects.filter(asked_at__lt=timezone.now() - _KEPT_FOR).exclude(state=State.WAITING)
    for reading in old.select_related("file__site"):
        storage.delete(_key(reading))
        reading.delete()


def drop_readings(file: CommandFile) -> None:
    """Delete what was read of a file. Queries: one where there is nothing"""
    for reading in WorkbookReading.objects.filter(file=file).select_related("file__site"):
        storage.delete(_key(reading))
        reading.delete()


def _is_over(reading: WorkbookReading) -> bool:
    return reading.state == State.FAILED or is_late(reading)


def _send(reading_id: int, expires: float | None = None) -> None:
    try:
        send_task(READ_TASK, reading_id, expires=expires)
    except QueueUnavailable:
        logger.warning("the broker doesn't answer; workbook reading %s waits", reading_id)


def _kept_rows(reading: WorkbookReading) -> SheetRows:
    """Raises: WorkbookUnread; CommandFileError why it can't be read"""
    if (trouble := trouble_of(reading)) is not None:
        raise trouble
    if reading.state == State.WAITING:
        raise WorkbookUnread("workbook_unread")
    try:
        with storage.opened(_key(reading)) as kept:
            return SheetRows(io.BytesIO(kept.read()))
    except FileNotFoundError:
        # Somebody has tidied up: it is asked for anew at the next look.
        WorkbookReading.objects.filter(pk=reading.pk).delete()
        raise WorkbookUnread("workbook_unread") from None


def _keep(reading: WorkbookReading) -> bool:
    """Keep the beginning of a sheet; return whether there is more. Raises: CommandFileError, FileNotFoundError"""
    file = reading.file
    with storage.opened(storage.key_of_path(file.site.slug, file.path)) as stream:
        is_meant = looks_like_workbook(stream, file.name)
        rows = read_sheet(stream, is_meant=is_meant, choose=lambda heads: min(reading.place, len(heads) - 1))
    try:
        with storage.scratch_file() as out:
            has_more = rows.copy_beginning(out, KEPT_BYTES)
            storage.save(_key(reading), out)
    finally:
        rows.close()
    return has_more


def _key(reading: WorkbookReading) -> str:
    file = reading.file
    return f"{file.site.slug}/readings/{file.pk}/{reading.sha256}-{reading.place}"
