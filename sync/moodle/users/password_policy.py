"""The rules that a site has for passwords, which may hold for keys of enrolment methods too."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import NamedTuple


class PasswordPolicy(NamedTuple):
    """How many characters of each kind a password has at least; identical: in a row at most, 0 = any number."""

    length: int = 0
    digits: int = 0
    lower: int = 0
    upper: int = 0
    others: int = 0
    identical: int = 0

    @classmethod
    def of(cls, config: Mapping[str, str]) -> PasswordPolicy:
        """Return the rules of a site, none where it has switched them off. Shape: config: its settings"""
        if config.get("passwordpolicy", "1") in ("", "0"):
            return cls()
        return cls(*(_number(config.get(name)) for name in _SETTINGS))

    def allows(self, password: str) -> bool:
        """Mirrors: get_password_policy_errors(), but for what plugins add"""
        digits = sum(character.isdecimal() for character in password)
        lower = sum(character.islower() for character in password)
        upper = sum(character.isupper() for character in password)
        others = len(password) - digits - lower - upper
        counted = (len(password), digits, lower, upper, others)
        in_a_row = max((len([*same]) for _character, same in groupby(password)), default=0)
        return all(has >= least for has, least in zip(counted, self, strict=False)) and not (
            0 < self.identical < in_a_row
        )


# In the order of the fields
_SETTINGS = (
    "minpasswordlength", "minpassworddigits", "minpasswordlower", "minpasswordupper", "minpasswordnonalphanum",
    "maxconsecutiveidentchars",
)  # fmt: skip


def _number(text: str | None) -> int:
    return int(text) if text is not None and text.isascii() and text.isdecimal() else 0
