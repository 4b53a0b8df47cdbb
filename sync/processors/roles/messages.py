"""Texts of the file type `roles`."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, Any] = {
    "role_not_for_context": _(
        "The role “%(role)s” can't be given in this kind of context. Use another role, or allow it there in the role's "
        "definition."
    ),
    "role_all_only_taken": _("* stands for all roles only where they are taken away (del). Name a role."),
    "role_context_unneeded": _(
        "The whole site needs no further name, and this row gives “%(instance)s”. Empty the cell, or correct the column context."
    ),
    "role_course_unneeded": _(
        "Only an activity is named within a course, and this row gives “%(course)s”. Empty the cell, or correct the column "
        "context."
    ),
    "role_component_invalid": _(
        "“%(value)s” is no name of a plugin, such as auth_ldap. Correct the cell, or leave it empty for roles that people give."
    ),
    "activity_unknown": _(
        "There is no activity with the number “%(activity)s” (cmid). Correct the cell, or name the activity by its idnumber "
        "and its course."
    ),
    "activity_unknown_in_course": _(
        "The course has no activity with the idnumber “%(activity)s”. Correct the cell, or set the idnumber in the activity."
    ),
    "activity_ambiguous": _(
        "%(count)s activities of the course have the idnumber “%(activity)s”. Make it unique in Moodle, or name the activity by "
        "its number (cmid), without the course."
    ),
    "role_context_missing": _(
        "“%(name)s” has no place in Moodle's tree of contexts yet. Have Moodle run its task “Create missing contexts” "
        "(php admin/cli/scheduled_task.php), and send the line again; a user whom an earlier file of a bundle makes has one "
        "once that file is carried out."
    ),
}
