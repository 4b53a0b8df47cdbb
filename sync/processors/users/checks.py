"""Checks of the cells of a users file that only the site can judge. Spec: users.md section 2"""

from __future__ import annotations

import re
from functools import cache
from gettext import translation
from typing import Any
from zoneinfo import available_timezones

from sync.columns.clean import shown
from sync.columns.column import Column
from sync.columns.words import folded
from sync.moodle.users import passwords
from sync.moodle.users.users import SiteRules
from sync.processors.base.errors import RowError
from sync.processors.users.cells import UserCells
from sync.values import Note

_USERNAME = re.compile(r"[-.@_a-z0-9]+")
_OFFSET = re.compile(r"[+-]?[0-9]{1,2}(?:\.[0-9]{1,2})?")
# What the machines of the list call their own clock, or no clock; no program of theirs knows it.
_OF_MACHINES = frozenset(("Factory", "localtime", "posixrules"))
# As crypt() and Moodle store passwords: nobody types one of these.
_HASH = re.compile(r"\$(?:2[abxy]|5|6|argon2id?|P|H)\$[^\s]{20,}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[a-z0-9]+)*")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_MAILABLE = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}")
_LONGEST_LOCAL_PART, _LONGEST_DOMAIN = 64, 254


class UserChecks:
    """The checks of one site."""

    def __init__(self, rules: SiteRules) -> None:
        self.rules = rules

    def check(self, row: UserCells, notes: list[Note]) -> tuple[UserCells, int]:
        """Check a row, and return it with its codes as Moodle has them, and the id of its MNet host. Raises: RowError

        A language that isn't installed is taken out, with a note: a new user gets the default language, others keep theirs.
        """
        changes: dict[Column[Any], str | None] = {}
        country = row.country
        if country and country not in _countries():
            changes[UserCells.country] = country.upper()
            if country.upper() not in _countries():
                raise RowError("country_unknown", "country", country=shown(country), **_country_meant(country))
        if row.lang is not None:
            lang = row.lang.removesuffix("_utf8")
            if not self._has_language(lang):
                changes[UserCells.lang] = None
                notes.append(Note("language_left_out", {"lang": lang}))
            elif lang != row.lang:
                changes[UserCells.lang] = lang
        if row.timezone is not None and not _is_timezone(row.timezone):
            raise RowError("timezone_unknown", "timezone", timezone=row.timezone)
        if row.auth is not None and not self.rules.has_auth_plugin(row.auth):
            raise RowError("auth_unknown", "auth", auth=row.auth)
        _check_password(row.password or "")
        hostid = row.mnethostid or self.rules.mnethostid
        if hostid != self.rules.mnethostid and hostid not in self.rules.mnethostids:
            raise RowError("mnethost_unknown", "mnethostid", mnethostid=hostid)
        return row.replaced(changes) if changes else row, hostid

    def check_username(self, username: str) -> None:
        """Check a username that a user is to get. Raises: RowError"""
        if not self.rules.extended_usernames and not _USERNAME.fullmatch(username):
            raise RowError("username_invalid", "username", username=username)

    def _has_language(self, lang: str) -> bool:
        """Whether a language is installed; where nobody can tell, whether there is such a language. Raises: RowError"""
        installed = self.rules.languages
        if installed is not None:
            return lang in installed
        if not _LANGUAGE.fullmatch(lang) or not _is_language(lang.partition("_")[0]):
            raise RowError("language_unknown", "lang", lang=lang)
        return True


def _check_password(password: str) -> None:
    """Raises: RowError for one that Moodle can't store, or that nobody could type"""
    if _HASH.fullmatch(password):
        raise RowError("password_is_hash", "password")
    if len(password) > passwords.MAX_CHARACTERS:
        raise RowError("password_too_long", "password", limit=passwords.MAX_CHARACTERS)


def is_mailable(address: str) -> bool:
    """Tell whether Moodle sends mails to an address. Mirrors: validate_email(), PHP's FILTER_VALIDATE_EMAIL"""
    local, _at, domain = address.rpartition("@")
    return len(local) <= _LONGEST_LOCAL_PART and len(domain) <= _LONGEST_DOMAIN and bool(_MAILABLE.fullmatch(address))


def is_no_mail(address: str) -> bool:
    """Tell whether a cell says that the user gets no mails."""
    return "NOMAIL" in address.upper().replace(" ", "")


def _country_meant(name: str) -> dict[str, str]:
    """Return what a message needs to suggest the code of a country that was named otherwise, {} when none is meant."""
    code = _country_codes().get(folded(name).strip(". "))
    return {"hint": "did_you_mean", "nearest": code} if code else {}


@cache
def _countries() -> frozenset[str]:
    # Loading it takes as long as planning some hundred rows, most of which name no country.
    import pycountry

    return frozenset(country.alpha_2 for country in pycountry.countries)


@cache
def _timezones() -> frozenset[str]:
    """Return the names of the time zones, for which hundreds of files are looked at."""
    return frozenset(available_timezones()) - _OF_MACHINES


@cache
def _country_codes() -> dict[str, str]:
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


def _is_timezone(name: str) -> bool:
    if name in _timezones():
        return True
    # Offsets in hours were the fashion before Moodle 2.8; 99 means the server's own.
    return name == "99" or (_OFFSET.fullmatch(name) is not None and -13 <= float(name) <= 13)


def _is_language(code: str) -> bool:
    import pycountry

    return pycountry.languages.get(**{"alpha_2" if len(code) == 2 else "alpha_3": code}) is not None
