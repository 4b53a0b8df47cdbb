"""Suspected re-keying: the people of a file go and come back under other names of theirs.

Another system that gives its people new usernames or numbers makes a file in which everybody is new, and nobody of those who are
there. Carried out, each loses enrolments, grades and groups.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from itertools import chain

import sqlalchemy as sa

from sync.models import SyncRun
from sync.moodle.db.database import MoodleDatabase
from sync.moodle.db.writer import MAX_KEYS, batched
from sync.runs.outcome_store import read_rows
from sync.values import Action, Note, Outcome

_CREATED, _GONE = "users.created", ("users.deleted", "users.suspended")
_KINDS = (_CREATED, *_GONE)
# Fewer people say nothing.
_FEWEST = 10
# The smaller of both numbers is at least so much of the larger one, and so many have the same name or address.
_ALIKE, _SAME_PEOPLE = 0.8, 0.5


def suspect_rekeying(plans: Collection[SyncRun], moodle: MoodleDatabase) -> Note | None:
    """Return why plans look as if people had got new usernames; None if they don't.

    Shape: plans: of the files that are planned together: people may go in one and come in another
    Queries: one per 10,000 people who go, none where nobody does
    """
    created = sum(plan.totals.get(_CREATED, 0) for plan in plans)
    gone = sum(plan.totals.get(kind, 0) for plan in plans for kind in _GONE)
    if min(created, gone) < max(_FEWEST, _ALIKE * max(created, gone)):
        return None
    coming: set[str] = set()
    leaving: list[str] = []
    for outcome in chain.from_iterable(
        read_rows(plan, Action.CREATED, Action.UPDATED, Action.DELETED, Action.PARTIAL) for plan in _of_people(plans)
    ):
        if Action.CREATED in (outcome.action, outcome.done):
            coming.update(_marks_of_new(outcome))
        elif _goes(outcome):
            leaving.append(outcome.subject)
    same = sum(1 for marks in _marks_of_known(leaving, moodle) if not coming.isdisjoint(marks))
    if same < _SAME_PEOPLE * len(leaving):
        return None
    return Note("guard_rekeyed", {"count": same, "created": created, "gone": gone})


def _of_people(plans: Collection[SyncRun]) -> list[SyncRun]:
    """Return the plans after which people come or go; other outcomes aren't about people."""
    return [plan for plan in plans if any(plan.totals.get(kind) for kind in _KINDS)]


def _goes(outcome: Outcome) -> bool:
    suspended = any(change.field == "suspended" and change.new == "1" for change in outcome.changes)
    return outcome.action is Action.DELETED or suspended


def _marks_of_new(outcome: Outcome) -> list[str]:
    values = {change.field: change.new for change in outcome.changes}
    return _marks(values.get("email", ""), values.get("firstname", ""), values.get("lastname", ""))


def _marks_of_known(usernames: list[str], moodle: MoodleDatabase) -> Iterator[list[str]]:
    with moodle.session() as session:
        user = session.table("user")
        for part in batched(usernames, MAX_KEYS):
            statement = sa.select(user.c.email, user.c.firstname, user.c.lastname)
            statement = statement.where(session.in_clause(user.c.username, part), user.c.deleted == 0)
            for email, firstname, lastname in session.fetch(statement):
                yield _marks(email, firstname, lastname)


def _marks(email: str, firstname: str, lastname: str) -> list[str]:
    """Return by what somebody is known again: the address, and the whole name."""
    name = f"{firstname} {lastname}".casefold().strip()
    return [mark for mark in (email.casefold(), name) if mark]
