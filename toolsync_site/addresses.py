"""What an address may hold."""

from __future__ import annotations

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponseBase


class NoNullCharacters:
    """Refuses addresses with a null character: no name or text has one, and PostgreSQL takes none to look for.

    The API and the web services of Moodle say themselves which field holds it; forms do so, too.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_ours = not request.path_info.startswith(("/api/", "/webservice/"))
        if is_ours and ("\0" in request.path_info or "%00" in request.META.get("QUERY_STRING", "")):
            raise BadRequest("null character")
        return self._get_response(request)
