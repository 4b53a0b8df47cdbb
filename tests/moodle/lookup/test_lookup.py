from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from sync.moodle.db.database import MoodleConnection, MoodleDatabase, MoodleSession
from sync.moodle.lookup.courses import fetch_course_details
from sync.moodle.lookup.lists import LIST_COLUMNS, Listed, ListedRow, fetch_list
from sync.moodle.lookup.search import search_courses, search_users
from sync.moodle.lookup.users import fetch_user_details
from tests.moodle_sites import MoodleSite

pytestmark = pytest.mark.sites("sqlite:4.1", "mariadb:4.5", "postgresql:5.2")


@pytest.fixture
def moodle(moodle_site: MoodleSite) -> Iterator[MoodleSession]:
    database = MoodleDatabase(MoodleConnection(moodle_site.url, moodle_site.prefix))
    with database.session() as session:
        yield session
    database.dispose()


def count_queries(moodle: MoodleSession) -> list[str]:
    """Return a list that takes each statement of the session from now on."""
    seen: list[str] = []
    sa.event.listen(moodle.connection, "before_cursor_execute", lambda *event: seen.append(event[2]))
    return seen


def test_a_user_is_found_by_words_of_names_and_identifiers(moodle: MoodleSession, moodle_site: MoodleSite) -> None:
    ann = moodle_site.ids["ann"]
    moodle_site.execute(
        "UPDATE {user} SET firstname = 'Ann', lastname = 'Lee', email = 'ann@example.org', idnumber = 'ID-ANN'"
        " WHERE id = :id", id=ann,
    )  # fmt: skip
    for text in ("ANN", "ann l", "ann@", "lee ann", "id-ann"):
        assert ann in [user.id for user in search_users(moodle, text, most=50)], text
    for text in ("", "   ", "%", "ann nobody-is-called-so"):
        assert search_users(moodle, text, most=50) == [], text
        assert search_courses(moodle, text, most=50) == [], text


def test_deleted_users_and_the_front_page_are_not_found(moodle: MoodleSession, moodle_site: MoodleSite) -> None:
    moodle_site.execute("UPDATE {user} SET deleted = 1 WHERE id = :id", id=moodle_site.ids["ann"])
    front = moodle_site.one("course", category=0)
    assert moodle_site.ids["ann"] not in [user.id for user in search_users(moodle, "ann", most=50)]
    assert fetch_user_details(moodle, moodle_site.ids["ann"]) is None
    assert front["id"] not in [course.id for course in search_courses(moodle, front["shortname"], most=50)]
    assert fetch_course_details(moodle, front["id"]) is None


def test_a_user_is_shown_with_all_that_they_are_in(moodle: MoodleSession, moodle_site: MoodleSite) -> None:
    site, ann, course = moodle_site, moodle_site.ids["ann"], moodle_site.ids["C1"]
    for table in ("user_enrolments", "role_assignments", "groups_members", "cohort_members"):
        site.execute(f"DELETE FROM {{{table}}} WHERE userid = :ann", ann=ann)
    method = site.rows("enrol", courseid=course, enrol="manual")[0]
    site.insert("user_enrolments", enrolid=method["id"], userid=ann, status=1, timestart=5, timeend=9, modifierid=2)
    site.insert("role_assignments", roleid=5, contextid=site.ids["C1 context"], userid=ann, component="", itemid=0)
    site.insert("role_assignments", roleid=1, contextid=1, userid=ann, component="enrol_x", itemid=0)
    group = site.insert("groups", courseid=course, name="Blue", idnumber="B")
    site.insert("groups_members", groupid=group, userid=ann, timeadded=1)
    cohort = site.insert(
        "cohort", contextid=1, name="Year 1", idnumber=None, description="", descriptionformat=1, timecreated=1, timemodified=1
    )  # fmt: skip
    site.insert("cohort_members", cohortid=cohort, userid=ann, timeadded=1)

    details = fetch_user_details(moodle, ann)

    assert details is not None
    assert [(e.courseid, e.method, e.is_active, e.starts, e.ends) for e in details.enrolments] == [
        (course, "manual", False, 5, 9)
    ]
    assert [(role.level, role.place, role.component) for role in details.roles] == [(10, "", "enrol_x"), (50, "C1", "")]
    assert [(found.name, found.idnumber, found.shortname) for found in details.groups] == [("Blue", "B", "C1")]
    assert [(found.name, found.idnumber) for found in details.cohorts] == [("Year 1", "")]


def test_a_course_is_shown_with_its_methods_groups_and_links(moodle: MoodleSession, moodle_site: MoodleSite) -> None:
    site, course, other = moodle_site, moodle_site.ids["C1"], moodle_site.ids["C2"]
    site.execute("DELETE FROM {enrol} WHERE enrol IN ('meta', 'cohort')")
    method = site.rows("enrol", courseid=course, enrol="manual")[0]
    site.execute("DELETE FROM {user_enrolments} WHERE enrolid = :id", id=method["id"])
    for user, status in ((2, 0), (site.ids["ann"], 1)):
        site.insert("user_enrolments", enrolid=method["id"], userid=user, status=status, modifierid=2)
    site.insert("enrol", enrol="meta", courseid=course, customint1=other, sortorder=90, roleid=0)
    site.insert("enrol", enrol="meta", courseid=other, customint1=course, status=1, sortorder=90, roleid=0)

    details = fetch_course_details(moodle, course)

    assert details is not None
    manual, *_others = (found for found in details.methods if found.method == "manual")
    assert (manual.people, manual.suspended) == (2, 1)
    assert [(found.linked, found.linked_course) for found in details.methods if found.method == "meta"] == [
        ("C2", other)
    ]
    assert [(found.shortname, found.is_on) for found in details.followers] == [("C2", False)]


def test_a_page_of_a_user_or_course_takes_few_queries(moodle: MoodleSession, moodle_site: MoodleSite) -> None:
    ids = moodle_site.ids
    for _once in range(2):
        # The first time the tables are described.
        seen = count_queries(moodle)
        fetch_user_details(moodle, ids["ann"])
        fetch_course_details(moodle, ids["C1"])
    assert len(seen) == 11


@pytest.mark.sites("sqlite:4.1", "mariadb:4.5", "postgresql:5.2", "real:m51-seeded")
def test_each_list_is_paged_without_a_gap_or_a_repetition(moodle: MoodleSession) -> None:
    for kind in Listed:
        whole = fetch_list(moodle, kind, most=100_000)
        assert whole.following is None
        assert all(len(row.cells) == len(LIST_COLUMNS[kind]) for row in whole.rows)
        paged: list[ListedRow] = []
        after = None
        while True:
            page = fetch_list(moodle, kind, after=after, most=max(1, len(whole.rows) // 3))
            paged += page.rows
            if (after := page.following) is None:
                break
        assert paged == whole.rows, kind


def test_a_list_is_searched_and_goes_on_behind_a_row_that_is_gone(
    moodle: MoodleSession, moodle_site: MoodleSite
) -> None:
    moodle_site.execute("UPDATE {course} SET fullname = 'Odd %x_y' WHERE id = :id", id=moodle_site.ids["C1"])
    found = fetch_list(moodle, Listed.COURSES, text="ODD %x_Y c1", most=5)
    assert [(row.id, row.cells[0]) for row in found.rows] == [(moodle_site.ids["C1"], "C1")]
    assert fetch_list(moodle, Listed.COURSES, after=99_999_999, most=1).rows
