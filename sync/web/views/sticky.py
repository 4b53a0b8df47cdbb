"""Sticky fields: which columns files leave as they are in what is there already."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sync.errors import OptionError
from sync.messages import text_of
from sync.runs.rights import Responsible
from sync.runs.selectors import processors_for
from sync.runs.sticky import rules_of, save_rules
from sync.web.access import MANAGE_STICKY, current_site, may_manage_sticky, processor_or_404
from sync.web.sticky_form import StickyForm


@may_manage_sticky
@require_http_methods(["GET", "HEAD"])
def sticky_fields(request: HttpRequest) -> HttpResponse:
    """Show the first file type that has such columns."""
    file_types = _file_types(request)
    return redirect("sticky", file_types[0][0]) if file_types else render(request, "sync/sticky.html")


@may_manage_sticky
@require_http_methods(["GET", "HEAD", "POST"])
def sticky(request: HttpRequest, key: str) -> HttpResponse:
    site, file_type = current_site(), processor_or_404(request.user, key, MANAGE_STICKY)
    form = StickyForm(request.POST or None, file_type=file_type, rules=rules_of(site, key))
    if request.method == "POST" and form.is_valid():
        try:
            save_rules(site, key, form.rules, by=Responsible.of(request.user))
        except OptionError as error:
            form.add_error("more_name" if form.families else None, text_of(error.code, error.params))
        else:
            messages.success(request, _("Saved."))
            return redirect("sticky", key)
    context = {"form": form, "key": key, "label": file_type.label, "file_types": _file_types(request)}
    return render(request, "sync/sticky.html", context)


def _file_types(request: HttpRequest) -> list[tuple[str, Promise]]:
    """Return keys and labels of the file types that have such columns."""
    return [(found.key, found.label) for found in processors_for(request.user, MANAGE_STICKY) if found.sticky_columns]
