"""Texts that users, enrolments, groups, cohorts and meta links share."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _, ngettext

from sync.messages import PluralText

TEXTS: dict[str, Any] = {
    "cohort_named_like_idnumber": _(
        "a cohort called “%(cohort)s” was made; that is the idnumber of the cohort “%(other)s”, which cohortid or cohort1 names"
    ),
    "cohort_called_otherwise": _(
        "put in the cohort with the idnumber “%(idnumber)s”, which is called “%(present)s” and not “%(given)s”"
    ),
    "enrolment_ended": _("the end, %(end)s, has passed: the enrolment isn't active"),
    "period_beside_end": _("not used, as %(end)s says when the enrolment ends."),
    "course_unknown": _(
        "There is no course with the %(identifier)s “%(course)s”. Correct the cell, or create the course first."
    ),
    "course_ambiguous": _(
        "%(count)s courses have the %(identifier)s “%(course)s”. Make it unique in Moodle, or choose "
        "another course identifier."
    ),
    "course_is_site": _(
        "Column %(column)s: “%(course)s” is the front page of the site, in which nobody can be enrolled. Name a course."
    ),
    "course_type_without_role": _(
        "“%(value)s” stands for a role that the form of Moodle's own upload names. Write the role's short name in the column "
        "%(role_column)s."
    ),
    "course_set_remote": _(
        "Remote enrolment is not supported, so this course set was left out. Enrol the person on the "
        "other platform itself, and empty the cell."
    ),
    "course_set_empty": _(
        "The set names a course but neither a role nor an enrolment method, so nothing was done there. "
        "Fill in the role or the method."
    ),
    "course_sets_without_method": _(
        "No course set of the file names an enrolment method, so nobody is enrolled (rows with a course: %(count)s). Add the "
        "column enrol1 (manual), or switch on “Enrol without a method” (enrolbydefault), which enrols as Moodle's own upload "
        "does."
    ),
    "course_sets_give_roles": _("People only get their roles, and don't appear among the participants."),
    "role_not_for_system": _(
        "The role “%(role)s” can't be given for the whole site. Use another role, or allow it in the system in the role's "
        "definition."
    ),
    "role_hands_out_roles": _(
        "Whoever has the role “%(role)s” for the whole site may give roles there, change what they permit, or act as others "
        "(moodle/role:assign, moodle/role:manage, moodle/role:override or moodle/webservice:managealltokens): a file may not "
        "give it. Give another role, or give this one in Moodle."
    ),
    "cohort_digits_unknown": _(
        "No cohort has the idnumber or name “%(cohort)s”, and none was made, for it may be the number that Moodle gave one. "
        "Write the idnumber."
    ),
    "digits_with_separators": _("Probably a program has put separators into “%(meant)s”."),
    "identity_in_earlier_line": _(
        "Line %(earlier)s of this file has “%(value)s” already. Two people can't have the same; correct one of the rows."
    ),
    "role_unknown": _("There is no role with the shortname “%(role)s”. Use the shortname of a role of this site."),
    "role_assigned": _("role given"),
    "role_held_already": _("has this role already"),
    "role_replaced": _("role replaced"),
    "roles_taken_away": _("role taken away"),
    "role_not_held": _("nothing to do: has no such role, or only by an enrolment method"),
    "role_configures_site": _(
        "The role “%(role)s” permits to configure the whole site (moodle/site:config): a file may not give it. Give another "
        "role, or give this one in Moodle."
    ),
    "role_not_for_courses": _(
        "The role “%(role)s” can't be given in courses. Use another role, or allow it in courses in the "
        "role's definition."
    ),
    "enrol_method_refused": _(
        "Nobody can be enrolled by the method “%(method)s” from a file, as Moodle itself decides who "
        'belongs there. Use "manual".'
    ),
    "enrol_method_inactive": _(
        "The course “%(course)s” has no enabled enrolment method “%(method)s”. Add or enable it in the "
        "course, or use another method."
    ),
    "group_list": _(
        "Column %(column)s: no group is called “%(groups)s”, but a part of it names one of the course. A cell names one group: "
        "give each a row, or a course set, of its own. If one group of this name is meant, make it in Moodle first."
    ),
    "made_like_list": _("one was made that is called “%(name)s” (column %(column)s): are several meant?"),
    "made_like_list_in_rows": PluralText(
        lambda n: ngettext(
            "In %(count)s row a group or cohort was made whose name looks like a list (line %(line)s). If the cell lists "
            "several, give each a row or column of its own; the run can be undone.",
            "In %(count)s rows groups or cohorts were made whose names look like lists (first line %(line)s). If the cells list "
            "several, give each a row or column of its own; the run can be undone.",
            n,
        )
    ),
    "group_name_too_long": _("A group name has at most %(limit)s characters. Shorten it."),
    "group_not_enrolled": _(
        "Not put in the group “%(group)s”, because the person is not enrolled in the course. Give an "
        "enrolment method as well."
    ),
    "group_ambiguous": _(
        "The course has %(count)s groups named “%(group)s”; the oldest one was taken. Give them different "
        "names in Moodle."
    ),
    "cohort_unknown": _(
        "There is no cohort with the idnumber “%(idnumber)s”. Correct the cell, or give the name of the "
        "cohort as well to have it created."
    ),
    "cohort_ambiguous": _("%(count)s cohorts are called “%(cohort)s”. Give the idnumber of the one that is meant."),
    "cohort_list": _(
        "Column %(column)s: no cohort is called “%(cohorts)s”, but a part of it names one. A cell names one cohort: give each a "
        "row, or a column (cohort1, cohort2 …), of its own. If one cohort of this name is meant, make it in Moodle first."
    ),
    "cohort_name_taken": _(
        "The cohort “%(cohort)s” has the idnumber “%(present)s”, not “%(given)s”, and nobody was put in it; another one of this "
        "name is not made. Correct the idnumber, or give the cohort another name."
    ),
    "cohort_name_too_long": _("A cohort name has at most %(limit)s characters. Shorten it."),
    "cohort_idnumber_too_long": _("A cohort idnumber has at most %(limit)s characters. Shorten it."),
}

# What is missing may be there later -> table of Moodle.
MISSING = {"course_unknown": "course", "cohort_unknown": "cohort"}
