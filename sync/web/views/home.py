"""The home page: the file types, the last runs, and how Moodle is; and for load balancers, whether our database answers."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sync.errors import MoodleError
from sync.messages import text_of
from sync.models import MoodleSite
from sync.moodle.integrity.connection_check import ConnectionFinding, ConnectionLevel, check_connection
from sync.runs.connections import moodle_of
from sync.runs.selectors import listed_runs, processors_for, waiting_runs
from sync.web.access import current_site, has_any_access, signed_in
from sync.web.cards import families
from sync.web.plans import plan_of

_LAST_RUNS = 5


@signed_in
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    if not has_any_access(request.user):
        raise PermissionDenied
    site = current_site()
    waiting = [(run, plan_of(request.user, run)) for run in waiting_runs(request.user, site)[:_LAST_RUNS]]
    runs = listed_runs(request.user, site)[:_LAST_RUNS]
    context = {"families": families(processors_for(request.user)), "runs": runs, "waiting": waiting}
    return render(request, "sync/home.html", context)


@signed_in
@require_safe
def moodle_state(request: HttpRequest) -> HttpResponse:
    """Ask Moodle how it is, apart from the page so that nobody waits for it."""
    if not has_any_access(request.user):
        raise PermissionDenied
    site = current_site()
    findings = _check(site)
    worst = max((finding.level for finding in findings), key=list(ConnectionLevel).index)
    said = [(finding.level, text_of(finding.code, finding.params)) for finding in findings]
    release = next((finding.params["release"] for finding in findings if finding.code == "check_release"), "")
    context = {"site": site, "worst": worst, "findings": said, "release": release}
    return render(request, "sync/_moodle_state.html", context)


def _check(site: MoodleSite) -> list[ConnectionFinding]:
    try:
        moodle = moodle_of(site)
    except MoodleError as error:
        return [ConnectionFinding(ConnectionLevel.ERROR, error.code, error.params)]
    try:
        return check_connection(moodle)
    finally:
        moodle.dispose()


@require_safe
def healthz(_request: HttpRequest) -> HttpResponse:
    """Say "ok" when our database answers."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("database unavailable", status=503, content_type="text/plain")
    return HttpResponse("ok", content_type="text/plain")
