"""What can be done with runs: the functions that pages, tasks and commands call."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import get_language

from sync.audit.services import record_saved
from sync.columns.general_options import GeneralOptions
from sync.commandfiles.intake import FileTypes, delete_file, keep_for_run, note_type, receive_file, refuse_own_folder
from sync.commandfiles.left_drafts import sweep_uploads
from sync.commandfiles.naming import clean_folder, clean_name
from sync.commandfiles.readings import keep_reading
from sync.errors import CommandFileError, LeaseLost, OptionError, RunNotClaimable
from sync.models import (
    AuditKind,
    Bundle,
    CommandFile,
    MoodleSite,
    NotificationRule,
    ProcessorSettings,
    RunState,
    SequenceRun,
    SyncRun,
)
from sync.models.run import BUNDLE_STOPPED, CLAIMED_STATES, RESUMABLE_STATES, WAITING_STATES
from sync.notifications.mails import send_mails_again
from sync.notifications.services import notify_of_run
from sync.processors.registry import REGISTRY
from sync.runs.asking import asking_token
from sync.runs.bundle_order import (
    await_again,
    follow_bundle,
    is_in_turn,
    planned_with,
    stop_after,
    unfinished_of_bundle,
)
from sync.runs.cache_purge import PURGE_CODES
from sync.runs.deciders import renew_approval
from sync.runs.execution import Execution
from sync.runs.grace_records import go_on_with_task
from sync.runs.lease import (
    MAX_ATTEMPTS,
    Heartbeat,
    claim_run,
    dead_runs,
    enqueue,
    enqueue_sequence,
    fair_run_ids,
    release_lease,
    start_next,
    waiting_run_ids,
)
from sync.runs.mappings import guess_file_type
from sync.runs.options import (
    changed_options,
    find_processor,
    options_of_undo,
    resolve_options,
    run_limits,
    upload_folder,
)
from sync.runs.recorder import Progress
from sync.runs.rights import OPERATOR, Responsible, may_replace
from sync.runs.site_files import input_of
from sync.runs.undo_file import undo_file_name

# What is sent again every minute must not pile up behind a long run.
RECOVERY_EXPIRES = 50.0

# An upload that still arrives is written to all the time.
_LEFT_UPLOAD_SECONDS = 3600.0

logger = logging.getLogger(__name__)


def _is_known_name(name: str) -> bool:
    return any(processor.columns.knows(name) for processor in REGISTRY.values())


FILE_TYPES = FileTypes(knows=_is_known_name, guess=guess_file_type)


def receive_upload(
    *,
    site: MoodleSite,
    uploaded_file: UploadedFile,
    folder: str,
    user: Any,
    replace: bool = False,
    leaves_workbooks: bool = False,
) -> CommandFile:
    """Keep a file that came from a browser in the file area. No schedule takes it before somebody says so.

    Shape: replace: the person wants it in place of the one of the same path; leaves_workbooks: a worker finds out the type of one
    Raises: CommandFileError
    """
    refuse_own_folder(folder)
    limit = run_limits().max_upload_megabytes
    name = uploaded_file.name or ""
    if replace:
        _check_replaced(site, name, folder, Responsible.of(user))
    return receive_file(
        site, uploaded_file, name, folder, user, file_types=FILE_TYPES, replace=replace, max_megabytes=limit,
        leaves_workbooks=leaves_workbooks,
    )  # fmt: skip


def _check_replaced(site: MoodleSite, name: str, folder: str, person: Responsible) -> None:
    """Raises: CommandFileError if there is a file of this path that the person may not put another one in place of"""
    known = CommandFile.objects.filter(site=site, folder=clean_folder(folder), name=clean_name(name)).first()
    if known is not None and not may_replace(person, known):
        raise CommandFileError("file_of_others", path=known.path)


def read_workbook(reading_id: int) -> None:
    """Keep how a sheet of a workbook begins, and say of which type its file is."""
    if (file := keep_reading(reading_id)) is not None:
        note_type(file, FILE_TYPES)


def sweep_left_uploads() -> int:
    """Delete the pieces of uploads that nobody finished; return how many."""
    return sweep_uploads(upload_folder(), _LEFT_UPLOAD_SECONDS)


def types_of(processor: str) -> FileTypes:
    """Return what tells that a file is of a type that somebody has chosen. Raises: OptionError"""
    knows = find_processor(processor).columns.knows
    return FileTypes(knows=knows, guess=lambda _names, _filename: processor)


def receive_path(*, site: MoodleSite, path: Path, folder: str, user: Any = None, processor: str = "") -> CommandFile:
    """Keep a file of this machine. Shape: processor: "" = its header tells.

    Raises: CommandFileError; OptionError; OSError if it can't be read
    """
    file_types = types_of(processor) if processor else FILE_TYPES
    with path.open("rb") as stream:
        return receive_file(site, stream, path.name, folder, user, file_types=file_types)


def save_settings(
    *, site: MoodleSite, processor: str, values: Mapping[str, Any], by: Responsible = OPERATOR
) -> ProcessorSettings:
    """Keep what an administrator chose for a file type. Raises: OptionError."""
    cleaned = find_processor(processor).options.resolve(values)
    kept = {"values": changed_options(processor, cleaned)}
    with transaction.atomic():
        before = ProcessorSettings.objects.filter(site=site, processor=processor).first()
        earlier = before.values if before is not None else {}
        saved = ProcessorSettings.objects.update_or_create(site=site, processor=processor, defaults=kept)[0]
        record_saved(site, AuditKind.SETTINGS, by, processor, before=earlier, after=saved.values)
    return saved


def queue_upload(
    *,
    site: MoodleSite,
    processor: str,
    uploaded_file: UploadedFile,
    options: Mapping[str, Any],
    simulate: bool,
    remember: bool,
    user: Any,
) -> SyncRun:
    """Ask for a run of a file that is handed in for it. When that is refused the file is gone again.

    Shape: remember: the options are the stored ones from now on
    Raises: CommandFileError, OptionError
    """
    checked_options(site, processor, options)
    file = receive_for_run(site, uploaded_file, uploaded_file.name or "", processor, user)
    try:
        with transaction.atomic():
            if remember:
                save_settings(site=site, processor=processor, values=options, by=Responsible.of(user))
            return queue_run(
                site=site, processor=processor, command_file=file, options=options, simulate=simulate, user=user
            )
    except BaseException:
        delete_file(file)
        raise


def checked_options(site: MoodleSite, processor: str, options: Mapping[str, Any] | None) -> GeneralOptions:
    """Return the options of a run. Raises: OptionError, also where they don't fit together"""
    values = resolve_options(site, processor, options)
    if (fault := values.fault()) is not None:
        raise fault
    return values


def receive_for_run(site: MoodleSite, content: IO[bytes], name: str, processor: str, user: Any) -> CommandFile:
    """Keep a file for runs of one type, in a folder of its own: it replaces nothing, and no schedule looks there.

    Raises: CommandFileError
    """
    limit = run_limits().max_upload_megabytes
    return keep_for_run(site, content, name, processor, user, max_megabytes=limit)


def queue_run(
    *,
    site: MoodleSite,
    processor: str,
    command_file: CommandFile | None,
    options: Mapping[str, Any] | None = None,
    simulate: bool = False,
    user: Any = None,
    origin: str = SyncRun.Origin.PERSON,
    sequence_run: SequenceRun | None = None,
    owner: Responsible | None = None,
    armed_by: Responsible = OPERATOR,
    undoes: SyncRun | None = None,
    undoes_line: int | None = None,
    mends: SyncRun | None = None,
    in_background: bool = True,
    plan: SyncRun | None = None,
    mapping: Mapping[str, Any] | None = None,
    bundle: Bundle | None = None,
    is_pending: bool = False,
) -> SyncRun:
    """Ask for a run; the workers carry it out.

    Shape: options: what differs from the stored settings; origin: what asks for it, PERSON also where a token does (see
    sync.runs.asking); owner: whose rights are asked when it begins, without one `user`; undoes: the run that this one takes
    back, whose file type it has, and for which who carries it out makes the command file (None); undoes_line: of its file,
    None = all of them; mends: the run whose mended rows are in the file; in_background: False = the caller carries it out
    itself; plan: the simulation that it carries out, and nothing else; mapping: as SyncRun has it, that of the plan where there
    is one; bundle: the files that it is planned with; is_pending: it waits for those before it
    Raises: OptionError
    """
    if not site.in_use:
        raise OptionError("site_out_of_use", site=site.name)
    values = checked_options(site, processor, options) if undoes is None else options_of_undo()
    owner = owner or Responsible.of(user)
    token = asking_token()
    if token is not None and origin == SyncRun.Origin.PERSON:
        origin = SyncRun.Origin.API
    run = SyncRun.objects.create(
        site=site,
        processor=processor,
        simulate=simulate,
        state=RunState.PENDING if is_pending else RunState.QUEUED,
        options=dict(values),
        **(
            input_of(command_file)
            if command_file
            else {"file_path": undo_file_name(undoes, undoes_line) if undoes else ""}
        ),
        language=(get_language() or "") if user else _language_of_unattended_runs(site, processor),
        requested_by=user,
        owner=owner.user,
        owner_name=owner.name,
        armed_by=armed_by.user,
        armed_by_name=armed_by.name,
        origin=origin,
        token_name=token.name if token is not None else "",
        sequence_run=sequence_run,
        plan=plan,
        undoes=undoes,
        undoes_line=undoes_line,
        mends=mends,
        mapping=(plan.mapping or {}) if plan is not None else mapping,
        bundle=bundle,
    )
    if in_background and not is_pending:
        transaction.on_commit(lambda: enqueue(run.pk))
    return run


def execute_next(run_id: int) -> None:
    """Carry out a run in this process: the one whose turn it is, of all that could begin.

    Shape: run_id: it is this one if a worker died on it
    A message stands for one run, whichever; so no site waits behind what was asked for on another one before.
    """
    is_left = SyncRun.objects.filter(pk=run_id, state__in=CLAIMED_STATES).exists()
    for chosen in [run_id] if is_left else fair_run_ids():
        try:
            execute_run(chosen, yields=True)
        except RunNotClaimable:
            continue
        break
    else:
        return
    # What was left because its site had enough workers has no message any more.
    if waiting := fair_run_ids():
        enqueue(waiting[0], expires=RECOVERY_EXPIRES)


def execute_run(
    run_id: int, *, progress: Callable[[Progress], None] = lambda _progress: None, yields: bool = False
) -> SyncRun:
    """Carry out a run in this process.

    Shape: yields: it is put back while its Moodle doesn't answer, if runs of other sites need the worker
    Raises: RunNotClaimable if it isn't ours to carry out, or not yet
    """
    token = uuid.uuid4().hex
    limits = run_limits()
    run = claim_run(run_id, token)
    try:
        with Heartbeat(run_id, token, limits) as heartbeat:
            Execution(run, token, limits, heartbeat, progress, yields=yields).execute()
    except LeaseLost:
        logger.warning("run %s was taken over by another worker", run_id)
        # Where nobody has: it is known as dead at once.
        if SyncRun.objects.filter(pk=run_id, worker=token, state__in=CLAIMED_STATES).update(heartbeat_at=None):
            enqueue(run_id)
    start_next(run.site_id)
    ended = SyncRun.objects.get(pk=run_id)
    go_on_with_sequence(ended)
    return ended


def _language_of_unattended_runs(site: MoodleSite, processor: str) -> str:
    """Return the language in which people are told of a file type: their report is in the same."""
    rules = NotificationRule.objects.filter(site=site, processor__in=("", processor)).order_by("-processor")
    return next((rule.language for rule in rules[:1]), "") or get_language() or ""


def cancel_run(run: SyncRun) -> None:
    """Stop a run: at once when it hasn't begun, else before its next chunk. One that is over stays as it is.

    With it stop the other files of its bundle.
    """
    for other in unfinished_of_bundle(run):
        _cancel(other)
    _cancel(run)
    stop_after(run)


def _cancel(run: SyncRun) -> None:
    # A worker may take it, pause it or end it in between.
    while not _cancel_in_state(run) and not run.is_over:
        continue
    if run.state == RunState.CANCELLED:
        site_id = run.site_id
        transaction.on_commit(lambda: start_next(site_id))
        go_on_with_sequence(run)


def _cancel_in_state(run: SyncRun) -> bool:
    """Stop a run as it is now, or have it stopped; return False if it isn't that any more."""
    run.refresh_from_db()
    same = SyncRun.objects.filter(pk=run.pk, state=run.state)
    if run.state in CLAIMED_STATES:
        done = same.update(cancel_requested=True)
    elif run.state == RunState.PAUSED or (run.state == RunState.QUEUED and run.last_line and not run.simulate):
        # Paused, or put back because its Moodle didn't answer.
        done = same.update(state=RunState.QUEUED, cancel_requested=True, attempts=0, not_before=None)
        if done:
            # A worker makes its report and its tryback.
            transaction.on_commit(lambda: enqueue(run.pk))
    else:
        waits = same.filter(state__in=(RunState.PENDING, RunState.QUEUED, *WAITING_STATES))
        done = waits.update(state=RunState.CANCELLED, finished_at=timezone.now())
    run.refresh_from_db()
    return bool(done)


def pause_run(run: SyncRun) -> None:
    """Let a run stop before its next chunk, to be taken up later; meanwhile others may write. Raises: RunNotClaimable"""
    writing = SyncRun.objects.filter(pk=run.pk, simulate=False, cancel_requested=False)
    if writing.filter(state=RunState.QUEUED).update(state=RunState.PAUSED, not_before=None):
        site_id = run.site_id
        # One that was put back has kept its site.
        release_lease(run)
        transaction.on_commit(lambda: start_next(site_id))
    elif not writing.filter(state__in=CLAIMED_STATES).update(pause_requested=True):
        raise RunNotClaimable(f"run {run.pk} is over, waits, or writes nothing")
    run.refresh_from_db()


def resume_run(run: SyncRun, person: Responsible = OPERATOR) -> None:
    """Take up a run that is paused, ended with an error or was cancelled, after its last whole chunk.

    Raises: RunNotClaimable, RightMissing
    """
    if not run.site.in_use:
        raise RunNotClaimable(f"run {run.pk} is of a site that is out of use")
    if SyncRun.objects.filter(undoes=run, simulate=False).exists():
        raise RunNotClaimable(f"run {run.pk} was undone: its rows are carried out from the first one on, or not at all")
    with transaction.atomic():
        _queue_again(run)
        renew_approval(run, person)
        await_again(run)
        go_on_with_task(run)
    transaction.on_commit(lambda: enqueue(run.pk))


def _queue_again(run: SyncRun) -> None:
    if not is_in_turn(run):
        raise RunNotClaimable(f"run {run.pk} comes after a file of its bundle that hasn't come to its end")
    resumable = SyncRun.objects.exclude(error_code=BUNDLE_STOPPED)
    resumed = resumable.filter(pk=run.pk, state__in=RESUMABLE_STATES).update(
        state=RunState.QUEUED,
        attempts=0,
        cancel_requested=False,
        pause_requested=False,
        error_code="",
        error_params={},
        finished_at=None,
        # What is written from now on is in the caches as well.
        notes=[note for note in run.notes if note[0] not in PURGE_CODES],
    )
    if not resumed:
        raise RunNotClaimable(f"run {run.pk} is not one that stopped before its end")
    run.refresh_from_db()


def send_mails_of(run: SyncRun) -> int:
    """Send again what may not have gone out. Returns how many mails could not be sent. Raises: RunNotClaimable"""
    if not run.is_over:
        raise RunNotClaimable(f"run {run.pk} is at work")
    return send_mails_again(run)


def recover_dead_runs() -> None:
    """Find the runs whose worker died and the ones that wait with nobody knowing, and hand them to the workers."""
    limits = run_limits()
    for run in dead_runs(limits):
        if run.attempts >= MAX_ATTEMPTS:
            _give_up(run)
        else:
            enqueue(run.pk, expires=RECOVERY_EXPIRES)
    for run_id in waiting_run_ids():
        enqueue(run_id, expires=RECOVERY_EXPIRES)


def go_on_with_sequence(run: SyncRun) -> None:
    """Let the sequence that a run belongs to go on, now that it is over."""
    sequence_id = run.sequence_run_id
    if sequence_id is not None and run.is_over:
        transaction.on_commit(lambda: enqueue_sequence(sequence_id))


def _give_up(run: SyncRun) -> None:
    with transaction.atomic():
        ended = SyncRun.objects.filter(pk=run.pk, worker=run.worker, state=run.state).update(
            state=RunState.ERRORED,
            finished_at=timezone.now(),
            error_code="worker_died_repeatedly",
            error_params={"attempts": run.attempts},
            worker="",
        )
        if ended:
            # It may have died while it made the plan, which then is no plan.
            plans = SyncRun.objects.filter(application__in=planned_with(run), state__in=CLAIMED_STATES)
            plans.update(state=RunState.ERRORED, finished_at=timezone.now(), worker="")
            release_lease(run)
            run.refresh_from_db()
            follow_bundle(run)
            notify_of_run(run)
