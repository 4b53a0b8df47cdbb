"""The examples of courses.md section 6: which categories count as empty."""

from __future__ import annotations

import pytest

from sync.moodle.categories.categories import Category, CategoryContents
from sync.runs.category_cleanup import CleanUp, plan_cleanup

NAMES = {1: "Top", 2: "A", 3: "B", 4: "C"}
# Top, A / B / C
PARENTS = {1: 0, 2: 0, 3: 2, 4: 3}


def look(
    courses: dict[int, int], start: int = 0, *, branches: bool = True, parents: dict[int, int] | None = None
) -> CleanUp:
    parents = parents or PARENTS
    categories = [
        Category(rowid, parent, NAMES[rowid], "", 1, rowid, 100 + rowid, "") for rowid, parent in parents.items()
    ]
    inner: dict[int, dict[int, str]] = {}
    for rowid, parent in parents.items():
        inner.setdefault(parent, {})[rowid] = NAMES[rowid]
    return plan_cleanup(categories, CategoryContents(courses, inner), {}, start=start, whole_branches=branches)


@pytest.mark.parametrize(
    ("courses", "start", "branches", "going"),
    [
        ({1: 1}, 0, True, [4, 3, 2]),
        ({1: 1}, 0, False, [4]),
        ({1: 1, 2: 1}, 0, True, [4, 3]),
        ({1: 1}, 3, True, [4, 3]),
        ({}, 0, True, [4, 3, 2]),
        ({4: 1}, 0, True, [1]),
    ],
    ids=[
        "a whole branch goes", "only the innermost go", "what holds a course stays", "from one category down",
        "the first one stays when all are empty", "what holds a full category stays",
    ],
)  # fmt: skip
def test_empty_categories_go_inner_ones_first(
    courses: dict[int, int], start: int, branches: bool, going: list[int]
) -> None:
    assert [category.id for category in look(courses, start, branches=branches).going] == going


def test_the_others_stay_with_the_reason_in_the_order_of_moodle() -> None:
    staying = look({4: 2}).staying
    assert [(stays.category.id, stays.courses, stays.inside) for stays in staying] == [
        (2, 0, ["B"]), (3, 0, ["C"]), (4, 2, []),
    ]  # fmt: skip
    assert [(stays.category.id, stays.is_last) for stays in look({}).staying] == [(1, True)]


def test_a_tree_that_goes_round_in_circles_is_looked_at_once() -> None:
    assert look({}, start=2, parents={1: 0, 2: 4, 3: 2, 4: 3}).going == []
