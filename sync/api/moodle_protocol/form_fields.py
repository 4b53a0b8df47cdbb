"""Form fields as PHP nests them: enrols[0][userid]=5 is a list of structures."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from sync.api.moodle_protocol.errors import invalid_parameter

# So deep nothing is nested that any function takes.
_DEEPEST = 6
_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_KEY = re.compile(r"\[([^\[\]]*)\]")


def nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return fields as PHP gives them to its programs: "a[]" counts up, "a[x]" names. Raises: ServiceError

    Shape: name -> text, or the same again; lists too have their places as keys, "0", "1" …
    """
    found: dict[str, Any] = {}
    for name, value in pairs:
        match = _NAME.fullmatch(name)
        keys = [match[1], *_KEY.findall(match[2])] if match else [name]
        if len(keys) > _DEEPEST:
            raise invalid_parameter(f"{name[:100]} is nested too deeply")
        place = found
        for key in keys[:-1]:
            inner = place.setdefault(_key(place, key), {})
            if not isinstance(inner, dict):
                raise invalid_parameter(f"{name[:100]} is a value and a structure")
            place = inner
        place[_key(place, keys[-1])] = value
    return found


def _key(place: dict[str, Any], key: str) -> str:
    """Return the name of a place; an empty one is the next number."""
    if key:
        return key
    numbers = [int(name) for name in place if name.isdecimal()]
    return str(max(numbers) + 1 if numbers else 0)
