"""Texts of what several file types do alike."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _, ngettext

from sync.messages import PluralText

TEXTS: dict[str, Any] = {
    "category_named_like_idnumber": _(
        "a category called “%(category)s” was made; that is the idnumber of the category “%(other)s”: is this one meant?"
    ),
    "category_named_like_path": _(
        "one category called “%(category)s” was made, beside “%(first)s”: a path has slashes between its names"
    ),
    "grace_waits": _("on the list of deletions already, deleted on %(date)s"),
    "grace_listed_before": _("already put on the list of deletions by line %(line)s"),
    "grace_not_listed": _("left alone: no longer on the list of deletions"),
    "grace_gone": _("deleted already"),
    "grace_ended": _("taken off the list of deletions"),
    "grace_ended_by_file": _("taken off the list of deletions, because the file names it"),
    "grace_identity_changed": _(
        "“%(listed)s” was put on the list of deletions, but is “%(present)s” now, and wasn't deleted. See who or what that is: "
        "take it off the list, or delete it by a file of its own."
    ),
    "absent_left_changed": PluralText(
        lambda n: ngettext(
            "%(count)s absentee is left as is, for nothing was planned about it: %(names)s. Run the file again.",
            "%(count)s absentees are left as they are, for nothing was planned about them: %(names)s. Run the file again.",
            n,
        )
    ),
    "absent_left_refused": _(
        "absent from the file, and left as it is, for Moodle's database does not allow the change."
    ),
    "emptied_left_refused": _(
        "left empty by the file, and left as it is, for Moodle's database does not allow the deletion."
    ),
    "place_left_refused": _(
        "left at its place among the courses and categories, for Moodle's database does not allow the change."
    ),
    "object_internal_error": _(
        "ToolSync made a mistake here (internal error); nothing was done about it, and the others are done. Give the number "
        "%(number)s to the person who looks after ToolSync: the log tells more under it."
    ),
    "absent_internal_error": _(
        "ToolSync made a mistake while it looked for what is absent from the file (internal error); it stopped looking, and what "
        "it had not come to is left as it is. The rows of the file are done. Give the number %(number)s to the person who looks "
        "after ToolSync: the log tells more under it."
    ),
    "emptied_internal_error": _(
        "ToolSync made a mistake while it looked for what the file has left empty (internal error); it stopped looking, and what "
        "it had not come to is left as it is. The rows of the file are done. Give the number %(number)s to the person who looks "
        "after ToolSync: the log tells more under it."
    ),
    "object_changed_since_plan": _(
        "left as it is, for Moodle has changed since the plan was made: it had another name then, or something else was to be "
        "done about it. Run the file again."
    ),
    "emptied_left_unplanned": PluralText(
        lambda n: ngettext(
            "%(count)s thing that is empty is left, for its deletion was not planned: %(names)s.",
            "%(count)s things that are empty are left, for their deletion was not planned: %(names)s.",
            n,
        )
    ),
    "planned_objects_left": _(
        "Planned after the last row, and not done any more, as Moodle has changed since (%(count)s): %(names)s."
    ),
    "set_again_in_rows": PluralText(
        lambda n: ngettext(
            "%(count)s row changes what an earlier row of the file names too (line %(line)s): the later row counts. Look whether "
            "one of them is meant for something else.",
            "%(count)s rows change what earlier rows of the file name too (first line %(line)s): the later rows count. Look "
            "whether some of them are meant for something else.",
            n,
        )
    ),
    "absent_created_nothing": _(
        "The file is to be complete for what ToolSync created, and it has created nothing of this kind as far as it knows: "
        "it keeps that since this version. Choose another scope, or set absent to keep. Nothing was written."
    ),
    "absent_left_unsure": PluralText(
        lambda n: ngettext(
            "%(count)s entry of the scope is left as it is although no row names it: rows name a user, a course or a cohort that "
            "isn't there, and may mean it (lines %(lines)s). Correct these rows and send the whole file again.",
            "%(count)s entries of the scope are left as they are although no row names them: rows name a user, a course or a "
            "cohort that isn't there, and may mean them (lines %(lines)s). Correct these rows and send the whole file again.",
            n,
        )
    ),
    "absent_left_unread": _(
        "It can't be told whom the rows in lines %(lines)s name, so nobody knows who is absent: what is absent from the file is "
        "left as it is. Correct the rows and send the whole file again."
    ),
    "category_none": _("The site has no course category. Name one."),
    "category_unknown": _(
        "There is no category with the %(identifier)s “%(category)s”. Correct it, or create the category first."
    ),
    "category_without_context": _(
        "The category “%(category)s” has no place in Moodle's tree of contexts yet. Have Moodle run its tasks “Create missing "
        "contexts” and “Cleanup contexts” (php admin/cli/scheduled_task.php), and send the line again."
    ),
    "category_ambiguous": _(
        "“%(category)s” may mean %(count)s categories. Write it exactly as one of them is spelled, or give its number."
    ),
    "category_digits_ambiguous": _(
        "“%(category)s” is the number of the category “%(name)s” and the name of another one. Write /%(category)s for the one "
        "of this name, or the path of names for the other."
    ),
    "category_digits_unknown": _(
        "No category has the number “%(category)s”, and none at the top is called so. Correct it, or write /%(category)s for a "
        "category that is to be made."
    ),
    "category_number_unclear": _(
        "“%(category)s” looks like a number as a spreadsheet shows it, and no category at the top is called so. Write a "
        "category's number in digits alone (5, 2026), or /%(category)s for a category that is to be made."
    ),
    "category_path_of_numbers": _(
        "“%(path)s” is no path of names, but the path of numbers that leads to the category “%(name)s”. Write %(number)s for "
        "that one; make a category that is called so with a file of the type “categories” first."
    ),
    "category_path_markup": _(
        "The path “%(path)s” holds markup, and nobody can tell its slashes from those between names. Write the names without it."
    ),
    "category_path_gap": _("The path “%(path)s” has an empty part. Write it like Sciences/Mathematics."),
    "category_name_too_long": _("The category name “%(name)s” is too long: at most %(limit)s characters. Shorten it."),
}
