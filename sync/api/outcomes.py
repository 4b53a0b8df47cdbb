"""What became of the rows of a run: page by page, narrowed, and why rows failed; and the files that runs leave."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from django.http import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.access import usable_run_or_404, visible_run_or_404
from sync.api.base import ApiView, sent_file
from sync.api.paging import PageQuery, address_of, newest_first, page_of, wrong_cursor
from sync.api.run_facts import WITHOUT_RAW_LINES, RunFileSerializer, SaidSerializer
from sync.messages import text_at_column, text_of
from sync.models import RunFile
from sync.outcomes.report import outcome_text
from sync.runs.outcome_search import OutcomeFilter, Place, find_outcomes, run_reasons
from sync.runs.selectors import processors_for, rows_of, visible_processors
from sync.values import Action, Outcome

_ACTIONS = [action.value for action in Action]
_LISTED = {"reports": RunFile.Kind.REPORT, "trybacks": RunFile.Kind.TRYBACK, "archives": RunFile.Kind.ARCHIVE}


class ChangeSerializer(serializers.Serializer):
    """One field, before and after. Secrets are never shown."""

    field = serializers.CharField()
    old = serializers.CharField()
    new = serializers.CharField()


class OutcomeSerializer(serializers.Serializer):
    """What became of one row, or would."""

    line = serializers.IntegerField(help_text="Of the file; the header is line 1.")
    action = serializers.ChoiceField(_ACTIONS)
    code = serializers.CharField()
    text = serializers.CharField()
    column = serializers.CharField(help_text="The one at fault; empty: none.")
    subject = serializers.CharField(help_text="What the row is about.")
    changes = ChangeSerializer(many=True)
    notes = SaidSerializer(many=True)


class OutcomePageSerializer(serializers.Serializer):
    """Some outcomes. Shape: total: on all pages, null where nobody has counted"""

    results = OutcomeSerializer(many=True)
    total = serializers.IntegerField(allow_null=True)
    next = serializers.CharField(allow_null=True, help_text="Address of the next page; null: this is the last.")


class OutcomeQuery(PageQuery):
    """Which outcomes are wanted."""

    action = serializers.ChoiceField(_ACTIONS, required=False)
    code = serializers.CharField(required=False, max_length=80)
    column = serializers.CharField(required=False, max_length=255)
    q = serializers.CharField(required=False, max_length=255, help_text="What a row names, or the number of its line.")


class ReasonSerializer(serializers.Serializer):
    """Why rows failed. Shape: text: of the most frequent case; line: of its first row"""

    action = serializers.ChoiceField(_ACTIONS)
    code = serializers.CharField()
    column = serializers.CharField()
    count = serializers.IntegerField()
    text = serializers.CharField()
    line = serializers.IntegerField()


RunFilePage = page_of(RunFileSerializer)


class Outcomes(ApiView):
    """What became of the rows of a run."""

    @extend_schema(operation_id="outcomes_list", parameters=[OutcomeQuery], responses=OutcomePageSerializer)
    def get(self, request: Request, site: str, run_id: int) -> Response:
        """Return outcomes in the order of the file; of a run that waits, those of its plan."""
        asked = self.asked(OutcomeQuery)
        rows = rows_of(visible_run_or_404(request.user, self.site, run_id))
        place = Place.of(asked["cursor"]) if "cursor" in asked else None
        if "cursor" in asked and place is None:
            raise wrong_cursor()
        wanted = OutcomeFilter(
            action=asked.get("action", ""), code=asked.get("code", ""), column=asked.get("column", ""),
            text=asked.get("q", "").strip(),
        )  # fmt: skip
        page = find_outcomes(rows, wanted, after=place, per_page=asked["limit"])
        told = told_outcomes(page.outcomes, simulated=rows.simulate)
        cursor = None if page.after is None else str(page.after)
        return Response({"results": told, "total": page.total, "next": address_of(request, cursor)})


class Reasons(ApiView):
    """Why rows of a run failed."""

    @extend_schema(operation_id="reasons_list", responses=ReasonSerializer(many=True))
    def get(self, request: Request, site: str, run_id: int) -> Response:
        """Return why rows failed, the most frequent reason first."""
        rows = rows_of(visible_run_or_404(request.user, self.site, run_id))
        told = []
        for reason in run_reasons(rows):
            case = reason.alike[0]
            facts = {"action": reason.action, "code": reason.code, "column": reason.column, "count": reason.count}
            told.append({**facts, "text": text_at_column(reason.code, case.params), "line": case.line})
        return Response(ReasonSerializer(told, many=True).data)


class RunFiles(ApiView):
    """Reports, trybacks or archives of all runs. Shape: noun: which of them"""

    noun = ""

    def get(self, request: Request, site: str) -> Response:
        """Return the files of this kind that runs have left, the last ones first."""
        asked, kind = self.asked(PageQuery), _LISTED[self.noun]
        of_user = visible_processors if kind in WITHOUT_RAW_LINES else _usable
        keys = [processor.key for processor in of_user(request.user, self.site)]
        files = RunFile.objects.filter(run__site=self.site, run__processor__in=keys, kind=kind).select_related(
            "run__site"
        )
        found, cursor = newest_first(files, asked)
        return Response(RunFilePage({"results": found, "next": address_of(request, cursor)}).data)


class RunFileContent(ApiView):
    """The bytes of a file that a run has left."""

    @extend_schema(operation_id="run_file_content", responses={(200, "application/octet-stream"): OpenApiTypes.BINARY})
    def get(self, request: Request, site: str, run_id: int, kind: str) -> HttpResponseBase:
        """Return a report, a table of outcomes, a tryback or an archive. The last two may hold passwords."""
        find = visible_run_or_404 if kind in WITHOUT_RAW_LINES else usable_run_or_404
        kept = get_object_or_404(find(request.user, self.site, run_id).files, kind=kind)
        version = hashlib.sha256(f"{kept.pk} {kept.size} {kept.created_at}".encode()).hexdigest()
        return sent_file(request, kept.storage_key, kept.name, version)


def told_outcomes(outcomes: Iterable[Outcome], *, simulated: bool) -> list[dict[str, Any]]:
    """Return outcomes as they are said. Shape: simulated: in the conditional"""
    return [
        {
            "line": outcome.line,
            "action": outcome.action.value,
            "code": outcome.code,
            "text": outcome_text(outcome, simulated=simulated),
            "column": str(outcome.params.get("column", "")),
            "subject": outcome.subject,
            "changes": [change._asdict() for change in outcome.changes],
            "notes": [{"code": note.code, "text": text_of(note.code, note.params)} for note in outcome.notes],
        }
        for outcome in outcomes
    ]


def run_file_views() -> dict[str, type[RunFiles]]:
    """Return the view of each kind of file that is listed. Shape: noun -> view"""
    views = {}
    for noun in _LISTED:
        get = extend_schema(operation_id=f"{noun}_list", parameters=[PageQuery], responses=RunFilePage)(_get_of())
        views[noun] = type(f"{noun.title()}", (RunFiles,), {"noun": noun, "get": get})
    return views


def _usable(user: Any, site: Any) -> Any:
    return processors_for(user, site=site)


def _get_of() -> Any:
    def get(self: RunFiles, request: Request, site: str) -> Response:
        return RunFiles.get(self, request, site)

    get.__doc__ = RunFiles.get.__doc__
    return get
