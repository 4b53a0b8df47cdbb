"""Texts about columns, cells and options."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _, ngettext

from sync.messages import PluralText

TEXTS: dict[str, Any] = {
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
    "row_in_quotes": _(
        "The whole line stands in quotes, so it is one cell. Probably the file was saved with another separator than it has: "
        "take it from its source again, or take out the quotes around the line. If it is one cell, put a separator behind it."
    ),
    "quotes_doubtful_cell": _("It is the cell of “%(where)s”, and begins so: %(value)s"),
    "comment_like_row": _(
        "The line begins like a comment (“%(cell)s”), but it has several cells. If it is a row, put its first cell in quotes; if "
        "it is a comment, delete it or its separators."
    ),
    "row_begins_with_blank": _(
        "The line begins with a blank, as comments do. If it is a row, delete the blank; if it is a comment, put # before it."
    ),
    "row_under_other_header": _(
        "Line %(header)s is another header, so the cells from there on belong to other columns. Put these rows into a file "
        "of their own."
    ),
    "row_of_labels": _(
        "The cells of this line are names of their columns: it is a second header, or says what the columns hold. If it is a "
        "row after all, call what it is about otherwise; else take the line out."
    ),
    "cell_is_formula_error": _(
        "“%(value)s” is what a spreadsheet or a database writes where it has no value, as a formula fails for instance. "
        "Correct it there, or type the value, and save the file again."
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
    "password_after_apostrophe": _(
        "The password begins with an apostrophe before =, +, - or @, as programs write it to keep a spreadsheet from "
        "calculating. Take the apostrophe out; or choose another password, if it belongs to this one."
    ),
    "cell_is_merged": _(
        "The cell is empty: it is merged with the one that says “%(value)s”. Take the merging back (Unmerge Cells), and write "
        "into each cell what it is to hold."
    ),
    "cell_is_boolean": _(
        "The cell holds the logical value %(value)s, not a text. If the word is meant, format the cell as text, and enter it "
        "again."
    ),
    "cell_is_date": _(
        "The cell holds a date or a time: what was typed there was taken for one, and how it was written is lost. Format the "
        "column as text, and enter it again."
    ),
    "sheet_chosen": _("The sheet “%(sheet)s” of the workbook was read; the others were not: %(others)s."),
    "sheet_rows_hidden": PluralText(
        lambda count: ngettext(
            "%(count)s row of the sheet is hidden, by a filter perhaps, and was read like the others (line %(line)s). Delete it "
            "where it isn't meant.",
            "%(count)s rows of the sheet are hidden, by a filter perhaps, and were read like the others (first line %(line)s). "
            "Delete such rows where they aren't meant.",
            count,
        )
    ),
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
    "cell_is_placeholder": _(
        "“%(value)s” is what a program or a person writes in place of a value. Empty the cell, or write what is meant."
    ),
    "cell_is_midnight": _(
        "“%(value)s” is a day as programs write it, and no name: probably an identifier was taken for a date. Export it as a "
        "text, or correct the cell."
    ),
    "cell_unseen": _(
        "Nothing of this name would be seen: “%(value)s” is nothing but markup, blanks or characters without width. Write the "
        "name, or empty the cell."
    ),
    "cell_is_decimal": _(
        "“%(value)s” is an identifier that a program took for a number; probably “%(meant)s” is meant. Export it as a text, or "
        "correct the cell."
    ),
    "cell_quoted_otherwise": _(
        '“%(value)s” stands in quotes that are not those of such files. Write “%(meant)s”, or put the cell between two ".'
    ),
    "cell_in_quotes": _(
        "The quotes around “%(value)s” would become a part of it. If “%(meant)s” is meant, write it so; in a cell that stands in "
        "quotes, double every quote of the text."
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
    "comments_with_cells": PluralText(
        lambda count: ngettext(
            "%(count)s line begins like a comment and was passed over, though it has several cells (line %(lines)s). If it is a "
            "row, put its first cell in quotes; if it is a comment, delete its separators.",
            "%(count)s lines begin like comments and were passed over, though they have several cells (lines %(lines)s). If they "
            "are rows, put their first cells in quotes; if they are comments, delete their separators.",
            count,
        )
    ),
    "cell_empty": _("The cell is empty. Fill it in."),
    "value_too_long": _("The text has %(length)s characters; Moodle keeps at most %(limit)s here. Shorten it."),
    "country_unknown": _("“%(country)s” is not a country. Write an ISO code of two letters, like FR."),
    "timezone_unknown": _("“%(timezone)s” is not a time zone. Write a name like Europe/Paris, or 99 for the server's."),
    "value_not_number": _("“%(value)s” is not a whole number. Write digits only."),
    "value_out_of_range": _("%(value)s is out of range. Write a number from %(least)s to %(most)s."),
    "value_not_flag": _("“%(value)s” is neither yes nor no. Write 1 or 0."),
    "value_not_among": _("“%(value)s” is not possible here. Write one of: %(allowed)s."),
    "value_not_time": _(
        "“%(value)s” is not a date that can be read. Write YYYY-MM-DD or DD/MM/YYYY, either with hh:mm:ss, or seconds "
        "since 1970."
    ),
    "value_in_earlier_line": _("Line %(earlier)s of this file has the same."),
    # Stands behind "the course exists".
    "named_in_earlier_line": _("(line %(earlier)s of this file names it too)"),
    "cell_holds": _("The cell holds “%(value)s”."),
    "cell_left_out": _("The cell was left out, the rest of the row is done."),
    "did_you_mean": _("Did you mean “%(nearest)s”?"),
    "value_serial_date": _(
        "It looks like the number of a day in a spreadsheet: %(meant)s. Give the cells a date format."
    ),
    "value_perhaps_days": _("It looks like a number of days."),
    "value_too_small_for_seconds": _("As seconds since 1970 it would lie before 1973; as YYYYMMDD it is no day."),
    "value_in_milliseconds": _("It looks like milliseconds since 1970; Moodle counts seconds."),
    "value_perhaps_day_and_hour": _(
        "It may be %(meant)s, or seconds since 1970. Write the day as YYYY-MM-DD hh:mm, or seconds as %(seconds)s."
    ),
    "date_order_other": _(
        "In this column 01/02/2030 is read in the order “%(order)s” (d: day, m: month, y: year), in which there is no such "
        "day. Write all dates in one order, best YYYY-MM-DD, or set the option dateorder."
    ),
    "date_order_weekday": _(
        "In this column 01/02/2030 is read in the order “%(order)s” (d: day, m: month, y: year), in which the day has another "
        "name than the one before it. Write all dates in one order, best YYYY-MM-DD, or set the option dateorder."
    ),
    "date_weekday_other": _(
        "The name of a day stands before it that %(meant)s doesn't have. Correct the day, or take its name out."
    ),
    "date_of_second_zero": _(
        "Programs write it for no date (second 0 since 1970); by Moodle's clock it may be another moment. Leave the cell empty, "
        "or write 0."
    ),
    "value_in_apostrophes": _("Leave out the apostrophes around it."),
    "date_year_short": _("The year has two digits; probably %(meant)s is meant. Write it with four."),
    "date_without_year": _("The year is missing."),
    "date_without_day": _("The day is missing."),
    "date_day_or_year": _("It may be a day without a year, or a month without a day."),
    "date_only_time": _("It is a time without a day."),
    "date_only_year": _("It looks like a year; the day is missing."),
    "date_of_program": _(
        "Programs and databases write this day where there is no date: leave the cell empty, or write 0."
    ),
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
    "option_unknown": _("There is no option “%(option)s”. Options: %(options)s."),
    "option_not_flag": _("Option “%(option)s”: “%(value)s” is neither on nor off. Use 1 or 0."),
    "option_not_number": _("Option “%(option)s”: “%(value)s” is not a whole number from 0 to %(most)s."),
    "option_not_choice": _("Option “%(option)s”: “%(value)s” is not possible. Choose one of: %(choices)s."),
    "option_too_long": _("Option “%(option)s”: at most %(limit)s characters."),
    "option_without_value": _("“%(option)s” has no value. Write it like allowrename=1."),
}
