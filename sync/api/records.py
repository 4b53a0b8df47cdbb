"""The audit, and the list of what will be deleted when its days of grace are over."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar

from django.http import Http404
from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.base import READS, ApiView, NumberField, StrictSerializer
from sync.api.idempotency import Answer, answer_once, digest_of_request
from sync.api.outcomes import ChangeSerializer
from sync.api.paging import PageQuery, address_of, page_of, wrong_cursor
from sync.audit.facts import entry_facts
from sync.audit.selectors import AuditQuery, Cursor, find_entries
from sync.errors import ApiRefused
from sync.grace.selectors import END_GRACE, grace_page, listed, place_of, tables_for
from sync.grace.services import take_off
from sync.models import AuditKind, GraceEntry, Scope
from sync.people.rights import may

VIEW_AUDIT = "sync.view_audit"


class AuditEntrySerializer(serializers.Serializer):
    """One change, in Moodle or in ToolSync. Shape: record, position: its place; line: of the file, 0 = none"""

    record = serializers.IntegerField()
    at = serializers.DateTimeField()
    kind = serializers.ChoiceField([kind.value for kind in AuditKind])
    person = serializers.CharField(help_text="Empty: the operator of this installation.")
    run = serializers.IntegerField(allow_null=True)
    file_type = serializers.CharField()
    file = serializers.CharField()
    line = serializers.IntegerField()
    action = serializers.CharField()
    code = serializers.CharField()
    text = serializers.CharField()
    subject = serializers.CharField()
    changes = ChangeSerializer(many=True)


class AuditPageQuery(PageQuery):
    """Which entries are wanted. Shape: since, until: days, both of them included"""

    user = serializers.CharField(required=False, max_length=255, default="")
    course = serializers.CharField(required=False, max_length=255, default="")
    kind = serializers.ChoiceField([kind.value for kind in AuditKind], required=False, default="")
    since = serializers.DateField(required=False)
    until = serializers.DateField(required=False)


class DeletionSerializer(serializers.ModelSerializer):
    """A user or a course that will be deleted. Shape: rowid: Moodle's id; day: on which, by the clock of the site"""

    kind = serializers.SerializerMethodField(help_text="user or course")

    class Meta:
        model = GraceEntry
        fields = ("id", "kind", "rowid", "name", "label", "run", "line", "day", "state")
        read_only_fields = fields

    def get_kind(self, entry: GraceEntry) -> str:
        return entry.table


class DeletionQuery(PageQuery):
    """Which entries are wanted."""

    q = serializers.CharField(required=False, max_length=255, default="", help_text="Part of a name, or Moodle's id.")


class TakeOffSerializer(StrictSerializer):
    """Numbers of entries, all users or all courses."""

    entries = serializers.ListField(child=NumberField(), allow_empty=False, max_length=500)


class TakenOffSerializer(serializers.Serializer):
    """The run that takes them off."""

    run = serializers.IntegerField()


AuditPage = page_of(AuditEntrySerializer)
DeletionPage = page_of(DeletionSerializer)


class Audit(ApiView):
    """Who changed what."""

    @extend_schema(operation_id="audit_list", parameters=[AuditPageQuery], responses=AuditPage)
    def get(self, request: Request, site: str) -> Response:
        """Return changes, the last ones first. A token for some file types doesn't see the audit, which is of the whole site."""
        if not may(request.user, VIEW_AUDIT, self.site):
            raise ApiRefused("permission_missing")
        asked = self.asked(AuditPageQuery)
        start = Cursor.parse(asked["cursor"]) if "cursor" in asked else None
        if "cursor" in asked and start is None:
            raise wrong_cursor()
        query = AuditQuery(asked["user"], asked["course"], asked["kind"], asked.get("since"), asked.get("until"))
        page = find_entries(self.site, query, start=start, most=asked["limit"])
        following = None if page.following is None else str(page.following)
        results = [entry_facts(line) for line in page.lines]
        return Response(AuditPage({"results": results, "next": address_of(request, following)}).data)


class Deletions(ApiView):
    """The list of deletions."""

    @extend_schema(operation_id="deletions_list", parameters=[DeletionQuery], responses=DeletionPage)
    def get(self, request: Request, site: str) -> Response:
        """Return what will be deleted, the first to be deleted first."""
        tables = tables_for(request.user, site=self.site)
        if not tables:
            raise Http404
        asked = self.asked(DeletionQuery)
        if "cursor" in asked and place_of(asked["cursor"]) is None:
            raise wrong_cursor()
        page = grace_page(listed(self.site, tables, asked["q"]), asked.get("cursor", ""), per_page=asked["limit"])
        return Response(
            DeletionPage({"results": page.entries, "next": address_of(request, page.following or None)}).data
        )


class TakeOff(ApiView):
    """Take entries off the list of deletions."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {**READS, "POST": (Scope.APPROVE,)}
    http_method_names: ClassVar[list[str]] = ["post"]

    @extend_schema(
        operation_id="deletions_take_off",
        request=TakeOffSerializer,
        responses={HTTPStatus.ACCEPTED: TakenOffSerializer},
    )
    def post(self, request: Request, site: str) -> Response:
        """Take users or courses off the list: a run gives them back as they were before the grace."""
        wanted = self.sent(TakeOffSerializer)["entries"]

        def begin() -> Answer:
            tables = tables_for(request.user, END_GRACE, site=self.site)
            entries = dict(listed(self.site, tables).filter(pk__in=wanted).values_list("pk", "table"))
            if len(entries) < len(set(wanted)):
                raise Http404
            if len(set(entries.values())) > 1:
                raise ApiRefused("deletions_mixed")
            run = take_off(self.site, next(iter(entries.values())), list(entries), user=request.user)
            return Answer({"run": run.pk}, HTTPStatus.ACCEPTED, reverse("api:run", args=[site, run.pk]))

        return answer_once(self, lambda: digest_of_request(self), begin)
