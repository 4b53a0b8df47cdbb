"""Whether a text is one statement that only reads.

The servers refuse to write, and to carry out a second statement (`sql_source.py`). What is refused here are honest mistakes, told
in a sentence, and the one way in which a SELECT writes in spite of that: into a file of the server.
"""

from __future__ import annotations

import re

from sync.errors import SourceError

LONGEST_STATEMENT = 20_000
# With the doubled quotes in them. Servers that know backslashes are told not to.
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`")
# What stands in a comment one server reads and another doesn't.
_COMMENT = re.compile(r"--|/\*")
_READING = re.compile(r"(SELECT|WITH)\b", re.IGNORECASE)
_WRITING = re.compile(
    r"\b(INTO|INSERT|UPDATE|DELETE|MERGE|TRUNCATE|DROP|ALTER|CREATE|GRANT|REVOKE|CALL|EXEC|EXECUTE|COPY|LOAD|ATTACH|PRAGMA)\b",
    re.IGNORECASE,
)


def checked_statement(text: str) -> str:
    """Return a statement without blanks and semicolons at its end. Raises: SourceError if it isn't one SELECT"""
    statement = text.strip().rstrip(";").rstrip()
    if len(statement) > LONGEST_STATEMENT:
        raise SourceError("sql_too_long", limit=LONGEST_STATEMENT)
    bare = _QUOTED.sub("''", statement)
    if not _READING.match(bare):
        raise SourceError("sql_not_select")
    if ";" in bare or "\0" in bare:
        raise SourceError("sql_several")
    if _COMMENT.search(bare):
        raise SourceError("sql_comment")
    if word := _WRITING.search(bare):
        raise SourceError("sql_writes", word=word[0].upper())
    return statement
