"""What an administrator may tune of enrolments."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from sync.columns.general_options import ABSENT_STAYS, CourseIdentifier, DateOrderOptions, UserIdentifier
from sync.columns.options import Choice, Flag, Text
from sync.errors import OptionError
from sync.moodle.enrolments.enrolments import SELF_SYNCED_METHODS
from sync.processors.enrolments.methods import GUEST
from sync.processors.memberships.group_purge import PurgeOptions

# Values of `absent` and of `absentscope`.
KEEP, SUSPEND, UNENROL = ABSENT_STAYS, "suspend", "unenrol"
NO_SCOPE, NAMED, PATTERN, CATEGORY, CREATED = "none", "named", "pattern", "category", "created"


class EnrolmentsOptions(PurgeOptions, DateOrderOptions):
    dead = frozenset({"enrolcleanup"})

    courseidentifier = CourseIdentifier(
        aliases=("enrols_courseidentifier",),
        help=_("What the column cid holds."),
    )
    useridentifier = UserIdentifier(
        aliases=("enrols_useridentifier",),
        help=_("What the column uid holds."),
    )
    defaultcmd = Choice(
        default="add",
        aliases=("enrols_defaultcmd",),
        choices={"add": "add", "del": "del", "shift": "shift", "enable": "enable", "disable": "disable"},
        label=_("Default command"),
        help=_("For rows without command."),
    )
    enableenrolondisabled = Flag(
        aliases=("enrols_enableenrolondisabled",),
        label=_("Use disabled methods"),
        help=_("Enrolment methods that are switched off in a course serve as well."),
    )
    createmanual = Flag(
        label=_("Add missing manual enrolment"),
        help=_("A course without the method manual gets it, with the site's settings."),
    )
    allowsyncedmethods = Flag(
        label=_("Allow synchronised methods"),
        help=_(
            "cohort, meta, database, ldap and category may be named, though Moodle may undo the row at its next "
            "synchronisation."
        ),
    )
    protectgroups = Flag(
        for_columns=("gcmd",),
        aliases=("enrols_protectgroups",),
        label=_("Protect groups"),
        help=_("greplace and gdel take away only memberships that ToolSync has made."),
    )
    mailadmins = Flag(
        aliases=("enrols_mailadmins",),
        label=_("Mail course contacts"),
        help=_("Those who hold a role of Moodle's setting “Course contacts” get one mail for each course and run."),
    )
    flatfile = Flag(
        group="format",
        label=_("Flat file of Moodle"),
        help=_(
            "The file has no header; each line is operation, role, user, course, start and end, as for Moodle's "
            "enrolment method “Flat file”. Users and courses are found by their idnumber, whatever the options say."
        ),
    )
    absent = Choice(
        for_columns=(),
        default=KEEP,
        choices={KEEP: _("Keep"), SUSPEND: _("Suspend"), UNENROL: _("Unenrol")},
        label=_("Enrolments absent from the file"),
        help=_(
            "What becomes of enrolments of the scope whose user no row names with the course. Only for files that are complete: "
            "all enrolments of the scope stand in them. Protected users stay."
        ),
    )
    absentscope = Choice(
        for_columns=(),
        default=NO_SCOPE,
        choices={
            NO_SCOPE: _("None"),
            NAMED: _("The courses that the file names"),
            PATTERN: _("Courses by a pattern of their short name"),
            CATEGORY: _("Courses of a category and of all below it"),
            CREATED: _("What ToolSync created"),
        },
        label=_("Scope of the file"),
        help=_("For which courses the file is complete, or for all enrolments that ToolSync made."),
    )
    absentname = Text(
        for_columns=(),
        max_length=255,
        label=_("Name of the scope"),
        help=_("The pattern, in which * stands for anything (MATH-*), or the idnumber of the category."),
    )
    absentmethod = Text(
        for_columns=(),
        default="manual",
        max_length=20,
        label=_("Method of the scope"),
        help=_("Enrolments by other methods stay."),
    )
    absentall = Flag(
        for_columns=(),
        label=_("The scope may be all courses"),
        help=_("Otherwise a file isn't carried out whose scope is all courses of the site."),
    )

    def fault(self) -> OptionError | None:
        if self.absent == KEEP:
            return None
        method, needs_name = self.absentmethod.lower(), self.absentscope in (PATTERN, CATEGORY)
        if self.absentscope == NO_SCOPE or (needs_name and not self.absentname):
            return OptionError("absent_courses_unchosen", option="absentname" if needs_name else "absentscope")
        if not method:
            return OptionError("absent_courses_unchosen", option="absentmethod")
        if method == GUEST or (method in SELF_SYNCED_METHODS and not self.allowsyncedmethods):
            return OptionError("absent_method_synced", method=method, option="absentmethod")
        return None
