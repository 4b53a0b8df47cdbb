"""One run, carried out by the process that has claimed it."""

from __future__ import annotations

import logging
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import timedelta
from functools import cached_property, partial
from itertools import count
from typing import Any, BinaryIO

from django.db import transaction
from django.utils import timezone

from sync.commandfiles import storage
from sync.commandfiles.checked_file import CheckedFile
from sync.commandfiles.intake import delete_file
from sync.errors import (
    BundleStopped,
    CodedError,
    CommandFileError,
    JournalMissing,
    LeaseLost,
    MoodleUnavailable,
    OptionError,
    StorageUnavailable,
    TryRefused,
    UndoRefused,
)
from sync.guard.judge import Judgement, Verdict
from sync.models import RunMail, RunState, SyncRun
from sync.models.run import BUNDLE_STOPPED, ORIGINS_OF_MADE_FILES, ORIGINS_OF_PEOPLE
from sync.moodle.db.database import MoodleDatabase
from sync.notifications.mails import forget_mails, unsure_mails
from sync.notifications.services import notify_of_run
from sync.processors.base.context import NoJournal
from sync.processors.base.overlay import Overlay
from sync.reader import ReadSheet, SheetReadOnce
from sync.runs.bundle_order import fail_pending, follow_bundle, is_in_turn, is_later_of_bundle, planned_with
from sync.runs.cache_purge import purge_caches
from sync.runs.connections import moodle_of
from sync.runs.deciders import check_decision, decided_by_of, is_confirmed, second_person_notes
from sync.runs.finalize import RunFinalizer
from sync.runs.grace_records import RunGrace
from sync.runs.held_deletions import hold_named
from sync.runs.kept_blobs import RunBlobs
from sync.runs.lease import Heartbeat, do_others_wait, release_lease
from sync.runs.mappings import find_mapping, mapping_data, mapping_of
from sync.runs.options import RunLimits, moodle_command, processor_of, turn_seconds
from sync.runs.outcome_store import PlanReader
from sync.runs.pipeline import run_pipeline
from sync.runs.pipeline_context import FileLook, PipelineContext
from sync.runs.plans import (
    check_plan,
    is_to_be_made_again,
    judge_run,
    judge_together,
    limits_of,
    made_on,
    plan_for,
    watch_totals,
)
from sync.runs.recorder import Progress, RunRecorder, SiteRecords
from sync.runs.retry import RetryPolicy, disk, own_database
from sync.runs.rights import check_run
from sync.runs.run_journal import RunJournal
from sync.runs.scope_limits import ScopeCounter, scopes_of
from sync.runs.site_files import SiteFiles, input_of
from sync.runs.sticky import rules_for, sticky_fields
from sync.runs.undo_file import make_undo_file
from sync.runs.waiting_rows import check_try, keep_waiting_rows
from sync.values import FAILED_ACTIONS, Note

# A run that was put back isn't begun again before others had their turn.
_PUT_BACK_SECONDS = 20

logger = logging.getLogger(__name__)


class _Cancelled(Exception):
    """Somebody asked for the run to stop."""


class _Paused(_Cancelled):
    """Somebody asked for the run to stop for a while."""


class _PutBack(_Cancelled):
    """Moodle doesn't answer, and runs of other sites wait for the worker."""


class Execution:
    """Carries out one claimed run to its end, whatever that is.

    Shape: yields: while Moodle doesn't answer, the worker may be needed more by runs of other sites
    """

    def __init__(
        self,
        run: SyncRun,
        token: str,
        limits: RunLimits,
        heartbeat: Heartbeat,
        progress: Callable[[Progress], None],
        *,
        yields: bool = False,
    ) -> None:
        self.run = run
        self._token = token
        self._limits = limits
        self._heartbeat = heartbeat
        self._told = progress
        self._recorder = RunRecorder(run, token, heartbeat.check, self._progress)
        self._yields = yields
        # Since when Moodle hasn't answered, of a run that was put back for that; until it is known to answer again.
        self._waited_since = run.waiting_since
        # The workbook of the run is read once, whatever it is read for.
        self._sheet = SheetReadOnce()
        self._finalizer = RunFinalizer(run, self._sheet)
        self._is_to_be_paused = False
        # The first claim is the start; whoever began before us may still be alive.
        self._takes_over = run.started_at != run.heartbeat_at
        # By the number of the plan: its file is read to be planned, and once more to be carried out.
        self._looks: dict[int | None, FileLook] = defaultdict(FileLook)

    def execute(self) -> None:
        """Carry out the rows, then what comes after them; keep how it ended.

        Raises: LeaseLost if another process has taken the run over: it is theirs to end
        """
        with self._sheet:
            self._execute()

    def _execute(self) -> None:
        try:
            if not self.run.carried_out:
                if not self.run.last_line:
                    # What is done can't be undone by refusing the rest.
                    self._begin()
                    if not self._is_to_be_applied():
                        return
                self._run_rows()
            self._tidy_up()
            self._retry(lambda: self._end(_completed_state(self.run)))
        except LeaseLost:
            raise
        except _Cancelled as why:
            self._stop_as_asked(why)
        except (CommandFileError, UndoRefused, JournalMissing) as error:
            self._refuse(error)
        except CodedError as error:
            logger.warning("run %s: %s", self.run.pk, error)
            state = RunState.CANCELLED if isinstance(error, BundleStopped | TryRefused) else RunState.ERRORED
            self._stop(state, error.code, error.params)
        except Exception:
            number = uuid.uuid4().hex[:8].upper()
            logger.exception("run %s: error %s", self.run.pk, number)
            self._stop(RunState.ERRORED, "internal_error", {"number": number})

    def _stop_as_asked(self, why: _Cancelled) -> None:
        if isinstance(why, _PutBack):
            self._put_back()
        elif not (isinstance(why, _Paused) and self._pause()):
            self._stop(RunState.CANCELLED)

    def _begin(self) -> None:
        """Ask for the rights of everybody in whose name files are carried out; settle how these are read and what they leave."""
        for run in planned_with(self.run):
            check_run(run)
            check_try(run)
            self._retry(partial(self._make_undo_file, run))
            self._retry(partial(self._choose_mapping, run))
            self._retry(partial(self._freeze_rules, run))

    def _sheets_of(self, run: SyncRun) -> ReadSheet | None:
        """Return what reads the workbook of the run, or of its plan; None for that of another one of its bundle."""
        return self._sheet if run.pk in (self.run.pk, self.run.plan_id) else None

    def _make_undo_file(self, run: SyncRun) -> None:
        """Make the command file of an undo, unless it has one. Raises: UndoRefused, JournalMissing"""
        undone = run.undoes
        if undone is None or run.input_key:
            return
        file = make_undo_file(undone, run.requested_by, run.undoes_line)
        try:
            self._keep(run, **input_of(file))
        except LeaseLost:
            delete_file(file)
            raise

    def _choose_mapping(self, run: SyncRun) -> None:
        """Let the header of the file choose its mapping, where nobody has chosen one."""
        if run.mapping is None:
            self._keep(run, mapping=mapping_data(find_mapping(run, self._sheets_of(run))))

    def _freeze_rules(self, run: SyncRun) -> None:
        """Keep the rules of sticky fields with the run: from here on it goes by them, whatever is set meanwhile."""
        if not is_later_of_bundle(self.run):
            self._keep(run, sticky=rules_for(run))

    def _keep(self, run: SyncRun, **values: Any) -> None:
        """Write fields of the run, or of one that is planned with it and that nobody has claimed."""
        if run is self.run:
            self._recorder.update(**values)
            return
        self._heartbeat.check()
        SyncRun.objects.filter(pk=run.pk).update(**values)
        for name, value in values.items():
            setattr(run, name, value)

    def _is_to_be_applied(self) -> bool:
        """Make the plan of the run, unless it has one, and have it judged. Returns False when a person has to decide.

        The first run of a bundle does so for all its files.
        """
        run, runs = self.run, planned_with(self.run)
        if run.simulate or (run.plan is None and not self._is_planned_first()):
            return True
        if not is_later_of_bundle(run) and any(
            each.plan is None or is_to_be_made_again(each, each.plan) for each in runs
        ):
            self._make_plans(runs)
        try:
            for each in runs:
                self._retry(partial(check_plan, each, self._moodle))
            return self._is_decided(runs, self._moodle)
        finally:
            self._moodle.dispose()

    @cached_property
    def _moodle(self) -> MoodleDatabase:
        """The way into the site's Moodle: what its tables are like is read once for all passes over the file."""
        return moodle_of(self.run.site)

    def _is_planned_first(self) -> bool:
        """Whether the whole file is planned before its first row is carried out.

        A complete file is, also where nobody wants limits: it takes away whom the plan names, and not who came meanwhile.
        """
        run = self.run
        is_complete = processor_of(run).options(run.options).is_complete
        return run.bundle is not None or is_complete or limits_of(run.site, run.processor).is_on

    def _make_plans(self, runs: Sequence[SyncRun]) -> None:
        """Simulate the files one after the other; each finds what the ones before it would leave."""
        with transaction.atomic():
            # Raises where the run was taken over, and with it all plans.
            self._recorder.update(waiting_since=None)
            plans = [plan_for(run, self._token) for run in runs]
        try:
            self._make_each(runs, plans)
        finally:
            # Of files whose turn didn't come, or in the midst of which it ended: no plan keeps its file from being deleted.
            with own_database():
                begun = SyncRun.objects.filter(pk__in=[plan.pk for plan in plans], worker=self._token)
                begun.update(state=RunState.CANCELLED, finished_at=timezone.now(), worker="")

    def _make_each(self, runs: Sequence[SyncRun], plans: Sequence[SyncRun]) -> None:
        with closing(Overlay()) as overlay:
            for number, (run, plan) in enumerate(zip(runs, plans, strict=True), 1):
                overlay.begin_file(number if len(runs) > 1 else 0)
                try:
                    self._make_plan(plan, RunGrace(run), overlay)
                except CommandFileError as error:
                    if run is self.run:
                        raise
                    fail_pending(run, error.code, error.params)
                    notify_of_run(run)
                    raise BundleStopped(BUNDLE_STOPPED, name=run.file_name, run=run.pk) from error

    def _make_plan(self, plan: SyncRun, grace: RunGrace, overlay: Overlay) -> None:
        """Simulate a file; what each row would do is stored with the plan. The plan of a run does what the run will do."""
        recorder = RunRecorder(plan, self._token, self._heartbeat.check, self._progress)
        try:
            self._run_rows_of(plan, recorder, grace, overlay)
            state = _completed_state(plan)
        except _Cancelled:
            recorder.update(state=RunState.CANCELLED, worker="")
            raise
        except CodedError as error:
            recorder.update(state=RunState.FAILED, error_code=error.code, error_params=error.params, worker="")
            raise
        self._retry(lambda: recorder.update(state=state, carried_out=True, finished_at=timezone.now(), worker=""))

    def _is_decided(self, runs: Sequence[SyncRun], moodle: MoodleDatabase) -> bool:
        run = self.run
        if run.decision == SyncRun.Decision.APPROVED:
            check_decision(run)
            return True
        if is_later_of_bundle(run):
            # Judged with the first file, which was let go on where all before this one are done.
            if not is_in_turn(run):
                raise BundleStopped("bundle_out_of_turn")
            return True
        judgements: list[Judgement] = []
        self._retry(lambda: judgements.append(judge_together(runs, moodle)))
        verdict, reasons = judgements[-1].verdict, list(judgements[-1].reasons)
        if verdict is Verdict.GO or (is_confirmed(run) and verdict is Verdict.CONFIRM):
            return True
        if is_confirmed(run) and decided_by_of(run).is_operator:
            # At a shell nobody else is asked.
            return True
        state = RunState.HELD if verdict is Verdict.HELD else RunState.UNCONFIRMED
        reasons += second_person_notes(run) if state is RunState.HELD else []
        for each in runs:
            if each.plan is not None:
                self._retry(RunFinalizer(each.plan).make_outcome_table)
        self._retry(lambda: self._wait_for_person(state, reasons))
        return False

    def _wait_for_person(self, state: RunState, reasons: Sequence[Note]) -> None:
        with transaction.atomic():
            self._recorder.update(
                state=state,
                held_for=_stored(reasons),
                held_at=timezone.now(),
                waiting_since=None,
                # Nothing is being written that could be paused.
                pause_requested=False,
                worker="",
            )
            release_lease(self.run)
            notify_of_run(self.run)

    def _run_rows(self) -> None:
        self._run_rows_of(self.run, self._recorder, RunGrace(self.run))
        self._retry(self._keep_what_is_known_at_the_end)

    def _run_rows_of(
        self, run: SyncRun, recorder: RunRecorder, grace: RunGrace, overlay: Overlay | None = None
    ) -> None:
        try:
            with storage.opened(run.input_key) as stream:
                checked = CheckedFile(stream, run.file_path)
                if checked.sha256 != run.file_sha256:
                    raise CommandFileError("file_changed", path=run.file_path)
                self._run_pipeline(run, recorder, checked.opened(), grace, overlay)
        except FileNotFoundError:
            raise CommandFileError("file_not_found", path=run.file_path) from None

    def _keep_what_is_known_at_the_end(self) -> None:
        self._note_mails()
        forget_mails(self.run)
        self._recorder.finish()

    def _note_mails(self) -> None:
        """Say which mails were not sent, and of which that isn't known."""
        unsure = unsure_mails(self.run)
        notes: list[list[Any]] = []
        if lost := sum(mail.state == RunMail.State.FAILED for mail in unsure):
            notes.append(["mails_lost", {"count": lost}])
        if people := [mail.address for mail in unsure if mail.state == RunMail.State.BEGUN]:
            notes.append(["mails_in_doubt", {"count": len(people), "people": ", ".join(people)}])
        self._add_notes(notes)

    def _add_notes(self, notes: Sequence[list[Any]]) -> None:
        """Add notes to the run, in place of those of the same codes: an attempt before this one may have added them."""
        if notes:
            codes = {code for code, _params in notes}
            self._recorder.update(notes=[*(note for note in self.run.notes if note[0] not in codes), *notes])

    def _tidy_up(self) -> None:
        """Leave behind what the run leaves behind. Nothing is made twice."""
        self._retry(self._purge_caches)
        self._retry(lambda: self._add_notes(keep_waiting_rows(self.run)))
        self._retry(self._hold_deletions)
        if self.run.simulate:
            self._retry(self._keep_reasons)
        self._retry(lambda: self._finalizer.tidy_up(completed=True))

    def _retry(self, action: Callable[[], None]) -> None:
        """Do something; a storage, a disk or a database of our own that is away is waited for."""
        retry_policy = self._retry_policy()
        for attempt in count(1):
            try:
                with own_database(), disk():
                    action()
            except (MoodleUnavailable, StorageUnavailable) as error:
                retry_policy.wait(error, attempt)
            else:
                return

    def _hold_deletions(self) -> None:
        try:
            self._add_notes(hold_named(self.run, self._moodle))
        finally:
            self._moodle.dispose()

    def _keep_reasons(self) -> None:
        """Keep with a simulation why it would be held: whoever applies it sees that before."""
        try:
            judged = judge_run(self.run, self._moodle)
        except OptionError:
            # Limits that can't be read are said when it is applied.
            return
        finally:
            self._moodle.dispose()
        self._recorder.update(held_for=_stored(judged.reasons if judged.verdict is Verdict.HELD else ()))

    def _purge_caches(self) -> None:
        note = purge_caches(self.run)
        if note is not None:
            self._add_notes([[note.code, dict(note.params)]])

    def _retry_policy(self) -> RetryPolicy:
        since = self._waited_since
        waited = (timezone.now() - since).total_seconds() if since is not None else 0.0
        return RetryPolicy(self._limits.retry_seconds, self._began_to_wait, self._stop_waiting, waited)

    def _progress(self, progress: Progress) -> None:
        self._waited_since = None
        self._told(progress)

    def _run_pipeline(
        self, run: SyncRun, recorder: RunRecorder, stream: BinaryIO, grace: RunGrace, overlay: Overlay | None
    ) -> None:
        moodle, connection = self._moodle, self._moodle.settings
        processor = processor_of(run)
        # What a person has seen is done or nothing; at night nobody has seen anything.
        replans = run.plan is not None and not run.decision and run.origin not in ORIGINS_OF_PEOPLE
        # What goes on record of scopes is what is judged: of plans, and of rows that are planned once more.
        is_judged = run.simulate or replans
        work = PipelineContext(
            processor=processor,
            options=processor.options(run.options),
            moodle=moodle,
            recorder=recorder,
            simulate=run.simulate,
            after_line=run.last_line,
            fence_key=run.fence_key,
            worker=self._token,
            takes_over=self._takes_over,
            chunk_rows=self._limits.chunk_rows,
            wait=self._retry_policy().wait,
            should_stop=self._is_cancelled,
            records=SiteRecords(run.site),
            grace=grace,
            sticky=sticky_fields(run),
            file_area=SiteFiles(run),
            blobs=RunBlobs(run, connection),
            journal=RunJournal(run.undoes, run.undoes_line) if run.undoes is not None else NoJournal(),
            moodle_command=moodle_command(connection, is_long=True),
            mapping=mapping_of(run),
            plan=PlanReader(run.plan) if run.plan is not None else None,
            replans=replans,
            scopes=ScopeCounter(scopes_of(run.site, run.processor) if is_judged else []),
            check_totals=watch_totals(run) if replans else lambda _chunk: None,
            shows_new_values=run.simulate,
            is_part=self.run.origin in ORIGINS_OF_MADE_FILES or self.run.mends_id is not None,
            overlay=overlay,
            look=self._looks[run.pk if run.simulate else run.plan_id],
            sheets=self._sheets_of(run),
        )
        try:
            if not run_pipeline(work, stream, run.file_name):
                raise self._why_stopped()
            if run.simulate:
                self._retry(lambda: recorder.update(made_on=made_on(moodle)))
        finally:
            moodle.dispose()

    def _is_cancelled(self) -> bool:
        """Whether the run is to stop, for good or for a while. Raises: LeaseLost. Queries: one"""
        self._heartbeat.check()
        asked = SyncRun.objects.filter(pk=self.run.pk, worker=self._token)
        with own_database():
            found = asked.values_list("cancel_requested", "pause_requested").first()
        if found is None:
            raise LeaseLost(f"run {self.run.pk}")
        self._is_to_be_paused = found == (False, True)
        return any(found)

    def _why_stopped(self) -> _Cancelled:
        return _Paused() if self._is_to_be_paused else _Cancelled()

    def _stop_waiting(self, seconds: float) -> None:
        """Raises: _Cancelled if the run is to stop; _PutBack if it has waited longer than a turn and others need the worker"""
        if self._is_cancelled():
            raise self._why_stopped()
        with own_database():
            if self._yields and seconds >= turn_seconds() and do_others_wait(self.run.site_id):
                raise _PutBack

    def _put_back(self) -> None:
        """Let the worker go, and keep the site: what comes after the run may build on it. The next tick takes it up again."""
        logger.info("run %s: Moodle doesn't answer; put back for runs of other sites", self.run.pk)
        self._recorder.update(
            state=RunState.QUEUED,
            attempts=0,
            not_before=timezone.now() + timedelta(seconds=_PUT_BACK_SECONDS),
            waiting_since=self.run.waiting_since or timezone.now(),
            worker="",
        )

    def _pause(self) -> bool:
        """Let the site go; the rows that are left wait until somebody takes the run up again.

        Returns False where somebody has cancelled the run in this moment, which counts for more.
        """
        try:
            self._purge_caches()
        except Exception:
            logger.exception("run %s: caches of a run that is paused", self.run.pk)
        with transaction.atomic():
            # Nobody can ask for anything else until this is committed.
            self._recorder.update(pause_requested=False, waiting_since=None)
            if SyncRun.objects.filter(pk=self.run.pk, cancel_requested=True).exists():
                return False
            self._recorder.update(state=RunState.PAUSED, worker="")
            release_lease(self.run)
        return True

    def _began_to_wait(self) -> None:
        self._recorder.update(waiting_since=self._waited_since or timezone.now())

    def _refuse(self, error: CodedError) -> None:
        """End a run whose file can't be used: nothing was written and nothing is kept of it, unless it had begun."""
        if self.run.last_line:
            self._stop(RunState.ERRORED, error.code, error.params)
            return
        self._end(RunState.FAILED, error.code, error.params)
        self._finalizer.discard()

    def _stop(self, state: RunState, code: str = "", params: dict[str, Any] | None = None) -> None:
        """End a run before its last row. What it did is notified; that notifying may fail as well must not hide why."""
        self.run.error_code, self.run.error_params = code, params or {}
        try:
            self._note_mails()
            self._purge_caches()
            self._finalizer.tidy_up(completed=False)
        except Exception:
            logger.exception("run %s: no report of a run that was stopped", self.run.pk)
        self._end(state, code, params)

    def _end(self, state: RunState, code: str = "", params: dict[str, Any] | None = None) -> None:
        with transaction.atomic():
            self._recorder.update(
                state=state,
                finished_at=timezone.now(),
                error_code=code,
                error_params=params or {},
                waiting_since=None,
                worker="",
            )
            follow_bundle(self.run)
            release_lease(self.run)
            notify_of_run(self.run)


def _stored(reasons: Sequence[Note]) -> list[list[Any]]:
    return [[note.code, dict(note.params)] for note in reasons]


def _completed_state(run: SyncRun) -> RunState:
    has_failed_rows = any(run.counts.get(action) for action in FAILED_ACTIONS)
    return RunState.COMPLETED_WITH_REJECTIONS if has_failed_rows else RunState.COMPLETED
