"""Mend the failed rows of a run in the page."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from sync.errors import CodedError, MendRefused, PlanRefused
from sync.mending.drafts import Draft, delete_draft, load_draft, save_draft
from sync.mending.rows import FailedRows, can_mend, read_failed_rows
from sync.mending.services import apply_draft, check_draft
from sync.messages import text_of
from sync.models import SyncRun
from sync.people.rights import may
from sync.runs.answers import wait_for_end
from sync.runs.rights import Responsible
from sync.web.access import VIEW_PEOPLE, run_or_404, signed_in
from sync.web.choices import case_choices
from sync.web.mending import MendPage, check_of, grid_context, read_suggestion, take_cells, take_suggestion


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def mend(request: HttpRequest, run_id: int) -> HttpResponse:
    """Show the failed rows of a run in a grid, keep what is changed in it, check it, apply it.

    Shape: do: save, check, apply, discard, or "use:line:place:text" and "alike:…" of `read_suggestion`
    """
    shown = run_or_404(request.user, run_id)
    if not can_mend(shown):
        raise Http404
    try:
        return _take(request, shown) if request.method == "POST" else _page(request, shown)
    except CodedError as error:
        messages.error(request, text_of(error.code, error.params))
        return _answer(request, reverse("run", args=[run_id]))


@signed_in
@require_safe
def choices(request: HttpRequest, run_id: int) -> HttpResponse:
    """Show what may have been meant by cells of failed rows that are alike; as a fragment, into the list of reasons."""
    shown = run_or_404(request.user, run_id)
    if not can_mend(shown):
        raise Http404
    is_fragment = bool(request.headers.get("HX-Request"))
    try:
        found = case_choices(shown, request.user)
    except CodedError as error:
        if is_fragment:
            # The list says why the rows failed; the grid says why they can't be mended.
            return HttpResponse()
        messages.error(request, text_of(error.code, error.params))
        return redirect("run", run_id)
    template = "sync/_run_choices.html" if is_fragment else "sync/run_choices.html"
    return render(request, template, {"run": shown, "choices": found, "is_fragment": is_fragment})


def _page(request: HttpRequest, run: SyncRun, *, focus: str = "") -> HttpResponse:
    rows, draft = read_failed_rows(run), load_draft(run, request.user)
    sees_people = may(request.user, VIEW_PEOPLE, processor=run.processor)
    page = MendPage(run, rows, draft, check_of(run, draft), request.GET, sees_people=sees_people)
    is_fragment = bool(request.headers.get("HX-Request"))
    if is_fragment and request.method != "POST" and page.is_checking:
        # What is typed meanwhile stays.
        return HttpResponse(status=204)
    template = "sync/_mend_grid.html" if is_fragment else "sync/mend.html"
    return render(request, template, {**grid_context(page), "focus": focus})


def _take(request: HttpRequest, run: SyncRun) -> HttpResponse:
    command = request.POST.get("do", "save")
    if command == "discard":
        delete_draft(run, request.user)
        return _answer(request, reverse("run", args=[run.pk]))
    rows, draft = read_failed_rows(run), load_draft(run, request.user)
    try:
        focus = _keep(request, run, rows, draft)
    except MendRefused as error:
        return _not_kept(request, run, text_of(error.code, error.params))
    if command in ("apply", "check"):
        return _apply(request, run) if command == "apply" else _check(request, run)
    if request.headers.get("X-Draft"):
        return HttpResponse(status=204)
    if request.headers.get("HX-Request"):
        return _page(request, run, focus=focus)
    return redirect(f"{_address(run, request.GET)}#{focus or 'mend'}")


def _keep(request: HttpRequest, run: SyncRun, rows: FailedRows, draft: Draft) -> str:
    """Keep what was sent. Returns the name of the cell that a suggestion was put into, "" without one. Raises: MendRefused"""
    command = request.POST.get("do", "")
    suggestion = read_suggestion(command, rows, draft) if ":" in command else None
    take_cells(request.POST, rows, draft)
    focus = take_suggestion(suggestion, rows, draft) if suggestion is not None else ""
    save_draft(run, request.user, draft)
    return focus


def _not_kept(request: HttpRequest, run: SyncRun, reason: str) -> HttpResponse:
    """Say why what was sent isn't kept: beside the grid where its script has sent it, else above what was kept before."""
    if request.headers.get("X-Draft"):
        return HttpResponse(
            reason, status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, content_type="text/plain; charset=utf-8"
        )
    messages.error(request, reason)
    return _answer(request, _address(run, request.GET))


def _check(request: HttpRequest, run: SyncRun) -> HttpResponse:
    try:
        wait_for_end(check_draft(run, request.user))
    except CodedError as error:
        messages.error(request, text_of(error.code, error.params))
    return _answer(request, _address(run))


def _apply(request: HttpRequest, run: SyncRun) -> HttpResponse:
    try:
        applied = apply_draft(run, Responsible.of(request.user))
    except PlanRefused as error:
        # A plan that takes much away is applied on its own page, by its number.
        messages.error(request, text_of(error.code, error.params))
        draft = load_draft(run, request.user)
        return _answer(request, reverse("run", args=[draft.check.run if draft.check else run.pk]))
    except CodedError as error:
        messages.error(request, text_of(error.code, error.params))
        return _answer(request, _address(run))
    wait_for_end(applied)
    messages.success(request, _("The mended rows were sent as run %(run)s.") % {"run": applied.pk})
    return _answer(request, reverse("run", args=[applied.pk]))


def _address(run: SyncRun, asked: QueryDict | None = None) -> str:
    query = f"?{asked.urlencode()}" if asked else ""
    return reverse("run_mend", args=[run.pk]) + query


def _answer(request: HttpRequest, address: str) -> HttpResponse:
    """Lead to another page, a page that htmx has asked for as well."""
    if request.headers.get("HX-Request"):
        return HttpResponse(headers={"HX-Redirect": address})
    return redirect(address)
