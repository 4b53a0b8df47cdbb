"""The cases of assignments with several markers, and of overrides with a reason."""

from __future__ import annotations

from sync.moodle.groups.deletion import delete_groups
from tests.effects import (
    cases_courses_delete as deletion,
    cases_courses_reset as resets,
    cases_enrolments as enrolments,
    cases_groups as groups,
    cases_users as users,
)
from tests.effects.case import Case

_KEPT, _DATE, _SHIFTED = resets.KEPT_GRADES, resets.EVENT_OF_OVERRIDE, resets.SHIFTED

CASES = (
    Case("course_delete_rich_marks", "courses_delete", f"{deletion.TPL1}\n", deletion.BY_ID, allowed=deletion.OF_RICH),
    resets.reset("assign_marks", *_KEPT, assign_submissions="1", grades="grades"),
    resets.reset("assign_marks_grades", *_KEPT, grades="grades"),
    resets.reset("assign_marks_submissions", assign_submissions="1"),
    resets.reset("assign_reason_user", _DATE, assign_user_overrides="1"),
    resets.reset("assign_reason_group", _DATE, assign_group_overrides="1"),
    resets.reset("lesson_reason_user", *_SHIFTED, lesson_user_overrides="1"),
    resets.reset("reason_groups_remove", groups="groups"),
    Case("unenrol_last_marks", "enrolments", f"{enrolments.PLAIN}del;22;23;student;manual\n", enrolments.BY_ID),
    Case(
        "user_delete_marks", "users_delete", "username\nuser21\n", users.BY_USERNAME,
        allowed=(users.NO_PRIVACY_REQUEST,),
    ),
    groups.without_file("group_delete_override_reason", lambda writer: delete_groups(writer, [14])),
)  # fmt: skip
