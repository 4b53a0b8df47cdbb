"""What a chunk of a users file is planned from."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sync.columns.survey import DateSurvey
from sync.moodle.users.users import ProfileField, SiteRules
from sync.processors.base.overlay import FoundRows
from sync.processors.memberships.state import MembershipState
from sync.processors.users.survey import UsersSurvey


@dataclass(frozen=True)
class UsersState:
    """Everything read for one chunk.

    Shape: dates: how those of the file are read; survey: what a look at the whole file showed; users: key fields and the
    file's fields of every user that a row may mean, with those who may be brought back; verified: (clear, stored) pairs that
    match; profiles: custom fields of these users, and of whoever holds a value that must be unique
    Units: now: seconds since epoch
    """

    rules: SiteRules
    dates: DateSurvey
    survey: UsersSurvey
    now: int
    users: FoundRows
    verified: Collection[tuple[str, str]]
    profile_fields: Mapping[str, ProfileField]
    profiles: FoundRows
    preferences: FoundRows
    memberships: MembershipState
