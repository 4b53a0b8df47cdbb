"""Undo a bundle from the shell, in the foreground, through the same service as the browser."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from sync.errors import CodedError, UndoRefused
from sync.management.command import EXIT_OTHER, site_of_slug
from sync.management.commands import runbundle
from sync.messages import text_of
from sync.models import Bundle, SyncRun
from sync.runs.undo_bundle import undo_bundle


class Command(runbundle.Command):
    """manage.py undobundle BUNDLE. Exit status: as of runbundle."""

    help = (
        "Take back what the files of a bundle did in Moodle, from the last to the first, as long as their before-images are "
        "kept. They are planned together; beyond the limits they wait for a decision. Exit status: as of runbundle."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("bundle", metavar="BUNDLE", type=int, help="number of the bundle, as its page shows it")
        self.add_site(parser)
        parser.add_argument(
            "--simulate", action="store_true", help="dry run: say what would be done, and write nothing"
        )
        parser.add_argument("--json", action="store_true", help="end with one line of JSON on standard output")

    def handle(self, *, bundle: int, site: str, **chosen: Any) -> None:  # type: ignore[override]
        try:
            owner = site_of_slug(site)
            undone = Bundle.objects.filter(pk=bundle).select_related("site").first()
            if undone is None:
                raise UndoRefused("undo_bundle_unknown", bundle=bundle)
            made = undo_bundle(
                undone, site=owner, origin=SyncRun.Origin.SHELL, asks=chosen["simulate"], in_background=False
            )
        except CodedError as error:
            raise CommandError(text_of(error.code, error.params), returncode=EXIT_OTHER) from None
        self.run_bundle_and_report(made, simulate=chosen["simulate"], as_json=chosen["json"])
