"""What programs are told of an entry of the audit."""

from __future__ import annotations

from typing import Any

from sync.audit.selectors import AuditLine
from sync.messages import text_of
from sync.outcomes.report import outcome_text
from sync.values import Action, Outcome


def entry_facts(line: AuditLine) -> dict[str, Any]:
    """Return an entry with its record; where it can't be read, why."""
    record, entry = line.record, line.entry
    facts: dict[str, Any] = {
        "record": record.sequence, "at": record.at, "kind": record.kind, "person": record.person,
        "run": record.run_number, "file_type": record.processor, "file": record.file, "line": 0, "action": "", "code": "",
        "text": "", "subject": "", "changes": [],
    }  # fmt: skip
    if entry is None:
        fault = line.fault
        said = text_of(fault.code, {"sequence": record.sequence, **fault.params}) if fault is not None else ""
        return {**facts, "code": fault.code if fault is not None else "", "text": said}
    return {
        **facts, "line": entry.line, "action": entry.action, "code": entry.code, "text": _text_of(line),
        "subject": entry.subject, "changes": [change._asdict() for change in entry.changes],
    }  # fmt: skip


def _text_of(line: AuditLine) -> str:
    entry = line.entry
    if entry is None or entry.is_erased:
        return ""
    done = Action(entry.done) if entry.done else None
    try:
        return outcome_text(
            Outcome(entry.line, Action(entry.action), entry.code, entry.params, entry.subject, done=done)
        )
    except KeyError:
        # A text of today asks for more than was kept.
        return entry.code
