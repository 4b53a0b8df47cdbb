"""One call of a function: in whose name, on which Moodle; and how it writes, by a small run that is answered at once."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sync.api.moodle_protocol.errors import ServiceError, access_denied
from sync.commandfiles import storage
from sync.commandfiles.intake import delete_file
from sync.guard.messages import reason_text
from sync.messages import text_at_column, text_of
from sync.models import ApiToken, CommandFile, MoodleSite, RunFile, RunState, Scope, SyncRun
from sync.models.run import ACTIVE_STATES
from sync.moodle.db.database import MoodleSession
from sync.people.rights import may
from sync.people.roles import run_permission
from sync.runs import services
from sync.runs.answers import wait_for_end
from sync.runs.connections import moodle_of
from sync.runs.exports import types_naming_people
from sync.runs.outcome_store import read_rows
from sync.runs.selectors import processors_for
from sync.values import FAILED_ACTIONS, Outcome

# Callers wait no longer by themselves: so PHP's own clients, and most proxies.
ANSWER_SECONDS = 25.0
VIEW_PEOPLE = "sync.view_people"
# How the files of calls are written, whatever is stored for the file type; they leave nothing in the folders of the site.
_OF_CALLS = {"encoding": "UTF-8", "separator": ";", "storereport": False, "filearchive": False, "filefailed": False}


class Call:
    """A call that a token allows. Shape: function: its name"""

    def __init__(self, token: ApiToken, function: str) -> None:
        self.token = token
        self.function = function
        self.person: Any = token.person
        self.site: MoodleSite = token.site

    @contextmanager
    def moodle(self) -> Iterator[MoodleSession]:
        """Open a session on the Moodle of the token, to read. Raises: MoodleError"""
        moodle = moodle_of(self.site)
        try:
            with moodle.session() as session:
                yield session
        finally:
            moodle.dispose()

    def check_scopes(self, scopes: Sequence[Scope]) -> None:
        """Raises: ServiceError"""
        if lacking := [scope for scope in scopes if scope not in self.token.scopes]:
            raise access_denied(f"Access to the function {self.function}() needs a token with {', '.join(lacking)}")

    def check_people(self) -> None:
        """Raises: ServiceError for somebody who may not look at people in Moodle, for a file type that names some"""
        if not self._views_people():
            raise access_denied("nobody gave the right to look at people in Moodle")

    def check_look(self) -> None:
        """Raises: ServiceError for somebody who may look at nothing in Moodle: who uses no file type there, nor views people"""
        if not processors_for(self.person, site=self.site) and not self._views_people():
            raise access_denied("nobody gave the right to look into Moodle")

    def _views_people(self) -> bool:
        return any(may(self.person, VIEW_PEOPLE, self.site, key) for key in types_naming_people())

    def check_may(self, permission: str, processor: str = "") -> None:
        """Raises: ServiceError"""
        if not may(self.person, permission, self.site, processor):
            raise access_denied(f"the right {permission} is missing")

    def check_runs(self, processor: str) -> None:
        """Raises: ServiceError for who may not run a file type"""
        self.check_may(run_permission(processor))

    def run_rows(
        self, processor: str, header: Sequence[str], rows: Sequence[Sequence[Any]], options: Mapping[str, Any]
    ) -> list[Outcome]:
        """Carry out rows as a small command file, and return what became of each. The file of a call that is refused is gone.

        Raises: ServiceError where the run is held, or a row is rejected; CodedError
        """
        text = io.StringIO(newline="")
        # Quoted, so that no cell is taken for anything else.
        writer = csv.writer(text, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
        content = io.BytesIO(text.getvalue().encode())
        file = services.receive_for_run(self.site, content, f"{self.function}.csv", processor, self.person)
        try:
            run = self._queued(processor, file, {**_OF_CALLS, **options})
        except BaseException:
            delete_file(file)
            raise
        self._end(run)
        outcomes = list(read_rows(run))
        for outcome in outcomes:
            if outcome.action in FAILED_ACTIONS:
                raise ServiceError(text_at_column(outcome.code, outcome.params), outcome.code)
        return outcomes

    def run_file(self, processor: str, file: CommandFile, options: Mapping[str, Any]) -> SyncRun:
        """Carry out a file, and return its run, which has come to its end. Raises: ServiceError, CodedError"""
        run = self._queued(processor, file, options)
        self._end(run)
        return run

    def _queued(self, processor: str, file: CommandFile, options: Mapping[str, Any]) -> SyncRun:
        self.check_runs(processor)
        return services.queue_run(
            site=self.site, processor=processor, command_file=file, options=options, user=self.person
        )

    def _end(self, run: SyncRun) -> None:
        """Wait for the end of a run. Raises: ServiceError unless its rows were carried out, or rejected"""
        wait_for_end(run, seconds=ANSWER_SECONDS)
        run.refresh_from_db()
        _check_ended(run)

    def report_of(self, run: SyncRun) -> str:
        """Return the report of a run as text."""
        kept = RunFile.objects.get(run=run, kind=RunFile.Kind.REPORT)
        with storage.opened(kept.storage_key) as stream:
            return stream.read().decode()


def _check_ended(run: SyncRun) -> None:
    """Raises: ServiceError unless the rows of a run were carried out, or rejected"""
    if run.waits_for_person:
        reasons = " ".join(str(reason_text(reason)) for reason in run.held_notes)
        text = text_of("service_run_waits", {"run": run.pk, "reasons": reasons}).strip()
        raise ServiceError(text, "run_held" if run.state == RunState.HELD else "run_unconfirmed")
    if run.state in ACTIVE_STATES:
        raise ServiceError(text_of("service_run_going_on", {"run": run.pk}), "run_going_on")
    if run.error_code:
        raise ServiceError(text_of(run.error_code, run.error_params), run.error_code)
    if run.state not in (RunState.COMPLETED, RunState.COMPLETED_WITH_REJECTIONS):
        text = text_of("service_run_ended", {"run": run.pk, "state": run.state_label})
        raise ServiceError(text, f"run_{run.state}")
