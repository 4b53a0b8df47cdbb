"""Schedules and sources: when file types run by themselves, and where their files come from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import time
from http import HTTPStatus
from typing import Any, ClassVar

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.access import (
    MANAGE_SCHEDULES,
    own_schedule_or_404,
    schedule_or_404,
    usable_type_or_404,
    visible_schedules,
)
from sync.api.base import READS, ApiView, StrictSerializer
from sync.api.idempotency import Answer, answer_once, digest_of_request
from sync.errors import ApiRefused
from sync.models import Schedule, Scope, SequenceRun, Source
from sync.people.rights import may
from sync.processors.registry import REGISTRY
from sync.runs.rights import MANAGE_SOURCES, Responsible
from sync.runs.selectors import listed_runs, processors_for, visible_processors
from sync.runs.source_settings import SourceChoice, has_secrets, save_source, source_of
from sync.schedules.services import (
    RecipientsChoice,
    ScheduleChoice,
    check_answered,
    delete_schedule,
    may_choose_recipients,
    save_schedule,
    start_now,
    switch_schedule,
)
from sync.sources.sql_statement import LONGEST_STATEMENT

TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
_MANAGED: Mapping[str, tuple[Scope, ...]] = {
    **READS, "POST": (Scope.MANAGE,), "PUT": (Scope.MANAGE,), "DELETE": (Scope.MANAGE,),
}  # fmt: skip


class RecipientsSerializer(serializers.Serializer):
    """Who is told of a schedule. Shape: recipients: mail addresses; digest_at: null = each morning, when each of them wants it"""

    recipients = serializers.ListField(child=serializers.CharField())
    attach_report = serializers.BooleanField()
    digest_at = serializers.TimeField(format="%H:%M", allow_null=True, help_text="02:15, by the clock of the site.")
    digest_at_end = serializers.BooleanField()


class RecipientsChoiceSerializer(StrictSerializer):
    """Who is to be told of a schedule. Shape: recipients: mail addresses, [] = nobody is to be told; digest_at_end: at once"""

    recipients = serializers.ListField(child=serializers.CharField(max_length=254), max_length=100)
    attach_report = serializers.BooleanField(required=False, default=False)
    digest_at = serializers.RegexField(TIME, required=False, allow_null=True, default=None, help_text="02:15")
    digest_at_end = serializers.BooleanField(required=False, default=False)


class ScheduleSerializer(serializers.ModelSerializer):
    """When file types run by themselves. Shape: next_at: null = it is off; owner: in whose name it runs"""

    file_types = serializers.ListField(source="processors", child=serializers.CharField(), read_only=True)
    owner = serializers.CharField(source="owner_name", read_only=True)
    at = serializers.SerializerMethodField(help_text="02:15, by the clock of the site.")
    notifications = RecipientsSerializer(source="*", read_only=True)

    class Meta:
        model = Schedule
        fields = (
            "id", "name", "file_types", "kind", "every_seconds", "at", "crontab", "enabled", "stop_on_failure", "together",
            "after_freeze", "owner", "next_at", "notifications",
        )  # fmt: skip
        read_only_fields = fields

    def get_at(self, schedule: Schedule) -> str | None:
        return None if schedule.at is None else f"{schedule.at:%H:%M}"


class ScheduleChoiceSerializer(StrictSerializer):
    """What is chosen for a schedule; several file types are a sequence. Times are by the clock of the site."""

    name = serializers.CharField(required=False, allow_blank=True, max_length=100, default="")
    file_types = serializers.ListField(child=serializers.ChoiceField(list(REGISTRY)), allow_empty=False)
    kind = serializers.ChoiceField([kind.value for kind in Schedule.Kind])
    every_seconds = serializers.IntegerField(required=False, default=6 * 3600, min_value=60, max_value=36_000_000)
    at = serializers.RegexField(TIME, required=False, allow_null=True, default=None, help_text="02:15")
    crontab = serializers.CharField(required=False, allow_blank=True, max_length=100, default="")
    enabled = serializers.BooleanField(required=False, default=False)
    stop_on_failure = serializers.BooleanField(required=False, default=True)
    together = serializers.BooleanField(
        required=False,
        help_text="Plan the files of all file types as one bundle, and judge them as a whole. If left out: as it is; of a new "
        "schedule: no.",
    )
    after_freeze = serializers.BooleanField(required=False, default=True)
    notifications = RecipientsChoiceSerializer(
        required=False, help_text="Needed to switch it on while nobody is told of it."
    )


class SwitchSerializer(StrictSerializer):
    """Shape: enabled: on or off"""

    enabled = serializers.BooleanField()
    notifications = RecipientsChoiceSerializer(
        required=False, help_text="Needed to switch it on while nobody is told of it."
    )


class SequenceSerializer(serializers.ModelSerializer):
    """One start of a schedule. Shape: runs: numbers of its runs"""

    file_types = serializers.ListField(source="processors", child=serializers.CharField(), read_only=True)
    runs = serializers.ListField(child=serializers.IntegerField(), read_only=True)

    class Meta:
        model = SequenceRun
        fields = ("id", "name", "file_types", "state", "runs")
        read_only_fields = fields


class SourceSerializer(serializers.ModelSerializer):
    """Where the files of a file type come from. Shape: has_secrets: something is kept that is never shown"""

    file_type = serializers.CharField(source="processor", read_only=True)
    has_secrets = serializers.SerializerMethodField()
    owner = serializers.CharField(source="owner_name", read_only=True)

    class Meta:
        model = Source
        fields = (
            "file_type", "kind", "location", "inbox", "query", "username", "host_key", "take_all", "leave_same", "remove_taken",
            "has_secrets", "owner",
        )  # fmt: skip
        read_only_fields = fields

    def get_has_secrets(self, source: Source) -> bool:
        return has_secrets(source)


class SourceChoiceSerializer(StrictSerializer):
    """What is chosen for a source. Secrets go in and never come out; empty ones stay as they are kept."""

    kind = serializers.ChoiceField([kind.value for kind in Source.Kind])
    location = serializers.CharField(required=False, allow_blank=True, max_length=1000, default="")
    inbox = serializers.CharField(required=False, allow_blank=True, max_length=100, default="")
    query = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=LONGEST_STATEMENT), required=False, default=dict,
        help_text="What a server of rows is asked for: statement, base, filter, attributes, token_address, scope, collection, "
        "table_prefix; each kind has its own.",
    )  # fmt: skip
    username = serializers.CharField(required=False, allow_blank=True, max_length=200, default="")
    password = serializers.CharField(
        required=False, allow_blank=True, max_length=1000, default="", write_only=True, trim_whitespace=False
    )
    private_key = serializers.CharField(
        required=False, allow_blank=True, max_length=20_000, default="", write_only=True, trim_whitespace=False,
        help_text="Of an SFTP server; of a sheet the key file (JSON) of its service account.",
    )  # fmt: skip
    forget_secrets = serializers.BooleanField(required=False, default=False)
    host_key = serializers.CharField(required=False, allow_blank=True, max_length=100, default="")
    take_all = serializers.BooleanField(required=False, default=False)
    leave_same = serializers.BooleanField(required=False, default=False)
    remove_taken = serializers.BooleanField(required=False, default=False)


class Schedules(ApiView):
    """The schedules of a site."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = _MANAGED

    @extend_schema(operation_id="schedules_list", responses=ScheduleSerializer(many=True))
    def get(self, request: Request, site: str) -> Response:
        """Return the schedules all of whose file types may be scheduled."""
        return Response(ScheduleSerializer(visible_schedules(request.user, self.site), many=True).data)

    @extend_schema(
        operation_id="schedule_make",
        request=ScheduleChoiceSerializer,
        responses={HTTPStatus.CREATED: ScheduleSerializer},
    )
    def post(self, request: Request, site: str) -> Response:
        """Make a schedule. It runs in the name of the person of the token."""
        choice, recipients = chosen_schedule(self)

        def make() -> Answer:
            made = save_schedule(self.site, choice, owner=Responsible.of(request.user), recipients=recipients)
            location = reverse("api:schedule", args=[site, made.pk])
            return Answer(ScheduleSerializer(made).data, HTTPStatus.CREATED, location)

        return answer_once(self, lambda: digest_of_request(self), make)


class OneSchedule(ApiView):
    """One schedule."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = _MANAGED

    @extend_schema(operation_id="schedule_get", responses=ScheduleSerializer)
    def get(self, request: Request, site: str, schedule_id: int) -> Response:
        """Return a schedule."""
        return Response(ScheduleSerializer(schedule_or_404(request.user, self.site, schedule_id)).data)

    @extend_schema(operation_id="schedule_put", request=ScheduleChoiceSerializer, responses=ScheduleSerializer)
    def put(self, request: Request, site: str, schedule_id: int) -> Response:
        """Change a schedule. Whoever changes it is the one in whose name it runs from then on."""
        schedule = own_schedule_or_404(request.user, self.site, schedule_id)
        with self.unchanged():
            choice, recipients = chosen_schedule(self, schedule)
            saved = save_schedule(
                self.site, choice, schedule, owner=Responsible.of(request.user), recipients=recipients
            )
        return Response(ScheduleSerializer(saved).data)

    @extend_schema(operation_id="schedule_delete", responses={HTTPStatus.NO_CONTENT: None})
    def delete(self, request: Request, site: str, schedule_id: int) -> Response:
        """Delete a schedule. Its runs are kept."""
        schedule = own_schedule_or_404(request.user, self.site, schedule_id)
        with self.unchanged():
            delete_schedule(schedule, by=Responsible.of(request.user))
        return Response(status=HTTPStatus.NO_CONTENT)


class SwitchSchedule(ApiView):
    """On or off."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = _MANAGED

    @extend_schema(operation_id="schedule_switch", request=SwitchSerializer, responses=ScheduleSerializer)
    def post(self, request: Request, site: str, schedule_id: int) -> Response:
        """Switch a schedule on or off. It runs in the name of whoever did so."""
        sent = self.sent(SwitchSerializer)

        def switch() -> Answer:
            schedule = own_schedule_or_404(request.user, self.site, schedule_id)
            recipients = _chosen_recipients(self, sent, schedule.processors, schedule)
            switch_schedule(schedule, on=sent["enabled"], owner=Responsible.of(request.user), recipients=recipients)
            return Answer(ScheduleSerializer(schedule).data)

        return answer_once(self, lambda: digest_of_request(self), switch)


class StartSchedule(ApiView):
    """Start now."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {"POST": (Scope.APPLY,)}

    @extend_schema(operation_id="schedule_start", request=None, responses={HTTPStatus.ACCEPTED: SequenceSerializer})
    def post(self, request: Request, site: str, schedule_id: int) -> Response:
        """Start a schedule now, also one that is off."""

        def start() -> Answer:
            sequence = start_now(schedule_or_404(request.user, self.site, schedule_id), request.user)
            location = reverse("api:sequence", args=[site, sequence.pk])
            return Answer(_sequence_facts(request.user, sequence), HTTPStatus.ACCEPTED, location)

        return answer_once(self, lambda: digest_of_request(self, ""), start)


class Sequence(ApiView):
    """One start of a schedule."""

    @extend_schema(operation_id="sequence_get", responses=SequenceSerializer)
    def get(self, request: Request, site: str, sequence_id: int) -> Response:
        """Return how far a start of a schedule is, and its runs."""
        sequence = get_object_or_404(SequenceRun, site=self.site, pk=sequence_id)
        known = {processor.key for processor in visible_processors(request.user, self.site)}
        if known.isdisjoint(sequence.processors):
            raise Http404
        return Response(_sequence_facts(request.user, sequence))


class Sources(ApiView):
    """Where files come from."""

    @extend_schema(operation_id="sources_list", responses=SourceSerializer(many=True))
    def get(self, request: Request, site: str) -> Response:
        """Return the source of each file type for which sources may be set."""
        _may_manage_sources(self)
        stored = {source.processor: source for source in Source.objects.filter(site=self.site)}
        keys = [processor.key for processor in processors_for(request.user, MANAGE_SOURCES, site=self.site)]
        sources = [stored.get(key) or Source(site=self.site, processor=key) for key in keys]
        return Response(SourceSerializer(sources, many=True).data)


class OneSource(ApiView):
    """Where the files of one file type come from."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = _MANAGED

    @extend_schema(operation_id="source_get", responses=SourceSerializer)
    def get(self, request: Request, site: str, file_type: str) -> Response:
        """Return the source of a file type, without what is secret."""
        processor = usable_type_or_404(request.user, self.site, file_type, MANAGE_SOURCES)
        return Response(SourceSerializer(source_of(self.site, processor.key)).data)

    @extend_schema(operation_id="source_put", request=SourceChoiceSerializer, responses=SourceSerializer)
    def put(self, request: Request, site: str, file_type: str) -> Response:
        """Set the source of a file type. Files are taken in the name of the person of the token."""
        processor = usable_type_or_404(request.user, self.site, file_type, MANAGE_SOURCES)
        choice = SourceChoice(**self.sent(SourceChoiceSerializer))
        with self.unchanged():
            saved = save_source(self.site, processor.key, choice, owner=Responsible.of(request.user))
        return Response(SourceSerializer(saved).data)


def chosen_schedule(view: ApiView, schedule: Schedule | None = None) -> tuple[ScheduleChoice, RecipientsChoice | None]:
    """Return what was sent for a schedule, and who is to be told of it.

    Raises: ApiRefused where a file type may not be scheduled; ScheduleError
    Shape: schedule: None = a new one
    """
    sent = view.sent(ScheduleChoiceSerializer)
    allowed = {processor.key for processor in processors_for(view.request.user, MANAGE_SCHEDULES, site=view.site)}
    if not allowed.issuperset(sent["file_types"]):
        raise ApiRefused("permission_missing")
    return schedule_choice(sent, schedule), _chosen_recipients(view, sent, sent["file_types"], schedule)


def schedule_choice(sent: Mapping[str, Any], schedule: Schedule | None = None) -> ScheduleChoice:
    """Return what was sent for a schedule. Who doesn't say that files are planned together leaves it as it is.

    Shape: sent: as of ScheduleChoiceSerializer; schedule: None = a new one
    """
    if schedule is not None:
        sent = {"together": schedule.together, **sent}
    chosen = {name: value for name, value in sent.items() if name not in ("at", "file_types", "notifications")}
    return ScheduleChoice(sent["file_types"], at=time_of(sent["at"]), **chosen)


def recipients_choice(answer: Mapping[str, Any] | None) -> RecipientsChoice | None:
    """Return who is to be told, as it was sent; None = as before. Shape: answer: as of RecipientsChoiceSerializer"""
    return None if answer is None else RecipientsChoice(**{**answer, "digest_at": time_of(answer["digest_at"])})


def _chosen_recipients(
    view: ApiView, sent: Mapping[str, Any], file_types: Collection[str], schedule: Schedule | None
) -> RecipientsChoice | None:
    """Return who is to be told of a schedule; None = as before.

    What the page asks before a feed is switched on has to be answered here too, by who may say it.
    Raises: ApiRefused; ScheduleError
    """
    may_say = may_choose_recipients(view.request.user, view.site, file_types)
    answer = sent.get("notifications")
    if answer is not None and not may_say:
        raise ApiRefused("permission_missing")
    recipients = recipients_choice(answer)
    if sent["enabled"] and may_say:
        check_answered(schedule, recipients)
    return recipients


def time_of(text: str | None) -> time | None:
    """Return a time of day that was sent, None = none."""
    return time.fromisoformat(text) if text else None


def _sequence_facts(user: Any, sequence: SequenceRun) -> dict[str, Any]:
    runs = listed_runs(user, sequence.site).filter(sequence_run=sequence).order_by("pk")
    facts = {"id": sequence.pk, "name": sequence.name, "processors": sequence.processors, "state": sequence.state}
    return dict(SequenceSerializer({**facts, "runs": list(runs.values_list("pk", flat=True))}).data)


def _may_manage_sources(view: ApiView) -> None:
    if not may(view.request.user, MANAGE_SOURCES, view.site):
        raise ApiRefused("permission_missing")
