"""Texts of the file types that list courses."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, Any] = {
    "list_empty": _("The file names nothing, so there is nothing to do."),
    "course_deletion_final": _(
        "Deleted courses can't be brought back from Moodle's recycle bin: ToolSync puts nothing into it. As "
        "long as the before-images of the run are kept, undoing it brings them back."
    ),
    "course_deleted": _("course deleted (%(fullname)s)"),
    "course_hidden_for_deletion": _("hidden now, deleted on %(date)s (%(fullname)s)"),
    "course_hidden_for_deletion_planned": _("would be hidden now, and deleted on %(date)s (%(fullname)s)"),
    "course_listed_for_deletion": _("hidden already, deleted on %(date)s (%(fullname)s)"),
    "course_deleted_before": _("already deleted by line %(line)s"),
    "course_delete_unknown": _(
        "There is no course with the %(identifier)s “%(course)s”. Correct the line, or take it out: the course may have been "
        "deleted before."
    ),
    "course_being_deleted": _("Moodle is deleting “%(course)s” just now. Take the line out, or send it again later."),
    "course_delete_site": _("“%(course)s” is the front page of the site, which can't be deleted. Take the line out."),
    "course_plugins_unknown": _(
        "The course holds %(plugins)s, whose tables ToolSync doesn't know, so nothing of it was deleted. Add the plugin's "
        "install.xml (see the manual), or delete the course in Moodle."
    ),
    "course_check_found": _("the course is there"),
    "course_check_names": _("%(fullname)s, short name %(shortname)s, idnumber “%(idnumber)s”"),
    "course_check_missing": _("no course has this %(identifier)s"),
    "course_check_described": _("described in the file as “%(description)s”"),
    "course_check_ambiguous": _("%(count)s courses have this %(identifier)s"),
    "course_check_ids": _("their ids: %(ids)s"),
    "course_reset": _("course reset (%(fullname)s)"),
    "course_reset_nothing": _("there was nothing to reset (%(fullname)s)"),
    "course_reset_site": _("“%(course)s” is the site itself, which can't be reset. Take the line out."),
    "course_reset_plugins": _(
        "The course holds %(plugins)s, whose tables ToolSync doesn't know. Name the activities to be reset in the column "
        "modules, add the plugin's install.xml (see the manual), or reset the course in Moodle."
    ),
    "course_reset_module_unknown": _(
        "“%(module)s” is no activity that ToolSync knows. Write the names with spaces between them: %(known)s."
    ),
    "course_reset_roles_yes": _(
        "“%(value)s” doesn't say whose roles. Write the short names of roles with spaces between them, or “all”."
    ),
    "course_reset_role_unknown": _(
        "There is no role “%(role)s”; its holders, if you meant another one, are still enrolled."
    ),
    "course_reset_logs": _("The column “logs” has no effect: Moodle keeps its logs when a course is reset."),
}

# What is missing may be there later -> table of Moodle.
MISSING = {"course_delete_unknown": "course"}
