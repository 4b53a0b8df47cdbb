"""How large a request may be, before a byte of it is kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, SkipFile
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _

MEGABYTE = 1_000_000
# The largest form is a choice of some thousand courses.
FORM_LIMIT = 4 * MEGABYTE
ANONYMOUS_LIMIT = 64 * 1024
# The pages that take files, by the names of their addresses.
_TAKE_FILES = frozenset(("files", "tool", "new_import", "bundle_new"))


class UploadLimits:
    """Refuse what is too large by what the request says of itself: less than that is never read.

    Behind the middleware that knows who asks, and before the forms are read (which the check against forgery does).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        size = _size(request)
        # The API asks for the token first, and then limits what it reads by itself (sync/api/base.py); the web services of Moodle
        # do the same (sync/api/moodle_protocol/requests.py).
        if size and not request.path_info.startswith(("/api/", "/webservice/")):
            is_known = request.user.is_authenticated
            takes_files = is_known and _takes_files(request)
            if not takes_files:
                request.upload_handlers = [_NoFiles(request)]
            limit = _limit(is_known=is_known, takes_files=takes_files)
            if limit and size > limit:
                return _refusal(request, limit, is_known=is_known)
        return self._get_response(request)


class _NoFiles(FileUploadHandler):
    """Passes over files that come with a form that asks for none."""

    def new_file(self, *_args: Any, **_kwargs: Any) -> None:
        raise SkipFile

    def receive_data_chunk(self, raw_data: bytes, _start: int) -> bytes:
        return raw_data

    def file_complete(self, _file_size: int) -> None:
        return None


def _size(request: HttpRequest) -> int:
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


def _takes_files(request: HttpRequest) -> bool:
    try:
        return resolve(request.path_info).url_name in _TAKE_FILES
    except Resolver404:
        return False


def _limit(*, is_known: bool, takes_files: bool) -> int:
    """Return how many bytes a body may have; 0 = unlimited."""
    if not is_known:
        return ANONYMOUS_LIMIT
    if not takes_files:
        return FORM_LIMIT
    return settings.TOOLSYNC_MAX_UPLOAD_MB * MEGABYTE + FORM_LIMIT if settings.TOOLSYNC_MAX_UPLOAD_MB else 0


def _refusal(request: HttpRequest, limit: int, *, is_known: bool) -> HttpResponse:
    text = (
        _("This is larger than the %(limit)s MB that are taken. Split the file, or leave out what it doesn't need.")
        % {"limit": limit // MEGABYTE}
        if is_known
        else _("You are not signed in, so nothing as large as this is taken. Sign in, then send it again.")
    )
    if "text/html" not in request.headers.get("Accept", ""):
        return HttpResponse(text, status=413, content_type="text/plain; charset=utf-8")
    return render(request, "413.html", {"text": text}, status=413)
