"""Which settings each enrolment method has, and how cells become columns of `enrol`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sync.columns.clean import shown
from sync.columns.column import OptionalColumn
from sync.moodle.enrolments.enrolments import DAY
from sync.moodle.users.users import SiteRules
from sync.processors.base.errors import RowError
from sync.processors.enrolment_methods.cells import MethodCells
from sync.processors.memberships.enrolment_dates import given_date
from sync.values import Moment

MANUAL, SELF, GUEST, COHORT, META = "manual", "self", "guest", "cohort", "meta"
# What stands in reports for a key.
HIDDEN = "…"
# Of which a course has one at most.
SINGLE = frozenset({MANUAL, GUEST})
# What rows may make.
MADE = frozenset({MANUAL, SELF, GUEST, COHORT, META})
# Whose rows elsewhere are known: enrolments, roles and memberships of groups. Others may keep more.
DELETED = MADE | {"category", "database", "fee", "flatfile", "imsenterprise", "ldap", "mnet", "paypal"}

_DAYS: Mapping[OptionalColumn[Any], str] = {
    MethodCells.enrolperiod: "enrolperiod",
    MethodCells.notifydays: "expirythreshold",
    MethodCells.unenroldays: "customint2",
}
_PLAIN: Mapping[OptionalColumn[Any], str] = {
    MethodCells.password: "password",
    MethodCells.maxenrolled: "customint3",
    MethodCells.newenrols: "customint6",
    MethodCells.welcome: "customint4",
    MethodCells.groupkeys: "customint1",
}
_DATES: Mapping[OptionalColumn[Any], str] = {
    MethodCells.startdate: "enrolstartdate",
    MethodCells.enddate: "enrolenddate",
}
_NOTIFIED = (MethodCells.notify, MethodCells.notifydays)
_PAID = (MethodCells.role, *_DATES, MethodCells.enrolperiod)
_OF_METHOD: Mapping[str, tuple[OptionalColumn[Any], ...]] = {
    MANUAL: (MethodCells.role, MethodCells.enrolperiod, *_NOTIFIED),
    SELF: (MethodCells.role, *_DATES, *_DAYS, *_PLAIN, MethodCells.notify),
    GUEST: (MethodCells.password,),
    COHORT: (MethodCells.role, MethodCells.source),
    META: (MethodCells.source,),
    "fee": _PAID,
    "paypal": _PAID,
}
_SETTINGS = dict.fromkeys((MethodCells.role, MethodCells.source, *_DATES, *_DAYS, *_PLAIN, MethodCells.notify))


def has_setting(method: str, column: OptionalColumn[Any]) -> bool:
    """Tell whether methods of a kind have what a column sets."""
    return column in _OF_METHOD.get(method, ())


def refuse_foreign_cells(row: MethodCells) -> None:
    """Raises: RowError for a cell that says something which methods of this kind don't have"""
    for column in _SETTINGS:
        value = column.of(row)
        if value not in (None, "") and not has_setting(row.enrol, column):
            text = HIDDEN if column is MethodCells.password else value.text if isinstance(value, Moment) else str(value)
            raise RowError(
                "method_setting_foreign", column.name, setting=column.name, method=row.enrol, value=shown(text)
            )


def wanted_settings(row: MethodCells, rules: SiteRules) -> dict[str, Any]:
    """Return the columns of `enrol` that the cells of a row set, but status and role."""
    values: dict[str, Any] = {}
    for column, stored in _DATES.items():
        if (date := given_date(column.of(row), rules)) is not None:
            values[stored] = date.seconds
    for column, stored in _DAYS.items():
        if (days := column.of(row)) is not None:
            values[stored] = days * DAY
    for column, stored in _PLAIN.items():
        if (value := column.of(row)) is not None and has_setting(row.enrol, column):
            values[stored] = value
    if row.notify is not None:
        values |= {"expirynotify": min(row.notify, 1), "notifyall": int(row.notify == 2)}
    name = row.newname if row.newname is not None else row.name if row.enrol in SINGLE else None
    if row.name and not name and row.enrol not in SINGLE:
        # The name by which the row finds the method isn't taken away.
        name = None
    return values if name is None else {**values, "name": name}


def check_settings(after: Mapping[str, Any], rules: SiteRules) -> None:
    """Raises: RowError for settings that Moodle's form doesn't take. Shape: after: columns of `enrol` as they would stand"""
    start, end = after.get("enrolstartdate") or 0, after.get("enrolenddate") or 0
    if 0 < end < start:
        raise RowError("method_dates_reversed", "enddate", start=rules.shown_time(start), end=rules.shown_time(end))
    if after.get("expirynotify") and (after.get("expirythreshold") or 0) < DAY:
        raise RowError("method_notify_without_days", "notifydays")
