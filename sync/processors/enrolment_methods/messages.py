"""Texts of the file type `enrolment_methods`."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, Any] = {
    "method_created": _("enrolment method added"),
    "method_updated": _("enrolment method changed"),
    "method_unchanged": _("enrolment method unchanged"),
    "method_deleted": _("enrolment method deleted; enrolments that ended with it: %(count)s"),
    "method_absent": _("nothing to do: the course has no such enrolment method"),
    "method_follows_later": _("its people follow when Moodle looks itself: the row doesn't name the source"),
    "method_unknown": _("There is no enrolment plugin “%(method)s” on this site. Correct the cell."),
    "method_missing": _(
        "“%(course)s” has no enrolment method “%(method)s” as the row means it. Write add in the column cmd to make it."
    ),
    "method_ambiguous": _(
        "The course has %(count)s methods “%(method)s” that the row may mean. Give the name of one of them, or its source or "
        "role."
    ),
    "method_there": _(
        "The course takes people from “%(source)s” already, by a method without a name. Leave name empty to mean that one; "
        "newname gives it a name."
    ),
    "method_there_named": _(
        "The course takes people from “%(source)s” already, by the method “%(name)s”. Write that name, or leave the cell empty."
    ),
    "method_not_made": _("Files don't make methods “%(method)s”. Add it in Moodle; then files can change it."),
    "method_not_deleted": _(
        "The plugin “%(method)s” may keep more than ToolSync knows. Delete the method in Moodle, or switch it off with disabled."
    ),
    "method_switched_off": _(
        "The enrolment plugin “%(method)s” is switched off on this site. Switch it on in Moodle, then send the row again."
    ),
    "method_setting_foreign": _(
        "Methods “%(method)s” have no %(setting)s, so “%(value)s” can't be stored. Empty the cell."
    ),
    "method_source_missing": _("A new method “%(method)s” needs to know where its people come from. Fill in source."),
    "method_role_missing": _("A new method of a cohort needs a role. Fill in role."),
    "method_dates_reversed": _(
        "Nobody could enrol: it ends (%(end)s) before it starts (%(start)s). Correct one of the two dates."
    ),
    "method_notify_without_days": _(
        "Somebody is to be told before enrolments end. Say in notifydays how many days before."
    ),
    "method_key_weak": _(
        "The key doesn't meet what this site wants of passwords: characters at least %(length)s, digits %(digits)s, small "
        "letters %(lower)s, capital letters %(upper)s, other characters %(others)s, equal ones in a row at most %(identical)s (0"
        ": any number). Choose another."
    ),
    "method_needs_password": _("This site wants a key of each method “%(method)s” that is on. Fill in password."),
}
