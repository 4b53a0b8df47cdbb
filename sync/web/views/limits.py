"""Limits: how much a file may change before a person has to agree, for the site and for single file types."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from sync.errors import OptionError
from sync.guard.limits import DEFAULTS, Limit, read_limits
from sync.guard.messages import limit_texts, scope_text
from sync.models import GuardLimits, MoodleSite
from sync.people.rights import EVERY as EVERY_FILE_TYPE, may
from sync.people.roles import MANAGE_LIMITS
from sync.processors.base.processor import Processor
from sync.runs import plans
from sync.runs.plans import limits_of, save_limits
from sync.runs.rights import Responsible
from sync.runs.scope_limits import stored_scopes
from sync.runs.selectors import processors_for
from sync.web.access import current_site, may_manage_limits, processor_or_404
from sync.web.limits_form import LimitsForm

# Stands in the address for the limits of every file type without limits of its own.
EVERY = "all"


@may_manage_limits
@require_http_methods(["GET", "HEAD", "POST"])
def limits(request: HttpRequest, key: str = EVERY) -> HttpResponse:
    if key == EVERY and request.method != "POST" and (some := _only_for(request.user)):
        return redirect("limits", some[0].key)
    site, processor = current_site(), processor_of(request, key)
    chosen = limits_of(site, processor)
    form = LimitsForm(request.POST or None, chosen=chosen, limits=_read(request, chosen))
    if request.method == "POST" and form.is_valid():
        cleaned = form.cleaned_data
        save_limits(
            site,
            processor,
            form.limits,
            is_on=cleaned["is_on"],
            needs_second_person=cleaned["needs_second_person"],
            person=Responsible.of(request.user),
        )
        messages.success(request, _("Saved."))
        return redirect("limits", key)
    own = set(GuardLimits.objects.filter(site=site).values_list("processor", flat=True))
    types = [
        (file_type.key, file_type.label, file_type.key in own)
        for file_type in processors_for(request.user, MANAGE_LIMITS)
    ]
    context = {
        "form": form,
        "key": key,
        "scopes": _scopes(site, processor),
        "file_types": types,
        "every": EVERY if may(request.user, MANAGE_LIMITS, processor=EVERY_FILE_TYPE) else "",
        "is_own": bool(processor) and processor in own,
    }
    context["file_type"] = next((label for name, label, _is_own in types if name == processor), "")
    return render(request, "sync/limits.html", context)


@may_manage_limits
@require_POST
def delete_limits(request: HttpRequest, key: str) -> HttpResponse:
    """Let a file type have the limits of the site again."""
    plans.delete_limits(current_site(), processor_of(request, key), Responsible.of(request.user))
    return redirect("limits", key)


def processor_of(request: HttpRequest, key: str) -> str:
    """Return the file type that an address is about, "" = all that have no limits of their own."""
    if key != EVERY:
        return processor_or_404(request.user, key, MANAGE_LIMITS).key
    if not may(request.user, MANAGE_LIMITS, processor=EVERY_FILE_TYPE):
        raise Http404
    return ""


def _only_for(user: Any) -> list[type[Processor]]:
    """Return the file types for which somebody sets limits who may not set those of every file type."""
    return [] if may(user, MANAGE_LIMITS, processor=EVERY_FILE_TYPE) else processors_for(user, MANAGE_LIMITS)


def _scopes(site: MoodleSite, processor: str) -> list[tuple[int, str, list[str]]]:
    """Return number, title and limits in words of each scope."""
    stored = stored_scopes(site, processor)
    return [(each.pk, scope_text(each.kind, each.name), limit_texts(each.values)) for each in stored]


def _read(request: HttpRequest, chosen: GuardLimits) -> dict[str, Limit]:
    try:
        return read_limits(chosen.values)
    except OptionError:
        messages.error(request, _("The stored limits can't be read: these are the usual ones. Save them anew."))
        return dict(DEFAULTS)
