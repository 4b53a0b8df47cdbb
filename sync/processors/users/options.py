"""What an administrator may tune of the file types of users."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from sync.columns.general_options import (
    ABSENT_STAYS,
    CourseIdentifier,
    DateOrderOptions,
    GeneralOptions,
    GraceDays,
    UserIdentifier,
)
from sync.columns.options import Choice, Flag, Text
from sync.errors import OptionError

# Values of `absent` and of `absentscope`.
KEEP, SUSPEND, DELETE = ABSENT_STAYS, "suspend", "delete"
NO_SCOPE, AUTH, COHORTS, CREATED = "none", "auth", "cohorts", "created"


class AbsentUsersOptions(GeneralOptions):
    """What becomes of users who are absent from a file that is complete."""

    absent = Choice(
        for_columns=(),
        default=KEEP,
        choices={KEEP: _("Keep"), SUSPEND: _("Suspend"), DELETE: _("Delete")},
        label=_("Users absent from the file"),
        help=_(
            "What becomes of users of the scope whom no row of the file names. Only for files that are complete: everybody of "
            "the scope stands in them. Protected users are never touched."
        ),
    )
    absentscope = Choice(
        for_columns=(),
        default=NO_SCOPE,
        choices={
            NO_SCOPE: _("None"),
            AUTH: _("Users of an authentication method"),
            COHORTS: _("Members of cohorts"),
            CREATED: _("What ToolSync created"),
        },
        label=_("Scope of the file"),
        help=_("For which users the file is complete."),
    )
    absentname = Text(
        for_columns=(),
        max_length=100,
        label=_("Name of the scope"),
        help=_(
            "The authentication method (ldap), or how the idnumbers of the cohorts begin (YEAR-). Nothing for what ToolSync "
            "created."
        ),
    )
    absentall = Flag(
        for_columns=(),
        label=_("The scope may be everybody"),
        help=_("Otherwise a file isn't carried out whose scope is all users of the site."),
    )
    gracedays = GraceDays(
        for_columns=(),
        help=_(
            "Absent users who are to be deleted are suspended now and deleted after so many days, unless a users file names them "
            "again or somebody takes them off the list of deletions. 0: they are deleted at once."
        ),
    )

    def fault(self) -> OptionError | None:
        needs_name = self.absentscope in (AUTH, COHORTS)
        if self.absent == KEEP or (self.absentscope != NO_SCOPE and (self.absentname or not needs_name)):
            return None
        return OptionError("absent_scope_missing", option="absentname" if needs_name else "absentscope")


class UsersOptions(AbsentUsersOptions, DateOrderOptions):
    primaryidentity = UserIdentifier(
        default="idnumber",
        aliases=("users_primaryidentity",),
        label=_("Users are recognised by"),
        help=_("The column that tells which user of Moodle a row means (primary identity)."),
    )
    courseidentifier = CourseIdentifier(
        for_columns=("course1",),
        aliases=("courses_primaryidentity",),
        help=_("What course1, course2 … hold."),
    )
    createpasswords = Flag(
        aliases=("users_createpasswords",),
        label=_("Create passwords"),
        help=_("New users of a file without password column get one by mail from Moodle, and must change it."),
    )
    sendpasswordtousers = Flag(
        for_columns=("password",),
        aliases=("users_sendpasswordtousers",),
        label=_("Mail passwords"),
        help=_("Passwords given in the file are mailed to their owners, when they are new or changed."),
    )
    allowrename = Flag(
        for_columns=("oldusername",),
        aliases=("users_allowrename",),
        label=_("Allow renaming"),
        help=_("The column oldusername may rename users."),
    )
    protectemails = Flag(
        for_columns=("email",),
        default=True,
        aliases=("users_protectemails",),
        label=_("Protect e-mail addresses"),
        help=_("Existing addresses are not changed; missing ones are completed."),
    )
    enrolbydefault = Flag(
        for_columns=("course1",),
        label=_("Enrol without a method"),
        help=_(
            "A course set that names no enrolment method enrols manually, as Moodle's own upload does. Off: such a set "
            "gives its role only, or does nothing."
        ),
    )
    resurrect = Flag(
        aliases=("users_resurrect",),
        label=_("Resurrect"),
        help=_("A deleted user of the same username is brought back instead of making a new one."),
    )


class UserListOptions(GeneralOptions):
    primaryidentity = UserIdentifier(
        default="idnumber",
        aliases=("users_primaryidentity",),
        label=_("Users are recognised by"),
        help=_(
            "The column that tells which user of Moodle a row means (primary identity); username where the file hasn't got that "
            "column."
        ),
    )
