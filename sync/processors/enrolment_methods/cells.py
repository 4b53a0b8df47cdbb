"""The columns and the options of files of enrolment methods."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from sync.columns.cells import Cells
from sync.columns.clean import flag, integer, moodle_time, one_of, text
from sync.columns.column import About, DefaultColumn, Empty, OptionalColumn, RequiredColumn
from sync.columns.general_options import CourseIdentifier, DateOrderOptions, NameIdentifier

ADD, UPDATE, DELETE = "add", "update", "del"
_MOST_DAYS = 36_500


class EnrolmentMethodsOptions(DateOrderOptions):
    courseidentifier = CourseIdentifier(
        help=_("What the column course holds, and source where it names a course."),
    )
    cohortidentifier = NameIdentifier(
        for_columns=("source",),
        label=_("Cohort identifier"),
        help=_("What the column source holds where it names a cohort."),
    )


class MethodCells(Cells, subject="{course} / {enrol}", elsewhere={"group": "elsewhere_method_group"}):
    """An enrolment method of a course."""

    # fmt: off
    __slots__ = ()

    cmd = DefaultColumn(one_of(ADD, UPDATE, DELETE), aliases=("operation",), default=ADD, sample=ADD,
                        help=_("add: makes the method, or changes the one that is there; update: only changes; del: ends all "
                               "enrolments by the method and deletes it."))
    course = RequiredColumn(text(255), aliases=("shortname",), refers=True, about=About.COURSE, sample="ALG1",
                            help=_("The course."))
    enrol = RequiredColumn(text(20, lower=True), aliases=("method",), refers=True, sample="self",
                           help=_("The method: manual, self, guest, cohort or meta; one of another plugin that is there is "
                                  "switched on and off, called otherwise and, if Moodle brought the plugin, deleted."))
    source = OptionalColumn(text(255), aliases=("metacohort",), refers=True, decides=True,
                            help=_("Where the people come from: the cohort of a method cohort, the course of a method meta."))
    name = OptionalColumn(text(255), stored_in="enrol", names=True, decides=True, for_new=_("none"), sample="With a key",
                          help=_("Tells which is meant, where a course has several methods of a kind: an add row makes another "
                                 "one under a name that none of them has."))
    newname = OptionalColumn(text(255), stored_in=("enrol", "name"), empty=Empty.CLEARS, names=True,
                             help=_("What the method is to be called. The name by which the row finds it isn't emptied."))
    disabled = OptionalColumn(flag(), decides=True, for_new=_("the site's"), sample="0",
                              help=_("1 switches the method off, 0 on. Whoever is enrolled by it stays so without effect."))
    role = OptionalColumn(text(100), refers=True, decides=True, for_new=_("the site's"), sample="student",
                          help=_("Short name of the role that the method gives; of a method cohort it tells which is meant."))
    startdate = OptionalColumn(moodle_time(), decides=True, aliases=("enrolstartdate",), for_new=_("0, none"),
                               help=_("When people may begin to enrol themselves."))
    enddate = OptionalColumn(moodle_time(), decides=True, aliases=("enrolenddate",), for_new=_("0, none"),
                             help=_("Until when people may enrol themselves."))
    enrolperiod = OptionalColumn(integer(0, _MOST_DAYS), decides=True, for_new=_("the site's"),
                                 help=_("How many days an enrolment lasts; 0 = without end."))
    password = OptionalColumn(text(50), stored_in="enrol", decides=True, aliases=("enrolmentkey",), empty=Empty.CLEARS,
                              for_new=_("none"),
                              help=_("The key that people must know; of self and guest."))
    notify = OptionalColumn(one_of({"0": 0, "1": 1, "2": 2}), aliases=("expirynotify",), for_new=_("the site's"),
                            help=_("Who is told before enrolments end: 0 nobody, 1 who enrols people, 2 these and whoever is "
                                   "enrolled."))
    notifydays = OptionalColumn(integer(1, _MOST_DAYS), for_new=_("the site's"), help=_("How many days before that."))
    maxenrolled = OptionalColumn(integer(), decides=True, for_new=_("the site's"),
                                 help=_("How many may enrol themselves; 0 = any number."))
    newenrols = OptionalColumn(flag(), decides=True, for_new=_("the site's"), help=_("0 lets nobody enrol any more."))
    welcome = OptionalColumn(one_of({"0": 0, "1": 1, "2": 2, "3": 3}), for_new=_("the site's"),
                             help=_("Who sends the welcome message: 0 nobody, 1 the contact of the course, 2 who may manage "
                                    "keys, 3 the no-reply address."))
    unenroldays = OptionalColumn(integer(0, _MOST_DAYS), for_new=_("the site's"),
                                 help=_("After how many days without a visit people are unenrolled; 0 = never."))
    groupkeys = OptionalColumn(flag(), decides=True, for_new=_("the site's"),
                               help=_("1: the keys of groups let people in as well."))
