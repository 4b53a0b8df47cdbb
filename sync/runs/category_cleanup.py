"""The clean-up of empty categories: what would go and why the rest stays, and the run that does it.

Source: spec courses.md section 6
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.utils import timezone

from sync.columns.describe import SAMPLE_SEPARATOR
from sync.commandfiles.naming import chosen_name
from sync.models import MoodleSite, SyncRun
from sync.moodle.categories.categories import Category, CategoryContents, fetch_category_contents
from sync.moodle.categories.deletion import unknown_question_types
from sync.moodle.course_content.graph.graph import load_graph
from sync.moodle.db.database import MoodleSession
from sync.processors.categories.delete import CategoriesDelete
from sync.reader.dialect import Dialect, encode_cells
from sync.runs.services import queue_run, receive_for_run

_ENCODING = "UTF-8"


class Staying(NamedTuple):
    """A category that stays, and why.

    Shape: courses: how many are directly in it; inside: names of its categories that stay; plugins: kinds of its questions
    that ToolSync doesn't know; is_last: the site has no other
    """

    category: Category
    courses: int
    inside: list[str]
    plugins: list[str]
    is_last: bool = False


class CleanUp(NamedTuple):
    """What a clean-up would do. Shape: going: inner categories before those that hold them; staying: in Moodle's order"""

    going: list[Category]
    staying: list[Staying]


def look_for_empty(
    moodle: MoodleSession, categories: Sequence[Category], *, start: int, whole_branches: bool
) -> CleanUp:
    """Tell which of the site's categories are empty from `start` down. Queries: three"""
    unknown = unknown_question_types(moodle, load_graph(), categories)
    contents = fetch_category_contents(moodle)
    return plan_cleanup(categories, contents, unknown, start=start, whole_branches=whole_branches)


def plan_cleanup(
    categories: Sequence[Category],
    contents: CategoryContents,
    unknown_plugins: Mapping[int, list[str]],
    *,
    start: int,
    whole_branches: bool,
) -> CleanUp:
    """Tell which categories from `start` down are empty. Pure.

    Shape: start: id, 0 = all; whole_branches: a category counts as empty when everything in it goes
    """
    going: list[Category] = []
    staying: list[Staying] = []
    gone: set[int] = set()
    for category in reversed(list(_walk(categories, start))):
        inner = contents.categories.get(category.id, {})
        inside = [name for inner_id, name in inner.items() if not (whole_branches and inner_id in gone)]
        courses, plugins = contents.courses.get(category.id, 0), unknown_plugins.get(category.id, [])
        is_last = contents.is_last(category.id, gone)
        if courses or inside or plugins or is_last:
            staying.append(Staying(category, courses, inside, plugins, is_last))
        else:
            going.append(category)
            gone.add(category.id)
    return CleanUp(going, staying[::-1])


def queue_cleanup(site: MoodleSite, going: Sequence[Category], paths: Mapping[int, str], *, user: Any) -> SyncRun:
    """Write the categories into a command file, and ask for its run."""
    dialect = Dialect(_ENCODING, SAMPLE_SEPARATOR)
    rows = [[column.name for column in CategoriesDelete.columns]]
    rows += [[str(category.id), paths[category.id]] for category in going]
    content = b"".join(encode_cells(dialect, row) + b"\n" for row in rows)
    name = chosen_name(CategoriesDelete.default_filename, timezone.now())
    file = receive_for_run(site, io.BytesIO(content), name, CategoriesDelete.key, user)
    options = {"encoding": _ENCODING, "separator": SAMPLE_SEPARATOR}
    return queue_run(site=site, processor=CategoriesDelete.key, command_file=file, options=options, user=user)


def _walk(categories: Sequence[Category], start: int) -> Iterator[Category]:
    """Return the categories from `start` down, each before what is in it; what a damaged tree leaves hanging isn't reached."""
    children: dict[int, list[Category]] = {}
    for category in reversed(categories):
        children.setdefault(category.parent, []).append(category)
    waiting = [category for category in categories if category.id == start] if start else children.get(0, [])
    while waiting:
        category = waiting.pop()
        yield category
        # Each is taken once: a damaged tree may go round in circles.
        waiting += children.pop(category.id, [])
