"""List the schedules of a site, switch one on or off, or start one."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from sync.errors import ScheduleError
from sync.management.command import EXIT_OTHER, ToolSyncCommand, site_of_slug
from sync.messages import text_of
from sync.models import MoodleSite, Schedule
from sync.schedules.services import next_start, open_windows, start_now, switch_schedule


class Command(ToolSyncCommand):
    """manage.py schedules: one line for each schedule."""

    help = (
        "List schedules: number, name or file types, when, next start. Or switch one on or off, or start it: its files are then "
        "fetched and carried out by the workers, in the name of the operator; in a freeze window that waits for its end."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        self.add_site(parser)
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--on", type=int, metavar="NUMBER", help="switch on; it belongs to the operator from then on")
        what.add_argument("--off", type=int, metavar="NUMBER", help="switch off")
        what.add_argument("--start", type=int, metavar="NUMBER", help="start now")
        self.add_json(parser)

    def handle(self, *, site: str, on: int | None, off: int | None, start: int | None, **chosen: Any) -> None:
        owner = site_of_slug(site)
        try:
            if on is not None:
                switch_schedule(_schedule(owner, on), on=True)
            if off is not None:
                switch_schedule(_schedule(owner, off), on=False)
            if start is not None:
                sequence = start_now(_schedule(owner, start), None)
                self.stderr.write(f"Schedule {start} was started (sequence run {sequence.pk}).")
        except ScheduleError as error:
            raise CommandError(text_of(error.code, error.params), returncode=EXIT_OTHER) from None
        listed = [_facts(schedule, owner) for schedule in Schedule.objects.filter(site=owner)]
        if chosen["json"]:
            self.print_json(listed)
            return
        for facts in listed:
            when = facts["next_start"] or "off"
            names = facts["name"] or ", ".join(facts["types"])
            self.stdout.write(f"{facts['schedule']}\t{names}\t{facts['kind']}\t{when}")


def _schedule(site: MoodleSite, number: int) -> Schedule:
    found = Schedule.objects.select_related("site").filter(site=site, pk=number).first()
    if found is None:
        raise CommandError(f"There is no schedule {number} of the site “{site.slug}”.", returncode=EXIT_OTHER)
    return found


def _facts(schedule: Schedule, site: MoodleSite) -> dict[str, Any]:
    following = next_start(schedule, open_windows(site))
    return {
        "schedule": schedule.pk,
        "name": schedule.name,
        "types": schedule.processors,
        "kind": schedule.kind,
        "every_seconds": schedule.every_seconds if schedule.kind == Schedule.Kind.EVERY else None,
        "at": f"{schedule.at:%H:%M}" if schedule.at else None,
        "crontab": schedule.crontab,
        "on": schedule.enabled,
        "next_start": following.isoformat() if following else None,
        "owner": schedule.owner_name,
    }
