"""What holds for the whole site: how long things are kept, and how everything is that ToolSync needs."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sync.health.checks import check_health
from sync.health.selectors import states_of
from sync.people.rights import page_site
from sync.people.roles import MANAGE_RETENTION
from sync.runs.retention_settings import retention_of, save_retention
from sync.runs.rights import Responsible
from sync.web.access import current_site, has_any_access, may_see_settings, sees_settings, signed_in
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
    return render(request, "sync/retention.html", {"form": form})


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def health(request: HttpRequest) -> HttpResponse:
    """Show what was last found out; look anew when somebody asks for it."""
    if not has_any_access(request.user):
        raise PermissionDenied
    may_look = sees_settings(request.user)
    if request.method == "POST":
        if not may_look:
            raise PermissionDenied
        check_health(at_once=True)
        return redirect("health")
    return render(request, "sync/health.html", {"states": states_of(page_site()), "may_look": may_look})
