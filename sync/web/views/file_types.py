"""A page for each file type: choose a file, set the options, simulate or run; and what the file must look like."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from sync.columns.describe import describe_columns, sample_csv, template_csv
from sync.commandfiles import storage
from sync.commandfiles.readings import is_workbook, kept_sheets
from sync.errors import CodedError, WorkbookUnread
from sync.health.selectors import worker_trouble
from sync.models import CommandFile, MoodleSite, SyncRun
from sync.processors.base.processor import Processor
from sync.runs.answers import wait_for_end
from sync.runs.exports import exportable_for
from sync.runs.mappings import choose_mapping
from sync.runs.options import resolve_options
from sync.runs.rights import Responsible
from sync.runs.selectors import preselected_file
from sync.runs.services import queue_run, queue_upload, save_settings
from sync.schedules.arming import scheduled_files
from sync.schedules.upcoming import UpcomingFile, starts_of, upcoming_files
from sync.web.access import current_site, processor_or_404, sampler_or_none, signed_in, usable_files
from sync.web.cards import file_type_card
from sync.web.filters import number_in
from sync.web.forms import RunForm
from sync.web.import_source import says_so_already
from sync.web.moodle_lists import list_links
from sync.web.preview import preview_file


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def file_type(request: HttpRequest, key: str) -> HttpResponse:
    processor, site = processor_or_404(request.user, key), current_site()
    form = _form(request, processor, site)
    if request.method == "POST" and form.is_valid():
        run = _start(request, processor, site, form)
        if run is not None:
            return redirect("run", wait_for_end(run).pk)
    if form.errors and request.FILES:
        form.add_error("upload", _("The file was not kept. Choose it again."))
    context = {"file_type": file_type_card(processor), "form": form, "columns": describe_columns(processor.columns)}
    context |= {"starts": starts_of(site, key), "upcoming": _upcoming(site, key)}
    context |= {"lists": list_links(), "can_export": processor in exportable_for(request.user)}
    context |= {"has_sampler": sampler_or_none(request.user, processor) is not None}
    context |= {"readable": set(usable_files(request.user, site, key).values_list("pk", flat=True))}
    return render(request, "sync/file_type.html", context)


@signed_in
@require_safe
def preview(request: HttpRequest, key: str) -> HttpResponse:
    """Show how the chosen file begins, as the file type would read it."""
    processor, site = processor_or_404(request.user, key), current_site()
    file_id = number_in(request.GET.get("command_file", ""))
    if file_id is None:
        return HttpResponse()
    file = get_object_or_404(usable_files(request.user, site, key), pk=file_id)
    chosen = {
        name: request.GET.get(f"option_{name}", "")
        for name in ("encoding", "separator", "invalidnamesnocheck", "flatfile")
    }
    try:
        with storage.opened(storage.key_of_path(site.slug, file.path)) as stream:
            sheets = kept_sheets(file) if is_workbook(stream, file.name) else None
            shown = preview_file(
                stream, file.name, file.size, processor, chosen, choose=lambda head: choose_mapping(site, key, head),
                sheets=sheets,
            )  # fmt: skip
    except WorkbookUnread:
        trouble = worker_trouble()
        if says_so_already(request, trouble):
            return HttpResponse(status=HTTPStatus.NO_CONTENT)
        return render(request, "sync/_being_read.html", {"worker_trouble": trouble})
    except FileNotFoundError:
        return HttpResponse()
    return render(request, "sync/_file_preview.html", {"preview": shown})


@signed_in
@require_safe
def template(request: HttpRequest, key: str) -> HttpResponse:
    processor = processor_or_404(request.user, key)
    return _csv(template_csv(processor.columns), f"{key}_template.csv")


@signed_in
@require_safe
def sample(request: HttpRequest, key: str) -> HttpResponse:
    processor = processor_or_404(request.user, key)
    return _csv(sample_csv(processor.columns), f"{key}_sample.csv")


def _upcoming(site: MoodleSite, key: str) -> list[UpcomingFile]:
    """Return the files that the schedules of a file type look for."""
    return [found for found in upcoming_files(site, scheduled_files(site, key)) if found.processor == key]


def _form(request: HttpRequest, processor: type[Processor], site: MoodleSite) -> RunForm:
    files = usable_files(request.user, site, processor.key)
    return RunForm(
        request.POST or None,
        request.FILES or None,
        processor=processor,
        files=files,
        values=resolve_options(site, processor.key),
        initial={"command_file": _preselected(request, files, site, processor.key)},
    )


def _preselected(request: HttpRequest, files: Any, site: MoodleSite, key: str) -> CommandFile | None:
    """Return the file that the address names, or the one that the file type takes by itself."""
    asked_for = number_in(request.GET.get("file", ""))
    file = files.filter(pk=asked_for).first() if asked_for else preselected_file(site, key, request.user)
    return file if file is not None and files.filter(pk=file.pk).exists() else None


def _start(request: HttpRequest, processor: type[Processor], site: MoodleSite, form: RunForm) -> SyncRun | None:
    """Queue the run that the form asks for; None when a service has something against it, which the form then says."""
    chosen: dict[str, Any] = {
        "site": site,
        "processor": processor.key,
        "options": form.option_values,
        "simulate": request.POST.get("do") != "run",
        "user": request.user,
    }
    remember = form.cleaned_data["remember"]
    try:
        if upload := form.cleaned_data["upload"]:
            return queue_upload(uploaded_file=upload, remember=remember, **chosen)
        run = queue_run(command_file=form.cleaned_data["command_file"], **chosen)
        if remember:
            by = Responsible.of(request.user)
            save_settings(site=site, processor=processor.key, values=form.option_values, by=by)
    except CodedError as error:
        form.refuse("upload", error)
        return None
    return run


def _csv(content: bytes, name: str) -> HttpResponse:
    return HttpResponse(
        content, content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )  # fmt: skip
