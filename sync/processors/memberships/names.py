"""How files name users and cohorts: what is looked up, and what Moodle can store."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sync.moodle.db.identifiers import is_id
from sync.values import Note

NamedUsers = Mapping[str, tuple[int, ...]]


def find_user(named: NamedUsers, identifier: str, text: str, column: str) -> int | Note:
    """Return the one user that a cell names, or say what is wrong."""
    found = named.get(text, ())
    if len(found) == 1:
        return found[0]
    params = {"column": column, "identity": identifier, "value": text}
    return Note("account_ambiguous", {**params, "count": len(found)}) if found else Note("account_unknown", params)


# Source: Moodle table cohort, columns name and idnumber
MAX_NAME = 254
MAX_IDNUMBER = 100

_SEPARATORS = ",;|"
# What is said at the top of the report -> the note of the rows of which it is said.
MADE_LIKE_LISTS = {"made_like_list_in_rows": "made_like_list"}


def length_problem(name: str, idnumber: str, name_column: str, idnumber_column: str) -> Note | None:
    """Hold the name and idnumber of a new cohort against what Moodle can store; say what is too long."""
    if len(name) > MAX_NAME:
        return Note("cohort_name_too_long", {"column": name_column, "limit": MAX_NAME})
    if len(idnumber) > MAX_IDNUMBER:
        return Note("cohort_idnumber_too_long", {"column": idnumber_column, "limit": MAX_IDNUMBER})
    return None


def listed(text: str) -> tuple[str, ...]:
    """Return the names that a cell for one name may list, apart by commas, semicolons or bars; nothing where it is one name."""
    for separator in _SEPARATORS:
        text = text.replace(separator, _SEPARATORS[0])
    parts = [stripped for part in text.split(_SEPARATORS[0]) if (stripped := part.strip())]
    return tuple(parts) if len(parts) > 1 else ()


def made_like_list(column: str, name: str) -> tuple[Note, ...]:
    """Say that one thing was made by a name that may list several, none of which is there; nothing of another name."""
    return (Note("made_like_list", {"column": column, "name": name}),) if listed(name) else ()


def with_listed(names: Iterable[str]) -> set[str]:
    """Return names, with those that they may list."""
    return {part for name in names for part in (name, *listed(name))}


def cohorts_named(
    identifier: str, texts: Collection[str], names: Collection[str] = (), idnumbers: Collection[str] = ()
) -> dict[str, Any]:
    """Return what `fetch_memberships` needs to find the cohorts that texts name, and others by name and idnumber."""
    by: dict[str, set[str]] = {"id": set(), "idnumber": set(idnumbers), "name": set(names)}
    by[identifier] |= set(texts)
    ids = {int(text) for text in by["id"] if is_id(text)}
    return {"cohort_ids": ids, "cohort_idnumbers": by["idnumber"], "cohort_names": by["name"]}
