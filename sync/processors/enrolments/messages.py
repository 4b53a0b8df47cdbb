"""Texts of the file type `enrolments`."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _, ngettext

from sync.messages import PluralText

TEXTS: dict[str, Any] = {
    "absent_scope_named_courses": _("Scope: enrolments by “%(method)s” in the courses that the file names."),
    "absent_scope_pattern": _("Scope: enrolments by “%(method)s” in courses whose short name fits “%(name)s”."),
    "absent_scope_category": _(
        "Scope: enrolments by “%(method)s” in the courses of the category with the idnumber “%(name)s” and below it."
    ),
    "absent_scope_created_enrolments": _(
        "Scope: the enrolments by “%(method)s” that ToolSync has made since %(since)s."
    ),
    "absent_enrolment_suspended": _("absent from the file: enrolment of “%(username)s” in “%(course)s” suspended."),
    "absent_enrolment_deleted": _("absent from the file: “%(username)s” unenrolled from “%(course)s”."),
    "absent_enrolments_none": _("None of the %(total)s enrolments of the scope is absent from the file."),
    "absent_enrolments_suspend": PluralText(
        lambda n: ngettext(
            "%(count)s of %(total)s enrolments of the scope is absent from the file; suspended by this run: %(done)s.",
            "%(count)s of %(total)s enrolments of the scope are absent from the file; suspended by this run: %(done)s.",
            n,
        )
    ),
    "absent_enrolments_unenrol": PluralText(
        lambda n: ngettext(
            "%(count)s of %(total)s enrolments of the scope is absent from the file; taken away by this run: %(done)s.",
            "%(count)s of %(total)s enrolments of the scope are absent from the file; taken away by this run: %(done)s.",
            n,
        )
    ),
    "absent_enrolments_unnamed": PluralText(
        lambda n: ngettext(
            "%(count)s enrolment of the scope stays, for nothing stands in Moodle by which the file could name it.",
            "%(count)s enrolments of the scope stay, for nothing stands in Moodle by which the file could name them.",
            n,
        )
    ),
    "absent_courses_unchosen": _(
        "The file is to be complete for courses, and none are chosen. Set absentscope, absentmethod, and absentname for a "
        "pattern or a category, or absent to keep. Nothing was written."
    ),
    "absent_courses_missing": _(
        "No course is in the scope of the file, or several categories have the idnumber. Correct absentname. Nothing was written."
    ),
    "absent_courses_all": _(
        "All courses of the site are in the scope of the file. Choose fewer, or switch on “The scope may be all courses” "
        "(absentall). Nothing was written."
    ),
    "absent_method_synced": _(
        "Enrolments by “%(method)s” come from elsewhere, or there are none: a file can't be complete for them. Correct "
        "absentmethod, or switch on “Allow synchronised methods”. Nothing was written."
    ),
    "enrolment_created": _("enrolled"),
    "enrolment_updated": _("enrolment changed"),
    "enrolment_unchanged": _("enrolment unchanged"),
    "enrolment_deleted": _("unenrolled"),
    "enrolment_missing": _("nothing to do: not enrolled"),
    "enrolment_enabled": _("enrolment active again"),
    "enrolment_disabled": _("enrolment suspended"),
    "enrolment_groups_changed": _("groups changed"),
    "enrolment_dates_reversed": _(
        "The enrolment would end (%(end)s) before it starts (%(start)s). Correct one of the two dates."
    ),
    "enrolment_ends_at_start": _(
        "A date without a time is the first moment of that day: to enrol for the whole day, give the next day as the end."
    ),
    "group_unknown": _(
        "The course has no group “%(group)s”. Correct the name, or create the group first (gaddcreate and greplacecreate do)."
    ),
    "group_command_empty": _("not put in the group “%(group)s”: gcmd is empty (gadd puts people in groups)"),
    "group_member_already": _("already a member of the group “%(group)s”"),
    "group_not_member": _("not a member of the group “%(group)s”"),
    "group_not_ours": _(
        "still in the group “%(group)s”: ToolSync did not make that membership, and groups are protected"
    ),
    "group_kept_by_method": _(
        "still in the group “%(group)s”: the membership is protected, an enrolment method made it and would restore it"
    ),
}

# What is missing may be there later -> table of Moodle.
MISSING = {"group_unknown": "groups"}
