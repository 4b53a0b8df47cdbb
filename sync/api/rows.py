"""Rows as JSON: they become a command file, and from there on there is nothing else than with any other file."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar

from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.access import usable_type_or_404
from sync.api.base import ApiView, OptionsField, StrictSerializer
from sync.api.idempotency import Answer, answer_once, digest_of_request
from sync.api.outcomes import OutcomeSerializer, told_outcomes
from sync.api.run_facts import RunDetailSerializer
from sync.api.runs import begun
from sync.columns.column import NumberedColumn, PrefixedColumn
from sync.columns.file_columns import Columns
from sync.columns.header import match_header
from sync.commandfiles.intake import delete_file
from sync.errors import ApiRefused
from sync.models import RunState, Scope, SyncRun
from sync.processors.base.processor import Processor
from sync.processors.registry import REGISTRY
from sync.runs.answers import wait_for_end
from sync.runs.options import resolve_options
from sync.runs.outcome_search import find_outcomes
from sync.runs.selectors import rows_of, visible_runs
from sync.runs.services import queue_run, receive_for_run
from sync.values import Header

MOST_ROWS = 5000
# So many are answered at once, if a worker is free.
ANSWERED_AT_ONCE = 50
_WORKING = (RunState.PENDING, RunState.QUEUED, RunState.RUNNING)
_CELL = {"type": ["string", "number", "boolean", "null"]}
# Whoever writes the file says how it is to be read.
OWN_OPTIONS = {"encoding": "UTF-8", "separator": ","}


class RowsSerializer(StrictSerializer):
    """Rows of one file type. Each has the same columns; null and "" are an empty cell.

    Shape: apply: carry the rows out, in place of only planning them
    """

    rows = serializers.ListField(child=serializers.DictField(), allow_empty=False)
    options = OptionsField(required=False)
    apply = serializers.BooleanField(required=False, default=False)


class RowsAnswerSerializer(RunDetailSerializer):
    """The run, with what became of each row where it was answered at once."""

    row_outcomes = OutcomeSerializer(many=True, allow_null=True)

    class Meta(RunDetailSerializer.Meta):
        fields = (*RunDetailSerializer.Meta.fields, "row_outcomes")
        read_only_fields = fields


class Rows(ApiView):
    """Rows of one file type. Shape: file_type: its key"""

    scopes: ClassVar[Mapping[str, tuple[Scope, ...]]] = {"POST": (Scope.PLAN, Scope.APPLY)}
    file_type: str = ""

    def post(self, request: Request, site: str) -> Response:
        """Plan rows, or carry them out. Up to 50 are answered at once, where a worker is free; others by `Location`."""
        _check_count(request.data)
        sent = self.sent(RowsSerializer)
        needed = Scope.APPLY if sent["apply"] else Scope.PLAN
        if needed not in self.token.scopes:
            raise ApiRefused("scope_missing", scope=needed)
        processor = usable_type_or_404(request.user, self.site, self.file_type)
        options = resolve_options(self.site, processor.key, sent.get("options", {}))
        content = file_of_rows(processor, sent["rows"], lenient=options.invalidnamesnocheck)
        runs: list[SyncRun] = []

        def begin() -> Answer:
            runs.append(self._queued(processor, content, sent))
            return _answer(request.user, runs[0], None)

        is_small = len(sent["rows"]) <= ANSWERED_AT_ONCE
        return answer_once(
            self,
            lambda: digest_of_request(self),
            begin,
            afterwards=(lambda: self._ended(runs[0])) if is_small else None,
        )

    def _queued(self, processor: type[Processor], content: bytes, sent: Mapping[str, Any]) -> SyncRun:
        user, name = self.request.user, f"rows-{timezone.now():%Y%m%d-%H%M%S}.csv"
        file = receive_for_run(self.site, ContentFile(content, name), name, processor.key, user)
        try:
            with transaction.atomic():
                return queue_run(
                    site=self.site, processor=processor.key, command_file=file, mapping={},
                    options={**sent.get("options", {}), **OWN_OPTIONS}, simulate=not sent["apply"], user=user,
                )  # fmt: skip
        except BaseException:
            delete_file(file)
            raise

    def _ended(self, run: SyncRun) -> Answer:
        wait_for_end(run)
        shown = visible_runs(self.request.user, self.site).get(pk=run.pk)
        if shown.state in _WORKING:
            return _answer(self.request.user, shown, None)
        rows = rows_of(shown)
        found = find_outcomes(rows, per_page=ANSWERED_AT_ONCE).outcomes if rows.counts else []
        told = told_outcomes(found, simulated=rows.simulate)
        return _answer(self.request.user, shown, told)


def _answer(user: Any, run: SyncRun, outcomes: list[dict[str, Any]] | None) -> Answer:
    """Return the answer to rows. Shape: outcomes: None where nobody has waited for them"""
    answer = begun(user, run)
    status = HTTPStatus.ACCEPTED if outcomes is None else HTTPStatus.OK
    return Answer({**answer.body, "row_outcomes": outcomes}, status, answer.location)


def file_of_rows(processor: type[Processor], rows: Sequence[Mapping[str, Any]], *, lenient: bool = False) -> bytes:
    """Return rows as a command file. Raises: ApiRefused, HeaderError. Shape: lenient: columns that nobody knows are left out"""
    names = list(rows[0])
    _check_names(processor.columns, names, lenient=lenient)
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    if not processor.columns.headerless:
        writer.writerow(names)
    order = [name for name in processor.columns.list_names if name in names] or names
    for number, row in enumerate(rows):
        if row.keys() != rows[0].keys():
            differing = sorted(set(row) ^ set(names))
            raise ApiRefused("rows_uneven", row=number, columns=", ".join(differing)[:200])
        writer.writerow([_cell(row[name], number, name) for name in order])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _check_count(body: Any) -> None:
    rows = body.get("rows") if isinstance(body, Mapping) else None
    if isinstance(rows, list) and len(rows) > MOST_ROWS:
        raise ApiRefused("rows_too_many", count=len(rows), most=MOST_ROWS)


def _check_names(columns: Columns, names: list[str], *, lenient: bool) -> None:
    """Raises: ApiRefused, HeaderError"""
    if columns.headerless:
        if unknown := [name for name in names if name not in columns.list_names]:
            raise ApiRefused(
                "rows_column_unknown", columns=", ".join(unknown)[:200], known=", ".join(columns.list_names)
            )
        if len(names) < len(columns.list_names) and names[:1] != list(columns.list_names[:1]):
            raise ApiRefused("rows_column_unknown", columns=", ".join(names)[:200], known=", ".join(columns.list_names))
        return
    spelled = tuple(name.strip() for name in names)
    match_header(columns, Header(1, b"", tuple(name.lower() for name in spelled), spelled), lenient=lenient)


def _cell(value: Any, number: int, name: str) -> str:
    """Return a value as a cell. Raises: ApiRefused where it is none"""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    text = str(value) if isinstance(value, int) else repr(value) if isinstance(value, float) else value
    if not isinstance(text, str) or "\x00" in text:
        raise ApiRefused("rows_cell_wrong", row=number, column=name[:100])
    return text


def rows_schema(processor: type[Processor]) -> dict[str, Any]:
    """Return what the rows of a file type may have, for the OpenAPI document."""
    properties, patterns, required = {}, {}, []
    for column in processor.columns:
        told = {**_CELL, "description": str(column.help)}
        if column.ignored:
            continue
        if isinstance(column, NumberedColumn):
            patterns[rf"^{column.name}[0-9]+{column.suffix}$"] = told
        elif isinstance(column, PrefixedColumn):
            patterns[f"^{column.name}"] = told
        else:
            properties[column.name] = told
            required += [column.name] if column.required else []
    row: dict[str, Any] = {
        "type": "object",
        "properties": properties,
        "additionalProperties": _CELL,
        "minProperties": 1,
    }
    if patterns:
        row["patternProperties"] = patterns
    if required:
        row["required"] = required
    return {
        "type": "object",
        "required": ["rows"],
        "additionalProperties": False,
        "properties": {
            "rows": {"type": "array", "minItems": 1, "maxItems": MOST_ROWS, "items": row},
            "options": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    option.name: {"description": str(option.label)} for option in processor.options.declared
                },
            },
            "apply": {
                "type": "boolean",
                "default": False,
                "description": "Carry the rows out, in place of only planning them.",
            },
        },
    }


def row_views() -> dict[str, Any]:
    """Return the view of each file type whose rows can be sent as JSON; pictures can't. Shape: key -> view"""
    views = {}
    for key, processor in REGISTRY.items():
        if processor.columns.of_pictures:
            continue
        documented = extend_schema(
            operation_id=f"rows_{key}",
            request={"application/json": rows_schema(processor)},
            responses={HTTPStatus.OK: RowsAnswerSerializer, HTTPStatus.ACCEPTED: RowsAnswerSerializer},
            description=Rows.post.__doc__,
        )
        view = type(f"Rows{key.title().replace('_', '')}", (Rows,), {"file_type": key, "post": documented(_post_of())})
        views[key] = view
    return views


def _post_of() -> Any:
    def post(self: Rows, request: Request, site: str) -> Response:
        return Rows.post(self, request, site)

    return post
