"""Limits of one category with all below it, or of cohorts whose idnumbers begin alike."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.base import READS, StrictSerializer
from sync.api.idempotency import Answer, answer_once, digest_of_request
from sync.api.limits import LimitSerializer, OfFileType
from sync.guard.limits import SCOPE_KINDS, Limit, ScopeKind, read_scope_limits
from sync.models import Scope, ScopeLimits
from sync.people.roles import MANAGE_LIMITS
from sync.runs.rights import Responsible
from sync.runs.scope_limits import delete_scope, set_scope, stored_scopes

_KINDS = ScopeLimits.Kind.choices
_NAME_HELP = "Of a category its idnumber or number; of cohorts the beginning of their idnumbers."


class ScopeLimitsSerializer(serializers.Serializer):
    """The limits of a scope. Shape: limits: kind ("courses.deleted") -> limit; found: what is in it now, told when it is set"""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(_KINDS)
    name = serializers.CharField(help_text=_NAME_HELP)
    limits = serializers.DictField(child=LimitSerializer())
    found = serializers.DictField(child=serializers.IntegerField(), allow_null=True)


class ScopeChoiceSerializer(StrictSerializer):
    """The limits of a scope; kinds that aren't named have none. What the scope is called is looked for in Moodle."""

    name = serializers.CharField(max_length=100, help_text=_NAME_HELP)
    limits = serializers.DictField(child=LimitSerializer())


class NewScopeSerializer(ScopeChoiceSerializer):
    """Limits of a further scope. Shape: kind: "category" or "cohorts" """

    kind = serializers.ChoiceField(_KINDS)


class ScopeLimitsList(OfFileType):
    """The scopes of a file type that have limits of their own."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {**READS, "POST": (Scope.MANAGE,)}
    permission: ClassVar[str] = MANAGE_LIMITS

    @extend_schema(operation_id="scope_limits_list", responses=ScopeLimitsSerializer(many=True))
    def get(self, _request: Request, site: str, file_type: str) -> Response:
        """Return the limits of scopes of a file type; of `all`, those of every file type that has none of its own for them."""
        return Response([told_scope(each) for each in stored_scopes(self.site, self.key_of(file_type))])

    @extend_schema(
        operation_id="scope_limits_make",
        request=NewScopeSerializer,
        responses={HTTPStatus.CREATED: ScopeLimitsSerializer},
    )
    def post(self, _request: Request, site: str, file_type: str) -> Response:
        """Set limits for a category or for cohorts. They are looked for in Moodle; what is found is told."""
        key = self.key_of(file_type)
        sent = self.sent(NewScopeSerializer)

        def make() -> Answer:
            stored = ScopeLimits(site=self.site, processor=key, kind=sent["kind"])
            told = set_limits_of_scope(stored, sent, self.by)
            address = reverse("api:scope_limit", args=[site, file_type, stored.pk])
            return Answer(told, HTTPStatus.CREATED, address)

        return answer_once(self, lambda: digest_of_request(self), make)


class OneScope(OfFileType):
    """One scope of a file type."""

    permission: ClassVar[str] = MANAGE_LIMITS

    @extend_schema(operation_id="scope_limits_get", responses=ScopeLimitsSerializer)
    def get(self, _request: Request, site: str, file_type: str, scope_id: int) -> Response:
        """Return the limits of a scope."""
        return Response(told_scope(self._stored(file_type, scope_id)))

    @extend_schema(operation_id="scope_limits_put", request=ScopeChoiceSerializer, responses=ScopeLimitsSerializer)
    def put(self, _request: Request, site: str, file_type: str, scope_id: int) -> Response:
        """Set the limits of a scope, in place of those that it has."""
        stored = self._stored(file_type, scope_id)
        sent = self.sent(ScopeChoiceSerializer)
        with self.unchanged():
            return Response(set_limits_of_scope(stored, sent, self.by))

    @extend_schema(operation_id="scope_limits_delete", responses={HTTPStatus.NO_CONTENT: None})
    def delete(self, _request: Request, site: str, file_type: str, scope_id: int) -> Response:
        """Delete the limits of a scope."""
        stored = self._stored(file_type, scope_id)
        with self.unchanged():
            delete_scope(stored, self.by)
        return Response(status=HTTPStatus.NO_CONTENT)

    def _stored(self, file_type: str, scope_id: int) -> ScopeLimits:
        return get_object_or_404(stored_scopes(self.site, self.key_of(file_type)), pk=scope_id)


def set_limits_of_scope(stored: ScopeLimits, sent: Mapping[str, Any], by: Responsible) -> dict[str, Any]:
    """Keep what was sent; return it with what was found. Raises: OptionError; MoodleError

    Shape: sent: as of ScopeChoiceSerializer
    """
    limits = {kind: Limit(limit["percent"], limit["number"]) for kind, limit in sent["limits"].items()}
    found = set_scope(stored, sent["name"], limits, by)
    return told_scope(stored, found)


def told_scope(stored: ScopeLimits, found: Mapping[str, int] | None = None) -> dict[str, Any]:
    """Return the limits of a scope. Raises: OptionError where they can't be read"""
    kind = ScopeKind(stored.kind)
    limits = read_scope_limits(kind, stored.values)
    told = {
        "id": stored.pk,
        "kind": kind.value,
        "name": stored.name,
        "limits": {name: limits[name]._asdict() for name in SCOPE_KINDS[kind]},
        "found": found,
    }
    return dict(ScopeLimitsSerializer(told).data)
