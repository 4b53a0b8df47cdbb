"""Courses and categories that a run moved go back with all that is in them by now, and only to where there is something."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from sync.models import RunState, SyncRun
from sync.values import Action
from tests.installation import Installation
from tests.moodle_sites import MoodleSite
from tests.processors.categories.test_categories import assert_tree_is_whole
from tests.runs.test_undo import add, of
from tests.runs.undo_checks import bring_in_order, check_same, outcomes, undo

MOVE = "cmd;category;parent\nadd;A/Inner;B\n"


def tree(installation: Installation) -> MoodleSite:
    """Make A > Inner > course DEEP, and B."""
    add(installation, "courses", "shortname;fullname;category\nDEEP;A course;A/Inner\nBESIDE;Another;B\n")
    bring_in_order(installation.moodle)
    return installation.moodle


def path_of(moodle: MoodleSite, level: int, instanceid: int) -> str:
    return str(moodle.one("context", contextlevel=level, instanceid=instanceid)["path"])


def add_context(moodle: MoodleSite, level: int, instanceid: int, parent: str) -> int:
    """Make a context as Moodle does."""
    contextid = moodle.insert("context", contextlevel=level, instanceid=instanceid, depth=parent.count("/") + 1)
    moodle.execute("UPDATE {context} SET path = :path WHERE id = :id", path=f"{parent}/{contextid}", id=contextid)
    return contextid


def take_away(moodle: MoodleSite, category: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Delete an empty category as Moodle does, and return its rows."""
    context = moodle.one("context", contextlevel=40, instanceid=category["id"])
    moodle.execute("DELETE FROM {course_categories} WHERE id = :id", id=category["id"])
    moodle.execute("DELETE FROM {context} WHERE id = :id", id=context["id"])
    return [("course_categories", category), ("context", context)]


def put_back(moodle: MoodleSite, rows: list[tuple[str, dict[str, Any]]]) -> None:
    for table, row in rows:
        moodle.insert(table, **row)


def rejected(run: SyncRun) -> dict[str, tuple[str, Any]]:
    return {each.subject: (each.code, each.params) for each in outcomes(run) if each.action is Action.REJECTED}


@pytest.mark.parametrize("chunk_rows", [1, 1000])
def test_a_course_whose_old_category_is_gone_stays_where_it_is_until_that_is_back(
    installation: Installation, settings: Settings, chunk_rows: int
) -> None:
    moodle = tree(installation)
    before = moodle.snapshot()
    inner, deep = moodle.one("course_categories", name="Inner"), moodle.one("course", shortname="DEEP")["id"]
    run = add(installation, "courses", "shortname;fullname;category\nDEEP;Renamed;New/Place\n", forceupdate=1)
    rows = take_away(moodle, inner)
    settings.TOOLSYNC_CHUNK_ROWS = chunk_rows
    simulation, undone = undo(run, simulate=True), undo(run)
    assert simulation.counts == undone.counts
    params = {"table": "course_categories", "id": inner["id"]}
    assert rejected(undone)[f"course {deep}"] == ("undo_parent_gone", params)
    # Nor does the new category go in which it still is.
    place = moodle.one("course_categories", name="Place")
    assert moodle.one("course", id=deep)["category"] == place["id"]
    assert of(undone, f"course_categories {place['id']}").code == "undo_use_named"
    assert_tree_is_whole(moodle)
    put_back(moodle, rows)
    assert undo(run).state == RunState.COMPLETED
    bring_in_order(moodle)
    check_same(before, moodle.snapshot())


def test_a_category_whose_old_parent_is_gone_stays_where_it_is(installation: Installation) -> None:
    moodle = tree(installation)
    inner, above = moodle.one("course_categories", name="Inner"), moodle.one("course_categories", name="A")
    run = add(installation, "categories", MOVE)
    assert moodle.one("course_categories", id=inner["id"])["parent"] != above["id"]
    take_away(moodle, above)
    undone = undo(run)
    told = rejected(undone)
    assert told[f"course_categories {inner['id']}"] == (
        "undo_parent_gone", {"table": "course_categories", "id": above["id"]},
    )  # fmt: skip
    assert {subject.partition(" ")[0] for subject in told} == {"course_categories", "context"}
    assert_tree_is_whole(moodle)


def test_a_deleted_course_does_not_come_back_into_a_category_that_is_gone(installation: Installation) -> None:
    moodle = tree(installation)
    deep = moodle.one("course", shortname="DEEP")["id"]
    run = add(installation, "courses_delete", "DEEP\n")
    inner = moodle.one("course_categories", name="Inner")
    rows = take_away(moodle, inner)
    undone = undo(run)
    assert rejected(undone)[f"course {deep}"] == (
        "undo_parent_gone", {"table": "course_categories", "id": inner["id"]},
    )  # fmt: skip
    assert moodle.rows("course", id=deep) == moodle.rows("context", contextlevel=50, instanceid=deep) == []
    put_back(moodle, rows)
    undo(run)
    assert moodle.one("course", id=deep)["category"] == inner["id"]
    assert_tree_is_whole(moodle)


@pytest.mark.parametrize("chunk_rows", [1, 1000])
def test_what_was_made_in_a_moved_category_goes_back_with_it(
    installation: Installation, settings: Settings, chunk_rows: int
) -> None:
    moodle = tree(installation)
    before = moodle.snapshot()
    inner, deep = moodle.one("course_categories", name="Inner"), moodle.one("course", shortname="DEEP")["id"]
    run = add(installation, "categories", MOVE)
    course = moodle.insert("course", category=inner["id"], shortname="SINCE", fullname="Since", sortorder=30001)
    made = [add_context(moodle, 50, course, path_of(moodle, 40, inner["id"]))]
    made.append(add_context(moodle, 70, 990, path_of(moodle, 50, deep)))
    made.append(add_context(moodle, 80, 991, path_of(moodle, 70, 990)))
    settings.TOOLSYNC_CHUNK_ROWS = chunk_rows
    simulation, undone = undo(run, simulate=True), undo(run)
    assert simulation.counts == undone.counts
    assert path_of(moodle, 50, course) == f"{path_of(moodle, 40, inner['id'])}/{made[0]}"
    assert path_of(moodle, 70, 990) == f"{path_of(moodle, 50, deep)}/{made[1]}"
    assert path_of(moodle, 80, 991) == f"{path_of(moodle, 70, 990)}/{made[2]}"
    assert_tree_is_whole(moodle)
    # Undone again, they are where the run had put the category.
    undo(undone)
    assert path_of(moodle, 80, 991) == f"{path_of(moodle, 50, deep)}/{made[1]}/{made[2]}"
    assert_tree_is_whole(moodle)
    undo(run)
    for contextid in made:
        moodle.execute("DELETE FROM {context} WHERE id = :id", id=contextid)
    moodle.execute("DELETE FROM {course} WHERE id = :id", id=course)
    bring_in_order(moodle)
    check_same(before, moodle.snapshot())


def test_what_comes_back_is_below_what_was_moved_meanwhile(installation: Installation) -> None:
    moodle = tree(installation)
    deep, beside = (moodle.one("course", shortname=name)["id"] for name in ("DEEP", "BESIDE"))
    add_context(moodle, 70, 990, path_of(moodle, 50, deep))
    deleted = add(installation, "courses_delete", "DEEP\n")
    moved = add(installation, "courses", "shortname;fullname;category\nBESIDE;Another;Some/Where\n", forceupdate=1)
    # Somebody moves the categories in which both were.
    add(installation, "categories", "cmd;category;parent\nadd;A/Inner;Some\nadd;B;A\n")
    assert {undo(moved).state, undo(deleted).state} == {RunState.COMPLETED}
    assert moodle.one("course", id=beside)["fullname"] == "Another"
    assert path_of(moodle, 50, deep).startswith(f"{path_of(moodle, 40, moodle.one('course', id=deep)['category'])}/")
    assert_tree_is_whole(moodle)
