"""Texts of Moodle that are spelled nearly like others: what somebody may have meant who wrote a name that isn't there."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import sqlalchemy as sa

from sync.moodle.db.database import MoodleSession

# Where a misspelt text is looked for: what begins, or ends, as it does.
_BEGINNING, _END = 3, 4
# So many texts are compared with those that were written.
_MOST = 2_000
# Tables of which every row is a candidate: a site has few.
_WHOLE = frozenset({"role"})


def fetch_similar(
    moodle: MoodleSession, wanted: Mapping[tuple[str, str], Collection[str]]
) -> dict[tuple[str, str], list[str]]:
    """Return what each table holds that begins or ends like one of some texts; in their roles all.

    Shape: wanted: (table, column) -> texts; at most 2,000 are found for each
    Queries: one for each table and column
    """
    return {(table, name): _fetch(moodle, table, name, texts) for (table, name), texts in wanted.items() if texts}


def _fetch(moodle: MoodleSession, table: str, name: str, texts: Collection[str]) -> list[str]:
    column = moodle.table(table).c[name]
    statement = sa.select(column).distinct().where(column != "")
    if table not in _WHOLE:
        # The last letter of a short text may be the wrong one.
        patterns = {f"{_escaped(text[: max(1, min(_BEGINNING, len(text) - 1))])}%" for text in texts} | {
            f"%{_escaped(text[-_END:])}" for text in texts if len(text) > _END
        }
        statement = statement.where(sa.or_(*(column.ilike(pattern, escape="!") for pattern in sorted(patterns))))
    if table == "user":
        statement = statement.where(moodle.table(table).c.deleted == 0)
    return [str(row[0]) for row in moodle.fetch(statement.limit(_MOST))]


def _escaped(text: str) -> str:
    """Return a text for LIKE, with `!` before what would stand for other texts."""
    return text.replace("!", "!!").replace("%", "!%").replace("_", "!_")
