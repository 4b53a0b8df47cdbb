"""The overview: whether all is well, what needs the person, how each feed does, and the last runs by hand."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from sync.mending.rows import are_too_many, can_mend
from sync.models import SyncRun
from sync.overview.needs import Kind, Need, last_night, needs_of
from sync.runs.options import is_demo
from sync.runs.selectors import listed_runs, processors_for
from sync.web.access import current_site, has_any_access, signed_in
from sync.web.feed_table import ON, feed_table
from sync.web.first_steps import first_steps
from sync.web.page_site import first_other_site
from sync.web.plans import plan_of
from sync.web.tour import tour_steps

_NEEDS_SHOWN = _LAST_RUNS = 5


@signed_in
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    if not has_any_access(request.user):
        if other := first_other_site(request.user):
            return redirect(other)
        raise PermissionDenied
    site = current_site()
    table = feed_table(request, site, at_first=ON)
    needs = needs_of(request.user, site)
    shown = needs if request.GET.get("needs") == "all" else needs[:_NEEDS_SHOWN]
    runs = listed_runs(request.user, site).filter(origin=SyncRun.Origin.PERSON, sequence_run=None)[:_LAST_RUNS]
    context = {
        "needs": [(need, _plan(request.user, need), _can_mend(need)) for need in shown],
        "more_needs": len(needs) - len(shown),
        "night": last_night(table.every),
        "table": table,
        "runs": runs,
        "steps": tour_steps(request.user, site) if is_demo() else first_steps(request.user, site, table.every),
        "is_tour": is_demo(),
        "may_drop": bool(processors_for(request.user)),
    }
    return render(request, "sync/home.html", context)


def _plan(user: Any, need: Need) -> Any:
    """Return what would be decided on a run that waits. Queries: at most two"""
    return plan_of(user, need.subject) if need.kind == Kind.HELD else None


def _can_mend(need: Need) -> bool:
    """Whether the rows that a need is about can be mended in the page."""
    return need.kind == Kind.REJECTED and can_mend(need.subject) and not are_too_many(need.subject)
