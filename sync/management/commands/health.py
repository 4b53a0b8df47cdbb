"""Say how everything is that ToolSync needs."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from sync.health.records import Level
from sync.health.selectors import PartState, states, states_of, worst_level
from sync.management.command import ToolSyncCommand, site_of_slug

_EXIT_DEAD = 1


class Command(ToolSyncCommand):
    """manage.py health. Exit status: 0 well, or with warnings; 1 something is dead; 3 there is no such site."""

    help = (
        "Say how workers, databases, storage, mail and Moodle are, as the last look at each found it, and what to do. Exit "
        "status: 0 well, or with warnings; 1 something is dead; 3 there is no such site."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--site", default="", metavar="SLUG", help="what this site needs only (default: everything)"
        )
        self.add_json(parser)

    def handle(self, *, site: str, json: bool, **_chosen: Any) -> None:
        found = states_of(site_of_slug(site).slug) if site else states()
        worst = worst_level(found)
        if json:
            self.print_json({"level": worst, "parts": [_facts(state) for state in found]})
        else:
            for state in found:
                of_site = f" ({state.subject})" if state.subject else ""
                self.stdout.write(f"{state.level}\t{state.label}{of_site}\t{state.said}")
        if worst == Level.ERROR:
            sys.exit(_EXIT_DEAD)


def _facts(state: PartState) -> dict[str, Any]:
    return {
        "part": state.part.value,
        "site": state.subject,
        "label": state.label,
        "level": state.level,
        "code": state.code,
        "text": state.said,
        "since": state.since.isoformat() if state.since else None,
        "seen_at": state.seen_at.isoformat() if state.seen_at else None,
    }
