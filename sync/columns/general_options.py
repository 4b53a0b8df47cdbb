"""The options that every processor has."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from sync.columns.options import Choice, Flag, Option

GENERAL_OPTIONS: tuple[Option, ...] = (
    Choice(
        "encoding",
        default="",
        choices={
            "": _("Detect"),
            "UTF-8": "UTF-8",
            "UTF-16": "UTF-16",
            "Windows-1252": "Windows-1252",
            "ISO-8859-1": "ISO-8859-1",
            "ISO-8859-15": "ISO-8859-15",
        },
        label=_("Encoding"),
        help=_("How the characters of the file are written. Detected unless you say so."),
        group="format",
    ),
    Choice(
        "separator",
        default="",
        choices={"": _("Detect"), ";": ";", ",": ",", "tab": _("Tab"), "|": "|", ":": ":"},
        label=_("Separator"),
        help=_("What stands between two cells. Detected from the header unless you say so."),
        aliases=("csvseparator",),
        group="format",
    ),
    Flag(
        "invalidnamesnocheck",
        label=_("Accept unknown columns"),
        help=_("Columns that this file type doesn't know are ignored instead of refusing the file."),
        group="format",
    ),
    Flag(
        "storereport",
        label=_("Store the report"),
        help=_("Keep the report as a text file in the folder /reports/."),
        group="after",
    ),
    Flag(
        "filearchive",
        label=_("Archive the file"),
        help=_("Keep a copy of the command file in the folder /archives/."),
        group="after",
    ),
    Flag(
        "filefailed",
        label=_("Store the tryback"),
        help=_("Put the failed lines next to the command file, ready to be mended and sent again."),
        group="after",
    ),
    Flag(
        "filecleanup",
        label=_("Delete the file afterwards"),
        help=_("Remove the command file once the run is over (and archived, if it is to be archived)."),
        group="after",
    ),
    Flag(
        "discardfileonfailure",
        label=_("Put a refused file aside"),
        help=_("Rename a file that could not be used at all to “…-tryback-failed”, so that the next one can come."),
        group="after",
    ),
)
