"""Where a run keeps what it does: parts in the storage, their index in our database, and which rows of Moodle are ours."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple

from django.db import transaction
from django.db.models import Min
from django.utils import timezone

from sync.audit.services import RunAudit, RunPart
from sync.columns.header import MatchedHeader
from sync.columns.row_names import RowNames
from sync.commandfiles import storage
from sync.errors import LeaseLost, OutcomesMissing, ToolSyncError
from sync.models import ChunkIndex, InsertedRows, MoodleSite, RunChunk, SyncRun
from sync.moodle.db.id_ranges import IdRange, IdRanges, ranges_of
from sync.moodle.db.journal import read_images, write_images
from sync.moodle.db.writer import MAX_KEYS, BeforeImage
from sync.notifications.mails import keep_mails, send_kept_mails
from sync.outcomes.outcome_codec import (
    DAMAGES,
    PartHeader,
    count_codes,
    count_kept,
    count_partial,
    encode_outcomes,
    read_header,
    read_outcomes,
)
from sync.outcomes.outcome_index import facts_of, pack_facts, pack_names
from sync.processors.base.after_commit import AfterCommit
from sync.processors.base.closing import ClosedObject
from sync.processors.base.context import CreatedRows
from sync.reader import RowReader, SkippedLines
from sync.runs.grace_records import keep_grace
from sync.runs.options import processor_of
from sync.runs.outcome_store import read_closed
from sync.runs.pipeline_context import ChunkResult, OwedPart
from sync.runs.retry import own_database
from sync.runs.sticky import keep_written
from sync.values import Note, Outcome
from sync.whole_files import digest_of

# Tables of which is kept what ToolSync has inserted: memberships of groups are taken away only then (source: spec groups.md
# section 2), the others may be the scope of a file that is complete.
NOTED_TABLES = frozenset({"groups_members", "user", "user_enrolments", "cohort_members", "course"})


class Progress(NamedTuple):
    """How far a run is. Shape: rows_expected: in the whole file, 0 = unknown; counts: action -> rows."""

    rows_done: int
    rows_expected: int
    counts: dict[str, int]


class RunRecorder:
    """The recorder of one run, for the process that has claimed it.

    Shape: still_ours: raises LeaseLost when the run was taken over; progress: told after each chunk
    Queries: five for each chunk, four more for the audit of one that changed something
    """

    def __init__(
        self,
        run: SyncRun,
        token: str,
        still_ours: Callable[[], None] = lambda: None,
        progress: Callable[[Progress], None] = lambda _progress: None,
    ) -> None:
        self.run = run
        self._token = token
        self._still_ours = still_ours
        self._progress = progress
        self._records = SiteRecords(run.site)
        self._skipped = SkippedLines()
        self._audit = RunAudit(run, processor_of(run).columns)
        self._prepared: PartHeader
        self._digest = ""
        self._notes: list[Note] = []

    @own_database()
    def begin(self, reader: RowReader, header: MatchedHeader, notes: Sequence[Note]) -> None:
        """Keep what the file turned out to be."""
        self._skipped = reader.skipped
        dialect = reader.dialect
        self.update(
            dialect={
                "encoding": dialect.encoding,
                "separator": dialect.separator,
                "encoding_detected": dialect.encoding_detected,
                "separator_detected": dialect.separator_detected,
                "is_workbook": dialect.is_workbook,
                "columns": list(header.names),
            },
            notes=_plain(notes),
            rows_expected=reader.rows_expected,
            waiting_since=None,
        )
        self._notes = list(notes)

    @own_database()
    def end(self, notes: Sequence[Note]) -> None:
        """Keep what is worth saying now that all rows are done."""
        if notes:
            self.update(notes=_plain([*self._notes, *notes]))

    @own_database()
    def prepare(self, chunk: ChunkResult) -> None:
        """Store the outcomes and the before-images; the database knows nothing of them yet."""
        self._still_ours()
        # The mark in Moodle is held: whoever takes the run over after this question waits until we have committed.
        if not SyncRun.objects.filter(pk=self.run.pk, worker=self._token).exists():
            raise LeaseLost(f"run {self.run.pk}")
        header = PartHeader(
            chunk.first_line,
            chunk.last_line,
            chunk.counts,
            count_codes(chunk.outcomes),
            chunk.bytes_read,
            bool(chunk.before_images),
            count_partial(chunk.outcomes),
            chunk.after_commit.to_json(),
            chunk.is_closing,
            dict(chunk.totals),
            chunk.writes,
            chunk.named,
            chunk.scoped_totals,
            count_kept(chunk.outcomes) if self.run.sticky else {},
            chunk.about,
            [*chunk.touched.items()],
        )
        if chunk.before_images:
            with storage.scratch_file() as journal:
                write_images(journal, chunk.before_images)
                storage.save(self._journal_key(header, self._token), journal)
        if chunk.mails:
            keep_mails(self.run, self._outcomes_key(header, self._token), chunk.mails)
        encoded = encode_outcomes(header, chunk.outcomes)
        storage.save(self._outcomes_key(header, self._token), io.BytesIO(encoded))
        self._prepared = header
        self._digest = sha256(encoded).hexdigest()

    @own_database()
    def confirm(self, chunk: ChunkResult) -> None:
        """Count the chunk that was prepared last: it is committed in Moodle."""
        if self._prepared.last_line != chunk.last_line:
            raise ToolSyncError(f"line {chunk.last_line} was confirmed, {self._prepared.last_line} prepared")
        self._register(self._prepared, chunk.outcomes, self._note(chunk.before_images), self._token, self._digest)

    @own_database()
    def recover(self, last_line: int, worker: str = "") -> None:
        """Count a chunk whose commit wasn't followed by `confirm`: its worker has stored its part before.

        Raises: OutcomesMissing if the part is gone
        """
        if last_line <= self.run.last_line:
            return
        try:
            with storage.opened(storage.outcomes_key(*self._place, last_line, worker)) as part:
                digest, _size = digest_of(part)
                header = read_header(part)
                part.seek(0)
                outcomes = list(read_outcomes(part))
        except (FileNotFoundError, *DAMAGES) as error:
            raise OutcomesMissing("outcomes_part_missing", line=last_line) from error
        tables: set[str] = set()
        if header.has_journal:
            with storage.opened(self._journal_key(header, worker)) as journal:
                tables = self._note(read_images(journal))
        self._register(header, outcomes, tables, worker, digest)

    def owed_parts(self, known: Collection[int]) -> Iterator[OwedPart]:
        """Return what committed chunks owe, in file order. Queries: one"""
        owing = self.run.chunks.exclude(after_commit="").order_by("last_line")
        with own_database():
            found = list(owing.values_list("last_line", "outcomes_key", "after_commit"))
        for last_line, key, state in found:
            if last_line in known:
                continue
            with storage.opened(key) as part:
                owed = AfterCommit.from_json(read_header(part).after_commit)
            yield OwedPart(last_line, owed, state == RunChunk.AfterCommit.SETTLED)

    @own_database()
    def closed(self, after_line: int) -> Iterator[ClosedObject]:
        """Return what became of objects after the last row, so far. Queries: one"""
        return iter(list(read_closed(self.run, after_line)))

    @own_database()
    def send_mails(self, last_line: int) -> None:
        """Send the mails of a committed chunk that wait. Queries: two for each mail"""
        send_kept_mails(self.run, self.run.chunks.get(last_line=last_line).outcomes_key)

    @own_database()
    def settle(self, last_line: int) -> None:
        """Note that a chunk owes nothing any more. Queries: one"""
        self.run.chunks.filter(last_line=last_line).update(after_commit=RunChunk.AfterCommit.SETTLED)

    def finish(self) -> None:
        """Keep what the reader passed over, known only once the whole file was read."""
        self.update(skipped={"count": self._skipped.count}, carried_out=True)

    @own_database()
    def update(self, **values: Any) -> None:
        """Write fields of the run. Raises: LeaseLost if the run was taken over."""
        self._store(values)
        self._keep(values)

    def _store(self, values: Mapping[str, Any]) -> None:
        if not SyncRun.objects.filter(pk=self.run.pk, worker=self._token).update(**values):
            raise LeaseLost(f"run {self.run.pk}")

    def _keep(self, values: Mapping[str, Any]) -> None:
        # Once it is stored for sure: what isn't counted in the database must not be taken for done.
        for name, value in values.items():
            setattr(self.run, name, value)

    def _note(self, images: Iterable[BeforeImage]) -> set[str]:
        """Note what a chunk has written, in one pass; gives the tables."""
        tables: set[str] = set()

        def seen() -> Iterator[BeforeImage]:
            for image in images:
                tables.add(image.table)
                yield image

        if self.run.undoes_id is None:
            self._records.note(seen())
        else:
            # What comes back was ours before, or never was.
            for _image in seen():
                pass
        return tables

    def _register(
        self, header: PartHeader, outcomes: Sequence[Outcome], tables: set[str], worker: str, digest: str
    ) -> None:
        counts = _sum(self.run.counts, header.counts)
        partial_counts = _sum(self.run.partial_counts, header.partial_counts)
        values = {
            "last_line": header.last_line,
            "rows_done": self.run.rows_done + (0 if header.is_closing else sum(header.counts.values())),
            "bytes_read": header.bytes_read,
            "counts": counts,
            "partial_counts": partial_counts,
            "closing_counts": _sum(self.run.closing_counts, header.counts if header.is_closing else {}),
            "totals": _sum(self.run.totals, header.totals),
            "scoped_totals": _added(self.run.scoped_totals, header.scoped_totals),
            "kept": _sum(self.run.kept, header.kept),
            "changed_tables": sorted(tables.union(self.run.changed_tables)),
            "heartbeat_at": timezone.now(),
            "waiting_since": None,
            "attempts": 1,
        }
        changed = None if self.run.simulate else self._store_for_audit(header, outcomes, worker)
        owed = AfterCommit.from_json(header.after_commit)
        names, facts = pack_names(outcomes), pack_facts(facts_of(outcomes))
        with transaction.atomic():
            self._store(values)
            if owed.grace:
                keep_grace(self.run, owed.grace)
            if owed.written:
                keep_written(self.run.site, owed.written, only_known=self.run.undoes_id is not None)
            audit_sequence = None if changed is None else self._audit.append(changed)
            recorded = RunChunk.objects.create(
                run=self.run,
                first_line=header.first_line,
                last_line=header.last_line,
                counts=header.counts,
                codes=header.codes,
                writes=header.writes,
                is_closing=header.is_closing,
                sha256=digest,
                outcomes_key=self._outcomes_key(header, worker),
                journal_key=self._journal_key(header, worker) if header.has_journal else "",
                after_commit=RunChunk.AfterCommit.OWED if header.after_commit else "",
                audit_sequence=audit_sequence,
            )
            ChunkIndex.objects.create(chunk=recorded, names=names, facts=facts)
        self._keep(values)
        self._progress(Progress(self.run.rows_done, self.run.rows_expected, counts))

    def _store_for_audit(self, header: PartHeader, outcomes: Iterable[Outcome], worker: str) -> RunPart | None:
        key = storage.audit_key(*self._place, header.last_line, worker)
        named = (RowNames(*names) for names in header.named)
        return self._audit.store(key, (header.first_line, header.last_line), outcomes, named)

    @property
    def _place(self) -> tuple[str, int]:
        return self.run.site.slug, self.run.pk

    def _outcomes_key(self, header: PartHeader, worker: str) -> str:
        return storage.outcomes_key(*self._place, header.last_line, worker)

    def _journal_key(self, header: PartHeader, worker: str) -> str:
        return storage.journal_key(*self._place, header.last_line, worker)


def _sum(counts: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    return dict(Counter(counts) + Counter(more))


def _added(
    totals: Mapping[str, Mapping[str, int]], more: Mapping[str, Mapping[str, int]]
) -> dict[str, Mapping[str, int]]:
    """Return the totals of scopes with those of a chunk added."""
    return {key: _sum(totals.get(key, {}), more.get(key, {})) for key in {**totals, **more}}


def _plain(notes: Sequence[Note]) -> list[list[object]]:
    return [[note.code, dict(note.params)] for note in notes]


class SiteRecords:
    """The rows of one site that are ours, because an earlier run inserted them."""

    def __init__(self, site: MoodleSite) -> None:
        self._site = site

    @own_database()
    def inserted_by_us(self, table: str, ids: Collection[int]) -> set[int]:
        """Return those of the rows that an earlier run inserted. Queries: one"""
        if not ids:
            return set()
        return self._ranges(table, first__lte=max(ids), last__gte=min(ids)).among(ids)

    @own_database()
    def created(self, table: str) -> CreatedRows:
        """Return the rows that runs inserted, and since when that is kept. Queries: two"""
        noted = InsertedRows.objects.filter(site=self._site, table=table)
        since = noted.aggregate(since=Min("noted_at"))["since"]
        return CreatedRows(self._ranges(table), timezone.localdate(since).isoformat() if since else "")

    @own_database()
    def note(self, images: Iterable[BeforeImage]) -> None:
        """Note the inserted rows of a chunk that is committed. Noting twice is harmless."""
        ids: dict[str, list[int]] = {}
        for image in images:
            if image.kind == "insert" and image.table in NOTED_TABLES and image.id is not None:
                ids.setdefault(image.table, []).append(image.id)
        ranges = ((table, each) for table, found in sorted(ids.items()) for each in ranges_of(found))
        rows = [InsertedRows(site=self._site, table=table, **each._asdict()) for table, each in ranges]
        InsertedRows.objects.bulk_create(rows, ignore_conflicts=True, batch_size=MAX_KEYS)

    def _ranges(self, table: str, **where: int) -> IdRanges:
        found = InsertedRows.objects.filter(site=self._site, table=table, **where).order_by()
        return IdRanges(IdRange(*values) for values in found.values_list("first", "last", "step").iterator())
