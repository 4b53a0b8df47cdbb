"""Exports: what Moodle holds as command files, streamed, and small samples made of it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from sync.models import MoodleSite
from sync.moodle.categories.categories import fetch_categories
from sync.processors.base.export import ExportScope, ScopeKind
from sync.processors.base.processor import Processor
from sync.runs.connections import moodle_of
from sync.runs.exports import ExportResult, export
from sync.runs.options import resolve_options
from sync.web.access import current_site, exportable_for, exported_or_404, may_look_into_moodle, signed_in
from sync.web.cards import file_type_card
from sync.web.export_form import ExportForm
from sync.web.moodle_pages import category_paths, moodle_session, needs_moodle

SAMPLE_ROWS = 5


@may_look_into_moodle
@require_safe
def export_list(request: HttpRequest) -> HttpResponse:
    cards = [file_type_card(processor) for processor in exportable_for(request.user)]
    return render(request, "sync/exports.html", {"file_types": cards})


@signed_in
@require_safe
@needs_moodle
def export_page(request: HttpRequest, key: str) -> HttpResponse:
    """Ask what of the site the file shall hold."""
    processor, site = exported_or_404(request.user, key), current_site()
    context = {
        "file_type": file_type_card(processor),
        "form": _form(request, processor, site),
        "identifiers": _identifiers(processor, site),
    }
    return render(request, "sync/export.html", context)


@signed_in
@require_safe
@needs_moodle
def export_file(request: HttpRequest, key: str) -> HttpResponseBase:
    processor, site = exported_or_404(request.user, key), current_site()
    form = _form(request, processor, site)
    if not form.is_valid():
        return export_page(request, key)
    return _streamed(site, processor, form.scope, f"{key}_export_{timezone.localtime():%Y%m%d-%H%M%S}.csv")


@signed_in
@require_safe
@needs_moodle
def moodle_sample(request: HttpRequest, key: str) -> HttpResponseBase:
    """Return a few rows of what is in this Moodle."""
    processor, site = exported_or_404(request.user, key), current_site()
    return _streamed(site, processor, ExportScope(), f"{key}_sample.csv", most=SAMPLE_ROWS)


def _form(request: HttpRequest, processor: type[Processor], site: MoodleSite) -> ExportForm:
    assert processor.exporter is not None  # noqa: S101
    kinds = processor.exporter.scopes
    paths: dict[int, str] = {}
    if ScopeKind.CATEGORY in kinds:
        with moodle_session(site) as moodle:
            paths = category_paths(fetch_categories(moodle))
    return ExportForm(request.GET, kinds=kinds, categories=paths.items())


def _identifiers(processor: type[Processor], site: MoodleSite) -> list[tuple[Any, str]]:
    """Return by what the file will name things: label of the option -> its value."""
    options = resolve_options(site, processor.key)
    return [
        (option.label, options[option.name])
        for option in processor.options.declared
        if option.name.endswith(("identifier", "identity"))
    ]


def _streamed(
    site: MoodleSite, processor: type[Processor], scope: ExportScope, name: str, *, most: int | None = None
) -> HttpResponseBase:
    """Return the file as it is made. Raises: MoodleError where it can't begin"""
    parts = _parts(site, processor, scope, most)
    # The first part is there before anything is answered, so that a Moodle that is away is told on a page.
    content = chain([next(parts)], parts)
    disposition = f'attachment; filename="{name}"'
    return StreamingHttpResponse(content, content_type="text/csv", headers={"Content-Disposition": disposition})


def _parts(site: MoodleSite, processor: type[Processor], scope: ExportScope, most: int | None) -> Iterator[bytes]:
    moodle, options = moodle_of(site), resolve_options(site, processor.key)
    try:
        yield from export(moodle, processor, options, scope, ExportResult(), most=most)
    finally:
        moodle.dispose()
