"""The cases of courses.md section 12: categories. CAT-DEP is 3, CAT-EMPTY2 6; the courses file makes categories by path."""

from __future__ import annotations

import time

from sync.moodle.categories.categories import NewCategory, create_categories, fetch_categories
from sync.moodle.courses.order import fix_course_order
from sync.moodle.db.database import MoodleConnection, MoodleDatabase
from sync.moodle.db.writer import Writer
from tests.effects.case import Case
from tests.effects.comparison import Allowed
from tests.moodle_sites import MoodleSite

# No file moves, renames, hides or sorts categories, or deletes one that isn't empty.
FAMILIES = {
    "category_": (
        "category_delete_move", "category_delete_with_course", "category_move", "category_resort_courses", "category_sortorder",
        "category_update_",
    ),
}  # fmt: skip


def _created(name: str, new: NewCategory, *allowed: Allowed) -> Case:
    """A file makes a category only for the course that goes into it."""

    def act(site: MoodleSite) -> None:
        moodle = MoodleDatabase(MoodleConnection(site.url, site.prefix))
        with moodle.session() as session, session.transaction():
            writer = Writer(session)
            create_categories(writer, [new], fetch_categories(session), now=int(time.time()))
            fix_course_order(writer)
        moodle.dispose()

    return Case(name, "", "", act=act, allowed=allowed)


def _nothing_but_names(*columns: str) -> Allowed:
    return Allowed("course_categories", "inserted", "a path gives names only", columns, side="differs")


CASES = (
    _created(
        "category_create_root", NewCategory(-1, 0, "Gold cat", 1, 1),
        _nothing_but_names("idnumber", "description", "descriptionformat"),
    ),
    _created("category_create_nested", NewCategory(-1, 3, "Gold sub", 1, 1), _nothing_but_names("idnumber")),
    _created("category_create_hidden", NewCategory(-1, 3, "Gold hid", 0, 0)),
    Case("category_delete_empty", "categories_delete", "categoryid;path\n6;Empty2\n"),
)  # fmt: skip
