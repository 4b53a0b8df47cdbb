"""What is written into the audit: what people change in ToolSync, and what runs change in Moodle."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, NamedTuple, Protocol

from django.db.models import Model

from sync.audit.chain import Facts, append, keep_part, keys_of
from sync.audit.entries import Encoded, Entry, encode_entries
from sync.audit.keys import AuditKeys
from sync.columns.column import About
from sync.columns.file_columns import Columns
from sync.columns.row_names import RowNames
from sync.models import AuditKind, AuditRecord, MoodleSite, SyncRun
from sync.values import CHANGED_ACTIONS, Action, Change, Outcome

HIDDEN = "••••"


class Person(Protocol):
    """Whoever does something. Shape: name: "" = the operator of this installation"""

    @property
    def name(self) -> str: ...


class RunPart(NamedTuple):
    """What a committed chunk changed, stored and not yet in the chain. Shape: part_key: where it is kept in the storage"""

    encoded: Encoded
    part_key: str
    first_line: int
    last_line: int


def record(
    site: MoodleSite,
    kind: str,
    person: Person,
    subject: str,
    changes: Sequence[Change],
    *,
    action: str = Action.UPDATED,
    code: str = "",
    params: Mapping[str, Any] | None = None,
    users: Collection[str] = (),
    courses: Collection[str] = (),
    run: SyncRun | None = None,
) -> AuditRecord | None:
    """Append what a person has changed in ToolSync, in the transaction that changes it. An update that changes nothing is none.

    Shape: kind: of AuditKind; changes: never with secrets; code, params: of sync.messages, "" = as kind and action say it; users,
    courses: what it is found by; what names users is sealed, and can be erased
    Raises: AuditUnavailable
    Queries: five
    """
    if action == Action.UPDATED and not changes and not code:
        return None
    keys = keys_of(site)
    entry = Entry(
        0, action, code or _code_of(kind, action), params or {}, subject, changes, tuple(users),
        tuple(courses),
    )  # fmt: skip
    facts = Facts(kind, person=person.name)
    if run is not None:
        facts = Facts(kind, run.pk, run.processor, run.file_path, run.origin, person.name)
    return append(site, facts, encode_entries([entry], keys), keys)


def _code_of(kind: str, action: str) -> str:
    return {
        Action.CREATED: f"audit_{kind}_created",
        Action.UPDATED: f"audit_{kind}_updated",
        Action.DELETED: f"audit_{kind}_deleted",
    }[Action(action)]


def record_saved(
    site: MoodleSite,
    kind: str,
    person: Person,
    subject: str,
    *,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    secret: Collection[str] = (),
    code: str = "",
) -> None:
    """Append what saving, making (before: None) or deleting (after: None) something has changed, as `record` does.

    Shape: before, after: name -> value; secret: names whose values are not shown; code: what it begins with, "" = "audit_<kind>"
    """
    action = Action.CREATED if before is None else Action.DELETED if after is None else Action.UPDATED
    changes = difference(before or {}, after or {}, secret)
    if action != Action.UPDATED or changes:
        record(site, kind, person, subject, changes, action=action, code=_code_of(code or kind, action))


def fields_of(stored: Model | None, names: Iterable[str]) -> dict[str, Any] | None:
    """Return fields of a record of our database by their names; None where there is no record."""
    return None if stored is None else {name: getattr(stored, name) for name in names}


def difference(
    before: Mapping[str, Any], after: Mapping[str, Any], secret: Collection[str] = ()
) -> list[Change]:  # fmt: skip
    """Return what differs between two states, each name -> value. Shape: secret: names whose values are not shown"""
    changes = [
        Change(name, *(_hidden(old, new) if name in secret else (_shown(old), _shown(new))))
        for name in dict.fromkeys((*before, *after))
        if (old := before.get(name)) != (new := after.get(name))
    ]
    # Nothing and "" are shown alike; a secret that became another one is a change though both look the same.
    return [change for change in changes if change.old != change.new or change.field in secret]


def _hidden(old: Any, new: Any) -> tuple[str, str]:
    return HIDDEN if old else "", HIDDEN if new else ""


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_shown(part)}" for key, part in value.items())
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(map(_shown, value))
    return str(value)


class RunAudit:
    """Writes what one run changes. Shape: columns: of its file type"""

    def __init__(self, run: SyncRun, columns: Columns) -> None:
        self._run = run
        self._user_columns = frozenset(column.name for column in columns if column.about == About.USER)
        # Rows about a course may name people beside it: only what is about them is sealed.
        self._sealed_fields = self._user_columns if columns.subject_about == About.COURSE else None
        self._keys: AuditKeys | None = None

    @property
    def keys(self) -> AuditKeys:
        if self._keys is None:
            self._keys = keys_of(self._run.site)
        return self._keys

    def store(
        self, part_key: str, lines: tuple[int, int], outcomes: Iterable[Outcome], named: Iterable[RowNames]
    ) -> RunPart | None:
        """Store what a committed chunk changed; None when it has changed nothing. Storing twice is harmless.

        Shape: lines: its first and its last one
        Raises: AuditUnavailable, StorageUnavailable
        """
        of_line = {line: (users, courses) for line, users, courses in named}
        entries = [
            Entry(
                outcome.line, outcome.action, outcome.code, outcome.params, outcome.subject, outcome.changes,
                *of_line.get(outcome.line, ((), ())), outcome.done or "", self._sealed_fields,
            )
            for outcome in outcomes
            if outcome.action in CHANGED_ACTIONS
        ]  # fmt: skip
        if not entries:
            return None
        encoded = encode_entries(entries, self.keys)
        keep_part(part_key, encoded)
        return RunPart(encoded, part_key, *lines)

    def append(self, part: RunPart) -> int:
        """Append what was stored to the chain, in the transaction that counts the chunk. Returns the number of the record."""
        run = self._run
        facts = Facts(
            AuditKind.RUN, run.pk, run.processor, run.file_path, run.origin, run.owner_name, _schedule_of(run),
            part.first_line, part.last_line,
        )  # fmt: skip
        return append(run.site, facts, part.encoded, self.keys, part_key=part.part_key).sequence


def _schedule_of(run: SyncRun) -> str:
    sequence = run.sequence_run
    return "" if sequence is None else sequence.name or ", ".join(sequence.processors)
