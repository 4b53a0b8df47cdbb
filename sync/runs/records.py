"""Which rows of a Moodle are ours, because an earlier run inserted them."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sync.models import InsertedRow, MoodleSite
from sync.moodle.db.writer import MAX_KEYS, BeforeImage, batched
from sync.runs.retry import own_database

# Tables whose rows ToolSync takes away again only where it has inserted them. Source: spec groups.md section 2
NOTED_TABLES = frozenset({"groups_members"})


class SiteRecords:
    """The noted rows of one site."""

    def __init__(self, site: MoodleSite) -> None:
        self._site = site

    @own_database()
    def inserted_by_us(self, table: str, ids: Collection[int]) -> set[int]:
        """Return those of the rows that an earlier run inserted. Queries: one per 10,000 ids"""
        noted = InsertedRow.objects.filter(site=self._site, table=table)
        found: set[int] = set()
        for part in batched(sorted(ids), MAX_KEYS):
            found.update(noted.filter(rowid__in=part).values_list("rowid", flat=True))
        return found

    @own_database()
    def note(self, images: Iterable[BeforeImage]) -> None:
        """Note the inserted rows of a chunk that is committed. Noting twice is harmless."""
        rows = [
            InsertedRow(site=self._site, table=image.table, rowid=image.id)
            for image in images
            if image.kind == "insert" and image.table in NOTED_TABLES and image.id is not None
        ]
        InsertedRow.objects.bulk_create(rows, ignore_conflicts=True, batch_size=MAX_KEYS)
