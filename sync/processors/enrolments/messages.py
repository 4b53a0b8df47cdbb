"""Texts of the file type `enrolments`."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, Any] = {
    "enrolment_created": _("enrolled"),
    "enrolment_updated": _("enrolment changed"),
    "enrolment_unchanged": _("enrolment unchanged"),
    "enrolment_deleted": _("unenrolled"),
    "enrolment_missing": _("nothing to do: not enrolled"),
    "enrolment_enabled": _("enrolment active again"),
    "enrolment_disabled": _("enrolment suspended"),
    "enrolment_groups_changed": _("groups changed"),
    "enrolment_dates_reversed": _(
        "The enrolment would end (%(end)s) before it starts (%(start)s). Correct one of the two dates."
    ),
    "enrolment_ends_at_start": _(
        "A date without a time is the first moment of that day: to enrol for the whole day, give the next day as the end."
    ),
    "role_assigned": _("role given"),
    "role_held_already": _("has this role already"),
    "role_replaced": _("role replaced"),
    "roles_taken_away": _("role taken away"),
    "role_not_held": _("nothing to do: has no such role, or only by an enrolment method"),
    "group_unknown": _(
        "The course has no group “%(group)s”. Correct the name, or create the group first (gaddcreate and greplacecreate do)."
    ),
    "group_member_already": _("already a member of the group “%(group)s”"),
    "group_not_member": _("not a member of the group “%(group)s”"),
    "group_not_ours": _(
        "still in the group “%(group)s”: ToolSync did not make that membership, and groups are protected"
    ),
    "group_kept_by_method": _(
        "still in the group “%(group)s”: the membership is protected, an enrolment method made it and would restore it"
    ),
}

# What is missing may be there later -> table of Moodle.
MISSING = {"group_unknown": "groups"}
