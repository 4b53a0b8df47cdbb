"""Passwords in texts that others wrote: what drivers, servers and libraries say of an error, and what is logged."""

from __future__ import annotations

import re

HIDDEN = "[hidden]"

_WORD_WITH_ADDRESS = re.compile(r"[^\s'\"]++")
_BEFORE_PASSWORD = re.compile(r"://[^/@:]*+:")
# Possessive, and looking ahead once for each word: nothing is read twice, whatever the text is.
_ASSIGNED_SECRET = re.compile(
    r"(?P<name>\b(?=\w*(?:password|passwd|pwd|secret|token|api_?key|signature|credential))\w++['\"]?+\s*+(?:=|:\s*+(?=['\"])))\s*+"
    r"(?:'[^']*+'|\"[^\"]*+\"|[^\s,;&)}\]]++)",
    re.IGNORECASE,
)
# Addresses whose last part opens a door: an invitation, and another password by mail.
_SECRET_LINK = re.compile(r"(?P<path>/invitation/|/password/mail/[^/\s'\"]++/)(?!set-password)[^/\s'\"?<>]++")
# No text is longer than this; what an error quotes may be.
_LONGEST_TEXT = 100_000


def without_secrets(text: str) -> str:
    """Return a text with what looks like a password in it hidden; what is longer than anybody can use is cut off."""
    if "://" in text:
        text = _WORD_WITH_ADDRESS.sub(_without_credentials, text)
    text = _SECRET_LINK.sub(rf"\g<path>{HIDDEN}", text)
    text = _ASSIGNED_SECRET.sub(rf"\g<name>{HIDDEN}", text)
    return text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "…"


def _without_credentials(word: re.Match[str]) -> str:
    """Hide user and password of the first address in a word, up to the last "@": passwords may hold one. And what stands after
    its "?": an address that is signed is a secret.
    """
    text = word[0]
    end = text.rfind("@")
    found = _BEFORE_PASSWORD.search(text, 0, max(end, 0))
    if found is not None:
        text = f"{text[: found.start()]}://{HIDDEN}{text[end:]}"
    scheme = text.find("://")
    query = text.find("?", scheme) if scheme >= 0 else -1
    return text if query < 0 else f"{text[:query]}?{HIDDEN}"
