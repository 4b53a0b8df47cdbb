"""The columns and the options of files of custom fields."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from sync.columns.cells import Cells
from sync.columns.clean import text
from sync.columns.column import About, Empty, OptionalColumn, RequiredColumn
from sync.columns.general_options import CourseIdentifier, DateOrderOptions


class CustomFieldsOptions(DateOrderOptions):
    courseidentifier = CourseIdentifier(
        help=_("What the column course holds."),
    )


class FieldCells(Cells, subject="{course} / {field}", exact_width=True):
    """What one custom field of one course is to hold."""

    # fmt: off
    __slots__ = ()

    course = RequiredColumn(text(255), aliases=("shortname",), refers=True, about=About.COURSE, sample="ALG1",
                            help=_("The course."))
    field = RequiredColumn(text(100, lower=True), aliases=("fieldname",), refers=True, sample="level",
                           help=_("The short name of the field, in any case."))
    value = OptionalColumn(text(), required=True, empty=Empty.CLEARS, decides=True, may_be_date=True, sample="Master",
                           help=_("What it is to hold, as its type wants it: text, HTML, 0 or 1, a date, a number, or one of its "
                                  "choices. An empty cell empties it."))
