"""What an administrator may tune of the file types of users."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from sync.columns.general_options import CourseIdentifier, DateOrderOptions, GeneralOptions, UserIdentifier
from sync.columns.options import Flag


class UsersOptions(DateOrderOptions):
    primaryidentity = UserIdentifier(
        default="idnumber",
        aliases=("users_primaryidentity",),
        label=_("Primary identity"),
        help=_("The column that tells which user a row means."),
    )
    courseidentifier = CourseIdentifier(
        aliases=("courses_primaryidentity",),
        help=_("What course1, course2 … hold."),
    )
    createpasswords = Flag(
        aliases=("users_createpasswords",),
        label=_("Create passwords"),
        help=_("New users of a file without password column get one by mail from Moodle, and must change it."),
    )
    sendpasswordtousers = Flag(
        aliases=("users_sendpasswordtousers",),
        label=_("Mail passwords"),
        help=_("Passwords given in the file are mailed to their owners, when they are new or changed."),
    )
    allowrename = Flag(
        aliases=("users_allowrename",),
        label=_("Allow renaming"),
        help=_("The column oldusername may rename users."),
    )
    protectemails = Flag(
        default=True,
        aliases=("users_protectemails",),
        label=_("Protect e-mail addresses"),
        help=_("Existing addresses are not changed; missing ones are completed."),
    )
    enrolbydefault = Flag(
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
        label=_("Primary identity"),
        help=_("The column that tells which user a row means; username where the file hasn't got that column."),
    )
