"""Custom fields of courses share the checks of profile fields: dates in every form, words for yes and no, unique values."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.moodle_sites import MoodleSite
from tests.support import RunResult, run_file

HEADER = "shortname;fullname;customfield_thing"


def field_is(site: MoodleSite, kind: str, **config: object) -> int:
    category = site.insert(
        "customfield_category", name="C", component="core_course", area="course", itemid=0, sortorder=0, timecreated=1,
        timemodified=1, contextid=1,
    )  # fmt: skip
    return site.insert(
        "customfield_field", shortname="thing", name="thing", type=kind, categoryid=category, sortorder=0, timecreated=1,
        timemodified=1, configdata=json.dumps(config),
    )  # fmt: skip


def run(site: MoodleSite, *rows: str, **options: Any) -> RunResult:
    return run_file(site, "courses", "\n".join([HEADER, *rows, ""]), **options)


@pytest.mark.parametrize(
    ("kind", "cell", "code"),
    [
        ("date", "46266", "value_not_time"), ("date", "soon", "value_not_time"), ("checkbox", "perhaps", "value_not_flag"),
        ("select", "hihg", "value_not_among"),
    ],
)  # fmt: skip
def test_what_a_field_cannot_take_rejects_the_row(sqlite_site: MoodleSite, kind: str, cell: str, code: str) -> None:
    field_is(sqlite_site, kind, options="low\r\nhigh")
    result = run(sqlite_site, f"NEW1;One;{cell}")
    assert result.codes == [code]
    assert kind != "select" or "Did you mean “high”?" in result.report


@pytest.mark.parametrize(("kind", "cell", "value"), [("checkbox", "WAHR", "1"), ("date", "@1800000000", "1800000000")])
def test_cells_are_read_as_everywhere(sqlite_site: MoodleSite, kind: str, cell: str, value: str) -> None:
    fieldid = field_is(sqlite_site, kind)
    run(sqlite_site, f"NEW1;One;{cell}")
    assert sqlite_site.one("customfield_data", fieldid=fieldid)["value"] == value


@pytest.mark.parametrize("chunk_rows", [1, 2, 100])
@pytest.mark.parametrize("simulate", [True, False])
def test_a_unique_value_belongs_to_one_course(sqlite_site: MoodleSite, chunk_rows: int, *, simulate: bool) -> None:
    field_is(sqlite_site, "text", uniquevalues="1")
    run(sqlite_site, "OLD;Old;X1")

    rows = ("NEW1;One;X2", "NEW2;Two;X2", "NEW3;Three;X1", "NEW4;Four;", "NEW5;Five;", "NEW1;One;X2")
    result = run(sqlite_site, *rows, chunk_rows=chunk_rows, simulate=simulate, forceupdate=True)

    assert result.codes == [
        "course_created", "course_field_value_taken", "course_field_value_taken", "course_created", "course_created",
        "course_unchanged",
    ]  # fmt: skip
    assert "“X1”" in result.report


@pytest.mark.parametrize("chunk_rows", [1, 2, 100])
@pytest.mark.parametrize("simulate", [True, False])
@pytest.mark.parametrize("is_there", [True, False])
def test_a_unique_value_that_a_course_gives_up_is_free(
    sqlite_site: MoodleSite, chunk_rows: int, *, simulate: bool, is_there: bool
) -> None:
    field_is(sqlite_site, "text", uniquevalues="1")
    if is_there:
        run(sqlite_site, "OLD;Old;X1")

    rows = ("OLD;Old;X1", "OLD;Old;X2", "NEW1;One;X1", "NEW2;Two;X2", "NEW1;One;")
    result = run(sqlite_site, *rows, chunk_rows=chunk_rows, simulate=simulate, forceupdate=True)

    first = "course_unchanged" if is_there else "course_created"
    assert result.codes == [first, "course_updated", "course_created", "course_field_value_taken", "course_updated"]


def test_values_of_other_fields_may_be_equal(sqlite_site: MoodleSite) -> None:
    field_is(sqlite_site, "text")
    assert run(sqlite_site, "NEW1;One;X2", "NEW2;Two;X2").counts == {"created": 2}


@pytest.mark.sites("sqlite:4.5", "mariadb:5.1", "postgresql:5.2")
def test_a_number_that_is_there_is_not_written_again(moodle_site: MoodleSite) -> None:
    field_is(moodle_site, "number")
    assert run(moodle_site, "NEW1;One;1.1").codes == ["course_created"]
    assert run(moodle_site, "NEW1;One;1.1", forceupdate=True).codes == ["course_unchanged"]
    assert run(moodle_site, "NEW1;One;1,25", forceupdate=True).codes == ["course_updated"]
