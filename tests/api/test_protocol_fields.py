"""Fields as PHP nests them, and answers as XML: whatever is sent and stored, there is an answer."""

from __future__ import annotations

import cProfile
import pstats
from typing import Any
from xml.etree import ElementTree

import pytest

from sync.api.moodle_protocol.answers import XML, answer_error, answer_result
from sync.api.moodle_protocol.errors import ServiceError
from sync.api.moodle_protocol.form_fields import nested
from sync.api.moodle_protocol.kinds import Kind, Many, Value


@pytest.mark.parametrize(
    ("pairs", "found"),
    [
        ([("a[]", "x"), ("a[]", "y")], {"a": {"0": "x", "1": "y"}}),
        ([("a[7]", "x"), ("a[]", "y"), ("a[3]", "z"), ("a[]", "w")], {"a": {"7": "x", "8": "y", "3": "z", "9": "w"}}),
        ([("a[][b]", "x"), ("a[][b]", "y")], {"a": {"0": {"b": "x"}, "1": {"b": "y"}}}),
        ([("a[x]", "x"), ("a[]", "y")], {"a": {"x": "x", "0": "y"}}),
        ([("a[٣]", "x"), ("a[]", "y")], {"a": {"٣": "x", "0": "y"}}),
        ([(f"a[{'9' * 5000}]", "x"), ("a[]", "y")], {"a": {"9" * 5000: "x", "0": "y"}}),
    ],
)
def test_fields_nest_as_in_php(pairs: list[tuple[str, str]], found: dict[str, Any]) -> None:
    assert nested(pairs) == found


def test_a_long_list_is_gone_through_once() -> None:
    count = 2000
    profile = cProfile.Profile()
    with profile:
        assert len(nested(("a[]", str(n)) for n in range(count))["a"]) == count
    assert pstats.Stats(profile).total_calls < 30 * count  # type: ignore[attr-defined]


def test_values_that_are_both_are_refused() -> None:
    with pytest.raises(ServiceError, match="a value and a structure"):
        nested([("a", "x"), ("a[b]", "y")])


def test_control_characters_leave_an_answer_readable() -> None:
    found = answer_result(["a\x0bb\x00\ufffe<"], Many(Value(Kind.TEXT)), XML).content
    assert [value.text for value in ElementTree.fromstring(found).iter("VALUE")] == ["ab<"]
    refused = answer_error(ServiceError("no\x1b such", "x"), XML).content
    assert ElementTree.fromstring(refused).findtext("MESSAGE") == "no such"
