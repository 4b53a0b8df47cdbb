"""Texts of the file types `cohorts` and `cohort_courses`."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _, ngettext

from sync.messages import PluralText

TEXTS: dict[str, Any] = {
    "cohort_created": _("cohort created"),
    "cohort_updated": _("cohort changed"),
    "cohort_unchanged": _("cohort unchanged"),
    "cohort_deleted": _("cohort deleted, with its members and its enrolments"),
    "cohort_freed": PluralText(
        lambda count: ngettext("cohort emptied of %(count)s member", "cohort emptied of %(count)s members", count)
    ),
    "cohort_empty_already": _("the cohort is empty already"),
    "cohort_member_added": _("member added"),
    "cohort_member_already": _("is a member already"),
    "cohort_member_removed": _("member removed"),
    "cohort_member_missing": _("nothing to do: is no member"),
    "cohort_missing": _(
        "There is no cohort with the %(identifier)s “%(cohort)s”. Correct the cell, or have the cohort created first."
    ),
    "cohort_user_empty": _(
        "The row names no user, but other rows of the file do: the cohort “%(cohort)s” was left as it is. Fill the cell in. To "
        "delete cohorts, send them in a file that names no users and isn't a tryback."
    ),
    "cohort_taken": _("Another cohort has the %(identifier)s “%(value)s”. Choose another, or name that cohort."),
    "cohort_gate_left": PluralText(
        lambda count: ngettext(
            "self enrolment in %(count)s course was open to its members only, and is closed to everybody now",
            "self enrolment in %(count)s courses was open to its members only, and is closed to everybody now",
            count,
        )
    ),
    "cohorts_deleted_empty": PluralText(
        lambda count: ngettext(
            "%(count)s cohort that the file left without members was deleted: %(names)s.",
            "%(count)s cohorts that the file left without members were deleted: %(names)s.",
            count,
        )
    ),
    "cohort_deleted_empty": _("cohort deleted at the end, as the file has left nobody in it"),
    "cohort_link_created": _("cohort enrolled; people who came along: %(count)s"),
    "cohort_link_restored": _("cohort enrolment switched on again"),
    "cohort_link_synced": _("cohort enrolled already; people brought up to date"),
    "cohort_link_unchanged": _("cohort enrolled already"),
    "cohort_link_disabled": _("cohort enrolment switched off; the roles that it gave are gone"),
    "cohort_link_off_already": _("cohort enrolment is switched off already"),
    "cohort_link_deleted": _("cohort enrolment deleted; people who left: %(count)s"),
    "cohort_link_gone_already": _("nothing to do: not enrolled so"),
    "cohort_link_missing": _(
        "The cohort “%(cohort)s” isn't enrolled in “%(course)s” so. Correct the row, or take it out."
    ),
    "cohort_link_every_role": _("* means every role, which add can't give. Name one role."),
    "absent_scope_named": _("Scope: the cohorts that the file names."),
    "absent_scope_prefix": _("Scope: the cohorts whose idnumbers begin with “%(name)s”."),
    "absent_scope_created_members": _("Scope: the members whom ToolSync has put into cohorts since %(since)s."),
    "absent_member_removed": _("absent from the file: “%(username)s” taken out of the cohort “%(cohort)s”."),
    "absent_members_none": _("None of the %(total)s members of the scope is absent from the file."),
    "absent_members": PluralText(
        lambda n: ngettext(
            "%(count)s of %(total)s members of the scope is absent from the file; taken out by this run: %(done)s.",
            "%(count)s of %(total)s members of the scope are absent from the file; taken out by this run: %(done)s.",
            n,
        )
    ),
    "absent_left_unnamed": PluralText(
        lambda n: ngettext(
            "%(count)s member of the scope stays, for nothing stands in Moodle by which the file could name the user.",
            "%(count)s members of the scope stay, for nothing stands in Moodle by which the file could name the users.",
            n,
        )
    ),
    "cohort_named_otherwise_in_rows": PluralText(
        lambda n: ngettext(
            "%(count)s row gives a cohort another name or idnumber than an earlier row of this file does (line %(line)s): the "
            "last row counts. Look whether a spreadsheet has filled the column with a series.",
            "%(count)s rows give cohorts another name or idnumber than earlier rows of this file do (first line %(line)s): the "
            "last row counts. Look whether a spreadsheet has filled the column with a series.",
            n,
        )
    ),
    "absent_left_nobody": _("No row of the file names a user, so nobody is taken for absent."),
    "absent_cohorts_unchosen": _(
        "The file is to be complete for cohorts, and none are chosen. Set absentscope, and absentname for cohorts by the "
        "beginning of their idnumber, or absent to keep. Nothing was written."
    ),
    "absent_cohorts_missing": _(
        "No cohort has an idnumber that begins with “%(name)s”. Correct absentname. Nothing was written."
    ),
    "absent_cohorts_all": _(
        "All cohorts of the site are in the scope of the file. Choose fewer, or switch on “The scope may be all cohorts” "
        "(absentall). Nothing was written."
    ),
    "enrol_method_unknown": _(
        "The method “%(method)s” can't enrol cohorts: it isn't switched on, or it isn't made for them. Use cohort."
    ),
}

# What is missing may be there later -> table of Moodle.
MISSING = {"cohort_missing": "cohort"}
