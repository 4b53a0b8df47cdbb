"""What commands that carry out runs have in common: the work in the foreground, the bar, what is said, the exit status."""

from __future__ import annotations

import signal
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterable, Sequence
from types import FrameType
from typing import Self

from django.core.management.base import CommandError

from sync.errors import CodedError, CommandFileError, OptionError, RunNotClaimable
from sync.management.command import EXIT_OTHER, EXIT_REFUSED
from sync.management.progress_bar import ProgressBar
from sync.management.run_facts import summary_of
from sync.management.run_result import RunResultCommand, status_of
from sync.messages import text_of
from sync.models import MoodleSite, RunState, SyncRun
from sync.runs import services
from sync.runs.options import run_limits
from sync.runs.recorder import Progress


class RunCommand(RunResultCommand):
    """A command that carries out a run in the foreground. Its exit status is what EXIT_HELP says."""

    def add_options(self, parser: ArgumentParser) -> None:
        """Let the options of a file type be chosen."""
        parser.add_argument(
            "--option", action="append", default=[], metavar="NAME=VALUE", help="may be given several times"
        )

    def add_rows(self, parser: ArgumentParser) -> None:
        """Let rows be given as JSON."""
        parser.add_argument("--rows", action="store_true", help="FILE holds rows as JSON, as the API takes them")

    def run_and_report(self, run: SyncRun, *, as_json: bool) -> None:
        """Carry out a run and say what came of it; the exit status says how it ended."""
        self.run_all_and_report([run], as_json=as_json)

    def run_all_and_report(self, runs: Sequence[SyncRun], *, as_json: bool) -> None:
        """Carry out runs of several sites; the exit status is the highest of them. One alone is one object, not a list."""
        ended = []
        for run in runs:
            with Interruption(run) as interruption:
                ended.append(self.run_to_its_end(run, interruption))
            if len(runs) > 1:
                self.stdout.write(f"{ended[-1].site.name}:")
            self.print_result(ended[-1])
        if as_json:
            told = [{**summary_of(run), "site": run.site.slug} for run in ended]
            self.print_json(told if len(runs) > 1 else summary_of(ended[0]))
        if status := max(map(status_of, ended)):
            sys.exit(status)

    def run_to_its_end(self, run: SyncRun, interruption: Interruption) -> SyncRun:
        """Carry out the run, after those that were asked for before; follow it if a worker was faster."""
        bar = ProgressBar()
        has_said_why = False

        def progress(state: Progress) -> None:
            bar.show(state.rows_done, state.rows_expected)
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
