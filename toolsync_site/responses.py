"""What every answer gets: nobody keeps it, and characters that turn the direction of text are shown, whatever holds them."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import add_never_cache_headers

from sync.outcomes.report import with_direction_marks


class NothingKept:
    """Tells browsers and proxies to keep no answer: it is for the person who asked, with the rights of that moment.

    Static files are answered before this is asked.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        if not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response


class DirectionMarks:
    """Marks the characters that turn the direction of text in every page. Files that are handed out stay as they are."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        is_page = response.get("Content-Type", "").startswith("text/html") and response.charset == "utf-8"
        if isinstance(response, HttpResponse) and is_page and not response.content.isascii():
            response.content = with_direction_marks(response.content.decode()).encode()
        return response
