"""Columns and Options -> what people read: format table, header template, sample file."""

from __future__ import annotations

import csv
import io
from typing import NamedTuple

from django.utils.translation import gettext as _

from sync.columns.column import Column, Empty, NumberedColumn
from sync.columns.file_columns import Columns
from sync.columns.options import Option

SAMPLE_SEPARATOR = ";"


class ColumnHelp(NamedTuple):
    """One line of the format table, ready to be shown in the active language."""

    name: str
    required: bool
    values: str
    empty: str
    default: str
    aliases: str
    sample: str
    help: str


def describe_columns(columns: Columns) -> list[ColumnHelp]:
    """Return the format table of a file type. Columns that are accepted and not read are left out."""
    return [
        ColumnHelp(
            name=column.shown_name,
            required=column.required,
            values=str(column.kind.describe()),
            empty=_describe_empty(column),
            default=_describe_default(column),
            aliases=", ".join(column.aliases),
            sample=column.sample,
            help=str(column.help),
        )
        for column in columns
        if not column.ignored
    ]


def template_csv(columns: Columns) -> bytes:
    """Return a file with nothing but the header of the columns that a sample shows; a list has it as a comment."""
    return _csv([_header(columns)])


def sample_csv(columns: Columns) -> bytes:
    """Return a small file that works on the demo site: header and one row."""
    return _csv([_header(columns), [column.sample for column in _sampled(columns)]])


def _header(columns: Columns) -> list[str]:
    names = [_header_name(column) for column in _sampled(columns)]
    return [f"# {names[0]}", *names[1:]] if columns.headerless else names


def _sampled(columns: Columns) -> list[Column]:
    return [column for column in columns if column.required or column.sample]


def _header_name(column: Column) -> str:
    return column.numbered(column.least) if isinstance(column, NumberedColumn) else column.name


def _describe_empty(column: Column) -> str:
    if column.filled:
        return _("not allowed")
    if column.empty is Empty.CLEARS:
        return _("empties the field")
    if column.default is not None:
        return _("takes the default")
    return _("leaves it as it is")


def _describe_default(column: Column) -> str:
    if isinstance(column.default, Option):
        return _("as the option “%(option)s” says") % {"option": column.default.label}
    return str(column.for_new if column.default is None else column.default)


def _csv(rows: list[list[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=SAMPLE_SEPARATOR, lineterminator="\r\n").writerows(rows)
    # The mark lets spreadsheets see that the file is UTF-8.
    return b"\xef\xbb\xbf" + out.getvalue().encode()
