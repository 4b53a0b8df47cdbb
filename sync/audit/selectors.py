"""What the page of the audit shows: entries, newest record first, found by user, by course, by kind and by date."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from django.db.models import Q, QuerySet
from django.utils import timezone

from sync.audit.chain import body_of, existing_keys_of
from sync.audit.entries import Entry, decode_entries
from sync.audit.keys import AuditKeys, BoxKey
from sync.columns.column import About
from sync.errors import AuditDamaged
from sync.models import AuditKind, AuditName, AuditRecord, MoodleSite

# A page opens no more parts than that, however few entries of each fit.
RECORDS_AT_ONCE = 50


@dataclass(frozen=True)
class AuditQuery:
    """What somebody looks for; "" and None = everything.

    Shape: since, until: days, both of them included; other_names: further ones of the same user, or of the same course
    """

    user: str = ""
    course: str = ""
    kind: str = ""
    since: date | None = None
    until: date | None = None
    other_names: tuple[str, ...] = ()


class Cursor(NamedTuple):
    """Where a page begins. Shape: position: in the record, 0-based"""

    sequence: int
    position: int

    def __str__(self) -> str:
        return f"{self.sequence}-{self.position}"

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """Return the cursor that an address holds; None if it is none of ours."""
        parts = text.split("-")
        if len(parts) != 2 or not all(part.isascii() and part.isdecimal() and len(part) < 18 for part in parts):
            return None
        return cls(int(parts[0]), int(parts[1]))


class AuditLine(NamedTuple):
    """One entry with its record. Shape: entry: None where it can't be read, then fault says why"""

    record: AuditRecord
    entry: Entry | None
    fault: AuditDamaged | None = None


@dataclass(frozen=True)
class AuditPage:
    """Shape: following: where the next page begins, None = there is none"""

    lines: list[AuditLine]
    following: Cursor | None


class _Wanted:
    """Tells which entries of a record are looked for. Shape: users, courses: keyed hashes of names, none = whoever it is about"""

    def __init__(self, query: AuditQuery, keys: AuditKeys) -> None:
        self._keys = keys
        self.users = self._hashes(About.USER, query.user, query)
        self.courses = self._hashes(About.COURSE, query.course, query)

    def fits(self, entry: Entry, box: BoxKey | None) -> bool:
        if self.users and (box is None or self.users.isdisjoint(box.names)):
            return False
        return not self.courses or any(self._keys.hash_of(About.COURSE, name) in self.courses for name in entry.courses)

    def _hashes(self, about: About, name: str, query: AuditQuery) -> frozenset[int]:
        return (
            frozenset(self._keys.hash_of(about, text) for text in (name, *query.other_names)) if name else frozenset()
        )


def find_entries(site: MoodleSite, query: AuditQuery, *, start: Cursor | None = None, most: int = 50) -> AuditPage:
    """Return one page of the audit.

    Raises: AuditUnavailable, StorageUnavailable
    Queries: two
    """
    keys = existing_keys_of(site)
    if keys is None:
        return AuditPage([], None)
    wanted = _Wanted(query, keys)
    records = list(_records(site, query, wanted, start)[: RECORDS_AT_ONCE + 1])
    lines: list[AuditLine] = []
    for record in records[:RECORDS_AT_ONCE]:
        first = start.position if start is not None and start.sequence == record.sequence else 0
        for position, line in _lines_of(record, keys, wanted):
            if position < first:
                continue
            if len(lines) == most:
                return AuditPage(lines, Cursor(record.sequence, position))
            lines.append(line)
    rest = records[RECORDS_AT_ONCE:]
    return AuditPage(lines, Cursor(rest[0].sequence, 0) if rest else None)


def entries_of(record: AuditRecord, keys: AuditKeys) -> list[tuple[Entry, BoxKey | None]]:
    """Return the entries of a record. Raises: AuditDamaged, StorageUnavailable"""
    boxes = keys.open_keys(record.sequence, bytes(record.keys))
    return list(decode_entries(body_of(record), boxes))


def records_naming(site: MoodleSite, name: int) -> QuerySet[AuditRecord]:
    """Return the records of a site in which a keyed hash of a name is found."""
    return AuditRecord.objects.filter(site=site, pk__in=AuditName.objects.filter(name=name).values("record_id"))


def _records(site: MoodleSite, query: AuditQuery, wanted: _Wanted, start: Cursor | None) -> QuerySet[AuditRecord]:
    found = Q(site=site)
    for names in (wanted.users, wanted.courses):
        if names:
            found &= Q(pk__in=AuditName.objects.filter(name__in=names).values("record_id"))
    if query.kind:
        found &= Q(kind=query.kind)
    if query.since is not None:
        found &= Q(at__gte=_midnight(query.since))
    if query.until is not None:
        found &= Q(at__lt=_midnight(query.until + timedelta(days=1)))
    if start is not None:
        found &= Q(sequence__lte=start.sequence)
    return AuditRecord.objects.filter(found).order_by("-sequence")


def _lines_of(record: AuditRecord, keys: AuditKeys, wanted: _Wanted) -> Iterator[tuple[int, AuditLine]]:
    try:
        entries = entries_of(record, keys)
    except AuditDamaged as fault:
        yield 0, AuditLine(record, None, fault)
        return
    for position, (entry, box) in enumerate(entries):
        if record.kind == AuditKind.ERASURE:
            # It names nobody; that it is found by the name it was asked for, the index says.
            yield position, AuditLine(record, entry._replace(changes=()))
        elif wanted.fits(entry, box):
            yield position, AuditLine(record, entry)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))
