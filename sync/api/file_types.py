"""File types: what their files may contain and what can be tuned, from the declarations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.access import usable_type_or_404, visible_type_or_404
from sync.api.base import READS, ApiView, OptionsField, StrictSerializer
from sync.columns.describe import describe_columns
from sync.columns.options import Choice, Flag, Number, Option, Text
from sync.models import MoodleSite, Scope
from sync.processors.base.processor import Processor
from sync.runs.options import resolve_options
from sync.runs.rights import Responsible
from sync.runs.selectors import visible_processors
from sync.runs.services import save_settings

_KINDS: dict[str, type[Option[Any]]] = {"flag": Flag, "choice": Choice, "number": Number, "text": Text}


class FileTypeSerializer(serializers.Serializer):
    """A file type."""

    key = serializers.CharField()
    label = serializers.CharField()
    summary = serializers.CharField()
    default_filename = serializers.CharField(help_text="The name by which files of the type are recognised.")
    headerless = serializers.BooleanField(help_text="Files are lists, without a header.")
    of_pictures = serializers.BooleanField(help_text="Files are zips of pictures.")


class ColumnSerializer(serializers.Serializer):
    """A column of a file type, as its page describes it."""

    name = serializers.CharField()
    required = serializers.BooleanField(help_text="The header must have it.")
    values = serializers.CharField()
    empty = serializers.CharField(help_text="What an empty cell does.")
    default = serializers.CharField(help_text="What a new thing has without the cell.")
    aliases = serializers.CharField()
    sample = serializers.CharField()
    help = serializers.CharField()


class ChoiceSerializer(serializers.Serializer):
    """One of the values of an option."""

    value = serializers.CharField()
    label = serializers.CharField()


class OptionSerializer(serializers.Serializer):
    """An option of a file type, and what is set for the site."""

    name = serializers.CharField()
    type = serializers.ChoiceField([*_KINDS, "other"])
    label = serializers.CharField()
    help = serializers.CharField()
    default = serializers.JSONField()
    value = serializers.JSONField(help_text="As set for the site.")
    choices = ChoiceSerializer(many=True)


class FileTypeDetailSerializer(FileTypeSerializer):
    """A file type with its columns and options."""

    columns = ColumnSerializer(many=True)
    one_of = serializers.ListField(
        child=serializers.CharField(), help_text="The header must have at least one of these."
    )
    options = OptionSerializer(many=True)


class SettingsSerializer(StrictSerializer):
    """Options by name; what isn't named has its default."""

    options = OptionsField(help_text="Name of an option: its value.")


class FileTypes(ApiView):
    """The file types of a site."""

    @extend_schema(operation_id="file_types_list", responses=FileTypeSerializer(many=True))
    def get(self, request: Request, site: str) -> Response:
        """Return the file types whose runs may be seen, in the order in which files that arrive together are carried out."""
        facts = [_facts(processor) for processor in visible_processors(request.user, self.site)]
        return Response(FileTypeSerializer(facts, many=True).data)


class FileType(ApiView):
    """One file type."""

    @extend_schema(operation_id="file_type_get", responses=FileTypeDetailSerializer)
    def get(self, request: Request, site: str, file_type: str) -> Response:
        """Return a file type with the columns of its files and its options."""
        processor = visible_type_or_404(request.user, self.site, file_type)
        detail = {
            **_facts(processor),
            "columns": describe_columns(processor.columns),
            "one_of": processor.columns.one_of,
            "options": _options(processor, self.site),
        }
        return Response(FileTypeDetailSerializer(detail).data)


class FileTypeSettings(ApiView):
    """The options that are set for a file type of a site."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {**READS, "PUT": (Scope.MANAGE,)}

    @extend_schema(operation_id="settings_get", responses=SettingsSerializer)
    def get(self, request: Request, site: str, file_type: str) -> Response:
        """Return the options of a file type as they are set."""
        processor = visible_type_or_404(request.user, self.site, file_type)
        return Response({"options": dict(resolve_options(self.site, processor.key))})

    @extend_schema(operation_id="settings_put", request=SettingsSerializer, responses=SettingsSerializer)
    def put(self, request: Request, site: str, file_type: str) -> Response:
        """Set the options of a file type. If-Match with the ETag that was read keeps what somebody else has set meanwhile."""
        processor = usable_type_or_404(request.user, self.site, file_type)
        values = self.sent(SettingsSerializer)["options"]
        with self.unchanged():
            save_settings(site=self.site, processor=processor.key, values=values, by=Responsible.of(request.user))
        return Response({"options": dict(resolve_options(self.site, processor.key))})


def _facts(processor: type[Processor]) -> dict[str, Any]:
    return {
        "key": processor.key,
        "label": processor.label,
        "summary": processor.summary,
        "default_filename": processor.default_filename,
        "headerless": processor.columns.headerless,
        "of_pictures": processor.columns.of_pictures,
    }


def _options(processor: type[Processor], site: MoodleSite) -> list[dict[str, Any]]:
    values = resolve_options(site, processor.key)
    return [
        {
            "name": option.name,
            "type": next((name for name, kind in _KINDS.items() if isinstance(option, kind)), "other"),
            "label": str(option.label),
            "help": str(option.help),
            "default": option.default,
            "value": values[option.name],
            "choices": [{"value": v, "label": str(label)} for v, label in getattr(option, "choices", {}).items()],
        }
        for option in processor.options.declared
    ]
