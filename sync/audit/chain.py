"""The chain of a site: each record holds the hash of the one before it, and the end of the chain is kept and proved apart."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from sync.audit.entries import Encoded, Entry, encode_entries
from sync.audit.keys import AuditKeys
from sync.commandfiles import storage
from sync.errors import AuditDamaged, AuditNotLost, AuditUnavailable
from sync.models import AuditChain, AuditKind, AuditName, AuditRecord, MoodleSite
from sync.values import Action

# Code of the entry that says that the end of the chain was not as ToolSync had left it.
CHAIN_DAMAGED = "audit_chain_was_damaged"
# And of the one that says that what is before it was written under keys that are lost.
KEYS_LOST = "audit_keys_were_lost"

_NAMES_AT_ONCE = 1000


@dataclass(frozen=True)
class Facts:
    """What a record is about; as in the model."""

    kind: str
    run: int | None = None
    processor: str = ""
    file: str = ""
    origin: str = ""
    person: str = ""
    schedule: str = ""
    first_line: int = 0
    last_line: int = 0


def existing_keys_of(site: MoodleSite) -> AuditKeys | None:
    """Return the keys of a site's audit, None where nothing was ever written. Raises: AuditUnavailable"""
    chain = AuditChain.objects.filter(site=site).select_related("site").first()
    return None if chain is None else AuditKeys.of(chain)


def keys_of(site: MoodleSite) -> AuditKeys:
    """Return the keys of a site's audit; the chain is begun where there is none. Raises: AuditUnavailable"""
    return existing_keys_of(site) or AuditKeys.of(_begun(site))


def append(site: MoodleSite, facts: Facts, encoded: Encoded, keys: AuditKeys, *, part_key: str = "") -> AuditRecord:
    """Append a record to the chain of a site, in the caller's transaction or one of its own.

    Where the end of the chain isn't as ToolSync has left it, the chain goes on, with a record before this one that says so.

    Shape: part_key: where the entries are kept in the storage, "" = with the record
    Queries: three, and one for each 1,000 names
    """
    with transaction.atomic(savepoint=False):
        chain = _locked(site)
        if chain.sequence and chain.seal != seal_of(chain, keys):
            _append_damage(chain, keys)
        record = _appended(chain, facts, encoded, keys, part_key)
        chain.save(update_fields=["sequence", "hash", "seal"])
    return record


def begin_with_new_keys(site: MoodleSite) -> int:
    """Go on with a chain whose keys can't be decrypted any more, under new ones; return the number of its next record.

    What is before it can't be proved, nor values about people in it be read, ever again.
    Raises: AuditNotLost if the keys are there
    """
    with transaction.atomic():
        chain = _locked(site)
        try:
            AuditKeys.of(chain)
        except AuditUnavailable:
            last = AuditRecord.objects.filter(site=site).aggregate(last=Max("sequence"))["last"] or 0
        else:
            raise AuditNotLost(site.slug)
        chain.first, chain.sequence = last + 1, last
        keys = AuditKeys.new()._replace(first=chain.first)
        chain.secret = keys.encrypted()
        entry = Entry(0, Action.UPDATED, KEYS_LOST, {"last": last}, "", ())
        record = _appended(chain, Facts(AuditKind.SITE), encode_entries([entry], keys), keys, "")
        chain.save()
    return record.sequence


def _locked(site: MoodleSite) -> AuditChain:
    """Return the end of a chain, held until the transaction is over. On SQLite the whole database is held."""
    chains = AuditChain.objects.select_for_update()
    return chains.filter(site=site).first() or chains.get(pk=_begun(site).pk)


def _begun(site: MoodleSite) -> AuditChain:
    return AuditChain.objects.get_or_create(site=site, defaults={"secret": AuditKeys.new().encrypted()})[0]


def _append_damage(chain: AuditChain, keys: AuditKeys) -> None:
    last = AuditRecord.objects.filter(site=chain.site_id).aggregate(last=Max("sequence"))["last"] or 0
    entry = Entry(0, Action.UPDATED, CHAIN_DAMAGED, {"sequence": chain.sequence}, "", ())
    chain.sequence = max(chain.sequence, last)
    _appended(chain, Facts(AuditKind.SITE), encode_entries([entry], keys), keys, "")


def _appended(chain: AuditChain, facts: Facts, encoded: Encoded, keys: AuditKeys, part_key: str) -> AuditRecord:
    record = AuditRecord(
        site_id=chain.site_id, sequence=chain.sequence + 1, kind=facts.kind, at=timezone.now(), run_id=facts.run,
        run_number=facts.run, processor=facts.processor, file=facts.file, origin=facts.origin, person=facts.person[:150],
        schedule=facts.schedule[:100], first_line=facts.first_line, last_line=facts.last_line, entries=encoded.entries,
        part_key=part_key, body=b"" if part_key else encoded.body, digest=hashlib.sha256(encoded.body).hexdigest(),
        previous=chain.hash,
    )  # fmt: skip
    record.hash = hash_of(record, keys)
    record.keys = keys.seal_keys(record.sequence, encoded.boxes)
    record.save(force_insert=True)
    insert_names(record.pk, encoded.names)
    chain.sequence, chain.hash = record.sequence, record.hash
    chain.seal = seal_of(chain, keys)
    return record


def hash_of(record: AuditRecord, keys: AuditKeys) -> str:
    """Return what the chain says of a record: of all of it that may never change."""
    at = record.at.astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    fields: list[Any] = [
        record.sequence, record.kind, at.days, at.seconds, at.microseconds, record.run_number, record.processor, record.file,
        record.origin, record.person, record.schedule, record.first_line, record.last_line, record.entries, record.part_key,
        record.digest, record.previous,
    ]  # fmt: skip
    return keys.prove(json.dumps(fields).encode())


def seal_of(chain: AuditChain, keys: AuditKeys) -> str:
    """Return the proof of the end of a chain."""
    return keys.prove(f"end {chain.first} {chain.sequence} {chain.hash}".encode())


def insert_names(record_id: int, names: Iterable[int]) -> None:
    """Make a record be found by names. Queries: one for each 1,000"""
    # In the order of the index. Django would take ten times as long over the objects.
    rows = [value for name in sorted(names) for value in (name, record_id)]
    table = connection.ops.quote_name(AuditName._meta.db_table)  # noqa: SLF001
    with connection.cursor() as cursor:
        for start in range(0, len(rows), 2 * _NAMES_AT_ONCE):
            part = rows[start : start + 2 * _NAMES_AT_ONCE]
            places = ", ".join(["(%s, %s)"] * (len(part) // 2))
            cursor.execute(f"INSERT INTO {table} (name, record_id) VALUES {places}", part)  # noqa: S608


def body_of(record: AuditRecord) -> bytes:
    """Return the entries of a record as they are kept. Raises: AuditDamaged, StorageUnavailable"""
    if not record.part_key:
        return bytes(record.body)
    try:
        with storage.opened(record.part_key) as part:
            return part.read()
    except FileNotFoundError:
        raise AuditDamaged("audit_part_missing", sequence=record.sequence, part=record.part_key) from None


def keep_part(key: str, encoded: Encoded) -> None:
    """Store the entries of a record that is about to be appended. Raises: StorageUnavailable"""
    storage.save(key, io.BytesIO(encoded.body))
