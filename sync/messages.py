"""Message code -> translatable text; the only home of the texts that reports, pages and trybacks show.

Codes are stable: trybacks, the API and people's spreadsheets rely on them. Texts are free to improve.
A text names what is wrong and what to do about it; `%(name)s` parameters come from the rejection, note or error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from django.utils.translation import get_language, gettext_lazy as _, ngettext, override


class PluralText:
    """A text with a singular and a plural; the parameter `count` decides. Shape: form: gives the form for a number"""

    def __init__(self, form: Callable[[int], str]) -> None:
        self._form = form

    def __str__(self) -> str:
        return self._form(2)

    def template(self, count: object) -> str:
        """Return the form for a number in the active language; the plural where it is none."""
        return self._form(count if isinstance(count, int) else 2)


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
    "encoding_doubtful": _(
        "It can't be told in which encoding the file is written. Choose, as the option “Encoding”, the one in which the words "
        "are right, or save the file as UTF-8. %(readings)s"
    ),
    "encoding_guessed": _(
        "The encoding was taken to be %(encoding)s; its first words are: %(words)s. If they are wrong, set the encoding and "
        "send the file again."
    ),
    "header_wrong_separator": _(
        "Line %(line)s: the header is written with the separator “%(found)s”, but “%(separator)s” is set. Set the "
        "separator to “%(found)s” or to “Detect”."
    ),
    "header_below": _(
        "Line %(line)s holds no column name, but line %(found)s does: the header must be the first line. Delete the lines "
        "above it, or put # before each of them."
    ),
    "header_in_comment": _(
        "The header stands in line %(line)s behind “%(mark)s”, which makes a comment of it, so a row was taken for the header. "
        "Delete what stands before the first column name."
    ),
    "row_too_long": _(
        "Line %(line)s: the row is longer than %(limit)s MiB. Check the line ends, and the quotes of cells that go on "
        "over several lines."
    ),
    "workbook_broken": _("The workbook is damaged or incomplete. Open and save it again, then send the whole file."),
    "workbook_encrypted": _("The workbook is protected by a password. Save it without one."),
    "workbook_of_sheets": _(
        "Several sheets of the workbook begin with a header: %(sheets)s. Save each as a file of its own."
    ),
    "workbook_too_large": _(
        "The workbook is too large to be read. Save it as CSV; if it looks small, delete the stray cells far below or "
        "far to the right."
    ),
}

# --- the columns and their cells ----------------------------------------------------------------------------------
COLUMN_TEXTS = {
    "header_too_long": _(
        "Line %(line)s: the first line is too long for a header: it has more than %(limit)s KiB, or more than %(columns)s "
        "columns. Check the line ends, and put the column names on the first line."
    ),
    "header_empty_name": _("Line %(line)s: column %(place)s of the header has no name. Name it or take it out."),
    "header_duplicate_column": _("Line %(line)s: the header names these columns twice: %(columns)s. Keep one of each."),
    "header_unknown_column": _(
        "Line %(line)s: these columns are not known here: %(columns)s. Take them out, or switch on “Accept unknown "
        "columns”. Known columns: %(known)s."
    ),
    "header_unknown_column_near": _(
        "Line %(line)s: these columns are not known here: %(columns)s. Write the name after the arrow where there is one, take "
        "the others out, or switch on “Accept unknown columns”."
    ),
    "header_also_missing": _("These columns are missing: %(missing)s."),
    "header_idnumber_of_course": _(
        "Line %(line)s: in Moodle's own import of groups the column idnumber is the idnumber of the course, here that of the "
        "group, and the header has names of that import (%(columns)s). Write courseid instead of idnumber and set “Course "
        "identifier” to idnumber, or take the column out and name courses by coursename. The group's own idnumber is "
        "groupidnumber."
    ),
    "elsewhere_delete_courses": _("Courses are deleted by files of the type “courses_delete” (delete)."),
    "elsewhere_rename_courses": _(
        "A course gets another short name where the option “Course identifier” is id or idnumber and shortname holds the new one "
        "(rename)."
    ),
    "elsewhere_reset_courses": _("Courses are reset by files of the type “courses_reset” (reset)."),
    "elsewhere_course_methods": _(
        "Enrolment methods are set by the columns self and guest, and by files of the types “courses_meta” and “cohort_courses” "
        "(enrolment_…)."
    ),
    "elsewhere_course_backup": _("A backup file is named in the column template (backupfile)."),
    "elsewhere_course_roles": _("Names of roles in one course are set in Moodle (role_…)."),
    "elsewhere_category_roles": _("Roles in categories are given in Moodle (category1, categoryrole1 …)."),
    "elsewhere_cohort_context": _(
        "What a cohort belongs to is named by category, category_path, category_idnumber or category_id; empty means the whole "
        "site (context)."
    ),
    "elsewhere_cohort_theme": _("Themes of cohorts are set in Moodle (theme)."),
    "elsewhere_grouping_name": _(
        "The column grouping holds the idnumber of a grouping that is there; rows of the type grouping make one (groupingname)."
    ),
    "elsewhere_group_settings": _(
        "Enrolment keys, messaging, languages and custom fields of groups are set in Moodle (enrolmentkey, enablemessaging, "
        "lang, customfield_…)."
    ),
    "elsewhere_method_group": _(
        "Groups that a method fills are set in Moodle; files of the type “cohort_courses” make one with makegroup (group)."
    ),
    "header_flat_file": _(
        "Line %(line)s is a row, not a header. It looks like a flat file of Moodle: operation, role, user, course, start, end. "
        "To read it so, switch on “Flat file of Moodle” (flatfile=1), or put this header on the first line: %(names)s."
    ),
    "header_without_known_column": _(
        "Line %(line)s: no cell of this line is a column name that is known here. Put the column names on the first line, "
        "and check the separator. Known columns: %(known)s."
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
    "quotes_doubtful": _(
        "A cell begins with a quote that ends on line %(last)s only. Either lines %(first)s to %(last)s are one row of "
        "%(cells)s cells, or they are rows by themselves and the quote belongs to its cell. If they are one row, take the "
        'separators out of the text; if not, take the quote out or write three: """.'
    ),
    "quotes_doubtful_cell": _("It is the cell of “%(where)s”, and begins so: %(value)s"),
    "comment_like_row": _(
        "The line begins like a comment (“%(cell)s”), but it has as many cells as the header. If it is a row, put its first "
        "cell in quotes; if it is a comment, delete it or its separators."
    ),
    "row_begins_with_blank": _(
        "The line begins with a blank, as comments do. If it is a row, delete the blank; if it is a comment, put # before it."
    ),
    "row_under_other_header": _(
        "Line %(header)s is another header, so the cells from there on belong to other columns. Put these rows into a file "
        "of their own."
    ),
    "cell_is_formula_error": _(
        "“%(value)s” is what a spreadsheet writes when a formula fails. Correct the formula, or type the value, and save "
        "the file again."
    ),
    "cell_is_rounded": _(
        "“%(value)s” is a number that a spreadsheet has rounded: its digits are lost. Format the column as text, enter the "
        "number again, and save the file."
    ),
    "cell_lost_digits": _(
        "“%(value)s” has more than the 15 digits that a spreadsheet keeps, and ends with zeros: its last digits are lost. "
        "Format the column as text, enter the number again, and save the file."
    ),
    "cell_without_result": _(
        "The cell holds a formula whose result isn't stored in the workbook. Open it in a spreadsheet program, and save it "
        "there; or paste the values in place of the formulas."
    ),
    "cell_shown_otherwise": _(
        "The sheet doesn't show “%(value)s” but something else, by its number format. Format the column as text, and "
        "enter what is meant."
    ),
    "cell_is_boolean": _(
        "The cell holds the logical value %(value)s, not a text. If the word is meant, format the cell as text, and enter it "
        "again."
    ),
    "sheet_chosen": _("The sheet “%(sheet)s” of the workbook was read; the others were not: %(others)s."),
    "cell_is_formula": _(
        "The cell holds a formula, not its result. Show results instead of formulas in the spreadsheet, and save the file "
        "again."
    ),
    "cell_too_narrow": _(
        "“%(value)s” is what a spreadsheet shows for a number or date in a column that is too narrow. Make the column "
        "wider, and save the file again."
    ),
    "cell_is_null": _(
        "“%(value)s” is how a database writes that there is no value. Empty the cell; a name is written Null."
    ),
    "cell_quotes_escaped": _(
        "The cell is in quotes, and holds quotes behind a backslash. A database writes them so; within a cell in quotes a "
        'quote has to be doubled: "".'
    ),
    "cell_encoded_twice": _(
        "“%(value)s” is what “%(meant)s” becomes when a file in UTF-8 is opened in another encoding and saved again. Take "
        "the file from its source again; if the file itself is in order, choose UTF-8 in the option encoding."
    ),
    "cell_letters_lost": _(
        "The cell holds characters that no text has, such as � in place of a letter: another program read the file in a "
        "wrong encoding. Take the file from its source again."
    ),
    "cell_encoded_otherwise": _(
        "“%(value)s” is what “%(meant)s” becomes when a file of a DOS program is opened as one of Windows. Take the file from "
        "its source again, and choose its encoding (CP850) in the option encoding."
    ),
    "cell_is_escaped": _(
        "“%(value)s” is how another program writes “%(meant)s”. Have that program write the file in UTF-8 and without such "
        "escapes, or correct the cell."
    ),
    "cell_entity_cut": _(
        "“%(value)s” ends with the beginning of a letter as web pages write it; the semicolon behind it was taken for the "
        "separator. Save the file in UTF-8, with the letter itself."
    ),
    "cell_letters_replaced": _(
        "“%(value)s” holds question marks where letters seem to have been: a program could not write them in its encoding. Take "
        "the file from its source again, and save it in UTF-8 (in Excel: “CSV UTF-8”)."
    ),
    "column_rounded": _(
        "Column %(column)s: %(count)s rows hold rounded numbers such as 2.026E+07. The column was damaged by a "
        "spreadsheet; take the file from its source again, and open it with this column as text."
    ),
    "end_mark_left_out": _("The mark by which DOS programs end a file (1A) was left out at its end."),
    "rows_after_blank": PluralText(
        lambda count: ngettext(
            "%(count)s line begins with a blank (line %(line)s) and has the cells of a row: it was read as one, without the "
            "blank.",
            "%(count)s lines begin with a blank (first line %(line)s) and have the cells of a row: they were read as rows, "
            "without the blank.",
            count,
        )
    ),
    "header_repeated": _("The header stands in the file again and was passed over there (lines: %(lines)s)."),
    "cell_empty": _("The cell is empty. Fill it in."),
    "value_too_long": _("The text has %(length)s characters; Moodle keeps at most %(limit)s here. Shorten it."),
    "value_not_number": _("“%(value)s” is not a whole number. Write digits only."),
    "value_out_of_range": _("%(value)s is out of range. Write a number from %(least)s to %(most)s."),
    "value_not_flag": _("“%(value)s” is neither yes nor no. Write 1 or 0."),
    "value_not_among": _("“%(value)s” is not possible here. Write one of: %(allowed)s."),
    "value_not_time": _(
        "“%(value)s” is not a date that can be read. Write YYYY-MM-DD or DD/MM/YYYY, either with hh:mm:ss, or seconds "
        "since 1970."
    ),
    "value_in_earlier_line": _("Line %(earlier)s of this file has the same."),
    "cell_holds": _("The cell holds “%(value)s”."),
    "cell_left_out": _("The cell was left out, the rest of the row is done."),
    "did_you_mean": _("Did you mean “%(nearest)s”?"),
    "value_serial_date": _(
        "It looks like the number of a day in a spreadsheet: %(meant)s. Give the cells a date format."
    ),
    "value_perhaps_days": _("It looks like a number of days."),
    "value_too_small_for_seconds": _("As seconds since 1970 it would lie before 1973; as YYYYMMDD it is no day."),
    "value_in_milliseconds": _("It looks like milliseconds since 1970; Moodle counts seconds."),
    "date_order_other": _(
        "In this column 01/02/2030 is read in the order “%(order)s” (d: day, m: month, y: year), in which there is no such "
        "day. Write all dates in one order, best YYYY-MM-DD, or set the option dateorder."
    ),
    "value_in_apostrophes": _("Leave out the apostrophes around it."),
    "date_year_short": _("The year has two digits; probably %(meant)s is meant. Write it with four."),
    "date_without_year": _("The year is missing."),
    "date_without_day": _("The day is missing."),
    "date_day_or_year": _("It may be a day without a year, or a month without a day."),
    "date_only_time": _("It is a time without a day."),
    "date_only_year": _("It looks like a year; the day is missing."),
    "date_of_zeros": _("A database writes no date like this: leave the cell empty, or write 0."),
    "date_year_outside": _(
        "The year must lie between %(first)s and %(last)s. For no date leave the cell empty, or write 0."
    ),
    "date_no_such_month": _("There is no month %(month)s."),
    "date_no_such_month_meant": _("There is no month %(month)s; perhaps %(meant)s is meant."),
    "date_no_such_day": _("That month has no day %(day)s; its last is %(meant)s."),
    "date_hour_24": _("The day ends where the next one begins: write %(meant)s."),
    "date_no_such_time": _("There is no time %(time)s: hours go to 23, minutes to 59."),
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
    "moodle_url_invalid": _(
        "The address of the Moodle database can't be read. Check TOOLSYNC_MOODLE_URL: signs like @ : / ? # in its password are "
        "written as %%40 %%3A %%2F %%3F %%23."
    ),
    "moodle_url_unsupported": _(
        "“%(backend)s” is not a database that Moodle runs on. Use mysql, mariadb, postgresql or sqlite in TOOLSYNC_MOODLE_URL."
    ),
    "moodle_unavailable": _(
        "The Moodle database doesn't answer (%(reason)s). Check the server and take the run up again."
    ),
    "moodle_not_allowed": _(
        "The account of the Moodle database lacks a right (%(reason)s). Grant what manage.py moodlegrants prints, then take the "
        "run up again."
    ),
    "moodle_tables_unknown": _(
        "This Moodle has tables that ToolSync doesn't know, and whose rows would not be seen to: %(tables)s. Update ToolSync. If "
        "they belong to a plugin and its rows may stay as they are, let the operator name them in "
        "TOOLSYNC_MOODLE_LEAVE_TABLES."
    ),
    "check_tables_known": _("All tables that name a course, an account or an activity are known."),
    "moodle_version_unknown": _(
        "Moodle %(release)s is newer than %(known)s, the newest that ToolSync knows: files are only simulated, nothing is "
        "changed. Update ToolSync. Or try it on a copy of the site, and then let the operator set "
        "TOOLSYNC_MOODLE_WRITE_UNKNOWN_VERSIONS=1."
    ),
    "row_internal_error": _(
        "ToolSync made a mistake with this row (internal error); nothing of it was written, and the other rows are done. Give "
        "the number %(number)s to the person who looks after ToolSync: the log tells more under it."
    ),
    "moodle_refused": _(
        "The Moodle database refused the row (%(reason)s). Correct the value that it names, then send the row again."
    ),
    "moodle_error": _(
        "The Moodle database reports an error (%(reason)s). Look at the log of the server, then take the run up again."
    ),
    "moodle_table_missing": _("The table %(table)s isn't there. Check the prefix and that this is a Moodle database."),
    "moodle_column_missing": _(
        "The table %(table)s has no column %(column)s. Check that this is a Moodle database of 4.1 or later."
    ),
    "check_server": _("%(server)s %(version)s answers."),
    "check_release": _("Moodle %(release)s (version %(version)s), tables with the prefix “%(prefix)s”."),
    "check_release_old": _(
        "Moodle %(release)s is older than %(oldest)s, the oldest that ToolSync knows. Upgrade Moodle."
    ),
    "check_release_new": _(
        "Moodle %(release)s is newer than %(known)s, the newest that ToolSync knows. Files may change it all the same, because "
        "TOOLSYNC_MOODLE_WRITE_UNKNOWN_VERSIONS is set. Simulate first."
    ),
    "check_release_untried": _(
        "Moodle %(release)s: ToolSync knows what this release changes, but was not yet tried on it (the newest that it was "
        "tried on is %(tried)s). Simulate first, on a copy."
    ),
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
    "check_data_storage": _("The storage of Moodle's data folder can be read."),
    "check_data_storage_wrong": _(
        "The storage of TOOLSYNC_MOODLE_DATAROOT holds no folder “filedir”. Set it to Moodle's data folder."
    ),
    "check_data_storage_failed": _(
        "The storage of Moodle's data folder can't be read (%(reason)s). Check TOOLSYNC_MOODLE_DATAROOT."
    ),
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
        "%(size)s of deleted files stay in Moodle's data folder, where nothing refers to them any more. Set "
        "TOOLSYNC_MOODLE_DATAROOT so that they go into Moodle's trash."
    ),
    "superseded": _("a later row of the file overwrites this one"),
    "identity_empty": _("The %(identity)s is empty, so nobody knows which account is meant. Fill it in."),
    "identity_taken_from": _("The file has no column “%(wanted)s”: “%(used)s” says what each row is about."),
    "account_unknown": _("There is no account with %(identity)s “%(value)s”. Correct it, or create the account first."),
    "account_ambiguous": _(
        "“%(value)s” belongs to %(count)s accounts. Choose another primary identity, or make the value unique in Moodle."
    ),
    "account_protected": _(
        "“%(username)s” is the guest, a site administrator, somebody else who may configure the site, or the account that "
        "ToolSync works with: a file may not change anything of it. Take the row out, or change the account in Moodle."
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
    "email_not_mailable": _(
        "“%(email)s” is no address to which Moodle sends mails: it calls the form invalid. Correct it in the file."
    ),
    "password_to_be_changed": _("the password “changeme” has to be changed at the first login"),
    "language_left_out": _(
        "the language “%(lang)s” isn't installed in Moodle: a new one has the language of the site, an existing one keeps its own"
    ),
    "email_protected": _("e-mail address kept (%(email)s): existing addresses are protected"),
    "rename_source_missing": _("Renaming: there is no account “%(username)s”. Correct the column oldusername."),
    "rename_target_exists": _(
        "Renaming: “%(username)s” exists already, beside “%(oldusername)s”. Choose another name."
    ),
    "country_unknown": _("“%(country)s” is not a country. Write an ISO code of two letters, like FR."),
    "language_unknown": _("“%(lang)s” is not a language code. Write one like fr or pt_br."),
    "timezone_unknown": _("“%(timezone)s” is not a time zone. Write a name like Europe/Paris, or 99 for the server's."),
    "auth_unknown": _("The authentication plugin “%(auth)s” isn't installed in Moodle. Correct it or install it."),
    "mnethost_unknown": _("There is no MNet host %(mnethostid)s. Leave the cell empty for the local host."),
    "password_too_long": _("The password is longer than the %(limit)s characters that Moodle accepts. Shorten it."),
    "password_changed": _("password changed"),
    "account_of_another_person": _(
        "The account “%(username)s” belongs to %(present)s, not to %(given)s: it was left as it is. Correct the row, or take the "
        "names out of the file."
    ),
    "profile_field_unknown": _("Column “%(column)s” is ignored: Moodle has no such profile field."),
    "profile_value_taken": _(
        "“%(value)s” belongs to another account, and this profile field must be unique. Correct it."
    ),
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
        "The columns %(columns)s have dates with the day first and others with the month first. They were read day first; set "
        "the option dateorder, best after correcting the file."
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
}

# --- pictures of accounts ---------------------------------------------------------------------------------------------
PICTURE_TEXTS = {
    "zip_broken": _("This is not a zip, or it is damaged. Make the zip again and send the whole file."),
    "zip_without_pictures": _("The zip holds no pictures. Put files like ada.lovelace.jpg in it."),
    "zip_too_many": _("The zip holds %(count)s files, more than the %(limit)s that are taken. Split it."),
    "zip_directory_too_large": _("The zip lists more files than are taken. Split it."),
    "zip_too_large": _(
        "Unpacked, the zip would have %(size)s MB, more than the %(limit)s MB that are taken. Split it."
    ),
    "pictures_passed_over": _("Files of the zip that are no pictures at all were passed over: %(count)s."),
    "pictures_without_data_folder": _(
        "Pictures are stored in Moodle's data folder, and none is configured. Set TOOLSYNC_MOODLE_DATAROOT."
    ),
    "moodle_files_unavailable": _(
        "Moodle's data folder can't be used (%(reason)s). Check that it can be reached and written to, then take the run up "
        "again."
    ),
    "picture_set": _("picture set for “%(username)s”"),
    "picture_unchanged": _("“%(username)s” has this picture already"),
    "picture_kept": _("“%(username)s” has a picture, which is kept"),
    "picture_owner_unknown": _(
        "There is no account with %(identity)s “%(value)s”. Rename the picture, or create the account first."
    ),
    "picture_ambiguous": _(
        "“%(value)s” is the %(identity)s of %(count)s accounts. Name the picture by something that only one account has."
    ),
    "picture_without_name": _("Nothing but an extension: name the picture after the %(identity)s of its account."),
    "picture_without_host": _("“%(value)s” has no MNet host. Name the picture like ada.lovelace@1.jpg."),
    "picture_outside": _("The path leads out of the zip, so the picture was not read. Make the zip again."),
    "picture_link": _("This is a link, not a picture. Put the picture itself in the zip."),
    "picture_encrypted": _("The picture is protected by a password. Make the zip without one."),
    "picture_damaged": _("The picture can't be unpacked: the zip is damaged at this place. Make it again."),
    "picture_too_large": _("The picture has %(size)s MB, more than the %(limit)s MB that are taken. Make it smaller."),
    "picture_too_many_pixels": _(
        "The picture has %(width)s by %(height)s pixels, more than the %(limit)s million that are taken. Make it smaller."
    ),
    "picture_unreadable": _(
        "This is not a JPEG, PNG or GIF picture, whatever its name says, or it is damaged. Save it again as one of these."
    ),
}

# --- courses ----------------------------------------------------------------------------------------------------------
COURSE_TEXTS = {
    "course_created": _("course created"),
    "course_updated": _("course updated"),
    "course_content_added": _("course updated: the content of the template was added"),
    "course_content_replaced": _("course updated: the content of the template took the place of what was in it"),
    "course_unchanged": _("course unchanged"),
    "course_exists": _("the course exists; it is left as it is"),
    "course_shortname_taken": _(
        "Another course has the short name “%(value)s”. Short names are unique: choose another."
    ),
    "course_idnumber_taken": _(
        "Another course has the idnumber “%(value)s”. Idnumbers are unique: correct one of them."
    ),
    "course_template_unknown": _(
        "There is no course with the short name “%(template)s” to take as a template. Correct the cell, or make that course "
        "first."
    ),
    "course_template_site": _(
        "“%(template)s” is the front page of the site, which can't be a template. Name a course."
    ),
    "course_template_plugins": _(
        "The template “%(template)s” holds %(plugins)s, whose tables ToolSync doesn't know, so no course was made. Add the "
        "plugin's install.xml (see the manual), or name another template."
    ),
    "course_handover_no_command": _(
        "No Moodle command line is set for this site, so Moodle can't restore the backup. Have TOOLSYNC_MOODLE_CLI set, or let "
        "ToolSync restore it."
    ),
    "course_handover_failed": _("Moodle did not restore the backup. %(reason)s Mend that, or let ToolSync restore it."),
    "course_handover_silent": _(
        "Moodle's %(script)s ended without the number of the course, but with “%(said)s”. Look in Moodle whether it made one."
    ),
    "course_handover_lost": _(
        "Moodle's command line says that it made course %(courseid)s, which isn't in this database. Let the operator check that "
        "TOOLSYNC_MOODLE_CLI belongs to this Moodle."
    ),
    "course_handover_existing": _(
        "Moodle's command line restores into new courses only, and this one is there. Let ToolSync restore “%(template)s”."
    ),
    "course_template_itself": _("A course can't be its own template. Empty the cell, or name another course."),
    "course_replace_plugins": _(
        "The course holds %(plugins)s, whose tables ToolSync doesn't know, so nothing of it was replaced. Add the plugin's "
        "install.xml (see the manual), or choose to add the template to what is there."
    ),
    "course_template_archive": _(
        "There is no course backup “%(template)s”, neither among the files of the site nor in Moodle. Upload it, or correct the "
        "cell."
    ),
    "course_template_no_backup": _(
        "The course “%(template)s” has no backup in Moodle. Make one, or choose to take courses as they are now."
    ),
    "course_backup_no_data_folder": _(
        "Files of a backup can't be brought into Moodle, whose data folder isn't set. Set it for this site."
    ),
    "course_backup_ambiguous": _(
        "%(count)s courses have a backup named “%(template)s” in Moodle. Upload the one that is meant to the files of the site, "
        "or choose to take the newest backup of a course and name that course."
    ),
    "course_backup_lost": _(
        "Moodle names this backup, but its data folder doesn't hold it. Upload the backup as a file."
    ),
    "course_backup_plugins": _(
        "The backup “%(template)s” holds %(plugins)s, which ToolSync doesn't know, so no course was made. Choose to leave "
        "out what isn't known, or name another backup."
    ),
    "course_backup_left_out": _(
        "What this Moodle has no plugin for was left out of the backup “%(template)s”: %(titles)s. Install the plugins first to "
        "have it all."
    ),
    "course_backup_files_missing": PluralText(
        lambda count: ngettext(
            "%(count)s file of the backup “%(template)s” is neither in it nor in Moodle, so its place stays empty. Add it in "
            "Moodle.",
            "%(count)s files of the backup “%(template)s” are neither in it nor in Moodle, so their places stay empty. Add them "
            "in Moodle.",
            count,
        )
    ),
    "course_backup_aliases": PluralText(
        lambda count: ngettext(
            "%(count)s file of the backup “%(template)s” only points to another place, and was left out. Add it in Moodle.",
            "%(count)s files of the backup “%(template)s” only point to another place, and were left out. Add them in Moodle.",
            count,
        )
    ),
    "course_grouping_unknown": _(
        "The course has no grouping %(grouping)s. Write 0, or the number of one of its groupings."
    ),
    "course_without_context": _(
        "The course “%(course)s” has no place in Moodle's tree of contexts yet. Have Moodle run its tasks “Create missing "
        "contexts” and “Cleanup contexts” (php admin/cli/scheduled_task.php), and send the line again."
    ),
    "course_without_manual": _(
        "New courses get no manual enrolment on this site, so they can't have teachers. Have it added to new courses (settings "
        "of the plugin “Manual enrolments” in Moodle), or leave the teachers out."
    ),
    "course_dates_reversed": _(
        "The course would end (%(end)s) before it starts (%(start)s). Correct one of the two dates."
    ),
    "course_field_value_taken": _(
        "Another course has “%(value)s” in this field, whose values are unique. Choose another."
    ),
    "course_field_unknown": _("Column “%(column)s” is ignored: Moodle has no such custom field of courses."),
    "course_field_kind_unknown": _(
        "Custom fields of the type “%(kind)s” can't be filled from a file. Take the column out."
    ),
    "category_none": _("The site has no course category. Name one."),
    "category_unknown": _(
        "There is no category with the %(identifier)s “%(category)s”. Correct it, or create the category first."
    ),
    "cohort_categories_differ": _(
        "These cells name different categories: %(columns)s. Fill in only one of them, or the same category."
    ),
    "category_without_context": _(
        "The category “%(category)s” has no place in Moodle's tree of contexts yet. Have Moodle run its tasks “Create missing "
        "contexts” and “Cleanup contexts” (php admin/cli/scheduled_task.php), and send the line again."
    ),
    "category_ambiguous": _(
        "“%(category)s” may mean %(count)s categories. Write it exactly as one of them is spelled, or give its number."
    ),
    "category_digits_ambiguous": _(
        "“%(category)s” is the number of the category “%(name)s” and the name of another one. Write /%(category)s for the one "
        "of this name, or the path of names for the other."
    ),
    "category_digits_unknown": _(
        "No category has the number “%(category)s”, and none at the top is called so. Correct it, or write /%(category)s for a "
        "category that is to be made."
    ),
    "category_number_unclear": _(
        "“%(category)s” looks like a number as a spreadsheet shows it, and no category at the top is called so. Write a "
        "category's number in digits alone (5, 2026), or /%(category)s for a category that is to be made."
    ),
    "category_path_gap": _("The path “%(path)s” has an empty part. Write it like Sciences/Mathematics."),
    "category_name_too_long": _("The category name “%(name)s” is too long: at most %(limit)s characters. Shorten it."),
    "teacher_unknown": _("“%(account)s” is nobody's id, username, address or name. Correct it."),
    "teacher_ambiguous": _("“%(account)s” may mean %(count)s accounts. Write the username."),
}

# --- lists of courses (courses_delete, courses_check) -------------------------------------------------------------
COURSE_LIST_TEXTS = {
    "list_empty": _("The file names nothing, so there is nothing to do."),
    "course_deletion_final": _(
        "Deleted courses can't be brought back from Moodle's recycle bin: ToolSync puts nothing into it."
    ),
    "course_deleted": _("course deleted (%(fullname)s)"),
    "course_deleted_before": _("already deleted by line %(line)s"),
    "course_delete_unknown": _(
        "There is no course with the %(identifier)s “%(course)s”. Correct the line, or take it out: the course may have been "
        "deleted before."
    ),
    "course_being_deleted": _("Moodle is deleting “%(course)s” just now. Take the line out, or send it again later."),
    "course_delete_site": _("“%(course)s” is the front page of the site, which can't be deleted. Take the line out."),
    "course_plugins_unknown": _(
        "The course holds %(plugins)s, whose tables ToolSync doesn't know, so nothing of it was deleted. Add the plugin's "
        "install.xml (see the manual), or delete the course in Moodle."
    ),
    "course_check_found": _("the course is there"),
    "course_check_names": _("%(fullname)s, short name %(shortname)s, idnumber “%(idnumber)s”"),
    "course_check_missing": _("no course has this %(identifier)s"),
    "course_check_described": _("described in the file as “%(description)s”"),
    "course_check_ambiguous": _("%(count)s courses have this %(identifier)s"),
    "course_check_ids": _("their ids: %(ids)s"),
}

# --- courses that are reset (courses_reset) -----------------------------------------------------------------------
RESET_TEXTS = {
    "course_reset": _("course reset (%(fullname)s)"),
    "course_reset_nothing": _("there was nothing to reset (%(fullname)s)"),
    "course_reset_site": _("“%(course)s” is the site itself, which can't be reset. Take the line out."),
    "course_reset_plugins": _(
        "The course holds %(plugins)s, whose tables ToolSync doesn't know. Name the activities to be reset in the column "
        "modules, add the plugin's install.xml (see the manual), or reset the course in Moodle."
    ),
    "course_reset_module_unknown": _(
        "“%(module)s” is no activity that ToolSync knows. Write the names with spaces between them: %(known)s."
    ),
    "course_reset_roles_yes": _(
        "“%(value)s” doesn't say whose roles. Write the short names of roles with spaces between them, or “all”."
    ),
    "course_reset_role_unknown": _(
        "There is no role “%(role)s”; its holders, if you meant another one, are still enrolled."
    ),
    "course_reset_logs": _("The column “logs” has no effect: Moodle keeps its logs when a course is reset."),
}

# --- the clean-up of empty categories (categories_delete) --------------------------------------------------------
CATEGORY_LIST_TEXTS = {
    "category_deleted": _("category deleted (%(name)s)"),
    "category_deleted_before": _("already deleted by line %(line)s"),
    "category_delete_unknown": _(
        "There is no category with the number %(category)s. Take the line out: the category may have been deleted before."
    ),
    "category_has_courses": _(
        "“%(category)s” holds courses (%(count)s). Move or delete them first, or take the line out."
    ),
    "category_has_categories": _(
        "“%(category)s” holds the category “%(inner)s”, which stays. Put that one on an earlier line, or take this one out."
    ),
    "category_plugins_unknown": _(
        "“%(category)s” keeps questions of %(plugins)s, whose tables ToolSync doesn't know. Delete the category in Moodle."
    ),
    "category_last": _("“%(category)s” is the only category left, and Moodle needs one. Take the line out."),
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
        "Whoever has the role “%(role)s” for the whole site may give roles there, or change what they permit "
        "(moodle/role:assign, moodle/role:manage or moodle/role:override): a file may not give it. Give another role, or give "
        "this one in Moodle."
    ),
    "cohort_digits_unknown": _(
        "No cohort has the idnumber or name “%(cohort)s”, and none was made, for it may be the number that Moodle gave one. "
        "Write the idnumber."
    ),
    "identity_in_earlier_line": _(
        "Line %(earlier)s of this file has “%(value)s” already. Two people can't have the same; correct one of the rows."
    ),
    "role_unknown": _("There is no role with the shortname “%(role)s”. Use the shortname of a role of this site."),
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

# --- enrolments -----------------------------------------------------------------------------------------------------
ENROLMENT_TEXTS = {
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
    "role_assigned": _("role given"),
    "role_held_already": _("has this role already"),
    "role_replaced": _("role replaced"),
    "roles_taken_away": _("role taken away"),
    "role_not_held": _("nothing to do: has no such role, or only by an enrolment method"),
    "group_unknown": _(
        "The course has no group “%(group)s”. Correct the name, or create the group first (gaddcreate and greplacecreate do)."
    ),
    "group_member_already": _("already a member of the group “%(group)s”"),
    "group_not_member": _("not a member of the group “%(group)s”"),
    "group_not_ours": _(
        "still in the group “%(group)s”: ToolSync did not make that membership, and groups are protected"
    ),
    "group_kept_by_method": _(
        "still in the group “%(group)s”: the membership is protected, an enrolment method made it and would restore it"
    ),
}

# --- cohorts --------------------------------------------------------------------------------------------------------
COHORT_TEXTS = {
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
    "enrol_method_unknown": _(
        "The method “%(method)s” can't enrol cohorts: it isn't switched on, or it isn't made for them. Use cohort."
    ),
}

# --- groups, groupings and their members -----------------------------------------------------------------------------
GROUP_TEXTS = {
    "group_created": _("group added"),
    "group_updated": _("group changed"),
    "group_unchanged": _("group unchanged"),
    "group_bound": _("group put in the grouping"),
    "group_unidentified": _(
        "The course has no group with the %(identifier)s “%(group)s”; one of another course doesn't count. Correct the cell, or "
        "create the group first."
    ),
    "group_named_otherwise": _(
        "The group with the idnumber “%(idnumber)s” is called “%(name)s” and keeps its name. To rename it, name it in the column "
        "updateid."
    ),
    "group_name_shared": _(
        "The course has another group called “%(group)s”. Moodle's own form refuses this; rows that name groups by their names "
        "can't tell the two apart."
    ),
    "grouping_name_taken": _(
        "The course has a grouping “%(grouping)s” with the idnumber “%(present)s”: another one of this name is not made. "
        "Give it another name, or leave the idnumber empty."
    ),
    "grouping_keeps_idnumber": _(
        "The grouping of this name has no idnumber, and “%(idnumber)s” was not set. Fill in updateid to change it."
    ),
    "group_made_instead": _(
        "the course has no group with the %(identifier)s “%(group)s”; the one of this name was taken, or a new one made"
    ),
    "group_command_unknown": _(
        "There is no group command “%(value)s”, so no group was touched. Write one of these: %(allowed)s."
    ),
    "group_not_unique": _(
        "%(count)s groups of the course have the %(identifier)s “%(group)s”. Make it unique in Moodle, or choose another "
        "group identifier."
    ),
    "group_idnumber_taken": _(
        "Another group of the course has the idnumber “%(idnumber)s”. Give this group another one, or leave the cell empty."
    ),
    "grouping_created": _("grouping added"),
    "grouping_updated": _("grouping changed"),
    "grouping_unchanged": _("grouping unchanged"),
    "grouping_unidentified": _(
        "the course has no grouping with the %(identifier)s “%(grouping)s”; the one of this name was taken, or a new one made"
    ),
    "grouping_without_idnumber": _("the new grouping has no idnumber, by which other rows could name it"),
    "grouping_unknown": _(
        "The course has no grouping with the idnumber “%(grouping)s”, so the group was put in none. Create the grouping "
        "first, then send the row again."
    ),
    "grouping_not_unique": _(
        "%(count)s groupings of the course have the %(identifier)s “%(grouping)s”. Make it unique in Moodle."
    ),
    "grouping_idnumber_taken": _(
        "Another grouping of the course has the idnumber “%(idnumber)s”. Give this one another, or leave the cell empty."
    ),
    "group_member_added": _("put in the group"),
    "group_member_unchanged": _("member of the group already"),
    "group_member_shifted": _("groups changed: in this group now"),
    "group_member_removed": _("taken out of the group"),
    "group_member_missing": _("nothing to do: not a member of the group"),
    "group_kept_not_ours": _("still in the group “%(group)s” as well: ToolSync did not make that membership"),
    "group_purged": _("group deleted at the end, as nobody is in it"),
    "grouping_purged": _("grouping deleted at the end, as no group is in it"),
    "groups_purged": _("Deleted groups without members (%(count)s): %(names)s."),
    "groupings_purged": _("Deleted groupings without groups (%(count)s): %(names)s."),
}

# --- metacourse links ---------------------------------------------------------------------------------------------
META_TEXTS = {
    "meta_link_created": _("linked; people who came along: %(count)s"),
    "meta_link_revived": _("link switched on again"),
    "meta_link_synced": _("linked already; people brought up to date"),
    "meta_link_unchanged": _("linked already"),
    "meta_link_disabled": _("link switched off; the roles that it gave are gone"),
    "meta_link_off_already": _("link is switched off already"),
    "meta_link_missing": _("“%(meta)s” takes nobody from “%(master)s”. Correct the row, or take it out."),
    "meta_of_itself": _("“%(course)s” can't take its people from itself. Name two courses."),
    "meta_not_enabled": _(
        "The enrolment plugin “Course meta link” is switched off on this site. Switch it on in Moodle, then send the file again."
    ),
}

# --- runs ---------------------------------------------------------------------------------------------------------
RUN_TEXTS: dict[str, Any] = {
    "own_database_unavailable": _(
        "ToolSync's own database doesn't answer (%(reason)s). Check it and take the run up again."
    ),
    "disk_full": _(
        "The disk that ToolSync writes to is full or can't be written to (%(reason)s). What was there before is whole. Make "
        "room, then take the run up again."
    ),
    "outcomes_part_missing": _(
        "The stored outcomes of the rows up to line %(line)s are missing or damaged, so they can't be shown and no report or "
        "tryback can be made of them; in Moodle everything is as it was. Bring the folder of the run back from a backup."
    ),
    "storage_unavailable": _(
        "The storage of ToolSync's files can't be used now (%(reason)s). Once it is back, take the run up again."
    ),
    "processor_unknown": _("There is no file type “%(processor)s”. File types: %(processors)s."),
    "file_name_empty": _("The file has no name. Give it one."),
    "file_name_character": _("A file can't be named “%(name)s” here: take out the character “%(character)s”."),
    "file_name_too_long": _("The file name “%(name)s…” is too long. Shorten it to %(limit)s bytes."),
    "folder_too_long": _("The path of the folder is too long. Shorten it to %(limit)s characters."),
    "folder_reserved": _("The folder %(folder)s is filled by ToolSync only. Choose another one."),
    "file_too_large": _("The file %(name)s has %(size)s MB; at most %(limit)s MB are taken. Split it."),
    "file_exists": _(
        "There is already a file %(path)s. Say that it is to be replaced, delete it first, or choose another name."
    ),
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
    "run_owner_without_right": _(
        "%(name)s, in whose name this was to run, has no active account here any more or may not run this file type. Nothing "
        "was done. Somebody who may run it must save the schedule, or start the file by hand."
    ),
    "file_owner_without_right": _(
        "%(name)s, who let schedules take this file, has no active account here any more or may not run this file type. "
        "Nothing was done. Somebody who may run it must let schedules take the file, or start it by hand."
    ),
    "archive_differs": _("The archive could not be stored as it should be, so the file was not deleted."),
    "settings_dead": _(
        "These settings come from the old plugin, which never did anything with them, and neither does ToolSync: %(names)s."
    ),
    "escapes_decoded": PluralText(
        lambda count: ngettext(
            "Escapes of another program were decoded in %(count)s row: “%(value)s” in line %(line)s (columns: %(columns)s).",
            "Escapes of another program were decoded in %(count)s rows, first “%(value)s” in line %(line)s (columns: "
            "%(columns)s).",
            count,
        )
    ),
    "text_marks_taken_out": PluralText(
        lambda count: ngettext(
            "An apostrophe before digits, by which a spreadsheet keeps them as a text, was taken out in %(count)s row: "
            "“%(value)s” in line %(line)s (columns: %(columns)s).",
            "An apostrophe before digits, by which a spreadsheet keeps them as a text, was taken out in %(count)s rows, first "
            "“%(value)s” in line %(line)s (columns: %(columns)s).",
            count,
        )
    ),
    "cells_perhaps_escaped": PluralText(
        lambda count: ngettext(
            "%(count)s row holds what looks like the escapes of another program, and was taken as it is: “%(value)s” in line "
            "%(line)s (columns: %(columns)s).",
            "%(count)s rows hold what looks like the escapes of another program, and were taken as they are, first “%(value)s” "
            "in line %(line)s (columns: %(columns)s).",
            count,
        )
    ),
    "letters_perhaps_replaced": PluralText(
        lambda count: ngettext(
            "%(count)s row holds a question mark within a word, perhaps in place of a letter that a program could not write: "
            "“%(value)s” in line %(line)s (columns: %(columns)s). Compare it with the source, and save the file in UTF-8.",
            "%(count)s rows hold question marks within words, perhaps in place of letters that a program could not write, first "
            "“%(value)s” in line %(line)s (columns: %(columns)s). Compare them with the source, and save the file in UTF-8.",
            count,
        )
    ),
    "invisible_characters": PluralText(
        lambda count: ngettext(
            "Characters that nobody sees (zero width, direction marks …) were taken out of what names something, in %(count)s "
            "row, first in line %(line)s (columns: %(columns)s). Look where the file comes from: such come along when text is "
            "copied from web pages.",
            "Characters that nobody sees (zero width, direction marks …) were taken out of what names something, in %(count)s "
            "rows, first in line %(line)s (columns: %(columns)s). Look where the file comes from: such come along when text is "
            "copied from web pages.",
            count,
        )
    ),
    "columns_ignored": _("These columns are not used here and were ignored: %(columns)s."),
    "mails_in_doubt": _(
        "ToolSync was interrupted while it sent mails. These people may not have got theirs, and with it their password: "
        "%(people)s (%(count)s in all). Send them again on the page of the run."
    ),
    "mails_lost": PluralText(
        lambda count: ngettext(
            "%(count)s mail could not be sent. Look at the mail server; the rows themselves are done.",
            "%(count)s mails could not be sent. Look at the mail server; the rows themselves are done.",
            count,
        )
    ),
}

# --- where files come from without a person ---------------------------------------------------------------------------
SOURCE_TEXTS = {
    "source_nothing": _("Nothing is there for “%(location)s”."),
    "file_not_armed": _(
        "%(name)s is there, but nobody who may run this file type has said that schedules take it, so it was left alone. "
        "Look at it on the page of the tool, and let schedules take it there."
    ),
    "dropped_file_not_armed": _(
        "%(name)s came out of the drop folder, but %(owner)s, who set the source, may not set sources or run files like this "
        "one any more, so it was left alone. Somebody who may must save the source and let schedules take the file."
    ),
    "source_owner_without_right": _(
        "%(owner)s, who set this source, has no active account here any more, or may not set sources or run this file type. "
        "Nothing was taken. Somebody who may must save the source again."
    ),
    "source_never_next": _(
        "The first file stays after its run, so the others never get their turn. Tick “Take all files at once”, “Leave out a "
        "file that was carried out already”, or let the first one be deleted after the run."
    ),
    "source_file_growing": _(
        "%(name)s is still being written, so it was left where it is. It is taken once it stays the same."
    ),
    "source_checksum_differs": _(
        "%(name)s doesn't have the SHA-256 that %(mark)s says, so it was not taken. Send both again."
    ),
    "source_file_left_behind": _("%(path)s was fetched before, but its run was never asked for. It is taken now."),
    "same_file_again": _("%(name)s is the very same file that run %(run)s has carried out already."),
    "same_file_left_out": _(
        "%(name)s was left out: it is the very same file that run %(run)s has carried out already."
    ),
    "file_put_aside": _(
        "Run %(run)s could not use %(path)s, so it is called %(aside)s now. The next run goes on with the next file."
    ),
    "drop_feeder_writes": _(
        "Nothing was taken from the drop folder: %(lock)s has said for %(minutes)s minutes that files are being written there."
    ),
    "drop_feeder_died": _(
        "Nothing was taken from the drop folder: %(lock)s is %(hours)s hours old, so the program that feeds it has probably "
        "died. See that its files are whole, then delete %(lock)s."
    ),
    "drop_being_taken": _(
        "Nothing was taken from the drop folder: %(lock)s has said for %(minutes)s minutes that another process is taking them."
    ),
    "drop_lock_taken_over": _(
        "%(lock)s in the drop folder was %(hours)s hours old, left by a program that has died. It was removed. Check that "
        "program."
    ),
    "drop_lock_of_dead_process": _(
        "Process %(pid)s on %(host)s died while it took files from the drop folder; its %(lock)s was removed. Nothing is lost: "
        "what it had not taken is taken now."
    ),
    "dropped_file_quarantined": _(
        "%(name)s in the drop folder is called %(aside)s now: ToolSync broke off %(attempts)s times while it took it. Look what "
        "is in it (its size, its format), then hand it in again under its old name, or delete it."
    ),
    "fetched_file_quarantined": _(
        "%(name)s is left out: ToolSync broke off %(attempts)s times while it fetched it. Look what is in it (its size, its "
        "format) and put a mended one in its place; the same one is tried again a day later."
    ),
    "drop_folder_failed": _(
        "The drop folder %(folder)s can't be used (%(reason)s). Let the account that ToolSync runs under write there."
    ),
    "inbox_unknown": _("There is no inbox “%(inbox)s”. Choose another one, or name it in TOOLSYNC_INBOXES."),
    "inbox_failed": _("The inbox “%(inbox)s” doesn't answer as it should (%(reason)s). Check TOOLSYNC_INBOXES."),
    "path_unreadable": _(
        "“%(path)s” is not the path of a file. Write it like users.csv, in/users.csv or in/users_*.csv."
    ),
    "wildcard_in_folder": _("A * may stand in the name of a file only, not in its folder."),
    "address_unreadable": _("This is not an address. Write it like https://example.org/users.csv."),
    "address_scheme": _("Files can't be fetched by “%(scheme)s”. Begin the address with one of: %(schemes)s."),
    "address_wildcard": _("A web server doesn't list its files: write the whole name, without *."),
    "address_without_file": _("The address names a folder. Put the name of a file behind it, or a name with *."),
    "private_key_unreadable": _(
        "The private key can't be read. Paste the whole file, and give its passphrase as the password."
    ),
    "source_secret_unreadable": _(
        "The password can't be decrypted: SECRET_KEY or TOOLSYNC_CREDENTIALS_KEY is another one now. Enter it again."
    ),
    "remote_private": _(
        "%(host)s is an address of a private network or of this machine, and nothing is fetched from there. Whoever runs "
        "ToolSync can allow it in TOOLSYNC_FETCH_HOSTS."
    ),
    "remote_unknown": _("There is no server %(host)s. Check the spelling of the address."),
    "remote_failed": _("Fetching from %(host)s failed (%(reason)s). Check the address and the server."),
    "remote_silent": _("%(host)s doesn't answer: nothing came for %(seconds)s seconds. Check the server."),
    "remote_too_slow": _("Fetching from %(host)s was given up: it was not done after %(seconds)s seconds."),
    "remote_too_large": _("%(name)s has more than the %(limit)s MB that are taken. Split it."),
    "remote_cut_off": _("%(host)s cut the file off: %(missing)s bytes are missing. Nothing was taken."),
    "remote_certificate": _(
        "The certificate of %(host)s can't be trusted (%(reason)s), so nothing was sent or taken. Let the server have a "
        "valid one, or let whoever runs ToolSync name the authority behind it in SSL_CERT_FILE."
    ),
    "remote_login_refused": _("%(host)s refuses the login. Check the user name and the password or key."),
    "remote_not_found": _("There is nothing at %(address)s."),
    "remote_status": _("%(host)s answers with an error (HTTP %(status)s). Check the address."),
    "remote_redirects": _("%(host)s sends us on more than %(count)s times. Enter the address where it ends."),
    "remote_redirect_insecure": _("%(host)s sends us on to %(target)s, which is not as safe. Enter another address."),
    "remote_host_key": _(
        "%(host)s shows a different key than before (%(met)s instead of %(known)s), so no password was sent. If the server was "
        "changed on purpose, enter the new fingerprint."
    ),
}

# --- schedules ----------------------------------------------------------------------------------------------------------
SCHEDULE_TEXTS = {
    "crontab_fields": _(
        "“%(crontab)s” is not a crontab: it takes five fields with blanks between them (minute, hour, day of the month, "
        "month, day of the week)."
    ),
    "crontab_unreadable": _(
        "“%(crontab)s” is not a crontab, or names a day that never comes. Write it like 15 2 * * 1-5 (at 02:15, Monday to "
        "Friday)."
    ),
    "schedule_without_tool": _("No tool is chosen. Choose at least one."),
    "schedule_without_time": _("No time is given. Enter one, for example 02:15."),
    "schedule_under_way": _("This schedule is under way already. Wait until it is over."),
    "freeze_window_too_long": _("A window has at most %(days)s days. Enter an earlier end, or switch schedules off."),
    "freeze_window_over": _("The window is over already. Enter a later end."),
    "freeze_window_too_far": _("The window begins more than %(days)s days from now. Check the year."),
    "freeze_window_empty": _("The window ends before it begins. Enter a later end."),
}

# --- after a run: Moodle's caches, and who is told --------------------------------------------------------------------
TELLING_TEXTS = {
    "caches_purged": _("Moodle's caches were purged, as groups, categories, roles or enrolments changed."),
    "caches_not_purged": _(
        "Groups, categories, roles or enrolments changed, and Moodle's caches were not purged, as no Moodle command line is "
        "set: some pages may show the old state. Purge the caches in Moodle, and see TOOLSYNC_MOODLE_CLI."
    ),
    "caches_purge_failed": _(
        "Moodle's caches could not be purged, so some of its pages may show the old state. Purge them in Moodle. %(reason)s"
    ),
    "moodle_command_not_started": _("Moodle's command line can't be started: %(program)s (%(reason)s)."),
    "moodle_command_too_slow": _("Moodle's %(script)s was stopped: it was not done after %(seconds)s seconds."),
    "moodle_command_failed": _("Moodle's %(script)s ended with status %(status)s and said: %(said)s"),
    "mail_without_server": _(
        "No mail server is set, so nothing was sent to: %(recipients)s. Set EMAIL_URL and start the workers again."
    ),
    "mail_not_sent": _(
        "The mail could not be sent to: %(recipients)s (%(reason)s). Check the addresses and EMAIL_URL."
    ),
    "mail_address_wrong": _("“%(address)s” is not a mail address."),
    "webhook_address": _(
        "This is not an address that a webhook can have. Write it like https://example.org/hooks/1, without a user name."
    ),
    "webhook_key_short": _(
        "The key is too short to be safe. Give it at least %(length)s bytes: that many characters, or “%(prefix)s” and base64."
    ),
    "webhook_key_unreadable": _("What follows “%(prefix)s” in the key must be base64."),
    "webhook_secret_unreadable": _(
        "The address can't be decrypted: SECRET_KEY or TOOLSYNC_CREDENTIALS_KEY is another one now. Enter address and key again."
    ),
    "webhook_private": _(
        "%(host)s is an address of a private network or of this machine, and nothing is sent there. Whoever runs ToolSync can "
        "allow it in TOOLSYNC_FETCH_HOSTS."
    ),
    "webhook_failed": _("%(host)s could not be told (%(reason)s). Check the address and the server."),
    "webhook_too_slow": _(
        "%(host)s took longer than %(seconds)s seconds. It should answer first and do its work then."
    ),
    "webhook_status": _("%(host)s answers with HTTP %(status)s instead of 200. Check the address and the server."),
}

# --- course backups (ArchiveRefused) ----------------------------------------------------------------------------------
BACKUP_TEXTS = {
    "backup_empty": _("The backup is an empty file. Take it from Moodle again."),
    "backup_not_archive": _(
        "This is no course backup: it is neither a tar.gz nor a zip. Take an .mbz file from Moodle."
    ),
    "backup_truncated": _("The backup breaks off before its end. Take it from Moodle again."),
    "backup_damaged": _("The backup is damaged. Take it from Moodle again."),
    "backup_encrypted": _(
        "“%(member)s” in the backup is encrypted. Take the backup from Moodle again, without a password."
    ),
    "backup_large": _(
        "The backup holds more than %(limit)s MiB. Leave out large files when you make it, or restore it in Moodle itself."
    ),
    "backup_ratio": _(
        "The backup would grow to more than %(limit)s times its size, as no backup of Moodle does. Don't trust this file."
    ),
    "backup_members": _("The backup holds more than %(limit)s files. Restore it in Moodle itself."),
    "backup_member_large": _(
        "The file %(member)s in the backup is larger than %(limit)s MiB. Restore the backup in Moodle itself."
    ),
    "backup_member_name": _(
        "The backup holds a file named “%(member)s”, which would be written where it doesn't belong. Don't trust this file."
    ),
    "backup_member_special": _(
        "“%(member)s” in the backup is a link, a device, or something else that Moodle never packs. Take the backup from "
        "Moodle again."
    ),
    "backup_member_unknown": _(
        "“%(member)s” in the backup is nothing that Moodle puts there. Take the backup from Moodle again, and don't pack it "
        "anew."
    ),
    "backup_member_twice": _("“%(member)s” is in the backup twice. Take the backup from Moodle again."),
    "backup_no_space": _(
        "There is no room for the %(size)s MiB of a file in the backup. Make room for temporary files."
    ),
    "backup_blob_differs": _(
        "The file %(member)s in the backup isn't what it was when the backup was made. Take the backup from Moodle again."
    ),
    "backup_file_row": _(
        "files.xml in the backup names a file “%(name)s” (number %(id)s) as Moodle never does. Take the backup from Moodle "
        "again."
    ),
    "backup_xml_broken": _(
        "Line %(xmlline)s, column %(xmlcolumn)s of %(member)s in the backup isn't XML. Take the backup from Moodle again."
    ),
    "backup_xml_doctype": _(
        "%(member)s in the backup declares a document type, as Moodle never does. Don't trust this file."
    ),
    "backup_xml_deep": _(
        "%(member)s in the backup has more than %(limit)s elements within each other, as Moodle's never have. Don't trust "
        "this file."
    ),
    "backup_xml_names": _(
        "%(member)s in the backup has more than %(limit)s kinds of elements, as Moodle's never have. Don't trust this file."
    ),
    "backup_xml_text": _(
        "%(member)s in the backup holds a text of more than %(limit)s MiB. Shorten it in Moodle, and make the backup again."
    ),
    "backup_row_id": _(
        "%(member)s in the backup gives an element “%(element)s” the number “%(value)s”. Take the backup from Moodle again."
    ),
    "backup_activity_broken": _(
        "The activity “%(title)s” is missing in the backup, or differs from its table of contents (%(folder)s). Make the "
        "backup again."
    ),
    "backup_manifest_missing": _(
        "The backup has no moodle_backup.xml that says what is in it. Take an .mbz file from Moodle."
    ),
    "backup_manifest_number": _(
        "moodle_backup.xml says “%(value)s” for %(name)s, which should be a number. Take the backup from Moodle again."
    ),
    "backup_manifest_folder": _(
        "moodle_backup.xml names the folder “%(folder)s”, as Moodle never does, or names it twice. Take the backup from "
        "Moodle again."
    ),
    "backup_kind": _(
        "This is no backup of a whole course (type “%(kind)s”, format “%(format)s”). Make a backup of the course itself."
    ),
    "backup_of_site": _("This is a backup of a front page, which can't be a template. Make one of a course."),
    "backup_old": _(
        "The backup was made by Moodle %(release)s; those from 4.0 on can be read. Restore it in a newer Moodle, and make a "
        "backup there."
    ),
}

# --- the content of a Moodle (manage.py checkmoodle --content) ------------------------------------------------------
CONTENT_TEXTS = {
    "context_instance_missing": _(
        "Contexts of something that is no longer there. Moodle's scheduled task “Cleanup contexts” removes them."
    ),
    "context_path_wrong": _(
        "Contexts whose path or depth doesn't lead through the context that holds them, so that rights are inherited "
        "wrongly. Let a developer call context_helper::build_all_paths(true) in Moodle, then purge its caches."
    ),
    "context_missing": _(
        "Courses or categories without a context: no command file finds them. Open them in Moodle, which makes the "
        "context then."
    ),
    "context_not_made": _(
        "Activities or blocks that have no context yet. Nothing is to be done: Moodle makes it when it first needs it."
    ),
    "block_place_missing": _(
        "Blocks in a context that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "category_parent_missing": _(
        "Categories in a category that isn't there. Move any category up or down in Moodle: it then puts the tree in "
        "order."
    ),
    "category_path_wrong": _(
        "Categories whose path or depth doesn't lead through the category that holds them. Move any category up or "
        "down in Moodle: it then puts the tree in order."
    ),
    "category_count_wrong": _(
        "Categories that say they hold another number of courses than they do. Move any category up or down in "
        "Moodle: it then counts anew."
    ),
    "category_order_wrong": _(
        "Categories whose sort order doesn't fit their place in the tree. Move any category up or down in Moodle: it "
        "then numbers them anew."
    ),
    "course_category_missing": _(
        "Courses in a category that isn't there. Move them into one with a file of courses or on Moodle's page of "
        "courses and categories."
    ),
    "course_order_wrong": _(
        "Courses whose sort order doesn't fit their category. Moodle numbers them anew when the next course is made, and so does "
        "a run that makes courses."
    ),
    "course_not_in_order_yet": _(
        "Courses that have no place in their category yet, as a restore in Moodle leaves them. Moodle gives them one when the "
        "next course is made, and so does a run that makes courses."
    ),
    "section_course_missing": _(
        "Sections of a course that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "course_module_course_missing": _(
        "Activities of a course that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "section_sequence_wrong": _(
        "Sections that list an activity which isn't in their course, or one twice. Run "
        "admin/cli/fix_course_sequence.php --courses=* --fix in Moodle, then purge its caches."
    ),
    "course_module_not_in_section": _(
        "Activities that their section doesn't list, or that another one lists as well, so that they are shown "
        "nowhere or at the wrong place. Run admin/cli/fix_course_sequence.php --courses=* --fix in Moodle, then purge "
        "its caches."
    ),
    "course_module_type_unknown": _(
        "Activities of a type that isn't installed. Install the plugin again, or uninstall it properly in Moodle."
    ),
    "course_module_instance_missing": _(
        "Course modules without their activity, or with that of another course. Delete them in their course in Moodle."
    ),
    "activity_course_module_missing": _(
        "Activities without a course module. No page shows them: take a backup, then delete the rows."
    ),
    "section_delegate_missing": _("Sections of a subsection that isn't there. Delete them in their course in Moodle."),
    "subsection_section_missing": _(
        "Subsections without a section for their content. Open their course with editing on in Moodle; where that "
        "makes none, delete the subsections."
    ),
    "enrol_course_missing": _(
        "Enrolment methods of a course that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "user_enrolment_method_missing": _(
        "Enrolments by a method that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "user_enrolment_user_missing": _(
        "Enrolments of accounts that are deleted or aren't there. No page shows them: take a backup, then delete the "
        "rows."
    ),
    "role_assignment_role_missing": _(
        "Assignments of a role that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "role_assignment_context_missing": _(
        "Roles in a context that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "role_assignment_user_missing": _(
        "Roles of accounts that are deleted or aren't there. No page shows them: take a backup, then delete the rows."
    ),
    "role_assignment_without_enrolment": _(
        "Roles that an enrolment method gave in a course to people whom it doesn't enrol there. Enrol them again by "
        "the same method, then unenrol them: the role goes with the enrolment."
    ),
    "user_enrolment_without_role": _(
        "People whom a cohort enrols, but who haven't got its role in the course. Moodle's scheduled task of cohort "
        "enrolment gives it."
    ),
    "role_assignment_twice": _(
        "Roles that somebody has twice in the same place from the same source. Unassign the role in Moodle, then "
        "assign it again."
    ),
    "group_course_missing": _(
        "Groups of a course that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "grouping_course_missing": _(
        "Groupings of a course that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "group_member_group_missing": _(
        "Memberships in a group that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "group_member_not_enrolled": _(
        "Members of a group who aren't enrolled in its course. Enrol them, or take them out of the group with a file "
        "of group members or in Moodle."
    ),
    "grouping_across_courses": _(
        "Groups in a grouping of another course, or of which one isn't there. No page shows this: take a backup, then "
        "delete the rows."
    ),
    "course_default_grouping_missing": _(
        "Courses whose default grouping isn't one of theirs. Choose another one in the settings of the course."
    ),
    "grade_item_course_missing": _(
        "Grade items of a course that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "grade_category_course_missing": _(
        "Grade categories of a course that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "grade_item_category_wrong": _(
        "Grade items in a category that isn't there or is another course's. Move them into one in the gradebook setup "
        "of the course."
    ),
    "grade_item_instance_missing": _(
        "Grade items of an activity or a category that isn't there or is another course's. Delete them in the "
        "gradebook setup of the course."
    ),
    "grade_item_scale_missing": _(
        "Grade items with a scale that isn't there. Choose another one in the settings of the activity or of the "
        "grade item."
    ),
    "grade_category_path_wrong": _(
        "Grade categories whose path, depth or course doesn't go with the category that holds them. Move them into "
        "another category and back in the gradebook setup of the course."
    ),
    "grade_category_second_root": _(
        "Grade categories that stand beside the uppermost one of their course, where there can be only one. Take a "
        "backup, then delete the one that holds nothing."
    ),
    "grade_without_item": _(
        "Grades of a grade item that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "question_category_context_missing": _(
        "Question categories in a context that isn't there. Run admin/cli/fix_orphaned_question_categories.php --fix "
        "in Moodle: it deletes unused questions and rescues the others."
    ),
    "question_category_parent_wrong": _(
        "Question categories in a category that isn't there or is in another context. Move them in the question bank "
        "of Moodle."
    ),
    "question_entry_category_missing": _(
        "Entries of the question bank in a category that isn't there. Take a backup, then give the rows a category "
        "that is there, or delete them."
    ),
    "question_version_entry_missing": _(
        "Versions of questions without their entry in the question bank. No page shows them: take a backup, then "
        "delete the rows."
    ),
    "question_version_question_missing": _(
        "Versions of a question that isn't there. Take a backup, then delete the rows."
    ),
    "question_parent_missing": _(
        "Parts of a question that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "question_without_version": _(
        "Questions that are no version of an entry in the question bank. No page shows them: take a backup, then "
        "delete the rows."
    ),
    "question_entry_without_version": _(
        "Entries of the question bank without any version. No page shows them: take a backup, then delete the rows."
    ),
    "question_reference_entry_missing": _(
        "Places that use a question which isn't there. Take the question out of the quiz in Moodle, and put another "
        "one in."
    ),
    "question_reference_version_missing": _(
        "Places that use a version of a question which isn't there. Choose another version in the quiz in Moodle."
    ),
    "question_reference_context_missing": _(
        "Uses of questions in a context that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "question_set_context_missing": _(
        "Random questions out of a context that isn't there. Choose another category for them in the quiz in Moodle."
    ),
    "question_reference_slot_wrong": _(
        "Uses of questions in a place of a quiz that isn't there or is another quiz's. No page shows them: take a "
        "backup, then delete the rows."
    ),
    "quiz_slot_quiz_missing": _(
        "Places for questions in a quiz that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "quiz_slot_without_question": _("Places in a quiz without a question. Take them out of the quiz in Moodle."),
    "quiz_slot_order_wrong": _(
        "Questions of a quiz that aren't numbered from 1 on, or whose pages go back. Move one of them in the quiz in "
        "Moodle."
    ),
    "quiz_section_slot_missing": _(
        "Sections of a quiz that begin with a question which isn't there. Remove the section heading in the quiz in "
        "Moodle."
    ),
    "file_context_missing": _(
        "Files of a context that isn't there. No page shows them: take a backup, then delete the rows."
    ),
    "file_place_hash_wrong": _(
        "Files whose pathnamehash isn't that of their place, so that Moodle doesn't find them. Take a backup, then "
        "set it to the SHA-1 of the place."
    ),
    "file_folder_missing": _(
        "Files in a folder that has no row of its own. Moodle makes it when a file is next saved in that folder."
    ),
    "file_folder_with_content": _(
        "Folders with a content, as only files have. Take a backup, then set filesize to 0 and contenthash to the "
        "SHA-1 of nothing."
    ),
    "file_alias_missing": _(
        "Aliases without the reference that says of what. Delete these files where they are used in Moodle."
    ),
    "file_content_missing": _(
        "Files whose content isn't in Moodle's data folder, or has another size there. Take the contents from a "
        "backup of the data folder; of each content, one row is named."
    ),
    "content_without_pool": _(
        "No data folder is set, so the contents of files weren't looked for. Set TOOLSYNC_MOODLE_DATAROOT."
    ),
}

TEXTS: dict[str, Any] = {
    **FILE_TEXTS,
    **COLUMN_TEXTS,
    **OPTION_TEXTS,
    **MOODLE_TEXTS,
    **ACCOUNT_TEXTS,
    **PICTURE_TEXTS,
    **COURSE_TEXTS,
    **COURSE_LIST_TEXTS,
    **RESET_TEXTS,
    **CATEGORY_LIST_TEXTS,
    **MEMBERSHIP_TEXTS,
    **ENROLMENT_TEXTS,
    **GROUP_TEXTS,
    **COHORT_TEXTS,
    **META_TEXTS,
    **RUN_TEXTS,
    **SOURCE_TEXTS,
    **SCHEDULE_TEXTS,
    **TELLING_TEXTS,
    **BACKUP_TEXTS,
    **CONTENT_TEXTS,
}


# What of a row was left out, by how the code of the reason begins; the first that fits.
LEFT_OUT_TEXTS: tuple[tuple[str, Any], ...] = (
    ("group_", _("the group was left out")),
    ("grouping_", _("the grouping was left out")),
    ("cohort_", _("not added to the cohort")),
    ("course_reset_role_", _("not everybody was unenrolled")),
    ("course_", _("not enrolled")),
    ("role_", _("not enrolled")),
    ("enrol_", _("not enrolled")),
    ("", _("a part was left out")),
)


def part_left_out(code: str) -> str:
    """Return what of a partial row was left out, by the code that says why."""
    return str(next(text for beginning, text in LEFT_OUT_TEXTS if code.startswith(beginning)))


def text_at_column(code: str, params: Mapping[str, Any]) -> str:
    """Give the text of a code, with the column at fault in front where there is one."""
    text = text_of(code, params)
    if column := params.get("column"):
        return str(_("column %(column)s: %(text)s") % {"column": column, "text": text})
    return text


def text_of(code: str, params: Mapping[str, Any] | None = None) -> str:
    """Give the text of a code in the active language.

    A code without a text is a fault of ours that must not hide the message from the person: it is shown as it is. The
    parameter `hint` may hold the code of a further sentence, or several.
    """
    found = TEXTS.get(code)
    if isinstance(found, PluralText):
        template: str | None = found.template((params or {}).get("count"))
    else:
        template = _template(code, get_language())
    text = code if template is None else template % (params or {})
    hint = params.get("hint") if params else None
    hints = [hint] if isinstance(hint, str) else hint
    return " ".join([text, *(text_of(code, {**(params or {}), "hint": ""}) for code in hints or () if code)])


@lru_cache(maxsize=2000)
def _template(code: str, language: str | None) -> str | None:
    """The text of a code in a language; a report may need the same one a million times."""
    with override(language):
        return str(TEXTS[code]) if code in TEXTS else None
