"""The cases of courses.md section 4.3: the course of every activity, reset with one option at a time."""

from __future__ import annotations

from sync.processors.course_lists.reset_cells import CourseResetCells
from tests.effects.case import Case
from tests.effects.comparison import ANY_VERSION, Allowed, Versions

TPL1 = 22
BY_ID = {"courseidentifier": "id"}
# Chats and surveys are gone since Moodle 5.
_WITH_CHATS = Versions(before="5.0")
_COLUMNS = ("events", "logs", "notes", "grades", "roles", "local_roles", "groups", "groupings", "modules")

_REFRESHED = Allowed(
    "event", "updated", "Moodle writes the calendar entries of activities anew, as they are", ("timemodified",)
)
_MADE_AGAIN = (
    Allowed("event", "deleted", "Moodle deletes the calendar entries of activities too …"),
    Allowed("event", "inserted", "… and makes them again"),
)
_TOLD = Allowed(
    "cache_flags", "inserted", "Moodle tells nobody that overrides are gone; we mark the course", side="extra",
    where={"flagtype": "accesslib/dirtycontexts"},
)  # fmt: skip
_READ_ANEW = Allowed("course", "updated", "activities kept the grouping in Moodle's cache", ("cacherev",), side="extra")
_UNBORNE = Allowed("tag", "deleted", "Moodle leaves the tag that nothing bears any more to a task", side="extra")
_NO_SUBSCRIPTION = Allowed(
    "forum_discussion_subs", "deleted", "Moodle leaves subscriptions to discussions that are gone", side="extra"
)
_NO_ORPHANS = (
    Allowed("glossary_alias", "deleted", "Moodle leaves aliases of entries that are gone", side="extra"),
    Allowed("tag_instance", "deleted", "Moodle leaves tags of entries that are gone", side="extra"),
    _UNBORNE,
)
EVENT_OF_OVERRIDE = Allowed("event", "deleted", "Moodle leaves the date of an override that is gone", side="extra")
SHIFTED = (
    Allowed(
        "event", "deleted", "Moodle writes the entries of the overrides that stay into the rows of those that go …"
    ),
    Allowed("event", "deleted", "… where we delete the rows themselves", side="extra"),
    Allowed("event", "updated", "the same", ("courseid", "groupid", "name", "priority", "userid")),
)
KEPT_GRADES = (
    Allowed("grade_grades", "deleted", "a grade that its activity gives again as it is keeps its row …"),
    Allowed("grade_grades", "inserted", "… and totals are reckoned at the next look at the gradebook"),
    Allowed("grade_grades_history", "inserted", "no history of grades that stay, and of totals that come later"),
    Allowed(
        "grade_items",
        "updated",
        "totals are reckoned at the next look at the gradebook",
        ("needsupdate",),
        side="extra",
    ),
)
_RECKONED = "totals and weights are reckoned at the next look at the gradebook"
_NEW_ITEMS = (
    Allowed("grade_items", "inserted", _RECKONED, ("grademax", "needsupdate", "aggregationcoef2"), side="differs"),
    Allowed(
        "grade_items",
        "inserted",
        "the items keep their order, Moodle goes by the names of the modules",
        ("sortorder",),
        side="differs",
    ),
    Allowed(
        "grade_items", "inserted", "Moodle forgets the ID numbers of some activities", ("idnumber",), side="differs"
    ),
    Allowed(
        "grade_grades", "inserted", _RECKONED, ("aggregationstatus",), side="differs", versions=Versions(since="5.1")
    ),
    Allowed("task_adhoc", "inserted", _RECKONED, versions=Versions(since="5.1")),
    Allowed("stored_progress", "inserted", _RECKONED, versions=Versions(since="5.1")),
    Allowed(
        "grade_grades",
        "inserted",
        "grades keep what is known of when and by whom they were given",
        ("aggregationweight", "timecreated", "timemodified", "usermodified"),
        side="differs",
    ),
    Allowed("grade_grades", "inserted", _RECKONED),
    Allowed("grade_grades_history", "inserted", "no history of rows that are made anew"),
    Allowed("grade_items_history", "inserted", "no history of rows that are made anew"),
    Allowed("grade_categories_history", "inserted", "no history of rows that are made anew"),
)
_MOVED = (
    *(Allowed(table, "updated", "a reset file moves no dates", columns) for table, columns in (
        ("course", ("startdate", "cacherev")), ("assign", ("duedate",)), ("assign_overrides", ("duedate",)),
        ("lesson_overrides", ("deadline",)), ("quiz_overrides", ("timeopen",)), ("event", ("timesort", "timestart")),
    )),
    Allowed("chat", "updated", "a reset file moves no dates", ("chattime",), versions=_WITH_CHATS),
)  # fmt: skip


def reset(name: str, *allowed: Allowed, **cells: str) -> Case:
    """Return the case of a reset. Shape: cells: column -> cell; all others are off"""
    names = [*_COLUMNS, *(name for name in cells if name not in _COLUMNS)]
    assert set(names) <= {column.name for column in CourseResetCells.columns}
    text = f"id;{';'.join(names)}\n{TPL1};{';'.join(cells.get(name, '') for name in names)}\n"
    return Case(
        f"course_reset_{name}", "courses_reset", text, BY_ID, allowed=(_REFRESHED, *allowed), versions=_versions(name)
    )


def _versions(name: str) -> Versions:
    return _WITH_CHATS if name.startswith(("chat", "survey")) else ANY_VERSION


def option(name: str, *allowed: Allowed) -> Case:
    """Return the case of an option that has the name of its column."""
    return reset(name, *allowed, **{name: "1"})


CASES = (
    reset("nothing"),
    reset("events", *_MADE_AGAIN, events="yes"),
    reset("notes", notes="yes"),
    reset("blog", blog_associations="yes"),
    reset("comments", comments="yes"),
    reset("completion", completion="yes"),
    reset("competency", competency_ratings="yes"),
    reset("competency_evidence", competency_ratings="yes"),
    reset("quiz_random", quiz_attempts="1"),
    reset("gradebook_grades", *KEPT_GRADES, grades="grades"),
    reset("gradebook_items", *_NEW_ITEMS, grades="items"),
    reset("unenrol_students", roles="student"),
    reset("unenrol_norole", roles="none"),
    reset("roles_local", local_roles="roles"),
    reset("roles_overrides", _TOLD, local_roles="overrides"),
    reset("groups_members", groups="members"),
    reset("groups_remove", groups="groups"),
    reset("groupings_members", groupings="members"),
    reset("groupings_remove", _READ_ANEW, groupings="groups"),
    reset(
        "typical_semester", *_MADE_AGAIN, *_MOVED, _UNBORNE, events="yes", notes="yes", comments="yes", completion="yes",
        blog_associations="yes", grades="grades", roles="student", groups="members",
        **dict.fromkeys((
            "assign_submissions", "quiz_attempts", "forum_all", "forum_subscriptions", "choice", "data", "glossary_all",
            "lesson", "scorm", "wiki_pages", "workshop_submissions", "workshop_phase", "h5pactivity",
        ), "1"),
    ),
    *(option(name, EVENT_OF_OVERRIDE) for name in ("assign_user_overrides", "assign_group_overrides")),
    *(option(name, *SHIFTED) for name in ("lesson_user_overrides", "quiz_user_overrides")),
    *(option(name, _UNBORNE) for name in ("book_tags", "data", "data_tags", "forum_tags", "glossary_all", "glossary_tags")),
    option("forum_all", _UNBORNE, _NO_SUBSCRIPTION),
    option("glossary_notenrolled", *_NO_ORPHANS),
    *map(option, (
        "assign_submissions", "chat", "choice", "data_notenrolled", "data_ratings", "data_comments", "feedback", "forum_digests",
        "forum_subscriptions", "forum_track_prefs", "forum_ratings", "glossary_ratings", "glossary_comments",
        "h5pactivity", "lesson", "lesson_group_overrides", "quiz_attempts", "quiz_group_overrides", "scorm",
        "survey_answers", "survey_analysis",
        "wiki_pages", "wiki_tags", "wiki_comments", "workshop_assessments", "workshop_submissions", "workshop_phase",
    )),
)  # fmt: skip
# A reset file moves no dates. Spec: courses.md section 4.2
FAMILIES = {"course_reset_": ("course_reset_startdate_shift",)}
