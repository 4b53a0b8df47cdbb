"""The list of runs, and the page of one."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh, push_url

from sync.commandfiles import storage
from sync.errors import CodedError, OutcomesMissing, RunNotClaimable, StorageUnavailable
from sync.messages import text_of
from sync.models import CommandFile, RunFile, SyncRun
from sync.notifications.mails import unsure_mails
from sync.retries.selectors import retry_facts, tried_run_id
from sync.runs import decisions, services
from sync.runs.options import processor_of
from sync.runs.rights import Responsible
from sync.runs.selectors import listed_runs, processors_for, run_notes, run_outcomes
from sync.runs.undo import can_undo, undo_run, undone_by
from sync.values import Action
from sync.web.access import current_site, run_or_404, signed_in, usable_files
from sync.web.filters import RunFilter, number_in
from sync.web.forms import DecisionForm
from sync.web.plans import plan_of, rows_of
from sync.web.progress import describe_progress
from sync.web.views.files import attachment

_RUNS_PER_PAGE = 25
_OUTCOMES_PER_PAGE = 50
_REPORT_BYTES = 1024 * 1024
_DOWNLOADS = (RunFile.Kind.REPORT, RunFile.Kind.OUTCOMES, RunFile.Kind.TRYBACK, RunFile.Kind.ARCHIVE)


@signed_in
@require_safe
def run_list(request: HttpRequest) -> HttpResponse:
    processors = processors_for(request.user)
    narrowed = RunFilter(request.GET, listed_runs(request.user, current_site()), processors=processors)
    page = Paginator(narrowed.qs, _RUNS_PER_PAGE).get_page(request.GET.get("page"))
    is_live = any(not run.is_over for run in page.object_list)
    context = {"filter": narrowed, "page": page, "runs": page.object_list, "is_live": is_live}
    return render(request, "sync/_runs.html" if request.headers.get("HX-Request") else "sync/runs.html", context)


@signed_in
@require_safe
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    shown = run_or_404(request.user, run_id)
    context = {
        "run": shown,
        "options": _options(shown),
        "notes": run_notes(shown),
        "plan": plan_of(request.user, shown),
    }
    context |= {"retry": retry_facts(shown), "tried_run": tried_run_id(shown)}
    context |= {"unsure_mails": unsure_mails(shown) if shown.is_over else []}
    context |= {"files": shown.files.filter(kind__in=_DOWNLOADS), "tryback_file": _tryback_file(request, shown)}
    context |= {"can_undo": can_undo(shown), "undone_by": undone_by(shown)}
    context |= {**_progress(shown), **_outcomes(request, shown)}
    return render(request, "sync/run.html", context)


@signed_in
@require_safe
def progress(request: HttpRequest, run_id: int) -> HttpResponse:
    """Say how far the run is; when it is over the whole page has something new to say."""
    shown = run_or_404(request.user, run_id)
    if shown.is_over or shown.waits_for_person:
        return HttpResponseClientRefresh()
    return render(
        request,
        "sync/_run_progress.html",
        {
            "run": shown,
            "counts": _counts(rows_of(shown)),
            "rows_of": rows_of(shown),
            "follows_state": True,
            **_progress(shown),
        },
    )


@signed_in
@require_safe
def outcomes(request: HttpRequest, run_id: int) -> HttpResponse:
    """Return the outcomes that were chosen, and the address under which the page shows the same."""
    shown = run_or_404(request.user, run_id)
    context = {"run": shown, "is_fragment": True, **_outcomes(request, shown)}
    page_url = f"{reverse('run', args=[run_id])}?{request.GET.urlencode()}"
    return push_url(render(request, "sync/_run_outcomes.html", context), page_url)


@signed_in
@require_safe
def report(request: HttpRequest, run_id: int) -> HttpResponse:
    shown = run_or_404(request.user, run_id)
    kept = get_object_or_404(shown.files, kind=RunFile.Kind.REPORT)
    try:
        with storage.opened(kept.storage_key) as content:
            text = content.read(_REPORT_BYTES).decode(errors="replace")
    except FileNotFoundError:
        raise Http404 from None
    return render(request, "sync/report.html", {"run": shown, "text": text, "is_cut": kept.size > _REPORT_BYTES})


@signed_in
@require_safe
def download(request: HttpRequest, run_id: int, kind: str) -> FileResponse:
    kept = get_object_or_404(run_or_404(request.user, run_id).files.filter(kind__in=_DOWNLOADS), kind=kind)
    return attachment(kept.storage_key, kept.name)


@signed_in
@require_POST
def cancel(request: HttpRequest, run_id: int) -> HttpResponse:
    services.cancel_run(run_or_404(request.user, run_id))
    return redirect("run", run_id)


@signed_in
@require_POST
def resume(request: HttpRequest, run_id: int) -> HttpResponse:
    try:
        services.resume_run(run_or_404(request.user, run_id))
    except RunNotClaimable:
        return _refused(request, run_id, _("Only a run that stopped before its end can be taken up again."))
    return redirect("run", run_id)


@signed_in
@require_POST
def mails(request: HttpRequest, run_id: int) -> HttpResponse:
    """Send the mails again that may not have gone out."""
    shown = run_or_404(request.user, run_id)
    try:
        failed = services.send_mails_of(shown)
    except RunNotClaimable:
        return _refused(request, run_id, _("The run is still at work. Send the mails once it is over."))
    if failed:
        count = {"count": failed}
        return _refused(request, run_id, _("Mails that could not be sent: %(count)s. Look at the mail server.") % count)
    messages.success(request, _("The mails were sent."))
    return redirect("run", run_id)


@signed_in
@require_POST
def apply(request: HttpRequest, run_id: int) -> HttpResponse:
    """Carry out what a simulation has shown, and nothing else. Shape: typed: the number that confirms it, where that is asked"""
    simulated = run_or_404(request.user, run_id)
    try:
        started = decisions.apply_plan(
            simulated, Responsible.of(request.user), typed=request.POST.get("typed", "")
        )  # fmt: skip
    except CodedError as error:
        return _refused(request, run_id, text_of(error.code, error.params))
    return redirect("run", started.pk)


@signed_in
@require_POST
def undo(request: HttpRequest, run_id: int) -> HttpResponse:
    """Say what undoing a run would do: a simulation, on whose page it is done for real."""
    try:
        started = undo_run(run_or_404(request.user, run_id), user=request.user, simulate=True)
    except CodedError as error:
        return _refused(request, run_id, text_of(error.code, error.params))
    return redirect("run", started.pk)


@signed_in
@require_POST
def decide(request: HttpRequest, run_id: int) -> HttpResponse:
    """Let a run that waits go on, or end it. Shape: decision: approve or decline; reason; typed: as for `apply`"""
    shown, person, form = run_or_404(request.user, run_id), Responsible.of(request.user), DecisionForm(request.POST)
    if not form.is_valid():
        return _refused(request, run_id, _("Nothing was decided: approve or decline the run, with at most 500 signs."))
    sent = form.cleaned_data
    try:
        if sent["decision"] == "approve":
            decisions.approve_run(shown, person, reason=sent["reason"], typed=sent["typed"])
        else:
            decisions.decline_run(shown, person, reason=sent["reason"])
    except CodedError as error:
        return _refused(request, run_id, text_of(error.code, error.params))
    return redirect("run", run_id)


def _refused(request: HttpRequest, run_id: int, why: str) -> HttpResponse:
    messages.error(request, why)
    return redirect("run", run_id)


def _progress(run: SyncRun) -> dict[str, Any]:
    return {} if run.is_over or run.waits_for_person else describe_progress(run)._asdict()


def _outcomes(request: HttpRequest, run: SyncRun) -> dict[str, Any]:
    """Return one page of outcomes, of its plan for a run that waits. Shape: ?show= an action or a code."""
    run = rows_of(run)
    chosen = request.GET.get("show", "")
    is_action = chosen in set(Action)
    page = request.GET.get("page", "1")
    context = {"chosen": chosen, "counts": _counts(run), "codes": _codes(run), "rows_of": run}
    try:
        shown = run_outcomes(
            run,
            action=chosen if is_action else "",
            code="" if is_action else chosen,
            page=number_in(page) or 1,
            per_page=_OUTCOMES_PER_PAGE,
        )
    except (OutcomesMissing, StorageUnavailable) as error:
        return {**context, "outcomes_fault": text_of(error.code, error.params)}
    return {**context, "outcomes": shown}


def _counts(run: SyncRun) -> list[tuple[str, int]]:
    return [(action.value, run.counts.get(action.value, 0)) for action in Action]


def _codes(run: SyncRun) -> list[tuple[str, int]]:
    """Return the codes of a run's outcomes and how many rows have each, the most frequent first."""
    codes: Counter[str] = Counter()
    for counted in run.chunks.values_list("codes", flat=True):
        codes.update(counted)
    return codes.most_common()


def _options(run: SyncRun) -> list[tuple[str, Any]]:
    """Return what was set, by label; the options of today may have other names."""
    labels = {option.name: str(option.label) for option in processor_of(run).options.declared}
    return [(labels.get(name, name), value) for name, value in run.options.items()]


def _tryback_file(request: HttpRequest, run: SyncRun) -> CommandFile | None:
    """Return the tryback as a file that can be sent, when it was put in the file area and is still there."""
    kept = run.files.filter(kind=RunFile.Kind.TRYBACK).exclude(path="").first()
    if kept is None:
        return None
    folder, name = kept.path.rpartition("/")[0] + "/", kept.name
    return usable_files(request.user, run.site, run.processor).filter(folder=folder, name=name).first()
