"""Message code -> translatable text; the only home of the texts that reports, pages and trybacks show.

Codes are stable: trybacks, the API and people's spreadsheets rely on them. Texts are free to improve.
A text names what is wrong and what to do about it; `%(name)s` parameters come from the rejection, note or error.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

# --- the file as a whole (CommandFileError) ---------------------------------------------------------------------
FILE_TEXTS = {
    "file_empty": _("The file is empty. Put a header line and at least one row in it."),
    "file_without_header": _(
        "There is no header: every line is blank or a comment. Put the column names on the first line."
    ),
    "file_not_csv": _("This is not a command file: its content is %(kind)s. Save it as CSV, XLSX or ODS."),
    "file_binary": _("This is not a command file: it holds zero bytes, as no text does. Save it as CSV, XLSX or ODS."),
    "byte_undecodable": _(
        "Line %(line)s, character %(column)s: the byte %(byte)s is not a character of %(encoding)s. Save the whole "
        "file in one encoding, best UTF-8, or set the encoding in which it is really written."
    ),
    "header_wrong_separator": _(
        "Line %(line)s: the header is written with the separator “%(found)s”, but “%(separator)s” is set. Set the "
        "separator to “%(found)s” or to “Detect”."
    ),
    "quote_not_closed": _(
        "Line %(line)s: a cell of this row begins with a quote that is closed nowhere in the file. Close it, or write "
        "the cell in quotes with each quote inside doubled."
    ),
    "row_too_long": _(
        "Line %(line)s: the row is longer than %(limit)s MiB. Check the line ends, and the quotes of cells that go on "
        "over several lines."
    ),
    "workbook_broken": _("The workbook is damaged or incomplete. Open and save it again, then send the whole file."),
    "workbook_too_large": _(
        "The workbook is too large to be read. Save it as CSV; if it looks small, delete the stray cells far below or "
        "far to the right."
    ),
}

# --- the columns and their cells ----------------------------------------------------------------------------------
COLUMN_TEXTS = {
    "header_empty_name": _("Line %(line)s: column %(place)s of the header has no name. Name it or take it out."),
    "header_duplicate_column": _("Line %(line)s: the header names these columns twice: %(columns)s. Keep one of each."),
    "header_unknown_column": _(
        "Line %(line)s: these columns are not known here: %(columns)s. Take them out, or switch on “Accept unknown "
        "columns”. Known columns: %(known)s."
    ),
    "header_unknown_column_near": _(
        "Line %(line)s: these columns are not known here: %(columns)s. Did you mean %(nearest)s? Correct the header, or "
        "switch on “Accept unknown columns”."
    ),
    "header_missing_column": _(
        "Line %(line)s: the header lacks these columns: %(columns)s. Add them. It has: %(found)s; if that looks like one "
        "long name, the separator is not the one that was expected."
    ),
    "header_missing_identity": _("Line %(line)s: the header needs at least one of these columns: %(columns)s."),
    "too_many_cells": _(
        "The row has %(cells)s cells, the header %(width)s. If a cell holds the separator, put the cell in quotes."
    ),
    "too_few_cells": _(
        "The row has %(cells)s cells, the header %(width)s. Give every column a cell, empty if need be."
    ),
    "cell_empty": _("The cell is empty. Fill it in."),
    "value_too_long": _("The text has %(length)s characters; Moodle keeps at most %(limit)s here. Shorten it."),
    "value_not_number": _("“%(value)s” is not a whole number. Write digits only."),
    "value_out_of_range": _("%(value)s is out of range. Write a number from %(least)s to %(most)s."),
    "value_not_flag": _("“%(value)s” is neither yes nor no. Write 1 or 0."),
    "value_not_among": _("“%(value)s” is not possible here. Write one of: %(allowed)s."),
    "value_not_time": _("“%(value)s” is not a date. Write YYYY-MM-DD, YYYY-MM-DD hh:mm:ss or seconds since 1970."),
    "value_not_email": _("“%(value)s” is not an e-mail address. Write it like name@example.org."),
}

# --- options --------------------------------------------------------------------------------------------------------
OPTION_TEXTS = {
    "option_unknown": _("There is no option “%(option)s”. Options: %(options)s."),
    "option_not_flag": _("Option “%(option)s”: “%(value)s” is neither on nor off. Use 1 or 0."),
    "option_not_choice": _("Option “%(option)s”: “%(value)s” is not possible. Choose one of: %(choices)s."),
    "option_too_long": _("Option “%(option)s”: at most %(limit)s characters."),
    "option_without_value": _("“%(option)s” has no value. Write it like allowrename=1."),
}

# --- the Moodle database --------------------------------------------------------------------------------------------
MOODLE_TEXTS = {
    "moodle_url_invalid": _("The address of the Moodle database can't be read. Check TOOLSYNC_MOODLE_URL."),
    "moodle_url_unsupported": _(
        "“%(backend)s” is not a database that Moodle runs on. Use mysql, mariadb, postgresql or sqlite in TOOLSYNC_MOODLE_URL."
    ),
    "moodle_unavailable": _(
        "The Moodle database doesn't answer (%(reason)s). Check the server and take the run up again."
    ),
    "moodle_refused": _("The Moodle database refused the row (%(reason)s)."),
    "moodle_error": _("The Moodle database reports an error (%(reason)s)."),
    "moodle_table_missing": _("The table %(table)s isn't there. Check the prefix and that this is a Moodle database."),
    "check_server": _("%(server)s %(version)s answers."),
    "check_release": _("Moodle %(release)s (version %(version)s), tables with the prefix “%(prefix)s”."),
    "check_release_old": _("Moodle %(release)s is older than 4.1, the oldest that ToolSync knows. Upgrade Moodle."),
    "check_release_new": _("Moodle %(release)s is newer than %(known)s, the newest that was tried. Simulate first."),
    "check_prefix_wrong": _(
        "There is no table %(table)s. Tables of Moodle are here with these prefixes: %(prefixes)s."
    ),
    "check_no_moodle": _(
        "There is no table %(table)s, and no other table of a Moodle. Check the name of the database."
    ),
    "check_column_missing": _("The table %(table)s lacks the columns %(columns)s, which ToolSync needs."),
    "check_table_missing": _("The table %(table)s, which ToolSync needs, isn't there."),
    "check_columns_differ": _(
        "The table %(table)s lacks columns of Moodle %(known)s: %(columns)s. Was it upgraded fully?"
    ),
    "check_columns_shorter": _("The table %(table)s has shorter columns than Moodle %(known)s: %(columns)s."),
    "check_columns_demanding": _(
        "The table %(table)s has columns that Moodle %(known)s doesn't have and that must be filled: %(columns)s. New rows "
        "will be refused. Give the columns a default."
    ),
    "check_index_missing": _("The table %(table)s lacks a unique index of Moodle %(known)s on %(columns)s. Add it."),
    "check_schema_same": _("All %(count)s tables that ToolSync uses are as in Moodle %(known)s."),
    "check_right_missing": _("The database account may not %(right)s in %(table)s (%(reason)s). Grant it."),
    "check_rights": _(
        "The database account may insert, update and delete in all %(count)s tables that ToolSync writes to."
    ),
    "check_operator_missing": _(
        "There is no Moodle account “%(operator)s”, in whose name ToolSync writes; the first administrator stands in. Set "
        "TOOLSYNC_MOODLE_OPERATOR."
    ),
    "check_dataroot_unset": _("No data folder is set, so user pictures can't be stored. Set TOOLSYNC_MOODLE_DATAROOT."),
    "check_dataroot_wrong": _(
        "%(folder)s holds no folder “filedir”. Set TOOLSYNC_MOODLE_DATAROOT to Moodle's data folder."
    ),
    "check_dataroot_readonly": _("ToolSync may not write in %(folder)s. Give its account the right to."),
    "check_dataroot": _("The data folder %(folder)s can be written to."),
    "moodle_not_installed": _("The database holds no system context: this is not an installed Moodle."),
}

# --- accounts (users, users_delete, users_suspend, users_restore) ------------------------------------------------
ACCOUNT_TEXTS = {
    "account_created": _("account added"),
    "account_updated": _("account changed"),
    "account_unchanged": _("account unchanged"),
    "account_renamed": _("account renamed"),
    "account_renamed_from": _("formerly “%(username)s”"),
    "account_suspended": _("account suspended"),
    "account_reactivated": _("account open again"),
    "account_deleted": _("account deleted"),
    "account_deleted_id": _("Moodle id %(id)s"),
    "account_already_deleted": _("the account is deleted already"),
    "account_resurrected": _("deleted account brought back"),
    "account_restored_without_memberships": _(
        "roles, enrolments, groups, cohorts, preferences and profile fields were lost with the deletion; send them again"
    ),
    "nothing_to_delete": _("nothing to delete: there is no such account"),
    "blobs_left": _(
        "%(size)s of files of deleted accounts stay in Moodle's data folder, where nothing refers to them any more. Set "
        "TOOLSYNC_MOODLE_DATAROOT so that they go into Moodle's trash."
    ),
    "superseded": _("a later row of the file overwrites this one"),
    "identity_empty": _("The %(identity)s is empty, so nobody knows which account is meant. Fill it in."),
    "identity_taken_from": _("The file has no column “%(wanted)s”: accounts are found by “%(used)s”."),
    "account_unknown": _("There is no account with %(identity)s “%(value)s”. Correct it, or create the account first."),
    "account_ambiguous": _(
        "“%(value)s” belongs to %(count)s accounts. Choose another primary identity, or make the value unique in Moodle."
    ),
    "account_protected": _(
        "“%(username)s” is the guest, a site administrator or the account that ToolSync works with: a file may not delete, "
        "suspend or rename it. Take the row out."
    ),
    "username_invalid": _(
        "“%(username)s” is not a valid username. Use lower-case letters, digits, hyphen, dot, underscore and @ only."
    ),
    "username_collision": _(
        "Username collision: “%(username)s” is the account with %(identity)s “%(present)s”. Correct one of the two."
    ),
    "username_differs": _(
        "The account is named “%(present)s” in Moodle, not “%(username)s”. To rename it, add the column oldusername and "
        "switch on “Allow renaming”."
    ),
    "username_taken": _("The username “%(username)s” belongs to another account now. Choose another one."),
    "idnumber_taken": _("The idnumber “%(idnumber)s” belongs to “%(owner)s”. Idnumbers must be unique; correct it."),
    "email_taken": _(
        "E-mail collision: “%(email)s” belongs to “%(owner)s”, and this site doesn't allow an address twice. Correct it."
    ),
    "email_protected": _("e-mail address kept (%(email)s): existing addresses are protected"),
    "rename_source_missing": _("Renaming: there is no account “%(username)s”. Correct the column oldusername."),
    "rename_target_exists": _(
        "Renaming: “%(username)s” exists already, beside “%(oldusername)s”. Choose another name."
    ),
    "country_unknown": _("“%(country)s” is not a country. Write an ISO code of two letters, like FR."),
    "language_unknown": _("“%(lang)s” is not a language code. Write one like fr or pt_br."),
    "language_not_installed": _("The language “%(lang)s” isn't installed in Moodle. Installed: %(installed)s."),
    "timezone_unknown": _("“%(timezone)s” is not a time zone. Write a name like Europe/Paris, or 99 for the server's."),
    "auth_unknown": _("The authentication plugin “%(auth)s” isn't installed in Moodle. Correct it or install it."),
    "mnethost_unknown": _("There is no MNet host %(mnethostid)s. Leave the cell empty for the local host."),
    "password_too_long": _("The password is longer than the %(limit)s characters that Moodle accepts. Shorten it."),
    "password_changed": _("password changed"),
    "profile_field_unknown": _("Column “%(column)s” is ignored: Moodle has no such profile field."),
    "profile_value_taken": _(
        "“%(value)s” belongs to another account, and this profile field must be unique. Correct it."
    ),
    "profile_text_cut": _("profile field “%(field)s” was cut to %(limit)s characters"),
    "profile_menu_default": _(
        "“%(value)s” is not a choice of profile field “%(field)s”; “%(default)s” was stored. Choices: %(choices)s."
    ),
    "profile_date_invalid": _("“%(value)s” is not a date for profile field “%(field)s”; none was stored"),
    "course_set_gap": _(
        "These columns are ignored, for the course column of their number is missing or there is a gap before it: %(columns)s."
    ),
}

# --- enrolments, roles, groups, cohorts ------------------------------------------------------------------------------
MEMBERSHIP_TEXTS = {
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
    "course_set_remote": _(
        "Remote enrolment is not supported, so this course set was left out. Enrol the person on the "
        "other platform itself, and empty the cell."
    ),
    "course_set_empty": _(
        "The set names a course but neither a role nor an enrolment method, so nothing was done there. "
        "Fill in the role or the method."
    ),
    "role_unknown": _("There is no role with the shortname “%(role)s”. Use the shortname of a role of this site."),
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
    "cohort_name_too_long": _("A cohort name has at most %(limit)s characters. Shorten it."),
    "cohort_idnumber_too_long": _("A cohort idnumber has at most %(limit)s characters. Shorten it."),
}

# --- runs ---------------------------------------------------------------------------------------------------------
RUN_TEXTS: dict[str, Any] = {
    "processor_unknown": _("There is no file type “%(processor)s”. File types: %(processors)s."),
    "file_name_empty": _("The file has no name. Give it one."),
    "file_name_character": _("A file can't be named “%(name)s” here: take out the character “%(character)s”."),
    "file_name_too_long": _("The file name “%(name)s…” is too long. Shorten it to %(limit)s bytes."),
    "folder_too_long": _("The path of the folder is too long. Shorten it to %(limit)s characters."),
    "folder_reserved": _("The folder %(folder)s is filled by runs only. Choose another one."),
    "file_too_large": _("The file %(name)s has %(size)s MB; at most %(limit)s MB are taken. Split it."),
    "file_exists": _("There is already a file %(path)s. Delete it first, or choose another name."),
    "file_in_use": _("Run %(run)s still has to read %(path)s. Wait until it is over, or cancel it."),
    "file_not_found": _("File %(path)s not found. Look whether it is spelled like this, or hand it in again."),
    "file_changed": _("%(path)s was replaced by another file after this run was asked for. Start a new run with it."),
    "moodle_connection_unreadable": _(
        "The connection of the site “%(site)s” can't be decrypted: SECRET_KEY is another one now. Enter the connection again."
    ),
    "internal_error": _(
        "ToolSync made a mistake; whole chunks are done and nothing is half done. Take the run up again; if it stops here "
        "again, give the number %(number)s to the person who looks after ToolSync: the log tells more under it."
    ),
    "worker_died_repeatedly": _(
        "The worker died %(attempts)s times at the same place. Look at its memory and its log, then take the run up again."
    ),
    "archive_differs": _("The archive could not be stored as it should be, so the file was not deleted."),
    "columns_ignored": _("These columns are not used here and were ignored: %(columns)s."),
    "mails_lost": _("%(count)s mails could not be sent. Look at the mail server; the accounts themselves are done."),
}

TEXTS: dict[str, Any] = {
    **FILE_TEXTS,
    **COLUMN_TEXTS,
    **OPTION_TEXTS,
    **MOODLE_TEXTS,
    **ACCOUNT_TEXTS,
    **MEMBERSHIP_TEXTS,
    **RUN_TEXTS,
}


def text_at_column(code: str, params: Mapping[str, Any]) -> str:
    """Give the text of a code, with the column at fault in front where there is one."""
    text = text_of(code, params)
    if column := params.get("column"):
        return str(_("column %(column)s: %(text)s") % {"column": column, "text": text})
    return text


def text_of(code: str, params: Mapping[str, Any] | None = None) -> str:
    """Give the text of a code in the active language.

    A code without a text is a fault of ours that must not hide the message from the person: it is shown as it is.
    """
    template = TEXTS.get(code)
    if template is None:
        return code
    return str(template) % (params or {})
