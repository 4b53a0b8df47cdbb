"""Custom fields of courses: what a cell becomes in Moodle, by the type of the field, and how a cell says what is stored."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sync.columns.clean import CellError, flag, moodle_time, one_of, shown, text as text_kind
from sync.columns.dates import FROM_ANY_YEAR, DateOrders
from sync.moodle.courses.rows import CourseField
from sync.moodle.db.database import MoodleSession
from sync.moodle.db.identifiers import is_id
from sync.moodle.users.users import SiteRules
from sync.processors.base.errors import RowError
from sync.processors.base.overlay import ChangedRows, Fold, Table

# Custom fields with the columns of `customfield_data` that hold what a row puts into them.
FieldCells = Sequence[tuple[CourseField, Mapping[str, Any]]]
FIELD_TABLE = "customfield_data"
# Fields that hold any text.
TEXT_KINDS = frozenset(("text", "textarea"))
# Source: Moodle table customfield_data, column charvalue
_MAX_TEXT = 1333
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:[.,][0-9]{0,15})?|[+-]?[.,][0-9]{1,15}")
# 1,234 is more than a thousand to some, and little more than one to others; so is 1.200. Moodle itself writes 1.234, but no zeros
# at the end.
_AMBIGUOUS = re.compile(r"[+-]?[1-9][0-9]{0,2}(?:,[0-9]{3}|[.][0-9]{2}0)")
# Of numbers that people type in. Source: customfield_number\field_controller::is_editable(), and the form of the field
_TYPED_IN = ("", "generic")
# What PHP's trim() takes off, and its \s
_BLANKS = " \t\r\f\v\0"


def field_values(field: CourseField, text: str, rules: SiteRules, orders: DateOrders) -> dict[str, Any]:
    """Return the columns of `customfield_data` that hold a value.

    Shape: orders: of day and month in the column
    Raises: RowError for a value that the field can't hold
    """
    convert = _CONVERTERS.get(field.kind)
    if convert is None:
        raise RowError("course_field_kind_unknown", column_of(field), kind=field.kind)
    try:
        return {"valueformat": 0, **convert(field, text, rules, orders)}
    except CellError as error:
        raise RowError(error.code, column_of(field), **error.params) from None


def field_cell(field: CourseField, stored: Mapping[str, Any], time_cell: Callable[[int], str]) -> str:
    """Return what is stored as a cell. Shape: stored: columns of `customfield_data`; time_cell: seconds -> cell"""
    if field.kind == "date":
        return time_cell(stored["intvalue"]) if stored["intvalue"] else ""
    if field.kind == "select":
        choices = _choices(field)
        number = stored["intvalue"] or 0
        return choices[number - 1] if 0 < number <= len(choices) else ""
    return "" if stored["value"] is None else str(stored["value"])


def says_the_same(field: CourseField, stored: Mapping[str, Any], values: Mapping[str, Any], rules: SiteRules) -> bool:
    """Tell whether a field holds what a cell says; where it has no times, the day counts.

    Moodle's form stores the midnight of whoever fills it in, wherever that person is.
    Shape: stored, values: columns of `customfield_data`
    """
    if all(stored[name] == value for name, value in values.items()):
        return True
    if field.kind != "date" or _has_time(field) or stored["value"] != str(stored["intvalue"]):
        return False
    old, new = int(stored["intvalue"]), int(values["intvalue"])
    return bool(old and new) and rules.local_time(old).date() == rules.local_time(new).date()


def field_data_table(folds: Mapping[str, Fold]) -> Table:
    """Return what custom fields hold. Shape: folds: of `value`, where values may have to be unique"""
    return Table(FIELD_TABLE, ("fieldid", "instanceid"), (("fieldid", "value"), ("instanceid",)), folds)


def field_extras(moodle: MoodleSession) -> dict[str, Any]:
    """Return columns of `customfield_data` that only some versions have."""
    present = moodle.table(FIELD_TABLE).c
    extras = {"valuetrust": 0, "component": "core_course", "area": "course", "itemid": 0}
    return {name: value for name, value in extras.items() if name in present}


def check_unique(field_data: ChangedRows, fields: FieldCells, courseid: int | None = None) -> None:
    """Raises: RowError if a value that has to be unique is another course's. Shape: courseid: of the row, None: of a new one"""
    for custom, values in fields:
        text = str(values["value"])
        if not custom.is_unique or text in ("", "0"):
            continue
        if any(owner != courseid for _fieldid, owner in field_data.find(fieldid=custom.id, value=text)):
            raise RowError("course_field_value_taken", column_of(custom), value=text)


def column_of(field: CourseField) -> str:
    return f"customfield_{field.shortname.lower()}"


def _choices(field: CourseField) -> list[str]:
    """Return what can be chosen, in the order in which Moodle counts: blank lines count for nothing.

    Mirrors: customfield_select\\field_controller::get_options()
    """
    lines = (line.strip(_BLANKS) for line in str(field.settings.get("options") or "").split("\n"))
    return [line for line in lines if line]


def _text(field: CourseField, text: str, _rules: SiteRules, _orders: DateOrders) -> dict[str, Any]:
    text = text_kind(int(field.settings.get("maxlength") or _MAX_TEXT)).cleaner()(text)
    return {"charvalue": text, "value": text}


def _textarea(_field: CourseField, text: str, _rules: SiteRules, _orders: DateOrders) -> dict[str, Any]:
    return {"value": text, "valueformat": 1}


def _checkbox(_field: CourseField, text: str, _rules: SiteRules, _orders: DateOrders) -> dict[str, Any]:
    number = flag().cleaner()(text) if text else 0
    return {"intvalue": number, "value": str(number)}


def _select(field: CourseField, text: str, _rules: SiteRules, _orders: DateOrders) -> dict[str, Any]:
    choices = _choices(field)
    number = choices.index(one_of(choices, exact=True).cleaner()(text)) + 1 if text else 0
    return {"intvalue": number, "value": str(number)}


def _date(field: CourseField, text: str, rules: SiteRules, orders: DateOrders) -> dict[str, Any]:
    """Mirrors: customfield_date\\data_controller, its form and its check"""
    if not text:
        return {"intvalue": 0, "value": "0"}
    moment = moodle_time(orders, FROM_ANY_YEAR).cleaner()(text)
    has_time = _has_time(field)
    if isinstance(moment.value, datetime) and not has_time:
        # A field without times: the day alone is kept.
        moment = moment._replace(value=moment.value.replace(hour=0, minute=0, second=0))
    seconds = rules.seconds(moment)
    if seconds:
        _check_date(field, moment.text, seconds, rules, has_time=has_time)
    return {"intvalue": seconds, "value": str(seconds)}


def _has_time(field: CourseField) -> bool:
    """Tell whether a field for dates holds times as well."""
    return str(field.settings.get("includetime") or "0") != "0"


def _check_date(field: CourseField, text: str, seconds: int, rules: SiteRules, *, has_time: bool) -> None:
    """Raises: RowError for a date before the first that the field takes, or after the last, by day or by minute"""
    form = "%Y-%m-%d %H:%M" if has_time else "%Y-%m-%d"
    shown = rules.local_time(seconds).strftime(form)
    first, last = (
        rules.local_time(bound).strftime(form) if (bound := _whole(field.settings.get(name))) else None
        for name in ("mindate", "maxdate")
    )
    if first is not None and shown < first:
        raise RowError("course_field_date_early", column_of(field), value=text, first=first)
    if last is not None and shown > last:
        raise RowError("course_field_date_late", column_of(field), value=text, last=last)


def _whole(setting: Any) -> int:
    text = str(setting or "0")
    return int(text) if is_id(text) else 0


def _number(field: CourseField, text: str, _rules: SiteRules, _orders: DateOrders) -> dict[str, Any]:
    """Mirrors: customfield_number\\data_controller, its form, which stores 12,50 as 12.5, and its check"""
    if str(field.settings.get("fieldtype") or "") not in _TYPED_IN:
        raise RowError("course_field_automatic", column_of(field))
    if not text:
        return {"decvalue": None, "value": ""}
    if _AMBIGUOUS.fullmatch(text):
        large, small = text.replace(",", "").replace(".", ""), _plain(Decimal(text.replace(",", ".")))
        raise RowError("course_field_number_ambiguous", column_of(field), value=text, large=large, small=small)
    if not _NUMBER.fullmatch(text):
        raise RowError("course_field_not_number", column_of(field), value=shown(text))
    text = text.replace(",", ".")
    size, places = field.digits
    if len(text.partition(".")[2].rstrip("0")) > places:
        raise RowError("course_field_decimals", column_of(field), value=text, limit=places)
    number = Decimal(text)
    bound = Decimal(10) ** (size - places) - Decimal(10) ** -places
    least, most = max(-bound, _bound(field, "minimumvalue", -bound)), min(bound, _bound(field, "maximumvalue", bound))
    if not least <= number <= most:
        raise RowError("value_out_of_range", column_of(field), value=text, least=_plain(least), most=_plain(most))
    return {"decvalue": float(number), "value": _plain(number)}


def _bound(field: CourseField, name: str, default: Decimal) -> Decimal:
    text = str(field.settings.get(name) or "") if field.settings.get(name) != 0 else "0"
    return Decimal(text) if _NUMBER.fullmatch(text) else default


def _plain(number: Decimal) -> str:
    """Return a number without zeros that say nothing: 12.5, 100"""
    return f"{number.normalize() + 0:f}"


_CONVERTERS = {
    "text": _text, "textarea": _textarea, "checkbox": _checkbox, "select": _select, "date": _date, "number": _number,
}  # fmt: skip
