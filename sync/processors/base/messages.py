"""Texts of what several file types do alike."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _, ngettext

from sync.messages import PluralText

TEXTS: dict[str, Any] = {
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
            "%(count)s absentee is left as is, for something else was planned. Run the file again.",
            "%(count)s absentees are left as they are, for something else was planned. Run the file again.",
            n,
        )
    ),
    "absent_left_refused": _(
        "absent from the file, and left as it is, for Moodle's database does not allow the change."
    ),
    "absent_created_nothing": _(
        "The file is to be complete for what ToolSync created, and it has created nothing of this kind as far as it knows: "
        "it keeps that since this version. Choose another scope, or set absent to keep. Nothing was written."
    ),
    "absent_left_unread": _(
        "Whom the rows in lines %(lines)s name can't be read, so nobody knows who is absent: what is absent from the file is "
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
    "category_path_gap": _("The path “%(path)s” has an empty part. Write it like Sciences/Mathematics."),
    "category_name_too_long": _("The category name “%(name)s” is too long: at most %(limit)s characters. Shorten it."),
}
