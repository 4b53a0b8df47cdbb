"""Users of a scope for which a file can be complete: those of an authentication method, or members of cohorts."""

from __future__ import annotations

from collections.abc import Collection, Container, Sequence
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession
from sync.moodle.db.id_ranges import count_among, next_among
from sync.moodle.db.writer import MAX_KEYS, batched
from sync.moodle.users.users import SiteRules


def fetch_cohorts_by_prefix(moodle: MoodleSession, prefix: str) -> list[int]:
    """Return the ids of the cohorts whose idnumber begins with a text, spelled exactly so. Queries: one"""
    cohort = moodle.table("cohort")
    rows = moodle.fetch(sa.select(cohort.c.id, cohort.c.idnumber).where(cohort.c.idnumber.is_not(None)))
    return [rowid for rowid, idnumber in rows if idnumber.startswith(prefix)]


class UsersOfScope:
    """Users of this site who are neither deleted nor protected.

    Shape: auth: authentication method, "" = any; cohortids: cohorts of which they are members, None = members or not; among:
    only these ids, None = any
    """

    def __init__(
        self, moodle: MoodleSession, rules: SiteRules, *, auth: str = "", cohortids: Collection[int] | None = None,
        among: Container[int] | None = None,
    ) -> None:  # fmt: skip
        self._moodle = moodle
        self._among = among
        self.user = user = moodle.table("user")
        conditions = [
            user.c.deleted == 0,
            user.c.mnethostid == rules.mnethostid,
            sa.not_(moodle.in_clause(user.c.id, rules.protected_ids)),
        ]
        if auth:
            conditions.append(user.c.auth == auth)
        if cohortids is not None:
            member = moodle.table("cohort_members")
            of_cohorts = moodle.in_clause(member.c.cohortid, cohortids)
            conditions.append(user.c.id.in_(sa.select(member.c.userid).where(of_cohorts)))
        self._is_meant = sa.and_(*conditions)

    def count(self) -> int:
        """Return how many there are. Queries: one; one per 10,000 users of the site where only some ids are meant"""
        if self._among is not None:
            return count_among(lambda after: self._page(("id",), after, MAX_KEYS), self._among, itemgetter("id"))
        statement = sa.select(sa.func.count()).select_from(self.user).where(self._is_meant)
        return int(self._moodle.fetch(statement)[0][0])

    def fetch(self, columns: Sequence[str], *, after: int, most: int) -> list[dict[str, Any]]:
        """Return the next of them, at least one if there is any, by rising id.

        Queries: one, or several where only some ids are meant
        """
        if self._among is not None:
            return next_among(lambda upto: self._page(columns, upto, most), self._among, after, itemgetter("id"))
        return self._page(columns, after, most)

    def _page(self, columns: Sequence[str], after: int, most: int) -> list[dict[str, Any]]:
        statement = sa.select(*(self.user.c[name] for name in columns)).where(self._is_meant, self.user.c.id > after)
        return [dict(row._mapping) for row in self._moodle.fetch(statement.order_by(self.user.c.id).limit(most))]

    def fetch_ids_among(self, userids: Collection[int]) -> set[int]:
        """Return those of the ids that are theirs. Queries: one per 10,000 ids"""
        found: set[int] = set()
        for part in batched(sorted(userids), MAX_KEYS):
            statement = sa.select(self.user.c.id).where(self._is_meant, self._moodle.in_clause(self.user.c.id, part))
            found.update(userid for (userid,) in self._moodle.fetch(statement))
        return found if self._among is None else {userid for userid in found if userid in self._among}
