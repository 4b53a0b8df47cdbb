"""What can be done with the list of deletions, and what of it is due because its days of grace are over.

Whatever changes Moodle is a run of the file type that made the entry, with a command file that is made here: so it has a report,
a journal and a place in the order of runs. Its rows name the objects by Moodle's own number; the run looks at each again, and
deletes only what is still on the list and has the name with which it came there.
"""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone

from sync.columns.describe import SAMPLE_SEPARATOR
from sync.commandfiles.naming import chosen_name
from sync.errors import GraceError
from sync.models import GraceEntry, MoodleSite, SyncRun
from sync.models.run import OVER_STATES
from sync.processors.course_lists.delete import CoursesDelete
from sync.processors.courses.state import COURSE_TABLE
from sync.processors.registry import REGISTRY
from sync.processors.users.delete import UsersDelete
from sync.processors.users.state import USER_TABLE
from sync.reader.dialect import Dialect, encode_cells
from sync.runs.options import site_zone
from sync.runs.rights import OPERATOR, Responsible, armed_by_of, owner_of
from sync.runs.services import queue_run, receive_for_run

State = GraceEntry.State

# The file type that fills the list with objects of a table, and takes them off it.
PROCESSORS = {USER_TABLE: UsersDelete.key, COURSE_TABLE: CoursesDelete.key}
# The option by which it is told that its rows name objects by Moodle's own number.
_BY_NUMBER = {USER_TABLE: "primaryidentity", COURSE_TABLE: "courseidentifier"}
_OPEN = (State.WAITING, State.HELD)
_ENCODING = "UTF-8"


class _Task(NamedTuple):
    """Why a run is asked for, and in whose name."""

    origin: SyncRun.Origin
    user: Any
    owner: Responsible
    armed_by: Responsible = OPERATOR


def delete_due() -> None:
    """Start the deletion of what is due today: one run for each run that has put objects on the list."""
    due = GraceEntry.objects.filter(closed=0, state=State.WAITING, day__lte=today(), site__in_use=True)
    for run_id in due.order_by("run").values_list("run", flat=True).distinct():
        _delete_due_of(run_id)


def follow_tasks() -> None:
    """Keep what a run was to delete or take off, and didn't, on the list: a person decides, by the report of that run."""
    over = GraceEntry.objects.filter(
        closed=0, state__in=(State.DELETING, State.ENDING), task_run__state__in=OVER_STATES
    )
    over.update(state=State.HELD)


def take_off(site: MoodleSite, table: str, ids: Collection[int], *, user: Any) -> SyncRun:
    """Take entries off the list, in the name of a person: a run undoes what the grace did. Raises: GraceError

    Shape: ids: of entries; those that are not on the list any more, or being deleted, are left out; user: None = the operator
    """
    with transaction.atomic():
        wanted = GraceEntry.objects.filter(site=site, table=table, pk__in=ids, closed=0, state__in=_OPEN)
        entries = list(wanted.select_for_update().order_by("pk"))
        if not entries:
            raise GraceError("grace_entry_taken")
        chosen = GraceEntry.objects.filter(pk__in=[entry.pk for entry in entries])
        run = _queue(site, table, entries, _Task(SyncRun.Origin.GRACE_END, user, Responsible.of(user)))
        chosen.update(state=State.ENDING, task_run=run, taken_off_by=user)
    return run


def today() -> date:
    """Return the day by the clock of the site."""
    return timezone.now().astimezone(site_zone()).date()


def _delete_due_of(run_id: int) -> None:
    with transaction.atomic():
        # Two ticks reach for the same entries: the second waits here and finds none.
        listing = SyncRun.objects.select_for_update().get(pk=run_id)
        due = GraceEntry.objects.filter(closed=0, state=State.WAITING, run=listing, day__lte=today())
        entries = list(due.select_for_update().order_by("line"))
        if not entries:
            return
        task = _Task(SyncRun.Origin.GRACE, None, owner_of(listing), armed_by_of(listing))
        run = _queue(listing.site, entries[0].table, entries, task)
        due.update(state=State.DELETING, task_run=run)


def _queue(site: MoodleSite, table: str, entries: Sequence[GraceEntry], task: _Task) -> SyncRun:
    """Write entries into a command file, and ask for its run."""
    processor = REGISTRY[PROCESSORS[table]]
    dialect = Dialect(_ENCODING, SAMPLE_SEPARATOR)
    rows = [["id", "username"]] if table == USER_TABLE else []
    rows += [[str(entry.rowid), entry.name] if table == USER_TABLE else [str(entry.rowid)] for entry in entries]
    content = b"".join(encode_cells(dialect, row) + b"\n" for row in rows)
    name = chosen_name(processor.default_filename, timezone.now())
    file = receive_for_run(site, io.BytesIO(content), name, processor.key, task.user)
    options = {"encoding": _ENCODING, "gracedays": 0, _BY_NUMBER[table]: "id"}
    if table == USER_TABLE:
        options["separator"] = SAMPLE_SEPARATOR
    return queue_run(
        site=site, processor=processor.key, command_file=file, options=options, **task._asdict()
    )  # fmt: skip
