"""Freeze windows: periods during which nothing starts by itself."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, ClassVar

from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.access import MANAGE_ALL_SCHEDULES, MANAGE_SCHEDULES
from sync.api.base import READS, ApiView, StrictSerializer
from sync.api.idempotency import Answer, answer_once, digest_of_request
from sync.errors import ApiRefused
from sync.messages import text_of
from sync.models import FreezeWindow, MoodleSite, Scope
from sync.people.rights import may
from sync.runs.rights import Responsible
from sync.runs.selectors import visible_processors
from sync.schedules.services import add_freeze_window, delete_freeze_window, open_windows


class MomentField(serializers.DateTimeField):
    """A moment with its offset: without one, nobody knows whose clock is meant."""

    def enforce_timezone(self, value: datetime) -> datetime:
        if timezone.is_naive(value):
            raise serializers.ValidationError(text_of("moment_without_offset"), "moment_without_offset")
        moment: datetime = super().enforce_timezone(value)
        return moment


class FreezeWindowSerializer(serializers.ModelSerializer):
    """A period during which nothing starts by itself."""

    class Meta:
        model = FreezeWindow
        fields = ("id", "starts_at", "ends_at", "reason")
        read_only_fields = fields


class NewFreezeWindowSerializer(StrictSerializer):
    """A further period, of a hundred days at most; moments with their offset ("2026-07-01T00:00:00+02:00")."""

    starts_at = MomentField()
    ends_at = MomentField()
    reason = serializers.CharField(required=False, allow_blank=True, max_length=200, default="")


class FreezeWindows(ApiView):
    """The freeze windows of a site that aren't over."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {**READS, "POST": (Scope.MANAGE,)}

    @extend_schema(operation_id="freeze_windows_list", responses=FreezeWindowSerializer(many=True))
    def get(self, request: Request, site: str) -> Response:
        """Return the freeze windows that aren't over, the next one first."""
        _check_may_see(self)
        return Response(FreezeWindowSerializer(open_windows(self.site), many=True).data)

    @extend_schema(
        operation_id="freeze_window_make",
        request=NewFreezeWindowSerializer,
        responses={HTTPStatus.CREATED: FreezeWindowSerializer},
    )
    def post(self, request: Request, site: str) -> Response:
        """Let nothing start by itself for a while. What is at work goes on."""
        _check_may_freeze(self)
        sent = self.sent(NewFreezeWindowSerializer)

        def make() -> Answer:
            made = freeze(self.site, sent, Responsible.of(request.user))
            told = dict(FreezeWindowSerializer(made).data)
            return Answer(told, HTTPStatus.CREATED, reverse("api:freeze_window", args=[site, made.pk]))

        return answer_once(self, lambda: digest_of_request(self), make)


class OneFreezeWindow(ApiView):
    """One freeze window."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {**READS, "DELETE": (Scope.MANAGE,)}

    @extend_schema(operation_id="freeze_window_get", responses=FreezeWindowSerializer)
    def get(self, request: Request, site: str, window_id: int) -> Response:
        """Return a freeze window."""
        _check_may_see(self)
        return Response(FreezeWindowSerializer(get_object_or_404(FreezeWindow, site=self.site, pk=window_id)).data)

    @extend_schema(operation_id="freeze_window_delete", responses={HTTPStatus.NO_CONTENT: None})
    def delete(self, request: Request, site: str, window_id: int) -> Response:
        """Let things start by themselves again."""
        _check_may_freeze(self)
        window = get_object_or_404(FreezeWindow, site=self.site, pk=window_id)
        with self.unchanged():
            delete_freeze_window(window, by=Responsible.of(request.user))
        return Response(status=HTTPStatus.NO_CONTENT)


def freeze(site: MoodleSite, sent: Mapping[str, Any], by: Responsible) -> FreezeWindow:
    """Keep a freeze window. Shape: sent: as of NewFreezeWindowSerializer. Raises: ScheduleError"""
    return add_freeze_window(site, sent["starts_at"], sent["ends_at"], sent["reason"], by=by)


def _check_may_see(view: ApiView) -> None:
    """Raises: ApiRefused for who has no right on the site; all others see on the pages when nothing starts"""
    if not visible_processors(view.request.user, view.site):
        raise ApiRefused("permission_missing")


def _check_may_freeze(view: ApiView) -> None:
    """Raises: ApiRefused for who may not freeze the whole site"""
    if not all(may(view.request.user, right, view.site) for right in (MANAGE_SCHEDULES, MANAGE_ALL_SCHEDULES)):
        raise ApiRefused("permission_missing")
