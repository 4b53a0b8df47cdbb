"""Form fields as PHP nests them: enrols[0][userid]=5 is a list of structures."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from sync.api.moodle_protocol.errors import invalid_parameter

# So deep nothing is nested that any function takes.
_DEEPEST = 6
# A longer row of digits is a name, as in PHP.
_LONGEST_NUMBER = 18
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_KEY = re.compile(r"\[([^\[\]]*)\]")


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return fields as PHP gives them to its programs: "a[]" counts up, "a[x]" names. Raises: ServiceError

    Shape: name -> text, or the same again; lists too have their places as keys, "0", "1" …
    """
    found: dict[str, Any] = {}
    free_numbers: dict[int, int] = {}
    for name, value in pairs:
        match = _NAME.fullmatch(name)
        keys = [match[1], *_KEY.findall(match[2])] if match else [name]
        if len(keys) > _DEEPEST:
            raise invalid_parameter(f"{name[:100]} is nested too deeply")
        place = found
        for key in keys[:-1]:
            inner = place.setdefault(_key(place, key, free_numbers), {})
            if not isinstance(inner, dict):
                raise invalid_parameter(f"{name[:100]} is a value and a structure")
            place = inner
        place[_key(place, keys[-1], free_numbers)] = value
    return found


def _key(place: dict[str, Any], key: str, free_numbers: dict[int, int]) -> str:
    """Return the name of a place; an empty one is the next number. Shape: free_numbers: id() of a place -> its next number"""
    name = key or str(free_numbers.get(id(place), 0))
    if name.isascii() and name.isdecimal() and len(name) <= _LONGEST_NUMBER:
        free_numbers[id(place)] = max(free_numbers.get(id(place), 0), int(name) + 1)
    return name
