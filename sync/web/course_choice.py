"""The courses that somebody has chosen so far: kept with the session, so that they last from page to page."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest

# They are named in one query, and written into one session.
MAX_CHOSEN = 10_000

_KEY = "chosen_courses"


def chosen_courses(request: HttpRequest) -> frozenset[int]:
    """Return the ids of the chosen courses."""
    return frozenset(request.session.get(_KEY, ()))


def choose_courses(request: HttpRequest, courseids: Iterable[int]) -> bool:
    """Choose just these courses. Gives whether there was room for all of them; if not, nothing changes."""
    ids = sorted(set(courseids))
    if len(ids) > MAX_CHOSEN:
        return False
    request.session[_KEY] = ids
    return True
