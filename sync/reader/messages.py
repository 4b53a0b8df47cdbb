"""Texts about a file as a whole: what it is, how it is encoded, where its header stands."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, Any] = {
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
    "header_in_quotes": _(
        "Line %(line)s: the whole header stands in quotes, so it is one cell. Probably the file was saved with another separator "
        "than it has: take it from its source again, or take out the quotes around the lines."
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
