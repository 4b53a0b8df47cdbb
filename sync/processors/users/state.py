"""What a chunk of a users file is planned from."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sync.columns.survey import DateSurvey
from sync.moodle.users.users import ProfileField, SiteRules
from sync.processors.memberships.state import MembershipState
from sync.processors.users.chunk_users import Fold
from sync.processors.users.survey import UsersSurvey


@dataclass(frozen=True)
class UsersState:
    """Everything read for one chunk.

    Shape: dates: how those of the file are read; survey: what a look at the whole file showed; accounts: key fields and the
    file's fields of every account that a row may mean; revivable: deleted accounts by (host, md5 of the former username);
    verified: (clear, stored) pairs that match; profile_data: (userid, fieldid) -> (row id, data); owners: (fieldid, folded
    value) -> userids, for fields that must be unique; preferences: (userid, name) -> (row id, value); folds: identity -> what
    makes texts equal that Moodle takes for the same, and "profile" for custom fields Units: now: seconds since epoch
    """

    rules: SiteRules
    dates: DateSurvey
    survey: UsersSurvey
    now: int
    accounts: Sequence[Mapping[str, Any]]
    revivable: Mapping[tuple[int, str], Mapping[str, Any]]
    verified: Collection[tuple[str, str]]
    profile_fields: Mapping[str, ProfileField]
    profile_data: Mapping[tuple[Any, int], tuple[int, str]]
    owners: Mapping[tuple[int, str], Collection[Any]]
    preferences: Mapping[tuple[Any, str], tuple[int, str]]
    memberships: MembershipState
    folds: Mapping[str, Fold]
