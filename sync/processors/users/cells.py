"""The columns of a users file. Spec: users.md section 2"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from sync.columns.cells import Cells
from sync.columns.clean import email, flag, integer, moodle_time, text
from sync.columns.column import About, Empty, NumberedColumn, OptionalColumn, PrefixedColumn, RequiredColumn
from sync.columns.places import country_code, time_zone
from sync.processors.memberships.course_columns import STUDENT

# Moodle would keep more, but MariaDB's own limit is 16 MB for everything that one statement holds.
LONGEST_TEXT = 1_000_000


class UserCells(Cells, elsewhere={"category": "elsewhere_category_roles"}):
    """A user. Shape: description and custom profile fields: HTML"""

    # fmt: off
    __slots__ = ()

    username = RequiredColumn(text(100, lower=True), stored_in="user", names=True, about=About.USER, sample="ada.lovelace",
                              help=_("Lower-cased. Letters, digits, hyphen, dot, underscore and @."))
    firstname = RequiredColumn(text(100, plain=True), stored_in="user", sample="Ada")
    lastname = RequiredColumn(text(100, plain=True), stored_in="user", sample="Lovelace")
    email = OptionalColumn(email(), stored_in="user", names=True, about=About.USER, for_new=_("empty"),
                           sample="ada.lovelace@example.org", help=_("NO MAIL means that the user gets no notification."))
    idnumber = OptionalColumn(text(255), stored_in="user", decides=True, empty=Empty.CLEARS, names=True, about=About.USER,
                              for_new=_("empty"), sample="A-1815", help=_("Left as it is when users are recognised by it."))
    password = OptionalColumn(text(), decides=True, empty=Empty.CLEARS, for_new=_("none"),
                              help=_("Clear text; stored as a hash. Empty: Moodle generates one. *NOPASS*: no login with a "
                                     "password."))
    auth = OptionalColumn(text(20, lower=True), stored_in="user", for_new="manual",
                          help=_("An installed authentication plugin."))
    institution = OptionalColumn(text(255, plain=True), stored_in="user", empty=Empty.CLEARS)
    department = OptionalColumn(text(255, plain=True), stored_in="user", empty=Empty.CLEARS, sample="Mathematics")
    address = OptionalColumn(text(255, plain=True), stored_in="user", empty=Empty.CLEARS)
    phone1 = OptionalColumn(text(20, plain=True), stored_in="user", empty=Empty.CLEARS)
    phone2 = OptionalColumn(text(20, plain=True), stored_in="user", empty=Empty.CLEARS)
    city = OptionalColumn(text(120, plain=True), stored_in="user", empty=Empty.CLEARS, for_new=_("the site's"),
                          sample="London")
    country = OptionalColumn(country_code(), for_new=_("the site's"), sample="GB", help=_("ISO code of two letters."))
    lang = OptionalColumn(text(30, lower=True), stored_in="user", for_new=_("the site's"),
                          help=_("Code of an installed language."))
    timezone = OptionalColumn(time_zone(100), stored_in="user", for_new=_("the site's"),
                              help=_("A name like Europe/Paris, or 99."))
    description = OptionalColumn(text(LONGEST_TEXT), stored_in="user", empty=Empty.CLEARS, help=_("HTML."))
    mnethostid = OptionalColumn(integer(1), stored_in="user", decides=True, for_new=_("the local host"))
    maildisplay = OptionalColumn(integer(0, 2), stored_in="user", for_new=_("the site's"),
                                 help=_("0 hidden, 1 everybody, 2 course members."))
    maildigest = OptionalColumn(integer(0, 2), stored_in="user", for_new=_("the site's"),
                                help=_("0 each post, 1 complete, 2 subjects."))
    mailformat = OptionalColumn(integer(0, 1), stored_in="user", for_new=_("the site's"), help=_("0 plain text, 1 HTML."))
    autosubscribe = OptionalColumn(flag(), stored_in="user", for_new=_("the site's"))
    trackforums = OptionalColumn(flag(), stored_in="user", for_new=_("the site's"))
    emailstop = OptionalColumn(flag(), stored_in="user", for_new="0")
    suspended = OptionalColumn(flag(), stored_in="user", decides=True, for_new="0",
                               help=_("1 suspends the user and ends all sessions; 0 makes the user active."))
    deleted = OptionalColumn(flag(), decides=True, help=_("1 deletes the user of the row."))
    oldusername = OptionalColumn(text(100, lower=True), decides=True, names=True, about=About.USER,
                                 help=_("The present username; needs the option “Allow renaming”."))
    middlename = OptionalColumn(text(255, plain=True), stored_in="user", empty=Empty.CLEARS)
    alternatename = OptionalColumn(text(255, plain=True), stored_in="user", empty=Empty.CLEARS)
    firstnamephonetic = OptionalColumn(text(255, plain=True), stored_in="user", empty=Empty.CLEARS)
    lastnamephonetic = OptionalColumn(text(255, plain=True), stored_in="user", empty=Empty.CLEARS)
    imagealt = OptionalColumn(text(255, plain=True), stored_in="user", empty=Empty.CLEARS)
    theme = OptionalColumn(text(50), stored_in="user", empty=Empty.CLEARS)
    calendartype = OptionalColumn(text(30, lower=True), stored_in="user", for_new=_("the site's"))
    id = OptionalColumn(integer(1), refers=True, help=_("Moodle's own number; read when users are recognised by it."))
    icq = OptionalColumn(text(255), empty=Empty.CLEARS, help=_("Kept in the social profile field, where there is one."))
    url = OptionalColumn(text(255), empty=Empty.CLEARS, help=_("Kept in the social profile field, where there is one."))
    htmleditor = OptionalColumn(text(), ignored=True)
    cohort = OptionalColumn(text(254), refers=True, help=_("Name; the cohort is made when it is missing."))
    cohortid = OptionalColumn(text(100), refers=True, help=_("Idnumber of the cohort."))
    cohorts = NumberedColumn(text(100), name="cohort", refers=True,
                             help=_("As in Moodle's own upload: idnumber or name; the cohort is made when it is missing."))
    courses = NumberedColumn(text(255), name="course", refers=True, about=About.COURSE,
                             help=_("A set: course1, role1, enrol1, group1 …"))
    roles = NumberedColumn(text(100), name="role", refers=True, for_new=STUDENT)
    methods = NumberedColumn(text(20, lower=True), name="enrol", decides=True,
                             help=_("Enrolment method; empty: the role only, no enrolment."))
    groups = NumberedColumn(text(254), name="group", names=True, help=_("Name; the group is made when it is missing."))
    starts = NumberedColumn(moodle_time(), name="start", decides=True, aliases=("enroltimestart",), for_new=_("now"))
    ends = NumberedColumn(moodle_time(), name="end", decides=True, for_new=_("0, unlimited"))
    periods = NumberedColumn(integer(0, 36_500), name="enrolperiod", decides=True,
                             help=_("Days after the start, after today where the enrolment has none, in place of an end; 0 = "
                                    "unlimited."))
    system_roles = NumberedColumn(text(101), name="sysrole", refers=True,
                                  help=_("Short name of a role that is given for the whole site, as in Moodle's own upload; "
                                         "with a hyphen before it, the role is taken away."))
    statuses = NumberedColumn(flag(), name="enrolstatus", decides=True, for_new=_("0, active"),
                              help=_("1 suspends the enrolment."))
    remote_hosts = NumberedColumn(text(255), name="wwwroot", decides=True,
                                  help=_("Remote enrolment is not supported: such a set is left out."))
    course_types = NumberedColumn(text(20), name="type", decides=True,
                                  help=_("Of Moodle's own upload; 1 is a student. Where it is another number, write the role in "
                                         "role1."))
    profile_fields = PrefixedColumn(text(LONGEST_TEXT), name="profile_field_", empty=Empty.CLEARS,
                                    help=_("Custom profile field, by its short name."))
