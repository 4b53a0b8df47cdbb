"""The columns of an enrolments file. Spec: enrols.md section 2"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from sync.columns.cells import Cells
from sync.columns.clean import moodle_time, one_of, text
from sync.columns.column import About, DefaultColumn, NumberedColumn, OptionalColumn, RequiredColumn
from sync.processors.enrolments.methods import MANUAL
from sync.processors.enrolments.options import EnrolmentsOptions

# As the enrolment method “Flat file” of Moodle has them; behind them is the method, which no row names.
_FLAT_NAMES = ("cmd", "rolename", "uid", "cid", "starttime", "endtime", "enrol")


class EnrolmentCells(Cells, flat_names=_FLAT_NAMES, subject="{uid} / {cid}"):
    """What is to be done about one user in one course."""

    # fmt: off
    __slots__ = ()

    cmd = DefaultColumn(one_of({"add": "add", "del": "del", "delete": "del", "shift": "shift", "enable": "enable",
                                "disable": "disable"}),
                        default=EnrolmentsOptions.defaultcmd, sample="add",
                        help=_("add and del (delete): the enrolment, or the role; shift: replaces the roles; enable, "
                               "disable: the enrolment."))
    cid = RequiredColumn(text(255), refers=True, about=About.COURSE, sample="ALG1", help=_("The course."))
    uid = RequiredColumn(text(255), refers=True, about=About.USER, sample="ada.lovelace", help=_("The user."))
    rolename = OptionalColumn(text(100), required=True, refers=True, sample="student",
                              help=_("Short name of the role; add and shift need it. del without enrolment method: empty "
                                     "takes away all roles that no method has given."))
    enrol = DefaultColumn(text(20, lower=True), decides=True, default=MANUAL, sample=MANUAL,
                          help=_("Enrolment method. A file without this column is about roles alone, nobody is enrolled."))
    starttime = OptionalColumn(moodle_time(), decides=True, for_new=_("now"),
                               help=_("Empty: an enrolment that is there keeps its date."))
    endtime = OptionalColumn(moodle_time(), decides=True, for_new=_("0, unlimited"),
                             help=_("Empty: an enrolment that is there keeps its date."))
    gcmd = OptionalColumn(text(40, lower=True),
                          help=_("gadd joins the groups, greplace leaves the other groups of the course as well; gaddcreate "
                                 "and greplacecreate make missing groups; gdel leaves the groups. Empty: no groups."))
    groups = NumberedColumn(text(254), name="g", stored_in=("groups", "name"), names=True,
                            help=_("Name of a group of the course."))
    hidden = OptionalColumn(text(), ignored=True)
