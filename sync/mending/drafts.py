"""What somebody has changed in the failed rows of a run: kept, encrypted, until it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sync.encryption import Unreadable, decrypt, encrypt
from sync.errors import MendRefused
from sync.models import MendDraft, SyncRun

PURPOSE = "mended rows"
# Each change of a cell reads and writes the whole draft, and its last check holds as much once more.
MOST_DRAFT_BYTES = 4 << 20

# Place of a cell -> its new text.
Edits = dict[int, str]


@dataclass
class Check:
    """The last check of a draft.

    Shape: run: the simulation; lines: line in its file -> line in the file of the mended run; edits, left_out: what was checked
    """

    run: int
    lines: dict[int, int]
    edits: dict[int, Edits]
    left_out: set[int]


@dataclass
class Draft:
    """What somebody has changed. Shape: edits: line -> changed cells; left_out: lines that aren't sent again"""

    edits: dict[int, Edits] = field(default_factory=dict)
    left_out: set[int] = field(default_factory=set)
    check: Check | None = None

    def set_cell(self, line: int, place: int, text: str, original: str) -> None:
        """Change one cell, or take the change back where the text is that of the file."""
        cells = self.edits.setdefault(line, {})
        if text == original:
            cells.pop(place, None)
        else:
            cells[place] = text
        if not cells:
            del self.edits[line]

    def mended(self, line: int, cells: tuple[str, ...]) -> list[str]:
        """Return the cells of a row with the changes in them."""
        edits = self.edits.get(line, {})
        return [edits.get(place, cell) for place, cell in enumerate(cells)]

    def is_checked(self, line: int) -> bool:
        """Whether a row was checked as it is now."""
        check = self.check
        return (
            check is not None
            and check.edits.get(line) == self.edits.get(line)
            and (line in check.left_out) == (line in self.left_out)
        )

    @property
    def size(self) -> int:
        """Return how much text was changed. Units: bytes"""
        return sum(len(text.encode()) for cells in self.edits.values() for text in cells.values())

    @property
    def is_wholly_checked(self) -> bool:
        check = self.check
        return check is not None and (check.edits, check.left_out) == (self.edits, self.left_out)


def load_draft(run: SyncRun, user: Any) -> Draft:
    """Return what somebody has changed in the rows of a run so far; nothing where no key opens it any more. Queries: one"""
    kept = MendDraft.objects.filter(run=run, user=user).first()
    if kept is None:
        return Draft()
    try:
        return _from_json(decrypt(PURPOSE, kept.sealed))
    except Unreadable:
        return Draft()


def save_draft(run: SyncRun, user: Any, draft: Draft) -> None:
    """Keep what somebody has changed. Raises: MendRefused where that is too much; what was kept before stays"""
    if draft.size > MOST_DRAFT_BYTES:
        raise MendRefused("mend_draft_too_large", most=MOST_DRAFT_BYTES >> 20)
    MendDraft.objects.update_or_create(run=run, user=user, defaults={"sealed": encrypt(PURPOSE, _to_json(draft))})


def delete_draft(run: SyncRun, user: Any) -> None:
    """Forget what somebody has changed."""
    MendDraft.objects.filter(run=run, user=user).delete()


def _to_json(draft: Draft) -> dict[str, Any]:
    check = draft.check
    return {
        "edits": draft.edits,
        "left_out": sorted(draft.left_out),
        "check": check and {**vars(check), "left_out": sorted(check.left_out)},
    }


def _from_json(stored: Mapping[str, Any]) -> Draft:
    check = stored["check"]
    return Draft(
        _edits(stored["edits"]),
        set(stored["left_out"]),
        check
        and Check(
            check["run"],
            {int(line): original for line, original in check["lines"].items()},
            _edits(check["edits"]),
            set(check["left_out"]),
        ),
    )


def _edits(stored: Mapping[str, Mapping[str, str]]) -> dict[int, Edits]:
    """Return edits with numbers for keys, which JSON has no more."""
    return {int(line): {int(place): text for place, text in cells.items()} for line, cells in stored.items()}
