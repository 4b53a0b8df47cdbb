"""Texts of an archive become values that the columns take, whatever they are."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import sqlalchemy as sa

from sync.moodle.course_content.restore.values import typed_row, with_required

TABLE = sa.Table(
    "t",
    sa.MetaData(),
    sa.Column("id", sa.BigInteger, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False, server_default=sa.text("7")),
    sa.Column("small", sa.SMALLINT, nullable=True),
    sa.Column("title", sa.String(5), nullable=False, server_default=sa.text("''")),
    sa.Column("body", sa.Text, nullable=True),
    sa.Column("grade", sa.Numeric(10, 5), nullable=True),
    sa.Column("ratio", sa.Float, nullable=True),
    sa.Column("made", sa.BigInteger, nullable=False),
    sa.Column("module", sa.BigInteger, nullable=False, server_default=sa.text("0")),
)
ABSENT = object()


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        ("number", "12", 12), ("number", " 12 ", 12), ("number", "12.0", 12), ("number", "", ABSENT),
        ("number", None, ABSENT), ("number", "x", ABSENT), ("number", "9" * 30, ABSENT), ("number", "NaN", ABSENT),
        ("number", "1e99999999", ABSENT), ("number", 5, 5),
        ("small", "40000", ABSENT), ("small", "", None), ("small", None, None),
        ("title", "abcdefg", "abcde"), ("title", "a\0b", "ab"), ("title", "", ""), ("title", None, ABSENT),
        ("body", None, None), ("body", " kept \n", " kept \n"),
        ("grade", "99.50000", Decimal("99.5")), ("grade", "123456", ABSENT), ("grade", "Infinity", ABSENT),
        ("ratio", "100", 100.0),
        ("unknown", "1", ABSENT),
    ],
)  # fmt: skip
def test_a_text_fits_its_column_or_is_as_if_it_were_not_there(column: str, text: Any, value: Any) -> None:
    assert typed_row({"id": 1, column: text}, TABLE.c) == {"id": 1} | ({} if value is ABSENT else {column: value})


def test_what_must_have_a_value_and_has_no_default_gets_one() -> None:
    # `module` tells rows apart: the rules of restoring look at it.
    assert with_required({"id": 1, "number": 3}, TABLE.c) == {"id": 1, "number": 3, "made": 0, "module": 0}
