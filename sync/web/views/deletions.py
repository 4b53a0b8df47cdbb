"""The list of deletions: who and what is to be deleted when, and taking them off."""

from __future__ import annotations

from collections.abc import Sequence
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import permission_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from sync.errors import CodedError
from sync.grace.selectors import END_GRACE, GracePage, grace_page, listed, tables_for
from sync.grace.services import take_off
from sync.messages import text_of
from sync.moodle.db.writer import MAX_KEYS, batched
from sync.web.access import View, current_site, signed_in
from sync.web.filters import number_in

_ENTRIES_PER_PAGE = 50


def may_see_deletions(view: View) -> View:
    """Let only those in who may use a file type that puts something on the list."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not tables_for(request.user):
            raise Http404
        return view(request, *args, **kwargs)

    return signed_in(answer)


@may_see_deletions
@require_safe
def deletion_list(request: HttpRequest) -> HttpResponse:
    page = _page(request.GET.get("q", ""), request.GET.get("after", ""), request)
    context = {"page": page, "q": request.GET.get("q", ""), "may_end": bool(tables_for(request.user, END_GRACE))}
    return render(request, "sync/deletions.html", context)


@may_see_deletions
@permission_required(END_GRACE, raise_exception=True)
@require_POST
def deletions_take_off(request: HttpRequest) -> HttpResponse:
    """Take off what is ticked, or all that the search has found."""
    entries = listed(current_site(), tables_for(request.user, END_GRACE), request.POST.get("q", ""))
    if request.POST.get("do") != "all":
        ticked = [number_in(number) for number in request.POST.getlist("entry")]
        entries = entries.filter(pk__in=[number for number in ticked if number is not None])
    by_table: dict[str, list[int]] = {}
    for pk, table in entries.values_list("pk", "table"):
        by_table.setdefault(table, []).append(pk)
    if not by_table:
        messages.info(request, _("Choose first what is to be taken off the list."))
    for table, ids in by_table.items():
        for part in batched(ids, MAX_KEYS):
            _take_off(request, table, part)
    query = {name: request.POST[name] for name in ("q", "after") if request.POST.get(name)}
    return redirect(f"{reverse('deletions')}{'?' if query else ''}{urlencode(query)}")


def _take_off(request: HttpRequest, table: str, ids: Sequence[int]) -> None:
    try:
        run = take_off(current_site(), table, ids, user=request.user)
    except CodedError as error:
        messages.error(request, text_of(error.code, error.params))
        return
    link = format_html('<a href="{}">{}</a>', reverse("run", args=[run.pk]), _("Run %(id)s") % {"id": run.pk})
    messages.success(request, format_html(_("{} takes them off the list."), link))


def _page(text: str, after: str, request: HttpRequest) -> GracePage:
    entries = listed(current_site(), tables_for(request.user), text)
    return grace_page(entries, after, per_page=_ENTRIES_PER_PAGE)
