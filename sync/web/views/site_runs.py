"""One file on several sites: the plans of it, a row for each, and the sites for which it can be made too."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.http import require_http_methods

from sync.errors import CodedError
from sync.messages import Quantity, text_of
from sync.models import MoodleSite, SyncRun
from sync.sites.groups import other_sites, plan_on_sites, runs_of_group
from sync.web.access import run_or_404, signed_in
from sync.web.page_site import prefix_of


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def run_sites(request: HttpRequest, run_id: int) -> HttpResponse:
    """Show how the plans of a file are on each site; have it planned on further ones."""
    run = run_or_404(request.user, run_id)
    sites = other_sites(run, request.user) if run.simulate else []
    if request.method == "POST":
        _plan(request, run, sites)
        return redirect("run_sites", run_id)
    rows = [(each, prefix_of(each.site.slug)) for each in runs_of_group(run, request.user)]
    return render(request, "sync/run_sites.html", {"run": run, "rows": rows, "sites": sites})


def _plan(request: HttpRequest, run: SyncRun, sites: list[MoodleSite]) -> None:
    chosen = set(request.POST.getlist("site"))
    wanted = [site for site in sites if site.slug in chosen]
    if not wanted:
        messages.error(request, _("Choose a site at least."))
        return
    try:
        made = plan_on_sites(run, wanted, user=request.user)
    except CodedError as error:
        messages.error(request, text_of(error.code, error.params))
        return
    said = ngettext("It is planned on %(count)s further site.", "It is planned on %(count)s further sites.", len(made))
    messages.success(request, said % {"count": Quantity(len(made))})
