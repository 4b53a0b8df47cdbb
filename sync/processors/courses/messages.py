"""Texts of the file type `courses`."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _, ngettext

from sync.messages import PluralText

TEXTS: dict[str, Any] = {
    "course_created": _("course created"),
    "course_updated": _("course updated"),
    "course_content_added": _("course updated: the content of the template was added"),
    "course_content_replaced": _("course updated: the content of the template took the place of what was in it"),
    "course_unchanged": _("course unchanged"),
    "courses_left_as_they_are": PluralText(
        lambda n: ngettext(
            "%(count)s row names a course that exists (line %(line)s): it was left as it is, whatever the other cells say. To "
            "change it, switch on “Update existing courses” (forceupdate).",
            "%(count)s rows name courses that exist (first line %(line)s): they were left as they are, whatever the other cells "
            "say. To change them, switch on “Update existing courses” (forceupdate).",
            n,
        )
    ),
    "course_exists": _("the course exists; it is left as it is"),
    "course_shortname_taken": _(
        "Another course has the short name “%(value)s”. Short names are unique: choose another."
    ),
    "course_idnumber_taken": _(
        "Another course has the idnumber “%(value)s”. Idnumbers are unique: correct one of them."
    ),
    "course_template_unknown": _(
        "There is no course with the short name “%(template)s” to take as a template. Correct the cell, or make that course "
        "first."
    ),
    "course_template_site": _(
        "“%(template)s” is the front page of the site, which can't be a template. Name a course."
    ),
    "course_template_plugins": _(
        "The template “%(template)s” holds %(plugins)s, whose tables ToolSync doesn't know, so no course was made. Add the "
        "plugin's install.xml (see the manual), or name another template."
    ),
    "course_handover_no_command": _(
        "No Moodle command line is set for this site, so Moodle can't restore the backup. Have TOOLSYNC_MOODLE_CLI set, or let "
        "ToolSync restore it."
    ),
    "course_handover_failed": _("Moodle did not restore the backup. %(reason)s Mend that, or let ToolSync restore it."),
    "course_handover_silent": _(
        "Moodle's %(script)s ended without the number of the course, but with “%(said)s”. Look in Moodle whether it made one."
    ),
    "course_handover_lost": _(
        "Moodle's command line says that it made course %(courseid)s, which isn't in this database. Let the operator check that "
        "TOOLSYNC_MOODLE_CLI belongs to this Moodle."
    ),
    "course_handover_existing": _(
        "Moodle's command line restores into new courses only, and this one is there. Let ToolSync restore “%(template)s”."
    ),
    "course_replacements_invalid": _(
        'The cell is no JSON object of texts, such as {"place": "Lyon"}. Correct it, or leave it empty.'
    ),
    "course_replacements_alone": _(
        "Texts are replaced only in what a new course takes from a template that ToolSync copies: %(replacements)s. Name a "
        "template, or leave the cell empty."
    ),
    "course_template_itself": _("A course can't be its own template. Empty the cell, or name another course."),
    "course_replace_plugins": _(
        "The course holds %(plugins)s, whose tables ToolSync doesn't know, so nothing of it was replaced. Add the plugin's "
        "install.xml (see the manual), or choose to add the template to what is there."
    ),
    "course_template_archive": _(
        "There is no course backup “%(template)s”, neither among the files of the site nor in Moodle. Upload it, or correct the "
        "cell."
    ),
    "course_template_no_backup": _(
        "The course “%(template)s” has no backup in Moodle. Make one, or choose to take courses as they are now."
    ),
    "course_backup_no_data_folder": _(
        "Files of a backup can't be brought into Moodle, whose data folder isn't set. Set it for this site."
    ),
    "course_backup_ambiguous": _(
        "%(count)s courses have a backup named “%(template)s” in Moodle. Upload the one that is meant to the files of the site, "
        "or choose to take the newest backup of a course and name that course."
    ),
    "course_backup_lost": _(
        "Moodle names this backup, but its data folder doesn't hold it. Upload the backup as a file."
    ),
    "course_backup_plugins": _(
        "The backup “%(template)s” holds %(plugins)s, which ToolSync doesn't know, so no course was made. Choose to leave "
        "out what isn't known, or name another backup."
    ),
    "course_backup_left_out": _(
        "What this Moodle has no plugin for was left out of the backup “%(template)s”: %(titles)s. Install the plugins first to "
        "have it all."
    ),
    "course_backup_files_missing": PluralText(
        lambda count: ngettext(
            "%(count)s file of the backup “%(template)s” is neither in it nor in Moodle, so its place stays empty. Add it in "
            "Moodle.",
            "%(count)s files of the backup “%(template)s” are neither in it nor in Moodle, so their places stay empty. Add them "
            "in Moodle.",
            count,
        )
    ),
    "course_backup_aliases": PluralText(
        lambda count: ngettext(
            "%(count)s file of the backup “%(template)s” only points to another place, and was left out. Add it in Moodle.",
            "%(count)s files of the backup “%(template)s” only point to another place, and were left out. Add them in Moodle.",
            count,
        )
    ),
    "course_grouping_unknown": _(
        "The course has no grouping %(grouping)s. Write 0, or the number of one of its groupings."
    ),
    "course_without_context": _(
        "The course “%(course)s” has no place in Moodle's tree of contexts yet. Have Moodle run its tasks “Create missing "
        "contexts” and “Cleanup contexts” (php admin/cli/scheduled_task.php), and send the line again."
    ),
    "course_without_manual": _(
        "New courses get no manual enrolment on this site, so they can't have teachers. Have it added to new courses (settings "
        "of the plugin “Manual enrolments” in Moodle), or leave the teachers out."
    ),
    "course_dates_reversed": _(
        "The course would end (%(end)s) before it starts (%(start)s). Correct one of the two dates."
    ),
    "course_field_value_taken": _(
        "Another course has “%(value)s” in this field, whose values are unique. Choose another."
    ),
    "course_field_unknown": _("Column “%(column)s” is ignored: Moodle has no such custom field of courses."),
    "course_field_kind_unknown": _(
        "Custom fields of the type “%(kind)s” can't be filled from a file. Take the column out."
    ),
    "course_field_required": _("Moodle wants a value in the field “%(field)s”. Fill in the cell."),
    "course_field_automatic": _("Moodle works out this number by itself, and no file fills it. Leave it out."),
    "course_field_not_number": _(
        "“%(value)s” is not a number. Write digits, with a point or a comma before decimal places."
    ),
    "course_field_number_ambiguous": _(
        "“%(value)s” may be %(large)s or %(small)s: some write a point or a comma before thousands. Write the one that is meant."
    ),
    "course_field_decimals": _("“%(value)s” has more decimal places than Moodle stores (%(limit)s). Round it."),
    "course_field_date_early": _(
        "The field takes no date before %(first)s, and this is “%(value)s”. Correct the cell."
    ),
    "course_field_date_late": _("The field takes no date after %(last)s, and this is “%(value)s”. Correct the cell."),
    "cohort_categories_differ": _(
        "These cells name different categories: %(columns)s. Fill in only one of them, or the same category."
    ),
    "teacher_unknown": _("“%(account)s” is nobody's id, username, address or name. Correct it."),
    "teacher_ambiguous": _("“%(account)s” may mean %(count)s users. Write the username."),
    "absent_courses_of_category": _("Scope: the courses of the category “%(name)s” and of all below it."),
    "absent_courses_of_pattern": _("Scope: the courses whose short name fits “%(name)s”."),
    "absent_courses_of_ours": _("Scope: the courses that ToolSync has created since %(since)s."),
    "absent_course_hidden": _("absent from the file: “%(fullname)s” hidden."),
    "absent_course_hidden_for_deletion": _("absent from the file: “%(fullname)s” hidden now, deleted on %(date)s."),
    "absent_course_hidden_for_deletion_planned": _(
        "absent from the file: “%(fullname)s” would be hidden now, and deleted on %(date)s."
    ),
    "absent_course_listed_for_deletion": _("absent from the file: “%(fullname)s” hidden already, deleted on %(date)s."),
    "absent_course_deleted": _("absent from the file: “%(fullname)s” deleted."),
    "absent_courses_none": _("None of the %(total)s courses of the scope is absent from the file."),
    "absent_courses_hide": PluralText(
        lambda n: ngettext(
            "%(count)s of %(total)s courses of the scope is absent from the file; hidden by this run: %(done)s.",
            "%(count)s of %(total)s courses of the scope are absent from the file; hidden by this run: %(done)s.",
            n,
        )
    ),
    "absent_courses_delete": PluralText(
        lambda n: ngettext(
            "%(count)s of %(total)s courses of the scope is absent from the file; deleted, or put on the list of deletions, by "
            "this run: %(done)s.",
            "%(count)s of %(total)s courses of the scope are absent from the file; deleted, or put on the list of deletions, by "
            "this run: %(done)s.",
            n,
        )
    ),
    "absent_courses_foreign": PluralText(
        lambda n: ngettext(
            "%(count)s absent course stays, for there is something of a plugin in it that ToolSync doesn't know.",
            "%(count)s absent courses stay, for there is something of a plugin in them that ToolSync doesn't know.",
            n,
        )
    ),
    "absent_courses_scope_unchosen": _(
        "The file is to be complete for courses, and none are chosen. Set absentscope, and absentname for a category or a "
        "pattern, or absent to keep. Nothing was written."
    ),
    "absent_category_unclear": _(
        "One category must have the idnumber “%(name)s”, but %(count)s have it: nobody knows which courses are meant. Give the "
        "category an idnumber of its own in Moodle, and write that into absentname; its number isn't taken. Nothing was written."
    ),
    "absent_courses_scope_empty": _(
        "No course is in the scope of the file, so it can't be what is meant. Correct absentname, or set absent to keep as long "
        "as there is none. Nothing was written."
    ),
    "absent_courses_scope_all": _(
        "All %(count)s courses of the site are in the scope of the file. Choose a smaller one, or switch on “The scope may be "
        "all courses” (absentall). Nothing was written."
    ),
}

# What is missing may be there later -> table of Moodle.
MISSING = {"course_template_unknown": "course", "teacher_unknown": "user"}
