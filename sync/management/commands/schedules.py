"""List the schedules of a site, make, change or delete one, switch one on or off, or start one."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from datetime import time
from typing import Any

from django.core.management.base import CommandError

from sync.errors import CodedError
from sync.management.command import EXIT_OTHER, ToolSyncCommand, site_of_slug
from sync.management.sent_json import STANDARD_INPUT, checked, read_json
from sync.messages import text_of
from sync.models import MoodleSite, Schedule, SequenceRun
from sync.runs.plans import hold_beyond_limits, types_without_limits
from sync.schedules.services import (
    RecipientsChoice,
    ScheduleChoice,
    check_answered,
    delete_schedule,
    next_start,
    open_windows,
    save_schedule,
    start_now,
    switch_schedule,
)
from sync.schedules.titles import file_type_label

_MORNING, _AT_END = "morning", "end"
_HOLD, _LEAVE = "hold", "leave"


class Command(ToolSyncCommand):
    """manage.py schedules: one line for each schedule. Exit status: 0 done, 2 JSON that can't be read, 3 it can't be done so."""

    help = (
        "List schedules: number, name or file types, when, next start. Or switch one on or off, or start it: its files are then "
        "fetched and carried out by the workers, in the name of the operator; in a freeze window that waits for its end. Or "
        "make, change or delete one: what is chosen is read as JSON, with the fields that the API takes. Exit status: 0 done, "
        "2 the JSON can't be read, 3 it can't be done so. Switching one on asks who is told of it, as its page does, where no "
        "option says so and somebody is there to answer."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        self.add_site(parser)
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--on", type=int, metavar="NUMBER", help="switch on; it belongs to the operator from then on")
        what.add_argument("--off", type=int, metavar="NUMBER", help="switch off")
        what.add_argument("--start", type=int, metavar="NUMBER", help="start now")
        what.add_argument("--make", action="store_true", help="make one; it belongs to the operator")
        what.add_argument(
            "--change", type=int, metavar="NUMBER", help="change one; it belongs to the operator from then on"
        )
        what.add_argument("--delete", type=int, metavar="NUMBER", help="delete one; its runs are kept")
        what.add_argument("--sequence", type=int, metavar="NUMBER", help="say how far a start is, and its runs")
        parser.add_argument(
            "--from", default=STANDARD_INPUT, metavar="FILE", dest="source",
            help="with --make and --change: JSON that says what is chosen (default: standard input)",
        )  # fmt: skip
        who = parser.add_argument_group("with --on").add_mutually_exclusive_group()
        who.add_argument("--tell", action="append", metavar="ADDRESS", help="who is told of it, by mail; repeatable")
        who.add_argument("--tell-nobody", action="store_true", help="nobody is told; the overview shows how it does")
        more = parser.add_argument_group("with --tell, and with --on")
        more.add_argument(
            "--digest", metavar="WHEN",
            help=f"when the digest comes: {_MORNING} (when each reader has chosen), {_AT_END} (of each start), or HH:MM",
        )  # fmt: skip
        more.add_argument("--attach-report", action="store_true", help="attach the reports to the digest")
        more.add_argument(
            "--limits", choices=(_HOLD, _LEAVE),
            help="of file types without limits: hold what is beyond the usual ones, or carry everything out",
        )  # fmt: skip
        more.add_argument(
            "--no-input", "--noinput", action="store_false", dest="interactive", help="for scripts: ask nothing"
        )  # fmt: skip
        self.add_json(parser)

    def handle(self, *, site: str, on: int | None, off: int | None, start: int | None, **chosen: Any) -> None:
        owner = site_of_slug(site)
        self._refuse_without_on(on, chosen)
        if chosen["sequence"] is not None:
            self._show_start(_start(owner, chosen["sequence"]), as_json=chosen["json"])
            return
        try:
            if chosen["make"] or chosen["change"] is not None:
                schedule = None if chosen["make"] else _schedule(owner, chosen["change"])
                choice, recipients = _choice(chosen["source"], schedule)
                saved = save_schedule(owner, choice, schedule, recipients=recipients)
                self.stderr.write(f"Schedule {saved.pk} was {'made' if schedule is None else 'changed'}.")
            if chosen["delete"] is not None:
                delete_schedule(_schedule(owner, chosen["delete"]))
            if on is not None:
                self._switch_on(_schedule(owner, on), chosen)
            if off is not None:
                switch_schedule(_schedule(owner, off), on=False)
            if start is not None:
                sequence = start_now(_schedule(owner, start), None)
                self.stderr.write(f"Schedule {start} was started (sequence run {sequence.pk}).")
        except CodedError as error:
            raise CommandError(text_of(error.code, error.params), returncode=EXIT_OTHER) from None
        listed = [_facts(schedule, owner) for schedule in Schedule.objects.filter(site=owner)]
        if chosen["json"]:
            self.print_json(listed)
            return
        for facts in listed:
            when = facts["next_start"] or "off"
            names = facts["name"] or ", ".join(facts["types"])
            self.stdout.write(f"{facts['schedule']}\t{names}\t{facts['kind']}\t{when}")

    def _refuse_without_on(self, on: int | None, chosen: Mapping[str, Any]) -> None:
        names = ("tell", "tell_nobody", "digest", "attach_report", "limits")
        given = [f"--{name.replace('_', '-')}" for name in names if chosen[name]]
        if on is None and given:
            raise CommandError(f"{', '.join(given)}: only with --on NUMBER.", returncode=EXIT_OTHER)
        if given and set(given).issubset(("--digest", "--attach-report")) and on is not None and not _recipients_of(on):
            raise CommandError(f"{', '.join(given)}: only with --tell ADDRESS.", returncode=EXIT_OTHER)

    def _switch_on(self, schedule: Schedule, chosen: Mapping[str, Any]) -> None:
        """Switch on, once it is known who is told, and say who that is. Raises: CodedError"""
        asks = chosen["interactive"] and sys.stdin.isatty()
        recipients = _recipients(schedule, chosen)
        unlimited = types_without_limits(schedule.site, schedule.processors)
        limits = chosen["limits"]
        if asks and recipients is None and not schedule.enabled:
            recipients = self._ask_for_recipients(schedule)
        if asks and unlimited and limits is None and not schedule.enabled:
            limits = self._ask_for_limits(unlimited)
        try:
            check_answered(schedule, recipients)
        except CodedError as error:
            said = f"{text_of(error.code, error.params)} (--tell ADDRESS, --tell-nobody)"
            raise CommandError(said, returncode=EXIT_OTHER) from None
        switch_schedule(schedule, on=True, recipients=recipients)
        if limits == _HOLD:
            hold_beyond_limits(schedule.site, unlimited)
            unlimited = []
        self.stderr.write(f"Schedule {schedule.pk} is on. {_recipients_text(schedule)}")
        if unlimited:
            labels = ", ".join(map(file_type_label, unlimited))
            self.stderr.write(f"Nothing is ever held of: {labels} (--limits {_HOLD} changes that).")

    def _ask_for_recipients(self, schedule: Schedule) -> RecipientsChoice:
        """Ask who is told; Enter alone keeps who is told so far, or says that nobody is."""
        current = ", ".join(schedule.recipients) or "nobody"
        recipients = (
            _addresses([input(f"Who is told of it, by mail? Addresses, or nobody [{current}]: ")])
            or schedule.recipients
        )
        if not recipients or [address.casefold() for address in recipients] == ["nobody"]:
            return RecipientsChoice()
        when = input(f"When does the digest come: {_MORNING}, {_AT_END} (of each start), or HH:MM? [{_MORNING}]: ")
        attached = input("Attach the reports, which name users and courses? y/N: ")
        return _recipients_choice(
            recipients, when.strip() or _MORNING, attach_report=attached.strip().casefold() in ("y", "yes")
        )

    def _ask_for_limits(self, unlimited: Sequence[str]) -> str:
        labels = ", ".join(map(file_type_label, unlimited))
        self.stderr.write(f"Nothing is ever held of: {labels}.")
        answer = input("Hold what is beyond the usual limits, until somebody approves it? Y/n: ")
        return _LEAVE if answer.strip().casefold() in ("n", "no") else _HOLD

    def _show_start(self, start: SequenceRun, *, as_json: bool) -> None:
        runs = list(start.runs.order_by("pk").values_list("pk", flat=True))
        facts = {
            "sequence": start.pk, "name": start.name, "types": start.processors, "state": start.state, "runs": runs,
        }  # fmt: skip
        if as_json:
            self.print_json(facts)
            return
        self.stdout.write(f"{start.pk}\t{start.name}\t{start.state}\t{', '.join(map(str, runs))}")


def _choice(name: str, schedule: Schedule | None) -> tuple[ScheduleChoice, RecipientsChoice | None]:
    """Return what is chosen for a schedule, and who is to be told of it. Raises: CommandError

    Shape: schedule: None = a new one
    """
    from sync.api.schedules import ScheduleChoiceSerializer, recipients_choice, schedule_choice

    sent = checked(ScheduleChoiceSerializer, read_json(name))
    return schedule_choice(sent, schedule), recipients_choice(sent.get("notifications"))


def _start(site: MoodleSite, number: int) -> SequenceRun:
    found = SequenceRun.objects.filter(site=site, pk=number).first()
    if found is None:
        raise CommandError(
            f"There is no start {number} of a schedule of the site “{site.slug}”.", returncode=EXIT_OTHER
        )
    return found


def _recipients(schedule: Schedule, chosen: Mapping[str, Any]) -> RecipientsChoice | None:
    """Return what the options say of who is told; None where they say nothing."""
    if chosen["tell_nobody"]:
        return RecipientsChoice()
    if chosen["tell"]:
        return _recipients_choice(
            _addresses(chosen["tell"]), chosen["digest"] or _MORNING, attach_report=chosen["attach_report"]
        )
    if chosen["digest"] or chosen["attach_report"]:
        attached = chosen["attach_report"] or schedule.attach_report
        return _recipients_choice(schedule.recipients, chosen["digest"] or _digest_of(schedule), attach_report=attached)
    return None


def _recipients_choice(recipients: Sequence[str], when: str, *, attach_report: bool) -> RecipientsChoice:
    """Raises: CommandError"""
    if when in (_MORNING, _AT_END):
        return RecipientsChoice(recipients, attach_report=attach_report, digest_at_end=when == _AT_END)
    try:
        at = time.fromisoformat(when)
    except ValueError:
        said = f"“{when}” says no time for the digest: {_MORNING}, {_AT_END}, or HH:MM."
        raise CommandError(said, returncode=EXIT_OTHER) from None
    return RecipientsChoice(
        recipients, attach_report=attach_report, digest_at=at.replace(second=0, microsecond=0, tzinfo=None)
    )


def _addresses(texts: Sequence[str]) -> list[str]:
    return [address for text in texts for address in text.replace(",", " ").replace(";", " ").split()]


def _recipients_of(number: int) -> list[str]:
    return next(iter(Schedule.objects.filter(pk=number).values_list("recipients", flat=True)), [])


def _digest_of(schedule: Schedule) -> str:
    if schedule.digest_at_end:
        return _AT_END
    return f"{schedule.digest_at:%H:%M}" if schedule.digest_at else _MORNING


def _recipients_text(schedule: Schedule) -> str:
    if not schedule.recipients:
        return "Nobody is told of it."
    when = {_MORNING: "each morning", _AT_END: "as soon as a start is over"}
    digest = _digest_of(schedule)
    with_reports = ", with the reports" if schedule.attach_report else ""
    return f"Told: {', '.join(schedule.recipients)}. The digest comes {when.get(digest, f'at {digest}')}{with_reports}."


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
        "recipients": schedule.recipients,
        "digest": _digest_of(schedule) if schedule.recipients else None,
        "attach_report": schedule.attach_report,
    }
