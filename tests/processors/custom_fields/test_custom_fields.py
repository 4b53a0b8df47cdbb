"""Files of custom fields of courses: every type of field, unique values, what is unchanged."""

from __future__ import annotations

import pytest

from sync.processors.registry import guess_processor
from tests.moodle_sites import MoodleSite
from tests.processors.custom_fields.fields import add_course_fields
from tests.support import run_file

pytestmark = pytest.mark.sites("sqlite:4.1", "mariadb:5.2", "postgresql:4.5", "real:m51-seeded")

TEXT = (
    "course;field;value\nC1;Level;Master\nC1;due;2027-09-01\nC1;note;<p>x</p>\nC1;open;yes\nC1;code;A1\nC2;code;A1\nC2;level;Doctor\n"
    "C2;nope;1\nC9?;level;Master\n"
)


def values(site: MoodleSite, course: str) -> dict[str, str]:
    names = {row["id"]: row["shortname"] for row in site.rows("customfield_field")}
    rows = site.rows("customfield_data", instanceid=site.ids[course])
    return {names[row["fieldid"]]: row["value"] for row in rows}


@pytest.mark.parametrize("chunk_rows", [1, 1000])
def test_every_type_is_filled_and_the_second_run_changes_nothing(moodle_site: MoodleSite, chunk_rows: int) -> None:
    add_course_fields(moodle_site)
    revision = moodle_site.one("course", id=moodle_site.ids["C1"])["cacherev"] or 0

    simulated = run_file(moodle_site, "custom_fields", TEXT, simulate=True, chunk_rows=chunk_rows)
    result = run_file(moodle_site, "custom_fields", TEXT, chunk_rows=chunk_rows)

    assert result.codes == [
        *["custom_field_filled"] * 5, "course_field_value_taken", "value_not_among", "custom_field_unknown", "course_unknown",
    ]  # fmt: skip
    assert simulated.outcomes == result.outcomes
    assert [outcome.params["column"] for outcome in result.outcomes[5:]] == ["value", "value", "field", "course"]
    found = values(moodle_site, "C1")
    assert [found[name] for name in ("level", "note", "open", "code")] == ["2", "<p>x</p>", "1", "A1"]
    assert moodle_site.one("course", id=moodle_site.ids["C1"])["cacherev"] > revision
    before = moodle_site.snapshot()
    assert run_file(moodle_site, "custom_fields", TEXT).counts == {"unchanged": 5, "rejected": 4}
    assert moodle_site.diff(before, moodle_site.snapshot()) == {}


def test_an_empty_cell_empties_and_frees_a_unique_value(sqlite_site: MoodleSite) -> None:
    add_course_fields(sqlite_site)
    run_file(sqlite_site, "custom_fields", TEXT)
    text = "course;field;value\nC1;code;\nC2;code;A1\nC1;due;09/01/2028\nC2;due;2028-09-01\n"
    result = run_file(sqlite_site, "custom_fields", text, dateorder="mdy")
    assert result.codes == [
        "custom_field_updated", "custom_field_filled", "custom_field_updated", "custom_field_filled",
    ]  # fmt: skip
    first, second = values(sqlite_site, "C1"), values(sqlite_site, "C2")
    assert (first["code"], second["code"]) == ("", "A1")
    assert first["due"] == second["due"] != "0"


def test_a_header_of_custom_fields_is_recognised() -> None:
    assert guess_processor({"course", "field", "value"}) == "custom_fields"
