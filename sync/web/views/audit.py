"""The audit: who changed what, found by user, course and date; and the erasure of what it says of a person."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from sync.audit.erasure import erase_person, find_person
from sync.audit.selectors import AuditQuery, Cursor, find_entries
from sync.messages import Quantity, text_of
from sync.runs.rights import Responsible
from sync.web.access import current_site, may_erase_audit, may_see_audit
from sync.web.audit_form import AuditForm, ErasureForm
from sync.web.audit_lines import UNREADABLE_AUDIT, shown_lines

_LINES_PER_PAGE = 50


@may_see_audit
@require_safe
def audit(request: HttpRequest) -> HttpResponse:
    form = AuditForm(request.GET or None)
    start = Cursor.parse(request.GET.get("start", ""))
    context: dict[str, object] = {"form": form, "lines": []}
    if form.is_bound and not form.is_valid():
        return render(request, "sync/audit.html", context)
    query = form.query if form.is_bound else AuditQuery()
    try:
        page = find_entries(current_site(), query, start=start, most=_LINES_PER_PAGE)
    except UNREADABLE_AUDIT as error:
        context["fault"] = text_of(error.code, error.params)
        return render(request, "sync/audit.html", context)
    context["lines"] = shown_lines(page.lines, request.user)
    context |= {"following": str(page.following) if page.following else "", "is_first": start is None, "query": query}
    return render(request, "sync/audit.html", context)


@may_erase_audit
@require_http_methods(["GET", "HEAD", "POST"])
def audit_erase(request: HttpRequest) -> HttpResponse:
    """Say what there is about a person, and erase it when that was confirmed."""
    site, name = current_site(), request.GET.get("name", "").strip()
    try:
        found = find_person(site, name)
        form = ErasureForm(request.POST or None, names=[name, *found.other_names])
        if name and request.method == "POST" and form.is_valid():
            count = erase_person(site, form.cleaned_data["names"], Responsible.of(request.user))
            said = ngettext("%(count)s entry was erased.", "%(count)s entries were erased.", count)
            messages.success(request, said % {"count": Quantity(count)})
            return redirect(f"{reverse('audit')}?{_address(name)}")
    except UNREADABLE_AUDIT as error:
        messages.error(request, text_of(error.code, error.params))
        return redirect("audit")
    return render(request, "sync/audit_erase.html", {"name": name, "found": found, "form": form})


def _address(name: str) -> str:
    query = QueryDict(mutable=True)
    query["user"] = name
    return query.urlencode()
