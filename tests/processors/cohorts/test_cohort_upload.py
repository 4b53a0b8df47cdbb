"""Files of Moodle's own upload of cohorts: their category in each of its columns, and whether they are visible."""

from __future__ import annotations

from typing import Any

import pytest

from tests.moodle_sites import MoodleSite
from tests.support import RunResult, run_file


def run(site: MoodleSite, text: str, **options: Any) -> RunResult:
    return run_file(site, "cohorts", text, **options)


def add_category(site: MoodleSite, name: str, parent: int = 0, idnumber: str = "") -> int:
    made = site.insert(
        "course_categories", name=name, parent=parent, idnumber=idnumber, visible=1, visibleold=1, depth=2, path="",
        sortorder=10_000 + len(site.rows("course_categories")), timemodified=1, descriptionformat=1,
    )  # fmt: skip
    site.ids[f"{name} context"] = site.insert(
        "context", contextlevel=40, instanceid=made, path="/1/9", depth=2, locked=0
    )
    return made


@pytest.fixture
def with_categories(sqlite_site: MoodleSite) -> MoodleSite:
    """Science (SCI) / Physics (PHY), and a category whose idnumber is the number of another one."""
    sqlite_site.ids["Science"] = add_category(sqlite_site, "Science", idnumber="SCI")
    sqlite_site.ids["Physics"] = add_category(sqlite_site, "Physics", sqlite_site.ids["Science"], "PHY")
    add_category(sqlite_site, "Number", idnumber=str(sqlite_site.ids["Science"]))
    return sqlite_site


def cohort(site: MoodleSite, idnumber: str = "K1") -> dict[str, int]:
    return site.one("cohort", idnumber=idnumber)


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("category_path", "Science / Physics"), ("category_path", "Science/Physics"), ("category", "Science / Physics"),
        ("category", "PHY"), ("category", "{Physics}"), ("category_id", "{Physics}"), ("category_idnumber", "PHY"),
        ("contextid", "{Physics context}"), ("ccatcontext", "{Physics}"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_there", [False, True])
def test_a_category_is_found_in_each_column(
    with_categories: MoodleSite, column: str, cell: str, *, is_there: bool
) -> None:
    if is_there:
        run(with_categories, "name,idnumber\nFirst,K1\n")
    text = f"name,idnumber,{column}\nFirst,K1,{cell.format_map(with_categories.ids)}\n"
    assert run(with_categories, text).counts == {"updated" if is_there else "created": 1}
    assert cohort(with_categories)["contextid"] == with_categories.ids["Physics context"]
    assert run(with_categories, text).counts == {"unchanged": 1}


@pytest.mark.parametrize(
    ("columns", "cells", "code"),
    [
        ("category", "Nowhere", "category_unknown"), ("category_path", "Physics", "category_unknown"),
        ("contextid", "{C1 context}", "category_unknown"), ("category_idnumber", "{Physics}", "category_unknown"),
        ("category", "{Science}", "category_ambiguous"),
        ("category_idnumber,category_path", "SCI,Science / Physics", "cohort_categories_differ"),
        ("descriptionformat", "0", "value_not_among"), ("visible", "perhaps", "value_not_flag"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_rejects_the_row(with_categories: MoodleSite, columns: str, cells: str, code: str) -> None:
    result = run(with_categories, f"name,idnumber,{columns}\nFirst,K1,{cells.format_map(with_categories.ids)}\n")
    assert result.codes == [code]
    assert [outcome.subject for outcome in result.outcomes] == ["K1"]
    assert with_categories.rows("cohort", idnumber="K1") == []


def test_the_whole_site_and_both_columns_of_one_category(with_categories: MoodleSite) -> None:
    run(with_categories, "name,idnumber,category_idnumber,category_path\nFirst,K1,PHY,Science / Physics\n")
    assert cohort(with_categories)["contextid"] == with_categories.ids["Physics context"]
    assert run(with_categories, "name,idnumber,contextid\nFirst,K1,1\n").counts == {"updated": 1}
    assert cohort(with_categories)["contextid"] == 1


@pytest.mark.parametrize("chunk_rows", [1, 100])
def test_visible_is_set_and_changed_and_an_empty_cell_keeps_it(sqlite_site: MoodleSite, chunk_rows: int) -> None:
    text = "name,idnumber,visible,descriptionformat\nFirst,K1,0,1\nSecond,K2,,\nThird,K3,yes,\n"
    simulated = run(sqlite_site, text, chunk_rows=chunk_rows, simulate=True)
    real = run(sqlite_site, text, chunk_rows=chunk_rows)
    assert simulated.outcomes == real.outcomes
    assert real.counts == {"created": 3}
    assert [cohort(sqlite_site, name)["visible"] for name in ("K1", "K2", "K3")] == [0, 1, 1]
    assert run(sqlite_site, text).counts == {"unchanged": 3}

    changed = run(sqlite_site, "name,idnumber,visible\nFirst,K1,\nThird,K3,0\n", chunk_rows=chunk_rows)
    assert [outcome.action.value for outcome in changed.outcomes] == ["unchanged", "updated"]
    assert [cohort(sqlite_site, name)["visible"] for name in ("K1", "K3")] == [0, 0]
    assert run(sqlite_site, "name,idnumber,visible\nFirst,K1,1\n").counts == {"updated": 1}
    assert cohort(sqlite_site)["visible"] == 1
