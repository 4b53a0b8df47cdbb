"""New import: hand in a file, see how it is understood, make its plan."""

from __future__ import annotations

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from sync.errors import CodedError
from sync.models import CommandFile, SyncRun
from sync.runs.answers import wait_for_end
from sync.runs.imports import queue_import, receive_import
from sync.runs.selectors import processors_for
from sync.web.access import current_site, importable_file_or_404, may_import
from sync.web.import_form import NewImportForm
from sync.web.import_page import ImportPage


@may_import
@require_http_methods(["GET", "HEAD", "POST"])
def new_import(request: HttpRequest) -> HttpResponse:
    form = NewImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = _receive(request, form, form.cleaned_data["upload"])
        if file is not None:
            return redirect("import_file", file.pk)
    return render(request, "sync/new_import.html", {"form": form})


@may_import
@require_http_methods(["GET", "HEAD", "POST"])
def import_file(request: HttpRequest, file_id: int) -> HttpResponse:
    """Show how a file is understood, as far as the form has been filled in; make its plan when that is asked for."""
    file, processors = importable_file_or_404(request.user, file_id)
    page = ImportPage(file, processors, request.POST)
    if request.POST.get("do") == "plan" and page.is_ready:
        run = _plan(request, page)
        if run is not None:
            return redirect("run", wait_for_end(run).pk)
    name = "sync/_import_file.html" if request.headers.get("HX-Request") else "sync/import_file.html"
    return render(request, name, {"page": page})


def _receive(request: HttpRequest, form: NewImportForm, uploaded_file: UploadedFile) -> CommandFile | None:
    """Keep the file; None when it can't be used, which the form then says."""
    file_types = processors_for(request.user)
    try:
        return receive_import(
            site=current_site(), uploaded_file=uploaded_file, file_types=file_types, user=request.user
        )
    except CodedError as error:
        form.refuse(error)
        return None


def _plan(request: HttpRequest, page: ImportPage) -> SyncRun | None:
    """Queue the plan; None when a service has something against it, which the page then says."""
    try:
        return queue_import(
            site=page.file.site, file=page.file, processor=page.key, options=page.option_values, user=request.user
        )
    except CodedError as error:
        page.form.refuse(None, error)
        return None
