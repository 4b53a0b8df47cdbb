"""What functions take and return, declared, and parameters checked against it.

Mirrors: external_value, external_multiple_structure, external_single_structure and external_api::validate_parameters()
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sync.api.moodle_protocol.errors import ServiceError, invalid_parameter


class Kind(StrEnum):
    """Kinds of single values. Source: PARAM_* in Moodle's lib/moodlelib.php"""

    INT = "int"
    BOOL = "bool"
    TEXT = "text"
    RAW = "raw"
    ALPHANUMEXT = "alphanumext"


_REQUIRED = object()
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_ALPHANUMEXT = re.compile(r"[A-Za-z0-9_-]*")
_TRUTHS = {
    "1": True,
    "true": True,
    "on": True,
    "yes": True,
    "0": False,
    "": False,
    "false": False,
    "off": False,
    "no": False,
}


@dataclass(frozen=True)
class Value:
    """A single value. Shape: default: where it isn't given; without one it must be"""

    kind: Kind
    default: Any = _REQUIRED
    is_optional: bool = False

    @property
    def is_required(self) -> bool:
        return self.default is _REQUIRED and not self.is_optional


@dataclass(frozen=True)
class Many:
    """A list. Shape: default: where it isn't given, None = it must be; is_optional: of answers, that may be without it"""

    content: Description
    default: tuple[Any, ...] | None = None
    is_optional: bool = False

    @property
    def is_required(self) -> bool:
        return self.default is None and not self.is_optional


@dataclass(frozen=True)
class One:
    """A structure."""

    keys: Mapping[str, Description]

    @property
    def is_required(self) -> bool:
        return True


Description = Value | Many | One


def checked(description: Description, given: Any) -> Any:
    """Return parameters in their kinds, with the defaults of those that aren't given. Raises: ServiceError"""
    if isinstance(description, Value):
        return _value(description, given)
    if not isinstance(given, Mapping):
        raise invalid_parameter(f"Only arrays accepted. The bad value is: '{str(given)[:100]}'")
    if isinstance(description, Many):
        return [checked(description.content, given[key]) for key in given]
    return _structure(description, given)


def _structure(description: One, given: Mapping[str, Any]) -> dict[str, Any]:
    if unknown := [key for key in given if key not in description.keys]:
        raise invalid_parameter(f"Unexpected keys ({', '.join(unknown)[:200]}) detected in parameter array.")
    found: dict[str, Any] = {}
    for name, inner in description.keys.items():
        if name not in given:
            if inner.is_required:
                raise invalid_parameter(f"Missing required key in single structure: {name}")
            found[name] = list(inner.default or ()) if isinstance(inner, Many) else getattr(inner, "default", None)
            continue
        try:
            found[name] = checked(inner, given[name])
        except ServiceError as error:
            raise ServiceError(f"{name} => {error.message}", error.errorcode, error.exception) from None
    return found


def _value(description: Value, given: Any) -> Any:
    if not isinstance(given, str):
        raise invalid_parameter("Scalar type expected, array or object received.")
    if "\0" in given:
        raise _wrong(given, description.kind)
    if description.kind is Kind.INT:
        if not _INTEGER.fullmatch(given.strip()):
            raise _wrong(given, description.kind)
        return int(given)
    if description.kind is Kind.BOOL:
        if given.strip().lower() not in _TRUTHS:
            raise _wrong(given, description.kind)
        return _TRUTHS[given.strip().lower()]
    if description.kind is Kind.ALPHANUMEXT and not _ALPHANUMEXT.fullmatch(given):
        raise _wrong(given, description.kind)
    return given


def _wrong(given: str, kind: Kind) -> ServiceError:
    return invalid_parameter(
        f'Invalid external api parameter: the value is "{given[:100]}", the server was expecting "{kind}" type'
    )
