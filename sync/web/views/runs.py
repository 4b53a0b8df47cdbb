"""The list of runs, and the page of one."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import yesno
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRefresh, push_url

from sync.columns.options import Choice, Option
from sync.errors import CodedError, RunNotClaimable
from sync.mending.rows import MOST_ROWS, are_too_many, can_mend
from sync.messages import text_of
from sync.models import CommandFile, RunFile, SyncRun
from sync.notifications.mails import unsure_mails
from sync.people.rights import may
from sync.people.roles import run_permission
from sync.retries.selectors import retry_facts, tried_run_id
from sync.runs import decisions, services
from sync.runs.answers import wait_for_end
from sync.runs.family import family_of
from sync.runs.options import processor_of
from sync.runs.rights import Responsible
from sync.runs.selectors import listed_runs, rows_of, run_notes, visible_processors
from sync.runs.undo import can_undo, undo_run, undone_by
from sync.web.access import current_site, governed_run_or_404, run_or_404, signed_in, usable_files, visible_run_or_404
from sync.web.filters import RunFilter, number_in
from sync.web.forms import DecisionForm
from sync.web.outcomes import action_counts, outcomes_of
from sync.web.plans import plan_of
from sync.web.progress import describe_progress
from sync.web.views.run_files import files_of

_RUNS_PER_PAGE = 25


@signed_in
@require_safe
def run_list(request: HttpRequest) -> HttpResponse:
    processors = visible_processors(request.user)
    narrowed = RunFilter(request.GET, listed_runs(request.user, current_site()), processors=processors)
    page = Paginator(narrowed.qs, _RUNS_PER_PAGE).get_page(request.GET.get("page"))
    is_live = any(not run.is_over for run in page.object_list)
    context = {"filter": narrowed, "page": page, "runs": page.object_list, "is_live": is_live}
    return render(request, "sync/_runs.html" if request.headers.get("HX-Request") else "sync/runs.html", context)


@signed_in
@require_safe
def run(request: HttpRequest, run_id: int) -> HttpResponse:
    shown = visible_run_or_404(request.user, run_id)
    may_run = may(request.user, run_permission(shown.processor))
    context = {
        "run": shown,
        "may_run": may_run,
        "options": _options(shown),
        "notes": run_notes(shown),
        "plan": plan_of(request.user, shown),
    }
    context |= {"retry": retry_facts(shown), "tried_run": tried_run_id(shown)}
    context |= {"unsure_mails": unsure_mails(shown) if may_run and shown.is_over else []}
    context |= {
        "files": files_of(shown, may_run=may_run),
        "tryback_file": _tryback_file(request, shown),
        "family": family_of(shown),
    }
    context |= {"can_undo": may_run and can_undo(shown), "undone_by": undone_by(shown)}
    can_be_mended = may_run and can_mend(shown)
    context |= {
        "can_mend": can_be_mended and not are_too_many(shown),
        "most_mended": MOST_ROWS if can_be_mended and are_too_many(shown) else None,
    }
    context |= {**_progress(shown), **outcomes_of(request, shown)}
    return render(request, "sync/run.html", context)


@signed_in
@require_safe
def progress(request: HttpRequest, run_id: int) -> HttpResponse:
    """Say how far the run is; when it is over the whole page has something new to say."""
    shown = visible_run_or_404(request.user, run_id)
    if shown.is_over or shown.waits_for_person or shown.is_paused:
        return HttpResponseClientRefresh()
    return render(
        request,
        "sync/_run_progress.html",
        {
            "run": shown,
            "counts": action_counts(rows_of(shown)),
            "rows_of": rows_of(shown),
            "follows_state": True,
            **_progress(shown),
        },
    )


@signed_in
@require_safe
def outcomes(request: HttpRequest, run_id: int) -> HttpResponse:
    """Return the outcomes that were chosen, and the address under which the page shows the same."""
    shown = visible_run_or_404(request.user, run_id)
    context = {"run": shown, "is_fragment": True, **outcomes_of(request, shown)}
    page_url = f"{reverse('run', args=[run_id])}?{request.GET.urlencode()}"
    return push_url(render(request, "sync/_run_outcomes.html", context), page_url)


@signed_in
@require_POST
def cancel(request: HttpRequest, run_id: int) -> HttpResponse:
    services.cancel_run(governed_run_or_404(request.user, run_id))
    return redirect("run", run_id)


@signed_in
@require_POST
def pause(request: HttpRequest, run_id: int) -> HttpResponse:
    try:
        services.pause_run(governed_run_or_404(request.user, run_id))
    except RunNotClaimable:
        return _refused(request, run_id, _("Only a run that isn't over and writes to Moodle can be paused."))
    return redirect("run", run_id)


@signed_in
@require_POST
def resume(request: HttpRequest, run_id: int) -> HttpResponse:
    try:
        services.resume_run(governed_run_or_404(request.user, run_id), Responsible.of(request.user))
    except RunNotClaimable:
        return _refused(request, run_id, _("Only a run that stopped before its end can be taken up again."))
    except CodedError as error:
        return _refused(request, run_id, text_of(error.code, error.params))
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
    return redirect("run", wait_for_end(started).pk)


@signed_in
@require_POST
def undo(request: HttpRequest, run_id: int) -> HttpResponse:
    """Say what undoing a run, or one line of it, would do: a simulation, on whose page it is done for real. Shape: line"""
    line = number_in(request.POST.get("line", ""))
    if line is None and "line" in request.POST:
        # Nobody who means one line gets the whole run.
        raise Http404
    try:
        started = undo_run(run_or_404(request.user, run_id), line, user=request.user, simulate=True)
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
    return {} if run.is_over or run.waits_for_person or run.is_paused else describe_progress(run)._asdict()


def _options(run: SyncRun) -> list[tuple[str, Any]]:
    """Return what was set, by label, in the words of the form; the options of today may have other names."""
    declared = {option.name: option for option in processor_of(run).options.declared}
    return [
        (str(declared[name].label) if name in declared else name, _in_words(declared.get(name), value))
        for name, value in run.options.items()
    ]


def _in_words(option: Option[Any] | None, value: Any) -> Any:
    if isinstance(value, bool):
        return yesno(value)
    return str(option.choices.get(value, value)) if isinstance(option, Choice) else value


def _tryback_file(request: HttpRequest, run: SyncRun) -> CommandFile | None:
    """Return the tryback as a file that can be sent, when it was put in the file area and is still there."""
    kept = run.files.filter(kind=RunFile.Kind.TRYBACK).exclude(path="").first()
    if kept is None:
        return None
    folder, name = kept.path.rpartition("/")[0] + "/", kept.name
    return usable_files(request.user, run.site, run.processor).filter(folder=folder, name=name).first()
