"""The dates of enrolments: the one check that all files share, and how messages show them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sync.moodle.users.users import SiteRules
from sync.values import Moment, Note

ShowTime = Callable[[int], str]


class GivenDate(NamedTuple):
    """A date that a cell gives. Shape: text: as the file has it. Units: seconds since epoch, UTC"""

    seconds: int
    text: str


class ReversedDates(NamedTuple):
    """Dates of which the end isn't after the start, as messages show them. Shape: hint: code of a further sentence"""

    start: str
    end: str
    hint: str


def given_date(value: Moment | None, rules: SiteRules) -> GivenDate | None:
    """Return what a cell says; None where there is no cell, or an empty one."""
    return None if value is None else GivenDate(rules.seconds(value), value.text)


def enrolment_values(status: int, start: GivenDate | None, end: GivenDate | None) -> dict[str, int]:
    """Return the columns of `user_enrolments` that a row gives; dates that aren't given are left out."""
    values = {"status": status}
    if start is not None:
        values["timestart"] = start.seconds
    if end is not None:
        values["timeend"] = end.seconds
    return values


def reversed_dates(
    start: GivenDate | None, end: GivenDate | None, before: Mapping[str, Any] | None, show: ShowTime
) -> ReversedDates | None:
    """Return the dates when an enrolment would end before it starts.

    What is so in Moodle already is nobody's business here. Shape: before: the enrolment in Moodle, None = it isn't there
    """
    after_start = start.seconds if start is not None else (before or {}).get("timestart", 0)
    after_end = end.seconds if end is not None else (before or {}).get("timeend", 0)
    is_changed = before is None or (after_start, after_end) != (before["timestart"], before["timeend"])
    if not is_changed or not 0 < after_end <= after_start:
        return None
    return ReversedDates(
        start.text if start is not None else show(after_start),
        end.text if end is not None else show(after_end),
        "enrolment_ends_at_start" if after_end == after_start else "",
    )


def ended_already(end: GivenDate | None, column: str, now: int) -> tuple[Note, ...]:
    """Return what is to be said of an end that has passed; nothing where there is none."""
    if end is None or not 0 < end.seconds <= now:
        return ()
    return (Note("enrolment_ended", {"column": column, "end": end.text}),)
