"""The columns of a roles file."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from sync.columns.cells import Cells
from sync.columns.clean import one_of, text
from sync.columns.column import About, DefaultColumn, OptionalColumn, RequiredColumn
from sync.moodle.versions import CONTEXT_COURSE, CONTEXT_COURSECAT, CONTEXT_MODULE, CONTEXT_SYSTEM, CONTEXT_USER

ADD, DELETE, SHIFT = "add", "del", "shift"
# In the column role: all that the row could take away.
ALL_ROLES = "*"
# Moodle's own words and numbers are understood as well.
_CONTEXTS = {
    "system": CONTEXT_SYSTEM, "category": CONTEXT_COURSECAT, "course": CONTEXT_COURSE, "activity": CONTEXT_MODULE,
    "user": CONTEXT_USER, "coursecat": CONTEXT_COURSECAT, "module": CONTEXT_MODULE,
    **{str(level): level for level in (CONTEXT_SYSTEM, CONTEXT_COURSECAT, CONTEXT_COURSE, CONTEXT_MODULE, CONTEXT_USER)},
}  # fmt: skip


class RoleCells(Cells, subject="{userid} / {role}"):
    """A role that is given to a user in some context, or taken away there."""

    # fmt: off
    __slots__ = ()

    cmd = DefaultColumn(one_of({ADD: ADD, DELETE: DELETE, SHIFT: SHIFT, "assign": ADD, "unassign": DELETE,
                                "shiftrole": SHIFT}),
                        default=ADD, sample=ADD,
                        help=_("add (assign): gives the role; del (unassign): takes it away; shift (shiftrole): gives it and "
                               "takes away the other roles that the user has in the same context."))
    context = RequiredColumn(one_of(_CONTEXTS), aliases=("contexttype", "contextlevel"), sample="course",
                             help=_("Where the role counts: system (the whole site), category, course, activity or user."))
    instance = OptionalColumn(text(255), aliases=("instanceid",), decides=True, refers=True, sample="ALG1",
                              help=_("Which one: the category, the course, the activity or the user; empty for the whole site."))
    course = OptionalColumn(text(255), decides=True, refers=True, about=About.COURSE,
                            help=_("The course of an activity that the column instance names by its idnumber. Empty: the column "
                                   "instance holds the number at the end of the address of the activity (cmid)."))
    userid = RequiredColumn(text(255), aliases=("uid", "user"), refers=True, about=About.USER, sample="ada.lovelace",
                            help=_("The user who gets the role, or loses it."))
    role = RequiredColumn(text(100), aliases=("roleid", "rolename"), refers=True, sample="editingteacher",
                          help=_("The role. * with del: all roles that the user has there."))
    component = OptionalColumn(text(100, lower=True), decides=True,
                               help=_("For a plugin that minds its own roles: its name (auth_ldap). Empty: roles that people "
                                      "give by hand."))
