"""Conditions over many values find the same rows as an IN with a parameter for each."""

from __future__ import annotations

from collections.abc import Collection

import pytest
import sqlalchemy as sa

from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from tests.moodle_sites import MoodleSite

pytestmark = pytest.mark.sites("sqlite:4.1", "mariadb:4.5", "postgresql:5.1", "real:m520-seeded")

TEXTS = ["O'Brien", "100 %s", "a\\b", "été", "", "{x,y}", '"q"', "NULL"]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("id", [1, 2, 2, 10**12]),
        ("id", []),
        ("name", TEXTS[:5]),
        ("name", ["nobody"]),
        ("idnumber", frozenset(TEXTS)),
        ("timecreated", [0, -5]),
    ],
)
def test_the_same_rows_are_found(moodle_site: MoodleSite, column: str, values: Collection[object]) -> None:
    for place, text in enumerate(TEXTS):
        moodle_site.insert(
            "cohort", contextid=1, name=text, idnumber=text, descriptionformat=1, timecreated=place - 5, timemodified=1
        )
    moodle = MoodleDatabase(MoodleConnection(moodle_site.url, moodle_site.prefix))
    with moodle.session() as session:
        cohort = session.table("cohort")
        found = session.fetch(sa.select(cohort.c.id).where(session.in_clause(cohort.c[column], values)))
        expected = session.fetch(sa.select(cohort.c.id).where(cohort.c[column].in_(values)))
    moodle.dispose()

    assert sorted(found) == sorted(expected)


def test_statements_with_numbers_fill_no_cache(sqlite_site: MoodleSite) -> None:
    moodle = MoodleDatabase(MoodleConnection(sqlite_site.url, sqlite_site.prefix))
    with moodle.session() as session:
        cohort = session.table("cohort")
        session.fetch(sa.select(cohort.c.id).where(cohort.c.id == 1))
        kept = len(moodle.engine._compiled_cache or ())
        for number in range(50):
            session.fetch(sa.select(cohort.c.id).where(session.in_clause(cohort.c.id, [number, number + 1])))
        assert len(moodle.engine._compiled_cache or ()) == kept > 0
    moodle.dispose()
