"""The Moodles that ToolSync feeds: the list of them, the page of each, its check, and whether it is in use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sync.errors import CodedError, MoodleError, SiteRefused, SiteUnusable
from sync.health.checks import moodle_findings
from sync.messages import text_of
from sync.models import MoodleSite
from sync.models.site import MAIN_SITE
from sync.moodle.integrity.connection_check import ConnectionFinding
from sync.runs.options import site_rules
from sync.runs.rights import Responsible
from sync.sites import services
from sync.sites.connection_choice import choice_of
from sync.sites.selectors import sites_with_states
from sync.web.access import may_manage_sites
from sync.web.page_site import prefix_of
from sync.web.site_form import SiteForm, SiteNameForm


class SaidFinding(NamedTuple):
    """Shape: level: of ConnectionLevel"""

    level: str
    text: str


@may_manage_sites
@require_safe
def site_list(request: HttpRequest) -> HttpResponse:
    rows = [(state, prefix_of(state.site.slug)) for state in sites_with_states()]
    return render(request, "sync/sites.html", {"rows": rows})


@may_manage_sites
@require_http_methods(["GET", "HEAD", "POST"])
def site_new(request: HttpRequest) -> HttpResponse:
    form = SiteForm(request.POST or None, rules=site_rules(), is_new=True)
    findings: Sequence[ConnectionFinding] = []
    if request.method == "POST" and form.is_valid():
        cleaned = form.cleaned_data
        try:
            added, _findings = services.add_site(
                cleaned["slug"],
                cleaned["name"],
                form.choice,
                by=Responsible.of(request.user),
                is_copy=cleaned["is_copy"],
            )
        except CodedError as error:
            findings = _refused(form, error)
        else:
            messages.success(request, _("The site “%(name)s” is set up.") % {"name": added.name})
            return redirect("site", added.slug)
    return render(request, "sync/site.html", {"form": form, "findings": _said(findings)})


@may_manage_sites
@require_http_methods(["GET", "HEAD", "POST"])
def site(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the connection of a site without its secrets, and keep another one once its Moodle was looked at."""
    shown = get_object_or_404(MoodleSite, slug=slug)
    by = Responsible.of(request.user)
    form = _form_of(shown, request)
    findings: Sequence[ConnectionFinding] = []
    if request.method == "POST" and form.is_valid():
        cleaned = form.cleaned_data
        try:
            if isinstance(form, SiteForm):
                services.change_site(shown, cleaned["name"], form.choice, by=by, is_copy=cleaned["is_copy"])
            else:
                services.rename_site(shown, cleaned["name"], by=by)
        except CodedError as error:
            findings = _refused(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect("site", slug)
    return _page(request, shown, form, findings)


@may_manage_sites
@require_POST
def check(request: HttpRequest, slug: str) -> HttpResponse:
    """Look at the Moodle of a site, with what is saved."""
    shown = get_object_or_404(MoodleSite, slug=slug)
    findings = moodle_findings(shown)
    if request.headers.get("HX-Request"):
        return render(request, "sync/_findings.html", {"findings": _said(findings)})
    return _page(request, shown, _form_of(shown, None), findings)


@may_manage_sites
@require_POST
def switch(request: HttpRequest, slug: str) -> HttpResponse:
    """Take a site out of use, or put it in use again."""
    shown, by = get_object_or_404(MoodleSite, slug=slug), Responsible.of(request.user)
    try:
        if request.POST.get("in_use") == "1":
            services.put_in_use(shown, by=by)
            messages.success(request, _("“%(name)s” is in use again.") % {"name": shown.name})
        else:
            count = services.take_out_of_use(shown, by=by)
            said = ngettext(
                "“%(name)s” is out of use; %(count)s run that waited was cancelled.",
                "“%(name)s” is out of use; %(count)s runs that waited were cancelled.",
                count,
            )
            messages.success(request, said % {"name": shown.name, "count": count})
    except SiteRefused as error:
        messages.error(request, text_of(error.code, error.params))
    return redirect("site", slug)


def _form_of(shown: MoodleSite, request: HttpRequest | None) -> SiteNameForm | SiteForm:
    data = request.POST or None if request is not None else None
    if shown.slug == MAIN_SITE:
        return SiteNameForm(data, initial={"name": shown.name})
    try:
        choice = choice_of(shown) if shown.connection else None
    except MoodleError:
        # Encrypted under a key that is gone, or in a folder that isn't allowed any more: to be entered anew.
        choice = None
    return SiteForm(data, rules=site_rules(), name=shown.name, choice=choice)


def _refused(form: SiteNameForm, error: CodedError) -> Sequence[ConnectionFinding]:
    form.refuse(error)
    return error.findings if isinstance(error, SiteUnusable) else []


def _said(findings: Sequence[ConnectionFinding]) -> list[SaidFinding]:
    return [SaidFinding(finding.level, text_of(finding.code, finding.params)) for finding in findings]


def _page(
    request: HttpRequest, shown: MoodleSite, form: SiteNameForm, findings: Sequence[ConnectionFinding]
) -> HttpResponse:
    context: dict[str, Any] = {
        "site": shown, "form": form, "findings": _said(findings), "is_main": shown.slug == MAIN_SITE,
        "prefix": prefix_of(shown.slug),
    }  # fmt: skip
    return render(request, "sync/site.html", context)
