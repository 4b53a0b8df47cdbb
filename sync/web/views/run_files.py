"""What a run has left, to be read and downloaded: report, outcomes, tryback, archive."""

from __future__ import annotations

import io
from pathlib import Path

from django.contrib.staticfiles import finders
from django.db.models import Q, QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from sync.commandfiles import storage
from sync.commandfiles.naming import outcomes_name
from sync.errors import OutcomesMissing
from sync.models import RunFile, SyncRun
from sync.runs.outcome_search import wanted_rows
from sync.runs.selectors import rows_of
from sync.web.access import run_or_404, signed_in, visible_run_or_404
from sync.web.outcomes import wanted_outcomes
from sync.web.views.files import attachment

_REPORT_BYTES = 1024 * 1024
# Tryback and archive hold lines as they came, perhaps with passwords: for those who may run the file type.
_WITHOUT_RAW_LINES = (RunFile.Kind.REPORT, RunFile.Kind.OUTCOMES)
_DOWNLOADS = (*_WITHOUT_RAW_LINES, RunFile.Kind.TRYBACK, RunFile.Kind.ARCHIVE)
# Of the front-end files that set-up brings; without it a PDF has Western letters only.
_FONT = "vendor/dejavu/DejaVuSans.ttf"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def files_of(run: SyncRun, *, may_run: bool) -> QuerySet[RunFile]:
    """Return the files that the page of a run offers; the changes that a run waits to make are those of its plan.

    Shape: may_run: whether they are for somebody who may run its file type
    """
    own = Q(run=run)
    if run.waits_for_person:
        own |= Q(run=run.plan, kind=RunFile.Kind.OUTCOMES)
    return RunFile.objects.filter(own, kind__in=_DOWNLOADS if may_run else _WITHOUT_RAW_LINES)


@signed_in
@require_safe
def report(request: HttpRequest, run_id: int) -> HttpResponse:
    shown = visible_run_or_404(request.user, run_id)
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
    find = visible_run_or_404 if kind in _WITHOUT_RAW_LINES else run_or_404
    kept = get_object_or_404(find(request.user, run_id).files.filter(kind__in=_DOWNLOADS), kind=kind)
    return attachment(kept.storage_key, kept.name)


@signed_in
@require_safe
def report_pdf(request: HttpRequest, run_id: int) -> FileResponse:
    """Return the report as PDF."""
    shown = visible_run_or_404(request.user, run_id)
    kept = get_object_or_404(shown.files, kind=RunFile.Kind.REPORT)
    # The libraries of PDF and workbooks take long to load, and few people ask for either.
    from sync.outcomes.report_pdf import write_report_pdf

    out, font = io.BytesIO(), finders.find(_FONT)
    try:
        with storage.opened(kept.storage_key) as content, io.TextIOWrapper(content, errors="replace") as lines:
            write_report_pdf(out, f"ToolSync · {kept.name}", lines, Path(font) if font else None)
    except FileNotFoundError:
        raise Http404 from None
    out.seek(0)
    name = f"{kept.name.removesuffix('.txt')}.pdf"
    return FileResponse(out, as_attachment=True, filename=name, content_type="application/pdf")


@signed_in
@require_safe
def workbook(request: HttpRequest, run_id: int) -> FileResponse:
    """Return the outcomes that were asked for as a workbook."""
    shown = visible_run_or_404(request.user, run_id)
    from sync.outcomes.outcome_workbook import write_outcome_workbook

    out, told = io.BytesIO(), rows_of(shown)
    rows = wanted_rows(told, wanted_outcomes(request.GET))
    try:
        write_outcome_workbook(out, rows, language=get_language() or "", simulated=told.simulate)
    except OutcomesMissing:
        raise Http404 from None
    out.seek(0)
    name = outcomes_name(shown.file_name, shown.started_at or shown.created_at).removesuffix(".csv")
    return FileResponse(out, as_attachment=True, filename=f"{name}.xlsx", content_type=_XLSX)
