"""Export what is in Moodle as a command file, from the shell."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from contextlib import nullcontext
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import CommandError

from sync.errors import CodedError, OptionError
from sync.management.command import EXIT_OTHER, ToolSyncCommand, site_of_slug
from sync.management.progress_bar import ProgressBar
from sync.messages import text_of
from sync.models import MoodleSite
from sync.processors.base.export import ExportScope
from sync.processors.base.processor import Processor
from sync.runs.connections import moodle_of
from sync.runs.exports import ExportResult, export, exportable
from sync.runs.options import resolve_options

_STANDARD_OUTPUT = "-"


class Command(ToolSyncCommand):
    """manage.py export KEY FILE. Exit status: 0 all rows, 1 some were left out, 3 anything else."""

    help = (
        "Write what is in Moodle as a command file that changes nothing when it is sent back. "
        "Exit status: 0 all rows, 1 some rows can't be said by a file and were left out, 3 anything else. With --json it ends "
        "with one object, unless the file is standard output."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        keys = [processor.key for processor in exportable()]
        parser.add_argument("key", metavar="KEY", choices=keys, help=f"file type: {', '.join(keys)}")
        parser.add_argument("file", metavar="FILE", help="where to write; - is standard output")
        self.add_site(parser)
        parser.add_argument("--category", type=int, metavar="ID", help="courses of a category and of all below it")
        parser.add_argument("--courses", default="", metavar="PATTERN", help="courses by short name, * is anything")
        parser.add_argument(
            "--cohorts", default="", metavar="PREFIX", help="cohorts by the beginning of their idnumber"
        )
        parser.add_argument("--auth", default="", metavar="METHOD", help="users of an authentication method")
        self.add_json(parser)

    def handle(self, *, key: str, file: str, site: str, **chosen: Any) -> None:
        processor = next(processor for processor in exportable() if processor.key == key)
        scope = ExportScope(**{name: chosen[name] for name in ("category", "courses", "cohorts", "auth")})
        result = ExportResult()
        try:
            _check_scope(processor, scope)
            with _opened(file) as out:
                _write(out, site_of_slug(site), processor, scope, result)
        except CodedError as error:
            raise CommandError(text_of(error.code, error.params), returncode=EXIT_OTHER) from None
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}", returncode=EXIT_OTHER) from None
        if chosen["json"] and file != _STANDARD_OUTPUT:
            left_out = [row._asdict() for row in result.left_out]
            self.print_json({
                "rows": result.rows, "left_out_count": result.left_out_count, "left_out": left_out, "file": file,
            })  # fmt: skip
        self.stderr.write(f"{result.rows} rows written, {result.left_out_count} left out")
        if result.left_out_count:
            raise CommandError("The rows that were left out stand at the end of the file.", returncode=1)


def _opened(file: str) -> Any:
    return nullcontext(sys.stdout.buffer) if file == _STANDARD_OUTPUT else Path(file).open("wb")


def _write(
    out: BinaryIO, site: MoodleSite, processor: type[Processor], scope: ExportScope, result: ExportResult
) -> None:
    moodle, options, bar = moodle_of(site), resolve_options(site, processor.key), ProgressBar()
    try:
        for part in export(moodle, processor, options, scope, result):
            out.write(part)
            bar.show_count(result.rows)
    finally:
        bar.end()
        moodle.dispose()


def _check_scope(processor: type[Processor], scope: ExportScope) -> None:
    """Raises: OptionError for a scope that the file type doesn't know"""
    assert processor.exporter is not None  # noqa: S101
    known = [kind.value for kind in processor.exporter.scopes]
    for name, value in vars(scope).items():
        if value and name not in known:
            raise OptionError("option_unknown", option=name, options=", ".join(known))
