"""What a request holds: fields of its address and of its body, and files, read only once a token has let them in."""

from __future__ import annotations

from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.utils.datastructures import MultiValueDict

from sync.api.moodle_protocol.errors import ServiceError, invalid_parameter
from sync.messages import text_of

MEGABYTE = 1_000_000
# Some thousand enrolments in one call; whoever has more sends a file.
LARGEST_CALL = 4 * MEGABYTE
# So much is read of a body before the token is known, which stands in it or in the address.
_HEAD_BYTES = 64 * 1024
_MOST_FIELDS = 100_000
_LONGEST_PEEK = 200
_MULTIPART = "multipart/form-data"


class Incoming:
    """A request, of which no more than a beginning is read unless somebody asks for all. It is closed in the end."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._address = _decoded(request.META.get("QUERY_STRING", "").encode("latin-1"))
        self._head = request.read(_HEAD_BYTES) if request.method == "POST" else b""

    def peek(self, name: str) -> str:
        """Return a field that stands in the address or at the beginning of the body, "" without one."""
        if name in (named := dict(self._address)):
            return named[name]
        if self._is_multipart:
            # What stands before the blank line are further headers of the part.
            part = b"\r\n" + self._head.partition(f'name="{name}"\r\n'.encode())[2]
            value = part.partition(b"\r\n\r\n")[2].partition(b"\r\n")[0]
            return value[:_LONGEST_PEEK].decode("latin-1").strip()
        begin = f"{name}=".encode()
        found = next((pair for pair in self._head.split(b"&") if pair.startswith(begin)), b"")
        return dict(_decoded(found[: len(begin) + _LONGEST_PEEK])).get(name, "")

    def fields(self) -> list[tuple[str, str]]:
        """Return all fields, those of the address first: of two of a name the one in the body counts. Raises: ServiceError"""
        self._check_length(LARGEST_CALL)
        if self._is_multipart:
            return [*self._address, *self._multipart[0]]
        return [*self._address, *_decoded(self._head + self._request.read(LARGEST_CALL))]

    def files(self, megabytes: int) -> list[UploadedFile]:
        """Return all files. Shape: megabytes: of them all at most, 0 = as large as they like. Raises: ServiceError"""
        if not self._is_multipart:
            raise invalid_parameter("files are sent as multipart/form-data")
        if megabytes:
            self._check_length(megabytes * MEGABYTE + LARGEST_CALL)
        return [file for _field, of_field in self._multipart[1].lists() for file in of_field]

    def close(self) -> None:
        """Close the files; those that were too large for the memory are then gone from the disk."""
        if "_multipart" in vars(self):
            for _field, of_field in self._multipart[1].lists():
                for file in of_field:
                    file.close()

    @property
    def _is_multipart(self) -> bool:
        return self._request.method == "POST" and self._request.content_type == _MULTIPART

    @cached_property
    def _multipart(self) -> tuple[list[tuple[str, str]], MultiValueDict[str, UploadedFile]]:
        request = self._request
        stream: Any = _Rejoined(self._head, request)
        try:
            posted, files = MultiPartParser(request.META, stream, request.upload_handlers, "utf-8").parse()
        except (MultiPartParserError, SuspiciousOperation) as error:
            raise invalid_parameter(str(error)[:200]) from None
        return [(name, str(value)) for name, values in posted.lists() for value in values], files

    def _check_length(self, most: int) -> None:
        try:
            length = int(self._request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            raise ServiceError(text_of("service_length_unreadable"), "invalidrequest") from None
        if length > most:
            raise invalid_parameter(f"at most {most // MEGABYTE} MB are taken in one call")


class _Rejoined:
    """A stream of which the beginning was read already."""

    def __init__(self, head: bytes, rest: Any) -> None:
        self._head = head
        self._rest = rest

    def read(self, size: int = 1, /) -> bytes:
        """Return at most so many bytes, b"" at the end."""
        if not self._head:
            found: bytes = self._rest.read(size)
            return found
        part, self._head = self._head[:size], self._head[size:]
        return part


def _decoded(text: bytes) -> list[tuple[str, str]]:
    try:
        return [
            (name.decode(), value.decode())
            for name, value in parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        ]
    except UnicodeError:
        raise invalid_parameter("it is not UTF-8 throughout") from None
    except ValueError:
        raise invalid_parameter(f"at most {_MOST_FIELDS} fields are taken in one call") from None
