"""Carry out a command file from the shell, in the foreground, through the same services as the browser."""

from __future__ import annotations

import json
import signal
import sys
import time
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from types import FrameType
from typing import Any, Self

from django.core.management.base import BaseCommand, CommandError

from sync.commandfiles.intake import find_file
from sync.commandfiles.storage import file_storage
from sync.errors import CodedError, CommandFileError, OptionError, RunNotClaimable
from sync.guard.messages import reason_text
from sync.mappings.mapped_rows import MAPPING_NOTES
from sync.messages import text_of
from sync.models import CommandFile, MoodleSite, RunFile, RunState, SyncRun
from sync.outcomes.report import count_texts
from sync.processors.registry import REGISTRY
from sync.runs import services
from sync.runs.options import MAIN_SITE, run_limits
from sync.runs.plans import held_notes
from sync.runs.recorder import Progress
from sync.values import Action

SHELL_FOLDER = "/shell/"
AREA = "area:"
BAR = 40

EXIT_STATUS = {RunState.COMPLETED: 0, RunState.COMPLETED_WITH_REJECTIONS: 1, RunState.FAILED: 2}
EXIT_REFUSED, EXIT_OTHER, EXIT_WAITS = 2, 3, 4


class Command(BaseCommand):
    """manage.py runsync KEY FILE. Exit status: 0 completed, 1 with rejections, 2 the file can't be used, 3 anything else, 4 a
    person has to decide (`manage.py decide`)."""

    help = (
        "Carry out a command file. Exit status: 0 completed, 1 completed with rejections, 2 the file can't be used, "
        "3 anything else, 4 a person has to decide (manage.py decide)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key", metavar="KEY", help=f"file type: {', '.join(REGISTRY)}")
        parser.add_argument(
            "file", metavar="FILE", help="a file of this machine, or area:/users/in.csv for one already kept"
        )
        parser.add_argument("--site", default=MAIN_SITE, metavar="SLUG", help="the Moodle site (default: %(default)s)")
        parser.add_argument(
            "--simulate", action="store_true", help="dry run: say what would be done, and write nothing"
        )
        parser.add_argument(
            "--option", action="append", default=[], metavar="NAME=VALUE", help="may be given several times"
        )
        parser.add_argument("--json", action="store_true", help="end with one line of JSON on standard output")

    def handle(self, *, key: str, file: str, site: str, option: list[str], **chosen: Any) -> None:
        try:
            owner = site_of_slug(site)
            command_file = _area_file(owner, file) if file.startswith(AREA) else _local_file(owner, file)
            run = services.queue_run(
                site=owner, processor=key, command_file=command_file, options=options_of(option),
                simulate=chosen["simulate"], origin=SyncRun.Origin.SHELL, in_background=False,
            )  # fmt: skip
        except CodedError as error:
            status = EXIT_REFUSED if isinstance(error, CommandFileError) else EXIT_OTHER
            raise CommandError(text_of(error.code, error.params), returncode=status) from None
        self.carry_out_and_tell(run, as_json=chosen["json"])

    def carry_out_and_tell(self, run: SyncRun, *, as_json: bool) -> None:
        """Carry out a run and say what came of it; the exit status says how it ended."""
        with Interruption(run) as interruption:
            run = self.carry_out(run, interruption)
        self.print_result(run)
        if as_json:
            self.stdout.write(json.dumps(summary_of(run)))
        if run.waits_for_person:
            sys.exit(EXIT_WAITS)
        if status := EXIT_STATUS.get(RunState(run.state), EXIT_OTHER):
            sys.exit(status)

    def carry_out(self, run: SyncRun, interruption: Interruption) -> SyncRun:
        """Carry out the run, after those that were asked for before; follow it if a worker was faster."""
        bar = _ProgressBar()
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
        for kept in run.files.all():
            self.stdout.write(f"{RunFile.Kind(kept.kind).label}: {_place(kept)}")

    def print_reasons(self, run: SyncRun) -> None:
        """Say why a run waits for a person."""
        for reason in held_notes(run):
            self.stdout.write(reason_text(reason))


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


class _ProgressBar:
    """A bar on standard error, when that is a terminal."""

    def __init__(self) -> None:
        self._shows = sys.stderr.isatty()
        self._is_open = False

    def show(self, progress: Progress) -> None:
        if self._shows:
            share = min(1.0, progress.rows_done / max(1, progress.rows_expected))
            bar = ("#" * round(BAR * share)).ljust(BAR, ".")
            sys.stderr.write(f"\r[{bar}] {share:4.0%} {progress.rows_done} rows")
            sys.stderr.flush()
            self._is_open = True

    def end(self) -> None:
        if self._is_open:
            sys.stderr.write("\n")
            self._is_open = False


def site_of_slug(slug: str) -> MoodleSite:
    site = MoodleSite.objects.filter(slug=slug).first()
    if site is None:
        slugs = ", ".join(MoodleSite.objects.values_list("slug", flat=True))
        raise CommandError(f"There is no site “{slug}”. Sites: {slugs}.", returncode=EXIT_OTHER)
    return site


def _area_file(site: MoodleSite, name: str) -> CommandFile:
    path = name.removeprefix(AREA)
    file = find_file(site, path)
    if file is None:
        raise CommandFileError("file_not_found", path=path)
    return file


def _local_file(site: MoodleSite, name: str) -> CommandFile:
    try:
        return services.receive_path(site=site, path=Path(name), folder=SHELL_FOLDER)
    except OSError as error:
        raise CommandError(f"{name}: {error.strerror}", returncode=EXIT_REFUSED) from None


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


def summary_of(run: SyncRun) -> dict[str, Any]:
    """Return what a script is told of a run."""
    places: dict[str, str | None] = {kept.kind: _place(kept) for kept in run.files.all()}
    return {
        "run": run.pk,
        "state": run.state,
        "counts": {action.value: run.counts.get(action.value, 0) for action in Action},
        "report": places.get(RunFile.Kind.REPORT),
        "tryback": places.get(RunFile.Kind.TRYBACK),
        "archive": places.get(RunFile.Kind.ARCHIVE),
        "outcomes": places.get(RunFile.Kind.OUTCOMES),
        "partial_counts": run.partial_counts,
    }


def _place(kept: RunFile) -> str:
    """Return where the shell finds a file: its name on this machine, or its path in the file area, or its storage key."""
    try:
        return file_storage().path(kept.storage_key)
    except NotImplementedError:
        return kept.path or kept.storage_key
