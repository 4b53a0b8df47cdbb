"""How much of each kind a plan may change: in percent of what Moodle holds, and in numbers; the tighter one counts.

Of the whole site, and of scopes: a category with all below it, or the cohorts whose idnumbers begin with a text.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

from sync.errors import OptionError

# Percent of what is there, and number, that removals may come to. Source: issue 14, "on by default"
_REMOVAL_PERCENT, _REMOVAL_NUMBER = 10.0, 50
_UPDATE_PERCENT = 75.0


NumberT = TypeVar("NumberT", int, float)


class Limit(NamedTuple):
    """At most so much of one kind; None = no limit. Units: percent: of the live rows; number: objects"""

    percent: float | None = None
    number: int | None = None


_REMOVAL = Limit(_REMOVAL_PERCENT, _REMOVAL_NUMBER)

# Kind (as of sync.processors.base.totals) -> limit, unless a site says otherwise.
DEFAULTS: Mapping[str, Limit] = {
    "users.deleted": _REMOVAL,
    "users.suspended": _REMOVAL,
    "users.updated": Limit(_UPDATE_PERCENT),
    "enrolments.deleted": _REMOVAL,
    "enrolments.suspended": _REMOVAL,
    "roles.deleted": _REMOVAL,
    "group_members.deleted": _REMOVAL,
    "groups.deleted": _REMOVAL,
    "cohort_members.deleted": _REMOVAL,
    "cohorts.deleted": _REMOVAL,
    "courses.deleted": _REMOVAL,
    "courses.reset": _REMOVAL,
    "courses.hidden": _REMOVAL,
    "categories.deleted": _REMOVAL,
    "methods.deleted": _REMOVAL,
    "methods.suspended": _REMOVAL,
    "preferences.deleted": _REMOVAL,
    "mails.sent": Limit(None, 1000),
}
# Kinds that take something away from somebody: a person who applies a plan by hand confirms their number.
REMOVALS: Sequence[str] = tuple(
    kind for kind in DEFAULTS if kind.endswith((".deleted", ".suspended", ".reset", ".hidden"))
)  # fmt: skip


class ScopeKind(StrEnum):
    """What a scope is."""

    CATEGORY = "category"
    COHORTS = "cohorts"


class Scope(NamedTuple):
    """A part of a site. Shape: name: idnumber or number of a category; the beginning of idnumbers of cohorts"""

    kind: ScopeKind
    name: str

    @property
    def key(self) -> str:
        """Return what it is called in stored totals."""
        return f"{self.kind}:{self.name}"


# Scope -> the kinds of which it is known what belongs to it.
SCOPE_KINDS: Mapping[ScopeKind, Sequence[str]] = {
    ScopeKind.CATEGORY: (
        "courses.deleted", "courses.reset", "courses.hidden", "categories.deleted", "enrolments.deleted",
        "enrolments.suspended", "roles.deleted", "groups.deleted", "group_members.deleted", "methods.deleted",
        "methods.suspended",
    ),
    ScopeKind.COHORTS: (
        "cohort_members.deleted", "cohorts.deleted", "users.deleted", "users.suspended", "users.updated",
    ),
}  # fmt: skip


def read_scope_limits(kind: ScopeKind, stored: Mapping[str, Any]) -> dict[str, Limit]:
    """Return the limits of a scope; a kind that isn't named has none. Raises: OptionError for what is no limit"""
    limits = read_limits(stored)
    return {name: limits[name] if name in stored else Limit() for name in SCOPE_KINDS[kind]}


def read_limits(stored: Mapping[str, Any]) -> dict[str, Limit]:
    """Return the limits of a site: those that are stored over the defaults.

    Shape: stored: kind -> [percent, number]
    Raises: OptionError for what is no limit
    """
    limits = dict(DEFAULTS)
    for kind, values in stored.items():
        if kind not in DEFAULTS:
            raise OptionError("limits_unreadable", kind=kind)
        try:
            percent, number = values
            limits[kind] = Limit(_number(percent), None if number is None else int(_number(number) or 0))
        except (TypeError, ValueError) as error:
            raise OptionError("limits_unreadable", kind=kind) from error
    return limits


def widest(limited: Iterable[tuple[Mapping[str, Limit], Collection[str]]]) -> dict[str, Limit]:
    """Return what several files may do in all of each kind: what that one of them may that has the widest limit of it.

    Shape: limited: the limits of each file, and the kinds of what it does
    """
    found: dict[str, list[Limit]] = {}
    for limits, kinds in limited:
        for kind in limits.keys() & kinds:
            found.setdefault(kind, []).append(limits[kind])
    return {
        kind: Limit(_most([limit.percent for limit in several]), _most([limit.number for limit in several]))
        for kind, several in found.items()
    }


def stored_form(limits: Mapping[str, Limit]) -> dict[str, list[float | None]]:
    """Return limits as they are stored: those that differ from the defaults."""
    return {kind: list(limit) for kind, limit in limits.items() if limit != DEFAULTS.get(kind)}


def _most(limits: Sequence[NumberT | None]) -> NumberT | None:
    """Return the highest of some limits; one that isn't there is the highest."""
    numbers = [limit for limit in limits if limit is not None]
    return max(numbers) if len(numbers) == len(limits) else None


def _number(value: Any) -> float | None:
    """Return a number from 0 up. Raises: ValueError, TypeError"""
    if value is None:
        return None
    number = float(value)
    # What isn't a number compares as false.
    if not 0 <= number < float("inf"):
        raise ValueError(value)
    return number
