"""Where the files of each file type come from when no person hands them in."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from sync.commandfiles.storage import inbox_names
from sync.models import Source
from sync.runs.options import drop_folder, settle_seconds
from sync.runs.rights import MANAGE_SOURCES, Responsible
from sync.runs.selectors import processors_for
from sync.runs.source_settings import has_secrets, save_source, source_of
from sync.schedules.source_preview import preview_source
from sync.values import Note
from sync.web.access import current_site, may_manage_sources, processor_or_404
from sync.web.cards import FileTypeCard, file_type_card
from sync.web.forms import is_saved
from sync.web.source_form import SourceForm


class SourceCard(NamedTuple):
    """A file type and its source, as the list shows them."""

    file_type: FileTypeCard
    source: Source
    notes: list[Note]


@may_manage_sources
@require_safe
def source_list(request: HttpRequest) -> HttpResponse:
    stored = {source.processor: source for source in Source.objects.filter(site=current_site())}
    cards = [
        SourceCard(file_type_card(processor), source, [Note(*note) for note in source.notes])
        for processor in processors_for(request.user, MANAGE_SOURCES)
        for source in [stored.get(processor.key) or Source(processor=processor.key)]
    ]
    return render(request, "sync/sources.html", {"cards": cards, "drop_folder": drop_folder()})


@may_manage_sources
@require_http_methods(["GET", "HEAD", "POST"])
def source(request: HttpRequest, key: str) -> HttpResponse:
    processor, site = processor_or_404(request.user, key, MANAGE_SOURCES), current_site()
    form = SourceForm(request.POST or None, source=source_of(site, processor.key), inboxes=inbox_names())
    owner, said = Responsible.of(request.user), _("Saved. “Look now” shows what it finds.")
    if is_saved(request, form, lambda: save_source(site, processor.key, form.choice, owner=owner), said):
        return redirect("source", key)
    if form.is_bound:
        form.hide_secrets()
    return _page(request, key, form=form)


@may_manage_sources
@require_POST
def look(request: HttpRequest, key: str) -> HttpResponse:
    """Look what is there, with what is saved; nothing is taken."""
    processor, site = processor_or_404(request.user, key, MANAGE_SOURCES), current_site()
    found = preview_source(site, processor.key)
    if request.headers.get("HX-Request"):
        return render(request, "sync/_look.html", {"look": found, "settle_seconds": settle_seconds()})
    form = SourceForm(source=source_of(site, processor.key), inboxes=inbox_names())
    return _page(request, key, form=form, look=found)


def _page(request: HttpRequest, key: str, **more: Any) -> HttpResponse:
    stored = source_of(current_site(), key)
    context = {
        "file_type": file_type_card(processor_or_404(request.user, key, MANAGE_SOURCES)),
        "source": stored,
        "has_secrets": has_secrets(stored),
        "drop_folder": drop_folder(),
        "settle_seconds": settle_seconds(),
        "notes": [Note(*note) for note in stored.notes],
    }
    return render(request, "sync/source.html", context | more)
