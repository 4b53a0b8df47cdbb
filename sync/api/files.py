"""Command files: handed in whole, listed, read, deleted."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.access import own_file_or_404, reachable_files, usable_type_or_404
from sync.api.base import KILOBYTE, READS, ApiView, StrictSerializer, sent_file
from sync.api.idempotency import Answer, answer_once, digest_of_request
from sync.api.paging import PageQuery, address_of, newest_first, page_of
from sync.commandfiles.intake import MEGABYTE, delete_file
from sync.commandfiles.storage import key_of_path
from sync.errors import ApiRefused
from sync.models import CommandFile, MoodleSite, Scope
from sync.people.rights import may
from sync.runs.options import run_limits
from sync.runs.rights import MANAGE_FILES
from sync.runs.services import receive_for_run, receive_upload
from sync.whole_files import digest_of

ROOM_FOR_FIELDS = 64 * KILOBYTE


class FileSerializer(serializers.ModelSerializer):
    """A command file. Shape: file_type: as its header says, empty where it doesn't"""

    file_type = serializers.CharField(source="processor", read_only=True)
    uploaded_by = serializers.CharField(source="uploaded_by.username", default=None, read_only=True, allow_null=True)
    content = serializers.SerializerMethodField(help_text="Where its bytes are.")

    class Meta:
        model = CommandFile
        fields = ("id", "path", "name", "size", "sha256", "file_type", "uploaded_at", "uploaded_by", "content")
        read_only_fields = fields

    def get_content(self, file: CommandFile) -> str:
        return reverse("api:file_content", args=[file.site.slug, file.pk])


class FilePlaceSerializer(StrictSerializer):
    """Where a file goes: into a folder of the area, or, with a file type, into one of its own, for runs of that type."""

    file_type = serializers.CharField(required=False, max_length=40)
    folder = serializers.CharField(
        required=False, max_length=200, help_text="Without a file type only; “/” if left out."
    )
    replace = serializers.BooleanField(
        required=False, default=False, help_text="Put it in place of the one of its path."
    )


class UploadSerializer(FilePlaceSerializer):
    """A file that is handed in whole."""

    file = serializers.FileField(max_length=255, allow_empty_file=True)


class FileQuery(PageQuery):
    """Which files are wanted."""

    file_type = serializers.CharField(required=False, max_length=40)
    folder = serializers.CharField(required=False, max_length=255)
    name = serializers.CharField(required=False, max_length=255)


FilePage = page_of(FileSerializer)


class Files(ApiView):
    """The command files of a site."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {**READS, "POST": (Scope.PLAN,)}
    parser_classes: ClassVar[list[type[BaseParser]]] = [MultiPartParser]

    @property
    def largest_body(self) -> int:  # type: ignore[override]
        most = run_limits().max_upload_megabytes
        return most * MEGABYTE + ROOM_FOR_FIELDS if most else 2**63

    @extend_schema(operation_id="files_list", parameters=[FileQuery], responses=FilePage)
    def get(self, request: Request, site: str) -> Response:
        """Return the files that may be used, the last ones first."""
        asked = self.asked(FileQuery)
        files = reachable_files(request.user, self.site)
        for name, column in (("file_type", "processor"), ("folder", "folder"), ("name", "name")):
            files = files.filter(**{column: asked[name]}) if name in asked else files
        found, cursor = newest_first(files, asked)
        return Response(FilePage({"results": found, "next": address_of(request, cursor)}).data)

    @extend_schema(
        operation_id="file_upload",
        request={"multipart/form-data": UploadSerializer},
        responses={HTTPStatus.CREATED: FileSerializer},
    )
    def post(self, request: Request, site: str) -> Response:
        """Hand in a file. It changes nothing by itself: a plan is made of it, or a schedule takes it once somebody says so."""
        sent = self.sent(UploadSerializer)
        check_place(request.user, self.site, sent)
        kept: list[CommandFile] = []

        def receive() -> Answer:
            kept.append(keep(self, sent["file"], sent["file"].name, sent))
            return answer_of_file(kept[0])

        def digest() -> str:
            places = [str(sent.get(name, "")) for name in ("file_type", "folder", "replace")]
            return digest_of_request(self, sent["file"].name, digest_of(sent["file"])[0], *places)

        return answer_once(self, digest, receive)


class File(ApiView):
    """One command file."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {**READS, "DELETE": (Scope.MANAGE,)}

    @extend_schema(operation_id="file_get", responses=FileSerializer)
    def get(self, request: Request, site: str, file_id: int) -> Response:
        """Return what is known of a file."""
        return Response(FileSerializer(get_object_or_404(reachable_files(request.user, self.site), pk=file_id)).data)

    @extend_schema(operation_id="file_delete", responses={HTTPStatus.NO_CONTENT: None})
    def delete(self, request: Request, site: str, file_id: int) -> Response:
        """Delete a file that no run needs any more."""
        file = own_file_or_404(request.user, self.site, file_id)
        with self.unchanged():
            delete_file(file)
        return Response(status=HTTPStatus.NO_CONTENT)


class FileContent(ApiView):
    """The bytes of a command file."""

    @extend_schema(operation_id="file_content", responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, site: str, file_id: int) -> HttpResponseBase:
        """Return the bytes of a file as they came. They may hold passwords."""
        file = get_object_or_404(reachable_files(request.user, self.site), pk=file_id)
        return sent_file(request, key_of_path(site, file.path), file.name, file.sha256)


def check_place(user: Any, site: MoodleSite, place: Mapping[str, Any]) -> None:
    """Raises: Http404, ApiRefused if somebody may not put a file there"""
    if "file_type" in place:
        if "folder" in place or place.get("replace"):
            raise ApiRefused("file_place_twice")
        usable_type_or_404(user, site, place["file_type"])
    elif not may(user, MANAGE_FILES, site):
        raise ApiRefused("permission_missing")


def keep(view: ApiView, content: Any, name: str, place: Mapping[str, Any]) -> CommandFile:
    """Keep a file where it is to go. Raises: CommandFileError"""
    user, site = view.request.user, view.site
    if "file_type" in place:
        return receive_for_run(site, content, name, place["file_type"], user)
    content.name = name
    return receive_upload(
        site=site,
        uploaded_file=content,
        folder=place.get("folder", "/"),
        user=user,
        replace=place.get("replace", False),
    )


def answer_of_file(file: CommandFile) -> Answer:
    """Return the answer to a file that was handed in."""
    location = reverse("api:file", args=[file.site.slug, file.pk])
    return Answer(FileSerializer(file).data, HTTPStatus.CREATED, location)
