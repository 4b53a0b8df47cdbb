"""Values about a person, erased on request: the keys of the entries that name this person are destroyed, the chain stays."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from django.db import transaction

from sync.audit.chain import existing_keys_of, insert_names, keys_of
from sync.audit.entries import Entry
from sync.audit.keys import GONE, AuditKeys, BoxKey
from sync.audit.selectors import entries_of, records_naming
from sync.audit.services import Person, record
from sync.columns.column import About
from sync.models import AuditKind, AuditName, AuditRecord, MoodleSite
from sync.moodle.db.writer import MAX_KEYS, batched
from sync.values import Action, Change

# How the entry of an erasure says which keys it has destroyed.
PLACES_FIELD = "places"
NAMES_FIELD = "names"


class Found(NamedTuple):
    """What there is about a name. Shape: entries: that would be erased; other_names: how the same entries name the person too"""

    entries: int
    other_names: tuple[str, ...]


def find_person(site: MoodleSite, name: str) -> Found:
    """Return what an erasure of a name would erase, and by which other names the person may be found.

    Raises: AuditUnavailable, AuditDamaged, StorageUnavailable
    """
    keys = existing_keys_of(site)
    if keys is None:
        return Found(0, ())
    wanted = keys.hash_of(About.USER, name)
    count = 0
    others: dict[str, None] = {}
    for found in records_naming(site, wanted).iterator():
        for entry, box in entries_of(found, keys):
            if box is not None and wanted in box.names:
                count += 1
                others.update(dict.fromkeys(entry.users))
    return Found(count, tuple(other for other in others if keys.hash_of(About.USER, other) != wanted))


def erase_person(site: MoodleSite, names: Collection[str], person: Person) -> int:
    """Destroy the keys of every entry that names a person by one of these names; return how many.

    The erasure is an entry itself. It is found by the names, of which it keeps keyed hashes only.

    Raises: AuditUnavailable, AuditDamaged
    """
    with transaction.atomic():
        keys = keys_of(site)
        wanted = {keys.hash_of(About.USER, name) for name in names}
        places: list[str] = []
        count = 0
        for found in _naming(site, wanted):
            boxes = keys.open_keys(found.sequence, bytes(found.keys))
            gone = [at for at, box in enumerate(boxes) if box.key != GONE and wanted.intersection(box.names)]
            if not gone:
                continue
            _destroy(found, boxes, gone, keys)
            places.append(f"{found.sequence}:{','.join(map(str, gone))}")
            count += len(gone)
        if count:
            changes = [Change(PLACES_FIELD, place, "") for place in places]
            changes += [Change(NAMES_FIELD, str(name), "") for name in sorted(wanted)]
            params = {"count": len(places)}
            made = record(site, AuditKind.ERASURE, person, "", changes, action=Action.DELETED, params=params)
            if made is not None:
                insert_names(made.pk, wanted)
    return count


def erased_places(entries: Iterable[Entry]) -> set[tuple[int, int]]:
    """Return which keys the entries of an erasure say are destroyed. Shape: sequence of the record, number of the box"""
    places: set[tuple[int, int]] = set()
    for change in _changes_of(entries, PLACES_FIELD):
        sequence, _colon, boxes = change.old.partition(":")
        places |= {(int(sequence), int(box)) for box in boxes.split(",")}
    return places


def erased_names(entries: Iterable[Entry]) -> set[int]:
    """Return the keyed hashes of the names that were erased."""
    return {int(change.old) for change in _changes_of(entries, NAMES_FIELD)}


def _changes_of(entries: Iterable[Entry], field: str) -> Iterator[Change]:
    return (change for entry in entries for change in entry.changes if change.field == field)


def _naming(site: MoodleSite, names: Collection[int]) -> list[AuditRecord]:
    """Return the records that name somebody, held until the transaction is over."""
    ids = list(AuditName.objects.filter(name__in=names).values_list("record_id", flat=True))
    records: list[AuditRecord] = []
    for part in batched(sorted(ids), MAX_KEYS):
        held = AuditRecord.objects.select_for_update().filter(site=site, pk__in=part)
        records += held.exclude(kind=AuditKind.ERASURE).order_by("sequence")
    return records


def _destroy(found: AuditRecord, boxes: list[BoxKey], gone: Collection[int], keys: AuditKeys) -> None:
    """Destroy some keys of a record, and take the names away by which nothing in it is found any more."""
    kept = [BoxKey(GONE, ()) if at in gone else box for at, box in enumerate(boxes)]
    AuditRecord.objects.filter(pk=found.pk).update(keys=keys.seal_keys(found.sequence, kept))
    named = {name for box in kept for name in box.names}
    lost = {name for at in gone for name in boxes[at].names} - named
    AuditName.objects.filter(record_id=found.pk, name__in=lost).delete()
