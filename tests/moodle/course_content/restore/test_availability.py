"""Conditions of activities in a copy: what they depend on, where it is there and where it isn't."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sync.moodle.course_content.graph.content_source import IdMap
from sync.moodle.course_content.restore.availability import Copied, rewritten

MAPS = IdMap({"course_modules": {5: 50, 7: 70}, "grade_items": {6: 60}, "groups": {3: 30, 7: 70}, "groupings": {8: 80}})
GONE = [
    {"type": "completion", "cm": 8, "e": 1}, {"type": "grade", "id": 5, "min": 50}, {"type": "group", "id": 4},
    {"type": "grouping", "id": 9},
]  # fmt: skip


def copied(tree: dict[str, Any], *, with_groups: bool = True) -> Any:
    text = rewritten(json.dumps(tree), Copied(MAPS.get, with_groups, 0))
    return text and json.loads(text)


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([{"type": "completion", "cm": 5, "e": 1}], [{"type": "completion", "cm": 50, "e": 1}]),
        ([{"type": "completion", "cm": -1, "e": 1}], [{"type": "completion", "cm": -1, "e": 1}]),
        ([{"type": "grade", "id": 6, "min": 5}], [{"type": "grade", "id": 60, "min": 5}]),
        ([{"type": "group"}], [{"type": "group"}]),
        ([{"type": "group", "id": 7}], [{"type": "group", "id": 70}]),
        ([{"type": "grouping", "id": 8}], [{"type": "grouping", "id": 80}]),
        ([{"type": "grouping", "activity": True}], [{"type": "grouping", "activity": True}]),
        ([{"type": "date", "d": ">=", "t": 100}], [{"type": "date", "d": ">=", "t": 110}]),
        ([{"type": "profile", "op": "is", "sf": "city", "v": "6"}], [{"type": "profile", "op": "is", "sf": "city", "v": "6"}]),
        ([{"type": "thirdparty", "id": 5}], [{"type": "thirdparty", "id": 5}]),
    ],
)  # fmt: skip
def test_conditions_name_what_is_in_the_copy(conditions: list[Any], expected: list[Any]) -> None:
    text = json.dumps({"op": "&", "c": conditions, "showc": [True] * len(conditions)})

    tree = json.loads(rewritten(text, Copied(MAPS.get, with_groups=True, date_offset=10)) or "")

    assert tree == {"op": "&", "c": expected, "showc": [True] * len(expected)}


def test_what_cant_be_read_holds_nothing_and_what_is_empty_stays_so() -> None:
    assert rewritten("not json", Copied(MAPS.get, with_groups=True, date_offset=0)) is None
    assert copied({"op": "&", "c": [], "showc": []}) == {"op": "&", "c": [], "showc": []}


@pytest.mark.parametrize("operator", ["&", "|", "!&", "!|"])
def test_what_depends_on_nothing_that_is_there_stays_shut(operator: str) -> None:
    tree = {"op": operator, "c": GONE, "show": True}
    assert [leaf.get("cm", leaf.get("id")) for leaf in copied(tree)["c"]] == [0, 0, -1, -1]
    assert copied({"op": operator, "c": GONE[:1], "show": True})["c"] == [{"type": "completion", "cm": 0, "e": 1}]


def test_conditions_on_groups_go_where_no_groups_are_restored() -> None:
    tree = {
        "op": "&",
        "c": [*GONE, {"type": "group"}, {"type": "group", "id": 3}],
        "showc": [True, False, True, True, True, True],
    }
    left = copied(tree, with_groups=False)
    assert left == {
        "op": "&",
        "c": [GONE[0] | {"cm": 0}, GONE[1] | {"id": 0}, {"type": "group"}],
        "showc": [True, False, True],
    }
    assert copied({"op": "&", "c": GONE[2:], "showc": [True, True]}, with_groups=False) is None


def test_what_is_there_is_found_and_the_activity_before_stays_that() -> None:
    tree = {"op": "&", "c": [{"type": "completion", "cm": 7, "e": 1}, {"type": "completion", "cm": -1, "e": 1},
                             {"op": "|", "c": [{"type": "group", "id": 3}], "show": True}], "showc": [True] * 3}  # fmt: skip
    found = copied(tree)["c"]
    assert (found[0]["cm"], found[1]["cm"], found[2]["c"]) == (70, -1, [{"type": "group", "id": 30}])
