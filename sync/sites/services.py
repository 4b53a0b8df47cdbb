"""What can be done with sites: set one up, change its connection, take it out of use and put it in use again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.text import slugify
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from sync.audit.services import record, record_saved
from sync.errors import CodedError, MoodleError, SiteRefused, SiteUnusable
from sync.grace.services import today
from sync.models import AuditKind, GraceEntry, MoodleSite, Schedule, SequenceRun, SequenceState, SyncRun
from sync.models.run import CLAIMED_STATES, OVER_STATES, RunState
from sync.models.site import MAIN_SITE
from sync.moodle.db.database import MoodleConnection
from sync.moodle.integrity.connection_check import ConnectionFinding, ConnectionLevel, check_connection
from sync.runs.connections import connection_of, moodle_at, sealed
from sync.runs.rights import Responsible
from sync.runs.services import cancel_run
from sync.schedules.sequences import cancel_sequence
from sync.schedules.services import make_shipped_schedules, timing_of
from sync.sites.connection_choice import ConnectionChoice, choice_of, connection_from, place_of
from sync.values import Change

# Stand in addresses of pages where the short name of a site could stand.
RESERVED_NAMES = frozenset(("new", MAIN_SITE))
_SECRET = ("password", "peppers")


class CheckedMoodle(NamedTuple):
    """A Moodle that was looked at. Shape: identity: as of MoodleSite; findings: without errors"""

    connection: MoodleConnection
    identity: str
    findings: Sequence[ConnectionFinding]


def add_site(
    slug: str, name: str, choice: ConnectionChoice, *, by: Responsible, is_copy: bool = False
) -> tuple[MoodleSite, Sequence[ConnectionFinding]]:
    """Set up a site whose Moodle was looked at and can be used; return it with what was found.

    Shape: is_copy: that another site has the same Moodle, by what it calls itself, is meant: it is a copy
    Raises: SiteRefused, SiteUnusable, MoodleError
    """
    if slug != slugify(slug) or not slug or slug in RESERVED_NAMES or MoodleSite.objects.filter(slug=slug).exists():
        raise SiteRefused("site_name_taken", name=slug)
    checked = check_choice(choice, None)
    _check_others(None, checked, is_copy=is_copy)
    try:
        with transaction.atomic():
            site = MoodleSite.objects.create(slug=slug, name=name, **_stored(checked, choice))
            make_shipped_schedules(site, "default")
            record_saved(
                site, AuditKind.SITE, by, slug, before=None, after=_audited(name, choice, checked), secret=_SECRET
            )
    except IntegrityError:
        raise SiteRefused("site_name_taken", name=slug) from None
    return site, checked.findings


def change_site(
    site: MoodleSite, name: str, choice: ConnectionChoice, *, by: Responsible, is_copy: bool = False
) -> Sequence[ConnectionFinding]:
    """Change a site, whose Moodle is looked at first; return what was found. It stays the same Moodle.

    Raises: SiteRefused, SiteUnusable, MoodleError
    """
    kept = _kept(site)
    checked = check_choice(choice, kept)
    if site.identity and checked.identity and site.identity != checked.identity:
        raise SiteRefused("site_is_another_moodle")
    _check_others(site, checked, is_copy=is_copy)
    before = _before(site, kept)
    with transaction.atomic():
        MoodleSite.objects.filter(pk=site.pk).update(name=name, **_stored(checked, choice))
        after = _audited(name, choice, checked)
        record_saved(site, AuditKind.SITE, by, site.slug, before=before, after=after, secret=_SECRET)
    site.refresh_from_db()
    return checked.findings


def rename_site(site: MoodleSite, name: str, *, by: Responsible) -> None:
    """Rename a site."""
    with transaction.atomic():
        record_saved(site, AuditKind.SITE, by, site.slug, before={"name": site.name}, after={"name": name})
        MoodleSite.objects.filter(pk=site.pk).update(name=name)
    site.name = name


def check_choice(choice: ConnectionChoice, kept: MoodleConnection | None) -> CheckedMoodle:
    """Look at the Moodle that a choice leads to.

    Raises: SiteUnusable if no file can be carried out there; SiteRefused, MoodleError
    """
    connection = connection_from(choice, kept)
    moodle = moodle_at(connection)
    try:
        findings = check_connection(moodle)
        if any(finding.level is ConnectionLevel.ERROR for finding in findings):
            raise SiteUnusable(findings)
        with moodle.session() as session:
            identifier = session.config.get("siteidentifier", "")
    finally:
        moodle.dispose()
    return CheckedMoodle(connection, hashlib.sha256(identifier.encode()).hexdigest() if identifier else "", findings)


def take_out_of_use(site: MoodleSite, *, by: Responsible) -> int:
    """Let nothing start on a site any more; what waits is cancelled. Returns how many runs were. Raises: SiteRefused"""
    if site.slug == MAIN_SITE:
        raise SiteRefused("site_main_stays")
    with transaction.atomic():
        MoodleSite.objects.select_for_update().get(pk=site.pk)
        # One that was put back has begun as well.
        has_begun = Q(state__in=CLAIMED_STATES) | Q(state=RunState.QUEUED, last_line__gt=0, simulate=False)
        if (busy := SyncRun.objects.filter(has_begun, site=site).first()) is not None:
            raise SiteRefused("site_busy", run=busy.pk)
        if not MoodleSite.objects.filter(pk=site.pk, in_use=True).update(in_use=False):
            return 0
        for sequence in SequenceRun.objects.filter(site=site, state=SequenceState.RUNNING):
            cancel_sequence(sequence)
        # What is paused has begun: its rows are taken up when the site is in use again, or never.
        waiting = SyncRun.objects.filter(site=site).exclude(state__in=(*OVER_STATES, RunState.PAUSED))
        runs = list(waiting.order_by("-pk"))
        for run in runs:
            cancel_run(run)
        record(site, AuditKind.SITE, by, site.slug, [Change("in_use", "1", "0")])
    site.in_use = False
    return len(runs)


def put_in_use(site: MoodleSite, *, by: Responsible) -> None:
    """Let things start on a site again: feeds at their next time; deletions that were due meanwhile wait for a person."""
    with transaction.atomic():
        if MoodleSite.objects.filter(pk=site.pk, in_use=False).update(in_use=True):
            _leave_out_what_passed(site)
            record(site, AuditKind.SITE, by, site.slug, [Change("in_use", "0", "1")])
    site.in_use = True


def _leave_out_what_passed(site: MoodleSite) -> None:
    """Start nothing at once that was due while the site was out of use."""
    now = timezone.now()
    for schedule in Schedule.objects.filter(site=site, enabled=True, next_at__lte=now):
        Schedule.objects.filter(pk=schedule.pk).update(next_at=timing_of(schedule).next_after(now))
    waiting = GraceEntry.objects.filter(site=site, closed=0, state=GraceEntry.State.WAITING, day__lte=today())
    waiting.update(state=GraceEntry.State.HELD)


def _kept(site: MoodleSite) -> MoodleConnection | None:
    """Return the connection of before, None where it can't be read any more."""
    try:
        return connection_of(site)
    except MoodleError:
        return None


def _stored(checked: CheckedMoodle, choice: ConnectionChoice) -> dict[str, Any]:
    return {"connection": sealed(checked.connection, choice.command), "identity": checked.identity}


def _check_others(site: MoodleSite | None, checked: CheckedMoodle, *, is_copy: bool) -> None:
    """Raises: SiteRefused if another site feeds the same database: two runs would write into it at a time"""
    place = place_of(checked.connection)
    for other in MoodleSite.objects.exclude(pk=site.pk if site else 0):
        try:
            is_same_place = place_of(connection_of(other)) == place
        except (CodedError, ArgumentError):
            # Not to be reached, or the site of the environment without an address.
            continue
        if is_same_place:
            raise SiteRefused("site_same_database", site=other.name)
        is_same_moodle = checked.identity and checked.identity == (other.identity or _identity_of_main(other))
        if is_same_moodle and not is_copy:
            raise SiteRefused("site_same_moodle", site=other.name)


def _identity_of_main(site: MoodleSite) -> str:
    """Return what the Moodle of the environment calls itself, "" where it doesn't answer. It may be another one any time."""
    if site.slug != MAIN_SITE:
        return ""
    try:
        moodle = moodle_at(connection_of(site))
        try:
            with moodle.session() as session:
                identifier = session.config.get("siteidentifier", "")
        finally:
            moodle.dispose()
    except MoodleError:
        return ""
    return hashlib.sha256(identifier.encode()).hexdigest() if identifier else ""


def _before(site: MoodleSite, kept: MoodleConnection | None) -> dict[str, Any]:
    """Return what the audit compares with."""
    if kept is None:
        return {"name": site.name}
    choice = choice_of(site)
    return _audited(site.name, choice, CheckedMoodle(kept, site.identity, ()))


def _audited(name: str, choice: ConnectionChoice, checked: CheckedMoodle) -> dict[str, Any]:
    """Return what the audit compares, the secrets too: these are never written into it."""
    secrets = {"password": make_url(checked.connection.url).password or "", "peppers": checked.connection.peppers}
    shown = {key: value for key, value in asdict(choice).items() if key not in _SECRET}
    return {"name": name, **shown, **secrets}
