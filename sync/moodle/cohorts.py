"""Reads of cohorts and their members."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import sqlalchemy as sa

from sync.moodle.database import MoodleSession
from sync.moodle.user_rows import UserRows, fetch_user_rows


class Cohort(NamedTuple):
    """A cohort. Shape: contextid: the system's or a category's; idnumber: '' when it has none."""

    id: int
    contextid: int
    name: str
    idnumber: str


def fetch_cohorts(
    moodle: MoodleSession, names: Collection[str], idnumbers: Collection[str], ids: Collection[int] = ()
) -> list[Cohort]:
    """Give every cohort that has one of these names, idnumbers or ids, wherever it is.

    Shape: by rising id
    Queries: one; none when nothing is asked for
    """
    if not (names or idnumbers or ids):
        return []
    cohort = moodle.table("cohort")
    statement = sa.select(cohort.c.id, cohort.c.contextid, cohort.c.name, cohort.c.idnumber).where(
        sa.or_(cohort.c.name.in_(names), cohort.c.idnumber.in_(idnumbers), cohort.c.id.in_(ids))
    )
    return sorted(Cohort(row.id, row.contextid, row.name, row.idnumber or "") for row in moodle.fetch(statement))


def fetch_cohort_members(
    moodle: MoodleSession, cohortids: Collection[int], userids: Collection[int] | None
) -> UserRows:
    """Give which of these users belong to which of these cohorts.

    Shape: (cohortid, userid) -> {id}
    """
    return fetch_user_rows(moodle, "cohort_members", key=("cohortid", "userid"), among=cohortids, userids=userids)
