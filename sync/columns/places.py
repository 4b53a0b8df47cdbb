"""Countries and time zones: what a file says of them shows without Moodle."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from gettext import translation
from zoneinfo import available_timezones

from sync.columns.clean import CellError, Clean, TextKind, ValueKind, shown
from sync.columns.words import folded

_OFFSET = re.compile(r"[+-]?[0-9]{1,2}(?:\.[0-9]{1,2})?")
_LEAST_OFFSET, _MOST_OFFSET = -13, 13
# The clock of Moodle's server.
_OF_SERVER = "99"
# What the machines of the list call their own clock, or no clock; no program of theirs knows it.
_OF_MACHINES = frozenset(("Factory", "localtime", "posixrules"))


@dataclass(frozen=True)
class CountryKind(TextKind):
    """The code of a country, of two letters (ISO 3166-1)."""

    def cleaner(self) -> Clean[str]:
        limited = super().cleaner()

        def clean(cell: str) -> str:
            code = limited(cell)
            if code in _countries():
                return code
            if code.upper() in _countries():
                return code.upper()
            raise CellError("country_unknown", country=shown(cell), **_country_meant(cell))

        return clean


@dataclass(frozen=True)
class TimeZoneKind(TextKind):
    """The name of a time zone, an offset in hours, or 99 for the server's own."""

    def cleaner(self) -> Clean[str]:
        limited = super().cleaner()

        def clean(cell: str) -> str:
            name = limited(cell)
            if name not in _time_zones() and not _is_offset(name):
                raise CellError("timezone_unknown", timezone=shown(name))
            return name

        return clean


def country_code() -> ValueKind[str]:
    return CountryKind(None)


def time_zone(limit: int) -> ValueKind[str]:
    return TimeZoneKind(limit)


@cache
def country_codes() -> dict[str, str]:
    """Return what countries are called in English, French and German, and their codes of three letters -> two letters."""
    import pycountry

    codes: dict[str, str] = {}
    for country in pycountry.countries:
        names = [
            country.alpha_3,
            country.name,
            getattr(country, "common_name", ""),
            getattr(country, "official_name", ""),
        ]
        codes |= {folded(name): country.alpha_2 for name in names if name}
    for language in ("fr", "de"):
        names_in = translation("iso3166-1", pycountry.LOCALES_DIR, [language], fallback=True).gettext
        for country in pycountry.countries:
            codes.setdefault(folded(names_in(country.name)), country.alpha_2)
    return codes | {"uk": "GB", "great britain": "GB", "england": "GB", "usa": "US"}


def _country_meant(name: str) -> dict[str, str]:
    """Return what a message needs to suggest the code of a country that was named otherwise, {} when none is meant."""
    code = country_codes().get(folded(name).strip(". "))
    return {"hint": "did_you_mean", "nearest": code} if code else {}


@cache
def _countries() -> frozenset[str]:
    # Loading it takes as long as planning some hundred rows, most of which name no country.
    import pycountry

    return frozenset(country.alpha_2 for country in pycountry.countries)


@cache
def _time_zones() -> frozenset[str]:
    """Return the names of the time zones, for which hundreds of files are looked at."""
    return frozenset(available_timezones()) - _OF_MACHINES


def _is_offset(name: str) -> bool:
    # Offsets in hours were the fashion before Moodle 2.8.
    is_number = _OFFSET.fullmatch(name) is not None
    return name == _OF_SERVER or (is_number and _LEAST_OFFSET <= float(name) <= _MOST_OFFSET)
