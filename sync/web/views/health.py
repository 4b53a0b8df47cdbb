"""Whether Moodle answers, for people, and whether our database does, for load balancers."""

from __future__ import annotations

import sys

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import get_template
from django.views.decorators.http import require_safe

from sync.health.checks import moodle_findings
from sync.messages import text_of, without_addresses
from sync.moodle.integrity.connection_check import ConnectionLevel
from sync.web.access import current_site, has_any_access, sees_settings, signed_in


@signed_in
@require_safe
def moodle_state(request: HttpRequest) -> HttpResponse:
    """Ask Moodle how it is, apart from the page so that nobody waits for it."""
    if not has_any_access(request.user):
        raise PermissionDenied
    site = current_site()
    findings = moodle_findings(site)
    worst = max((finding.level for finding in findings), key=list(ConnectionLevel).index)
    shown = sees_settings(request.user)
    said = [
        (found.level, text_of(found.code, found.params if shown else without_addresses(found.code, found.params)))
        for found in findings
    ]
    release = next((finding.params["release"] for finding in findings if finding.code == "check_release"), "")
    context = {"site": site, "worst": worst, "findings": said, "release": release}
    return render(request, "sync/_moodle_state.html", context)


def server_error(_request: HttpRequest) -> HttpResponse:
    """Say that something went wrong, or that our database is away, without asking it for anything."""
    is_away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    name, status = ("503.html", 503) if is_away else ("500.html", 500)
    return HttpResponse(get_template(name).render(), status=status)


@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """Say "ok" when our database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("database unavailable", status=503, content_type="text/plain")
    return HttpResponse("ok", content_type="text/plain")
