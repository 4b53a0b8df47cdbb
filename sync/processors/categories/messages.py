"""Texts of the file types `categories` and `categories_delete`."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, Any] = {
    "category_place_differs": _(
        "There is no category “%(path)s”, and a new one can't be both where its path says and in “%(parent)s”. Correct one of "
        "the two cells."
    ),
    "category_path_differs": _(
        "The category with the number %(number)s is “%(present)s”, not “%(given)s”. Correct one of the two cells."
    ),
    "category_deleted": _("category deleted (%(name)s)"),
    "category_deleted_before": _("already deleted by line %(line)s"),
    "category_delete_unknown": _(
        "There is no category with the number %(category)s. Take the line out: the category may have been deleted before."
    ),
    "category_has_courses": _(
        "“%(category)s” holds courses (%(count)s). Move or delete them first, or take the line out."
    ),
    "category_has_categories": _(
        "“%(category)s” holds the category “%(inner)s”, which stays. Put that one on an earlier line, or take this one out."
    ),
    "category_plugins_unknown": _(
        "“%(category)s” keeps questions of %(plugins)s, whose tables ToolSync doesn't know. Delete the category in Moodle."
    ),
    "category_last": _("“%(category)s” is the only category left, and Moodle needs one. Take the line out."),
    "category_created": _("category added"),
    "category_updated": _("category changed"),
    "category_unchanged": _("category unchanged"),
    "category_absent": _("nothing to do: there is no such category"),
    "category_name_missing": _("A new category needs a name. Fill in the column name."),
    "category_path_unknown": _(
        "There is no category “%(missing)s” on the path “%(path)s”. Put a row that makes it before this one."
    ),
    "category_idnumber_taken": _(
        "Another category has the idnumber “%(idnumber)s”. Give this one another, or leave the cell empty."
    ),
    "category_idnumber_too_long": _("An idnumber has at most %(limit)s characters. Shorten it."),
    "category_into_itself": _(
        "“%(category)s” can't go into itself or into a category below it. Name another one in the column parent."
    ),
    "category_name_shared": _(
        "another category in the same place is called “%(category)s” as well; a path of names can't tell the two apart"
    ),
    "category_stays_hidden": _("still hidden, as it was where it came from; fill in visible to show it"),
    "category_shown_later": _("seen once the category that holds it is: that one is hidden"),
    "category_holds_content": _(
        "“%(category)s” holds courses (%(courses)s) or categories (%(categories)s). Say in the column contentto which "
        "category gets them, or move them first."
    ),
    "category_holds_bank": _(
        "“%(category)s” keeps questions (%(questions)s) or content of its content bank (%(contents)s), which would be lost. Move "
        "or delete that in Moodle first."
    ),
    "category_content_inside": _(
        "What “%(category)s” holds can't go into that category itself or into one below it. Name another one in the column "
        "contentto."
    ),
    "category_content_moved": _("courses (%(courses)s) and categories (%(categories)s) moved to “%(target)s”"),
}
