"""The options that every processor has, or all that have something in common, and kinds of options that several have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from sync.columns.options import Choice, Flag, Label, Number, Options
from sync.encodings import ENCODING_LABELS, find_encoding_name

# What the option `absent` has where nothing is done about who is absent from a file.
ABSENT_STAYS = "keep"


class _EncodingChoice(Choice):
    """An encoding, however it is spelt: "latin1" is ISO-8859-1."""

    def clean(self, value: Any) -> str:
        try:
            return super().clean(find_encoding_name(str(value)) if str(value).strip() else "")
        except LookupError:
            return super().clean(value)


def _label(name: str, script: str | Promise) -> Promise:
    return format_lazy("{} ({})", name, script)


class GeneralOptions(Options):
    """What every file type has."""

    encoding = _EncodingChoice(
        default="",
        choices={"": _("Detect"), **{name: _label(name, script) for name, script in ENCODING_LABELS.items()}},
        label=_("Encoding"),
        help=_("How the characters of the file are written. Detected unless you say so."),
        group="format",
    )
    separator = Choice(
        default="",
        choices={"": _("Detect"), ";": ";", ",": ",", "tab": _("Tab"), "|": "|", ":": ":"},
        label=_("Separator"),
        help=_("What stands between two cells. Detected from the header unless you say so."),
        aliases=("csvseparator",),
        group="format",
    )
    invalidnamesnocheck = Flag(
        label=_("Accept unknown columns"),
        help=_("Columns that this file type doesn't know are ignored. Otherwise a file that has some can't be used."),
        group="format",
    )
    skipinvalidcells = Flag(
        label=_("Leave out cells that can't be used"),
        help=_(
            "A value that can't be read is left out with a note, and the rest of its row is done; nothing else is stored. Cells "
            "that tell which thing a row means, or what becomes of it, still reject the row."
        ),
        group="format",
    )
    retryruns = Number(
        most=100,
        label=_("Try missing things again"),
        help=_(
            "Rows that are rejected only because a user, a course, a cohort or a group is missing are tried again by "
            "themselves: with so many runs of this file type, and after each run that makes such things. Then they are given "
            "up. 0: never."
        ),
        group="after",
    )
    storereport = Flag(
        default=True,
        label=_("Store the report"),
        help=_("Keep the report as a text file in the folder /reports/."),
        group="after",
    )
    filearchive = Flag(
        default=True,
        label=_("Archive the file"),
        help=_("Keep a copy of the command file in the folder /archives/."),
        group="after",
    )
    filefailed = Flag(
        default=True,
        label=_("Store the tryback"),
        help=_("Put the failed lines next to the command file, ready to be mended and sent again."),
        group="after",
    )
    filecleanup = Flag(
        label=_("Delete the file afterwards"),
        help=_("Remove the command file once the run is over (and archived, if it is to be archived)."),
        group="after",
    )
    discardfileonfailure = Flag(
        label=_("Put aside a file that can't be used"),
        help=_("Rename a file that could not be used at all to “…-tryback-failed”, so that the next one can come."),
        group="after",
    )

    @property
    def is_complete(self) -> bool:
        """Whether the file declares itself complete, so that what is absent from it isn't to stay as it is."""
        return self.get("absent", ABSENT_STAYS) != ABSENT_STAYS

    @property
    def deletes_file(self) -> bool:
        """Whether the command file is removed once the run is over."""
        return self.filecleanup


class DateOrderOptions(GeneralOptions):
    """What the file types have whose cells may hold dates."""

    dateorder = Choice(
        default="",
        choices={"": _("Detect"), "dmy": _("Day first (31/12/2026)"), "mdy": _("Month first (12/31/2026)")},
        label=_("Order of dates"),
        help=_(
            "What comes first in dates such as 01/09/2026. Decided for each column by a date that has one reading only; day "
            "first where none has."
        ),
        group="format",
    )


def date_order_of(options: GeneralOptions) -> str:
    """Return the order of dates that was chosen, "" = none: the file type has no dates, or they tell it."""
    return options.dateorder if isinstance(options, DateOrderOptions) else ""


def _choices(*names: str) -> Mapping[str, Label]:
    return field(default_factory=lambda: {name: name for name in names})


@dataclass(kw_only=True, eq=False)
class GraceDays(Number):
    """How many days what is to be deleted is only out of use. 0 = it is deleted at once."""

    most: int = 3650
    label: Label = field(default=_("Days of grace"))


@dataclass(kw_only=True, eq=False)
class UserIdentifier(Choice):
    """What users are found by."""

    default: str = "username"
    choices: Mapping[str, Label] = _choices("id", "idnumber", "username", "email")
    label: Label = field(default=_("User identifier"))


@dataclass(kw_only=True, eq=False)
class CourseIdentifier(Choice):
    """What courses are found by."""

    default: str = "shortname"
    choices: Mapping[str, Label] = _choices("id", "idnumber", "shortname")
    label: Label = field(default=_("Course identifier"))


@dataclass(kw_only=True, eq=False)
class NameIdentifier(Choice):
    """What cohorts, groups and groupings are found by."""

    default: str = "idnumber"
    choices: Mapping[str, Label] = _choices("id", "idnumber", "name")
