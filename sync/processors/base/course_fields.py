"""Custom fields of courses: what a cell becomes in Moodle, by the type of the field, and how a cell says what is stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isfinite, nan
from typing import Any

from sync.columns.clean import CellError, flag, moodle_time, one_of, text as text_kind
from sync.columns.dates import FROM_ANY_YEAR, DateOrders
from sync.moodle.courses.rows import CourseField
from sync.moodle.db.database import MoodleSession
from sync.moodle.users.users import SiteRules
from sync.processors.base.errors import RowError
from sync.processors.base.overlay import ChangedRows, Fold, Table

# Custom fields with the columns of `customfield_data` that hold what a row puts into them.
FieldCells = Sequence[tuple[CourseField, Mapping[str, Any]]]
FIELD_TABLE = "customfield_data"
# Source: Moodle table customfield_data, column charvalue
_MAX_TEXT = 1333


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
    return [choice.strip() for choice in str(field.settings.get("options", "")).splitlines()]


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


def _date(_field: CourseField, text: str, rules: SiteRules, orders: DateOrders) -> dict[str, Any]:
    seconds = rules.seconds(moodle_time(orders, FROM_ANY_YEAR).cleaner()(text)) if text else 0
    return {"intvalue": seconds, "value": str(seconds)}


def _number(field: CourseField, text: str, _rules: SiteRules, _orders: DateOrders) -> dict[str, Any]:
    try:
        number = float(text.replace(",", ".")) if text else None
    except ValueError:
        number = nan
    if number is not None and not isfinite(number):
        raise RowError("value_not_number", column_of(field), value=text)
    return {"decvalue": number, "value": text}


_CONVERTERS = {
    "text": _text, "textarea": _textarea, "checkbox": _checkbox, "select": _select, "date": _date, "number": _number,
}  # fmt: skip
