"""Texts of the file types `groups` and `groupmembers`."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, Any] = {
    "group_created": _("group added"),
    "group_updated": _("group changed"),
    "group_unchanged": _("group unchanged"),
    "group_bound": _("group put in the grouping"),
    "group_unidentified": _(
        "The course has no group with the %(identifier)s “%(group)s”; one of another course doesn't count. Correct the cell, or "
        "create the group first."
    ),
    "group_named_otherwise": _(
        "The group with the idnumber “%(idnumber)s” is called “%(name)s” and keeps its name. To rename it, name it in the column "
        "updateid."
    ),
    "group_name_shared": _(
        "The course has another group called “%(group)s”. Moodle's own form doesn't allow this; rows that name "
        "groups by their names can't tell the two apart."
    ),
    "grouping_name_taken": _(
        "The course has a grouping “%(grouping)s” with the idnumber “%(present)s”, not “%(given)s”: another one of this name "
        "is not made. "
        "Give it another name, or leave the idnumber empty."
    ),
    "grouping_keeps_idnumber": _(
        "The grouping of this name has no idnumber, and “%(idnumber)s” was not set. Fill in updateid to change it."
    ),
    "description_kept": _("its description was left as it is; to change it, fill in updateid"),
    "grouping_in_grouping": _(
        "only groups are put in groupings: the cell of the column grouping, “%(grouping)s”, was not used"
    ),
    "group_made_instead": _(
        "the course has no group with the %(identifier)s “%(group)s”; the one of this name was taken, or a new one made"
    ),
    "group_command_unknown": _(
        "There is no group command “%(value)s”, so no group was touched. Write one of these: %(allowed)s."
    ),
    "group_not_unique": _(
        "%(count)s groups of the course have the %(identifier)s “%(group)s”. Make it unique in Moodle, or choose another "
        "group identifier."
    ),
    "group_idnumber_taken": _(
        "Another group of the course has the idnumber “%(idnumber)s”. Give this group another one, or leave the cell empty."
    ),
    "grouping_created": _("grouping added"),
    "grouping_updated": _("grouping changed"),
    "grouping_unchanged": _("grouping unchanged"),
    "grouping_unidentified": _(
        "the course has no grouping with the %(identifier)s “%(grouping)s”; the one of this name was taken, or a new one made"
    ),
    "grouping_without_idnumber": _("the new grouping has no idnumber, by which other rows could name it"),
    "grouping_unknown": _(
        "The course has no grouping with the idnumber “%(grouping)s”, so the group was put in none. Create the grouping "
        "first, then send the row again."
    ),
    "grouping_not_unique": _(
        "%(count)s groupings of the course have the %(identifier)s “%(grouping)s”. Make it unique in Moodle."
    ),
    "grouping_idnumber_taken": _(
        "Another grouping of the course has the idnumber “%(idnumber)s”. Give this one another, or leave the cell empty."
    ),
    "group_member_added": _("put in the group"),
    "group_member_unchanged": _("member of the group already"),
    "group_member_shifted": _("groups changed: in this group now"),
    "group_member_removed": _("taken out of the group"),
    "group_member_missing": _("nothing to do: not a member of the group"),
    "group_kept_not_ours": _("still in the group “%(group)s” as well: ToolSync did not make that membership"),
    "group_purged": _("group deleted at the end, as nobody is in it"),
    "grouping_purged": _("grouping deleted at the end, as no group is in it"),
    "groups_purged": _("Deleted groups without members (%(count)s): %(names)s."),
    "groupings_purged": _("Deleted groupings without groups (%(count)s): %(names)s."),
}

# What is missing may be there later -> table of Moodle.
MISSING = {"grouping_unknown": "groupings"}
