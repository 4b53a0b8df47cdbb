"""Pages of long lists by cursor: what is added meanwhile moves nothing, and the last page is as fast as the first."""

from __future__ import annotations

import re
from typing import Any, TypeVar
from urllib.parse import urlencode

from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.request import Request

from sync.api.base import StrictSerializer
from sync.api.problems import QueryInvalid
from sync.messages import text_of

PAGE, MOST = 50, 200
_CURSOR = re.compile(r"[1-9][0-9]{0,17}")

Row = TypeVar("Row", bound=Model)


class PageQuery(StrictSerializer):
    """Which page is wanted. Shape: cursor: as `next` has it"""

    cursor = serializers.CharField(required=False, max_length=100, help_text="From the address in `next`.")
    limit = serializers.IntegerField(required=False, default=PAGE, min_value=1, max_value=MOST)


def page_of(item: type[serializers.BaseSerializer]) -> type[serializers.Serializer]:
    """Return the serializer of a page of such items."""
    fields = {
        "results": item(many=True),
        "next": serializers.CharField(allow_null=True, help_text="Address of the next page; null: this is the last."),
        "__doc__": "One page, and where the next one is.",
    }
    name = item.__name__.removesuffix("Serializer")
    return type(f"{name}PageSerializer", (serializers.Serializer,), fields)


def newest_first(rows: QuerySet[Row], asked: dict[str, Any]) -> tuple[list[Row], str | None]:
    """Return one page of records, the newest first, and the cursor of the next, None = there is none. Queries: one"""
    limit = asked["limit"]
    if cursor := asked.get("cursor"):
        if not _CURSOR.fullmatch(cursor):
            raise wrong_cursor()
        rows = rows.filter(pk__lt=int(cursor))
    found = list(rows.order_by("-pk")[: limit + 1])
    return found[:limit], str(found[limit - 1].pk) if len(found) > limit else None


def wrong_cursor() -> QueryInvalid:
    """Return the refusal of a cursor that no answer of ours has told."""
    return QueryInvalid({"cursor": serializers.ErrorDetail(text_of("cursor_wrong"), "cursor_wrong")})


def address_of(request: Request, cursor: str | None) -> str | None:
    """Return the address of the page at a cursor, with everything else that was asked."""
    if cursor is None:
        return None
    asked = {**{name: request.query_params[name] for name in request.query_params}, "cursor": cursor}
    return f"{request.path}?{urlencode(asked)}"
