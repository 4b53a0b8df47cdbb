"""Which preferences a file may set: those with names of a sane form that let nobody in and tell nobody's secrets.

Moodle keeps in this table, beside what people prefer, what guards their accounts: the key that confirms another e-mail address,
the code that ends a lock after wrong passwords, a request for a new password, the address that notifications are sent to, tokens
of repositories. Who may run such files could take over accounts with these, or read along; they are set by nobody from here.
"""

from __future__ import annotations

import re

from sync.columns.placeholders import is_truth
from sync.columns.words import truth
from sync.processors.base.errors import RowError

# Moodle makes names of this form; capitals would be other names on one server and the same ones on another.
_SANE = re.compile(r"[a-z][a-z0-9]*(?:[_-]+[a-z0-9]+)*")
FORCED_CHANGE = "auth_forcepasswordchange"
# Allowed although it begins as what is refused does.
_ALLOWED = frozenset({FORCED_CHANGE})
_REFUSED_BEGINNINGS = (
    "auth_",  # of plugins that log people in
    "create_password",  # Moodle sends a new password then; files of users do that
    "factor_",
    "login_",  # locks after wrong passwords, and the code that ends one
    "message_processor_",  # the address that notifications go to
    "mnet",
    "newemail",  # another e-mail address, and the key that confirms it
    "portfolio_",
    "repository_",
    "tool_mfa",
)
_REFUSED_WORDS = frozenset(
    """
    apikey code credential credentials hash key keys login mfa nonce otp passphrase passwd password passwords pin privatekey pwd
    secret secrets sesskey session sessions sid token tokens totp
    """.split()  # noqa: SIM905 (read by people)
)
# Plugins run words together: accesstoken, clientsecret.
_REFUSED_ENDINGS = ("apikey", "password", "secret", "token", "tokens")
# What Moodle keeps of users themselves, and reads from no preference.
_OF_USERS = frozenset(
    """
    address auth autosubscribe calendartype city country deleted department description email emailstop firstname idnumber
    institution lang lastname maildigest maildisplay mailformat phone1 phone2 suspended theme timezone trackforums username
    """.split()  # noqa: SIM905 (read by people)
)
# What PHP makes objects of, should a plugin still read its preference so.
_SERIALIZED = re.compile(r"(?:^|[;{:])[OC]:[+]?\d+:\"")


def is_settable(name: str) -> bool:
    """Tell whether a file may set a preference of this name."""
    if name in _ALLOWED:
        return True
    if _SANE.fullmatch(name) is None or name.startswith(_REFUSED_BEGINNINGS):
        return False
    words = name.replace("-", "_").split("_")
    return _REFUSED_WORDS.isdisjoint(words) and not any(word.endswith(_REFUSED_ENDINGS) for word in words)


def is_word_for_truth(name: str, value: str) -> bool:
    """Tell whether a value is a word for yes or no. To PHP all of them mean yes, "no" and "false" as well.

    Drawers were kept open, or closed, by "true" and "false" up to Moodle 4.
    """
    return len(value) > 1 and truth(value) is not None and not name.startswith("drawer-")


def is_of_users(name: str) -> bool:
    """Tell whether Moodle keeps what is called so with the user, so that a preference of this name does nothing."""
    return name in _OF_USERS


def check_preference(name: str, value: str) -> None:
    """Raises: RowError for a preference that no file sets, or a value that may be more than text"""
    if not is_settable(name):
        raise RowError("preference_refused" if _SANE.fullmatch(name) else "preference_name_odd", "name", name=name)
    if _SERIALIZED.search(value):
        raise RowError("preference_value_odd", "value")
    if is_truth(value):
        raise RowError("preference_is_truth", "value", value=value)
    if name in _ALLOWED and value not in ("", "0", "1"):
        raise RowError("value_not_flag", "value", value=value)
