"""Every refusal as problem+json (RFC 9457): a stable code, and a sentence in the language of who asks."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, NamedTuple

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.core.serializers.json import DjangoJSONEncoder
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from sync import errors
from sync.messages import text_of

CONTENT_TYPE = "application/problem+json"
_TYPE = "urn:toolsync:problem:"

# What isn't 400 of the refusals of the API itself.
_OF_CODES: dict[str, HTTPStatus] = {
    "token_missing": HTTPStatus.UNAUTHORIZED,
    "token_of_another_site": HTTPStatus.FORBIDDEN,
    "scope_missing": HTTPStatus.FORBIDDEN,
    "changed_meanwhile": HTTPStatus.PRECONDITION_FAILED,
    "body_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "file_too_large": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "permission_missing": HTTPStatus.FORBIDDEN,
    "file_gone": HTTPStatus.GONE,
    "file_type_unknown": HTTPStatus.UNPROCESSABLE_ENTITY,
    "idempotency_key_reused": HTTPStatus.UNPROCESSABLE_ENTITY,
    "idempotency_in_progress": HTTPStatus.CONFLICT,
    "run_state_wrong": HTTPStatus.CONFLICT,
    "run_not_mendable": HTTPStatus.CONFLICT,
    "mend_line_unknown": HTTPStatus.UNPROCESSABLE_ENTITY,
    "mend_line_twice": HTTPStatus.UNPROCESSABLE_ENTITY,
    "mend_column_unknown": HTTPStatus.UNPROCESSABLE_ENTITY,
    "mend_no_row": HTTPStatus.UNPROCESSABLE_ENTITY,
    "mend_not_encodable": HTTPStatus.UNPROCESSABLE_ENTITY,
    "mend_read_otherwise": HTTPStatus.UNPROCESSABLE_ENTITY,
    "rows_too_many": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "rows_uneven": HTTPStatus.UNPROCESSABLE_ENTITY,
    "rows_cell_wrong": HTTPStatus.UNPROCESSABLE_ENTITY,
    "rows_column_unknown": HTTPStatus.UNPROCESSABLE_ENTITY,
    "site_without_right": HTTPStatus.FORBIDDEN,
    "site_plan_refused": HTTPStatus.CONFLICT,
    "deletions_mixed": HTTPStatus.UNPROCESSABLE_ENTITY,
    "upload_offset_wrong": HTTPStatus.CONFLICT,
    "file_exists": HTTPStatus.CONFLICT,
    "file_in_use": HTTPStatus.CONFLICT,
    "file_in_bundle": HTTPStatus.CONFLICT,
    "file_of_others": HTTPStatus.FORBIDDEN,
    "folder_reserved": HTTPStatus.FORBIDDEN,
    "site_out_of_use": HTTPStatus.CONFLICT,
    "decision_refused": HTTPStatus.FORBIDDEN,
}
# By kind of error, the first that fits.
_OF_KINDS: tuple[tuple[type[Exception], HTTPStatus], ...] = (
    (errors.ApiRefused, HTTPStatus.BAD_REQUEST),
    (errors.TokenRefused, HTTPStatus.UNAUTHORIZED),
    (errors.RightMissing, HTTPStatus.FORBIDDEN),
    (errors.PeopleRefused, HTTPStatus.FORBIDDEN),
    (errors.MoodleUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.StorageUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.AuditUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (errors.MoodleError, HTTPStatus.BAD_GATEWAY),
    (errors.SourceError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (errors.OutcomesMissing, HTTPStatus.GONE),
    (errors.JournalMissing, HTTPStatus.GONE),
    (errors.PlanRefused, HTTPStatus.CONFLICT),
    (errors.UndoRefused, HTTPStatus.CONFLICT),
    (errors.MendRefused, HTTPStatus.CONFLICT),
    (errors.GraceError, HTTPStatus.CONFLICT),
    (errors.CodedError, HTTPStatus.UNPROCESSABLE_ENTITY),
)

logger = logging.getLogger(__name__)


class QueryInvalid(exceptions.ValidationError):
    """Something in the address of a request is wrong."""


class Problem(NamedTuple):
    """What is wrong. Shape: errors: of single fields, each with `field`, `code` and `detail`; headers: of the answer"""

    code: str
    status: int
    params: Mapping[str, Any] = {}
    errors: list[dict[str, str]] = []
    headers: Mapping[str, str] = {}

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {
            "type": _TYPE + self.code,
            "title": HTTPStatus(self.status).phrase,
            "status": int(self.status),
            "code": self.code,
            "detail": text_of(self.code, self.params),
        }
        if self.params:
            body["params"] = json.loads(json.dumps(dict(self.params), cls=_Lenient))
        if self.errors:
            body["errors"] = self.errors
        return body

    def response(self) -> Response:
        return Response(self.body(), status=self.status, headers=dict(self.headers), content_type=CONTENT_TYPE)


class _Lenient(DjangoJSONEncoder):
    def default(self, o: Any) -> Any:
        try:
            return super().default(o)
        except TypeError:
            return str(o)


def answer_problem(error: Exception, context: Mapping[str, Any]) -> Response:
    """Return the answer to a request that ended with an exception; one that nobody expected is logged."""
    problem = _of_coded(error) or _of_framework(error, context["request"])
    if problem is None:
        logger.error("the API: %s", type(error).__name__, exc_info=error)
        got_request_exception.send(sender=type(context["view"]), request=context["request"])
        is_away = isinstance(error, OperationalError | InterfaceError)
        problem = Problem("database_away", 503) if is_away else Problem("server_error", 500)
    return problem.response()


def _of_coded(error: Exception) -> Problem | None:
    if not isinstance(error, errors.CodedError):
        return None
    status = _OF_CODES.get(error.code) or next(status for kind, status in _OF_KINDS if isinstance(error, kind))
    headers = {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="ToolSync"'
    elif status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "30"
    return Problem(error.code, status, error.params, headers=headers)


def _of_framework(error: Exception, request: Any) -> Problem | None:
    """Return the problem of an exception of Django or of the framework of the API; None for one that nobody expected."""
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return _of_coded(errors.ApiRefused("token_missing"))
    if isinstance(error, exceptions.MethodNotAllowed):
        return Problem("method_wrong", 405, {"method": str(request.method)})
    if isinstance(error, exceptions.UnsupportedMediaType):
        taken = ", ".join(parser.media_type for parser in request.parsers)
        return Problem("media_type_wrong", 415, {"given": str(request.content_type)[:100], "taken": taken})
    if isinstance(error, exceptions.Throttled):
        seconds = int(error.wait or 1)
        return Problem("too_many_requests", 429, {"seconds": seconds}, headers={"Retry-After": str(seconds)})
    return _of_wrong_request(error)


def _of_wrong_request(error: Exception) -> Problem | None:
    if isinstance(error, exceptions.ValidationError):
        code = "query_invalid" if isinstance(error, QueryInvalid) else "body_invalid"
        return Problem(code, 400, errors=list(field_errors(error.detail)))
    if isinstance(error, exceptions.ParseError):
        return Problem("body_unreadable", 400, {"reason": str(error.detail)})
    if isinstance(error, SuspiciousOperation):
        return Problem("body_unreadable", 400, {"reason": type(error).__name__})
    if isinstance(error, exceptions.NotAcceptable):
        return Problem("not_acceptable", 406)
    if isinstance(error, PermissionDenied | exceptions.PermissionDenied):
        return Problem("permission_missing", 403)
    return Problem("not_found", 404) if isinstance(error, Http404 | exceptions.NotFound) else None


def field_errors(detail: Any, field: str = "") -> Iterator[dict[str, str]]:
    """Yield what is wrong with each field. Shape: field: path with points, "rows.0.name"; "" = the whole body"""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            own = "" if name == "non_field_errors" else str(name)
            yield from field_errors(inner, ".".join(filter(None, (field, own))))
    elif isinstance(detail, list):
        for number, inner in enumerate(detail):
            is_nested = isinstance(inner, Mapping | list)
            yield from field_errors(inner, ".".join(filter(None, (field, str(number)))) if is_nested else field)
    else:
        yield {"field": field, "code": getattr(detail, "code", "invalid"), "detail": str(detail)}
