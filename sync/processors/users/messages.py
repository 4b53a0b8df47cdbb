"""Texts of the file types of users."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _, ngettext

from sync.messages import PluralText

TEXTS: dict[str, Any] = {
    "account_created": _("user added"),
    "account_updated": _("user changed"),
    "account_unchanged": _("user unchanged"),
    "account_renamed": _("user renamed"),
    "account_renamed_from": _("formerly “%(username)s”"),
    "account_suspended": _("user suspended"),
    "account_reactivated": _("user active again"),
    "account_deleted": _("user deleted"),
    "account_suspended_for_deletion": _("suspended now, deleted on %(date)s"),
    "account_suspended_for_deletion_planned": _("would be suspended now, and deleted on %(date)s"),
    "account_listed_for_deletion": _("suspended already, deleted on %(date)s"),
    "account_deleted_id": _("Moodle id %(id)s"),
    "account_already_deleted": _("the user is deleted already"),
    "account_resurrected": _("deleted user brought back"),
    "account_restored_without_memberships": _(
        "roles, enrolments, groups, cohorts, preferences and profile fields were lost with the deletion; send them again"
    ),
    "nothing_to_delete": _("nothing to delete: there is no such user"),
    "blobs_left": _(
        "%(size)s of deleted files stay in Moodle's data folder, where nothing refers to them any more. Set "
        "TOOLSYNC_MOODLE_DATAROOT so that they go into Moodle's trash."
    ),
    "superseded": _("a later row of the file overwrites this one"),
    "identity_empty": _("The %(identity)s is empty, so nobody knows what the row is about. Fill it in."),
    "identity_taken_from": _("The file has no column “%(wanted)s”: “%(used)s” says what each row is about."),
    "account_unknown": _("There is no user with %(identity)s “%(value)s”. Correct it, or create the user first."),
    "account_ambiguous": _(
        "“%(value)s” belongs to %(count)s users. Choose another primary identity, or make the value unique in Moodle."
    ),
    "account_protected": _(
        "“%(username)s” is the guest, a site administrator, somebody else who may configure the site, or the user "
        "that ToolSync works as: a file may not change anything of this user. Take the row out, or change the user "
        "in Moodle."
    ),
    "username_invalid": _(
        "“%(username)s” is not a valid username. Use lower-case letters, digits, hyphen, dot, underscore and @ only."
    ),
    "username_collision": _(
        "Username collision: “%(username)s” is the user with %(identity)s “%(present)s”. Correct one of the two."
    ),
    "username_differs": _(
        "The user is named “%(present)s” in Moodle, not “%(username)s”. To rename the user, add the column "
        "oldusername and switch on “Allow renaming”."
    ),
    "username_taken": _("The username “%(username)s” belongs to another user now. Choose another one."),
    "idnumber_taken": _("The idnumber “%(idnumber)s” belongs to “%(owner)s”. Idnumbers must be unique; correct it."),
    "email_taken": _(
        "E-mail collision: “%(email)s” belongs to “%(owner)s”, and this site doesn't allow an address twice. Correct it."
    ),
    "email_not_mailable": _(
        "“%(email)s” is no address to which Moodle sends mails: it calls the form invalid. Correct it in the file."
    ),
    "password_to_be_changed": _("the password “changeme” has to be changed at the first login"),
    "language_left_out": _(
        "the language “%(lang)s” isn't installed in Moodle: a new one has the language of the site, an existing one keeps its own"
    ),
    "email_protected": _("e-mail address kept (%(email)s): existing addresses are protected"),
    "rename_source_missing": _("Renaming: there is no user “%(username)s”. Correct the column oldusername."),
    "rename_target_is_another": _(
        "“%(target)s” is the user with %(identity)s “%(present)s”, not “%(given)s”, and was left as it is."
    ),
    "rename_of_another": _(
        "Renaming: “%(username)s” is the user with %(identity)s “%(present)s”, not “%(given)s”, and was left as it is. Correct "
        "one of the two cells."
    ),
    "rename_target_exists": _(
        "Renaming: “%(username)s” exists already, beside “%(oldusername)s”. Choose another name."
    ),
    "language_unknown": _("“%(lang)s” is not a language code. Write one like fr or pt_br."),
    "auth_unknown": _("The authentication plugin “%(auth)s” isn't installed in Moodle. Correct it or install it."),
    "mnethost_unknown": _("There is no MNet host %(mnethostid)s. Leave the cell empty for the local host."),
    "password_too_long": _("The password is longer than the %(limit)s characters that Moodle accepts. Shorten it."),
    "password_changed": _("password changed"),
    "account_of_another_person": _(
        "The user “%(username)s” is %(present)s, not %(given)s, and was left as it is. Correct the row, or take the "
        "names out of the file."
    ),
    "identities_differ": _(
        "The %(identity)s “%(value)s” belongs to “%(username)s”, whose %(other)s is “%(present)s” and not “%(given)s”: the user "
        "was left as it is. Correct the row."
    ),
    "password_is_hash": _(
        "The cell holds the hash of a password: Moodle would take it for the password itself, and nobody could log in. Give "
        "passwords in clear text, or empty the cell."
    ),
    "rename_off": _(
        "There is no user “%(username)s”, and “%(oldusername)s” can't get this name, as renaming is off. Switch on “Allow "
        "renaming”, or empty the cell if a new user is meant."
    ),
    "names_exchanged": _("first name and last name have changed places: are the columns named right?"),
    "suspended_empty": _("the cell “suspended” is empty: left as it is"),
    "suspended_empty_in_rows": PluralText(
        lambda n: ngettext(
            "In %(count)s row the cell “suspended” is empty (line %(line)s): this user is neither suspended nor made active. "
            "Write 1 or 0, or take the column out to suspend everybody of the list.",
            "In %(count)s rows the cell “suspended” is empty (first line %(line)s): these users are neither suspended nor made "
            "active. Write 1 or 0, or take the column out to suspend everybody of the list.",
            n,
        )
    ),
    "names_exchanged_in_rows": PluralText(
        lambda n: ngettext(
            "In %(count)s row first name and last name change places (line %(line)s). Look whether the two columns of the header "
            "are exchanged; the run can be undone.",
            "In %(count)s rows first name and last name change places (first line %(line)s). Look whether the two columns of the "
            "header are exchanged; the run can be undone.",
            n,
        )
    ),
    "user_in_earlier_line": _("line %(earlier)s of this file names the same user; is it the same person?"),
    "user_in_earlier_line_in_rows": PluralText(
        lambda n: ngettext(
            "%(count)s row names a user whom an earlier row names, with another name or idnumber (line %(line)s): the later row "
            "counts. Look whether two people have the same username.",
            "%(count)s rows name users whom earlier rows name, with another name or idnumber (first line %(line)s): the later "
            "rows count. Look whether two people have the same username.",
            n,
        )
    ),
    "profile_field_unknown": _("Column “%(column)s” is ignored: Moodle has no such profile field."),
    "profile_value_taken": _("“%(value)s” belongs to another user, and this profile field must be unique. Correct it."),
    "dates_clock": _("Dates without a time zone were read by the clock of %(zone)s."),
    "dates_clock_unknown": _(
        "Moodle's time zone is “%(moodle_zone)s”, which only its server can tell: dates without a time zone were read by the "
        "clock of ToolSync's machine (%(zone)s), and may be hours off. Set TOOLSYNC_MOODLE_TIME_ZONE to the zone of Moodle's "
        "server, or choose a named time zone in Moodle."
    ),
    "dates_day_first": _(
        "Dates such as 01/02/2030 were read day first in the columns %(columns)s: other dates of the file show that order."
    ),
    "dates_month_first": _(
        "Dates such as 01/02/2030 were read month first in the columns %(columns)s: other dates of the file show that order."
    ),
    "dates_order_open": _(
        "Dates such as 01/02/2030 were read day first in the columns %(columns)s: nothing in the file shows another order. If "
        "the month comes first, set the option dateorder to mdy."
    ),
    "dates_order_contradictory": _(
        "The file has dates with the day first and others with the month first. In the columns %(columns)s dates such as "
        "01/02/2030 were read day first; set the option dateorder, best after correcting the file."
    ),
    "dates_day_first_chosen": _(
        "Dates such as 01/02/2030 were read day first in the columns %(columns)s, as the option dateorder says."
    ),
    "dates_month_first_chosen": _(
        "Dates such as 01/02/2030 were read month first in the columns %(columns)s, as the option dateorder says."
    ),
    "check_time_zone": _("Dates of files are read by the clock of %(zone)s."),
    "check_time_zone_unknown": _(
        "Moodle's time zone is “%(moodle_zone)s”, which only its server can tell. Dates of files would be read by the clock of "
        "ToolSync's machine (%(zone)s). Set TOOLSYNC_MOODLE_TIME_ZONE to the zone of Moodle's server."
    ),
    "check_time_zone_invalid": _(
        "TOOLSYNC_MOODLE_TIME_ZONE is “%(zone)s”, which is no time zone. Write Europe/Paris, say."
    ),
    "profile_year_out_of_range": _(
        "“%(value)s” is outside the years that this profile field takes in Moodle: %(first)s to %(last)s."
    ),
    "course_set_gap": _(
        "These columns are ignored, for the course column of their number is missing or there is a gap before it: %(columns)s."
    ),
    "absent_scope_auth": _("Scope: the users whose authentication method is “%(name)s”."),
    "absent_scope_cohorts": _("Scope: the members of the cohorts whose idnumbers begin with “%(name)s”."),
    "absent_scope_created_users": _("Scope: the users whom ToolSync has created since %(since)s."),
    "absent_user_suspended": _("absent from the file: user suspended."),
    "absent_user_suspended_for_deletion": _("absent from the file: suspended now, deleted on %(date)s."),
    "absent_user_suspended_for_deletion_planned": _(
        "absent from the file: would be suspended now, and deleted on %(date)s."
    ),
    "absent_user_listed_for_deletion": _("absent from the file: suspended already, deleted on %(date)s."),
    "absent_user_deleted": _("absent from the file: user deleted."),
    "absent_users_none": _("None of the %(total)s users of the scope is absent from the file."),
    "absent_users_suspend": PluralText(
        lambda n: ngettext(
            "%(count)s of %(total)s users of the scope is absent from the file; suspended by this run: %(done)s.",
            "%(count)s of %(total)s users of the scope are absent from the file; suspended by this run: %(done)s.",
            n,
        )
    ),
    "absent_users_delete": PluralText(
        lambda n: ngettext(
            "%(count)s of %(total)s users of the scope is absent from the file; deleted, or put on the list of deletions, by "
            "this run: %(done)s.",
            "%(count)s of %(total)s users of the scope are absent from the file; deleted, or put on the list of deletions, by "
            "this run: %(done)s.",
            n,
        )
    ),
    "absent_scope_missing": _(
        "The file is to be complete for a scope, and none is chosen. Set absentscope and absentname, or absent to keep. Nothing "
        "was written."
    ),
    "absent_scope_empty": _(
        "No user is in the scope of the file, so it can't be what is meant. Correct absentname, or set absent to keep as long "
        "as there is nobody. Nothing was written."
    ),
    "absent_scope_everybody": _(
        "All %(count)s users of the site are in the scope of the file. Choose a smaller one, or switch on “The scope may be "
        "everybody” (absentall). Nothing was written."
    ),
}

# What is missing may be there later -> table of Moodle.
MISSING = {"account_unknown": "user"}
