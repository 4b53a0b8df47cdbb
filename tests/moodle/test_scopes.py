"""Parts of a site, and what is counted in them: against the rows themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sync.errors import OptionError
from sync.moodle.db.database import MoodleConnection, MoodleDatabase, MoodleSession
from sync.moodle.scopes import (
    SitePart,
    count_in_parts,
    fetch_category_part,
    fetch_cohort_part,
    fetch_part_counts,
    fetch_row_counts,
)
from tests.moodle_sites import MoodleSite

pytestmark = pytest.mark.sites("sqlite:5.1", "mariadb:5.2", "postgresql:4.5", "real:m41-seeded")

OF_CATEGORIES = (
    "course_categories", "course", "enrol", "groups", "user_enrolments", "groups_members", "role_assignments",
)  # fmt: skip
OF_COHORTS = ("cohort", "cohort_members", "user")


@pytest.fixture
def session(moodle_site: MoodleSite) -> Iterator[MoodleSession]:
    database = MoodleDatabase(MoodleConnection(moodle_site.url, moodle_site.prefix))
    try:
        with database.session() as session:
            yield session
    finally:
        database.dispose()


@pytest.fixture
def parts(moodle_site: MoodleSite) -> dict[str, int]:
    """Categories ARTS > inner > innermost with a course of people in the last, and cohorts YEAR-1 and YEAR-2. Their ids."""
    insert, ids = moodle_site.insert, dict[str, int]()
    ids["outer"] = insert("course_categories", name="Arts", idnumber="ARTS", parent=0, timemodified=1)
    ids["inner"] = insert("course_categories", name="Inner", idnumber="", parent=ids["outer"], timemodified=1)
    ids["innermost"] = insert("course_categories", name="Most", idnumber="", parent=ids["inner"], timemodified=1)
    moodle_site.execute("UPDATE {course} SET category = :id WHERE shortname = 'C1'", id=ids["innermost"])
    course, ann = moodle_site.ids["C1"], moodle_site.ids["ann"]
    for userid in (ann, moodle_site.one("user", username="admin")["id"]):
        insert("user_enrolments", enrolid=moodle_site.ids["C1 manual"], userid=userid, status=0)
        insert("role_assignments", roleid=5, contextid=moodle_site.ids["C1 context"], userid=userid, timemodified=1)
    # In a category of them and in an activity, too.
    cmid = insert("course_modules", course=course, module=1, instance=1, section=1, added=1)
    for level, instanceid in ((40, ids["inner"]), (70, cmid), (40, 1)):
        found = moodle_site.rows("context", contextlevel=level, instanceid=instanceid)
        context = found[0]["id"] if found else insert("context", contextlevel=level, instanceid=instanceid, depth=2)
        insert("role_assignments", roleid=5, contextid=context, userid=ann, timemodified=1)
    groupid = insert("groups", courseid=course, name="Tutorial", idnumber="", timecreated=1, timemodified=1)
    insert("groups_members", groupid=groupid, userid=ann, timeadded=1)
    for number in (1, 2):
        cohortid = insert(
            "cohort", contextid=1, name=f"Year {number}", idnumber=f"YEAR-{number}", description="",
            descriptionformat=1, visible=1, component="", timecreated=1, timemodified=1,
        )  # fmt: skip
        # In both of them.
        insert("cohort_members", cohortid=cohortid, userid=ann, timeadded=1)
    return ids


def test_what_is_in_a_category_or_in_cohorts_is_counted(
    moodle_site: MoodleSite, session: MoodleSession, parts: dict[str, int]
) -> None:
    arts, year = fetch_category_part(session, "ARTS"), fetch_cohort_part(session, "YEAR-")
    assert arts.categoryids == {parts["outer"], parts["inner"], parts["innermost"]}
    assert len(year.cohortids) == 2

    live = fetch_part_counts(session, arts, OF_CATEGORIES) | fetch_part_counts(session, year, OF_COHORTS)

    course = moodle_site.ids["C1"]
    cmids = {row["id"] for row in moodle_site.rows("course_modules", course=course)}
    places = {(50, course), *((70, cmid) for cmid in cmids), *((40, category) for category in arts.categoryids)}
    contexts = {
        row["id"] for row in moodle_site.rows("context") if (row["contextlevel"], row["instanceid"]) in places
    }  # fmt: skip
    expected = {
        "course_categories": 3,
        "course": 1,
        "enrol": len(moodle_site.rows("enrol", courseid=course)),
        "groups": len(moodle_site.rows("groups", courseid=course)),
        "user_enrolments": sum(
            len(moodle_site.rows("user_enrolments", enrolid=enrol["id"]))
            for enrol in moodle_site.rows("enrol", courseid=course)
        ),
        "groups_members": sum(
            len(moodle_site.rows("groups_members", groupid=group["id"]))
            for group in moodle_site.rows("groups", courseid=course)
        ),
        "role_assignments": sum(row["contextid"] in contexts for row in moodle_site.rows("role_assignments")),
        "cohort": 2, "cohort_members": 2, "user": 1,
    }  # fmt: skip
    assert live == expected
    everything = {**dict.fromkeys(OF_CATEGORIES, arts), **dict.fromkeys(OF_COHORTS, year)}
    for table, part in everything.items():
        ids = [row["id"] for row in moodle_site.rows(table)]
        among = {"this": part, "none": SitePart(frozenset((-1,)), frozenset((-1,)))}
        assert count_in_parts(session, among, table, ids) == {"this": expected[table]}, table
        assert count_in_parts(session, among, table, []) == {}


@pytest.mark.parametrize("name", ["ART", "arts ", "987654", ""])
def test_a_category_that_isn_t_there_is_a_sentence(session: MoodleSession, parts: dict[str, int], name: str) -> None:
    with pytest.raises(OptionError, match="scope_category_unknown"):
        fetch_category_part(session, name)


def test_an_idnumber_wins_over_a_number_and_two_are_ambiguous(
    moodle_site: MoodleSite, session: MoodleSession, parts: dict[str, int]
) -> None:
    number = str(parts["innermost"])
    assert fetch_category_part(session, number).categoryids == {parts["innermost"]}
    moodle_site.execute(
        "UPDATE {course_categories} SET idnumber = :number WHERE id = :id", number=number, id=parts["inner"]
    )
    session.release()
    assert fetch_category_part(session, number).categoryids == {parts["inner"], parts["innermost"]}
    moodle_site.execute("UPDATE {course_categories} SET idnumber = 'ARTS' WHERE id = :id", id=parts["inner"])
    session.release()
    with pytest.raises(OptionError, match="scope_category_ambiguous"):
        fetch_category_part(session, "ARTS")


def test_cohorts_that_aren_t_there_are_a_sentence(session: MoodleSession, parts: dict[str, int]) -> None:
    with pytest.raises(OptionError, match="scope_cohorts_unknown"):
        fetch_cohort_part(session, "year-")


def test_whole_tables_are_counted_without_deleted_users(moodle_site: MoodleSite, session: MoodleSession) -> None:
    moodle_site.insert("user", username="gone", deleted=1, confirmed=1, mnethostid=1)

    counts: dict[str, Any] = fetch_row_counts(session, ["user", "course"])

    assert counts == {
        "user": len(moodle_site.rows("user", deleted=0)),
        "course": len(moodle_site.rows("course")),
    }
