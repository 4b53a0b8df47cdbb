"""Checks of the cells of a users file that only the site can judge. Spec: users.md section 2"""

from __future__ import annotations

import re
from typing import Any

from sync.columns.column import Column
from sync.moodle.users import passwords
from sync.moodle.users.users import SiteRules
from sync.processors.base.errors import RowError
from sync.processors.users.cells import UserCells
from sync.values import Note

_USERNAME = re.compile(r"[-.@_a-z0-9]+")
# As crypt() and Moodle store passwords: nobody types one of these.
_HASH = re.compile(
    r"\$(?:1|2[abxy]|5|6|apr1|y|argon2(?:id?|d)|P|H|S)\$[^\s]{20,}"
    # As LDAP, Django and MySQL store them, and MD5, SHA-1 and SHA-256 as digits.
    r"|\{[A-Za-z0-9-]{3,14}\}[^\s]{16,}|(?:pbkdf2_sha\d+|bcrypt(?:_sha256)?|argon2|scrypt|sha1|md5)\$[^\s]{16,}|\*[0-9A-F]{40}"
    r"|[0-9a-f]{32}|[0-9A-F]{32}|[0-9a-f]{40}|[0-9A-F]{40}|[0-9a-f]{64}|[0-9A-F]{64}"
)
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
        if row.lang is not None:
            lang = row.lang.removesuffix("_utf8")
            if not self._has_language(lang):
                changes[UserCells.lang] = None
                notes.append(Note("language_left_out", {"lang": lang}))
            elif lang != row.lang:
                changes[UserCells.lang] = lang
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


def _is_language(code: str) -> bool:
    import pycountry

    return pycountry.languages.get(**{"alpha_2" if len(code) == 2 else "alpha_3": code}) is not None
