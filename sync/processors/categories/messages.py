"""Texts of the file type `categories_delete`."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, Any] = {
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
}
