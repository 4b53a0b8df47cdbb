"""New import: hand in a file, see how it is understood, make its plan."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sync.commandfiles.readings import read_again
from sync.errors import CodedError
from sync.mappings.shipped import SHIPPED
from sync.models import CommandFile, SyncRun
from sync.runs.answers import wait_for_end, wait_for_reading
from sync.runs.imports import queue_import, receive_import
from sync.runs.mappings import listed_mappings, switch_mapping
from sync.runs.rights import Responsible
from sync.runs.selectors import processors_for
from sync.sites.groups import plan_on_sites
from sync.web.access import current_site, importable_file_or_404, may_import
from sync.web.import_form import NewImportForm
from sync.web.import_page import ImportPage
from sync.web.import_source import says_so_already

_MAPPINGS_PER_PAGE = 50


@may_import
@require_http_methods(["GET", "HEAD", "POST"])
def new_import(request: HttpRequest) -> HttpResponse:
    form = NewImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = _receive(request, form, form.cleaned_data["upload"])
        if file is not None:
            wait_for_reading(file)
            return redirect("import_file", file.pk)
    return render(request, "sync/new_import.html", {"form": form})


@may_import
@require_http_methods(["GET", "HEAD", "POST"])
def import_file(request: HttpRequest, file_id: int) -> HttpResponse:
    """Show how a file is understood, as far as the form has been filled in; make its plan when that is asked for."""
    file, processors = importable_file_or_404(request.user, file_id)
    if request.POST.get("do") == "look":
        read_again(file)
    page = ImportPage(file, processors, request.POST, Responsible.of(request.user))
    if page.is_unread and says_so_already(request, page.worker_trouble):
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    if request.POST.get("do") == "plan" and not page.is_unread and page.is_ready:
        run = _plan(request, page)
        if run is not None:
            return redirect("run_sites", run.pk) if page.chosen_sites else redirect("run", wait_for_end(run).pk)
    if (
        request.POST.get("do") == "keep"
        and not page.is_unread
        and (kept := page.keep(Responsible.of(request.user))) is not None
    ):
        messages.success(
            request, _("Kept as “%(name)s”, version %(version)s.") % {"name": kept.name, "version": kept.version}
        )
    name = "sync/_import_file.html" if request.headers.get("HX-Request") else "sync/import_file.html"
    return render(request, name, {"page": page})


@may_import
@require_safe
def mapping_list(request: HttpRequest) -> HttpResponse:
    keys = [processor.key for processor in processors_for(request.user)]
    page = Paginator(listed_mappings(current_site(), keys), _MAPPINGS_PER_PAGE).get_page(request.GET.get("page"))
    shipped = [mapping for mapping in SHIPPED if mapping.processor in keys]
    return render(request, "sync/mappings.html", {"page": page, "shipped": shipped})


@may_import
@require_POST
def mapping_switch(request: HttpRequest, mapping_id: int) -> HttpResponse:
    """Let files of its header be read by a version, or no more."""
    keys = [processor.key for processor in processors_for(request.user)]
    kept = get_object_or_404(listed_mappings(current_site(), keys), pk=mapping_id)
    switch_mapping(kept, is_used=request.POST.get("use") == "1", by=Responsible.of(request.user))
    return redirect("mappings")


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
    """Queue the plan, on each site that was chosen; None when a service has something against it, which the page then says."""
    try:
        with transaction.atomic():
            run = queue_import(
                site=page.file.site, file=page.file, processor=page.key, options=page.option_values,
                mapping=page.chosen_mapping, user=request.user,
            )  # fmt: skip
            if page.chosen_sites:
                plan_on_sites(run, page.chosen_sites, user=request.user, mappings=dict.fromkeys(page.by_header))
            return run
    except CodedError as error:
        page.form.refuse(None, error)
        return None
