"""Limits, sticky fields and notification rules: what is set for a file type, or for every one that has none of its own."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, ClassVar

from django.utils.translation.trans_real import get_languages
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.access import usable_type_or_404
from sync.api.base import READS, ApiView, StrictSerializer
from sync.api.schedules import TIME, time_of
from sync.errors import ApiRefused
from sync.guard.limits import DEFAULTS, Limit, read_limits
from sync.models import CHOSEN_EVENTS, GuardLimits, MoodleSite, Scope
from sync.notifications.services import RuleChoice, delete_rule, rule_of, save_rule
from sync.people.rights import EVERY, may
from sync.people.roles import MANAGE_LIMITS, MANAGE_NOTIFICATIONS
from sync.processors.base.sticky import StickyRule
from sync.runs.plans import delete_limits, limits_of, save_limits
from sync.runs.rights import Responsible
from sync.runs.sticky import rules_of, save_rules

MANAGE_STICKY = "sync.manage_sticky"
# Stands in addresses for what holds for every file type that has nothing of its own.
ALL = "all"
_MANAGED: Mapping[str, tuple[Scope, ...]] = {**READS, "PUT": (Scope.MANAGE,), "DELETE": (Scope.MANAGE,)}
_EVENTS = [event.value for event in CHOSEN_EVENTS]


class LimitSerializer(StrictSerializer):
    """At most so much of one kind; null = no limit. The tighter of both counts."""

    percent = serializers.FloatField(allow_null=True, min_value=0, max_value=100, help_text="Of what is in Moodle.")
    number = serializers.IntegerField(allow_null=True, min_value=0, max_value=2**31 - 1)


class LimitsSerializer(serializers.Serializer):
    """How much a file may change before a person has to agree.

    Shape: is_own: the file type has limits of its own; limits: kind ("users.deleted") -> limit
    """

    is_own = serializers.BooleanField()
    is_on = serializers.BooleanField(help_text="false: nothing is planned first, and nothing is ever held.")
    needs_second_person = serializers.BooleanField()
    limits = serializers.DictField(child=LimitSerializer())


class LimitsChoiceSerializer(StrictSerializer):
    """Kinds that aren't named have the limits that ToolSync is shipped with."""

    is_on = serializers.BooleanField(required=False, default=True)
    needs_second_person = serializers.BooleanField(required=False, default=False)
    limits = serializers.DictField(child=LimitSerializer(), required=False, default=dict)


class StickySerializer(StrictSerializer):
    """Which columns files leave as they are in what is there already. Shape: rules: column -> rule"""

    rules = serializers.DictField(child=serializers.ChoiceField([rule.value for rule in StickyRule]))


class RuleSerializer(serializers.Serializer):
    """Who gets mails about a file type. Shape: recipients: event -> mail addresses; expected_at: by when its file is expected"""

    is_own = serializers.BooleanField()
    recipients = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    attach_report = serializers.BooleanField()
    language = serializers.CharField(allow_blank=True)
    expected_at = serializers.TimeField(format="%H:%M", allow_null=True, help_text="By the clock of the site.")
    weekdays_only = serializers.BooleanField()


class AddressesByEventSerializer(StrictSerializer):
    """Mail addresses by event."""

    def get_fields(self) -> dict[str, serializers.Field]:
        return {
            event: serializers.ListField(
                child=serializers.CharField(max_length=254), required=False, default=list, max_length=100
            )
            for event in _EVENTS
        }


class RuleChoiceSerializer(StrictSerializer):
    """Who is to get mails about a file type; an event that isn't named has nobody."""

    recipients = AddressesByEventSerializer(required=False)
    attach_report = serializers.BooleanField(required=False, default=False)
    language = serializers.ChoiceField(list(get_languages()), required=False, allow_blank=True, default="")
    expected_at = serializers.RegexField(TIME, required=False, allow_null=True, default=None, help_text="02:15")
    weekdays_only = serializers.BooleanField(required=False, default=False)


class OfFileType(ApiView):
    """What is set for a file type. Shape: permission: that is needed"""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = _MANAGED
    permission: ClassVar[str]

    def key_of(self, file_type: str) -> str:
        """Return the file type that an address names, "" = all that have nothing of their own. Raises: Http404, ApiRefused"""
        if file_type != ALL:
            return usable_type_or_404(self.request.user, self.site, file_type, self.permission).key
        if not may(self.request.user, self.permission, self.site, EVERY):
            raise ApiRefused("permission_missing")
        return ""

    @property
    def by(self) -> Responsible:
        return Responsible.of(self.request.user)


class Limits(OfFileType):
    """The limits of a file type, or of all that have none of their own."""

    permission: ClassVar[str] = MANAGE_LIMITS

    @extend_schema(operation_id="limits_get", responses=LimitsSerializer)
    def get(self, _request: Request, site: str, file_type: str) -> Response:
        """Return the limits of a file type; of `all`, those of every file type that has none of its own."""
        return Response(told_limits(self.site, self.key_of(file_type)))

    @extend_schema(operation_id="limits_put", request=LimitsChoiceSerializer, responses=LimitsSerializer)
    def put(self, _request: Request, site: str, file_type: str) -> Response:
        """Set the limits of a file type, or of all that have none of their own."""
        key = self.key_of(file_type)
        sent = self.sent(LimitsChoiceSerializer)
        with self.unchanged():
            set_limits(self.site, key, sent, self.by)
        return Response(told_limits(self.site, key))

    @extend_schema(operation_id="limits_delete", responses={HTTPStatus.NO_CONTENT: None})
    def delete(self, _request: Request, site: str, file_type: str) -> Response:
        """Let a file type have the limits of the site again, or the site those that ToolSync is shipped with."""
        with self.unchanged():
            delete_limits(self.site, self.key_of(file_type), self.by)
        return Response(status=HTTPStatus.NO_CONTENT)


class StickyFields(OfFileType):
    """The sticky fields of a file type."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {**READS, "PUT": (Scope.MANAGE,)}
    permission: ClassVar[str] = MANAGE_STICKY

    @extend_schema(operation_id="sticky_get", responses=StickySerializer)
    def get(self, request: Request, site: str, file_type: str) -> Response:
        """Return the columns of a file type that files leave as they are, each with its rule."""
        key = usable_type_or_404(request.user, self.site, file_type, self.permission).key
        return Response({"rules": rules_of(self.site, key)})

    @extend_schema(operation_id="sticky_put", request=StickySerializer, responses=StickySerializer)
    def put(self, request: Request, site: str, file_type: str) -> Response:
        """Set the rules of a file type, in place of those that it has."""
        key = usable_type_or_404(request.user, self.site, file_type, self.permission).key
        rules = self.sent(StickySerializer)["rules"]
        with self.unchanged():
            save_rules(self.site, key, rules, by=self.by)
        return Response({"rules": rules_of(self.site, key)})


class Notifications(OfFileType):
    """Who gets mails about a file type, or about all that have no rule of their own."""

    permission: ClassVar[str] = MANAGE_NOTIFICATIONS

    @extend_schema(operation_id="notifications_get", responses=RuleSerializer)
    def get(self, _request: Request, site: str, file_type: str) -> Response:
        """Return who gets mails about a file type; of `all`, about every file type that has no rule of its own."""
        return Response(told_rule(self.site, self.key_of(file_type)))

    @extend_schema(operation_id="notifications_put", request=RuleChoiceSerializer, responses=RuleSerializer)
    def put(self, _request: Request, site: str, file_type: str) -> Response:
        """Set who gets mails about a file type."""
        key = self.key_of(file_type)
        sent = self.sent(RuleChoiceSerializer)
        with self.unchanged():
            set_rule(self.site, key, sent, self.by)
        return Response(told_rule(self.site, key))

    @extend_schema(operation_id="notifications_delete", responses={HTTPStatus.NO_CONTENT: None})
    def delete(self, _request: Request, site: str, file_type: str) -> Response:
        """Take the rule of a file type away, so that the common one holds again."""
        with self.unchanged():
            delete_rule(self.site, self.key_of(file_type), by=self.by)
        return Response(status=HTTPStatus.NO_CONTENT)


def set_limits(site: MoodleSite, key: str, sent: Mapping[str, Any], by: Responsible) -> None:
    """Set limits. Shape: sent: as of LimitsChoiceSerializer. Raises: OptionError for a kind that there isn't"""
    limits = read_limits({kind: [limit["percent"], limit["number"]] for kind, limit in sent["limits"].items()})
    is_on, second = sent["is_on"], sent["needs_second_person"]
    save_limits(site, key, limits, is_on=is_on, needs_second_person=second, person=by)


def set_rule(site: MoodleSite, key: str, sent: Mapping[str, Any], by: Responsible) -> None:
    """Set who gets mails. Shape: sent: as of RuleChoiceSerializer. Raises: NotificationError"""
    chosen = {**sent, "recipients": sent.get("recipients", {}), "expected_at": time_of(sent["expected_at"])}
    save_rule(site, key, RuleChoice(**chosen), by=by)


def told_limits(site: MoodleSite, key: str) -> dict[str, Any]:
    """Return the limits of a file type, "" = of those that have none of their own. Raises: OptionError"""
    stored = limits_of(site, key)
    limits: Mapping[str, Limit] = read_limits(stored.values)
    is_own = GuardLimits.objects.filter(site=site, processor=key).exists()
    told = {
        "is_own": is_own,
        "is_on": stored.is_on,
        "needs_second_person": stored.needs_second_person,
        "limits": {kind: limits[kind]._asdict() for kind in DEFAULTS},
    }
    return dict(LimitsSerializer(told).data)


def told_rule(site: MoodleSite, key: str) -> dict[str, Any]:
    """Return who gets mails about a file type, "" = about those that have no rule of their own."""
    rule = rule_of(site, key)
    told = {
        "is_own": rule.pk is not None,
        "recipients": {event: rule.recipients.get(event, []) for event in _EVENTS},
        "attach_report": rule.attach_report,
        "language": rule.language,
        "expected_at": rule.expected_at,
        "weekdays_only": rule.weekdays_only,
    }
    return dict(RuleSerializer(told).data)
