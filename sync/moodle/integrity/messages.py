"""Texts of the checks of what is in a Moodle."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, Any] = {
    "context_instance_missing": _(
        "Contexts of something that is no longer there. Moodle's scheduled task “Cleanup contexts” removes them."
    ),
    "context_path_wrong": _(
        "Contexts whose path or depth doesn't lead through the context that holds them, so that rights are inherited "
        "wrongly. Let a developer call context_helper::build_all_paths(true) in Moodle, then purge its caches."
    ),
    "context_missing": _(
        "Courses or categories without a context: no command file finds them. Open them in Moodle, which makes the "
        "context then."
    ),
    "context_not_made": _(
        "Activities or blocks that have no context yet. Nothing is to be done: Moodle makes it when it first needs it."
    ),
    "block_place_missing": _(
        "Blocks in a context that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "category_parent_missing": _(
        "Categories in a category that isn't there. Move any category up or down in Moodle: it then puts the tree in "
        "order."
    ),
    "category_path_wrong": _(
        "Categories whose path or depth doesn't lead through the category that holds them. Move any category up or "
        "down in Moodle: it then puts the tree in order."
    ),
    "category_count_wrong": _(
        "Categories that say they hold another number of courses than they do. Move any category up or down in "
        "Moodle: it then counts anew."
    ),
    "category_order_wrong": _(
        "Categories whose sort order doesn't fit their place in the tree. Move any category up or down in Moodle: it "
        "then numbers them anew."
    ),
    "course_category_missing": _(
        "Courses in a category that isn't there. Move them into one with a file of courses or on Moodle's page of "
        "courses and categories."
    ),
    "course_order_wrong": _(
        "Courses whose sort order doesn't fit their category. Moodle numbers them anew when the next course is made, and so does "
        "a run that makes courses."
    ),
    "course_not_in_order_yet": _(
        "Courses that have no place in their category yet, as a restore in Moodle leaves them. Moodle gives them one when the "
        "next course is made, and so does a run that makes courses."
    ),
    "section_course_missing": _(
        "Sections of a course that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "course_module_course_missing": _(
        "Activities of a course that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "section_sequence_wrong": _(
        "Sections that list an activity which isn't in their course, or one twice. Run "
        "admin/cli/fix_course_sequence.php --courses=* --fix in Moodle, then purge its caches."
    ),
    "course_module_not_in_section": _(
        "Activities that their section doesn't list, or that another one lists as well, so that they are shown "
        "nowhere or at the wrong place. Run admin/cli/fix_course_sequence.php --courses=* --fix in Moodle, then purge "
        "its caches."
    ),
    "course_module_type_unknown": _(
        "Activities of a type that isn't installed. Install the plugin again, or uninstall it properly in Moodle."
    ),
    "course_module_instance_missing": _(
        "Course modules without their activity, or with that of another course. Delete them in their course in Moodle."
    ),
    "activity_course_module_missing": _(
        "Activities without a course module. No page shows them: take a backup, then delete the rows."
    ),
    "section_delegate_missing": _("Sections of a subsection that isn't there. Delete them in their course in Moodle."),
    "subsection_section_missing": _(
        "Subsections without a section for their content. Open their course with editing on in Moodle; where that "
        "makes none, delete the subsections."
    ),
    "enrol_course_missing": _(
        "Enrolment methods of a course that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "user_enrolment_method_missing": _(
        "Enrolments by a method that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "user_enrolment_user_missing": _(
        "Enrolments of users who are deleted or aren't there. No page shows them: take a backup, then delete the rows."
    ),
    "role_assignment_role_missing": _(
        "Assignments of a role that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "role_assignment_context_missing": _(
        "Roles in a context that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "role_assignment_user_missing": _(
        "Roles of users who are deleted or aren't there. No page shows them: take a backup, then delete the rows."
    ),
    "role_assignment_without_enrolment": _(
        "Roles that an enrolment method gave in a course to people whom it doesn't enrol there. Enrol them again by "
        "the same method, then unenrol them: the role goes with the enrolment."
    ),
    "user_enrolment_without_role": _(
        "People whom a cohort enrols, but who haven't got its role in the course. Moodle's scheduled task of cohort "
        "enrolment gives it."
    ),
    "role_assignment_twice": _(
        "Roles that somebody has twice in the same place from the same source. Unassign the role in Moodle, then "
        "assign it again."
    ),
    "group_course_missing": _(
        "Groups of a course that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "grouping_course_missing": _(
        "Groupings of a course that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "group_member_group_missing": _(
        "Memberships in a group that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "group_member_not_enrolled": _(
        "Members of a group who aren't enrolled in its course. Enrol them, or take them out of the group with a file "
        "of group members or in Moodle."
    ),
    "grouping_across_courses": _(
        "Groups in a grouping of another course, or of which one isn't there. No page shows this: take a backup, then "
        "delete the rows."
    ),
    "course_default_grouping_missing": _(
        "Courses whose default grouping isn't one of theirs. Choose another one in the settings of the course."
    ),
    "grade_item_course_missing": _(
        "Grade items of a course that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "grade_category_course_missing": _(
        "Grade categories of a course that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "grade_item_category_wrong": _(
        "Grade items in a category that isn't there or is another course's. Move them into one in the gradebook setup "
        "of the course."
    ),
    "grade_item_instance_missing": _(
        "Grade items of an activity or a category that isn't there or is another course's. Delete them in the "
        "gradebook setup of the course."
    ),
    "grade_item_scale_missing": _(
        "Grade items with a scale that isn't there. Choose another one in the settings of the activity or of the "
        "grade item."
    ),
    "grade_category_path_wrong": _(
        "Grade categories whose path, depth or course doesn't go with the category that holds them. Move them into "
        "another category and back in the gradebook setup of the course."
    ),
    "grade_category_second_root": _(
        "Grade categories that stand beside the uppermost one of their course, where there can be only one. Take a "
        "backup, then delete the one that holds nothing."
    ),
    "grade_without_item": _(
        "Grades of a grade item that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "question_category_context_missing": _(
        "Question categories in a context that isn't there. Run admin/cli/fix_orphaned_question_categories.php --fix "
        "in Moodle: it deletes unused questions and rescues the others."
    ),
    "question_category_parent_wrong": _(
        "Question categories in a category that isn't there or is in another context. Move them in the question bank "
        "of Moodle."
    ),
    "question_entry_category_missing": _(
        "Entries of the question bank in a category that isn't there. Take a backup, then give the rows a category "
        "that is there, or delete them."
    ),
    "question_version_entry_missing": _(
        "Versions of questions without their entry in the question bank. No page shows them: take a backup, then "
        "delete the rows."
    ),
    "question_version_question_missing": _(
        "Versions of a question that isn't there. Take a backup, then delete the rows."
    ),
    "question_parent_missing": _(
        "Parts of a question that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "question_without_version": _(
        "Questions that are no version of an entry in the question bank. No page shows them: take a backup, then "
        "delete the rows."
    ),
    "question_entry_without_version": _(
        "Entries of the question bank without any version. No page shows them: take a backup, then delete the rows."
    ),
    "question_reference_entry_missing": _(
        "Places that use a question which isn't there. Take the question out of the quiz in Moodle, and put another "
        "one in."
    ),
    "question_reference_version_missing": _(
        "Places that use a version of a question which isn't there. Choose another version in the quiz in Moodle."
    ),
    "question_reference_context_missing": _(
        "Uses of questions in a context that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "question_set_context_missing": _(
        "Random questions out of a context that isn't there. Choose another category for them in the quiz in Moodle."
    ),
    "question_reference_slot_wrong": _(
        "Uses of questions in a place of a quiz that isn't there or is another quiz's. No page shows them: take a "
        "backup, then delete the rows."
    ),
    "quiz_slot_quiz_missing": _(
        "Places for questions in a quiz that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "quiz_slot_without_question": _("Places in a quiz without a question. Take them out of the quiz in Moodle."),
    "quiz_slot_order_wrong": _(
        "Questions of a quiz that aren't numbered from 1 on, or whose pages go back. Move one of them in the quiz in "
        "Moodle."
    ),
    "quiz_section_slot_missing": _(
        "Sections of a quiz that begin with a question which isn't there. Remove the section heading in the quiz in "
        "Moodle."
    ),
    "file_context_missing": _(
        "Files of a context that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "file_place_hash_wrong": _(
        "Files whose pathnamehash isn't that of their place, so that Moodle doesn't find them. Take a backup, then "
        "set it to the SHA-1 of the place."
    ),
    "file_folder_missing": _(
        "Files in a folder that has no row of its own. Moodle makes it when a file is next saved in that folder."
    ),
    "file_folder_with_content": _(
        "Folders with a content, as only files have. Take a backup, then set filesize to 0 and contenthash to the "
        "SHA-1 of nothing."
    ),
    "file_alias_missing": _(
        "Aliases without the reference that says of what. Delete these files where they are used in Moodle."
    ),
    "file_content_missing": _(
        "Files whose content isn't in Moodle's data folder, or has another size there. Take the contents from a "
        "backup of the data folder; of each content, one row is named."
    ),
    "content_without_pool": _(
        "No data folder is set, so the contents of files weren't looked for. Set TOOLSYNC_MOODLE_DATAROOT."
    ),
}
