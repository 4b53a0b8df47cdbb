"""What Moodle keeps in caches that SQL doesn't reach: purged once a run through Moodle's own command line.

Source: spec generic.md section 12. What SQL does reach (`cache_flags`, `course.cacherev`) is written with the rows.
"""

from __future__ import annotations

import logging

from sync.errors import CodedError
from sync.messages import text_of
from sync.models import SyncRun
from sync.runs.connections import connection_of
from sync.runs.options import moodle_command
from sync.values import Note

# Groups, groupings and their members; the tree of categories; roles and who has them (caches of course contacts as well).
CACHED_TABLES = frozenset({
    "groups", "groups_members", "groupings", "groupings_groups", "course_categories", "role_assignments", "role_capabilities",
    "user_enrolments",
})  # fmt: skip
PURGE_CODES = ("caches_purged", "caches_not_purged", "caches_purge_failed")

logger = logging.getLogger(__name__)


def purge_caches(run: SyncRun) -> Note | None:
    """Have Moodle purge its caches if the run changed what they hold; return what to tell; a failure is a sentence.

    A run that was interrupted between this and its end isn't purged for twice.
    """
    if (
        run.simulate
        or CACHED_TABLES.isdisjoint(run.changed_tables)
        or any(code in PURGE_CODES for code, _p in run.notes)
    ):
        return None
    try:
        command = moodle_command(connection_of(run.site))
        if command is None:
            # The page of health says it, once.
            return None
        command.run("purge_caches.php")
    except CodedError as error:
        logger.warning("run %s: caches were not purged: %s", run.pk, error)
        return Note("caches_purge_failed", {"reason": text_of(error.code, error.params)})
    return Note("caches_purged", {})
