"""The file area."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.http import urlencode
from django.utils.translation import gettext as _, ngettext
from django.views.decorators.http import require_http_methods, require_safe

from sync.commandfiles import intake, readings
from sync.commandfiles.naming import split_path
from sync.commandfiles.storage import RESERVED_FOLDERS, file_storage, key_of_path
from sync.errors import CommandFileError
from sync.health.selectors import worker_trouble
from sync.messages import Quantity, text_of
from sync.models import CommandFile, WorkbookReading
from sync.runs.answers import wait_for_reading
from sync.runs.selectors import files_in, folders_of, processors_for, readable_files, runs_of_files
from sync.runs.services import receive_upload
from sync.schedules.upcoming import UpcomingFile, upcoming_files
from sync.web.access import current_site, file_to_delete_or_404, may_manage_files
from sync.web.cards import file_type_card
from sync.web.forms import UploadForm

_FILES_PER_PAGE = 50
_LONGEST_SEARCH = 100


class Breadcrumb(NamedTuple):
    """One folder on the way down. Shape: name: "" for the root."""

    name: str
    path: str


@may_manage_files
@require_http_methods(["GET", "HEAD", "POST"])
def file_list(request: HttpRequest) -> HttpResponse:
    folder = request.GET.get("folder", "/")
    form = UploadForm(request.POST or None, request.FILES or None, initial={"folder": folder})
    if request.method == "POST" and form.is_valid():
        folder = _receive(request, form)
        return redirect(f"{reverse('files')}?{urlencode({'folder': folder})}")
    site, keys = current_site(), [processor.key for processor in processors_for(request.user)]
    is_standard = folder in RESERVED_FOLDERS
    q = request.GET.get("q", "").strip()[:_LONGEST_SEARCH]
    # A sequence that is read a page at a time, which the type of the paginator doesn't know.
    listed: Any = files_in(site, folder, keys, containing=q)
    page = Paginator(listed, _FILES_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "folder": folder,
        "page": page,
        "q": q,
        "is_standard": is_standard,
        "usable_keys": keys,
        "breadcrumbs": _breadcrumbs(folder),
    }
    shown = [file.command_file for file in page.object_list if file.command_file]
    readable = readable_files(request.user, site).filter(pk__in=[file.pk for file in shown])
    upcoming: dict[int, list[UpcomingFile]] = {}
    for found in upcoming_files(site, shown):
        upcoming.setdefault(found.file.pk, []).append(found)
    context |= {"readable": set(readable.values_list("pk", flat=True)), "upcoming": upcoming}
    context |= {"runs": runs_of_files(request.user, site, shown)}
    context |= _readings(shown)
    if request.headers.get("HX-Request"):
        return render(request, "sync/_file_rows.html", context | {"folders": folders_of(site), "is_fragment": True})
    context |= {"folders": _subfolders(folders_of(site), folder), "form": None if is_standard else form}
    return render(request, "sync/files.html", context)


@may_manage_files
@require_safe
def download(request: HttpRequest, file_id: int) -> FileResponse:
    file = get_object_or_404(readable_files(request.user, current_site()).select_related("site"), pk=file_id)
    return attachment(key_of_path(file.site.slug, file.path), file.name)


@may_manage_files
@require_safe
def use(request: HttpRequest, file_id: int) -> HttpResponse:
    """Ask which file type a file is for."""
    file = get_object_or_404(readable_files(request.user, current_site()), pk=file_id)
    file_types = [file_type_card(processor) for processor in processors_for(request.user)]
    return render(request, "sync/file_use.html", {"file": file, "file_types": file_types})


@may_manage_files
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, file_id: int) -> HttpResponse:
    file = file_to_delete_or_404(request.user, file_id)
    if request.method != "POST":
        return render(request, "sync/file_delete.html", {"file": file})
    try:
        intake.delete_file(file)
    except CommandFileError as error:
        messages.error(request, text_of(error.code, error.params))
    else:
        messages.success(request, _("%(path)s was deleted.") % {"path": file.path})
    return redirect(f"{reverse('files')}?{urlencode({'folder': file.folder})}")


def _receive(request: HttpRequest, form: UploadForm) -> str:
    """Keep the files handed in, say what came of each, and give the folder they are in."""
    site, folder = current_site(), form.cleaned_data["folder"] or "/"
    kept: list[CommandFile] = []
    for uploaded in form.cleaned_data["uploads"]:
        try:
            kept.append(
                receive_upload(
                    site=site, uploaded_file=uploaded, folder=folder, user=request.user,
                    replace=form.cleaned_data["replace"], leaves_workbooks=True,
                )
            )  # fmt: skip
        except CommandFileError as error:
            messages.error(request, text_of(error.code, error.params) + _what_lies_there(error, uploaded.size))
    if kept:
        wait_for_reading(kept[-1])
        said = ngettext("%(n)s file was handed in.", "%(n)s files were handed in.", len(kept)) % {
            "n": Quantity(len(kept))
        }
        messages.success(request, said)
        return kept[0].folder
    return request.GET.get("folder", "/")


def _what_lies_there(error: CommandFileError, sent: int | None) -> str:
    """Return what is known of the file that another one would replace, and of that one; "" of other errors."""
    if error.code != "file_exists":
        return ""
    folder, name = split_path(error.params["path"])
    known = CommandFile.objects.filter(site=current_site(), folder=folder, name=name).first()
    if known is None:
        return ""
    said = {
        "size": filesizeformat(known.size),
        "at": date_format(timezone.localtime(known.uploaded_at), "SHORT_DATETIME_FORMAT"),
        "person": known.uploaded_by or "-",
        "sent": filesizeformat(sent or 0),
    }
    return " " + _("That one has %(size)s (%(at)s, %(person)s), the one that was sent has %(sent)s.") % said


def _readings(files: list[CommandFile]) -> dict[str, Any]:
    """Return what is known of the workbooks among files: which are being read, and why others can't be."""
    found = readings.readings_of(files)
    troubles = {pk: readings.trouble_of(reading) for pk, reading in found.items()}
    waiting = {
        pk for pk, reading in found.items() if reading.state == WorkbookReading.State.WAITING and not troubles[pk]
    }
    return {
        "being_read": waiting,
        "unreadable": {pk: text_of(trouble.code, trouble.params) for pk, trouble in troubles.items() if trouble},
        "worker_trouble": worker_trouble() if waiting else "",
    }


def _breadcrumbs(folder: str) -> list[Breadcrumb]:
    names = [name for name in folder.split("/") if name]
    return [Breadcrumb("", "/"), *(Breadcrumb(name, f"/{'/'.join(names[:n])}/") for n, name in enumerate(names, 1))]


def _subfolders(folders: list[str], folder: str) -> list[Breadcrumb]:
    """Return the folders right below one."""
    below = (path for path in folders if path.startswith(folder) and path.count("/") == folder.count("/") + 1)
    return [Breadcrumb(path[len(folder) : -1], path) for path in below]


def attachment(storage_key: str, name: str) -> FileResponse:
    """Return a kept file to be saved. Never to be shown: what people hand in may be a page with scripts."""
    try:
        content = file_storage().open(storage_key, "rb")
    except FileNotFoundError:
        raise Http404 from None
    return FileResponse(content, as_attachment=True, filename=name, content_type="application/octet-stream")
