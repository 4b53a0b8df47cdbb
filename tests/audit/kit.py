"""What tests of the audit share."""

from __future__ import annotations

from pathlib import Path

from sync.audit.selectors import AuditQuery, find_entries
from sync.audit.verify import Head, verify
from sync.commandfiles import storage
from sync.models import AuditRecord, MoodleSite
from sync.values import Change

HEADER = "username;firstname;lastname;email;idnumber\n"
ADA = "ada;Ada;King;ada@x.org;A-1815\n"
BOB = "bob;Bob;Fox;bob@x.org;B-1\n"
NEW_NAME = "ada;Ada;Lovelace;ada@x.org;A-1815\n"

Seen = tuple[int, str, str, list[Change]]


def found(site: MoodleSite, *, user: str = "", course: str = "") -> list[Seen]:
    """Return the entries that are found. Shape: line, action, subject, changes"""
    page = find_entries(site, AuditQuery(user, course))
    return [
        (line.entry.line, line.entry.action, line.entry.subject, list(line.entry.changes))
        for line in page.lines
        if line.entry is not None
    ]


def faults(site: MoodleSite, expected: Head | None = None) -> list[str]:
    """Return the codes of what is wrong with the audit of a site."""
    return [fault.code for fault in verify(site, expected).faults]


def part_of(record: AuditRecord) -> Path:
    """Return the file that holds the entries of a record."""
    return Path(storage.file_storage().path(record.part_key))
