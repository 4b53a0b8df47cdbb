"""The page on which somebody says that schedules take a file."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from sync.runs.rights import Responsible
from sync.runs.selectors import processors_for, readable_files
from sync.schedules.arming import forbid_file, permit_file
from sync.schedules.upcoming import upcoming_files
from sync.web.access import current_site, signed_in


@signed_in
@require_http_methods(["GET", "HEAD", "POST"])
def arm(request: HttpRequest, file_id: int) -> HttpResponse:
    """Say which schedules look for a file, and let them take it or not. Only for file types that one may run oneself."""
    site = current_site()
    file = get_object_or_404(readable_files(request.user, site).select_related("site", "uploaded_by"), pk=file_id)
    usable = {processor.key: processor for processor in processors_for(request.user)}
    upcoming = [found for found in upcoming_files(site, [file]) if found.processor in usable]
    if not usable:
        raise Http404
    if request.method == "POST":
        processor = request.POST.get("processor", "")
        if processor not in {found.processor for found in upcoming}:
            raise Http404
        if request.POST.get("do") == "disarm":
            forbid_file(file, processor, Responsible.of(request.user))
            messages.success(request, _("No schedule takes %(path)s now.") % {"path": file.path})
        elif request.POST.get("sha256") == file.sha256:
            permit_file(file, processor, Responsible.of(request.user))
            messages.success(request, _("Schedules take %(path)s now, in your name.") % {"path": file.path})
        else:
            messages.error(request, _("The file was replaced by another one meanwhile. Look at it again."))
        return redirect("file_arm", file.pk)
    expected = [(str(processor.label), processor.default_filename) for processor in usable.values()]
    return render(request, "sync/file_arm.html", {"file": file, "upcoming": upcoming, "expected": expected})
