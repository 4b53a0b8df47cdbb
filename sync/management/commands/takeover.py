"""`manage.py takeover`: show what the plugin tool_sync has left in a Moodle and what would become of it, and set it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from sync.errors import CodedError
from sync.messages import text_of
from sync.models import MoodleSite
from sync.models.site import MAIN_SITE
from sync.runs.connections import moodle_of
from sync.takeover.findings import Fate, TakenItem, counts_of
from sync.takeover.services import Takeover, apply_takeover, find_takeover

_MARKS = {Fate.SET: "set     ", Fate.SAME: "same    ", Fate.KEPT: "kept    ", Fate.LEFT: "left    "}
EXIT_FAILED = 1


class Command(BaseCommand):
    """manage.py takeover. Exit status: 0 shown or set; 1 Moodle can't be read, or something couldn't be set"""

    help = (
        "Show what the plugin tool_sync has left in a Moodle (settings, places of files, stored files, scheduled tasks) and what "
        "would become of it here: set, the same already, kept as it was set here, or left, with the reason. --apply sets it. "
        "Moodle is only read. It can be made again and again."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--site", default=MAIN_SITE, metavar="SLUG", help="the Moodle site (default: %(default)s)")
        parser.add_argument("--apply", action="store_true", help="set it; without this nothing is changed")
        parser.add_argument(
            "--feeds-on", action="store_true",
            help="switch on the feeds whose task is on in Moodle; switch that one off first, or both feed everything",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", help="print one object as the last line, for scripts")

    def handle(self, *, site: str, apply: bool, feeds_on: bool, **options: Any) -> None:
        owner = MoodleSite.objects.filter(slug=site).first()
        if owner is None:
            raise CommandError(f"There is no site “{site}”.", returncode=EXIT_FAILED)
        try:
            moodle = moodle_of(owner)
            try:
                found = find_takeover(owner, moodle, with_feeds_on=feeds_on)
                if apply:
                    apply_takeover(owner, found, moodle)
            finally:
                moodle.dispose()
        except CodedError as error:
            raise CommandError(text_of(error.code, error.params), returncode=EXIT_FAILED) from None
        for line in _lines(found.items):
            self.stdout.write(line)
        self.stdout.write(_sum(found, is_applied=apply))
        if options["json"]:
            self.stdout.write(json.dumps(_summary(found, is_applied=apply)))


def _lines(items: Sequence[TakenItem]) -> list[str]:
    """Return a line for each thing; what is the same for several file types stands on one."""
    subjects: dict[tuple[Fate, str, str, str, str], list[str]] = {}
    for item in items:
        alike = (item.fate, item.part.value, item.name, item.value, item.said)
        subjects.setdefault(alike, []).append("" if item.subject == item.name else item.subject)
    lines = []
    for (fate, part, name, value, said), of in subjects.items():
        named = ", ".join(filter(None, of))
        what = f"{part}: {name}" + (f" = {value}" if value else "") + (f" ({named})" if named else "")
        lines.append(f"{_MARKS[fate]}{what}" + (f": {said}" if said else ""))
    return lines


def _sum(found: Takeover, *, is_applied: bool) -> str:
    if found.is_empty:
        return "The plugin tool_sync has left nothing in this Moodle."
    counts = counts_of(found.items)
    verb = "set" if is_applied else "would be set (--apply)"
    return (
        f"{counts['set']} {verb}, {counts['same']} the same, {counts['kept']} kept as set here, {counts['left']} left."
    )


def _summary(found: Takeover, *, is_applied: bool) -> dict[str, Any]:
    items = [
        {
            "part": item.part.value, "state": item.fate.value, "name": item.name, "subject": item.subject,
            "value": item.value, "code": item.code, "text": item.said,
        }
        for item in found.items
    ]  # fmt: skip
    return {"applied": is_applied, "counts": counts_of(found.items), "items": items}
