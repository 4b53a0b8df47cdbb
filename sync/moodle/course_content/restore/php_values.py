"""PHP's serialised values: read strictly, and written back byte for byte the same.

Source: PHP's serialize(); objects of other classes than stdClass, and references, are refused
"""

from __future__ import annotations

from typing import NamedTuple


class PhpFloat(NamedTuple):
    """A float as it was written."""

    text: bytes


class PhpArray(NamedTuple):
    """An array, or an object of the class stdClass. Shape: pairs: key -> value, in their order"""

    pairs: dict[int | bytes, object]
    is_object: bool


def loads(data: bytes) -> object:
    """Read one serialised value: None, bool, int, bytes, PhpFloat or PhpArray.

    Raises: ValueError
    """
    value, end = _read(data, 0, 0)
    if end != len(data):
        raise ValueError("something follows the value")
    return value


def dumps(value: object) -> bytes:
    """Write what `loads` gives."""
    if value is None:
        return b"N;"
    if isinstance(value, bool):
        return b"b:%d;" % value
    if isinstance(value, int):
        return b"i:%d;" % value
    if isinstance(value, bytes):
        return b's:%d:"%s";' % (len(value), value)
    if isinstance(value, PhpFloat):
        return b"d:%s;" % value.text
    assert isinstance(value, PhpArray)  # noqa: S101
    start = b'O:8:"stdClass":' if value.is_object else b"a:"
    pairs = b"".join(dumps(key) + dumps(item) for key, item in value.pairs.items())
    return b"%s%d:{%s}" % (start, len(value.pairs), pairs)


_MAX_DEPTH = 50


def _read(data: bytes, at: int, depth: int) -> tuple[object, int]:
    if depth > _MAX_DEPTH:
        raise ValueError("too deep")
    kind = data[at : at + 2]
    if kind == b"N;":
        return None, at + 2
    if kind in (b"b:", b"i:", b"d:"):
        text, end = _until(data, at + 2, b";")
        if kind == b"d:":
            return PhpFloat(text), end
        return (text == b"1" if kind == b"b:" else int(text)), end
    if kind == b"s:":
        return _read_text(data, at + 2)
    if kind == b"a:":
        return _read_pairs(data, at + 2, depth, is_object=False)
    if data.startswith(b'O:8:"stdClass":', at):
        return _read_pairs(data, at + 15, depth, is_object=True)
    raise ValueError(f"unknown value at byte {at}")


def _read_text(data: bytes, at: int) -> tuple[bytes, int]:
    length, start = _until(data, at, b":")
    end = start + 1 + int(length)
    if int(length) < 0 or data[start : start + 1] != b'"' or data[end : end + 2] != b'";':
        raise ValueError(f"text without its quotes at byte {start}")
    return data[start + 1 : end], end + 2


def _read_pairs(data: bytes, at: int, depth: int, *, is_object: bool) -> tuple[PhpArray, int]:
    count, end = _until(data, at, b":")
    if data[end : end + 1] != b"{":
        raise ValueError(f"no pairs at byte {end}")
    end += 1
    pairs: dict[int | bytes, object] = {}
    for _pair in range(int(count)):
        key, end = _read(data, end, depth + 1)
        if not isinstance(key, int | bytes):
            raise ValueError(f"neither number nor text as a key before byte {end}")  # noqa: TRY004
        pairs[key], end = _read(data, end, depth + 1)
    if data[end : end + 1] != b"}":
        raise ValueError(f"pairs without an end at byte {end}")
    return PhpArray(pairs, is_object), end + 1


def _until(data: bytes, at: int, mark: bytes) -> tuple[bytes, int]:
    end = data.find(mark, at)
    if end < 0:
        raise ValueError(f"no end of the value at byte {at}")
    return data[at:end], end + 1
