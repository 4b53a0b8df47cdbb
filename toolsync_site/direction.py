"""Pages show what would turn the direction of their text, whichever value it comes from."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase

from sync.outcomes.direction_marks import with_direction_marks


class DirectionMarks:
    """Marks these characters in every page. Files that are handed out stay as they are."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        is_page = response.get("Content-Type", "").startswith("text/html") and response.charset == "utf-8"
        if isinstance(response, HttpResponse) and is_page and not response.content.isascii():
            response.content = with_direction_marks(response.content.decode()).encode()
        return response
