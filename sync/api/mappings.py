"""Mappings of columns: listed, read, kept in versions, taken out of use."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.access import usable_type_or_404
from sync.api.base import READS, ApiView, StrictSerializer
from sync.api.idempotency import Answer, answer_once, digest_of_request
from sync.api.paging import PageQuery, address_of, newest_first, page_of
from sync.mappings.column_mapping import STEPS_LIMIT, read_mapping
from sync.models import MoodleSite, SavedMapping, Scope
from sync.runs.mappings import NAME_LENGTH, listed_mappings, save_mapping, switch_mapping
from sync.runs.rights import Responsible
from sync.runs.selectors import processors_for

_TEXT = {"allow_blank": True, "max_length": 500, "trim_whitespace": False}


class StepSerializer(StrictSerializer):
    """What one column becomes. Each step has its own fields: copy a source; part, separator, number, to_end; join parts;
    constant. `words` replaces whole cells, and `otherwise` those that aren't among them.
    """

    step = serializers.ChoiceField(["copy", "part", "join", "constant"])
    target = serializers.CharField(max_length=500)
    source = serializers.CharField(required=False, **_TEXT)
    separator = serializers.CharField(required=False, **_TEXT)
    number = serializers.IntegerField(required=False, min_value=1, max_value=100)
    to_end = serializers.BooleanField(required=False)
    parts = serializers.ListField(child=serializers.CharField(**_TEXT), required=False, max_length=10)
    constant = serializers.CharField(required=False, **_TEXT)
    words = serializers.DictField(child=serializers.CharField(**_TEXT), required=False)
    otherwise = serializers.CharField(required=False, allow_null=True, **_TEXT)


class NewMappingSerializer(StrictSerializer):
    """A mapping to keep. Shape: header: the names of the columns of files that it is for, as they spell them"""

    file_type = serializers.CharField(max_length=40)
    name = serializers.CharField(max_length=NAME_LENGTH)
    header = serializers.ListField(child=serializers.CharField(**_TEXT), allow_empty=False, max_length=STEPS_LIMIT)
    steps = StepSerializer(many=True, required=False, max_length=STEPS_LIMIT)
    left_out = serializers.ListField(
        child=serializers.CharField(**_TEXT), required=False, default=list, max_length=STEPS_LIMIT,
        help_text="Columns of the file that nobody reads.",
    )  # fmt: skip


class MappingSerializer(serializers.ModelSerializer):
    """One version of a mapping. Shape: is_used: files of its header are read by it without asking"""

    file_type = serializers.CharField(source="processor", read_only=True)
    header = serializers.ListField(child=serializers.CharField(), read_only=True)
    steps = serializers.SerializerMethodField()
    left_out = serializers.SerializerMethodField()
    created_by = serializers.CharField(source="created_by_name", read_only=True)
    url = serializers.SerializerMethodField()

    class Meta:
        model = SavedMapping
        fields = (
            "id", "file_type", "name", "version", "header", "steps", "left_out", "is_used", "created_by", "created_at", "url",
        )  # fmt: skip
        read_only_fields = fields

    def get_steps(self, mapping: SavedMapping) -> list[dict[str, Any]]:
        steps: list[dict[str, Any]] = mapping.data.get("steps", [])
        return steps

    def get_left_out(self, mapping: SavedMapping) -> list[str]:
        left_out: list[str] = mapping.data.get("left_out", [])
        return left_out

    def get_url(self, mapping: SavedMapping) -> str:
        return reverse("api:mapping", args=[mapping.site.slug, mapping.pk])


class MappingQuery(PageQuery):
    """Which mappings are wanted."""

    file_type = serializers.CharField(required=False, max_length=40)
    name = serializers.CharField(required=False, max_length=NAME_LENGTH)


class SwitchMappingSerializer(StrictSerializer):
    """Shape: is_used: whether files of its header are read by it; without it the version before counts again"""

    is_used = serializers.BooleanField()


MappingPage = page_of(MappingSerializer)


class Mappings(ApiView):
    """The mappings of a site."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {**READS, "POST": (Scope.MANAGE,)}

    @extend_schema(operation_id="mappings_list", parameters=[MappingQuery], responses=MappingPage)
    def get(self, request: Request, site: str) -> Response:
        """Return all versions of the mappings of the file types that may be used, the last ones first."""
        asked = self.asked(MappingQuery)
        keys = [found.key for found in processors_for(request.user, site=self.site)]
        kept = listed_mappings(self.site, keys).select_related("site")
        kept = kept.filter(processor=asked["file_type"]) if "file_type" in asked else kept
        kept = kept.filter(name=asked["name"]) if "name" in asked else kept
        found, cursor = newest_first(kept, asked)
        return Response(MappingPage({"results": found, "next": address_of(request, cursor)}).data)

    @extend_schema(
        operation_id="mapping_keep", request=NewMappingSerializer, responses={HTTPStatus.CREATED: MappingSerializer}
    )
    def post(self, request: Request, site: str) -> Response:
        """Keep a mapping for files with a header, as the next version of its name; the same again makes none."""
        sent = self.sent(NewMappingSerializer)
        processor = usable_type_or_404(request.user, self.site, sent["file_type"])

        def keep() -> Answer:
            mapping = read_mapping({"steps": sent.get("steps", []), "left_out": sent["left_out"]})
            kept = save_mapping(
                self.site, processor.key, sent["name"], mapping, sent["header"], by=Responsible.of(request.user)
            )
            location = reverse("api:mapping", args=[site, kept.pk])
            return Answer(MappingSerializer(kept).data, HTTPStatus.CREATED, location)

        return answer_once(self, lambda: digest_of_request(self), keep)


class OneMapping(ApiView):
    """One version of a mapping."""

    @extend_schema(operation_id="mapping_get", responses=MappingSerializer)
    def get(self, request: Request, site: str, mapping_id: int) -> Response:
        """Return a mapping."""
        return Response(MappingSerializer(mapping_or_404(request.user, self.site, mapping_id)).data)


class SwitchMapping(ApiView):
    """Use it, or use it no more."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {"POST": (Scope.MANAGE,)}

    @extend_schema(operation_id="mapping_switch", request=SwitchMappingSerializer, responses=MappingSerializer)
    def post(self, request: Request, site: str, mapping_id: int) -> Response:
        """Let files of its header be read by a version, or no more."""
        is_used = self.sent(SwitchMappingSerializer)["is_used"]

        def switch() -> Answer:
            kept = mapping_or_404(request.user, self.site, mapping_id)
            switch_mapping(kept, is_used=is_used, by=Responsible.of(request.user))
            kept.refresh_from_db()
            return Answer(MappingSerializer(kept).data)

        return answer_once(self, lambda: digest_of_request(self), switch)


def mapping_or_404(user: Any, site: MoodleSite, mapping_id: int) -> SavedMapping:
    """Return a mapping of a file type that somebody may use. Raises: Http404"""
    keys = [found.key for found in processors_for(user, site=site)]
    return get_object_or_404(listed_mappings(site, keys).select_related("site"), pk=mapping_id)
