"""Question banks of a backup on sites of other versions. The whole way: test_restore.py"""

from __future__ import annotations

import json
from typing import Any

import pytest

from sync.moodle.course_content.graph.content_source import SourceContext
from sync.moodle.course_content.restore.question_banks import FIRST_ID, QuestionBanks, arranged, rewritten_filter

HOME, QUIZ, ELSEWHERE = 30, 33, 99
CONTEXTS = {HOME: SourceContext(50, 3), QUIZ: SourceContext(70, 9)}
Row = dict[str, Any]


def category(rowid: int, contextid: int, parent: int, stamp: str = "") -> Row:
    return {"id": rowid, "contextid": str(contextid), "parent": str(parent), "stamp": stamp or f"s{rowid}"}


def arrange(*categories: Row, has_qbank: bool) -> QuestionBanks:
    return arranged(categories, CONTEXTS, HOME, has_qbank=has_qbank, courseid=3, sectionid=5, now=1)


def test_a_bank_with_nothing_in_it_needs_no_activity() -> None:
    banks = arrange(category(1, HOME, 0), category(2, QUIZ, 0), category(3, QUIZ, 2), has_qbank=True)

    assert [row["id"] for row in banks.categories] == [2, 3]
    assert (banks.bank, banks.contexts, banks.moved) == ({}, {}, {})


def test_banks_from_elsewhere_become_one_that_has_one_top_category() -> None:
    rows = (category(1, HOME, 0), category(2, HOME, 1), category(3, ELSEWHERE, 0), category(4, ELSEWHERE, 3, "s2"))

    banks = arrange(*rows, has_qbank=False)

    assert [(row["id"], row["contextid"], row["parent"]) for row in banks.categories] == [
        (1, HOME, 0), (2, HOME, 1), (4, HOME, 1),
    ]  # fmt: skip
    # No two of a context have the same stamp: the second gets one when it is restored.
    assert [row["stamp"] for row in banks.categories] == ["s1", "s2", ""]
    in_activity = arrange(*rows, has_qbank=True)
    assert in_activity.place(ELSEWHERE) == in_activity.place(HOME) == FIRST_ID
    assert in_activity.bank["course_modules"]["section"] == 5


def test_categories_without_their_parent_hang_below_the_top_of_their_context() -> None:
    banks = arrange(category(7, QUIZ, 6), has_qbank=True)

    assert [(row["id"], row["parent"]) for row in banks.categories] == [(7, FIRST_ID), (FIRST_ID, 0)]


@pytest.mark.parametrize("text", [None, "", "not json", "[]", "[" * 10_000, "3"])
@pytest.mark.parametrize("version", [2022112800, 2024100700])
def test_a_condition_that_cannot_be_read_is_none(text: str | None, version: float) -> None:
    assert rewritten_filter(text, QuestionBanks(), version, {}) is None


def test_a_condition_without_a_category_stays() -> None:
    text = json.dumps({"filter": {"qtagids": {"values": ["5"]}}})
    assert rewritten_filter(text, QuestionBanks(), 2024100700, {}) == text
