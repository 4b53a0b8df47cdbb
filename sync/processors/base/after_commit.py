"""What is owed once a chunk is committed, as data.

It is stored with the outcomes of the chunk before the commit, so that it is also done when the answer to the commit was lost,
or when the process died right after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from sync.processors.base.grace import GraceChange, GraceStep
from sync.values import Note


@dataclass
class AfterCommit:
    """What is owed once a chunk is committed. Doing it twice is harmless, apart from mails.

    Shape: files: contenthash -> bytes of contents that may have lost their last row; gone: what was deleted (an id, a name) ->
    line; news: (courseid, userid, code of `sync.messages`) of who was changed in which course; changes_order: the order of the
    site's courses has to be seen to at the end; mails: how many are sent after the commit, their texts aren't in here; notes:
    what is to be said of it at the end of the run; grace: what became of objects on the list of deletions; absent: what became
    of who is absent from a complete file -> how many; absent_upto: the last Moodle id that was looked at for that; absent_left:
    names of those about whom nothing is planned; written: (table, rowid, column) -> digest of what ToolSync leaves in watched
    places; is_last: nothing follows, all that comes after the last row is done; ahead: table, id and columns of rows that an
    undo has changed back before their own lines; counted: rows of which something is said at the end, as of `counted_rows`
    """

    files: Mapping[str, int] = field(default_factory=dict)
    gone: dict[int | str, int] = field(default_factory=dict)
    news: list[tuple[int, int, str]] = field(default_factory=list)
    changes_order: bool = False
    mails: int = 0
    notes: list[Note] = field(default_factory=list)
    grace: list[GraceChange] = field(default_factory=list)
    absent: dict[str, int] = field(default_factory=dict)
    absent_upto: int = 0
    absent_left: list[str] = field(default_factory=list)
    written: Mapping[tuple[str, int, str], str] = field(default_factory=dict)
    is_last: bool = False
    ahead: list[tuple[str, int, list[str]]] = field(default_factory=list)
    counted: Mapping[str, Sequence[int]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON can hold it; what is empty is left out."""
        written = {
            "files": dict(self.files),
            "gone": [[key, line] for key, line in self.gone.items()],
            "news": [list(item) for item in self.news],
            "changes_order": self.changes_order,
            "mails": self.mails,
            "notes": [[note.code, dict(note.params)] for note in self.notes],
            "grace": [list(change) for change in self.grace],
            "absent": dict(self.absent),
            "absent_upto": self.absent_upto,
            "absent_left": list(self.absent_left),
            "written": [[*key, digest] for key, digest in self.written.items()],
            "is_last": self.is_last,
            "ahead": [list(row) for row in self.ahead],
            "counted": {code: list(rows) for code, rows in self.counted.items()},
        }
        return {name: value for name, value in written.items() if value}

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Self:
        """Read what `to_json` has written."""
        return cls(
            files=written.get("files", {}),
            gone=dict(written.get("gone", ())),
            news=[(courseid, userid, code) for courseid, userid, code in written.get("news", ())],
            changes_order=written.get("changes_order", False),
            mails=written.get("mails", 0),
            notes=[Note(code, params) for code, params in written.get("notes", ())],
            grace=[GraceChange(GraceStep(step), *rest) for step, *rest in written.get("grace", ())],
            absent=written.get("absent", {}),
            absent_upto=written.get("absent_upto", 0),
            absent_left=written.get("absent_left", []),
            written={(table, rowid, column): digest for table, rowid, column, digest in written.get("written", ())},
            is_last=written.get("is_last", False),
            ahead=[(table, rowid, columns) for table, rowid, columns in written.get("ahead", ())],
            counted=written.get("counted", {}),
        )
