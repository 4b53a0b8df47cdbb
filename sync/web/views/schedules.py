"""When file types run by themselves: the schedules with the freeze windows, one schedule, and one start of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sync.errors import ScheduleError
from sync.messages import text_of
from sync.models import FreezeWindow, Schedule, SequenceRun
from sync.runs.options import site_zone
from sync.runs.rights import Responsible
from sync.runs.selectors import processors_for, visible_processors
from sync.schedules import services as scheduling
from sync.schedules.sequences import cancel_sequence, steps_of, window_at
from sync.web.access import (
    MANAGE_ALL_SCHEDULES,
    MANAGE_SCHEDULES,
    current_site,
    may_change_schedule,
    may_manage_all_schedules,
    may_manage_schedules,
    own_schedule_or_404,
    schedule_or_404,
    sequence_or_404,
    signed_in,
    visible_schedules,
)
from sync.web.forms import is_saved
from sync.web.preferences import by_site_clock
from sync.web.schedule_form import FreezeForm, ScheduleForm

_LAST_RUNS = 10


class ScheduleCard(NamedTuple):
    """A schedule as the list shows it. Shape: window: the one that holds it now; may_change: whether the person may"""

    schedule: Schedule
    words: str
    next_at: datetime | None
    window: FreezeWindow | None
    last: SequenceRun | None
    may_change: bool


@may_manage_schedules
@require_safe
@by_site_clock
def schedule_list(request: HttpRequest) -> HttpResponse:
    return _list(request, FreezeForm())


@may_manage_schedules
@require_http_methods(["GET", "HEAD", "POST"])
@by_site_clock
def schedule_new(request: HttpRequest) -> HttpResponse:
    return _edit(request, Schedule(site=current_site()))


@may_manage_schedules
@require_http_methods(["GET", "HEAD", "POST"])
@by_site_clock
def schedule(request: HttpRequest, schedule_id: int) -> HttpResponse:
    return _edit(request, schedule_or_404(request.user, schedule_id))


@may_manage_schedules
@require_POST
def switch(request: HttpRequest, schedule_id: int) -> HttpResponse:
    """Switch a schedule on or off, as the button said."""
    shown = own_schedule_or_404(request.user, schedule_id)
    scheduling.switch_schedule(shown, on=request.POST.get("on") == "1", owner=Responsible.of(request.user))
    return redirect("schedules")


@may_manage_schedules
@require_POST
def start(request: HttpRequest, schedule_id: int) -> HttpResponse:
    """Start a schedule now, by hand."""
    try:
        sequence = scheduling.start_now(schedule_or_404(request.user, schedule_id), request.user)
    except ScheduleError as error:
        messages.error(request, text_of(error.code, error.params))
        return redirect("schedules")
    return redirect("sequence_run", sequence.pk)


@may_manage_schedules
@require_POST
def delete(request: HttpRequest, schedule_id: int) -> HttpResponse:
    shown = own_schedule_or_404(request.user, schedule_id)
    scheduling.delete_schedule(shown, by=Responsible.of(request.user))
    messages.success(request, _("The schedule was deleted. Its runs are kept."))
    return redirect("schedules")


@may_manage_all_schedules
@require_POST
@by_site_clock
def freeze(request: HttpRequest) -> HttpResponse:
    """Keep a freeze window."""
    form = FreezeForm(request.POST)
    if form.is_valid():
        try:
            scheduling.add_freeze_window(current_site(), *form.period, by=Responsible.of(request.user))
        except ScheduleError as error:
            form.add_error("ends_at", text_of(error.code, error.params))
        else:
            return redirect("schedules")
    return _list(request, form)


@may_manage_all_schedules
@require_POST
def unfreeze(request: HttpRequest, window_id: int) -> HttpResponse:
    window = get_object_or_404(FreezeWindow, site=current_site(), pk=window_id)
    scheduling.delete_freeze_window(window, by=Responsible.of(request.user))
    messages.success(request, _("The freeze window was deleted."))
    return redirect("schedules")


def _list(request: HttpRequest, form: FreezeForm) -> HttpResponse:
    site, now = current_site(), timezone.now()
    window = window_at(site, now)
    context = {
        "cards": _cards(request.user, visible_schedules(request.user), window),
        "windows": FreezeWindow.objects.filter(site=site, ends_at__gt=now),
        "window": window,
        "form": form,
        "zone": site_zone(),
        "may_freeze": request.user.has_perm(MANAGE_ALL_SCHEDULES),
    }
    return render(request, "sync/schedules.html", context)


def _cards(user: Any, schedules: Sequence[Schedule], window: FreezeWindow | None) -> list[ScheduleCard]:
    """Return schedules as the list shows them. Queries: two, however many there are"""
    windows, last = scheduling.open_windows(current_site()), scheduling.last_starts(schedules)
    return [
        ScheduleCard(
            schedule,
            scheduling.timing_of(schedule).words(),
            scheduling.next_start(schedule, windows),
            window if schedule.held_at else None,
            last.get(schedule.pk),
            may_change_schedule(user, schedule),
        )
        for schedule in schedules
    ]


def _edit(request: HttpRequest, shown: Schedule) -> HttpResponse:
    form = ScheduleForm(request.POST or None, schedule=shown, processors=processors_for(request.user, MANAGE_SCHEDULES))
    if request.method == "POST" and not may_change_schedule(request.user, shown):
        raise PermissionDenied
    owner, said = Responsible.of(request.user), _("The schedule was saved.")
    if is_saved(request, form, lambda: scheduling.save_schedule(shown.site, form.choice, shown, owner=owner), said):
        return redirect("schedules")
    context: dict[str, Any] = {"schedule": shown, "form": form, "zone": site_zone()}
    if shown.pk:
        stored = schedule_or_404(request.user, shown.pk)
        context |= {"card": _cards(request.user, [stored], window_at(stored.site, timezone.now()))[0]}
        context |= {"sequences": stored.sequence_runs.select_related("requested_by")[:_LAST_RUNS]}
    return render(request, "sync/schedule.html", context)


@signed_in
@require_safe
def sequence_run(request: HttpRequest, sequence_id: int) -> HttpResponse:
    shown = sequence_or_404(request.user, sequence_id)
    usable = {processor.key for processor in processors_for(request.user)}
    visible = {processor.key for processor in visible_processors(request.user)}
    waits_for = None if shown.is_over or shown.requested_by_id else window_at(shown.site, timezone.now())
    context = {
        "sequence": shown,
        "steps": [step for step in steps_of(shown) if step.processor in visible],
        "window": waits_for,
        "can_cancel": not shown.is_over and usable.issuperset(shown.processors),
    }
    is_fragment = request.headers.get("HX-Request")
    return render(request, "sync/_sequence_steps.html" if is_fragment else "sync/sequence_run.html", context)


@signed_in
@require_POST
def sequence_cancel(request: HttpRequest, sequence_id: int) -> HttpResponse:
    cancel_sequence(sequence_or_404(request.user, sequence_id, every_file_type=True))
    return redirect("sequence_run", sequence_id)
