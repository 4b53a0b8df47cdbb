"""One file for several sites: a plan that was made on one is made on others too, each with a run and a report of its own."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.db import transaction

from sync.commandfiles import storage
from sync.commandfiles.intake import delete_file
from sync.errors import CommandFileError, SiteRefused
from sync.models import CommandFile, MoodleSite, SyncRun
from sync.people.rights import may
from sync.people.roles import run_permission, see_permission
from sync.runs.options import changed_options_of
from sync.runs.services import queue_run, receive_for_run


def runs_of_group(run: SyncRun, user: Any) -> list[SyncRun]:
    """Return the plans of one file on several sites, of those that somebody may look at, by site. Queries: one, beside rights"""
    if not run.site_group:
        return [run]
    runs = (
        SyncRun.objects.filter(site_group=run.site_group).select_related("site", "application").order_by("site__name")
    )
    return [each for each in runs if may(user, see_permission(each.processor), each.site)]


def other_sites(run: SyncRun, user: Any) -> list[MoodleSite]:
    """Return the sites for which somebody may have the same plan made, by name. Queries: two, beside rights"""
    sites = MoodleSite.objects.filter(in_use=True).exclude(pk=run.site_id).defer("connection")
    if run.site_group:
        sites = sites.exclude(pk__in=SyncRun.objects.filter(site_group=run.site_group).values("site"))
    return [site for site in sites if may(user, run_permission(run.processor), site)]


def plan_on_sites(run: SyncRun, sites: Sequence[MoodleSite], *, user: Any) -> list[SyncRun]:
    """Have the plan of a file made on other sites too, with the same mapping and options; all of them or none.

    Raises: SiteRefused, CommandFileError, OptionError
    """
    if not run.simulate or run.command_file is None or run.undoes_id is not None or run.mends_id is not None:
        raise SiteRefused("site_no_plan")
    allowed = {site.pk for site in other_sites(run, user)}
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
                    site=file.site, processor=run.processor, command_file=file, options=changed_options_of(run),
                    simulate=True, user=user, mapping=run.mapping,
                )
                for file in kept
            ]  # fmt: skip
            SyncRun.objects.filter(pk__in=[run.pk, *(each.pk for each in made)]).update(site_group=group)
    except BaseException:
        for file in kept:
            delete_file(file)
        raise
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
