"""What the person of a token may reach on the site of the token; what they may not is a 404, as on the pages."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import Http404
from django.shortcuts import get_object_or_404

from sync.errors import ApiRefused
from sync.models import Bundle, CommandFile, MoodleSite, Schedule, SyncRun
from sync.people.rights import may
from sync.processors.base.processor import Processor
from sync.runs.rights import MANAGE_FILES, Responsible, may_replace, owner_of
from sync.runs.selectors import processors_for, readable_files, visible_processors, visible_runs

MANAGE_SCHEDULES = "sync.manage_schedules"
MANAGE_ALL_SCHEDULES = "sync.manage_all_schedules"


def visible_type_or_404(user: Any, site: MoodleSite, key: str) -> type[Processor]:
    """Return a file type whose runs somebody may look at. Raises: Http404"""
    return _named(visible_processors(user, site), key)


def usable_type_or_404(user: Any, site: MoodleSite, key: str, permission: str = "") -> type[Processor]:
    """Return a file type that somebody may use. Shape: permission: that they need as well. Raises: Http404"""
    return _named(processors_for(user, permission, site=site), key)


def reachable_files(user: Any, site: MoodleSite) -> QuerySet[CommandFile]:
    """Return the files that somebody may have: those of the area for who manages files, and their own."""
    files = readable_files(user, site).select_related("site", "uploaded_by")
    return files if may(user, MANAGE_FILES, site) else files.filter(uploaded_by=user)


def usable_file_or_404(user: Any, site: MoodleSite, file_id: int, key: str) -> CommandFile:
    """Return a file that somebody may take for a file type. Raises: Http404"""
    files = readable_files(user, site).select_related("site")
    if not may(user, MANAGE_FILES, site):
        files = files.filter(Q(processor=key) | Q(uploaded_by=user))
    return get_object_or_404(files, pk=file_id)


def own_file_or_404(user: Any, site: MoodleSite, file_id: int) -> CommandFile:
    """Return a file that somebody may delete. Raises: Http404; ApiRefused if it is another's"""
    file = get_object_or_404(reachable_files(user, site), pk=file_id)
    if not may_replace(Responsible.of(user), file):
        raise ApiRefused("permission_missing")
    return file


def visible_run_or_404(user: Any, site: MoodleSite, run_id: int) -> SyncRun:
    """Return a run that somebody may look at. Raises: Http404"""
    return get_object_or_404(visible_runs(user, site), pk=run_id)


def usable_run_or_404(user: Any, site: MoodleSite, run_id: int) -> SyncRun:
    """Return a run of a file type that somebody may use, to do something with it. Raises: Http404"""
    keys = [processor.key for processor in processors_for(user, site=site)]
    return get_object_or_404(visible_runs(user, site), pk=run_id, processor__in=keys)


def governed_run_or_404(user: Any, site: MoodleSite, run_id: int) -> SyncRun:
    """Return the same to stop it or take it up: with a file of a bundle go the others, so that all types are asked."""
    run = usable_run_or_404(user, site, run_id)
    if run.bundle is not None:
        usable = {processor.key for processor in processors_for(user, site=site)}
        if not usable.issuperset(run.bundle.processors):
            raise Http404
    return run


def visible_bundles(user: Any, site: MoodleSite) -> QuerySet[Bundle]:
    """Return the bundles of which somebody may use every file type; before these are known, one's own."""
    usable = [processor.key for processor in processors_for(user, site=site)]
    bundles = Bundle.objects.filter(site=site).select_related("site", "requested_by")
    files = SyncRun.objects.filter(bundle=OuterRef("pk"))
    own = Q(requested_by=user) & ~Q(state=Bundle.State.PLANNED)
    return bundles.filter(own | (Exists(files) & ~Exists(files.exclude(processor__in=usable))))


def bundle_or_404(user: Any, site: MoodleSite, bundle_id: int) -> Bundle:
    """Return a bundle of which somebody may use every file type. Raises: Http404"""
    return get_object_or_404(visible_bundles(user, site), pk=bundle_id)


def visible_schedules(user: Any, site: MoodleSite) -> list[Schedule]:
    """Return the schedules of which somebody may use, and set schedules of, every file type. Queries: one"""
    usable = {processor.key for processor in processors_for(user, MANAGE_SCHEDULES, site=site)}
    schedules = Schedule.objects.filter(site=site).select_related("site", "owner")
    return [schedule for schedule in schedules if usable.issuperset(schedule.processors)]


def schedule_or_404(user: Any, site: MoodleSite, schedule_id: int) -> Schedule:
    """Return a schedule that somebody may see. Raises: Http404"""
    for schedule in visible_schedules(user, site):
        if schedule.pk == schedule_id:
            return schedule
    raise Http404


def own_schedule_or_404(user: Any, site: MoodleSite, schedule_id: int) -> Schedule:
    """Return a schedule that somebody may change: one's own, and one that is shipped and off; managers all.

    Raises: Http404; ApiRefused if it is another's
    """
    schedule = schedule_or_404(user, site, schedule_id)
    owner = owner_of(schedule)
    is_free = owner.user == user or (owner.is_operator and not schedule.enabled)
    if not is_free and not may(user, MANAGE_ALL_SCHEDULES, site):
        raise ApiRefused("permission_missing")
    return schedule


def _named(processors: list[type[Processor]], key: str) -> type[Processor]:
    for processor in processors:
        if processor.key == key:
            return processor
    raise Http404
