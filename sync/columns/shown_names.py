"""What of a header may be repeated in messages: it may be a row of a file without header, with a password in it."""

from __future__ import annotations

import re

# No column is called like this, passwords are.
_UNUSUAL = re.compile(r"[@#$%^&*=+~!?<>{}|\\]")
_SECRET = re.compile(
    r"pass|pwd|passwd|kennwort|passwor|contrase|mot.?de.?passe|\bmdp\b|secret|token|\bpin\b"
    r"|clave|senha|wachtwoord|losenord|lösenord|adgangskode|salasana|haslo|hasło|heslo|jelsz|parola|sifre|şifre"
    r"|парол|κωδικ|סיסמ|كلمة.?(?:ال)?(?:سر|مرور)|密码|密碼|パスワード|비밀번호",
    re.IGNORECASE,
)
_LONGEST_NAME = 60


def shown_name(spelled: str, position: int, *, is_header: bool) -> str:
    """Return a name that nobody knows as a message may say it; the number of the column where it may be a value.

    Shape: position: from 0; is_header: whether most other names of the line are known
    """
    is_name = (
        is_header and len(spelled) <= _LONGEST_NAME and not _UNUSUAL.search(spelled) and any(map(str.isalpha, spelled))
    )
    return spelled if is_name else f"({position + 1})"


def is_header_line(known: int, unknown: int) -> bool:
    """Return whether a line of so many known and unknown names is a header, and not a row in which one word is a name."""
    return known >= unknown


def is_secret_name(name: str) -> bool:
    """Return whether the cells under such a name are passwords, whatever the file type says of it."""
    return _SECRET.search(name) is not None
