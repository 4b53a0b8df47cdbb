"""The columns of files of cohorts and of cohorts in courses. Spec: cohorts.md"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from sync.columns.cells import Cells
from sync.columns.clean import flag, integer, moodle_time, one_of, text
from sync.columns.column import About, DefaultColumn, OptionalColumn, RequiredColumn
from sync.processors.memberships.course_columns import STUDENT

COHORT = "cohort"

_ELSEWHERE = {"context": "elsewhere_cohort_context", "theme": "elsewhere_cohort_theme"}


class CohortCells(Cells, one_of=("cid", "cidnumber", "cname"), elsewhere=_ELSEWHERE):
    """A cohort, or a member of one."""

    # fmt: off
    __slots__ = ()

    cmd = DefaultColumn(one_of("add", "del", "free"), default="add", sample="add",
                        help=_("add: the cohort or a member; del: the member, or the cohort in a file that names no users; "
                               "free: all members."))
    cid = OptionalColumn(text(255), refers=True,
                         help=_("The id when that is the identifier; else stands in for its column."))
    cidnumber = OptionalColumn(text(255), aliases=("idnumber",), stored_in=("cohort", "idnumber"), refers=True,
                               sample="YEAR1")
    cname = OptionalColumn(text(254), aliases=("name",), stored_in=("cohort", "name"), decides=True, names=True,
                           sample="First year")
    cdescription = OptionalColumn(text(), aliases=("description",), help=_("HTML."))
    component = OptionalColumn(text(100), stored_in="cohort", help=_("The plugin that owns it; mostly empty."))
    ccatcontext = OptionalColumn(integer(), aliases=("category_id",), refers=True, for_new=_("the whole site"),
                                 help=_("Number of the category that the cohort belongs to; 0 = the whole site."))
    ccatcontextidnumber = OptionalColumn(text(100), aliases=("category_idnumber",), refers=True,
                                         help=_("The same by the category's idnumber."))
    category_path = OptionalColumn(text(), refers=True,
                                   help=_("The same by the names on the way to it, as Moodle shows them: Science / Physics."))
    category = OptionalColumn(text(), refers=True,
                              help=_("As in Moodle's own upload: its path, its number or its idnumber, where only one "
                                     "category fits."))
    contextid = OptionalColumn(integer(1), refers=True,
                               help=_("The same by Moodle's number of the context, that of the category or of the whole "
                                      "site."))
    visible = OptionalColumn(flag(), decides=True, for_new=_("1, visible"), help=_("0 hides the cohort from teachers."))
    descriptionformat = OptionalColumn(one_of({"1": 1}), help=_("Known from Moodle's own upload: 1, HTML."))
    userid = OptionalColumn(text(255), refers=True, about=About.USER, sample="ada.lovelace", help=_("The member."))


class CohortCourseCells(
    Cells, exact_width=True, subject="{cohort} → {course}", elsewhere={"group": "elsewhere_method_group"}
):
    """A cohort that is enrolled in a course."""

    # fmt: off
    __slots__ = ()

    cmd = DefaultColumn(one_of("add", "del", "restore", "fulldel"), aliases=("operation",), default="add", sample="add",
                        help=_("add enrols, del suspends, restore takes that back, fulldel deletes the enrolment."))
    course = RequiredColumn(text(255), aliases=("shortname",), refers=True, about=About.COURSE, sample="ALG1")
    cohort = RequiredColumn(text(255), aliases=("metacohort",), refers=True, sample="YEAR1")
    role = DefaultColumn(text(100), default=STUDENT, refers=True, sample=STUDENT,
                         help=_("* means every role; not with add."))
    enrol = DefaultColumn(text(20, lower=True), aliases=("method",), decides=True, default=COHORT,
                          help=_("The enrolment method."))
    enrolstart = OptionalColumn(moodle_time(), for_new=_("0, none"),
                                help=_("Kept with the method; Moodle makes no use of it."))
    enrolend = OptionalColumn(moodle_time(), for_new=_("0, none"),
                              help=_("Kept with the method; Moodle makes no use of it."))
    makegroup = DefaultColumn(flag(), default=0, help=_("1 puts the members in a group of their own."))
    disabled = OptionalColumn(one_of({"0": 0}), help=_("Known from Moodle's plugin for enrolment methods: 0."))
