"""The list of feeds, and the periods during which none of them starts."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from sync.errors import ScheduleError
from sync.messages import text_of
from sync.models import FreezeWindow
from sync.runs.rights import Responsible
from sync.schedules import services as scheduling
from sync.schedules.sequences import window_at
from sync.web.access import MANAGE_ALL_SCHEDULES, current_site, has_any_access, may_manage_all_schedules, signed_in
from sync.web.feed_table import ALL, feed_table
from sync.web.preferences import by_site_clock
from sync.web.schedule_form import FreezeForm
from sync.web.sections import FEEDS, open_entries


@signed_in
@require_safe
@by_site_clock
def feed_list(request: HttpRequest) -> HttpResponse:
    """Show the feeds of which somebody may use every file type."""
    if not has_any_access(request.user):
        raise PermissionDenied
    return _list(request, FreezeForm())


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
            return redirect("feeds")
    return _list(request, form)


@may_manage_all_schedules
@require_POST
def unfreeze(request: HttpRequest, window_id: int) -> HttpResponse:
    window = get_object_or_404(FreezeWindow, site=current_site(), pk=window_id)
    scheduling.delete_freeze_window(window, by=Responsible.of(request.user))
    messages.success(request, _("The freeze window was deleted."))
    return redirect("feeds")


def _list(request: HttpRequest, form: FreezeForm) -> HttpResponse:
    site, now = current_site(), timezone.now()
    context = {
        "table": feed_table(request, site, at_first=ALL),
        "entries": open_entries(FEEDS, request.user),
        "windows": FreezeWindow.objects.filter(site=site, ends_at__gt=now),
        "window": window_at(site, now),
        "form": form,
        "may_freeze": request.user.has_perm(MANAGE_ALL_SCHEDULES),
    }
    return render(request, "sync/feeds.html", context)
