"""What the columns of Moodle's tables refer to: facts of Moodle's schema, written down apart from our own code.

Only ids of rows that a case makes have to be known here: they differ between Moodle's run and ours. An id of a row that was
there before is the same on both sides.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# A column of this name refers to this table, whatever the table it is in.
_BY_NAME = {
    "userid": "user",
    "relateduserid": "user",
    "useridto": "user",
    "courseid": "course",
    "course": "course",
    "contextid": "context",
    "parentcontextid": "context",
    "enrolid": "enrol",
    "roleid": "role",
    "cohortid": "cohort",
    "groupid": "groups",
    "groupingid": "groupings",
    "conversationid": "message_conversations",
    "tagid": "tag",
    "cmid": "course_modules",
    "coursemoduleid": "course_modules",
    "forumid": "forum",
    "notificationid": "notifications",
    "referencefileid": "files_reference",
}
_BY_COLUMN = {
    ("course", "category"): "course_categories",
    ("course_categories", "parent"): "course_categories",
    ("course_modules", "module"): "modules",
    # The only activity that a file type makes.
    ("course_modules", "instance"): "forum",
    ("course_modules", "section"): "course_sections",
    ("course_sections", "sequence"): "course_modules",
    ("forum_subscriptions", "forum"): "forum",
    ("forum_digests", "forum"): "forum",
    ("grade_grades", "itemid"): "grade_items",
    ("grade_grades_history", "itemid"): "grade_items",
    ("grade_grades_history", "oldid"): "grade_grades",
    ("grade_items", "categoryid"): "grade_categories",
    ("user_info_data", "fieldid"): "user_info_field",
    ("user", "picture"): "files",
}
_BY_CONTEXT_LEVEL = {30: "user", 40: "course_categories", 50: "course", 70: "course_modules", 80: "block_instances"}
_BY_COMPONENT = {"enrol_cohort": "enrol", "enrol_meta": "enrol"}
_BY_FLAG_TYPE = {"accesslib/dirtyusers": "user", "userpreferenceschanged": "user"}
# Ids of this table with slashes between them.
_PATHS = {
    ("context", "path"): "context",
    ("course_categories", "path"): "course_categories",
    ("grade_categories", "path"): "grade_categories",
}


def referenced_table(table: str, column: str, row: Mapping[str, Any]) -> str | None:
    """Give the table whose id this column of this row holds, None when it holds no id that we know of."""
    if (table, column) in _BY_COLUMN:
        return _BY_COLUMN[(table, column)]
    if column == "instanceid" and table == "context":
        return _BY_CONTEXT_LEVEL.get(row["contextlevel"])
    if column == "itemid" and table == "tag_instance":
        return row["itemtype"]
    if column == "itemid":
        return _BY_COMPONENT.get(row.get("component") or "")
    if column == "name" and table == "cache_flags":
        return _BY_FLAG_TYPE.get(row["flagtype"])
    return _BY_NAME.get(column)


def path_table(table: str, column: str, row: Mapping[str, Any]) -> str | None:
    """Give the table whose ids this column holds as a path, "/1/3/50"."""
    if table == "cache_flags" and column == "name" and row["flagtype"] == "accesslib/dirtycontexts":
        return "context"
    return _PATHS.get((table, column))
