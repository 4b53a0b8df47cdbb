"""Contents of Moodle's files that runs took out of use: they stay in its pool as long as the run can be undone."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from django.db.models import Exists, OuterRef

from sync.errors import MoodleError
from sync.models import KeptBlob, MoodleSite, RunChunk, SyncRun
from sync.models.run import OVER_STATES
from sync.moodle.db.database import MoodleConnection
from sync.moodle.db.writer import MAX_KEYS, batched
from sync.moodle.files.files import DeletedFiles
from sync.processors.base.blobs import trash_blobs
from sync.runs.connections import moodle_of
from sync.runs.retention_settings import retention_of
from sync.runs.retry import own_database

logger = logging.getLogger(__name__)


class RunBlobs:
    """Keeps the contents that one run takes out of use, unless the site wants them trashed at once.

    Where nobody knows Moodle's data folder there is nothing to keep: what stays there is told at once.
    """

    def __init__(self, run: SyncRun, connection: MoodleConnection) -> None:
        self._run = run
        self._has_pool = connection.dataroot is not None or bool(connection.data_url)

    @own_database()
    def keep(self, sizes: Mapping[str, int]) -> bool:
        """Keep contents; doing it twice is harmless. Queries: one, and one per 10,000 contents"""
        if not sizes:
            return True
        if not self._has_pool or retention_of(self._run.site).trashes_at_once:
            return False
        blobs = [KeptBlob(run=self._run, contenthash=contenthash, size=size) for contenthash, size in sizes.items()]
        KeptBlob.objects.bulk_create(blobs, ignore_conflicts=True, batch_size=MAX_KEYS)
        return True


def trash_kept_blobs(site: MoodleSite) -> int:
    """Bring what nobody can undo any more into Moodle's trash, unless it has a row again; return how many contents were let go.

    A content that another run has taken out of use as well waits for that run. A Moodle that is away is asked the next time.
    """
    has_journal = Exists(RunChunk.objects.filter(run=OuterRef("run"), journal_key__gt=""))
    over = KeptBlob.objects.filter(~has_journal, run__site=site, run__state__in=OVER_STATES)
    let_go = dict(over.values_list("contenthash", "size"))
    if not let_go:
        return 0
    ids = list(over.values_list("pk", flat=True))
    for part in batched(sorted(let_go), MAX_KEYS):
        others = KeptBlob.objects.filter(run__site=site, contenthash__in=part).exclude(pk__in=over)
        for contenthash in others.values_list("contenthash", flat=True):
            let_go.pop(contenthash, None)
    try:
        _trash(site, let_go)
    except MoodleError as error:
        logger.info("not trashed: %s", error)
        return 0
    for some in batched(ids, MAX_KEYS):
        KeptBlob.objects.filter(pk__in=some).delete()
    return len(let_go)


def _trash(site: MoodleSite, sizes: Mapping[str, int]) -> None:
    moodle = moodle_of(site)
    try:
        with moodle.session() as session:
            trash_blobs(session, DeletedFiles(sizes))
    finally:
        moodle.dispose()
