"""Checks of the cells of a users file that only the site can judge. Spec: users.md section 2"""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import available_timezones

import pycountry

from sync.moodle import passwords
from sync.moodle.users import SiteRules
from sync.processors.accounts import RowRefused

_USERNAME = re.compile(r"[-.@_a-z0-9]+")
_LANGUAGE = re.compile(r"[a-z]{2,3}(_[a-z0-9]+)*")
_TIMEZONES = frozenset(available_timezones())
_COUNTRIES = frozenset(country.alpha_2 for country in pycountry.countries)


class UserChecks:
    """The checks of one site."""

    def __init__(self, rules: SiteRules) -> None:
        self.rules = rules

    def check(self, values: dict[str, Any]) -> int:
        """Check a row, and give the id of its MNet host. Normalises language codes in place. Raises: RowRefused"""
        if values.get("country", "") and values["country"] not in _COUNTRIES:
            raise RowRefused("country_unknown", "country", country=values["country"])
        if "lang" in values:
            values["lang"] = values["lang"].removesuffix("_utf8")
            self._check_language(values["lang"])
        if "timezone" in values and not _is_timezone(values["timezone"]):
            raise RowRefused("timezone_unknown", "timezone", timezone=values["timezone"])
        if "auth" in values and not self.rules.has_auth_plugin(values["auth"]):
            raise RowRefused("auth_unknown", "auth", auth=values["auth"])
        if len(values.get("password", "")) > passwords.MAX_CHARACTERS:
            raise RowRefused("password_too_long", "password", limit=passwords.MAX_CHARACTERS)
        hostid: int = values.get("mnethostid", self.rules.mnethostid)
        if hostid != self.rules.mnethostid and hostid not in self.rules.mnethostids:
            raise RowRefused("mnethost_unknown", "mnethostid", mnethostid=hostid)
        return hostid

    def check_username(self, username: str) -> None:
        """Check a username that an account is to get. Raises: RowRefused"""
        if not self.rules.extended_usernames and not _USERNAME.fullmatch(username):
            raise RowRefused("username_invalid", "username", username=username)

    def _check_language(self, lang: str) -> None:
        installed = self.rules.languages
        if installed is not None:
            if lang not in installed:
                raise RowRefused("language_not_installed", "lang", lang=lang, installed=", ".join(sorted(installed)))
        elif not _LANGUAGE.fullmatch(lang) or not _is_language(lang.partition("_")[0]):
            raise RowRefused("language_unknown", "lang", lang=lang)


def _is_timezone(name: str) -> bool:
    if name in _TIMEZONES:
        return True
    try:
        # Offsets in hours were the fashion before Moodle 2.8; 99 means the server's own.
        return name == "99" or -13 <= float(name) <= 13
    except ValueError:
        return False


def _is_language(code: str) -> bool:
    return pycountry.languages.get(**{"alpha_2" if len(code) == 2 else "alpha_3": code}) is not None
