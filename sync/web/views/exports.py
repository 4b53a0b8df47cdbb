"""Exports: what Moodle holds as command files, streamed, and small samples made of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from sync.models import MoodleSite
from sync.moodle.categories.categories import fetch_categories
from sync.moodle.db.database import MoodleDatabase
from sync.processors.base.export import ScopeKind
from sync.processors.base.processor import Processor
from sync.runs.connections import moodle_of
from sync.runs.exports import ExportResult, export, exportable_for, sample, sampler_of
from sync.runs.options import resolve_options
from sync.web.access import (
    current_site,
    exported_or_404,
    may_look_into_moodle,
    processor_or_404,
    sampler_or_none,
    signed_in,
)
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
    moodle, options = moodle_of(site), resolve_options(site, key)
    name = f"{key}_export_{timezone.localtime():%Y%m%d-%H%M%S}.csv"
    return _streamed(moodle, export(moodle, processor, options, form.scope, ExportResult()), name)


@signed_in
@require_safe
@needs_moodle
def moodle_sample(request: HttpRequest, key: str) -> HttpResponseBase:
    """Return a few rows of what is in this Moodle; they change nothing."""
    processor, site = processor_or_404(request.user, key), current_site()
    if sampler_of(processor) is None:
        raise Http404
    if sampler_or_none(request.user, processor) is None:
        raise PermissionDenied
    moodle, options = moodle_of(site), resolve_options(site, key)
    return _streamed(moodle, sample(moodle, processor, options, SAMPLE_ROWS), f"{key}_sample.csv")


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


def _streamed(moodle: MoodleDatabase, parts: Iterator[bytes], name: str) -> HttpResponseBase:
    """Return the file as it is made. Raises: MoodleError where it can't begin"""
    # The first part is there before anything is answered, so that a Moodle that is away is told on a page.
    first = next(parts)

    def content() -> Iterator[bytes]:
        try:
            yield first
            yield from parts
        finally:
            moodle.dispose()

    disposition = f'attachment; filename="{name}"'
    return StreamingHttpResponse(content(), content_type="text/csv", headers={"Content-Disposition": disposition})
