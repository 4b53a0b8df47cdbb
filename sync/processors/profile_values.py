"""What a cell of a custom profile field becomes in Moodle, by the field's type."""

from __future__ import annotations

import re
from datetime import datetime
from zoneinfo import ZoneInfo

from sync.columns.clean import LATEST_TIME
from sync.moodle.identifiers import is_id
from sync.moodle.users import ProfileField
from sync.values import Note

_DATE = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[- T](\d{1,2})[-:](\d{1,2})(?:[-:](\d{1,2}))?)?")


def profile_value(field: ProfileField, text: str, timezone: ZoneInfo | None) -> tuple[str, Note | None]:
    """Give the data to store, and a note when the cell could not be taken as it is.

    An empty cell is stored too. Source: spec users.md section 5.6; effects user_profile_fields_*
    """
    convert = _CONVERTERS.get(field.datatype)
    return convert(field, text, timezone) if convert is not None else (text, None)


def _text(field: ProfileField, text: str, _timezone: ZoneInfo | None) -> tuple[str, Note | None]:
    limit = int(field.param2) if field.param2.isdigit() else 0
    if limit and len(text) > limit:
        return text[:limit], Note("profile_text_cut", {"field": field.shortname, "limit": limit})
    return text, None


def _checkbox(_field: ProfileField, text: str, _timezone: ZoneInfo | None) -> tuple[str, Note | None]:
    return text or "0", None


def _menu(field: ProfileField, text: str, _timezone: ZoneInfo | None) -> tuple[str, Note | None]:
    choices = [line.strip() for line in field.param1.splitlines()]
    if text in choices:
        return text, None
    if not text:
        return field.defaultdata, None
    params = {"field": field.shortname, "value": text, "default": field.defaultdata, "choices": ", ".join(choices)}
    return field.defaultdata, Note("profile_menu_default", params)


def _datetime(field: ProfileField, text: str, timezone: ZoneInfo | None) -> tuple[str, Note | None]:
    if not text:
        return "0", None
    if is_id(text) and int(text) <= LATEST_TIME:
        return text, None
    match = _DATE.fullmatch(text)
    if match is None:
        return "0", Note("profile_date_invalid", {"field": field.shortname, "value": text})
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups())
    first, last = _year(field.param1, year), _year(field.param2, year)
    if not field.param3 or field.param3 == "0":
        hour = minute = second = 0
    try:
        moment = datetime(min(max(year, first), last), month, day, hour, minute, second, tzinfo=timezone)
    except ValueError:
        return "0", Note("profile_date_invalid", {"field": field.shortname, "value": text})
    return str(int(moment.timestamp())), None


def _year(param: str, default: int) -> int:
    return int(param) if param.isdigit() else default


_CONVERTERS = {"text": _text, "checkbox": _checkbox, "menu": _menu, "datetime": _datetime}
