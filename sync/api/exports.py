"""Exports: what is in Moodle as a command file that changes nothing when it is sent back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import Http404, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.access import usable_type_or_404
from sync.api.base import ApiView, StrictSerializer
from sync.errors import ApiRefused, OptionError
from sync.processors.base.export import ExportScope, ScopeKind
from sync.processors.base.processor import Processor
from sync.runs.connections import moodle_of
from sync.runs.exports import ExportResult, export, exportable_for
from sync.runs.options import resolve_options


class ExportableSerializer(serializers.Serializer):
    """A file type that can be exported. Shape: scopes: what its export can be narrowed by"""

    file_type = serializers.CharField()
    label = serializers.CharField()
    scopes = serializers.ListField(child=serializers.ChoiceField([kind.value for kind in ScopeKind]))


class ExportQuery(StrictSerializer):
    """What of the site is wanted; without anything, all of it. Which of these a file type knows, the list of exports says."""

    category = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="Id of a category, with all below it."
    )
    courses = serializers.CharField(
        required=False, max_length=255, help_text="A pattern of short names, in which * stands for anything."
    )
    cohorts = serializers.CharField(required=False, max_length=100, help_text="How idnumbers of cohorts begin.")
    auth = serializers.CharField(required=False, max_length=20, help_text="An authentication method of Moodle.")


class Exports(ApiView):
    """What can be exported."""

    @extend_schema(operation_id="exports_list", responses=ExportableSerializer(many=True))
    def get(self, request: Request, site: str) -> Response:
        """Return the file types that may be exported."""
        told = [
            {"file_type": found.key, "label": found.label, "scopes": [kind.value for kind in _scopes(found)]}
            for found in exportable_for(request.user, self.site)
        ]
        return Response(ExportableSerializer(told, many=True).data)


class Export(ApiView):
    """The export of one file type."""

    @extend_schema(
        operation_id="export_get",
        parameters=[ExportQuery],
        responses={(200, "text/csv"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, site: str, file_type: str) -> HttpResponseBase:
        """Return what is in Moodle as a command file, while it is read. Rows that no file can say are named at its end."""
        processor = usable_type_or_404(request.user, self.site, file_type)
        if processor.exporter is None:
            raise Http404
        if processor not in exportable_for(request.user, self.site):
            raise ApiRefused("permission_missing")
        scope = _scope(processor, self.asked(ExportQuery))
        moodle, options = moodle_of(self.site), resolve_options(self.site, processor.key)
        parts = export(moodle, processor, options, scope, ExportResult())
        try:
            # The first part is there before anything is answered, so that a Moodle that is away is a problem of its own.
            first = next(parts)
        except BaseException:
            moodle.dispose()
            raise

        def content() -> Iterator[bytes]:
            try:
                yield first
                yield from parts
            finally:
                moodle.dispose()

        name = f"{processor.key}_export_{timezone.localtime():%Y%m%d-%H%M%S}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return StreamingHttpResponse(content(), content_type="text/csv", headers=headers)


def _scopes(processor: type[Processor]) -> tuple[ScopeKind, ...]:
    return processor.exporter.scopes if processor.exporter is not None else ()


def _scope(processor: type[Processor], asked: dict[str, Any]) -> ExportScope:
    """Raises: OptionError for a scope that the file type doesn't know"""
    known = [kind.value for kind in _scopes(processor)]
    for name in asked:
        if name not in known:
            raise OptionError("option_unknown", option=name, options=", ".join(known))
    return ExportScope(**asked)
