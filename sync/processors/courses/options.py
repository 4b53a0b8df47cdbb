"""What an administrator may tune of courses."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from sync.columns.general_options import ABSENT_STAYS, CourseIdentifier, DateOrderOptions, GraceDays
from sync.columns.options import Choice, Flag, Text
from sync.errors import OptionError

# Values of `templatemode`: what a template does to a course that is there.
IGNORE, ADD, REPLACE = "0", "1", "2"
# Values of `restorewith`.
TOOLSYNC, MOODLE = "toolsync", "moodle"
# Values of `absent` and of `absentscope`.
KEEP, HIDE, DELETE = ABSENT_STAYS, "hide", "delete"
NO_SCOPE, CATEGORY, PATTERN, CREATED = "none", "category", "pattern", "created"


class CoursesOptions(DateOrderOptions):
    courseidentifier = CourseIdentifier(
        aliases=("courses_fileuploadidentifier",),
        help=_("The column that tells which course a row means."),
    )
    categoryidentifier = Choice(
        for_columns=("category",),
        default="idname",
        aliases=("courses_coursecategoryidentifier",),
        choices={"idname": _("number or path of names"), "idnumber": "idnumber"},
        label=_("Category identifier"),
        help=_("What the column category holds."),
    )
    newcategoriesvisible = Flag(
        for_columns=("category",),
        default=True,
        aliases=("courses_newcategoriesvisible",),
        label=_("New categories are visible"),
        help=_("Whether categories that are made can be seen."),
    )
    protectcategory = Flag(
        for_columns=("category",),
        aliases=("courses_protectcategory",),
        label=_("Protect categories"),
        help=_("Existing courses stay in their category, whatever the cell says."),
    )
    forceupdate = Flag(
        aliases=("courses_forceupdate",),
        label=_("Update existing courses"),
        help=_("Off: a row whose course exists changes nothing, and its other cells aren't looked at."),
    )
    templatemode = Choice(
        for_columns=("template",),
        default=IGNORE,
        aliases=("courses_template_mode",),
        choices={
            IGNORE: _("changes nothing"),
            ADD: _("is added to what is in it"),
            REPLACE: _("takes the place of what is in it"),
        },
        label=_("A template of an existing course"),
        help=_(
            "Only where existing courses are updated, and only while something of the template isn't in the course "
            "yet: activities by their kind and name, named sections. “Takes the place” deletes all activities "
            "with what people did in them; people, roles and groups stay."
        ),
    )
    templatesource = Choice(
        for_columns=("template",),
        default="course",
        choices={"course": _("the course as it is now"), "backup": _("its newest backup")},
        label=_("Templates named by their short name"),
        help=_("What a new course is made like. Backups are those that teachers saved in the course."),
    )
    restorewith = Choice(
        for_columns=("template",),
        default=TOOLSYNC,
        choices={TOOLSYNC: "ToolSync", MOODLE: _("Moodle's own command line")},
        label=_("Backups are restored by"),
        help=_(
            "Moodle's restore knows every plugin, and takes people along if the backup holds any; but it moves no "
            "dates, needs the command line that the operator has set, and makes one course after the other."
        ),
    )
    leaveoutunknown = Flag(
        for_columns=("template",),
        label=_("Leave out what isn't known"),
        help=_(
            "Activities and questions of a backup whose plugin isn't known are left out, and named in the report. Off: "
            "the row is rejected."
        ),
    )
    absent = Choice(
        default=KEEP,
        choices={KEEP: _("Keep"), HIDE: _("Hide"), DELETE: _("Delete")},
        label=_("Courses absent from the file"),
        help=_(
            "What becomes of courses of the scope that no row of the file names. Only for files that are complete: all "
            "courses of the scope stand in them."
        ),
    )
    absentscope = Choice(
        default=NO_SCOPE,
        choices={
            NO_SCOPE: _("None"),
            CATEGORY: _("Courses of a category and of all below it"),
            PATTERN: _("Courses by a pattern of their short name"),
            CREATED: _("What ToolSync created"),
        },
        label=_("Scope of the file"),
        help=_("For which courses the file is complete."),
    )
    absentname = Text(
        max_length=255,
        label=_("Name of the scope"),
        help=_("The idnumber of the category, or the pattern, in which * stands for anything (MATH-*)."),
    )
    absentall = Flag(
        label=_("The scope may be all courses"),
        help=_("Otherwise a file isn't carried out whose scope is all courses of the site."),
    )
    gracedays = GraceDays(
        help=_(
            "Absent courses that are to be deleted are hidden now and deleted after so many days, unless a courses file names "
            "them again or somebody takes them off the list of deletions. 0: they are deleted at once."
        ),
    )

    def fault(self) -> OptionError | None:
        needs_name = self.absentscope in (CATEGORY, PATTERN)
        if self.absent == KEEP or (self.absentscope != NO_SCOPE and (self.absentname or not needs_name)):
            return None
        return OptionError("absent_courses_scope_unchosen", option="absentname" if needs_name else "absentscope")
