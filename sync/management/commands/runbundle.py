"""Carry out several command files, or a zip of them, from the shell: planned together, one after the other."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

from django.core.management.base import CommandError

from sync.commandfiles.bundle_zip import HandedFile
from sync.errors import CodedError, OptionError
from sync.guard.messages import reason_text, total_texts
from sync.management.command import EXIT_OTHER, EXIT_REFUSED, EXIT_WAITS, site_of_slug
from sync.management.run_command import Interruption, RunCommand, options_of, refusal
from sync.management.run_facts import summary_of
from sync.models import Bundle, MoodleSite, RunState, SyncRun
from sync.models.run import COMPLETED_STATES
from sync.outcomes.report import count_texts
from sync.processors.registry import KEYS
from sync.runs import decisions
from sync.runs.bundle_order import files_of
from sync.runs.bundles import opened_bundle, queue_bundle
from sync.runs.rights import OPERATOR


class Command(RunCommand):
    """manage.py runbundle FILE.zip, or several files. Exit status: as of runsync, over all files."""

    help = (
        "Carry out several command files, or a zip of them: planned together, in the order in which they need each other. "
        "Exit status: as of runsync, over all files."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="a zip of command files, or several files")
        self.add_site(parser)
        parser.add_argument(
            "--simulate", action="store_true", help="dry run: say what would be done, and write nothing"
        )
        parser.add_argument(
            "--option", action="append", default=[], metavar="TYPE.NAME=VALUE",
            help="an option of a file type (users.allowrename=1) or a file (new.csv:allowrename=1); may be given several times",
        )  # fmt: skip
        parser.add_argument(
            "--ask",
            action="store_true",
            help="make the plan, and let it wait until somebody confirms it (page, decide)",
        )
        self.add_json(parser)

    def handle(self, *, files: list[str], site: str, option: list[str], **chosen: Any) -> None:
        try:
            bundle = _queued(site_of_slug(site), files, option, asks=chosen["simulate"] or chosen["ask"])
        except CodedError as error:
            raise refusal(error) from None
        self.run_bundle_and_report(bundle, simulate=chosen["simulate"], as_json=chosen["json"])

    def run_bundle_and_report(self, bundle: Bundle, *, simulate: bool, as_json: bool) -> None:
        """Carry out a bundle, or say what it would do and end it, and exit with the status of all files."""
        runs = self._run_files(bundle)
        if simulate and runs[0].waits_for_person:
            runs = self._end_simulation(runs)
            status = int(any(run.plan is not None and run.plan.state != RunState.COMPLETED for run in runs))
        else:
            status = _status(runs)
        if as_json:
            shown = [run.plan if simulate and run.plan is not None else run for run in runs]
            self.print_json({"bundle": bundle.pk, "runs": [summary_of(run) for run in shown]})
        if status:
            sys.exit(status)

    def _run_files(self, bundle: Bundle) -> list[SyncRun]:
        """Carry out the files one after the other, as far as they go, and say what came of each."""
        for place in range(len(bundle.processors)):
            run = files_of(bundle)[place]
            if run.state == RunState.PENDING:
                break
            with Interruption(run) as interruption:
                run = self.run_to_its_end(run, interruption)
            self.print_result(run)
        return files_of(bundle)

    def _end_simulation(self, runs: Sequence[SyncRun]) -> list[SyncRun]:
        """Say what was planned for each file, and end them all."""
        for run in runs:
            plan = run.plan
            if plan is None:
                continue
            counts = ", ".join(count_texts(plan.counts, plan.partial_counts))
            self.stdout.write(f"{run.file_name}: {counts}")
            for text in total_texts(plan.totals):
                self.stdout.write(f"  {text}")
        decisions.decline_run(runs[0], OPERATOR, reason="--simulate")
        return files_of(cast(Bundle, runs[0].bundle))

    def print_reasons(self, run: SyncRun) -> None:
        """Say why a bundle waits, but for a simulation, which waits for nobody."""
        if run.bundle is None or not run.bundle.asks:
            for reason in run.held_notes:
                self.stdout.write(reason_text(reason))


def _queued(site: MoodleSite, names: Sequence[str], option: Sequence[str], *, asks: bool) -> Bundle:
    """Ask for the runs of files of this machine. Raises: CommandFileError, OptionError"""
    with ExitStack() as stack:
        try:
            handed = [HandedFile(Path(name).name, stack.enter_context(Path(name).open("rb"))) for name in names]
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}", returncode=EXIT_REFUSED) from None
        files = stack.enter_context(opened_bundle(handed))
        of_types, of_files = _options(option, [file.name for file in files])
        return queue_bundle(
            site=site, name=handed[0].name, files=[file._replace(options=of_files.get(file.name)) for file in files],
            origin=SyncRun.Origin.SHELL, asks=asks, options=of_types, in_background=False,
        )  # fmt: skip


def _options(pairs: Sequence[str], names: Sequence[str]) -> tuple[dict[str, dict[str, str]], dict[str, dict[str, str]]]:
    """Return the options of each file type, and those of each file. Shape: names: of the files. Raises: OptionError"""
    found: dict[str, dict[str, str]] = {}
    of_files: dict[str, dict[str, str]] = {}
    for name, value in options_of(pairs).items():
        file, colon, option = name.rpartition(":")
        if colon:
            if file not in names:
                raise OptionError("bundle_file_unknown", file=file, files=", ".join(names))
            of_files.setdefault(file, {})[option] = value
            continue
        key, dot, option = name.partition(".")
        if not dot or key not in KEYS:
            raise OptionError("processor_unknown", processor=key, processors=", ".join(KEYS))
        found.setdefault(key, {})[option] = value
    return found, of_files


def _status(runs: Sequence[SyncRun]) -> int:
    if runs[0].waits_for_person:
        return EXIT_WAITS
    states = {RunState(run.state) for run in runs}
    if RunState.FAILED in states:
        return EXIT_REFUSED
    if states - {*COMPLETED_STATES}:
        return EXIT_OTHER
    return int(RunState.COMPLETED_WITH_REJECTIONS in states)
