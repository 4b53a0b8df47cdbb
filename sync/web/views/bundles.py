"""Bundles: several files, or a zip of them, planned together; what is decided on them, and how they fare."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sync.commandfiles.bundle_zip import HandedFile
from sync.errors import CodedError
from sync.messages import text_of
from sync.models import Bundle
from sync.runs import decisions, services
from sync.runs.answers import wait_for_bundle
from sync.runs.bundle_files import has_trybacks, open_report, open_trybacks
from sync.runs.bundle_order import files_of
from sync.runs.bundle_uploads import ask_again, cancel_bundle, hand_in_bundle
from sync.runs.bundles import can_plan_again, check_plan_again, plan_again
from sync.runs.rights import Responsible
from sync.runs.undo_bundle import can_undo_bundle, undo_bundle
from sync.web.access import bundle_or_404, current_site, may_import, signed_in, visible_bundles
from sync.web.bundle_reading import BundleReadingPage
from sync.web.bundles import describe_bundle, options_forms
from sync.web.forms import BundleForm, DecisionForm

_LAST_BUNDLES = 10


@may_import
@require_http_methods(["GET", "HEAD", "POST"])
def bundle_new(request: HttpRequest) -> HttpResponse:
    form = BundleForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid() and (queued := _queue(request, form)) is not None:
        return redirect("bundle", wait_for_bundle(queued).pk)
    context = {"form": form, "bundles": visible_bundles(request.user)[:_LAST_BUNDLES]}
    return render(request, "sync/bundle_new.html", context)


@signed_in
@require_safe
def bundle(request: HttpRequest, bundle_id: int) -> HttpResponse:
    shown = bundle_or_404(request.user, bundle_id)
    if not shown.has_runs:
        return _without_runs(request, shown)
    runs = files_of(shown)
    text = describe_bundle(request.user, shown, runs)
    context = {"bundle": shown, "runs": runs, "text": text, "can_undo": can_undo_bundle(runs)}
    context["can_plan_again"] = can_plan_again(shown, runs, request.user)
    template = "sync/_bundle.html" if request.headers.get("HX-Request") else "sync/bundle.html"
    return render(request, template, context | {"has_trybacks": has_trybacks(runs)})


@signed_in
@require_POST
def decide(request: HttpRequest, bundle_id: int) -> HttpResponse:
    """Let all files be carried out, or none. Shape: decision: approve or decline; reason; typed: as for a run"""
    first, form = files_of(_planned_or_404(request, bundle_id))[0], DecisionForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Nothing was decided: approve or decline the run, with at most 500 signs."))
        return redirect("bundle", bundle_id)
    sent, person = form.cleaned_data, Responsible.of(request.user)
    try:
        if sent["decision"] == "approve":
            decisions.approve_run(first, person, reason=sent["reason"], typed=sent["typed"])
        else:
            decisions.decline_run(first, person, reason=sent["reason"])
    except CodedError as error:
        messages.error(request, text_of(error.code, error.params))
    return redirect("bundle", bundle_id)


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def options(request: HttpRequest, bundle_id: int) -> HttpResponse:
    """Show the options of each file while the bundle waits, and have it planned again with others."""
    shown = _planned_or_404(request, bundle_id)
    runs = files_of(shown)
    try:
        check_plan_again(shown, runs, request.user)
        forms = options_forms(runs, request.POST or None)
        # The page looks at the others, so that each says what is against it.
        if request.method == "POST" and all(form.is_valid() for _run, form in forms):
            made = plan_again(shown, {run.pk: form.option_values for run, form in forms}, request.user)
            return redirect("bundle", made.pk)
    except CodedError as error:
        messages.error(request, text_of(error.code, error.params))
        return redirect("bundle", bundle_id)
    return render(request, "sync/bundle_options.html", {"bundle": shown, "forms": forms})


@signed_in
@require_POST
def undo(request: HttpRequest, bundle_id: int) -> HttpResponse:
    """Plan the undo of all files: a bundle that waits for its confirmation."""
    try:
        made = undo_bundle(_planned_or_404(request, bundle_id), user=request.user)
    except CodedError as error:
        messages.error(request, text_of(error.code, error.params))
        return redirect("bundle", bundle_id)
    return redirect("bundle", made.pk)


@signed_in
@require_POST
def cancel(request: HttpRequest, bundle_id: int) -> HttpResponse:
    cancelled = bundle_or_404(request.user, bundle_id)
    if not cancel_bundle(cancelled):
        services.cancel_run(files_of(_planned_or_404(request, bundle_id))[0])
    return redirect("bundle", bundle_id)


@signed_in
@require_POST
def read_again(request: HttpRequest, bundle_id: int) -> HttpResponse:
    """Ask anew for workbooks that nobody has read within ten minutes."""
    ask_again(bundle_or_404(request.user, bundle_id))
    return redirect("bundle", bundle_id)


@signed_in
@require_safe
def report(request: HttpRequest, bundle_id: int) -> FileResponse:
    shown = _planned_or_404(request, bundle_id)
    try:
        content = open_report(shown, files_of(shown))
    except FileNotFoundError:
        raise Http404 from None
    return FileResponse(content, as_attachment=True, filename=f"bundle-{shown.pk}-report.txt")


@signed_in
@require_safe
def trybacks(request: HttpRequest, bundle_id: int) -> FileResponse:
    shown = _planned_or_404(request, bundle_id)
    try:
        content = open_trybacks(files_of(shown))
    except FileNotFoundError:
        raise Http404 from None
    return FileResponse(content, as_attachment=True, filename=f"bundle-{shown.pk}-trybacks.zip")


def _without_runs(request: HttpRequest, shown: Bundle) -> HttpResponse:
    """Say how far the reading of its workbooks is, or why nothing came of it."""
    page = BundleReadingPage(shown)
    if page.is_reading and request.headers.get("HX-Trigger") == page.said:
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    template = "sync/_bundle_reading.html" if request.headers.get("HX-Request") else "sync/bundle_reading.html"
    return render(request, template, {"page": page})


def _planned_or_404(request: HttpRequest, bundle_id: int) -> Bundle:
    """Return a bundle that has its runs."""
    shown = bundle_or_404(request.user, bundle_id)
    if not shown.has_runs:
        raise Http404
    return shown


def _queue(request: HttpRequest, form: BundleForm) -> Bundle | None:
    """Keep the files and ask for their runs; None when something is against it, which the form then says."""
    uploads = form.cleaned_data["uploads"]
    handed = [HandedFile(upload.name or "", upload) for upload in uploads]
    try:
        return hand_in_bundle(site=current_site(), handed=handed, user=request.user)
    except CodedError as error:
        form.add_error("uploads", text_of(error.code, error.params))
        form.add_error("uploads", _("The files were not kept. Choose them again."))
        return None
