"""What the columns of Moodle's tables refer to: facts of Moodle's schema, written down apart from our own code.

Only ids of rows that a case makes have to be known here: they differ between Moodle's run and ours. An id of a row that was
there before is the same on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    ("course_modules", "section"): "course_sections",
    ("course_sections", "sequence"): "course_modules",
    ("course_completion_criteria", "moduleinstance"): "course_modules",
    ("forum_subscriptions", "forum"): "forum",
    ("forum_digests", "forum"): "forum",
    ("grade_grades", "itemid"): "grade_items",
    ("grade_grades_history", "itemid"): "grade_items",
    ("grade_grades_history", "oldid"): "grade_grades",
    ("grade_items", "categoryid"): "grade_categories",
    ("customfield_data", "instanceid"): "course",
    ("lesson_answers", "pageid"): "lesson_pages",
    ("lesson_pages", "nextpageid"): "lesson_pages",
    ("lesson_pages", "prevpageid"): "lesson_pages",
    ("question_references", "usingcontextid"): "context",
    ("user_info_data", "fieldid"): "user_info_field",
    ("user", "picture"): "files",
}
# Within activities and question banks, of those that the recorded restores hold: table -> columns that refer to it.
_WITHIN = {
    "assign": ("assign_plugin_config.assignment",),
    "book": ("book_chapters.bookid",),
    "choice": ("choice_options.choiceid",),
    "data": ("data_fields.dataid",),
    "feedback": ("feedback_item.feedback",),
    "grade_categories": ("grade_categories.parent",),
    "lesson": ("lesson_pages.lessonid", "lesson_answers.lessonid"),
    "question": (
        "question_answers.question", "question_hints.questionid", "question_truefalse.question",
        "qtype_shortanswer_options.questionid", "question_versions.questionid",
    ),
    "question_answers": ("question_truefalse.trueanswer", "question_truefalse.falseanswer"),
    "question_bank_entries": ("question_versions.questionbankentryid", "question_references.questionbankentryid"),
    "question_categories": ("question_bank_entries.questioncategoryid", "question_categories.parent"),
    "quiz": ("quiz_slots.quizid", "quiz_sections.quizid"),
    "quiz_slots": ("question_references.itemid",),
    "scorm": ("scorm_scoes.scorm",),
    "scorm_scoes": ("scorm_scoes_data.scoid", "scorm.launch"),
}  # fmt: skip
_BY_COLUMN |= {
    (table, name): target
    for target, columns in _WITHIN.items()
    for table, _dot, name in [c.partition(".") for c in columns]
}
_BY_CONTEXT_LEVEL = {30: "user", 40: "course_categories", 50: "course", 70: "course_modules", 80: "block_instances"}
_BY_COMPONENT = {"enrol_cohort": "enrol", "enrol_meta": "enrol", "mod_subsection": "subsection"}
_BY_FLAG_TYPE = {"accesslib/dirtyusers": "user", "userpreferenceschanged": "user"}
_DEPENDING: Mapping[tuple[str, str], Callable[[Mapping[str, Any]], str | None]] = {
    ("cache_flags", "name"): lambda row: _BY_FLAG_TYPE.get(row["flagtype"]),
    ("context", "instanceid"): lambda row: _BY_CONTEXT_LEVEL.get(row["contextlevel"]),
    ("grade_items", "iteminstance"): lambda row: row["itemmodule"] or "grade_categories",
    ("tag_instance", "itemid"): lambda row: row["itemtype"],
}
# Ids of this table with slashes between them.
_PATHS = {
    ("context", "path"): "context",
    ("course_categories", "path"): "course_categories",
    ("grade_categories", "path"): "grade_categories",
}


def referenced_table(table: str, column: str, row: Mapping[str, Any], modules: Mapping[int, str]) -> str | None:
    """Return the table whose id this column of this row holds, None when it holds no id that we know of.

    Shape: modules: id -> name
    """
    if (table, column) == ("course_modules", "instance"):
        return modules.get(row["module"])
    if (table, column) in _BY_COLUMN:
        return _BY_COLUMN[(table, column)]
    if (table, column) in _DEPENDING:
        return _DEPENDING[(table, column)](row)
    if column == "itemid":
        return _BY_COMPONENT.get(row.get("component") or "")
    return _BY_NAME.get(column)


def path_table(table: str, column: str, row: Mapping[str, Any]) -> str | None:
    """Return the table whose ids this column holds as a path, "/1/3/50"."""
    if table == "cache_flags" and column == "name" and row["flagtype"] == "accesslib/dirtycontexts":
        return "context"
    return _PATHS.get((table, column))
