"""What a cell of a custom profile field becomes in Moodle, by the field's type."""

from __future__ import annotations

from datetime import datetime

from sync.columns.clean import CellError, flag, moodle_time, one_of, text as text_kind
from sync.columns.dates import FROM_ANY_YEAR, DateOrders
from sync.moodle.users.users import ProfileField, SiteRules
from sync.processors.base.errors import RowError
from sync.values import Moment

# Fields that hold any text.
TEXT_TYPES = frozenset(("text", "textarea", "social"))


def profile_value(field: ProfileField, column: str, text: str, rules: SiteRules, orders: DateOrders) -> str:
    """Return the data to store. An empty cell is stored too, as Moodle's own form stores it.

    Shape: orders: of day and month in this column
    Raises: RowError for a cell that the field can't take
    Source: spec users.md section 5.6; effects user_profile_fields_*
    """
    try:
        match field.datatype:
            case "text":
                limit = int(field.param2) if field.param2.isdigit() else 0
                return str(text_kind(limit or None).cleaner()(text))
            case "checkbox":
                return str(flag().cleaner()(text)) if text else "0"
            case "menu":
                return _menu(field, text)
            case "datetime":
                return _date(field, column, text, rules, orders) if text else "0"
    except CellError as error:
        raise RowError(error.code, column, **error.params) from None
    return text


def _menu(field: ProfileField, text: str) -> str:
    if not text:
        return field.defaultdata
    choices = [line.strip() for line in field.param1.splitlines()]
    return str(one_of(choices, exact=True).cleaner()(text))


def _date(field: ProfileField, column: str, text: str, rules: SiteRules, orders: DateOrders) -> str:
    moment: Moment = moodle_time(orders, FROM_ANY_YEAR).cleaner()(text)
    if moment.value == 0:
        # It means none, whatever years the field takes.
        return "0"
    if isinstance(moment.value, datetime) and field.param3 in ("", "0"):
        # A field without times: the day alone is kept.
        moment = moment._replace(value=moment.value.replace(hour=0, minute=0, second=0))
    seconds = rules.seconds(moment)
    year = rules.local_time(seconds).year
    first, last = _year(field.param1, year), _year(field.param2, year)
    if not first <= year <= last:
        raise RowError("profile_year_out_of_range", column, value=moment.text, first=first, last=last)
    return str(seconds)


def _year(param: str, default: int) -> int:
    return int(param) if param.isdigit() else default
