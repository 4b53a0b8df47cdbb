"""What commands that carry out runs have in common: the work in the foreground, the bar, what is said, the exit status."""

from __future__ import annotations

import signal
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterable
from types import FrameType
from typing import Self

from django.core.management.base import CommandError

from sync.errors import CodedError, CommandFileError, OptionError, RunNotClaimable
from sync.guard.messages import reason_text, total_texts
from sync.management.command import EXIT_OTHER, EXIT_REFUSED, EXIT_WAITS, ToolSyncCommand
from sync.management.progress_bar import ProgressBar
from sync.management.run_facts import place_of, summary_of
from sync.mappings.mapped_rows import MAPPING_NOTES
from sync.messages import text_of
from sync.models import MoodleSite, RunFile, RunState, SyncRun
from sync.outcomes.report import count_texts
from sync.runs import services
from sync.runs.options import run_limits
from sync.runs.plans import held_notes
from sync.runs.recorder import Progress

EXIT_STATUS = {RunState.COMPLETED: 0, RunState.COMPLETED_WITH_REJECTIONS: 1, RunState.FAILED: EXIT_REFUSED}
EXIT_HELP = (
    "Exit status: 0 completed, 1 completed with rejections, 2 the file can't be used, 3 anything else, 4 a person has to "
    "decide (manage.py decide)."
)


class RunCommand(ToolSyncCommand):
    """A command that carries out a run in the foreground. Its exit status is what EXIT_HELP says."""

    def add_options(self, parser: ArgumentParser) -> None:
        """Let the options of a file type be chosen."""
        parser.add_argument(
            "--option", action="append", default=[], metavar="NAME=VALUE", help="may be given several times"
        )

    def carry_out_and_tell(self, run: SyncRun, *, as_json: bool) -> None:
        """Carry out a run and say what came of it; the exit status says how it ended."""
        with Interruption(run) as interruption:
            run = self.carry_out(run, interruption)
        self.print_result(run)
        if as_json:
            self.print_json(summary_of(run))
        if run.waits_for_person:
            sys.exit(EXIT_WAITS)
        if status := EXIT_STATUS.get(RunState(run.state), EXIT_OTHER):
            sys.exit(status)

    def carry_out(self, run: SyncRun, interruption: Interruption) -> SyncRun:
        """Carry out the run, after those that were asked for before; follow it if a worker was faster."""
        bar = ProgressBar()
        has_said_why = False

        def progress(state: Progress) -> None:
            bar.show(state)
            interruption.pass_on()

        deadline = time.monotonic() + run_limits().retry_seconds
        while not run.is_over and not run.waits_for_person:
            try:
                return services.execute_run(run.pk, progress=progress)
            except RunNotClaimable:
                interruption.pass_on()
                run.refresh_from_db()
            finally:
                bar.end()
            if _has_taken_up_dead_run(run):
                continue
            if run.state == RunState.QUEUED and time.monotonic() > deadline:
                services.cancel_run(run)
                raise CommandError(_waited_in_vain(run), returncode=EXIT_OTHER)
            if not has_said_why:
                self.stderr.write(f"Run {run.pk} waits until the run before it is over.")
                has_said_why = True
            time.sleep(1)
        return run

    def print_result(self, run: SyncRun) -> None:
        """Say what came of a run."""
        self.stdout.write(f"Run {run.pk} of {run.file_path}: {run.state_label}")
        for code, params in run.notes:
            if code in MAPPING_NOTES:
                self.stdout.write(text_of(code, params))
        if run.error_code:
            self.stdout.write(text_of(run.error_code, run.error_params))
        if run.waits_for_person:
            self.print_reasons(run)
        counts = ", ".join(count_texts(run.counts, run.partial_counts))
        if counts:
            self.stdout.write(counts)
        for text in total_texts(run.totals if run.simulate else {}):
            self.stdout.write(f"  {text}")
        for kept in run.files.all():
            self.stdout.write(f"{RunFile.Kind(kept.kind).label}: {place_of(kept)}")

    def print_reasons(self, run: SyncRun) -> None:
        """Say why a run waits for a person."""
        for reason in held_notes(run):
            self.stdout.write(reason_text(reason))


def refusal(error: CodedError) -> CommandError:
    """Return what a command ends with when nothing could begin."""
    status = EXIT_REFUSED if isinstance(error, CommandFileError) else EXIT_OTHER
    return CommandError(text_of(error.code, error.params), returncode=status)


class Interruption:
    """Turns the first Ctrl-C into a request to cancel, so that the run ends after a whole chunk and is reported."""

    def __init__(self, run: SyncRun) -> None:
        self._run = run
        self._asked = False

    def __enter__(self) -> Self:
        self._before = signal.signal(signal.SIGINT, self._note_interrupt)
        return self

    def __exit__(self, *_exception: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def pass_on(self) -> None:
        if self._asked:
            self._asked = False
            services.cancel_run(self._run)

    def _note_interrupt(self, _number: int, _frame: FrameType | None) -> None:
        # A signal may come in the middle of a query: nothing but a mark is made here. A second one stops at once.
        self._asked = True
        signal.signal(signal.SIGINT, self._before)


def options_of(pairs: Iterable[str]) -> dict[str, str]:
    """Return options that are written NAME=VALUE. Raises: OptionError"""
    options = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise OptionError("option_without_value", option=pair)
        options[name.strip()] = value
    return options


def _has_taken_up_dead_run(waiting: SyncRun) -> bool:
    """Finish the run that holds the site, if its process died; there may be no worker here that would."""
    holder = MoodleSite.objects.get(pk=waiting.site_id).lease_run_id
    if holder is None or holder == waiting.pk:
        return False
    try:
        services.execute_run(holder)
    except RunNotClaimable:
        return False
    return True


def _waited_in_vain(run: SyncRun) -> str:
    holder = MoodleSite.objects.get(pk=run.site_id).lease_run_id
    by = f"run {holder} writes to this site" if holder else "runs that were asked for before have not begun"
    return f"Run {run.pk} could not begin: {by}. It was cancelled."
