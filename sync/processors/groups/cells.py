"""The columns of files of groups and of their members. Spec: groups.md"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from sync.columns.cells import Cells
from sync.columns.clean import flag, one_of, text
from sync.columns.column import About, DefaultColumn, Empty, OptionalColumn, RequiredColumn
from sync.processors.groups.options import GroupsOptions

GROUP, GROUPING = "group", "grouping"
COMMANDS = ("add", "del", "shift")

_ELSEWHERE = {
    "groupingname": "elsewhere_grouping_name",
    **dict.fromkeys(
        ("enrolmentkey", "enablemessaging", "lang", "customfield_", "grouping_customfield_"), "elsewhere_group_settings"
    ),
}
_CONTRADICTIONS = {("coursename", "groupname", "groupidnumber", "idnumber"): "header_idnumber_of_course"}


class GroupCells(Cells, subject="{courseid} / {name}", elsewhere=_ELSEWHERE, contradictions=_CONTRADICTIONS):
    """A group or a grouping of a course."""

    # fmt: off
    __slots__ = ()

    type = DefaultColumn(one_of(GROUP, GROUPING), empty=Empty.CLEARS, default=GROUP, sample=GROUP,
                         help=_("What the row is about: group or grouping. An empty cell means a grouping, as in the old "
                                "plugin."))
    courseid = RequiredColumn(text(255), aliases=("coursename",), refers=True, about=About.COURSE, sample="MATH101",
                              help=_("The course."))
    name = RequiredColumn(text(255), aliases=("groupname",), stored_in="groupings", names=True, sample="Tuesday group",
                          help=_("Name of the group or grouping."))
    idnumber = OptionalColumn(text(100), aliases=("groupidnumber",), empty=Empty.CLEARS, stored_in="groups", decides=True,
                              names=True, sample="MATH101-TUE",
                              help=_("Its idnumber, once in a course. An existing group is recognised by it, without one by "
                                     "the name."))
    updateid = OptionalColumn(text(255), decides=True, names=True,
                              help=_("Names an existing group or grouping that takes over what the other columns give. "
                                     "Empty: the row makes a new one."))
    description = OptionalColumn(text(None), empty=Empty.CLEARS, help=_("Description, HTML."))
    selfgrouping = DefaultColumn(flag(), default=GroupsOptions.autogrouping,
                                 help=_("1: the group also gets a grouping of its own name."))
    grouping = OptionalColumn(text(100), refers=True, sample="MATH101-LABS",
                              help=_("Idnumber of a grouping of the course that holds the group."))


class GroupMemberCells(Cells, subject="{userid} / {groupid}"):
    """A user who joins a group of a course, or leaves it."""

    # fmt: off
    __slots__ = ()

    cmd = DefaultColumn(one_of(COMMANDS), default="add", aliases=("gcmd",), sample="add",
                        help=_("add: joins the group; shift: leaves the other groups of the course as well, where ToolSync "
                               "has made the membership; del: leaves the group."))
    courseid = OptionalColumn(text(255), filled=True, refers=True, about=About.COURSE, sample="MATH101", help=_("The course."))
    groupid = RequiredColumn(text(255), refers=True, sample="MATH101-TUE", help=_("A group of this course."))
    userid = RequiredColumn(text(255), refers=True, about=About.USER, sample="ada.lovelace",
                            help=_("The user; add and shift take only people who are enrolled in the course."))
