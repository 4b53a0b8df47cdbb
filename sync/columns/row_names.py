"""Whom and which courses a row names, so that what became of it is found by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sync.columns.column import About
from sync.columns.file_columns import Columns
from sync.columns.row_secrets import RowSecrets
from sync.values import CHANGED_ACTIONS, CleanRow, Outcome, Row


class RowNames(NamedTuple):
    """What a row names. Shape: users, courses: as the file, or the outcome, spells them"""

    line: int
    users: Sequence[str]
    courses: Sequence[str]


class NamedColumns:
    """The columns of one file that name users and courses. Shape: names: the canonical names of its columns

    A run of 200,000 rows comes through here with each of them: what can be is found out once.
    """

    def __init__(self, columns: Columns, names: Sequence[str], secrets: RowSecrets) -> None:
        self._secrets = secrets
        self._is_user_the_subject = columns.subject_about is About.USER
        self._is_course_the_subject = columns.subject_about is About.COURSE
        found = [(name, columns.find(name)) for name in names]
        about = {name: column[0].about for name, column in found if column is not None}
        self._user_columns = tuple(name for name in about if about[name] is About.USER)
        self._course_columns = tuple(name for name in about if about[name] is About.COURSE)

    def names_of(self, outcomes: Iterable[Outcome], clean: Iterable[CleanRow], rows: Iterable[Row]) -> list[RowNames]:
        """Return what the rows name that changed something. What is a password of a row is no name."""
        changed = [outcome for outcome in outcomes if outcome.action in CHANGED_ACTIONS]
        if not changed:
            return []
        values = {row.line: row.values for row in clean}
        raw = {row.line: row for row in rows} if self._secrets.are_possible else {}
        found = []
        for outcome in changed:
            users, courses = self._named_in(outcome, values.get(outcome.line, {}))
            if raw:
                users, courses = self._secrets.not_secret((users, courses), outcome.subject, raw[outcome.line])
            found.append(RowNames(outcome.line, users, courses))
        return found

    def subjects_of(self, outcomes: Iterable[Outcome]) -> list[RowNames]:
        """Return what outcomes that belong to no row are about."""
        found = []
        for outcome in outcomes:
            users, courses = self._named_in(outcome, {})
            if isinstance(course := outcome.params.get("course"), str):
                courses = [*courses, course]
            found.append(RowNames(outcome.line, users, courses))
        return found

    def _named_in(self, outcome: Outcome, values: Mapping[str, object]) -> tuple[list[str], list[str]]:
        users = [str(values[name]) for name in self._user_columns if values.get(name)]
        courses = [str(values[name]) for name in self._course_columns if values.get(name)]
        for change in outcome.changes:
            if change.field in self._user_columns:
                users += (change.old, change.new)
            elif change.field in self._course_columns:
                courses += (change.old, change.new)
        if (subject := outcome.subject) and self._is_user_the_subject and subject not in users:
            users.append(subject)
        elif subject and self._is_course_the_subject and subject not in courses:
            courses.append(subject)
        # Where the row itself names nobody, as a picture does, the outcome says who was found.
        for params in (outcome.params, *(note.params for note in outcome.notes)):
            if isinstance(username := params.get("username"), str):
                users.append(username)
            if isinstance(number := params.get("userid"), int):
                users.append(f"user {number}")
        if outcome.changes or outcome.params or outcome.notes:
            return _each_once(users), _each_once(courses)
        return users, courses


def _each_once(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, names)))
