"""What people read about a file type is derived from its declaration, and the file type reads its own samples."""

from __future__ import annotations

import io

import pytest

from sync.columns.clean import flag, integer, text
from sync.columns.column import DefaultColumn, Empty, NumberedColumn, OptionalColumn, PrefixedColumn, RequiredColumn
from sync.columns.describe import describe_columns, sample_csv, template_csv
from sync.columns.file_columns import Columns
from sync.columns.header import match_header
from sync.columns.options import Flag, Options
from sync.columns.rows import RowCleaner
from sync.processors.registry import REGISTRY
from sync.reader import RowReader, open_rows

COLUMNS = Columns(
    RequiredColumn(text(100), name="username", sample="ada"),
    OptionalColumn(text(120), name="city", empty=Empty.CLEARS, for_new="the site's", help="Where they live."),
    OptionalColumn(flag(), name="cmd", aliases=("gcmd",), sample="1"),
    NumberedColumn(text(255), name="course", sample="C;1"),
    PrefixedColumn(text(), name="profile_field_"),
    OptionalColumn(text(), name="htmleditor", ignored=True),
)


def test_every_column_that_is_read_is_described() -> None:
    table = {line.name: line for line in describe_columns(COLUMNS)}

    assert list(table) == ["username", "city", "cmd", "course1, course2 …", "profile_field_…"]
    assert (table["username"].required, table["username"].empty) == (True, "not allowed")
    assert table["username"].values == "text of at most 100 characters"
    assert (table["city"].empty, table["city"].default, table["city"].help) == (
        "empties the field", "the site's", "Where they live.",
    )  # fmt: skip
    assert (table["cmd"].empty, table["cmd"].aliases) == ("leaves it as it is", "gcmd")


def test_a_default_is_described_by_its_value_or_its_option() -> None:
    class SomeOptions(Options):
        visible = Flag(label="Shown at once")

    columns = Columns(
        DefaultColumn(flag(), name="shown", default=SomeOptions.visible),
        DefaultColumn(integer(0), name="weeks", default=0),
    )

    shown, weeks = describe_columns(columns)

    assert (shown.empty, shown.default) == ("takes the default", "as the option “Shown at once” says")
    assert (weeks.empty, weeks.default) == ("takes the default", "0")


def test_template_and_sample_have_the_columns_that_are_required_or_shown() -> None:
    assert template_csv(COLUMNS).decode("utf-8-sig") == "username;cmd;course1\r\n"
    assert sample_csv(COLUMNS).decode("utf-8-sig") == 'username;cmd;course1\r\nada;1;"C;1"\r\n'


def read(key: str, data: bytes) -> RowReader:
    columns = REGISTRY[key].columns
    return open_rows(io.BytesIO(data), "in.csv", known_name=columns.knows, list_names=columns.list_names)


@pytest.mark.parametrize("key", REGISTRY)
def test_the_tool_accepts_its_own_template_and_sample(key: str) -> None:
    columns = REGISTRY[key].columns
    assert list(read(key, template_csv(columns))) == []
    reader = read(key, sample_csv(columns))
    matched = match_header(columns, reader.header)

    cleaner = RowCleaner(columns, matched, lambda *_column: None, options=REGISTRY[key].options())
    clean, rejections = cleaner.clean(list(reader))

    assert rejections == []
    assert len(clean) == 1
    assert all(columns.find(name) for name in matched.names)
