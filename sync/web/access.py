"""Who may see what. What a person may not use doesn't exist for them: it is left out of lists, and asked for it is a 404."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django_htmx.http import HttpResponseClientRefresh

from sync.models import Bundle, CommandFile, MoodleSite, Schedule, SequenceRun, SyncRun
from sync.people.rights import EVERY, may, may_set_something, page_site, permissions_given_directly
from sync.people.roles import (
    MANAGE_LIMITS,
    MANAGE_NOTIFICATIONS,
    MANAGE_PEOPLE,
    MANAGE_TOKENS,
    run_permission,
    see_permission,
)
from sync.processors.base.export import Exporter
from sync.processors.base.processor import Processor
from sync.processors.registry import REGISTRY
from sync.runs.exports import exportable_for, sampler_of, shows_people, types_naming_people
from sync.runs.rights import MANAGE_FILES, MANAGE_SOURCES, Responsible, may_replace, owner_of
from sync.runs.rights_audit import acting
from sync.runs.selectors import processors_for, readable_files, visible_processors, visible_runs

MANAGE_SCHEDULES = "sync.manage_schedules"
MANAGE_ALL_SCHEDULES = "sync.manage_all_schedules"
MANAGE_STICKY = "sync.manage_sticky"
VIEW_AUDIT = "sync.view_audit"
ERASE_AUDIT = "sync.erase_audit"
VIEW_PEOPLE = "sync.view_people"
MANAGE_SITES = "sync.manage_sites"

View = Callable[..., HttpResponseBase]


def acting_user(get_response: View) -> View:
    """Middleware: what a request changes of users, groups and permissions is changed by whoever is signed in."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        with acting(request.user):
            return get_response(request)

    return answer


def signed_in(view: View) -> View:
    """Ask for a login first. A fragment has the whole page loaded anew instead, so that no login form stands inside it."""
    guarded = login_required(view)

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.is_authenticated and request.headers.get("HX-Request"):
            return HttpResponseClientRefresh()
        return guarded(request, *args, **kwargs)

    return answer


def may_manage_files(view: View) -> View:
    """Let only those in who may hand in and delete command files."""
    return signed_in(permission_required(MANAGE_FILES, raise_exception=True)(view))


def may_manage_sources(view: View) -> View:
    """Let only those in who may set where files come from; of the file types they see those that they may use."""
    return signed_in(permission_required(MANAGE_SOURCES, raise_exception=True)(view))


def may_manage_schedules(view: View) -> View:
    """Let only those in who may set when file types run; they see the schedules whose file types they may all use."""
    return signed_in(permission_required(MANAGE_SCHEDULES, raise_exception=True)(view))


def may_manage_notifications(view: View) -> View:
    """Let only those in who may set who is told; of the file types they see those that they may use."""
    return signed_in(permission_required(MANAGE_NOTIFICATIONS, raise_exception=True)(view))


def may_manage_limits(view: View) -> View:
    """Let only those in who may set how much a file may change; of the file types they see those that they may use."""
    return signed_in(permission_required(MANAGE_LIMITS, raise_exception=True)(view))


def may_manage_sticky(view: View) -> View:
    """Let only those in who may set which columns files leave as they are; of the file types they see those that they may use."""
    return signed_in(permission_required(MANAGE_STICKY, raise_exception=True)(view))


def may_manage_people(view: View) -> View:
    """Let only those in who may invite people and give roles on the site."""
    return signed_in(permission_required(MANAGE_PEOPLE, raise_exception=True)(view))


def may_manage_tokens(view: View) -> View:
    """Let only those in who see all tokens of the site, and make machine users."""
    return signed_in(permission_required(MANAGE_TOKENS, raise_exception=True)(view))


def may_have_tokens(view: View) -> View:
    """Let only those in for whom there is anything here: a token lets its person do nothing else."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not has_any_access(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return signed_in(guarded)


def manages_sites(user: Any) -> bool:
    """Whether somebody may add sites and change their connections: no role of one site gives that."""
    return bool(user.is_active and (user.is_superuser or MANAGE_SITES in permissions_given_directly(user)))


def may_manage_sites(view: View) -> View:
    """Let only those in who may add sites and change their connections."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not manages_sites(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return signed_in(guarded)


def sees_settings(user: Any) -> bool:
    """Whether there is something of the whole site that somebody may set."""
    return may_set_something(user)


def may_see_settings(view: View) -> View:
    """Let only those in who may set something of the whole site."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not sees_settings(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return signed_in(guarded)


def may_see_audit(view: View) -> View:
    """Let only those in who may see who changed what; they see all of it, also of file types that they may not use."""
    return signed_in(permission_required(VIEW_AUDIT, raise_exception=True)(view))


def may_erase_audit(view: View) -> View:
    """Let only those in who may erase what the audit says of a person."""
    return signed_in(permission_required((VIEW_AUDIT, ERASE_AUDIT), raise_exception=True)(view))


def looks_into_moodle(user: Any) -> bool:
    """Whether somebody may look at what is in Moodle, people aside: who uses a file type, or may look at people."""
    return uses_any_file_type(user) or views_people(user)


def views_people(user: Any) -> bool:
    """Whether somebody may look at people in Moodle: with a role, for a file type whose files name people."""
    return any(may(user, VIEW_PEOPLE, processor=key) for key in types_naming_people())


def may_look_into_moodle(view: View) -> View:
    """Let only those in who may look at courses and at lists of what files can name."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not looks_into_moodle(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return signed_in(guarded)


def may_view_people(view: View) -> View:
    """Let only those in who may look at people in Moodle."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not views_people(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return signed_in(guarded)


def current_site() -> MoodleSite:
    """Return the site that the pages are about."""
    return get_object_or_404(MoodleSite, slug=page_site())


def has_any_access(user: Any) -> bool:
    """Whether there is anything here for this user."""
    return (
        looks_into_moodle(user)
        or any(may(user, see_permission(key)) for key in REGISTRY)
        or any(user.has_perm(permission) for permission in (MANAGE_FILES, VIEW_AUDIT, MANAGE_PEOPLE))
    )


def uses_any_file_type(user: Any) -> bool:
    """Whether there is a file type that the user may use."""
    return any(may(user, run_permission(key)) for key in REGISTRY)


def uses_every_file_type(user: Any) -> bool:
    """Whether the user may use every file type there is."""
    return len(processors_for(user)) == len(REGISTRY)


def every_file_type_or_404(user: Any, permission: str) -> None:
    """Refuse what concerns every file type to those who may not use them all, or have the permission for some only."""
    if not uses_every_file_type(user) or not may(user, permission, processor=EVERY):
        raise Http404


def processor_or_404(user: Any, key: str, permission: str = "") -> type[Processor]:
    """Return a file type that the user may use. Shape: permission: which they must have for it as well"""
    for processor in processors_for(user, permission):
        if processor.key == key:
            return processor
    raise Http404


def exported_or_404(user: Any, key: str) -> type[Processor]:
    """Return a file type to be exported. Raises: PermissionDenied to those who may use it, but not look at people"""
    processor = processor_or_404(user, key)
    if processor.exporter is None:
        raise Http404
    if processor not in exportable_for(user):
        raise PermissionDenied
    return processor


def sampler_or_none(user: Any, processor: type[Processor]) -> type[Exporter[Any]] | None:
    """Return what makes a sample of what is in Moodle, if there is one that somebody may see."""
    sampler = sampler_of(processor)
    return None if shows_people(sampler) and not may(user, VIEW_PEOPLE, processor=processor.key) else sampler


def run_or_404(user: Any, run_id: int) -> SyncRun:
    """Return a run of a file type that the user may use, to do something with it."""
    usable = [processor.key for processor in processors_for(user)]
    return get_object_or_404(visible_runs(user, current_site()), pk=run_id, processor__in=usable)


def visible_run_or_404(user: Any, run_id: int) -> SyncRun:
    """Return a run that the user may look at."""
    return get_object_or_404(visible_runs(user, current_site()), pk=run_id)


def visible_schedules(user: Any) -> list[Schedule]:
    """Return the schedules of which the user may use, and set schedules of, every file type."""
    usable = {processor.key for processor in processors_for(user, MANAGE_SCHEDULES)}
    schedules = Schedule.objects.filter(site=current_site()).select_related("site", "owner")
    return [schedule for schedule in schedules if usable.issuperset(schedule.processors)]


def schedule_or_404(user: Any, schedule_id: int) -> Schedule:
    """Return a schedule of which the user may use every file type."""
    for schedule in visible_schedules(user):
        if schedule.pk == schedule_id:
            return schedule
    raise Http404


def may_change_schedule(user: Any, schedule: Schedule) -> bool:
    """Whether somebody may change, switch or delete a schedule: one's own, and those that are shipped and off; managers all."""
    if user.has_perm(MANAGE_ALL_SCHEDULES) or schedule.pk is None:
        return True
    owner = owner_of(schedule)
    return owner.user == user or (owner.is_operator and not schedule.enabled)


def own_schedule_or_404(user: Any, schedule_id: int) -> Schedule:
    """Return a schedule of which the user may use every file type, to change it. Raises: PermissionDenied if it is another's"""
    schedule = schedule_or_404(user, schedule_id)
    if not may_change_schedule(user, schedule):
        raise PermissionDenied
    return schedule


def may_manage_all_schedules(view: View) -> View:
    """Let only those in who may freeze the whole site."""
    return signed_in(permission_required((MANAGE_SCHEDULES, MANAGE_ALL_SCHEDULES), raise_exception=True)(view))


def visible_bundles(user: Any) -> list[Bundle]:
    """Return the bundles of which the user may use every file type, the last ones first. Queries: one"""
    usable = {processor.key for processor in processors_for(user)}
    bundles = Bundle.objects.filter(site=current_site()).select_related("requested_by")
    return [bundle for bundle in bundles[:200] if _sees_bundle(user, bundle, usable)]


def bundle_or_404(user: Any, bundle_id: int) -> Bundle:
    """Return a bundle of which the user may use every file type; before these are known, one's own."""
    bundle = get_object_or_404(Bundle.objects.select_related("requested_by"), site=current_site(), pk=bundle_id)
    if _sees_bundle(user, bundle, {processor.key for processor in processors_for(user)}):
        return bundle
    raise Http404


def _sees_bundle(user: Any, bundle: Bundle, usable: set[str]) -> bool:
    if not bundle.has_runs:
        return bool(bundle.requested_by_id == user.pk)
    # One that a schedule has begun to collect has no file yet.
    return bool(bundle.processors) and usable.issuperset(bundle.processors)


def governed_run_or_404(user: Any, run_id: int) -> SyncRun:
    """Return a run that the user may stop and take up; with a file of a bundle go the others, so all their types are asked."""
    run = run_or_404(user, run_id)
    if run.bundle_id is not None:
        bundle_or_404(user, run.bundle_id)
    return run


def sequence_or_404(user: Any, sequence_id: int, *, every_file_type: bool = False) -> SequenceRun:
    """Return a sequence run of which the user may look at a file type, or use every one."""
    sequences = SequenceRun.objects.select_related("site", "schedule", "requested_by")
    sequence = get_object_or_404(sequences, site=current_site(), pk=sequence_id)
    known = {processor.key for processor in (processors_for if every_file_type else visible_processors)(user)}
    if known.issuperset(sequence.processors) if every_file_type else known.intersection(sequence.processors):
        return sequence
    raise Http404


def may_import(view: View) -> View:
    """Let only those in who may use a file type; for others there is nothing to import."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not processors_for(request.user):
            raise Http404
        return view(request, *args, **kwargs)

    return signed_in(guarded)


def importable_file_or_404(user: Any, file_id: int) -> tuple[CommandFile, list[type[Processor]]]:
    """Return a file that the user may take for a file type, and the types that it may be taken for."""
    site = current_site()
    file = get_object_or_404(readable_files(user, site).select_related("site"), pk=file_id)
    is_free = user.has_perm(MANAGE_FILES) or file.uploaded_by_id == user.pk
    processors = [processor for processor in processors_for(user) if is_free or processor.key == file.processor]
    if not processors:
        raise Http404
    return file, processors


def file_to_delete_or_404(user: Any, file_id: int) -> CommandFile:
    """Return a file that the user may delete. Raises: PermissionDenied"""
    file = get_object_or_404(CommandFile.objects.select_related("site"), site=current_site(), pk=file_id)
    if not may_replace(Responsible.of(user), file):
        raise PermissionDenied
    return file


def usable_files(user: Any, site: MoodleSite, processor: str) -> QuerySet[CommandFile]:
    """Return the files that the user may take for a file type: of those whose content they may have, all for people who manage
    files, for others those of this file type and their own.
    """
    files = readable_files(user, site)
    if user.has_perm(MANAGE_FILES):
        return files
    return files.filter(Q(processor=processor) | Q(uploaded_by=user))
