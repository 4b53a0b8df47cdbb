"""The webhook of a site, and what was told last, by mail and to it."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from django.http import Http404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.base import READS, ApiView, StrictSerializer
from sync.api.paging import PageQuery, address_of, newest_first, page_of
from sync.api.run_facts import SaidSerializer
from sync.errors import ApiRefused
from sync.messages import text_of
from sync.models import CHOSEN_EVENTS, Event, MoodleSite, Notification, Scope, Webhook
from sync.notifications.trial import send_test_webhook
from sync.notifications.webhooks import KEY_PREFIX, WebhookChoice, delete_webhook, save_webhook, webhook_of
from sync.people.rights import EVERY, may
from sync.people.roles import MANAGE_NOTIFICATIONS
from sync.processors.registry import REGISTRY
from sync.runs.rights import Responsible
from sync.runs.selectors import processors_for

# As many as Standard Webhooks asks for, and some more.
_KEY_BYTES = 32


class WebhookSerializer(serializers.Serializer):
    """The program that is told. Shape: host: all that is shown of the address; key: one just made, shown this once, else null"""

    host = serializers.CharField()
    events = serializers.ListField(child=serializers.ChoiceField([event.value for event in CHOSEN_EVENTS]))
    key = serializers.CharField(allow_null=True)


class WebhookChoiceSerializer(StrictSerializer):
    """Which program is told, and of what. Address and key are kept encrypted; empty ones stay as they are kept."""

    address = serializers.CharField(
        required=False, allow_blank=True, max_length=2000, default="", write_only=True, help_text="https://…"
    )
    key = serializers.CharField(
        required=False, allow_blank=True, max_length=500, default="", write_only=True, trim_whitespace=False,
        help_text="“whsec_” and base64 of 24 bytes or more, or as many characters, with which messages are signed.",
    )  # fmt: skip
    make_key = serializers.BooleanField(
        required=False, default=False, help_text="A key is made here, and stands in this answer only."
    )
    events = serializers.ListField(
        child=serializers.ChoiceField([event.value for event in CHOSEN_EVENTS]), max_length=len(CHOSEN_EVENTS)
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["key"] and attrs["make_key"]:
            raise serializers.ValidationError(
                {"key": serializers.ErrorDetail(text_of("webhook_key_both"), "webhook_key_both")}
            )
        return attrs


class TestedSerializer(serializers.Serializer):
    """The message arrived."""

    sent = serializers.BooleanField()


class NotificationSerializer(serializers.ModelSerializer):
    """Something that was told, or is to be. Shape: sent_at: null = not yet; next_try_at: null = nothing more is tried"""

    file_type = serializers.CharField(source="processor", read_only=True, help_text="Empty: it is about no file type.")
    event = serializers.ChoiceField([event.value for event in Event], read_only=True)
    run = serializers.IntegerField(source="run_id", allow_null=True, read_only=True)
    error = serializers.SerializerMethodField(help_text="Of the last try.")

    class Meta:
        model = Notification
        fields = (
            "id", "event", "file_type", "run", "channel", "recipients", "created_at", "attempts", "sent_at", "next_try_at",
            "error",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(SaidSerializer(allow_null=True))
    def get_error(self, notification: Notification) -> dict[str, str] | None:
        if not notification.error_code:
            return None
        return {
            "code": notification.error_code,
            "text": text_of(notification.error_code, notification.error_params),
        }


NotificationPage = page_of(NotificationSerializer)


class _OfSite(ApiView):
    """What concerns the notifications of every file type."""

    def check_right(self) -> None:
        """Raises: ApiRefused for who may not set them for every file type, or not use each"""
        if not _is_for_all(self):
            raise ApiRefused("permission_missing")

    def webhook_or_404(self) -> Webhook:
        webhook = webhook_of(self.site)
        if webhook is None:
            raise Http404
        return webhook


class OneWebhook(_OfSite):
    """The webhook of a site."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {**READS, "PUT": (Scope.MANAGE,), "DELETE": (Scope.MANAGE,)}

    @extend_schema(operation_id="webhook_get", responses=WebhookSerializer)
    def get(self, _request: Request, site: str) -> Response:
        """Return which server is told, and of what. Address and key are never shown."""
        self.check_right()
        return Response(told_webhook(self.webhook_or_404()))

    @extend_schema(operation_id="webhook_put", request=WebhookChoiceSerializer, responses=WebhookSerializer)
    def put(self, request: Request, site: str) -> Response:
        """Set which program is told, and of what. With `make_key` the answer holds the new key, which no other answer does."""
        self.check_right()
        sent = self.sent(WebhookChoiceSerializer)
        with self.unchanged():
            return Response(set_webhook(self.site, sent, Responsible.of(request.user)))

    @extend_schema(operation_id="webhook_delete", responses={HTTPStatus.NO_CONTENT: None})
    def delete(self, request: Request, site: str) -> Response:
        """Tell no program any more."""
        self.check_right()
        self.webhook_or_404()
        with self.unchanged():
            delete_webhook(self.site, by=Responsible.of(request.user))
        return Response(status=HTTPStatus.NO_CONTENT)


class TestWebhook(_OfSite):
    """A message that only tries whether it arrives."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {"POST": (Scope.MANAGE,)}

    @extend_schema(operation_id="webhook_test", request=None, responses=TestedSerializer)
    def post(self, _request: Request, site: str) -> Response:
        """Send a message of the kind `test` to the webhook, now; what goes wrong is the answer."""
        self.check_right()
        self.webhook_or_404()
        return Response({"sent": send_test_webhook(self.site)})


class SentNotifications(ApiView):
    """What was told."""

    @extend_schema(operation_id="sent_notifications_list", parameters=[PageQuery], responses=NotificationPage)
    def get(self, request: Request, site: str) -> Response:
        """Return what was told, by mail and to the webhook, the last first; of the file types whose notifications one may set."""
        asked = self.asked(PageQuery)
        keys = [processor.key for processor in processors_for(request.user, MANAGE_NOTIFICATIONS, site=self.site)]
        if not keys:
            raise ApiRefused("permission_missing")
        # Digests, and what is told of parts, are about no file type.
        keys += [""] if _is_for_all(self) else []
        found, cursor = newest_first(Notification.objects.filter(site=self.site, processor__in=keys), asked)
        return Response(NotificationPage({"results": found, "next": address_of(request, cursor)}).data)


def set_webhook(site: MoodleSite, sent: Mapping[str, Any], by: Responsible) -> dict[str, Any]:
    """Set the webhook; return it, with a key that was just made. Raises: NotificationError

    Shape: sent: as of WebhookChoiceSerializer
    """
    made = KEY_PREFIX + base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode() if sent["make_key"] else None
    choice = WebhookChoice(address=sent["address"], key=made or sent["key"], events=sent["events"])
    return told_webhook(save_webhook(site, choice, by=by), made)


def told_webhook(webhook: Webhook, key: str | None = None) -> dict[str, Any]:
    """Return what may be shown of a webhook. Shape: key: one just made"""
    return dict(WebhookSerializer({"host": webhook.host, "events": webhook.events, "key": key}).data)


def _is_for_all(view: ApiView) -> bool:
    user, site = view.request.user, view.site
    return len(processors_for(user, site=site)) == len(REGISTRY) and may(user, MANAGE_NOTIFICATIONS, site, EVERY)
