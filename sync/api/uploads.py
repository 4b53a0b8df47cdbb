"""Large files in pieces: a piece that got lost is sent again, all others stay."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import IO, Any, ClassVar

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import Http404
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.base import READS, ApiView
from sync.api.files import FilePlaceSerializer, FileSerializer, check_place, keep
from sync.api.idempotency import Answer, answer_once, digest_of_request
from sync.commandfiles import chunked_uploads
from sync.commandfiles.chunked_uploads import LARGEST_PIECE
from sync.errors import ApiRefused
from sync.models import ChunkedUpload, Scope
from sync.runs.options import run_limits

_OFFSET = OpenApiParameter(
    "Upload-Offset", OpenApiTypes.INT64, OpenApiParameter.HEADER, required=True,
    description="Where in the file the piece begins: the offset that the last answer told.",
)  # fmt: skip


class Octets(BaseParser):
    """The bytes as they come."""

    media_type = "application/octet-stream"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> bytes:
        return stream.read()


class NewChunkedUploadSerializer(FilePlaceSerializer):
    """A file that is to arrive in pieces."""

    name = serializers.CharField(max_length=255)
    size = serializers.IntegerField(min_value=0, max_value=2**40)
    sha256 = serializers.RegexField(
        r"^[0-9a-f]{64}$", required=False, help_text="Of the whole file: one that arrives otherwise isn't kept."
    )


class ChunkedUploadSerializer(serializers.ModelSerializer):
    """A file that arrives in pieces. Shape: offset: where the next piece begins; file: what became of it"""

    file = FileSerializer(read_only=True, allow_null=True)
    largest_piece = serializers.IntegerField(default=LARGEST_PIECE, read_only=True, help_text="In bytes.")

    class Meta:
        model = ChunkedUpload
        fields = ("id", "name", "size", "offset", "largest_piece", "created_at", "file")
        read_only_fields = fields


class Uploads(ApiView):
    """Files that arrive in pieces."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {"POST": (Scope.PLAN,)}

    @extend_schema(
        operation_id="upload_begin",
        request=NewChunkedUploadSerializer,
        responses={HTTPStatus.CREATED: ChunkedUploadSerializer},
    )
    def post(self, request: Request, site: str) -> Response:
        """Begin with a file. Its pieces go, in order, to the address in `Location`, for a day."""
        sent = self.sent(NewChunkedUploadSerializer)
        check_place(request.user, self.site, sent)

        def begin() -> Answer:
            upload = chunked_uploads.begin_upload(
                self.site, self.token, sent["name"], sent["size"], sha256=sent.get("sha256", ""),
                processor=sent.get("file_type", ""), folder=sent.get("folder", "/"), replace=sent["replace"],
                max_megabytes=run_limits().max_upload_megabytes,
            )  # fmt: skip
            location = reverse("api:upload", args=[site, upload.pk])
            return Answer(ChunkedUploadSerializer(upload).data, HTTPStatus.CREATED, location)

        return answer_once(self, lambda: digest_of_request(self), begin)


class Upload(ApiView):
    """One file that arrives in pieces."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {
        "GET": (Scope.PLAN, *READS["GET"]), "PATCH": (Scope.PLAN,), "DELETE": (Scope.PLAN,),
    }  # fmt: skip
    largest_body: ClassVar[int] = LARGEST_PIECE

    def get_parsers(self) -> list[BaseParser]:
        return [Octets()]

    @extend_schema(operation_id="upload_get", responses=ChunkedUploadSerializer)
    def get(self, _request: Request, site: str, upload_id: int) -> Response:
        """Return how much has arrived: the next piece begins at `offset`."""
        return self._told(self._upload(upload_id))

    @extend_schema(
        operation_id="upload_piece",
        parameters=[_OFFSET],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses=ChunkedUploadSerializer,
    )
    def patch(self, request: Request, site: str, upload_id: int) -> Response:
        """Add a piece. With the last one the file is whole, and is the `file` of the answer."""
        upload = self._upload(upload_id)
        offset = request.headers.get("Upload-Offset", "")
        if not offset.isascii() or not offset.isdecimal() or len(offset) > 18:
            raise ApiRefused("upload_offset_missing")
        chunked_uploads.add_piece(upload, int(offset), request.data or b"")
        if upload.is_whole:
            self._finish(upload)
        return self._told(upload)

    @extend_schema(operation_id="upload_delete", responses={HTTPStatus.NO_CONTENT: None})
    def delete(self, _request: Request, site: str, upload_id: int) -> Response:
        """Delete the pieces of a file that have arrived."""
        upload = self._upload(upload_id)
        with self.unchanged():
            chunked_uploads.drop_upload(upload)
        return Response(status=HTTPStatus.NO_CONTENT)

    def _upload(self, upload_id: int) -> ChunkedUpload:
        found = ChunkedUpload.objects.select_related("site", "file__site", "file__uploaded_by")
        upload = found.filter(site=self.site, token__person=self.request.user, pk=upload_id).first()
        if upload is None:
            raise Http404
        return upload

    def _finish(self, upload: ChunkedUpload) -> None:
        place = (
            {"file_type": upload.processor}
            if upload.processor
            else {"folder": upload.folder, "replace": upload.replace}
        )
        check_place(self.request.user, self.site, place)
        try:
            with transaction.atomic():
                # The last piece may have arrived twice at a time: one of them makes the file.
                locked = ChunkedUpload.objects.select_for_update().filter(pk=upload.pk).first()
                if locked is None:
                    raise Http404
                if locked.is_whole:
                    with chunked_uploads.whole_file(locked) as content:
                        handed = UploadedFile(content, locked.name)
                        chunked_uploads.finish_upload(locked, keep(self, handed, locked.name, place))
        except chunked_uploads.AlteredUpload:
            chunked_uploads.drop_upload(upload)
            raise
        chunked_uploads.delete_pieces(upload)
        upload.refresh_from_db()

    def _told(self, upload: ChunkedUpload) -> Response:
        return Response(ChunkedUploadSerializer(upload).data, headers={"Upload-Offset": str(upload.offset)})
