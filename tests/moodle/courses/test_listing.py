from __future__ import annotations

import pytest

from sync.moodle.courses.listing import (
    CourseSearch,
    RoleCount,
    count_courses,
    fetch_course_ids,
    fetch_course_list,
    fetch_role_counts,
)
from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from tests.moodle_sites import MoodleSite

pytestmark = pytest.mark.sites("sqlite:5.1", "mariadb:5.2", "postgresql:4.1", "real:m45-seeded")


def test_courses_are_found_and_the_people_in_them_counted_once(moodle_site: MoodleSite) -> None:
    site, course, context = moodle_site, moodle_site.ids["C1"], moodle_site.ids["C1 context"]
    site.execute("DELETE FROM {role_assignments} WHERE contextid = :context", context=context)
    for user, component in ((2, ""), (2, "enrol_meta"), (site.ids["ann"], "")):
        site.insert("role_assignments", roleid=5, contextid=context, userid=user, component=component, itemid=0)
    category = site.one("course", id=course)["category"]
    root = site.one("course_categories", id=category)["path"].split("/")[1]
    expected = site.one("role", id=5)
    database = MoodleDatabase(MoodleConnection(site.url, site.prefix))
    with database.session() as moodle:
        everything = count_courses(moodle, CourseSearch())
        listed = fetch_course_list(moodle, CourseSearch(), start=0, limit=everything + 1)
        assert everything == len(listed) == len(site.rows("course")) - 1
        assert fetch_course_list(moodle, CourseSearch(), start=1, limit=1) == listed[1:2]
        exact = CourseSearch("c1", int(root), frozenset((course,)))
        assert fetch_course_ids(moodle, exact, limit=5) == [course]
        assert count_courses(moodle, CourseSearch(ids=frozenset())) == 0
        counts = fetch_role_counts(moodle, [course])
        assert counts == {course: [RoleCount(expected["name"] or expected["shortname"], 2)]}
    database.dispose()
