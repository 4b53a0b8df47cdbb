"""What a cell of a course custom field becomes in Moodle, by the field's type."""

from __future__ import annotations

import json
from datetime import datetime
from math import isfinite, nan
from typing import Any

from sync.columns.clean import FALSE_WORDS, TRUE_WORDS, CellError, moodle_time
from sync.moodle.course_rows import CourseField
from sync.moodle.users import SiteRules
from sync.processors.accounts import RowRefused

# Source: Moodle table customfield_data, column charvalue
_MAX_TEXT = 1333


def field_values(field: CourseField, text: str, rules: SiteRules) -> dict[str, Any]:
    """Give the columns of `customfield_data` that hold a value.

    Raises: RowRefused for a value that the field can't hold
    """
    convert = _CONVERTERS.get(field.kind)
    if convert is None:
        raise RowRefused("course_field_kind_unknown", column_of(field), kind=field.kind)
    return {"valueformat": 0, **convert(field, text, rules)}


def column_of(field: CourseField) -> str:
    return f"customfield_{field.shortname.lower()}"


def _text(field: CourseField, text: str, _rules: SiteRules) -> dict[str, Any]:
    limit = _config(field).get("maxlength") or _MAX_TEXT
    if len(text) > int(limit):
        raise RowRefused("value_too_long", column_of(field), length=len(text), limit=int(limit))
    return {"charvalue": text, "value": text}


def _textarea(_field: CourseField, text: str, _rules: SiteRules) -> dict[str, Any]:
    return {"value": text, "valueformat": 1}


def _checkbox(field: CourseField, text: str, _rules: SiteRules) -> dict[str, Any]:
    word = text.lower()
    if word not in TRUE_WORDS and word not in FALSE_WORDS and word:
        raise RowRefused("value_not_flag", column_of(field), value=text)
    number = int(word in TRUE_WORDS)
    return {"intvalue": number, "value": str(number)}


def _select(field: CourseField, text: str, _rules: SiteRules) -> dict[str, Any]:
    choices = [choice.strip() for choice in str(_config(field).get("options", "")).splitlines()]
    if text and text not in choices:
        raise RowRefused("value_not_among", column_of(field), value=text, allowed=", ".join(choices))
    number = choices.index(text) + 1 if text else 0
    return {"intvalue": number, "value": str(number)}


def _date(field: CourseField, text: str, rules: SiteRules) -> dict[str, Any]:
    try:
        moment: int | datetime = moodle_time().cleaner()(text) if text else 0
    except CellError as error:
        raise RowRefused(error.code, column_of(field), **error.params) from None
    seconds = rules.seconds(moment)
    return {"intvalue": seconds, "value": str(seconds)}


def _number(field: CourseField, text: str, _rules: SiteRules) -> dict[str, Any]:
    try:
        number = float(text.replace(",", ".")) if text else None
    except ValueError:
        number = nan
    if number is not None and not isfinite(number):
        raise RowRefused("value_not_number", column_of(field), value=text)
    return {"decvalue": number, "value": text}


def _config(field: CourseField) -> dict[str, Any]:
    try:
        config = json.loads(field.config or "{}")
    except ValueError:
        return {}
    return config if isinstance(config, dict) else {}


_CONVERTERS = {
    "text": _text, "textarea": _textarea, "checkbox": _checkbox, "select": _select, "date": _date, "number": _number,
}  # fmt: skip
