"""The OpenAPI document: made from the views, the serializers and what file types declare, in the language of who asks."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, ClassVar

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, override
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.openapi import AutoSchema
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.authentication import TokenAuthentication
from sync.api.base import ApiView
from sync.api.problems import CONTENT_TYPE
from sync.errors import ApiRefused

_PROBLEM = {
    "type": "object",
    "description": "Why a request wasn't taken (RFC 9457). Codes are stable, sentences are in the language of who asks.",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:toolsync:problem:token_missing"]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "params": {"type": "object", "description": "What the sentence was made with.", "additionalProperties": True},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {
                    "field": {"type": "string", "description": "Path with points; empty: the whole body."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
_TAG = {"type": "string", "description": "Send it back in If-None-Match: what hasn't changed is answered with 304."}


class OperationSchema(AutoSchema):
    """Names operations by method and address, and sorts them by the noun of the address."""

    def get_tags(self) -> list[str]:
        parts = [part for part in self.path.split("/") if part and not part.startswith("{")]
        return [parts[3] if len(parts) > 3 else parts[-1]]


def add_what_all_have(result: dict[str, Any], **_kwargs: Any) -> dict[str, Any]:
    """Add to the document what every operation may answer, and that bodies take no fields but those named."""
    schemas = result["components"]["schemas"]
    schemas["Problem"] = _PROBLEM
    for name, schema in schemas.items():
        if name.endswith("Request") and schema.get("type") == "object" and "properties" in schema:
            schema.setdefault("additionalProperties", False)
    problem = {"content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    for operations in result["paths"].values():
        for method, operation in operations.items():
            answers = operation["responses"]
            answers["4XX"] = {"description": "The request wasn't taken; nothing was done.", **problem}
            answers["5XX"] = {"description": "It can't be taken at the moment.", **problem}
            if method == "get" and "200" in answers:
                answers["200"].setdefault("headers", {})["ETag"] = {"schema": _TAG}
                answers["304"] = {"description": "It is as it was."}
    return result


@lru_cache(maxsize=8)
def document(language: str) -> dict[str, Any]:
    """Return the OpenAPI document in a language."""
    with override(language):
        made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return made


class _SignedIn(BaseAuthentication):
    """Whoever is logged in with a browser may read the document, as it is read by the page that shows it."""

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        user = getattr(request._request, "user", None)  # noqa: SLF001
        return (user, None) if user is not None and user.is_authenticated else None


class _Known(BasePermission):
    def has_permission(self, request: Request, view: Any) -> bool:
        if not request.user.is_authenticated:
            raise ApiRefused("token_missing")
        return True


class OpenApi(ApiView):
    """The document."""

    schema = None
    authentication_classes: ClassVar[list[type[BaseAuthentication]]] = [TokenAuthentication, _SignedIn]
    permission_classes: ClassVar[list[type[BasePermission]]] = [_Known]

    def get(self, _request: Request) -> Response:
        return Response(document(get_language() or "en"))


@login_required
@require_safe
def docs_page(request: HttpRequest) -> HttpResponse:
    """Show the document to people. They ask with a token that they put in; their session opens nothing."""
    return render(request, "sync/api_docs.html", {"document": reverse("api:openapi")})
