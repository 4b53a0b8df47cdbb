"""Texts about runs."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _, ngettext

from sync.messages import PluralText

TEXTS: dict[str, Any] = {
    "tryback_read_otherwise": _(
        "The tryback isn't read as this file was: its cells hold quotes and line ends that may be read in two ways. Simulate the "
        "tryback and compare its rows with the file before you carry it out."
    ),
    "mend_too_many": _(
        "%(count)s rows failed, and at most %(most)s are mended here. Mend them in the tryback, or where the file comes from."
    ),
    "mend_too_large": _(
        "The failed rows hold more than %(most)s MB, which is too much for this page. Mend them in the tryback."
    ),
    "mend_draft_too_large": _(
        "The changed cells hold more than %(most)s MB together, which is too much for this page: the last change isn't kept. "
        "Check and apply what is mended so far, or mend the rest in the tryback."
    ),
    "mend_cell_too_long": _(
        "A cell takes at most %(most)s characters on this page: the last change isn't kept. Mend the row in the tryback."
    ),
    "mend_rows_gone": _(
        "The failed rows of run %(run)s aren't kept any more, or the file was replaced since. Send the corrected file anew."
    ),
    "mend_rows_changed": _(
        "The tryback was changed since the run, so its rows can't be mended here. Send the tryback itself, or the corrected file."
    ),
    "mend_line_unknown": _("Line %(line)s is not one of the rows that failed."),
    "mend_line_twice": _("Line %(line)s is there twice."),
    "mend_column_unknown": _(
        "There is no column “%(column)s” in this file, or there are several of this name. Its columns are: %(columns)s."
    ),
    "mend_no_row": _("Every row is left out: there is nothing to be checked."),
    "mend_unchecked": _("Something was changed since the last check. Check the rows again, then apply them."),
    "mend_not_encodable": _(
        "“%(text)s” can't be written in the encoding of the file (%(encoding)s). Use characters that it has, or send the file "
        "in UTF-8."
    ),
    "mend_read_otherwise": _(
        "A changed cell would be read as something else: take out quotes and line ends, or mend the row in the tryback."
    ),
    "sticky_kept": _("left as it is because of a sticky field: %(columns)s."),
    "sticky_kept_rows": PluralText(
        lambda n: ngettext(
            "Sticky field %(name)s: what stands in Moodle was kept in %(count)s row that would have changed it.",
            "Sticky field %(name)s: what stands in Moodle was kept in %(count)s rows that would have changed it.",
            n,
        )
    ),
    "sticky_column_unknown": _("There is no column “%(column)s” that can be sticky. Such columns: %(columns)s."),
    "sticky_column_identifies": _(
        "The column “%(column)s” can't be sticky: rows are recognised by it. Take it off the list."
    ),
    "sticky_column_not_updated": _(
        "The column “%(column)s” can't be sticky: it is no single value that a file changes in what is there already. Take it "
        "off the list."
    ),
    "sticky_rule_unknown": _("“%(rule)s” is no rule for the column “%(column)s”. Rules: %(rules)s."),
    "sticky_column_needed": _(
        "The column “%(column)s” can't be left out of what is new. Choose another rule than “never”."
    ),
    "sticky_writer_unknown": _(
        "It can't be known who wrote “%(column)s” last, so no rule can ask for that. Choose another one."
    ),
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
    "bundle_file_unknown": _("There is no file “%(file)s” in the bundle. Its files: %(files)s."),
    "file_name_empty": _("The file has no name. Give it one."),
    "file_name_character": _("A file can't be named “%(name)s” here: take out the character “%(character)s”."),
    "file_name_too_long": _("The file name “%(name)s…” is too long. Shorten it to %(limit)s bytes."),
    "folder_too_long": _("The path of the folder is too long. Shorten it to %(limit)s characters."),
    "folder_reserved": _("The folder %(folder)s is filled by ToolSync only. Choose another one."),
    "upload_too_many": _("There are %(most)s uploads already that nobody has finished. Finish or delete them first."),
    "upload_offset_wrong": _("The next piece begins at byte %(offset)s of the file."),
    "upload_too_long": _("The piece goes beyond the %(size)s bytes that were announced."),
    "upload_too_many_pieces": _(
        "There are %(most)s pieces already. Delete the upload, and send the file in larger ones."
    ),
    "upload_altered": _("%(name)s arrived otherwise than announced (SHA-256), so it was not kept. Send it again."),
    "file_too_large": _("The file %(name)s has %(size)s MB; at most %(limit)s MB are taken. Split it."),
    "file_of_others": _(
        "There is a file “%(path)s” already, of a file type whose files you don't manage. Choose another name."
    ),
    "bundle_stopped": _(
        "This file wasn't begun: run %(run)s of the same bundle, of %(name)s, didn't come to its end. Nothing of it was written."
    ),
    "bundle_out_of_turn": _(
        "A file of the same bundle that comes before this one didn't come to its end. Take that one up first."
        " Nothing was written."
    ),
    "bundle_empty": _("The zip holds no command file. Put the files themselves into it."),
    "bundle_broken": _("The zip is damaged or incomplete. Make it again, then send the whole file."),
    "bundle_directory": _("The zip lists so many entries that it can't be read. Put only the command files into it."),
    "bundle_too_many": _(
        "The zip holds %(count)s files; at most %(limit)s are taken. Put only the command files into it."
    ),
    "bundle_too_large": _("The files of the zip have %(size)s MB together; at most %(limit)s MB are taken. Split it."),
    "bundle_unreadable": _(
        "Some of the files can't be read, for the reasons that stand beside them. Nothing was kept."
    ),
    "bundle_unread": _(
        "No worker has read the workbooks within %(hours)s hours. Nothing was kept. Hand the files in again."
    ),
    "bundle_of_nobody": _("Who has handed the files in isn't a user any more. Nothing was kept."),
    "bundle_of_old_token": _(
        "The token “%(name)s”, by which the files were handed in, lets nobody in any more. Nothing was kept."
    ),
    "bundle_encrypted": _("The zip is protected by a password (%(files)s). Make it without one."),
    "bundle_method": _("The zip is packed in a way that isn't taken (%(files)s). Make it anew as an ordinary zip."),
    "bundle_nested": _(
        "These are zips themselves: %(files)s. Put the command files into one zip, or hand in the files, and zips of pictures "
        "beside them, one by one."
    ),
    "bundle_mixed": _(
        "The zip holds pictures and command files (%(files)s). Hand in the command files, and beside them a zip of the pictures."
    ),
    "bundle_unrecognised": _(
        "It can't be told of what type these files are: %(files)s. Look at their headers, name them as the file types name their "
        "files (enrols.csv, cohorts.csv …), or hand them in one by one under their type. Nothing was kept."
    ),
    "bundle_of_another": _("Only who asked for the plan of a bundle can have it planned again with other options."),
    "bundle_without_right": _(
        "You may not run the file types of these files: %(files)s. Hand in the others without them. Nothing was kept."
    ),
    "file_exists": _(
        "There is already a file %(path)s. Say that it is to be replaced, delete it first, or choose another name."
    ),
    "file_in_use": _("Run %(run)s still has to read %(path)s. Wait until it is over, or cancel it."),
    "file_in_bundle": _("Bundle %(bundle)s still has to read %(path)s. Wait until it has its plan, or cancel it."),
    "file_not_found": _("File %(path)s not found. Look whether it is spelled like this, or hand it in again."),
    "file_changed": _("%(path)s was replaced by another file after this run was asked for. Start a new run with it."),
    "workbook_unread": _("The workbook is being read. Look again in a moment."),
    "workbook_reading_late": _(
        "Nobody has read the workbook within %(minutes)s minutes: no worker is at work, or all are busy. Look again later."
    ),
    "workbook_reading_died": _(
        "The workers that read the workbook have ended over it, several times. Save it as CSV and send that."
    ),
    "moodle_connection_unreadable": _(
        "The connection of the site “%(site)s” can't be decrypted: SECRET_KEY is another one now. Enter the connection again."
    ),
    "site_out_of_use": _("The site “%(site)s” is out of use, so nothing starts there. Put it in use again first."),
    "moodle_server_private": _(
        "The database server %(host)s has no public address, and the operator hasn't named it among those that pages may choose. "
        "Have it added to TOOLSYNC_SITE_HOSTS."
    ),
    "moodle_folder_outside": _(
        "%(path)s lies in no folder that pages may choose from. Choose another one, or have its folder added to "
        "TOOLSYNC_SITE_FOLDERS."
    ),
    "internal_error": _(
        "ToolSync made a mistake; whole chunks are done and nothing is half done. Take the run up again; if it stops here "
        "again, give the number %(number)s to the person who looks after ToolSync: the log tells more under it."
    ),
    "worker_died_repeatedly": _(
        "The worker died %(attempts)s times at the same place. Look at its memory and its log, then take the run up again."
    ),
    "run_owner_without_right": _(
        "%(name)s, in whose name this was to run, is no active user of ToolSync any more or may not run this file "
        "type. Nothing was done. Somebody who may run it must save the schedule, or start the file by hand."
    ),
    "file_owner_without_right": _(
        "%(name)s, who let schedules take this file, is no active user of ToolSync any more or may not run this "
        "file type. Nothing was done. Somebody who may run it must let schedules take the file, or start it by hand."
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
            "An apostrophe, by which a spreadsheet keeps a cell as a text, was taken out in %(count)s row: "
            "“%(value)s” in line %(line)s (columns: %(columns)s).",
            "An apostrophe, by which a spreadsheet keeps a cell as a text, was taken out in %(count)s rows, first "
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
    "cells_perhaps_days": PluralText(
        lambda count: ngettext(
            "%(count)s row holds a day, a month or a time in place of an identifier, as a spreadsheet makes it of 1-3, MAR2 or "
            "1:30; it was taken as it is: “%(value)s” in line %(line)s (columns: %(columns)s). Correct such cells, and format "
            "them as text.",
            "%(count)s rows hold a day, a month or a time in place of an identifier, as a spreadsheet makes it of 1-3, MAR2 or "
            "1:30; they were taken as they are, first “%(value)s” in line %(line)s (columns: %(columns)s). Correct such cells, "
            "and format them as text.",
            count,
        )
    ),
    "cells_perhaps_nought": PluralText(
        lambda count: ngettext(
            "%(count)s row holds 0 in place of a text; it was taken as it is: line %(line)s (columns: %(columns)s). Formulas "
            "that refer to an empty cell come to 0. If that is so, have them give an empty text.",
            "%(count)s rows hold 0 in place of a text; they were taken as they are, first in line %(line)s (columns: "
            "%(columns)s). Formulas that refer to an empty cell come to 0. If that is so, have them give an empty text.",
            count,
        )
    ),
    "cells_perhaps_grouped": PluralText(
        lambda count: ngettext(
            "%(count)s row holds a number with separators between thousands in place of an identifier; it was taken as it is: "
            "“%(value)s” in line %(line)s (columns: %(columns)s). If it is a number without them, format such cells as text.",
            "%(count)s rows hold numbers with separators between thousands in place of identifiers; they were taken as they are, "
            "first “%(value)s” in line %(line)s (columns: %(columns)s). If they are numbers without them, format such cells as "
            "text.",
            count,
        )
    ),
    "cells_perhaps_truth": PluralText(
        lambda count: ngettext(
            "%(count)s row holds a yes or no as a spreadsheet writes it where a text is wanted; it was taken as it is: "
            "“%(value)s” in line %(line)s (columns: %(columns)s). Correct or empty such cells.",
            "%(count)s rows hold a yes or no as a spreadsheet writes it where a text is wanted; they were taken as they are, "
            "first “%(value)s” in line %(line)s (columns: %(columns)s). Correct or empty such cells.",
            count,
        )
    ),
    "cells_perhaps_placeholders": PluralText(
        lambda count: ngettext(
            "%(count)s row holds what a program writes where there is no value, or where it takes an identifier for a number; it "
            "was taken as it is: “%(value)s” in line %(line)s (columns: %(columns)s). Empty or correct such cells.",
            "%(count)s rows hold what a program writes where there is no value, or where it takes an identifier for a number; "
            "they were taken as they are, first “%(value)s” in line %(line)s (columns: %(columns)s). Empty or correct such "
            "cells.",
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
            "Characters that nobody sees (zero width, direction marks, tabs, ends of lines …) were taken out of names, in "
            "%(count)s row, first in line %(line)s (columns: %(columns)s). Look where the file comes from: such come along when "
            "text is copied from web pages.",
            "Characters that nobody sees (zero width, direction marks, tabs, ends of lines …) were taken out of names, in "
            "%(count)s rows, first in line %(line)s (columns: %(columns)s). Look where the file comes from: such come along when "
            "text is copied from web pages.",
            count,
        )
    ),
    "look_alike_characters": PluralText(
        lambda count: ngettext(
            "In %(count)s row (line %(line)s, columns: %(columns)s) there are blanks or hyphens that look like others, and are "
            "other characters: such as word processors put where no line may end. Moodle may take them for others, and what it "
            "knows by the usual ones would be made a second time. If they aren't meant, replace them in the file.",
            "In %(count)s rows (the first in line %(line)s, columns: %(columns)s) there are blanks or hyphens that look like "
            "others, and are other characters: such as word processors put where no line may end. Moodle may take them for "
            "others, and what it knows by the usual ones would be made a second time. If they aren't meant, replace them in the "
            "file.",
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
    "grace_held_by_rejected": PluralText(
        lambda count: ngettext(
            "%(count)s entry of the list of deletions is named by a row that was rejected (%(names)s): nothing is deleted on its "
            "day. It stays on the list as “Not deleted”, until a row that goes through takes it off or somebody does.",
            "%(count)s entries of the list of deletions are named by rows that were rejected (%(names)s): nothing is deleted on "
            "their day. They stay on the list as “Not deleted”, until rows that go through take them off or somebody does.",
            count,
        )
    ),
    "waiting_rows_replaced": PluralText(
        lambda count: ngettext(
            "%(count)s row of an earlier file waited for another try and was dropped: this file has a newer one about the same.",
            "%(count)s rows of earlier files waited for another try and were dropped: this file has newer ones about the same.",
            count,
        )
    ),
    "waiting_rows_mended": PluralText(
        lambda count: ngettext(
            "%(count)s row of run %(run)s waited for another try and was mended or left out: it isn't tried again as it was.",
            "%(count)s rows of run %(run)s waited for another try and were mended or left out: they aren't tried again as they "
            "were.",
            count,
        )
    ),
    "retry_of_undone": _(
        "Run %(run)s, whose rows were to be tried again, was undone: they are not tried any more. Nothing was written."
    ),
    "rows_wait": PluralText(
        lambda count: ngettext(
            "%(count)s row waits for another try, for what it names is missing: with the next runs of this file type, at most "
            "%(tries)s, and once a run makes such things. Then it is given up.",
            "%(count)s rows wait for another try, for what they name is missing: with the next runs of this file type, at most "
            "%(tries)s, and once a run makes such things. Then they are given up.",
            count,
        )
    ),
    "rows_given_up": PluralText(
        lambda count: ngettext(
            "%(count)s row is given up after %(tries)s tries: what it names is still missing. It is in the tryback.",
            "%(count)s rows are given up after %(tries)s tries: what they name is still missing. They are in the tryback.",
            count,
        )
    ),
    "rows_not_retried": PluralText(
        lambda count: ngettext(
            "%(count)s row is not tried again by itself: written alone, it would be read otherwise. It is in the tryback.",
            "%(count)s rows are not tried again by themselves: written alone, they would be read otherwise. They are in the "
            "tryback.",
            count,
        )
    ),
    "rows_lost": PluralText(
        lambda count: ngettext(
            "%(count)s row that waited for another try was not found in the storage any more. Send the tryback again.",
            "%(count)s rows that waited for another try were not found in the storage any more. Send the tryback again.",
            count,
        )
    ),
    "absent_left_tryback": _(
        "The file is the tryback of another one, so it isn't complete: what is absent from it is left as it is. Send the whole "
        "file again."
    ),
    "absent_left_empty": _(
        "The file has no row, so it isn't taken for complete: what is absent from it is left as it is."
    ),
    "absent_left_short": _(
        "The last row, and no other, has fewer cells than the header: the file may be cut short, so what is absent from it is "
        "left as it is. Send the whole file again."
    ),
    "absent_left_trouble": _(
        "What is absent from the file is left as it is, for the file may not have been read as it was meant."
    ),
}
