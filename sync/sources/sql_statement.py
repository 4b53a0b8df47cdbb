"""Whether a text is one statement that only reads.

The servers refuse to write, and to carry out a second statement (`sql_source.py`). What is refused here are honest mistakes, told
in a sentence, and the one way in which a SELECT writes in spite of that: into a file of the server. Words count only where they
begin a statement: a column may be called `delete`, `update` or `call`.
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
# In a statement that begins with SELECT or WITH and has no semicolon, others begin after a bracket only: as the query of a WITH,
# or behind all of these. Nothing that a name is followed by follows them.
_WRITING = re.compile(r"[()]\s*(INSERT|UPDATE|DELETE|MERGE)\b(?!\s*[(),.=<>+*/|-])", re.IGNORECASE)
# No name without quotes, in any of the servers; behind a point it is one.
_INTO = re.compile(r"(?<![.\w])(INTO)\b(?!\s*\.)", re.IGNORECASE)
_LOCKING = re.compile(r"\bFOR\s+(?:NO\s+KEY\s+)?(UPDATE)\b", re.IGNORECASE)


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
    for expression in (_WRITING, _INTO, _LOCKING):
        if word := expression.search(bare):
            raise SourceError("sql_writes", word=word[1].upper())
    return statement
