"""Every rejection names whom or what its row is about, and the cell's value: tried in each column of each file type."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.utils import translation

from sync.columns.header import is_secret_name
from sync.outcomes.report import outcome_text
from sync.processors.registry import REGISTRY
from sync.values import FAILED_ACTIONS, Outcome
from tests.moodle_sites import build_site
from tests.processors.custom_fields.fields import add_course_fields
from tests.processors.random_files import furnish
from tests.processors.test_hostile_cells import KNOWN, VARIANTS, names_of
from tests.support import MoodleSite, run_file

# What no column can read, what is nobody's name and no number of anything, and what is too long or out of range.
UNUSABLE = ("zyxwv", "-17", "Zyxwv-" * 700, "31.02.2026")
# How much of a long cell is shown at least.
SHOWN = 20
# Other names of what a row is about: a file that has such a column names it by that.
# The context of roles is named by two cells.
IN_COURSE = {"context": "course", "instance": "C1"}
LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "courses": ("id",),
    "courses_reset": ("id", "idnumber"),
    "roles": ("course",),
}
# How the files name what they are about, in place of the usual.
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    key: {"primaryidentity": "username"} for key in ("users_delete", "users_suspend", "users_restore")
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MoodleSite]:
    path: Path = tmp_path_factory.mktemp("rejections") / "moodle.sqlite3"
    site = build_site(f"sqlite:///{path}", "sqlite", "4.5")
    furnish(site)
    add_course_fields(site)
    site.keep_as_template()
    yield site
    site.engine.dispose()


def file_of(key: str, new: str) -> tuple[str, list[tuple[str, str]]]:
    """Return a file, one cell of each row of which can't be used, and for each row its column and the cell."""
    columns = [
        column for column in REGISTRY[key].columns if not column.ignored and column.name not in LEFT_OUT.get(key, ())
    ]
    cells = {
        name: IN_COURSE.get(name) or KNOWN.get(name, column.sample if column.required else "")
        for column in columns
        for name in names_of(column)
    }
    names = list(cells)
    rows = [names] if not REGISTRY[key].columns.headerless else []
    pairs = [(name, bad) for name in names for bad in UNUSABLE]
    for name, bad in pairs:
        sound = {**cells, new: f"n{len(rows)}"}
        rows.append([bad if other == name else sound[other] for other in names])
    out = io.StringIO()
    csv.writer(out, delimiter=";", lineterminator="\n").writerows(rows)
    return out.getvalue(), pairs


def faults_of(outcome: Outcome, name: str, cell: str) -> Iterator[str]:
    text = outcome_text(outcome)
    if not outcome.subject:
        yield "no subject"
    if is_secret_name(name):
        if cell in text:
            yield "tells a password"
    elif cell[:SHOWN].strip().lstrip("-").lower() not in f"{outcome.subject} {text}".lower():
        yield "no value"


@pytest.mark.parametrize("key", [key for key in REGISTRY if not REGISTRY[key].columns.of_pictures])
def test_a_rejection_names_whom_it_is_about_and_the_cell(site: MoodleSite, key: str) -> None:
    found = []
    for new, options in VARIANTS.get(key, (("", {}),)):
        text, pairs = file_of(key, new)
        site.restore_template()
        result = run_file(site, key, text, **OPTIONS.get(key, {}), **options)
        first = 1 if REGISTRY[key].columns.headerless else 2
        with translation.override("en"):
            for outcome in result.outcomes:
                name, cell = pairs[outcome.line - first]
                if outcome.action in FAILED_ACTIONS and outcome.code != "comment_like_row":
                    found += [
                        (fault, name, cell[:SHOWN], outcome.code, outcome.subject, outcome_text(outcome)[:150])
                        for fault in faults_of(outcome, name, cell)
                    ]
    assert found == [], "\n".join(map(str, found))
