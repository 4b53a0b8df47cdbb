"""What may have been meant by cells at fault: the nearest names in Moodle, countries, words that are allowed, addresses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from zoneinfo import available_timezones

from sync.columns.places import country_codes
from sync.columns.row_secrets import HIDDEN
from sync.columns.words import folded
from sync.errors import MoodleError
from sync.mending.rows import FailedRow
from sync.models import MoodleSite
from sync.moodle.site.similar import fetch_similar
from sync.runs.connections import moodle_of
from sync.values import Outcome

_MOST = 3
_LEAST_SIMILAR = 0.6
_LONGEST_COMPARED = 100


# Table and column of Moodle in which something isn't there.
Named = tuple[str, str]

# Of an outcome that says that something isn't there: the table, and what says by which column it is looked up.
_TABLES: Mapping[str, tuple[str, str]] = {
    "course_unknown": ("course", "identifier"),
    "account_unknown": ("user", "identity"),
    "role_unknown": ("role", ""),
    "role_not_for_courses": ("role", ""),
    "cohort_unknown": ("cohort", ""),
}
_COLUMNS: Mapping[str, str] = {"role": "shortname", "cohort": "idnumber"}
_SEARCHED = frozenset({"shortname", "idnumber", "username", "email"})


def suggest(
    site: MoodleSite, rows: Iterable[tuple[FailedRow, Outcome, str]], *, names_people: bool
) -> dict[int, list[str]]:
    """Return what may have been meant in cells at fault, the likeliest first: line -> at most three texts.

    Shape: rows: with what is wrong now, and the text of the cell; names_people: whether users of Moodle may be named. Nothing of
    what only Moodle knows while it is away
    Queries: one for each table and column of Moodle
    """
    asked = [(row.line, outcome, text) for row, outcome, text in rows if text and HIDDEN not in text]
    named = {line: place for line, outcome, _text in asked if (place := _named(outcome)) is not None}
    looked_up = [(named[line], text) for line, _outcome, text in asked if line in named]
    candidates = _fetch_candidates(site, [item for item in looked_up if names_people or item[0][0] != "user"])
    suggested: dict[int, list[str]] = {}
    for line, outcome, text in asked:
        found: Collection[str] = candidates.get(named[line], ()) if line in named else ()
        texts = nearest_texts(text, found) if line in named else _known_without_moodle(outcome, text)
        suggested[line] = [meant for meant in dict.fromkeys(texts) if meant != text][:_MOST]
    return suggested


def nearest_texts(text: str, candidates: Collection[str]) -> list[str]:
    """Return those of some texts that are spelled most like one."""
    if len(text) > _LONGEST_COMPARED:
        return []
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    found = get_close_matches(text.casefold(), by_folded, n=_MOST, cutoff=_LEAST_SIMILAR)
    return [by_folded[folded] for folded in found]


def _named(outcome: Outcome) -> Named | None:
    """Return where what a cell names isn't there; None where that is nothing of Moodle, or it is looked up by its number."""
    if outcome.code not in _TABLES:
        return None
    table, said_by = _TABLES[outcome.code]
    column = str(outcome.params.get(said_by, "")) if said_by else _COLUMNS[table]
    return (table, column) if column in _SEARCHED else None


def _fetch_candidates(site: MoodleSite, asked: Sequence[tuple[Named, str]]) -> dict[Named, list[str]]:
    wanted: defaultdict[Named, set[str]] = defaultdict(set)
    for named, text in asked:
        wanted[named].add(text)
    if not wanted:
        return {}
    try:
        moodle = moodle_of(site)
    except MoodleError:
        return {}
    try:
        with moodle.session() as session:
            return fetch_similar(session, wanted)
    except MoodleError:
        return {}
    finally:
        moodle.dispose()


def _known_without_moodle(outcome: Outcome, text: str) -> list[str]:
    params, found = outcome.params, []
    if isinstance(nearest := params.get("nearest"), str):
        found.append(nearest)
    match outcome.code:
        case "country_unknown":
            names = country_codes()
            found += [names[name] for name in nearest_texts(folded(text), names)]
        case "timezone_unknown":
            found += nearest_texts(text, _time_zones())
        case "value_not_among":
            found += nearest_texts(text, str(params.get("allowed", "")).split(", "))
        case "value_not_email":
            found += _address_meant(text)
        case "value_too_long" if isinstance(limit := params.get("limit"), int):
            found.append(text[:limit].rstrip())
        case _:
            pass
    return found


def _address_meant(text: str) -> list[str]:
    """Return the address that a text is but for blanks, commas, a bracket or another sign for the @."""
    meant = "".join(text.split()).strip("<>()[];,.'\"").replace(",", ".").replace("(at)", "@").replace("[at]", "@")
    while ".." in meant or "@@" in meant:
        meant = meant.replace("..", ".").replace("@@", "@")
    local, at, domain = meant.partition("@")
    return [meant] if at and local and "." in domain and "@" not in domain else []


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones())
