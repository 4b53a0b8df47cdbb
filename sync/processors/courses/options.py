"""What an administrator may tune of courses."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from sync.columns.general_options import CourseIdentifier, DateOrderOptions
from sync.columns.options import Choice, Flag
from sync.processors.courses.cli_restore import MOODLE, TOOLSYNC
from sync.processors.courses.fillings import ADD, IGNORE, REPLACE


class CoursesOptions(DateOrderOptions):
    courseidentifier = CourseIdentifier(
        aliases=("courses_fileuploadidentifier",),
        help=_("The column that tells which course a row means."),
    )
    categoryidentifier = Choice(
        default="idname",
        aliases=("courses_coursecategoryidentifier",),
        choices={"idname": _("number or path of names"), "idnumber": "idnumber"},
        label=_("Category identifier"),
        help=_("What the column category holds."),
    )
    newcategoriesvisible = Flag(
        default=True,
        aliases=("courses_newcategoriesvisible",),
        label=_("New categories are visible"),
        help=_("Whether categories that are made can be seen."),
    )
    protectcategory = Flag(
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
        default="course",
        choices={"course": _("the course as it is now"), "backup": _("its newest backup")},
        label=_("Templates named by their short name"),
        help=_("What a new course is made like. Backups are those that teachers saved in the course."),
    )
    restorewith = Choice(
        default=TOOLSYNC,
        choices={TOOLSYNC: "ToolSync", MOODLE: _("Moodle's own command line")},
        label=_("Backups are restored by"),
        help=_(
            "Moodle's restore knows every plugin, and takes people along if the backup holds any; but it moves no "
            "dates, needs the command line that the operator has set, and makes one course after the other."
        ),
    )
    leaveoutunknown = Flag(
        label=_("Leave out what isn't known"),
        help=_(
            "Activities and questions of a backup whose plugin isn't known are left out, and named in the report. Off: "
            "the row is rejected."
        ),
    )
