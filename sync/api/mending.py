"""Mending: the rejected rows of a run as JSON, and mended rows sent back as a plan that is linked to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.access import usable_run_or_404
from sync.api.base import ApiView, NumberField, StrictSerializer
from sync.api.idempotency import Answer, answer_once, digest_of_request
from sync.api.run_facts import RunDetailSerializer
from sync.api.runs import begun
from sync.columns.row_secrets import HIDDEN
from sync.errors import ApiRefused, MendRefused
from sync.mending.drafts import Draft, Edits
from sync.mending.rows import FailedRow, FailedRows, can_mend, read_failed_rows
from sync.mending.services import plan_mended
from sync.models import Scope, SyncRun
from sync.outcomes.report import outcome_text

MOST_ROWS = 1000


class RejectedRowSerializer(serializers.Serializer):
    """A row that failed. Shape: cells: in the order of `columns`; a password that is there is shown as stars"""

    line = serializers.IntegerField(help_text="Of the file; the header is line 1.")
    action = serializers.CharField()
    code = serializers.CharField()
    text = serializers.CharField()
    column = serializers.CharField(help_text="The one at fault, as the file calls it; empty: none of them.")
    cells = serializers.ListField(child=serializers.CharField(allow_blank=True))


class RejectedRowsSerializer(serializers.Serializer):
    """Rows that failed. Shape: columns: as the file spells them; total: on all pages; next_line: null = this is the last page"""

    columns = serializers.ListField(child=serializers.CharField())
    rows = RejectedRowSerializer(many=True)
    total = serializers.IntegerField()
    next_line = serializers.IntegerField(allow_null=True, help_text="Ask for the next page with `from_line`.")


class RejectedQuery(StrictSerializer):
    """Which page is wanted."""

    from_line = NumberField(required=False, default=1)
    limit = serializers.IntegerField(required=False, default=200, min_value=1, max_value=MOST_ROWS)


class MendedRowSerializer(StrictSerializer):
    """A row that is sent again. Shape: cells: those that change, by the name of their column; {} = as it was"""

    line = NumberField()
    cells = serializers.DictField(
        child=serializers.CharField(allow_blank=True, max_length=100_000, trim_whitespace=False),
        required=False, default=dict,
    )  # fmt: skip


class MendSerializer(StrictSerializer):
    """Rows that are sent again; failed rows that aren't named are left out."""

    rows = MendedRowSerializer(many=True, allow_empty=False, max_length=MOST_ROWS)


class Rejected(ApiView):
    """The rows of a run that failed, as its file has them."""

    @extend_schema(operation_id="rejected_list", parameters=[RejectedQuery], responses=RejectedRowsSerializer)
    def get(self, request: Request, site: str, run_id: int) -> Response:
        """Return the rows that failed, cell by cell, with the reason of each; of a run that waits, those of its plan."""
        asked = self.asked(RejectedQuery)
        run = mendable_or_refused(usable_run_or_404(request.user, self.site, run_id))
        told = told_rows(run, from_line=asked["from_line"], most=asked["limit"])
        return Response(RejectedRowsSerializer(told).data)


class Mend(ApiView):
    """Send mended rows back."""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {"POST": (Scope.PLAN,)}

    @extend_schema(
        operation_id="run_mend", request=MendSerializer, responses={HTTPStatus.ACCEPTED: RunDetailSerializer}
    )
    def post(self, request: Request, site: str, run_id: int) -> Response:
        """Ask for the plan of mended rows alone, with the options and the mapping of their run. It is applied as any plan."""
        sent = self.sent(MendSerializer)

        def mend() -> Answer:
            run = mendable_or_refused(usable_run_or_404(request.user, self.site, run_id))
            return begun(request.user, planned(run, sent["rows"], request.user))

        return answer_once(self, lambda: digest_of_request(self), mend)


def mendable_or_refused(run: SyncRun) -> SyncRun:
    """Return a run whose failed rows can be mended. Raises: ApiRefused"""
    if not can_mend(run):
        raise ApiRefused("run_not_mendable")
    return run


def told_rows(run: SyncRun, *, from_line: int = 1, most: int | None = None) -> dict[str, Any]:
    """Return the failed rows of a run. Shape: most: None = all. Raises: MendRefused, OutcomesMissing"""
    rows = read_failed_rows(run)
    found = [row for row in rows.rows if row.line >= from_line]
    page, rest = found[:most], found[most:] if most is not None else []
    return {
        "columns": list(rows.names),
        "rows": [_told(rows, row) for row in page],
        "total": len(rows),
        "next_line": rest[0].line if rest else None,
    }


def planned(
    run: SyncRun,
    sent: Sequence[Mapping[str, Any]],
    user: Any,
    *,
    origin: str = SyncRun.Origin.PERSON,
    in_background: bool = True,
) -> SyncRun:
    """Ask for the plan of mended rows. Shape: sent: as of MendedRowSerializer. Raises: MendRefused, CommandFileError"""
    rows = read_failed_rows(run)
    return plan_mended(run, user, _draft(rows, sent), rows, origin=origin, in_background=in_background)[0]


def _told(rows: FailedRows, row: FailedRow) -> dict[str, Any]:
    outcome = row.outcome
    cells = [HIDDEN if place in rows.secret and cell else cell for place, cell in enumerate(row.cells)]
    return {
        "line": row.line,
        "action": outcome.action.value,
        "code": outcome.code,
        "text": outcome_text(outcome),
        "column": "" if row.place is None else rows.names[row.place],
        "cells": cells,
    }


def _draft(rows: FailedRows, sent: Sequence[Mapping[str, Any]]) -> Draft:
    """Return what was sent as the changes of the failed rows. Raises: MendRefused for a line or a column that isn't there"""
    known = rows.by_line
    edits: dict[int, Edits] = {}
    wanted: set[int] = set()
    for row in sent:
        line = row["line"]
        if line not in known:
            raise MendRefused("mend_line_unknown", line=line)
        if line in wanted:
            raise MendRefused("mend_line_twice", line=line)
        wanted.add(line)
        changed = {_place(rows, name): text for name, text in row["cells"].items()}
        # A password comes as stars; whoever sends these back leaves it as it is.
        if changed := {place: text for place, text in changed.items() if place not in rows.secret or text != HIDDEN}:
            edits[line] = changed
    return Draft(edits, set(known) - wanted)


def _place(rows: FailedRows, name: str) -> int:
    """Return where a column stands. Raises: MendRefused where there is none, or there are several"""
    places = [place for place, other in enumerate(rows.names) if other == name] or [
        place for place, other in enumerate(rows.names) if other.casefold() == name.casefold()
    ]
    if len(places) != 1:
        raise MendRefused("mend_column_unknown", column=name[:100], columns=", ".join(rows.names)[:300])
    return places[0]
