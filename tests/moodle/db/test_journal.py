"""Before-images go to the storage and come back as they were."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from sync.moodle.db.journal import read_images, write_images
from sync.moodle.db.writer import BeforeImage

IMAGES = [
    BeforeImage("insert", "user", 7, {}, {"username": "ada"}),
    BeforeImage("complete", "user", 7, {}, {"city": "Lyón"}),
    BeforeImage("insert", "cache_flags", None, {}, {"name": "7"}),
    BeforeImage("update", "user", 7, {"city": "Lyón", "lastip": None}, {"city": "", "lastip": "::1"}),
    BeforeImage(
        "delete",
        "grade_grades",
        3,
        {
            "id": 3,
            "grade": Decimal("12.50000"),
            "blob": b"\x00\xff",
            "on": date(2025, 3, 4),
            "at": datetime(2025, 3, 4, 9, tzinfo=UTC),
        },
        {},
    ),
]


def written(images: list[BeforeImage]) -> io.BytesIO:
    out = io.BytesIO()
    write_images(out, images)
    out.seek(0)
    return out


def test_before_images_come_back_with_the_types_that_they_had() -> None:
    assert list(read_images(written(IMAGES))) == IMAGES


def test_no_images_are_an_empty_journal() -> None:
    assert list(read_images(written([]))) == []


def test_a_value_that_would_be_lost_is_refused() -> None:
    with pytest.raises(TypeError, match="object"):
        written([BeforeImage("insert", "user", 1, {"city": object()}, {})])
