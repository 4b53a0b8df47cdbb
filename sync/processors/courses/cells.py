"""The columns of a file of courses. Spec: courses.md section 1.1"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from sync.columns.cells import Cells
from sync.columns.clean import flag, integer, moodle_time, text
from sync.columns.column import About, Empty, NumberedColumn, OptionalColumn, PrefixedColumn, RequiredColumn

TEACHER_ROLE = "editingteacher"
MAX_TOPIC = 52

_ELSEWHERE = {
    "delete": "elsewhere_delete_courses", "rename": "elsewhere_rename_courses", "reset": "elsewhere_reset_courses",
    "enrolment_": "elsewhere_course_methods", "backupfile": "elsewhere_course_backup", "role_": "elsewhere_course_roles",
}  # fmt: skip


class CourseCells(Cells, exact_width=True, elsewhere=_ELSEWHERE):
    """A course."""

    # fmt: off
    __slots__ = ()

    shortname = RequiredColumn(text(150), stored_in="course", names=True, about=About.COURSE, sample="ALG1",
                               help=_("Unique on the site."))
    fullname = RequiredColumn(text(254), stored_in="course", sample="Algebra I", help=_("The name that people read."))
    category = OptionalColumn(text(), for_new=_("the first category"), refers=True, sample="Sciences/Mathematics",
                              aliases=("category_path",),
                              help=_("A number, or a path of names whose missing parts are made; /2026 is a name, and \\/ a "
                                     "slash in a name. With the category identifier “idnumber”: the idnumber of a category "
                                     "that is there."))
    category_idnumber = OptionalColumn(text(100), refers=True,
                                       help=_("Idnumber of a category that is there; counts before the column category."))
    template = OptionalColumn(text(), refers=True, aliases=("templatecourse",), help=_(
        "Short name of a course, or name of a course backup (.mbz) among the files of the site or in Moodle, one that you "
        "trust: a new course gets everything that is in it, without the people and what they did. Cells of the row win over "
        "the template. What it does to an existing course, an option says."))
    replacements = OptionalColumn(text(), decides=True, help=_(
        "For a new course with a template: texts that take the place of others in what it takes over, as JSON: "
        "{\"section0:summary:place\": \"Lyon\", \"cm:HANDOUT:place\": \"Lyon\", \"place\": \"Lyon\"} in the summary of a "
        "section, in an activity by its idnumber, everywhere. {place} and {{place}} are replaced with their braces."))
    idnumber = OptionalColumn(text(100), stored_in="course", empty=Empty.CLEARS, names=True, about=About.COURSE,
                              for_new=_("empty"), sample="C-ALG1", help=_("Unique on the site, where it is filled."))
    id = OptionalColumn(integer(2), refers=True, help=_("Moodle's own number; read when it is the course identifier."))
    summary = OptionalColumn(text(), stored_in="course", empty=Empty.CLEARS, for_new=_("empty"),
                             help=_("What the list of courses says of it; HTML."))
    format = OptionalColumn(text(21, lower=True), stored_in="course", for_new=_("the site's"),
                            help=_("An installed format; kept on update."))
    showgrades = OptionalColumn(flag(), stored_in="course", for_new=_("the site's"), help=_("1 shows people their grades."))
    showreports = OptionalColumn(flag(), stored_in="course", for_new=_("the site's"),
                                 help=_("1 shows people the reports of what they did."))
    newsitems = OptionalColumn(integer(0, 10), stored_in="course", for_new=_("the site's"),
                               help=_("More than 0 gives a new course its Announcements forum."))
    startdate = OptionalColumn(moodle_time(), stored_in="course", for_new=_("now"), sample="2027-09-01")
    enddate = OptionalColumn(moodle_time(), stored_in="course", for_new=_("0, none"))
    timecreated = OptionalColumn(moodle_time(), stored_in="course", for_new=_("now"),
                                 help=_("When it was made, for courses from elsewhere."))
    timemodified = OptionalColumn(moodle_time(), stored_in="course", for_new=_("now"),
                                  help=_("When it was changed last; leave it out."))
    marker = OptionalColumn(integer(0, MAX_TOPIC), stored_in="course", for_new="0",
                            help=_("The section that is highlighted."))
    maxbytes = OptionalColumn(integer(0), stored_in="course", for_new=_("the site's"), help=_("0 = the site's limit."))
    legacyfiles = OptionalColumn(flag(), stored_in="course", for_new="0",
                                 help=_("Files of courses as in Moodle 1.9; leave it out."))
    visible = OptionalColumn(flag(), stored_in="course", decides=True, for_new=_("the site's"),
                             help=_("In a hidden category students see it only once that is shown."))
    visibleold = OptionalColumn(flag(), stored_in="course", decides=True, for_new=_("as visible"),
                                help=_("Whether it is seen again once its category is shown."))
    groupmode = OptionalColumn(integer(0, 2), stored_in="course", for_new=_("the site's"),
                               help=_("0 none, 1 separate, 2 visible groups."))
    groupmodeforce = OptionalColumn(flag(), stored_in="course", for_new=_("the site's"),
                                    help=_("1 gives all activities the group mode of the course."))
    coursedisplay = OptionalColumn(flag(), for_new=_("the site's"),
                                   help=_("0 all sections on a page, 1 one section a page."))
    enablecompletion = OptionalColumn(flag(), stored_in="course", for_new=_("the site's"),
                                      help=_("1 keeps track of what people have completed."))
    defaultgroupingid = OptionalColumn(integer(0), stored_in="course", for_new="0",
                                       help=_("The number of a grouping of the course; 0 = none."))
    lang = OptionalColumn(text(50, lower=True), stored_in="course", empty=Empty.CLEARS, for_new=_("the site's"),
                          help=_("The code of an installed language that is forced on the course, such as fr."))
    theme = OptionalColumn(text(50), stored_in="course", empty=Empty.CLEARS, for_new=_("empty"),
                           help=_("The name of a theme, where courses may have their own."))
    self = OptionalColumn(flag(), decides=True, help=_("1 switches self enrolment on, 0 off."))
    guest = OptionalColumn(flag(), decides=True, help=_("1 switches guest access on, 0 off."))
    sortorder = OptionalColumn(text(), ignored=True)
    topics = NumberedColumn(text(), name="topic", least=0, most=MAX_TOPIC, help=_("Sections: name, or name|summary."))
    teachers = NumberedColumn(text(), name="teacher", suffix="_account", refers=True, about=About.USER,
                              help=_("Id, username, e-mail address or part of a name, of exactly one user; digits that fit two "
                                     "are rejected."))
    teacher_roles = NumberedColumn(text(100), name="teacher", suffix="_role", refers=True, for_new=TEACHER_ROLE,
                                   help=_("Short name of a role that may be given in courses."))
    custom_fields = PrefixedColumn(text(), name="customfield_", empty=Empty.CLEARS,
                                   help=_("Custom field of courses, by its short name."))
