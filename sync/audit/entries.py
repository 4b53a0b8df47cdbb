"""The entries of a record <-> bytes: what may be read by anybody compressed, and behind it the boxes of what is about people.

A box is sealed under a random key of its own. Who destroys the key leaves every byte here, and with them the chain, as it is.
"""

from __future__ import annotations

import json
import secrets
import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sync.audit.keys import GONE, KEY_BYTES, AuditKeys, BoxKey
from sync.columns.column import About
from sync.errors import AuditDamaged
from sync.values import Change

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=str).encode
_LENGTH_BYTES = 4
# No key is used twice, so the nonce needn't differ. Source: NIST SP 800-38D section 8
_NONCE = bytes(12)
# Between the texts of a box; no database keeps it in a text.
_BETWEEN = "\0"
_IN_ITS_PLACE = "\N{REPLACEMENT CHARACTER}"


class Entry(NamedTuple):
    """One change, to be written or as it is read.

    Shape: line: of the file, 0 = none; action: of sync.values, done: as in Outcome; code and params: of sync.messages; subject:
    as a person would name it; users, courses: what it is found by; sealed_fields: whose values are about people though the
    subject isn't, None = everything is, never read back; is_erased: somebody had what was about people destroyed
    """

    line: int
    action: str
    code: str
    params: Mapping[str, Any]
    subject: str
    changes: Sequence[Change]
    users: Sequence[str] = ()
    courses: Sequence[str] = ()
    done: str = ""
    sealed_fields: frozenset[str] | None = None
    is_erased: bool = False


class Encoded(NamedTuple):
    """Entries as they are kept.

    Shape: boxes: the keys of the sealed ones; names: keyed hashes of all that they name; entries: how many
    """

    body: bytes
    boxes: list[BoxKey]
    names: set[int]
    entries: int


def encode_entries(entries: Sequence[Entry], keys: AuditKeys) -> Encoded:
    """Write entries down, what is about people sealed."""
    hash_user, hash_course = keys.hasher(About.USER), keys.hasher(About.COURSE)
    plain: list[tuple[object, ...]] = []
    sealed: list[bytes] = []
    boxes: list[BoxKey] = []
    courses: set[str] = set()
    # One call for all of them.
    fresh = secrets.token_bytes(KEY_BYTES * len(entries))
    for place, entry in enumerate(entries):
        courses.update(entry.courses)
        if not entry.users:
            plain.append((0, *entry[:6], entry.courses, entry.done))
            continue
        text, subject, kept, fields = _split(entry)
        key = fresh[place * KEY_BYTES : (place + 1) * KEY_BYTES]
        box = AESGCM(key).encrypt(_NONCE, text.encode("utf-8", "surrogatepass"), None)
        boxes.append(BoxKey(key, tuple(map(hash_user, entry.users))))
        sealed.append(box)
        plain.append(
            (len(box), entry.line, entry.action, entry.code, (), subject, kept, entry.courses, entry.done, fields)
        )
    packed = zlib.compress(_encode(plain).encode("utf-8", "surrogatepass"), 1)
    names = {name for box in boxes for name in box.names}.union(map(hash_course, courses))
    body = b"".join((len(packed).to_bytes(_LENGTH_BYTES, "big"), packed, *sealed))
    return Encoded(body, boxes, names, len(plain))


def decode_entries(body: bytes, boxes: Sequence[BoxKey]) -> Iterator[tuple[Entry, BoxKey | None]]:
    """Read entries, with the keys of those that have one. Raises: AuditDamaged"""
    try:
        start = _LENGTH_BYTES + int.from_bytes(body[:_LENGTH_BYTES], "big")
        plain = json.loads(zlib.decompress(body[_LENGTH_BYTES:start]).decode("utf-8", "surrogatepass"))
        ends = list(accumulate((fields[0] for fields in plain), initial=start))
        remaining = iter(boxes)
        for fields, begin, end in zip(plain, ends, ends[1:], strict=False):
            box = next(remaining) if end > begin else None
            yield _joined(fields, body[begin:end], box), box
    except (ValueError, TypeError, IndexError, StopIteration, RuntimeError, zlib.error, InvalidTag) as error:
        raise AuditDamaged("audit_entries_damaged") from error


def _split(entry: Entry) -> tuple[str, str, Sequence[Change], list[str]]:
    """Return of an entry about people the text that is sealed, and what stands open: subject, changes, fields of the others."""
    subject, hidden, open_subject = entry.subject, entry.changes, ""
    kept: Sequence[Change] = ()
    if (sealed := entry.sealed_fields) is not None:
        subject, open_subject = "", subject
        hidden = [change for change in entry.changes if change.field in sealed]
        kept = [change for change in entry.changes if change.field not in sealed]
    texts = [str(len(entry.users)), *entry.users, subject, _encode(entry.params) if entry.params else ""]
    for change in hidden:
        texts += (change.old, change.new)
    text = _BETWEEN.join(texts)
    if text.count(_BETWEEN) >= len(texts):
        text = _BETWEEN.join([part.replace(_BETWEEN, _IN_ITS_PLACE) for part in texts])
    return text, open_subject, kept, [change.field for change in hidden]


def _joined(fields: Sequence[Any], content: bytes, box: BoxKey | None) -> Entry:
    _size, line, action, code, params, subject, kept, courses, done, *rest = fields
    changes = [Change(*change) for change in kept]
    hidden = rest[0] if rest else ()
    users: Sequence[str] = ()
    is_erased = box is not None and box.key == GONE
    if is_erased:
        params = {}
        changes += [Change(field, "", "") for field in hidden]
    elif box is not None:
        text = AESGCM(box.key).decrypt(_NONCE, content, None).decode("utf-8", "surrogatepass")
        named, *texts = text.split(_BETWEEN)
        users = texts[: int(named)]
        sealed_subject, sealed_params, *values = texts[int(named) :]
        subject = subject or sealed_subject
        params = json.loads(sealed_params) if sealed_params else {}
        changes += [Change(*change) for change in zip(hidden, values[::2], values[1::2], strict=True)]
    return Entry(line, action, code, params, subject, changes, users, courses, done, None, is_erased)
