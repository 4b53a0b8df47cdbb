"""How long things are kept, and what the operator has set."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sync.errors import MoodleError
from sync.models import MoodleSite
from sync.runs.connections import connection_of
from sync.runs.options import moodle_command
from sync.runs.retention_settings import retention_of, save_retention
from sync.runs.rights import Responsible
from sync.web.access import MANAGE_RETENTION, current_site, may_see_settings
from sync.web.notification_form import RetentionForm


@may_see_settings
@require_http_methods(["GET", "HEAD", "POST"])
def retention(request: HttpRequest) -> HttpResponse:
    site = current_site()
    form = RetentionForm(request.POST or None, instance=retention_of(site))
    if request.method == "POST":
        if not request.user.has_perm(MANAGE_RETENTION):
            raise PermissionDenied
        if form.is_valid():
            save_retention(site, **form.days, by=Responsible.of(request.user))
            messages.success(request, _("Saved."))
            return redirect("retention")
    return render(request, "sync/retention.html", {"form": form, "purges": _has_command(site)})


def _has_command(site: MoodleSite) -> bool:
    try:
        return moodle_command(connection_of(site)) is not None
    except MoodleError:
        return False
