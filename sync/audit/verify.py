"""Whether the audit of a site is as ToolSync wrote it: every byte of every record, and none of them missing."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from sync.audit.chain import CHAIN_DAMAGED, body_of, existing_keys_of, hash_of, seal_of
from sync.audit.entries import Entry, decode_entries
from sync.audit.erasure import erased_names, erased_places
from sync.audit.keys import GONE, AuditKeys, BoxKey
from sync.columns.column import About
from sync.commandfiles import storage
from sync.errors import AuditDamaged
from sync.models import AuditChain, AuditKind, AuditName, AuditRecord, MoodleSite, RunChunk, SyncRun
from sync.models.run import CLAIMED_STATES, RESUMABLE_STATES, RunState
from sync.values import Note

_AT_ONCE = 100


class Head(NamedTuple):
    """The last record of a chain. Shape: hash: in hexadecimal; kept elsewhere, it proves later that nothing before it has gone"""

    sequence: int
    hash: str


class Verification(NamedTuple):
    """What was found.

    Shape: faults: as sync.messages knows them; records, erased: how many records, and destroyed keys; unproved: how many of the
    records were written under keys that are lost
    """

    head: Head
    faults: Sequence[Note]
    records: int
    erased: int
    unproved: int = 0


def verify(site: MoodleSite, expected: Head | None = None) -> Verification:
    """Look at the whole audit of a site. Shape: expected: an earlier end of the chain, which somebody has kept elsewhere

    Raises: AuditUnavailable, StorageUnavailable
    Queries: five, and two for each 100 records
    """
    keys = existing_keys_of(site)
    if keys is None:
        is_lost = AuditRecord.objects.filter(site=site).exists() or expected is not None
        faults = [Note("audit_chain_missing", {})] if is_lost else []
        return Verification(Head(0, ""), faults, 0, 0)
    return _Verifier(site, keys).verify(expected)


class _Verifier:
    """Goes once through a chain. Shape: destroyed, said: keys that are gone, and those of which an erasure says so"""

    def __init__(self, site: MoodleSite, keys: AuditKeys) -> None:
        self._site = site
        self._keys = keys
        self._faults: list[Note] = []
        self._destroyed: set[tuple[int, int]] = set()
        self._said: set[tuple[int, int]] = set()
        self._chunks: dict[int | None, tuple[int, int]] = {}
        self._parts: set[str] = set()

    def verify(self, expected: Head | None) -> Verification:
        chunks = RunChunk.objects.filter(run__site=self._site).exclude(audit_sequence=None)
        # Before the chain is read: a run may be at work.
        told = list(chunks.values_list("audit_sequence", "run_id", "last_line"))
        chain = AuditChain.objects.get(site=self._site)
        count, last = 0, Head(0, "")
        for record in self._records(chain.sequence):
            self._add_missing(last.sequence + 1, record.sequence - 1)
            if record.previous != last.hash:
                self._add_fault("audit_record_unlinked", sequence=record.sequence)
            count, last = count + 1, Head(record.sequence, record.hash)
            if expected is not None and record.sequence == expected.sequence and last.hash != expected.hash:
                self._add_fault("audit_record_replaced", sequence=record.sequence)
        self._look_at_end(chain, last, expected)
        for sequence, run, line in told:
            if self._chunks.get(sequence) != (run, line):
                self._add_fault("audit_chunk_missing", run=run, line=line, sequence=sequence)
        for part in _unlisted_parts(self._site, self._parts):
            # A run that is at work may have appended it meanwhile.
            if not AuditRecord.objects.filter(site=self._site, part_key=part).exists():
                self._add_fault("audit_part_unlisted", part=part)
        self._look_at_erasures(chain.sequence)
        return Verification(last, self._faults, count, len(self._destroyed), self._keys.first - 1)

    def _add_fault(self, code: str, **params: object) -> None:
        self._faults.append(Note(code, params))

    def _add_missing(self, first: int, last: int) -> None:
        if first <= last:
            self._add_fault("audit_records_missing", first=first, last=last)

    def _records(self, end: int) -> Iterator[AuditRecord]:
        """Return the records of the chain in order, each looked at."""
        last = 0
        while True:
            found = AuditRecord.objects.filter(site=self._site, sequence__gt=last, sequence__lte=end)
            records = list(found.order_by("sequence")[:_AT_ONCE])
            if not records:
                return
            names = defaultdict(set)
            ids = [record.pk for record in records]
            for name, record_id in AuditName.objects.filter(record_id__in=ids).values_list("name", "record_id"):
                names[record_id].add(name)
            for record in records:
                self._look_at(record, names[record.pk])
                yield record
            last = records[-1].sequence

    def _look_at(self, record: AuditRecord, names: set[int]) -> None:
        sequence = record.sequence
        if record.run_number is not None and record.kind == AuditKind.RUN:
            self._chunks[sequence] = record.run_number, record.last_line
        if record.part_key:
            self._parts.add(record.part_key)
        is_proved = sequence >= self._keys.first
        if is_proved and record.hash != hash_of(record, self._keys):
            self._add_fault("audit_record_altered", sequence=sequence)
        try:
            body = body_of(record)
            if hashlib.sha256(body).hexdigest() != record.digest:
                self._add_fault("audit_body_altered", sequence=sequence)
                return
            if not is_proved:
                return
            boxes = self._keys.open_keys(sequence, bytes(record.keys))
            entries = list(decode_entries(body, boxes))
        except AuditDamaged as error:
            self._add_fault(error.code, **{"sequence": sequence, **error.params})
            return
        self._look_at_entries(record, boxes, [entry for entry, _box in entries], names)

    def _look_at_entries(
        self, record: AuditRecord, boxes: Sequence[BoxKey], entries: Sequence[Entry], names: set[int]
    ) -> None:
        sequence = record.sequence
        self._destroyed |= {(sequence, at) for at, box in enumerate(boxes) if box.key == GONE}
        expected = {name for box in boxes for name in box.names}
        expected |= {self._keys.hash_of(About.COURSE, name) for entry in entries for name in entry.courses}
        if record.kind == AuditKind.ERASURE:
            self._said |= erased_places(entries)
            expected |= erased_names(entries)
        if len(entries) != record.entries:
            self._add_fault("audit_body_altered", sequence=sequence)
        if names != expected:
            self._add_fault("audit_index_altered", sequence=sequence)
        for entry in entries:
            if entry.code == CHAIN_DAMAGED:
                self._add_fault(CHAIN_DAMAGED, **entry.params)

    def _look_at_end(self, chain: AuditChain, last: Head, expected: Head | None) -> None:
        self._add_missing(last.sequence + 1, chain.sequence)
        is_proved = not chain.sequence or chain.seal == seal_of(chain, self._keys)
        has_grown = AuditChain.objects.exclude(sequence=chain.sequence).filter(pk=chain.pk).exists()
        has_more = AuditRecord.objects.filter(site=self._site, sequence__gt=chain.sequence).exists()
        is_another = last.sequence == chain.sequence and last.hash != chain.hash
        if not is_proved or is_another or (has_more and not has_grown):
            self._add_fault("audit_end_altered", sequence=chain.sequence)
        if expected is not None and expected.sequence > last.sequence:
            self._add_fault("audit_expected_missing", sequence=expected.sequence)

    def _look_at_erasures(self, end: int) -> None:
        # Somebody may have erased something meanwhile.
        for record in AuditRecord.objects.filter(site=self._site, kind=AuditKind.ERASURE, sequence__gt=end):
            self._destroyed |= (late := erased_places(entry for entry, _box in decode_entries(body_of(record), ())))
            self._said |= late
        for sequence, _box in sorted(self._destroyed - self._said):
            self._add_fault("audit_erased_by_nobody", sequence=sequence)
        for sequence, _box in sorted(self._said - self._destroyed):
            self._add_fault("audit_erased_is_back", sequence=sequence)


def _unlisted_parts(site: MoodleSite, listed: Collection[str]) -> Iterator[str]:
    """Return the parts that lie in the storage though the chain has no record of them: such a record is missing.

    A part of a run that isn't through may be that of a chunk which is counted only when the run goes on.

    Raises: StorageUnavailable
    Queries: one
    """
    folder = storage.audit_folder(site.slug)
    going_on = (RunState.QUEUED, *CLAIMED_STATES, *RESUMABLE_STATES)
    open_runs = dict(SyncRun.objects.filter(site=site, state__in=going_on).values_list("pk", "last_line"))
    for run in storage.names_in(folder)[0]:
        for name in storage.names_in(f"{folder}/{run}")[1]:
            key = f"{folder}/{run}/{name}"
            if key in listed or name.startswith("."):
                continue
            line, counted = name.partition("-")[0], open_runs.get(int(run)) if run.isdecimal() else None
            if counted is None or not line.isdecimal() or int(line) <= counted:
                yield key
