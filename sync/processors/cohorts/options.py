"""What an administrator may tune of cohorts and of the courses that they are enrolled in."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from sync.columns.general_options import (
    ABSENT_STAYS,
    CourseIdentifier,
    DateOrderOptions,
    GeneralOptions,
    NameIdentifier,
    UserIdentifier,
)
from sync.columns.options import Choice, Flag, Text
from sync.errors import OptionError

# Values of `absent` and of `absentscope`.
KEEP, REMOVE = ABSENT_STAYS, "remove"
NO_SCOPE, NAMED, PREFIX, CREATED = "none", "named", "prefix", "created"


class CohortOptions(GeneralOptions):
    """What both file types have."""

    followenrolments = Flag(
        default=True,
        label=_("Enrolments follow at once"),
        help=_("Off: Moodle's own scheduled task brings the courses of the cohorts up to date."),
    )


class CohortsOptions(CohortOptions):
    dead = frozenset({"cohorts_syncdelete"})

    cohortidentifier = NameIdentifier(
        aliases=("cohorts_cohortidentifier",),
        label=_("Cohort identifier"),
        help=_("What tells which cohort a row means."),
    )
    useridentifier = UserIdentifier(
        for_columns=("userid",),
        aliases=("cohorts_useridentifier",),
        help=_("What the column userid holds."),
    )
    autocreate = Flag(
        default=True,
        aliases=("cohorts_autocreate",),
        label=_("Create cohorts"),
        help=_("Unknown cohorts of the command add are made."),
    )
    allowequalnames = Flag(
        label=_("Allow equal names"),
        help=_("A new cohort may have the name of another one; Moodle allows it."),
    )
    syncdelete = Flag(
        label=_("Delete emptied cohorts"),
        help=_("Cohorts that the file leaves without any member are deleted at the end."),
    )
    absent = Choice(
        for_columns=(),
        default=KEEP,
        choices={KEEP: _("Keep"), REMOVE: _("Take out")},
        label=_("Members absent from the file"),
        help=_(
            "What becomes of members of the cohorts of the scope whom no row names with their cohort. Only for files that are "
            "complete: all members of these cohorts stand in them. Protected users stay."
        ),
    )
    absentscope = Choice(
        for_columns=(),
        default=NO_SCOPE,
        choices={
            NO_SCOPE: _("None"),
            NAMED: _("The cohorts that the file names"),
            PREFIX: _("Cohorts by the beginning of their idnumber"),
            CREATED: _("What ToolSync created"),
        },
        label=_("Scope of the file"),
        help=_(
            "For the members of which cohorts the file is complete, or for all members whom ToolSync has put into cohorts; "
            "cohorts that a plugin owns are never among them."
        ),
    )
    absentname = Text(
        for_columns=(),
        max_length=100,
        label=_("Name of the scope"),
        help=_("How the idnumbers of the cohorts begin (YEAR-)."),
    )
    absentall = Flag(
        for_columns=(),
        label=_("The scope may be all cohorts"),
        help=_("Otherwise a file isn't carried out whose scope is all cohorts of the site."),
    )

    def fault(self) -> OptionError | None:
        needs_name = self.absentscope == PREFIX
        if self.absent == KEEP or (self.absentscope != NO_SCOPE and (self.absentname or not needs_name)):
            return None
        return OptionError("absent_cohorts_unchosen", option="absentname" if needs_name else "absentscope")


class CohortCoursesOptions(CohortOptions, DateOrderOptions):
    cohortidentifier = NameIdentifier(
        aliases=("cohorts_cohortidentifier",),
        label=_("Cohort identifier"),
        help=_("What the column cohort holds."),
    )
    courseidentifier = CourseIdentifier(
        aliases=("cohorts_courseidentifier",),
        help=_("What the column course holds."),
    )
    roleidentifier = Choice(
        default="shortname",
        aliases=("cohorts_roleidentifier",),
        choices={"id": "id", "shortname": "shortname"},
        label=_("Role identifier"),
        help=_("What the column role holds."),
    )
