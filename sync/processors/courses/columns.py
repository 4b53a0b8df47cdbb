"""The columns of a file of courses. Spec: courses.md section 1.1"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from sync.columns.clean import flag, integer, moodle_time, text
from sync.columns.column import Column, Columns, Empty, NumberedColumn, PrefixedColumn

TEACHER_ROLE = "editingteacher"
FIELD_PREFIX = "customfield_"
MAX_TOPIC = 52


def _field(name: str, kind: Any, **more: Any) -> Column:
    """A column that is stored in the column of `course` with the same name."""
    return Column(name, kind, stored_in=("course", name), **more)


COLUMNS = Columns(
    _field("shortname", text(150), required=True, names=True, sample="ALG1", help=_("Unique on the site.")),
    _field("fullname", text(254), required=True, sample="Algebra I", help=_("The name that people read.")),
    Column("category", text(), for_new=_("the first category"), refers=True, sample="Sciences/Mathematics",
           aliases=("category_path",),
           help=_("A number, or a path of names whose missing parts are made; /2026 is a name, and \\/ a slash in a name. "
                  "With the category identifier “idnumber”: the idnumber of a category that is there.")),
    Column("category_idnumber", text(100), refers=True,
           help=_("Idnumber of a category that is there; counts before the column category.")),
    Column("template", text(), refers=True, aliases=("templatecourse",), help=_(
        "Short name of a course, or name of a course backup (.mbz) among the files of the site or in Moodle, one that you "
        "trust: a new course gets everything that is in it, without the people and what they did. Cells of the row win over "
        "the template. What it does to an existing course, an option says.")),
    _field("idnumber", text(100), empty=Empty.CLEARS, names=True, for_new=_("empty"), sample="C-ALG1",
           help=_("Unique on the site, where it is filled.")),
    Column("id", integer(2), refers=True, help=_("Moodle's own number; read when it is the course identifier.")),
    _field("summary", text(), empty=Empty.CLEARS, for_new=_("empty"), help=_("What the list of courses says of it; HTML.")),
    _field("format", text(21, lower=True), for_new=_("the site's"), help=_("An installed format; kept on update.")),
    _field("showgrades", flag(), for_new=_("the site's"), help=_("1 shows people their grades.")),
    _field("showreports", flag(), for_new=_("the site's"), help=_("1 shows people the reports of what they did.")),
    _field("newsitems", integer(0, 10), for_new=_("the site's"),
           help=_("More than 0 gives a new course its Announcements forum.")),
    _field("startdate", moodle_time(), for_new=_("now"), sample="2027-09-01"),
    _field("enddate", moodle_time(), for_new=_("0, none")),
    _field("timecreated", moodle_time(), for_new=_("now"), help=_("When it was made, for courses from elsewhere.")),
    _field("timemodified", moodle_time(), for_new=_("now"), help=_("When it was changed last; leave it out.")),
    _field("marker", integer(0, MAX_TOPIC), for_new="0", help=_("The section that is highlighted.")),
    _field("maxbytes", integer(0), for_new=_("the site's"), help=_("0 = the site's limit.")),
    _field("legacyfiles", flag(), for_new="0", help=_("Files of courses as in Moodle 1.9; leave it out.")),
    _field("visible", flag(), decides=True, for_new=_("the site's"),
           help=_("In a hidden category students see it only once that is shown.")),
    _field("visibleold", flag(), decides=True, for_new=_("as visible"),
           help=_("Whether it is seen again once its category is shown.")),
    _field("groupmode", integer(0, 2), for_new=_("the site's"), help=_("0 none, 1 separate, 2 visible groups.")),
    _field("groupmodeforce", flag(), for_new=_("the site's"),
           help=_("1 gives all activities the group mode of the course.")),
    Column("coursedisplay", flag(), for_new=_("the site's"), help=_("0 all sections on a page, 1 one section a page.")),
    _field("enablecompletion", flag(), for_new=_("the site's"), help=_("1 keeps track of what people have completed.")),
    _field("defaultgroupingid", integer(0), for_new="0", help=_("The number of a grouping of the course; 0 = none.")),
    _field("lang", text(50, lower=True), empty=Empty.CLEARS, for_new=_("the site's"),
           help=_("The code of an installed language that is forced on the course, such as fr.")),
    _field("theme", text(50), empty=Empty.CLEARS, for_new=_("empty"),
           help=_("The name of a theme, where courses may have their own.")),
    Column("self", flag(), decides=True, help=_("1 switches self enrolment on, 0 off.")),
    Column("guest", flag(), decides=True, help=_("1 switches guest access on, 0 off.")),
    Column("sortorder", text(), ignored=True),
    NumberedColumn("topic", text(), least=0, most=MAX_TOPIC, help=_("Sections: name, or name|summary.")),
    NumberedColumn("teacher", text(), suffix="_account", refers=True,
                   help=_(
                       "Id, username, e-mail address or part of a name, of exactly one user; digits that fit two "
                       "are rejected."
                   )),
    NumberedColumn("teacher", text(100), suffix="_role", refers=True, for_new=TEACHER_ROLE,
                   help=_("Short name of a role that may be given in courses.")),
    PrefixedColumn(FIELD_PREFIX, text(), empty=Empty.CLEARS, help=_("Custom field of courses, by its short name.")),
    exact_width=True,
    elsewhere={
        "delete": "elsewhere_delete_courses", "rename": "elsewhere_rename_courses", "reset": "elsewhere_reset_courses",
        "enrolment_": "elsewhere_course_methods", "backupfile": "elsewhere_course_backup", "role_": "elsewhere_course_roles",
    },
)  # fmt: skip
