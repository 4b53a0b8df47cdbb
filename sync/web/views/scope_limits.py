"""Limits of one category, or of cohorts: set, changed and given up."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from sync.errors import OptionError
from sync.guard.messages import found_text, scope_text
from sync.models import ScopeLimits
from sync.runs import scope_limits
from sync.runs.rights import Responsible
from sync.web.access import current_site, may_manage_limits
from sync.web.limits_form import ScopeLimitsForm
from sync.web.views.limits import processor_of


@may_manage_limits
@require_http_methods(["GET", "HEAD", "POST"])
def new_scope(request: HttpRequest, key: str, kind: str) -> HttpResponse:
    if kind not in ScopeLimits.Kind:
        raise Http404
    return _answer(request, key, ScopeLimits(site=current_site(), processor=processor_of(request, key), kind=kind))


@may_manage_limits
@require_http_methods(["GET", "HEAD", "POST"])
def scope(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    return _answer(request, key, _stored(request, key, pk))


@may_manage_limits
@require_POST
def delete_scope(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    scope_limits.delete_scope(_stored(request, key, pk), Responsible.of(request.user))
    return redirect("limits", key)


def _stored(request: HttpRequest, key: str, pk: int) -> ScopeLimits:
    return get_object_or_404(scope_limits.stored_scopes(current_site(), processor_of(request, key)), pk=pk)


def _answer(request: HttpRequest, key: str, stored: ScopeLimits) -> HttpResponse:
    new = _("Limits of a category") if stored.kind == ScopeLimits.Kind.CATEGORY else _("Limits of cohorts")
    here = scope_text(stored.kind, stored.name) if stored.pk else new
    try:
        form = ScopeLimitsForm(request.POST or None, stored=stored)
    except OptionError:
        messages.error(request, _("The stored limits can't be read: there are none now. Save them anew."))
        stored.values = {}
        form = ScopeLimitsForm(request.POST or None, stored=stored)
    if request.method == "POST" and form.is_valid():
        scope_limits.save_scope(stored, form.limits, Responsible.of(request.user))
        messages.success(request, _("Saved. In it are now: %(what)s.") % {"what": found_text(form.found)})
        return redirect("limits", key)
    return render(request, "sync/scope_limits.html", {"form": form, "key": key, "stored": stored, "here": here})
