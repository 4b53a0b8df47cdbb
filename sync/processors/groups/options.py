"""What an administrator may tune of groups and their members."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from sync.columns.general_options import CourseIdentifier, GeneralOptions, NameIdentifier, UserIdentifier
from sync.columns.options import Flag
from sync.processors.memberships.group_purge import PurgeOptions


class GroupsOptions(GeneralOptions):
    dead = frozenset({"groups_autogrouping"})

    courseidentifier = CourseIdentifier(
        aliases=("groups_courseidentifier",),
        help=_("What the column courseid holds."),
    )
    groupidentifier = NameIdentifier(
        aliases=("groups_groupidentifier",),
        label=_("Group identifier"),
        help=_("What the column updateid holds in rows about groups."),
    )
    groupingidentifier = NameIdentifier(
        aliases=("groups_groupingidentifier",),
        label=_("Grouping identifier"),
        help=_("What the column updateid holds in rows about groupings."),
    )
    autogrouping = Flag(
        label=_("Grouping for each group"),
        help=_("Rows without the column selfgrouping count as if it were 1."),
    )


class GroupMembersOptions(PurgeOptions):
    dead = frozenset({"enrolcleanup"})

    courseidentifier = CourseIdentifier(
        aliases=("groups_courseidentifier",),
        help=_("What the column courseid holds."),
    )
    useridentifier = UserIdentifier(
        aliases=("groups_useridentifier",),
        help=_("What the column userid holds."),
    )
    groupidentifier = NameIdentifier(
        aliases=("groups_groupidentifier",),
        label=_("Group identifier"),
        help=_("What the column groupid holds."),
    )
