"""Pages that show what is in Moodle, and what they say when it can't be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from sync.errors import MoodleError
from sync.messages import text_of, without_addresses
from sync.models import MoodleSite
from sync.moodle.categories.categories import Category
from sync.moodle.db.database import MoodleSession
from sync.runs.connections import moodle_of
from sync.web.access import sees_settings

View = Callable[..., HttpResponseBase]


@contextmanager
def moodle_session(site: MoodleSite) -> Iterator[MoodleSession]:
    """Open a session on a site's Moodle for the time of a page. Raises: MoodleError"""
    moodle = moodle_of(site)
    try:
        with moodle.session() as session:
            yield session
    finally:
        moodle.dispose()


def needs_moodle(view: View) -> View:
    """Say in a sentence why there is no page when Moodle can't be asked."""

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except MoodleError as error:
            is_inside = sees_settings(request.user)
            shown = error.params if is_inside else without_addresses(error.code, error.params)
            context = {"reason": text_of(error.code, shown)}
            return render(request, "sync/moodle_away.html", context, status=503)

    return answer


def category_paths(categories: Iterable[Category]) -> dict[int, str]:
    """Return the categories by their names from the root on, "Sciences / Mathematics", in Moodle's order."""
    by_id = {category.id: category for category in categories}
    return {category.id: " / ".join(reversed(list(_names_up(category, by_id)))) for category in by_id.values()}


def _names_up(category: Category | None, by_id: Mapping[int, Category]) -> Iterator[str]:
    # A damaged tree may go round in circles.
    seen: set[int] = set()
    while category is not None and category.id not in seen:
        yield category.name
        seen.add(category.id)
        category = by_id.get(category.parent)
