"""One file for several sites: a plan that was made on one is made on others too, each with a run and a report of its own."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from sync.commandfiles import storage
from sync.commandfiles.intake import delete_file
from sync.errors import CommandFileError, PlanRefused, SiteRefused, UndoRefused
from sync.messages import text_of
from sync.models import CommandFile, MoodleSite, SyncRun
from sync.people.rights import may
from sync.people.roles import run_permission, see_permission
from sync.runs.decisions import apply_plan
from sync.runs.options import changed_options_of
from sync.runs.rights import Responsible
from sync.runs.services import queue_run, receive_for_run


def runs_of_group(run: SyncRun, user: Any) -> list[SyncRun]:
    """Return the plans of one file on several sites, of those that somebody may look at, by site. Queries: one, beside rights"""
    if not run.site_group:
        return [run]
    return _seen(SyncRun.objects.filter(site_group=run.site_group), user)


def plans_by_site(plan: SyncRun) -> dict[int, SyncRun]:
    """Return the plans of one file by site, whoever may look at them. Queries: at most one"""
    if not plan.site_group:
        return {plan.site_id: plan}
    plans = SyncRun.objects.filter(site_group=plan.site_group).select_related("site", "command_file", "undoes")
    return {each.site_id: each for each in plans}


def runs_beside(run: SyncRun, user: Any) -> list[SyncRun]:
    """Return the same without this plan; for a run that carries one of them out, those that carry out the others.

    Queries: at most one, beside rights
    """
    group = run.site_group or (run.plan.site_group if run.plan is not None else "")
    if not group:
        return []
    runs = (
        SyncRun.objects.filter(site_group=group) if run.site_group else SyncRun.objects.filter(plan__site_group=group)
    )
    return _seen(runs.exclude(pk=run.pk), user)


def _seen(runs: QuerySet[SyncRun], user: Any) -> list[SyncRun]:
    found = runs.select_related("site", "application").order_by("site__name")
    return [run for run in found if may(user, see_permission(run.processor), run.site)]


def other_sites(run: SyncRun, user: Any) -> list[MoodleSite]:
    """Return the sites for which somebody may have the same plan made, by name. Queries: two, beside rights"""
    sites = further_sites(run.site, run.processor, Responsible.of(user))
    if not run.site_group:
        return sites
    planned = set(SyncRun.objects.filter(site_group=run.site_group).values_list("site", flat=True))
    return [site for site in sites if site.pk not in planned]


def further_sites(here: MoodleSite, processor: str, person: Responsible) -> list[MoodleSite]:
    """Return the sites beside one on which somebody may run a file type, by name. Queries: one, beside rights"""
    sites = MoodleSite.objects.filter(in_use=True).exclude(pk=here.pk).defer("connection")
    return [site for site in sites if person.may(run_permission(processor), site=site)]


def plan_on_sites(
    run: SyncRun,
    sites: Sequence[MoodleSite],
    *,
    user: Any,
    mappings: Mapping[str, Mapping[str, Any] | None] = MappingProxyType({}),
    options: Mapping[str, Any] | None = None,
    origin: str = SyncRun.Origin.PERSON,
    in_background: bool = True,
) -> list[SyncRun]:
    """Have the plan of a file made on other sites too, with the same mapping and options; all of them or none.

    Shape: mappings: short name of a site -> its own mapping, None = the header chooses among those that are kept there;
    options: None = those of the plan, else what is said of them, the rest as set for each site; origin, in_background: as of
    queue_run
    Raises: SiteRefused, CommandFileError, OptionError
    """
    if not run.simulate or run.command_file is None or run.undoes_id is not None or run.mends_id is not None:
        raise SiteRefused("site_no_plan")
    allowed = {site.pk for site in other_sites(run, user)}
    if len({site.pk for site in sites}) < len(sites) or run.site in sites:
        raise SiteRefused("site_twice")
    if refused := next((site for site in sites if site.pk not in allowed), None):
        raise SiteRefused("site_without_right", site=refused.name)
    kept: list[CommandFile] = []
    try:
        for site in sites:
            kept.append(_copy_for(run, site, user))  # noqa: PERF401 - what is kept so far goes again
        with transaction.atomic():
            group = run.site_group or uuid.uuid4().hex
            made = [
                queue_run(
                    site=file.site, processor=run.processor, command_file=file,
                    options=changed_options_of(run) if options is None else options,
                    simulate=True, user=user, mapping=mappings.get(file.site.slug, run.mapping), origin=origin,
                    in_background=in_background,
                )
                for file in kept
            ]  # fmt: skip
            SyncRun.objects.filter(pk__in=[run.pk, *(each.pk for each in made)]).update(site_group=group)
    except BaseException:
        for file in kept:
            delete_file(file)
        raise
    return made


def apply_on_sites(
    plan: SyncRun, sites: Sequence[MoodleSite], person: Responsible, *, typed: Mapping[str, str]
) -> list[SyncRun]:
    """Ask for the runs that carry out the plans of one file on sites, this one among them; all of them or none.

    Shape: typed: short name of a site -> the number of things that are taken away there, where it has to be typed
    Raises: SiteRefused
    """
    if len({site.pk for site in sites}) < len(sites):
        raise SiteRefused("site_twice")
    plans = plans_by_site(plan)
    made = []
    with transaction.atomic():
        for site in sites:
            if (planned := plans.get(site.pk)) is None:
                raise SiteRefused("site_not_planned", site=site.name)
            if not person.may(run_permission(planned.processor), site=site):
                raise SiteRefused("site_without_right", site=site.name)
            try:
                made.append(apply_plan(planned, person, typed=typed.get(site.slug, "")))
            except (PlanRefused, UndoRefused) as error:
                said = text_of(error.code, error.params)
                raise SiteRefused("site_plan_refused", site=site.name, why=error.code, said=said) from None
    return made


def _copy_for(run: SyncRun, site: MoodleSite, user: Any) -> CommandFile:
    """Keep the file of a run for another site. Raises: CommandFileError if it is another one by now, or gone"""
    try:
        with storage.opened(run.input_key) as content:
            file = receive_for_run(site, content, run.file_name, run.processor, user)
    except FileNotFoundError:
        raise CommandFileError("file_not_found", path=run.file_path) from None
    if file.sha256 != run.file_sha256:
        delete_file(file)
        raise CommandFileError("file_changed", path=run.file_path)
    return file
